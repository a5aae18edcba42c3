/**
 * Runs one piece of work at a time, and once more when it was asked for meanwhile.
 */

/** The returned function resolves after a run that began after the call; calls in between share it. */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
	let last: Promise<void> = Promise.resolve()
	let queued: Promise<void> | null = null
	return () => {
		queued ??= last
			.catch(() => {})
			.then(() => {
				queued = null
				return work()
			})
		last = queued
		return queued
	}
}
