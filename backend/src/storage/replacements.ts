/**
 * The records of a copy on their way into a new lineage: keys and ordinals computed, and every one checked.
 *
 * Promises to throw where records are out of order, doubled, newer than their copy, or hold a
 * unique key of another. Leaves out what a restore does not carry over.
 */
import assert from 'node:assert/strict'
import type { CollectionSpec, StoredRecord } from './collections.ts'
import type { GroupChange } from './engine.ts'
import { canonicalRecord } from './journal.ts'
import { keysOf } from './keys.ts'

/** A record on its way into a new lineage. `json`: its canonical JSON, where that is known. */
export interface Loaded {
	collection: string
	record: StoredRecord
	json?: string
}

/** `source.records` come in export order: by collection as declared, then by `(seq, id)`. */
export async function* replacements(
	specs: Readonly<Record<string, CollectionSpec>>,
	source: { seq: number; records: AsyncIterable<Loaded> },
): AsyncGenerator<GroupChange> {
	const order = Object.keys(specs)
	const taken = new Set<string>()
	let previous = { collection: '', seq: -1, id: '', ordinal: 0 }
	for await (const { collection, record, json: known } of source.records) {
		const spec = specs[collection]
		assert(spec, `There is no collection ${collection}.`)
		if (spec.volatile) continue
		assert(/^[0-9a-f]{24}$/.test(record.id), `${JSON.stringify(record.id)} is not an id.`)
		assert(record.rev <= source.seq && record.seq <= record.rev, `A record of ${collection} is newer than the copy it is in.`)
		const same = collection === previous.collection
		assert(same || order.indexOf(collection) > order.indexOf(previous.collection), 'Collections come in their order.')
		const follows = !same || record.seq > previous.seq || (record.seq === previous.seq && record.id > previous.id)
		assert(follows, `Records of ${collection} come by (seq, id), each once.`)
		const ordinal = same && record.seq === previous.seq ? previous.ordinal + 1 : 0
		assert(ordinal < 1_000, `Too many records of ${collection} were born in one entry.`)
		const [copy, json] = known === undefined ? canonicalRecord(record) : [record, known]
		const keys = keysOf(spec, copy)
		for (const index in spec.indexes) {
			if (!spec.indexes[index]!.unique) continue
			for (const key of keys[index]!.keys) {
				const name = `${collection}\n${index}\n${key}`
				assert(!taken.has(name), `Two records of ${collection} have one ${index}.`)
				taken.add(name)
			}
		}
		previous = { collection, seq: record.seq, id: record.id, ordinal }
		yield { collection, id: record.id, seq: record.seq, rev: record.rev, ordinal, existed: false, born: true, json, keys }
	}
}
