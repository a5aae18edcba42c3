/**
 * The highest ids of a collection, remembered: that a new record's id is not taken yet needs no round trip then.
 *
 * Promises to call an id absent only where the database has no document of it, tombstones included: right because
 * there is one writer, whose every new id is told here, and who can commit nothing once another took over.
 */
import type { Collection } from 'mongodb'
import { type Document, isId } from './bson.ts'

/** So many are read at first; above the other number the lower half is forgotten. */
const IDS = { first: 10_000, most: 200_000, sample: 1_000 }
/** Below every id. */
const NOTHING = ''

export class HighestIds {
	readonly #ids = new Set<string>()
	/** All ids from here on are known; null: not yet. */
	#from: string | null = null
	#loading: Promise<void> | null = null

	/** Whether there is surely no such document. The first time it is asked, it begins to look. */
	absent(id: string, collection: Collection<Document>): boolean {
		if (this.#from === null) this.#loading ??= this.#load(collection)
		return this.#from !== null && id >= this.#from && isId(id) && !this.#ids.has(id)
	}

	/** Takes a new document's id, before it is in the database. */
	add(id: string): void {
		this.#ids.add(id)
		if (this.#from !== null && this.#ids.size > IDS.most) this.#forget(this.#from)
	}

	async #load(collection: Collection<Document>): Promise<void> {
		try {
			const found = await collection
				.find({}, { projection: { _id: 1 } })
				.sort({ _id: -1 })
				.limit(IDS.first)
				.batchSize(IDS.first)
				.toArray()
			for (const { _id } of found) this.#ids.add(_id.toHexString())
			this.#from ??= found.length < IDS.first ? NOTHING : found.at(-1)!._id.toHexString()
		} catch {
			// It is asked for again with the next absent id.
			this.#loading = null
		}
	}

	#forget(from: string): void {
		const every = Math.floor(this.#ids.size / IDS.sample)
		const sample: string[] = []
		let n = 0
		for (const id of this.#ids) if (n++ % every === 0) sample.push(id)
		const middle = sample.sort()[sample.length >> 1]!
		if (from < middle) this.#from = middle
		for (const id of this.#ids) if (id < middle) this.#ids.delete(id)
	}
}
