/**
 * Ctrl-C: what a command began is given up in order; asked again, at once.
 */

/** A signal that is aborted when the operator or the system wants the command to stop. */
export function stopper(): AbortSignal {
	const stopping = new AbortController()
	let askedAt = 0
	for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
		process.on(name, () => {
			// npm passes a Ctrl-C on that was heard already.
			if (stopping.signal.aborted && performance.now() - askedAt > 1_000) process.exit(130)
			if (!stopping.signal.aborted) askedAt = performance.now()
			stopping.abort()
		})
	}
	return stopping.signal
}
