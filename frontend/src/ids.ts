/**
 * The server's clock as this device knows it, and the ids made by it.
 *
 * Promises ids whose time is the server's, so that a device with a wrong clock can write.
 * Needs no secure context: `getRandomValues` is all it takes.
 */

/** Milliseconds by the server's clock. */
export interface Clock {
	now(): number
	/** The server just said what time it is. */
	learn(serverNow: string): void
}

/** `offsetMs` was learnt earlier on this device; `remember` keeps a new one. */
export function createClock(offsetMs: number, remember: (offsetMs: number) => void): Clock {
	return {
		now: () => Date.now() + offsetMs,
		learn(serverNow) {
			const learnt = Date.parse(serverNow) - Date.now()
			// What the road takes is not a difference between clocks.
			if (Math.abs(learnt - offsetMs) < 1_000) return
			offsetMs = learnt
			remember(offsetMs)
		},
	}
}

/** A new id: four bytes of time, eight of chance, as 24 hex digits. */
export function makeId(clock: Clock): string {
	const seconds = Math.floor(clock.now() / 1000)
		.toString(16)
		.padStart(8, '0')
		.slice(-8)
	return seconds + Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
