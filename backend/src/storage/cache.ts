/**
 * The newest committed records, bounded: two generations, of which the older is dropped as a whole.
 *
 * Promises that what is kept is never older than what was kept before. Right because there is one writer.
 */
import type { StoredRecord } from './collections.ts'

/** A record as committed by the entry `rev`; null: removed by it. */
export interface Cached {
	rev: number
	record: StoredRecord | null
}

export class RecordCache {
	readonly #perGeneration: number
	#young = new Map<string, Map<string, Cached>>()
	#old = new Map<string, Map<string, Cached>>()
	#count = 0
	/** The newest entry ever seen, and when the older generation was begun. */
	#newest = 0
	#newestOld = 0
	/** The newest entry of which a record may have been dropped. */
	newestDropped = 0

	/** Keeps at least half of `size` records, at most all. */
	constructor(size: number) {
		this.#perGeneration = size / 2
	}

	get(collection: string, id: string): Cached | undefined {
		return this.#young.get(collection)?.get(id) ?? this.#old.get(collection)?.get(id)
	}

	set(collection: string, id: string, cached: Cached): void {
		let records = this.#young.get(collection)
		if (!records) {
			records = new Map()
			this.#young.set(collection, records)
		}
		records.set(id, cached)
		if (cached.rev > this.#newest) this.#newest = cached.rev
		if (++this.#count < this.#perGeneration) return
		this.newestDropped = this.#newestOld
		this.#newestOld = this.#newest
		this.#old = this.#young
		this.#young = new Map()
		this.#count = 0
	}
}
