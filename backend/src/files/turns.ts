/**
 * Heavy work in turns: so many at once, the others wait; what somebody waits for goes first.
 *
 * Promises that work for later is dropped, not piled up, when there is too much of it.
 */

export interface Turns {
	/** Somebody waits for it. */
	now<T>(work: () => Promise<T>): Promise<T>
	/** Done when nothing else is to do and nobody is `busy`, or not at all. */
	later(work: () => Promise<unknown>): void
	/** While it runs, nothing is begun that can wait. */
	busy<T>(work: () => Promise<T>): Promise<T>
	/** Begins nothing more that can wait; resolves when all that was begun is done. */
	close(): Promise<void>
}

const laterKept = 500
/** How long nobody must have been busy before something is begun that can wait. */
const quietMs = 200

/** Opens turns for `atOnce` works. */
export function openTurns(atOnce: number): Turns {
	const waiting: (() => void)[] = []
	const idle: (() => Promise<unknown>)[] = []
	const all = new Set<Promise<unknown>>()
	let running = 0
	let busy = 0
	let busyUntil = 0
	let listening = false
	let closed = false

	function next(): void {
		while (running < atOnce) {
			const begin = waiting.shift() ?? (isQuiet() ? laterWork() : undefined)
			if (!begin) return
			running++
			begin()
		}
	}

	// One that follows at once is waited for.
	const isQuiet = () => busy === 0 && running === 0 && !closed && performance.now() - busyUntil >= quietMs

	function waitForQuiet(): void {
		if (listening) return
		listening = true
		setTimeout(() => {
			listening = false
			if (performance.now() - busyUntil < quietMs) waitForQuiet()
			else next()
		}, quietMs).unref()
	}

	function laterWork(): (() => void) | undefined {
		const work = idle.shift()
		return work && (() => void track(work).catch(() => {}))
	}

	function track<T>(work: () => Promise<T>): Promise<T> {
		const done = (async () => work())()
		const ended = done
			.catch(() => {})
			.then(() => {
				running--
				all.delete(ended)
				next()
			})
		all.add(ended)
		return done
	}

	return {
		now: (work) =>
			new Promise((resolve, reject) => {
				waiting.push(() => track(work).then(resolve, reject))
				next()
			}),
		later(work) {
			if (closed || idle.length >= laterKept) return
			idle.push(work)
			next()
		},
		async busy(work) {
			busy++
			try {
				return await work()
			} finally {
				busy--
				busyUntil = performance.now()
				waitForQuiet()
			}
		},
		async close() {
			closed = true
			idle.length = 0
			while (all.size > 0) await Promise.all(all)
		},
	}
}
