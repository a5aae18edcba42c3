/**
 * The MongoDB engine: a group is committed by one insert at the journal's next slot, then applied.
 *
 * Promises on a plain standalone server what the embedded engine promises: a slot can be taken once, so an older
 * process gets `Fenced`; a lost answer is decided by inserting again; documents are put in place by `rev`, so that
 * applying twice or late does no harm. Never decides order, keys or uniqueness.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { deflateRaw } from 'node:zlib'
import { type Collection, type Db, type MongoClient, ObjectId } from 'mongodb'
import { type Document, isId, recordOf } from './bson.ts'
import type { StoredRecord } from './collections.ts'
import {
	type Engine,
	type EngineQuery,
	type Entry,
	type EntryGroup,
	type Export,
	type GroupChange,
	type Head,
	type Remote,
	type Replacement,
	StorageFull,
	StorageUnavailable,
} from './engine.ts'
import { failpoint } from './failpoint.ts'
import { eraseLines, namesAny, packLines, unpackLines } from './journal.ts'
import { explain, type MongoAddress, meaningOf } from './mongo-connection.ts'
import { createCollection, documentOf, findIn, LONG, putInPlace, type Specs, tombstoneOf } from './mongo-documents.ts'
import { HighestIds } from './mongo-ids.ts'
import {
	bodyOf,
	createJournal,
	entriesOf,
	finishRestores,
	headOf,
	journalOf,
	lastSlot,
	type Meta,
	metaOf,
	nextName,
	type Slot,
} from './mongo-journal.ts'
import { Spool } from './mongo-spool.ts'
import { type MongoPlace, type MongoTimes, type MongoWriter, persist } from './mongo-writer.ts'

const deflate = promisify(deflateRaw)

/** What it is opened with. */
export interface MongoOptions extends MongoPlace {
	client: MongoClient
	meta: Meta
	last: Slot
	/** Null: open for reading only. */
	writer: MongoWriter | null
}

/** A group has so many entries at most. */
const ENTRIES = 1_000
/** Shorter lines are compressed at once: another thread would take longer to be asked. */
const SMALL_GROUP = 64 * 1024
/** Documents that are read or inserted at once; slots. */
const PAGE = { documents: 1_000, slots: 100 }

export class MongoEngine implements Engine {
	readonly #client: MongoClient
	readonly #db: Db
	readonly #address: MongoAddress
	readonly #specs: Specs
	readonly #times: MongoTimes
	readonly #folder: string
	readonly #writer: MongoWriter | null
	readonly #exports = new Set<Spool>()
	readonly #ids: Record<string, HighestIds>
	readonly #batches = new Map<string, Batch>()
	#head: Head
	/** The slot of the newest group; null: not looked for yet. */
	#newestGroup: number | null = null
	#closed = false

	constructor({ client, address, specs, times, folder, meta, last, writer }: MongoOptions) {
		this.#client = client
		this.#db = client.db(address.database)
		this.#address = address
		this.#specs = specs
		this.#ids = Object.fromEntries(Object.keys(specs).map((name) => [name, new HighestIds()]))
		this.#times = times
		this.#folder = folder
		this.#writer = writer
		this.#head = headOf(meta.lineage, last, meta)
	}

	get remote(): Remote | undefined {
		return this.#writer ?? undefined
	}

	get #writing(): MongoWriter {
		assert(this.#writer, 'The database is open for reading only.')
		return this.#writer
	}

	get #journal() {
		return journalOf(this.#db, this.#head.lineage)
	}

	// Writing.

	async append(group: EntryGroup, onDurable?: () => void): Promise<void> {
		const { last, schema, at, hash, changes, lines } = group
		const writer = this.#writing
		const text = lines.join('\n')
		const body = bodyOf(text.length < SMALL_GROUP ? packLines(text) : await deflate(text, { level: 1 }))
		for (const { collection, id, existed } of changes) if (!existed) this.#ids[collection]!.add(id)
		failpoint('append:slot')
		const taken = await writer.take({ kind: 'group', last, schema, at: new Date(at), hash, body })
		failpoint('append:journal')
		onDurable?.()
		await writer.apply(taken, () => this.#put(changes))
		failpoint('append:committed')
		this.#newestGroup = taken.slot._id
		this.#head = { ...this.#head, seq: last, schema, at, hash }
	}

	async #put(changes: readonly GroupChange[]): Promise<void> {
		const all = new Map<string, { fresh: Document[]; others: Document[] }>()
		for (const { collection, id, rev, existed, json, keys } of changes) {
			let documents = all.get(collection)
			if (!documents) {
				documents = { fresh: [], others: [] }
				all.set(collection, documents)
			}
			if (json === null) documents.others.push(tombstoneOf(id, rev))
			else (existed ? documents.others : documents.fresh).push(documentOf(this.#specs[collection]!, json, keys))
		}
		for (const [name, { fresh, others }] of all) {
			await putInPlace(this.#collection(name), fresh, others)
			failpoint('append:records')
		}
	}

	// Reading.

	/** A read that waits a while for a server that is away. */
	async #read<T>(work: () => Promise<T>): Promise<T> {
		const began = performance.now()
		try {
			return await persist(work, (meaning) => meaning === 'away' && !this.#closed && performance.now() - began < this.#times.readMs)
		} catch (error) {
			throw explain(error, this.#address)
		}
	}

	/** What is asked for in one turn of the event loop is one question to the server. */
	async getMany(collection: string, ids: readonly string[]): Promise<(StoredRecord | null)[]> {
		const highest = this.#ids[collection]!
		if (this.#writer && ids.every((id) => highest.absent(id, this.#collection(collection)))) return ids.map(() => null)
		let batch = this.#batches.get(collection)
		if (!batch || batch.ids.size >= PAGE.documents) {
			batch = { ids: new Set(), found: new Promise(setImmediate).then(() => this.#getBatch(collection, batch!)) }
			this.#batches.set(collection, batch)
		}
		for (const id of ids) batch.ids.add(id)
		const found = await batch.found
		return ids.map((id) => found.get(id) ?? null)
	}

	async #getBatch(collection: string, batch: Batch): Promise<Map<string, StoredRecord>> {
		if (this.#batches.get(collection) === batch) this.#batches.delete(collection)
		const ids = [...batch.ids].filter(isId).map((id) => new ObjectId(id))
		const filter = { _id: ids.length === 1 ? ids[0]! : { $in: ids } }
		const documents = await this.#read(() =>
			this.#collection(collection)
				.find(filter, { projection: { _k: 0 } })
				.toArray(),
		)
		return new Map(documents.filter(({ gone }) => !gone).map((document) => [document._id.toHexString(), recordOf(document)]))
	}

	find(collection: string, index: string, query: EngineQuery): Promise<StoredRecord[]> {
		return this.#read(() => findIn(this.#collection(collection), this.#specs[collection]!, index, query))
	}

	#collection(name: string) {
		return this.#db.collection<Document>(name)
	}

	entries(after: number, limit: number): Promise<Entry[]> {
		return this.#read(async () => {
			const entries: Entry[] = []
			const range = { $gt: after, $lte: after + limit + ENTRIES }
			for await (const slot of this.#journal.find({ last: range, kind: 'group' }).sort({ last: 1 }).batchSize(20)) {
				for (const entry of entriesOf(this.#head.lineage, slot)) if (entry.seq > after) entries.push(entry)
				if (entries.length >= limit) break
			}
			return entries
		})
	}

	async head(): Promise<Head> {
		return { ...this.#head }
	}

	// Copies.

	async export(): Promise<Export> {
		const spool = await Spool.open(this.#folder, Object.keys(this.#specs))
		this.#exports.add(spool)
		try {
			const head = await this.#fill(spool)
			return { head, records: spool.records(() => this.#exports.delete(spool)) }
		} catch (error) {
			this.#exports.delete(spool)
			await spool.close()
			throw error
		}
	}

	/** Reads everything while it changes, from the applied position on, then merges in what happened since. */
	async #fill(spool: Spool): Promise<Head> {
		const { lineage } = this.#head
		const from = this.#writer?.applied ?? (await this.#read(() => metaOf(this.#db).findOne({ _id: 'store', lineage })))?.applied
		if (from === undefined) throw new StorageUnavailable('The database was restored meanwhile.', { hint: 'Start again.' })
		for (const name in this.#specs) {
			await this.#read(() => spoolCollection(this.#collection(name), name, spool))
		}
		const last = await this.#read(() => lastSlot(this.#db, lineage))
		let at = from
		await this.#read(async () => {
			for await (const slot of this.#journal.find({ _id: { $gt: at, $lte: last._id } }).sort({ _id: 1 })) {
				const whole = slot._id === at + 1 && (slot.kind !== 'group' || slot.body)
				if (!whole) throw new StorageUnavailable('The journal was pruned while a copy was made.', { hint: 'Start the copy again.' })
				at = slot._id
				for (const { puts, removes } of entriesOf(lineage, slot)) {
					for (const { collection, id, record } of puts) if (record) await spool.merge(collection, id, record)
					for (const { collection, id } of removes) await spool.merge(collection, id, null)
				}
			}
		})
		assert.equal(at, last._id)
		return headOf(lineage, last, this.#head)
	}

	async replace({ lineage, seq, schema, at, records }: Replacement): Promise<void> {
		const writer = this.#writing
		try {
			await build(this.#db, this.#specs, nextName(lineage, ''), records)
			await createJournal(this.#db, lineage, { term: writer.term, schema, at: new Date(at), seq })
			failpoint('replace:synced')
		} catch (error) {
			await sweepNext(this.#db, lineage).catch(() => {})
			throw explainCopy(error, this.#address)
		}
		await writer.alone()
		const { seq: last, hash, schema: before } = this.#head
		await writer.take({ kind: 'close', last, schema: before, at: new Date(this.#head.at), hash, next: lineage })
		failpoint('replace:pointed')
		// It is committed: what can't be finished now is finished by the next who opens.
		await this.#read(() => finishRestores(this.#db)).catch(() => {})
		await this.close()
	}

	async prune(before: string): Promise<void> {
		const writer = this.#writing
		const meta = await this.#read(() => writer.look())
		const end = this.#exports.size > 0 ? null : await this.#read(() => this.#lastBefore(new Date(before), meta.prunedSlot))
		if (end) {
			// First what is said, then what is done: what a death leaves is done by the next pruning.
			await this.#read(() => writer.note({ pruned: end.last, prunedHash: end.hash, prunedSlot: end._id }))
			this.#head = { ...this.#head, pruned: end.last, prunedHash: end.hash }
		}
		const upTo = end?._id ?? meta.prunedSlot
		await this.#read(async () => {
			await this.#journal.updateMany({ _id: { $gt: meta.bare, $lte: upTo } }, { $unset: { body: 1, nonce: 1 } }, LONG)
			await writer.note({ bare: upTo })
			for (const name in this.#specs) {
				if (this.#specs[name]!.permanent) continue
				await this.#collection(name).deleteMany({ gone: true, rev: { $lte: this.#head.pruned } }, LONG)
			}
		})
	}

	/** The last slot that is older, before the newest group. */
	async #lastBefore(before: Date, above: number): Promise<Slot | null> {
		const newest = await this.#newest()
		let found: Slot | null = null
		// Times never go back from slot to slot.
		for (let [low, high] = [above + 1, newest - 1]; low <= high; ) {
			const middle = (low + high) >> 1
			const slot = await this.#journal.findOne({ _id: middle }, { projection: { body: 0 } })
			assert(slot, `The slot ${middle} is missing.`)
			if (slot.at < before) {
				found = slot
				low = middle + 1
			} else high = middle - 1
		}
		return found
	}

	/** The slot of the newest group; 0 where there is none. */
	async #newest(): Promise<number> {
		if (this.#newestGroup === null) {
			const groups = await this.#journal.find({ last: this.#head.seq, kind: 'group' }, { projection: { _id: 1 } }).toArray()
			this.#newestGroup = groups[0]?._id ?? 0
		}
		return this.#newestGroup
	}

	async erase(targets: readonly { collection: string; id: string; rev: number }[]): Promise<void> {
		const writer = this.#writing
		const revs = new Map(targets.map(({ collection, id, rev }) => [collection + id, rev]))
		const ids = new Set(targets.map(({ id }) => id))
		const { lineage } = this.#head
		const newest = await this.#read(() => this.#newest())
		for (let after = 0; ; ) {
			await this.#read(() => writer.look())
			const filter = { _id: { $gt: after, $lte: newest }, kind: 'group' as const, body: { $exists: true } }
			const slots = await this.#read(() => this.#journal.find(filter).sort({ _id: 1 }).limit(PAGE.slots).toArray())
			if (slots.length === 0) break
			for (const slot of slots) {
				after = slot._id
				const lines = unpackLines(slot.body!.value() as Uint8Array)
				if (!namesAny(lines, ids)) continue
				const erased = eraseLines({ lineage, ...slot }, lines, (put, seq) => seq < (revs.get(put.collection + put.id) ?? 0))
				if (erased === lines) continue
				const body = bodyOf(packLines(erased))
				await this.#read(() => this.#journal.updateOne({ _id: slot._id, body: { $exists: true } }, { $set: { body } }))
			}
		}
		while (this.#exports.size > 0) await sleep(20)
	}

	async close(): Promise<void> {
		if (this.#closed) return
		this.#closed = true
		for (const spool of this.#exports) await spool.close()
		await this.#writer?.close()
		await this.#client.close()
	}
}

/** What went wrong while a copy was built. */
export function explainCopy(error: unknown, address: MongoAddress): unknown {
	if (meaningOf(error) === 'full') return new StorageFull('There is no room for the copy.', { cause: error })
	return meaningOf(error) === 'defect' ? error : explain(error, address)
}

/** Makes collections of these records, with their indexes, under names with this prefix; counts what arrived. */
export async function build(db: Db, specs: Specs, prefix: string, records: AsyncIterable<GroupChange>): Promise<void> {
	const counts = new Map<string, number>()
	for (const name in specs) await createCollection(db, prefix + name, specs[name]!)
	for await (const [name, documents] of pages(specs, records)) {
		await db.collection<Document>(prefix + name).insertMany(documents, { ordered: false })
		counts.set(name, (counts.get(name) ?? 0) + documents.length)
	}
	failpoint('replace:built')
	for (const name in specs) {
		const count = await db.collection(prefix + name).countDocuments({}, LONG)
		assert.equal(count, counts.get(name) ?? 0, `Not every record of ${name} arrived.`)
	}
}

/** Puts all documents of a collection into the spool, under this name. */
export async function spoolCollection(collection: Collection<Document>, name: string, spool: Spool): Promise<void> {
	spool.begin(name)
	const cursor = collection.find<Buffer>({}, { raw: true }).batchSize(PAGE.documents)
	// The next ones are on their way while these are put away.
	for (let more = cursor.hasNext(); await more; ) {
		const documents = cursor.readBufferedDocuments()
		more = cursor.hasNext()
		more.catch(() => {})
		await spool.add(name, documents)
	}
}

interface Batch {
	ids: Set<string>
	found: Promise<Map<string, StoredRecord>>
}

/** Documents in pages, each of one collection. */
async function* pages(specs: Specs, records: AsyncIterable<GroupChange>): AsyncGenerator<[collection: string, documents: Document[]]> {
	let name = ''
	let documents: Document[] = []
	for await (const { collection, json, keys } of records) {
		if (documents.length > 0 && (collection !== name || documents.length === PAGE.documents)) {
			yield [name, documents]
			documents = []
		}
		name = collection
		documents.push(documentOf(specs[collection]!, json!, keys))
	}
	if (documents.length > 0) yield [name, documents]
}

/** Removes what a restore built that did not come to its commit. */
async function sweepNext(db: Db, lineage: string): Promise<void> {
	const prefix = nextName(lineage, '')
	for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray()) {
		if (name.startsWith(prefix) || name === `journal_${lineage}`) await db.dropCollection(name)
	}
}
