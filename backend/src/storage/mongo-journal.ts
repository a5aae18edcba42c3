/**
 * The journal in MongoDB: one document a slot, numbered without gaps, and `meta`, which says where things stand.
 *
 * Promises that a slot is taken once and for all: the insert at the next slot is the commit of a group, of a
 * takeover (a higher term) and of a restore (a closing entry that names the next lineage).
 */
import assert from 'node:assert/strict'
import { Binary, type Collection, type Db, type ObjectId } from 'mongodb'
import type { Document } from './bson.ts'
import type { Entry, Head } from './engine.ts'
import { failpoint } from './failpoint.ts'
import { GENESIS, parseLines, unpackLines } from './journal.ts'
import { keysOf } from './keys.ts'
import { documentOf, LONG, type Specs, tombstoneOf } from './mongo-documents.ts'

/** `begin`: where a lineage starts; `term`: somebody opened it for writing; `close`: it ended with a restore. */
export interface Slot {
	_id: number
	kind: 'begin' | 'term' | 'group' | 'close'
	term: number
	/** The entry after which the next one comes. */
	last: number
	schema: number
	at: Date
	/** Of the entry `last`. */
	hash: string
	/** Tells an insert that was done before its answer was lost from somebody else's. */
	nonce?: ObjectId
	/** The lines of a group, compressed; absent in a slot that was pruned: the slot itself stays taken. */
	body?: Binary
	/** The lineage that follows a closing entry. */
	next?: string
}

/** The only document of the collection `meta`. */
export interface Meta {
	_id: 'store'
	/** Of this layout. */
	format: number
	lineage: string
	term: number
	/** Grows while the writer is well. */
	beat: number
	/** Where the writer runs; null: it said goodbye. */
	writer: string | null
	/** Every slot up to here is applied: trails behind. */
	applied: number
	/** The journal reaches back to the entry after this one, which was in the slot `prunedSlot` and had this hash. */
	pruned: number
	prunedHash: string
	prunedSlot: number
	/** Slots up to here have no bodies any more: trails behind. */
	bare: number
	/** By collection: the indexes that its keys were computed for. */
	indexes: Record<string, string>
	/** A lineage that ended, whose payloads still have to go. */
	ended?: string
}

export const FORMAT = 1
export const metaOf = (db: Db): Collection<Meta> => db.collection<Meta>('meta')
export const journalOf = (db: Db, lineage: string): Collection<Slot> => db.collection<Slot>(`journal_${lineage}`)
/** Where a restore builds a collection. */
export const nextName = (lineage: string, collection: string) => `${NEXT}${lineage}_${collection}`
export const NEXT = 'next_'

export async function lastSlot(db: Db, lineage: string): Promise<Slot> {
	const [slot] = await journalOf(db, lineage)
		.find({}, { projection: { body: 0 } })
		.sort({ _id: -1 })
		.limit(1)
		.toArray()
	assert(slot, `The journal of ${lineage} is missing.`)
	return slot
}

/** Makes the journal of a new lineage that counts on from `seq`; nothing points to it yet. */
export async function createJournal(db: Db, lineage: string, begin: Pick<Slot, 'term' | 'schema' | 'at'> & { seq: number }): Promise<void> {
	const { term, schema, at, seq } = begin
	const journal = journalOf(db, lineage)
	await journal.insertOne({ _id: 0, kind: 'begin', term, last: seq, schema, at, hash: GENESIS })
	await journal.createIndex({ last: 1 }, { name: 'last' })
}

/** Where a lineage stands that begins with its slot 0. */
export const beginning = (
	lineage: string,
	seq: number,
): Pick<Meta, 'lineage' | 'applied' | 'pruned' | 'prunedHash' | 'prunedSlot' | 'bare'> => ({
	lineage,
	applied: 0,
	pruned: seq,
	prunedHash: GENESIS,
	prunedSlot: 0,
	bare: 0,
})

export function headOf(lineage: string, slot: Slot, { pruned, prunedHash }: Pick<Meta, 'pruned' | 'prunedHash'>): Head {
	const { last: seq, term, schema, at, hash } = slot
	return { lineage, seq, term, schema, at: at.toISOString(), hash, pruned, prunedHash }
}

/** The entries of a slot; none where it has no body. */
export function entriesOf(lineage: string, slot: Slot): Entry[] {
	return slot.body ? parseLines({ lineage, term: slot.term, schema: slot.schema }, unpackLines(slot.body.value() as Uint8Array)) : []
}

export const bodyOf = (packed: Uint8Array) => new Binary(packed)

/** What entries do to records in the end: per collection the documents to put in place. */
export function documentsOf(specs: Specs, entries: readonly Entry[]): Map<string, Map<string, Document>> {
	const all = new Map<string, Map<string, Document>>()
	const set = (collection: string, id: string, document: Document) => {
		const documents = all.get(collection)
		if (documents) documents.set(id, document)
		else all.set(collection, new Map([[id, document]]))
	}
	for (const { seq, puts, removes } of entries) {
		for (const { collection, id, record } of puts) {
			const spec = specs[collection]
			// An erased payload stands in a later entry again, and a collection that is no more needs no records.
			if (record && spec) set(collection, id, documentOf(spec, JSON.stringify(record), keysOf(spec, record)))
		}
		for (const { collection, id } of removes) if (specs[collection]) set(collection, id, tombstoneOf(id, seq))
	}
	return all
}

/** Finishes restores that are committed: the new lineage's collections take their names. Safe to do twice, and at once. */
export async function finishRestores(db: Db): Promise<Meta | null> {
	const meta = await metaOf(db).findOne({ _id: 'store' })
	if (!meta) return null
	if (meta.ended !== undefined) await forgetPayloads(db, meta.ended)
	const closing = await lastSlot(db, meta.lineage)
	if (closing.kind !== 'close') return meta
	const lineage = closing.next!
	const prefix = nextName(lineage, '')
	const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name)
	for (const name of names) {
		if (!name.startsWith(prefix)) continue
		try {
			await db.collection(name).rename(name.slice(prefix.length), { dropTarget: true })
			failpoint('replace:renamed')
		} catch (error) {
			// Another process was faster.
			if ((error as { code?: number }).code !== 26) throw error
		}
	}
	const begin = await journalOf(db, lineage).findOne({ _id: 0 })
	assert(begin)
	const next = { ...beginning(lineage, begin.last), term: begin.term, writer: null, ended: meta.lineage }
	await metaOf(db).updateOne({ _id: 'store', lineage: meta.lineage }, { $set: next })
	failpoint('replace:finished')
	return finishRestores(db)
}

/** The payloads of a lineage that ended go; its slots stay, so that no old process can ever commit into it. */
async function forgetPayloads(db: Db, lineage: string): Promise<void> {
	await journalOf(db, lineage).updateMany({ body: { $exists: true } }, { $unset: { body: 1, nonce: 1 } }, LONG)
	await metaOf(db).updateOne({ _id: 'store', ended: lineage }, { $unset: { ended: 1 } })
}
