/**
 * Committed records, read from the engine through a bounded cache.
 *
 * Promises that a read gives nothing older than what was committed when it began, and that the cache
 * never keeps what was replaced or removed during the read. Right because there is one writer.
 */
import { RecordCache } from './cache.ts'
import type { CollectionSpec, StoredRecord } from './collections.ts'
import type { Engine, EngineQuery } from './engine.ts'
import type { Layer } from './overlay.ts'

export class Committed {
	readonly specs: Readonly<Record<string, CollectionSpec>>
	readonly #engine: Engine
	readonly #upgrade: (collection: string, record: StoredRecord) => StoredRecord
	readonly #cache: RecordCache
	/** The newest entry that was taken in. */
	#seq: number
	/** Questions that a database far away has not answered yet. */
	#asked = 0

	constructor(
		specs: Readonly<Record<string, CollectionSpec>>,
		engine: Engine,
		seq: number,
		cachedRecords: number,
		upgrade: (collection: string, record: StoredRecord) => StoredRecord,
	) {
		this.#cache = new RecordCache(cachedRecords)
		this.specs = specs
		this.#engine = engine
		this.#seq = seq
		this.#upgrade = upgrade
	}

	async get(collection: string, id: string): Promise<StoredRecord | null> {
		const cached = this.#cache.get(collection, id)
		if (cached) return cached.record
		const began = this.#seq
		const [record] = await this.#answer(this.#engine.getMany(collection, [id]))
		return record ? this.#remember(collection, record, began) : null
	}

	async getMany(collection: string, ids: readonly string[]): Promise<(StoredRecord | null)[]> {
		const cached = ids.map((id) => this.#cache.get(collection, id))
		const missing = ids.filter((_, i) => !cached[i])
		if (missing.length === 0) return cached.map((known) => known!.record)
		const began = this.#seq
		const read = await this.#answer(this.#engine.getMany(collection, missing))
		let next = 0
		return cached.map((known) => {
			if (known) return known.record
			const record = read[next++]
			return record ? this.#remember(collection, record, began) : null
		})
	}

	async find(collection: string, index: string, query: EngineQuery): Promise<StoredRecord[]> {
		// Lists are not kept: whoever leafs through old pages would drive out what is used all the time.
		return (await this.#answer(this.#engine.find(collection, index, query))).map((record) => this.#newest(collection, record))
	}

	/** Whether somebody waits for the database. */
	get waiting(): boolean {
		return this.#asked > 0
	}

	#answer<T>(question: Promise<T>): Promise<T> {
		if (!this.#engine.remote) return question
		this.#asked++
		return question.finally(() => this.#asked--)
	}

	/** Takes in what a group committed, up to the entry `seq`. */
	take(layer: Layer, seq: number): void {
		this.#seq = seq
		for (const [collection, ids] of layer.records) {
			for (const [id, { record }] of ids) this.#cache.set(collection, id, { rev: record?.rev ?? seq, record })
		}
	}

	/** Keeps what was read since the entry `began`, and gives the newest committed form. */
	#remember(collection: string, record: StoredRecord, began: number): StoredRecord {
		const newest = this.#newest(collection, record)
		// What was committed since may have left the cache already: then nobody knows whether this is the newest.
		const known = this.#cache.get(collection, record.id)
		if (!known && this.#cache.newestDropped <= began) this.#cache.set(collection, record.id, { rev: record.rev, record: newest })
		return newest
	}

	/** A read that was under way during a commit must not bring an older form back, nor what was removed. */
	#newest(collection: string, record: StoredRecord): StoredRecord {
		const known = this.#cache.get(collection, record.id)
		return known && known.rev >= record.rev ? (known.record ?? record) : this.#upgrade(collection, record)
	}
}
