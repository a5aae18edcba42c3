/**
 * What a waiting step is about to read, read early, together with what the other waiting steps are about to read.
 *
 * For databases across a network: step after step, each read would cost a round trip. Promises that what is
 * answered from here was committed when the reading began or later; what was committed since lies over it as
 * layers. Never answers what may be incomplete: that is read anew.
 */
import type { CollectionSpec, StoredRecord } from './collections.ts'
import type { EngineQuery } from './engine.ts'
import type { Layer } from './overlay.ts'

/** Where steps read committed records. */
export interface Reading {
	readonly specs: Readonly<Record<string, CollectionSpec>>
	get(collection: string, id: string): Promise<StoredRecord | null>
	find(collection: string, index: string, query: EngineQuery): Promise<StoredRecord[]>
}

export class EarlyReads implements Reading {
	readonly specs: Reading['specs']
	/** How many groups were committed, and which of those that failed had, when it began. */
	readonly place: { committed: number; epoch: number }
	readonly #committed: Reading
	readonly #gets = new Map<string, Promise<StoredRecord | null>>()
	readonly #finds = new Map<string, { limit: number; records: Promise<StoredRecord[]> }>()

	constructor(committed: Reading, place: { committed: number; epoch: number }) {
		this.specs = committed.specs
		this.place = place
		this.#committed = committed
	}

	async get(collection: string, id: string): Promise<StoredRecord | null> {
		const key = `${collection} ${id}`
		const known = this.#gets.get(key)
		if (known) return known
		const record = this.#committed.get(collection, id)
		this.#gets.set(key, record)
		return record
	}

	async find(collection: string, index: string, query: EngineQuery): Promise<StoredRecord[]> {
		const { key, limit, ...rest } = query
		const name = `${collection} ${index} ${JSON.stringify(rest)} ${key}`
		const known = this.#finds.get(name)
		if (!known) {
			const records = this.#committed.find(collection, index, query)
			this.#finds.set(name, { limit, records })
			return records
		}
		const records = await known.records
		// Where there may be more, layers could hide some of these.
		return records.length < known.limit ? records : this.#committed.find(collection, index, query)
	}
}

/** The layers of the groups committed last, so that they can lie over what was read before them. */
export class RecentLayers {
	readonly #layers: Layer[] = []
	/** How many groups were committed. */
	committed = 0

	push(layer: Layer): void {
		this.committed++
		if (this.#layers.push(layer) > KEPT) this.#layers.shift()
	}

	/** What was committed since then, newest first; null when that is not known any more. */
	since(committed: number): Layer[] | null {
		const count = this.committed - committed
		return count > this.#layers.length ? null : count === 0 ? [] : this.#layers.slice(-count).reverse()
	}
}

const KEPT = 16
