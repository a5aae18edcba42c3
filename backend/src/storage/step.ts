/**
 * One step's view of the store: committed state under the layers of what is not committed yet.
 *
 * Promises that a step sees earlier steps' changes and its own, that a unique key has one
 * holder, and that a step which has ended can change nothing more.
 */
import assert from 'node:assert/strict'
import type { CollectionSpec, StoredRecord } from './collections.ts'
import type { Reading } from './early.ts'
import type { Position } from './engine.ts'
import { canonicalRecord } from './journal.ts'
import { comparePositions, keysOf, matches, queryKey } from './keys.ts'
import { Layer, type Pending, uniqueKey } from './overlay.ts'
import { type Tx, UniqueTaken } from './store.ts'

/** Operations of one step read at most so many records at once. */
const FOUND = 1_000

type AnyRecords = Record<string, StoredRecord>

/** Where a rehearsal ends: nobody waits for it. */
const never = new Promise<never>(() => {})

export class StepTx implements Tx<AnyRecords> {
	readonly at: string
	readonly lineage: string
	readonly seq: number
	readonly layer = new Layer()
	readonly #committed: Reading
	readonly #rehearsal: boolean
	readonly #below: readonly Layer[]
	/** Ids that were looked up and not found: `put` need not look again. */
	readonly #absent = new Set<string>()
	#ended = false

	/** `below`: the layers under this step's, newest first. `rehearsal`: it only reads, and stops where it would change something. */
	constructor(place: { at: string; lineage: string; seq: number }, committed: Reading, below: readonly Layer[], rehearsal = false) {
		this.at = place.at
		this.lineage = place.lineage
		this.seq = place.seq
		this.#committed = committed
		this.#below = below
		this.#rehearsal = rehearsal
	}

	/** After this the step can't do anything, whatever it still runs. */
	end(): void {
		this.#ended = true
	}

	#spec(collection: string): CollectionSpec {
		assert(!this.#ended, 'The step has ended.')
		const spec = this.#committed.specs[collection]
		assert(spec, `There is no collection ${collection}.`)
		return spec
	}

	#pending(collection: string, id: string): Pending | undefined {
		const own = this.layer.get(collection, id)
		if (own) return own
		for (const layer of this.#below) {
			const pending = layer.get(collection, id)
			if (pending) return pending
		}
		return undefined
	}

	async get(collection: string, id: string): Promise<StoredRecord | null> {
		this.#spec(collection)
		const pending = this.#pending(collection, id)
		if (pending) return pending.record
		if (this.#absent.has(collection + id)) return null
		const record = await this.#committed.get(collection, id)
		if (!record) this.#absent.add(collection + id)
		return record
	}

	async find(collection: string, index: string, key: readonly (string | number | boolean)[], { limit }: { limit: number }) {
		const spec = this.#spec(collection).indexes[index]
		assert(spec, `There is no index ${index} in ${collection}.`)
		assert(limit > 0 && limit <= FOUND, `A query asks for 1 to ${FOUND} records.`)
		const query = { key: queryKey(spec, key), prefix: spec.prefix === true }
		// Newest knowledge of every uncommitted record, taken before the read: a commit in between changes nothing.
		const uncommitted = new Map<string, Pending>()
		for (const layer of [...this.#below].reverse().concat(this.layer)) {
			for (const [id, pending] of layer.records.get(collection) ?? []) uncommitted.set(id, pending)
		}
		const found = await this.#committed.find(collection, index, {
			...query,
			limit: limit + uncommitted.size,
			after: null,
			before: null,
			order: 'ascending',
		})
		const records = found.filter((record) => !uncommitted.has(record.id))
		for (const { record, keys } of uncommitted.values()) {
			if (record && matches(query, keys[index]!.keys)) records.push(record)
		}
		const position = (record: StoredRecord): Position => ({
			sort: spec.sort === undefined ? null : (record as unknown as Record<string, string | number>)[spec.sort]!,
			seq: record.seq,
			id: record.id,
		})
		return records.sort((a, b) => comparePositions(position(a), position(b))).slice(0, limit)
	}

	async put(collection: string, draft: { id: string } & Partial<StoredRecord>): Promise<StoredRecord> {
		const spec = this.#spec(collection)
		assert(/^[0-9a-f]{24}$/.test(draft.id), `${JSON.stringify(draft.id)} is not an id.`)
		const own = this.layer.get(collection, draft.id)
		const prior = await this.get(collection, draft.id)
		const [record, json] = canonicalRecord<StoredRecord>({
			...draft,
			seq: prior?.seq ?? this.seq,
			rev: this.seq,
			createdAt: prior?.createdAt ?? draft.createdAt ?? this.at,
			updatedAt: this.at,
		})
		const keys = keysOf(spec, record)
		const had = prior ? keysOf(spec, prior) : {}
		for (const index in spec.indexes) {
			if (!spec.indexes[index]!.unique) continue
			for (const key of keys[index]!.keys) {
				if (!had[index]?.keys.includes(key)) this.#refuseTaken(collection, index, record.id, await this.#holder(collection, index, key))
			}
		}
		if (this.#rehearsal) await never
		// Nothing is awaited from here on: of two puts of one step at the same time, one sees all of the other.
		this.#spec(collection)
		if (this.layer.get(collection, record.id) !== own) return this.put(collection, draft)
		for (const index in spec.indexes) {
			if (spec.indexes[index]!.unique) this.#claim(collection, index, record.id, keys[index]!.keys, had[index]?.keys ?? [])
		}
		const born = prior === null || own?.born === true
		this.layer.set(collection, record.id, {
			record,
			rev: this.seq,
			json,
			keys,
			existed: own ? own.existed : prior !== null,
			born,
			ordinal: 0,
		})
		return record
	}

	/** Takes the unique keys that a record has now, and frees those that it had. */
	#claim(collection: string, index: string, id: string, keys: readonly string[], had: readonly string[]): void {
		for (const key of keys) this.#refuseTaken(collection, index, id, this.layer.unique.get(uniqueKey(collection, index, key)))
		for (const key of had) if (!keys.includes(key)) this.layer.unique.set(uniqueKey(collection, index, key), null)
		for (const key of keys) this.layer.unique.set(uniqueKey(collection, index, key), id)
	}

	#refuseTaken(collection: string, index: string, id: string, holder: string | null | undefined): void {
		if (holder && holder !== id) throw new UniqueTaken(collection, index, holder)
	}

	async #holder(collection: string, index: string, key: string): Promise<string | null> {
		const name = uniqueKey(collection, index, key)
		for (const layer of [this.layer, ...this.#below]) {
			const holder = layer.unique.get(name)
			if (holder !== undefined) return holder
		}
		const [record] = await this.#committed.find(collection, index, {
			key,
			prefix: false,
			limit: 1,
			after: null,
			before: null,
			order: 'ascending',
		})
		return record?.id ?? null
	}

	async remove(collection: string, id: string): Promise<void> {
		const spec = this.#spec(collection)
		assert(!spec.permanent, `Records of ${collection} are marked, never removed.`)
		const own = this.layer.get(collection, id)
		const prior = await this.get(collection, id)
		if (this.#rehearsal) await never
		this.#spec(collection)
		if (this.layer.get(collection, id) !== own) return this.remove(collection, id)
		if (!prior) return
		const keys = keysOf(spec, prior)
		for (const index in spec.indexes) {
			if (spec.indexes[index]!.unique) for (const key of keys[index]!.keys) this.layer.unique.set(uniqueKey(collection, index, key), null)
		}
		const existed = own ? own.existed : true
		this.layer.set(collection, id, { record: null, rev: this.seq, json: null, keys: {}, existed, born: false, ordinal: 0 })
	}
}
