/**
 * The bytes of a file on their way in: looked at, kept or left out as they come.
 *
 * Promises that never more is in memory than what arrived at once and what is looked at. Knows
 * nothing of what the bytes mean.
 */

/** The bytes end where they must not, or are not what they should be. */
export class Malformed extends Error {
	override name = 'Malformed'
}

/** Where the bytes go. */
export interface Out {
	/** Kept, or (`added`) put in. */
	keep(bytes: Buffer, added?: boolean): Promise<void> | void
	/** Left out. */
	drop?(bytes: Buffer): void
}

export class Feed {
	readonly #chunks: AsyncIterator<Buffer>
	readonly #out: Out
	#buffer: Buffer = Buffer.alloc(0)
	#ended = false

	constructor(chunks: AsyncIterator<Buffer>, out: Out) {
		this.#chunks = chunks
		this.#out = out
	}

	async #load(): Promise<boolean> {
		if (this.#ended) return false
		const { value, done } = await this.#chunks.next()
		if (done) this.#ended = true
		else this.#buffer = this.#buffer.length === 0 ? value : Buffer.concat([this.#buffer, value])
		return !this.#ended
	}

	/** Up to `limit` bytes that come next, fewer only at the end. Nothing is taken. */
	async look(limit: number): Promise<Buffer> {
		while (this.#buffer.length < limit && (await this.#load()));
		return this.#buffer.subarray(0, limit)
	}

	/** The next bytes, exactly so many. Nothing is taken. */
	async need(count: number): Promise<Buffer> {
		const bytes = await this.look(count)
		if (bytes.length < count) throw new Malformed('It ends too early.')
		return bytes
	}

	/** All that is here now, at least one byte; empty only at the end. Nothing is taken. */
	async here(): Promise<Buffer> {
		while (this.#buffer.length === 0 && (await this.#load()));
		return this.#buffer
	}

	async #take(count: number, kept: boolean): Promise<void> {
		for (let left = count; left > 0; ) {
			const bytes = (await this.here()).subarray(0, left)
			if (bytes.length === 0) throw new Malformed('It ends too early.')
			this.#buffer = this.#buffer.subarray(bytes.length)
			left -= bytes.length
			if (kept) await this.#out.keep(bytes)
			else this.#out.drop?.(bytes)
		}
	}

	keep(count: number): Promise<void> {
		return this.#take(count, true)
	}

	drop(count: number): Promise<void> {
		return this.#take(count, false)
	}

	/** Leaves so many bytes out, and puts these in their place. */
	async replace(count: number, bytes: Buffer): Promise<void> {
		await this.drop(count)
		await this.#out.keep(bytes, true)
	}

	async keepRest(): Promise<void> {
		for (let bytes = await this.here(); bytes.length > 0; bytes = await this.here()) await this.keep(bytes.length)
	}

	async dropRest(): Promise<void> {
		for (let bytes = await this.here(); bytes.length > 0; bytes = await this.here()) await this.drop(bytes.length)
	}
}
