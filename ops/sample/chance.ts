/**
 * Chance that comes out the same for the same seed, so that a sample that was interrupted goes on as it began.
 */

export interface Chance {
	/** From 0 up to, but not, 1. */
	next(): number
	/** A whole number from `from` to `to`, both included. */
	between(from: number, to: number): number
	/** True so often. */
	happens(share: number): boolean
	pick<T>(list: readonly T[]): T
	/** An id whose time is this, in seconds. */
	id(seconds: number): string
	/** A chance of its own: what it gives does not depend on how often others were asked. */
	fork(name: string): Chance
}

function digestOf(text: string): number {
	let hash = 0x811c9dc5
	for (const char of text) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
	return hash >>> 0
}

/** Opens chance from a seed (mulberry32). */
export function openChance(seed: string): Chance {
	let state = digestOf(seed)
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0
		let mixed = Math.imul(state ^ (state >>> 15), state | 1)
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
	}
	const hex = (number: number) => Math.floor(number).toString(16).padStart(8, '0')
	return {
		next,
		between: (from, to) => from + Math.floor(next() * (to - from + 1)),
		happens: (share) => next() < share,
		pick: (list) => list[Math.floor(next() * list.length)]!,
		id: (seconds) => hex(seconds) + hex(next() * 0x1_0000_0000) + hex(next() * 0x1_0000_0000),
		fork: (name) => openChance(`${seed}/${name}`),
	}
}
