/**
 * How the MongoDB engine lays out a database: records as documents, keys under `_k`, indexes, queries,
 * and the one way in which documents are put in place.
 *
 * Promises that a record comes back as it was given, that an older form never replaces a newer one
 * however late it arrives, and that nothing is upserted. Decides no key, order or uniqueness.
 */
import assert from 'node:assert/strict'
import { type AnyBulkWriteOperation, type Collection, type Db, type Filter, MongoBulkWriteError, ObjectId } from 'mongodb'
import { type Document, isId, recordOf, timeOf } from './bson.ts'
import type { CollectionSpec, IndexSpec, StoredRecord } from './collections.ts'
import type { EngineQuery, Keys, Position } from './engine.ts'
import { keysOf, manyKeys } from './keys.ts'

export type Specs = Readonly<Record<string, CollectionSpec>>

export const DUPLICATE = 11_000
/** For commands that walk over a whole collection. */
export const LONG = { timeoutMS: 10 * 60 * 1_000 }
/** Documents that go to the server in one command at most. */
const BATCH = 1_000

// Records and documents.

/** The document of a record, from its canonical JSON. */
export function documentOf(spec: CollectionSpec, json: string, keys: Keys): Document {
	const { id, ...fields } = JSON.parse(json) as StoredRecord & Record<string, unknown>
	for (const path of spec.ids) convert(fields, path, idOf)
	for (const path of [...spec.times, 'createdAt', 'updatedAt']) convert(fields, path, dateOf)
	return { _id: new ObjectId(id), ...fields, _k: keysIn(spec, keys) } as Document
}

export function tombstoneOf(id: string, rev: number): Document {
	return { _id: new ObjectId(id), rev, gone: true }
}

/** Converts the value at a path such as `removed.at`, and each one where it is a list. */
function convert(fields: Record<string, unknown>, path: string, to: (value: unknown) => unknown): void {
	const [first, ...rest] = path.split('.') as [string, ...string[]]
	const value = fields[first]
	if (value === null || value === undefined) return
	if (rest.length > 0) {
		if (typeof value === 'object') convert(value as Record<string, unknown>, rest.join('.'), to)
	} else fields[first] = Array.isArray(value) ? value.map(to) : to(value)
}

/** What would not come back as it is stays the text that it was. */
const idOf = (value: unknown) => (isId(value) ? new ObjectId(value) : value)
const dateOf = (value: unknown) => {
	const ms = timeOf(value)
	return ms === null ? value : new Date(ms)
}

function keysIn(spec: CollectionSpec, keys: Keys): Record<string, unknown> {
	const under: Record<string, unknown> = {}
	for (const index in spec.indexes) {
		const declared = spec.indexes[index]!
		const { keys: values, sort } = keys[index]!
		if (values.length === 0) continue
		const key = manyKeys(declared) ? values : values[0]
		under[index] = declared.sort === undefined ? key : { key, sort }
	}
	return under
}

// Indexes and queries.

const keyPath = (index: string, { sort }: IndexSpec) => (sort === undefined ? `_k.${index}` : `_k.${index}.key`)
const sortPath = (index: string) => `_k.${index}.sort`

/** What a collection's indexes are, as `meta` notes it. */
export const indexNote = (spec: CollectionSpec) => JSON.stringify(spec.indexes)

/** Makes a collection and its indexes, each named as it is declared. */
export async function createCollection(db: Db, name: string, spec: CollectionSpec): Promise<void> {
	const there = await db.listCollections({ name }, { nameOnly: true }).toArray()
	if (there.length === 0) await db.createCollection(name)
	for (const [index, declared] of Object.entries(spec.indexes)) {
		const fields = {
			[keyPath(index, declared)]: 1,
			...(declared.sort === undefined ? {} : { [sortPath(index)]: 1 }),
			seq: 1,
			_id: 1,
		} as const
		await db.collection(name).createIndex(fields, { name: index, ...LONG })
	}
	// To purge tombstones without a walk over everything.
	if (!spec.permanent) await db.collection(name).createIndex({ gone: 1 }, { name: 'gone', sparse: true, ...LONG })
}

/** Computes every document's keys anew and replaces the indexes: they are declared otherwise now, or were never made. */
export async function reindex(db: Db, name: string, spec: CollectionSpec): Promise<void> {
	const collection = db.collection<Document>(name)
	const there = await db.listCollections({ name }, { nameOnly: true }).toArray()
	if (there.length > 0) await collection.dropIndexes(LONG)
	await createCollection(db, name, spec)
	let updates: AnyBulkWriteOperation<Document>[] = []
	const write = async () => {
		if (updates.length > 0) await collection.bulkWrite(updates, { ordered: false })
		updates = []
	}
	for await (const document of collection.find({ gone: { $exists: false } })) {
		const keys = keysIn(spec, keysOf(spec, recordOf(document)))
		updates.push({ updateOne: { filter: { _id: document._id, rev: document.rev }, update: { $set: { _k: keys } } } })
		if (updates.length === BATCH) await write()
	}
	await write()
}

/** Finds what a query asks of an index, in its order. */
export async function findIn(
	collection: Collection<Document>,
	spec: CollectionSpec,
	index: string,
	query: EngineQuery,
): Promise<StoredRecord[]> {
	const declared = spec.indexes[index]!
	const sort = declared.sort === undefined ? null : sortPath(index)
	const beginning = { $gte: query.key, $lt: `${query.key}\u{10ffff}` }
	const wanted = !query.prefix ? query.key : manyKeys(declared) ? { $elemMatch: beginning } : beginning
	const conditions: Filter<Document>[] = [{ [keyPath(index, declared)]: wanted }]
	if (query.after) conditions.push(beyond(sort, query.after, '$gt'))
	if (query.before) conditions.push(beyond(sort, query.before, '$lt'))
	const way = query.order === 'descending' ? -1 : 1
	const documents = await collection
		.find({ $and: conditions }, { projection: { _k: 0 } })
		.sort({ ...(sort && { [sort]: way }), seq: way, _id: way })
		.limit(query.limit)
		.batchSize(query.limit + 1)
		.toArray()
	return documents.map(recordOf)
}

/** What lies on one side of a position. Numbers come before texts, and MongoDB compares each only with its kind. */
function beyond(sort: string | null, { sort: value, seq, id }: Position, than: '$gt' | '$lt'): Filter<Document> {
	const inEntry = [{ seq: { [than]: seq } }, { seq, _id: { [than]: idOf(id) } }]
	if (sort === null) return { seq: { [`${than}e`]: seq }, $or: inEntry } as Filter<Document>
	const otherKind = typeof value === 'number' ? than === '$gt' && 'string' : than === '$lt' && 'number'
	const outer: object[] = [{ [sort]: { [than]: value } }, ...(otherKind ? [{ [sort]: { $type: otherKind } }] : [])]
	return { $or: [...outer, ...inEntry.map((condition) => ({ [sort]: value, ...condition }))] } as Filter<Document>
}

// Putting documents in place.

/**
 * Puts documents in place, each unless a form with the same or a higher `rev` is there: may be done again,
 * late, twice at once, and in any order. `fresh` are probably not there yet. Rejects as the driver does;
 * then some may be in place.
 */
export async function putInPlace(collection: Collection<Document>, fresh: Document[], others: Document[]): Promise<void> {
	const left = [...others]
	for (let at = 0; at < fresh.length; at += BATCH) {
		const batch = fresh.slice(at, at + BATCH)
		if (!(await insert(collection, batch))) left.push(...batch)
	}
	while (left.length > 0) {
		const batch = left.splice(0, BATCH)
		if (await replaceOlder(collection, batch)) continue
		const found = await collection.find({ _id: { $in: batch.map(({ _id }) => _id) } }, { projection: { rev: 1 } }).toArray()
		const revs = new Map(found.map(({ _id, rev }) => [_id.toHexString(), rev]))
		const older = batch.filter(({ _id, rev }) => !((revs.get(_id.toHexString()) ?? -1) >= rev))
		const absent = older.filter(({ _id }) => !revs.has(_id.toHexString()))
		// Somebody else's came in between: from the start.
		if (absent.length > 0 && !(await insert(collection, absent))) left.push(...absent)
		left.push(...older.filter(({ _id }) => revs.has(_id.toHexString())))
	}
}

/** False when some were there already: which ones is not said the same way by every server. */
async function insert(collection: Collection<Document>, documents: Document[]): Promise<boolean> {
	if (documents.length === 0) return true
	try {
		await collection.insertMany(documents, { ordered: false })
		return true
	} catch (error) {
		if (!(error instanceof MongoBulkWriteError) || error.code !== DUPLICATE || error.result.getWriteConcernError()) throw error
		const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
		const other = errors.find(({ code }) => code !== DUPLICATE)
		if (other) throw error
		return false
	}
}

/** Whether all of them were there in an older form, and are replaced. */
async function replaceOlder(collection: Collection<Document>, documents: Document[]): Promise<boolean> {
	const operations = documents.map((replacement) => {
		const { _id, rev } = replacement
		return { replaceOne: { filter: { _id, rev: { $lt: rev } }, replacement } }
	})
	const { matchedCount } = await collection.bulkWrite(operations, { ordered: false })
	assert(matchedCount <= documents.length)
	return matchedCount === documents.length
}
