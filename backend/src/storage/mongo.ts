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
import { type Db, type MongoClient, ObjectId } from 'mongodb'
import type { StoredRecord } from './collections.ts'
import {
	type Engine,
	type EngineQuery,
	type Entry,
	type EntryGroup,
	type Export,
	Fenced,
	type GroupChange,
	type Head,
	OutcomeUnknown,
	type Remote,
	type Replacement,
	StorageFull,
	StorageUnavailable,
} from './engine.ts'
import { failpoint } from './failpoint.ts'
import { eraseLines, packLines, unpackLines } from './journal.ts'
import { explain, type MongoAddress, meaningOf } from './mongo-connection.ts'
import {
	createCollection,
	type Document,
	documentOf,
	findIn,
	isId,
	putInPlace,
	recordOf,
	type Specs,
	tombstoneOf,
} from './mongo-documents.ts'
import {
	bodyOf,
	createJournal,
	documentsOf,
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

const deflate = promisify(deflateRaw)

/** How long things may take, in milliseconds. */
export interface MongoTimes {
	/** One command; then its connection is given up. */
	commandMs: number
	/** How long a read is tried while the server is away. */
	readMs: number
	/** A writer that was silent for so long may be taken over, and answers nothing until it has checked. */
	silenceMs: number
}

/** What a writer or reader is opened with. */
export interface MongoOptions {
	client: MongoClient
	address: MongoAddress
	specs: Specs
	times: MongoTimes
	/** Has room for a copy of the database. */
	folder: string
	/** Null: open for reading only. */
	writing: { term: number } | null
	meta: Meta
	last: Slot
}

/** A group has so many entries at most: `limits.groupOperations`. */
const ENTRIES = 1_000
/** After so many groups `meta` is told what is applied. */
const NOTE_EVERY = 64
/** A look at `meta` before applying is owed after this part of the silence. */
const LOOK_AFTER = 2 / 3
const PAUSE = { first: 50, longest: 1_000 }
/** Documents that a restore inserts at once; slots that are read at once. */
const PAGE = { documents: 1_000, slots: 100 }

export class MongoEngine implements Engine {
	readonly remote: Remote
	readonly #client: MongoClient
	readonly #db: Db
	readonly #address: MongoAddress
	readonly #specs: Specs
	readonly #times: MongoTimes
	readonly #folder: string
	readonly #term: number | null
	readonly #exports = new Set<Spool>()
	readonly #batches = new Map<string, Batch>()
	readonly #takenOver = Promise.withResolvers<Fenced>()
	#beating: NodeJS.Timeout | null = null
	#head: Head
	#slot: number
	#applied: number
	#noted: number
	#newestGroup: number | null = null
	/** When it was last sure to be the writer: the moment at which a question was sent that was answered well. */
	#confirmedAt = performance.now()
	#beatAt = performance.now()
	#closed = false

	constructor({ client, address, specs, times, folder, writing, meta, last }: MongoOptions) {
		this.#client = client
		this.#db = client.db(address.database)
		this.#address = address
		this.#specs = specs
		this.#times = times
		this.#folder = folder
		this.#term = writing?.term ?? null
		this.#head = headOf(meta.lineage, last, meta)
		this.#slot = last._id
		this.#applied = this.#noted = meta.applied
		const silent = () => performance.now() - this.#beatAt > times.silenceMs
		this.remote = {
			takenOver: this.#takenOver.promise,
			get doubtful() {
				return writing !== null && silent()
			},
		}
		if (writing) this.#beating = setInterval(() => void this.#beat(), times.silenceMs / 5).unref()
	}

	get #journal() {
		return journalOf(this.#db, this.#head.lineage)
	}

	// Writing.

	async append(group: EntryGroup): Promise<void> {
		const { last, term, schema, at, hash, changes } = group
		const body = bodyOf(await deflate(group.lines.join('\n'), { level: 1 }))
		const slot: Slot = { _id: this.#slot + 1, kind: 'group', term, last, schema, at: new Date(at), hash, nonce: new ObjectId(), body }
		failpoint('append:slot')
		let calm = await this.#take(slot)
		failpoint('append:journal')
		const looked = performance.now()
		await this.#persist(async () => {
			if (performance.now() - Math.max(looked, this.#confirmedAt) > this.#times.silenceMs * LOOK_AFTER) await this.look()
			if (calm) await this.#apply(changes)
			else await this.redo(slot._id)
			calm = false
		})
		failpoint('append:committed')
		this.#slot = this.#applied = this.#newestGroup = slot._id
		this.#head = { ...this.#head, seq: last, schema, at, hash }
		if (this.#applied - this.#noted >= NOTE_EVERY) void this.#note().catch(() => {})
	}

	/** Inserts a slot, for as long as it takes to know that it is there for good. False when the server was away in between. */
	async #take(slot: Slot): Promise<boolean> {
		let calm = true
		for (let pause = PAUSE.first; ; pause = Math.min(2 * pause, PAUSE.longest)) {
			if (this.#closed) throw new OutcomeUnknown('The database was closed before the write was decided.')
			const asked = performance.now()
			try {
				await this.#journal.insertOne(slot)
				this.#confirmedAt = asked
				return calm
			} catch (error) {
				const meaning = meaningOf(error)
				if (meaning === 'duplicate') {
					await this.#decide(slot, calm)
					return calm
				}
				if (meaning === 'defect') throw new OutcomeUnknown((error as Error).message, { cause: error })
				if (calm && meaning === 'full') throw new StorageFull('The database server has no room left.', { cause: error })
				if (calm && meaning === 'refused') throw explain(error, this.#address)
				// It may have been done: only inserting the same again tells.
				calm = false
			}
			await sleep(pause)
		}
	}

	/** The slot is taken: returns when by this very insert, earlier; else throws. */
	async #decide({ _id, nonce, term }: Slot, calm: boolean): Promise<void> {
		const there = await this.#persist(() => this.#journal.findOne({ _id }, { projection: { body: 0 } }))
		if (!calm && there?.nonce && nonce?.equals(there.nonce)) return
		if (there && there.term === term && there.kind === 'group') throw new OutcomeUnknown('An earlier group is in this place.')
		throw this.#lose()
	}

	/** Does it again while the server is away. */
	async #persist<T>(work: () => Promise<T>): Promise<T> {
		for (let pause = PAUSE.first; ; pause = Math.min(2 * pause, PAUSE.longest)) {
			if (this.#closed) throw new OutcomeUnknown('The database was closed.')
			try {
				return await work()
			} catch (error) {
				if (error instanceof Fenced || error instanceof OutcomeUnknown) throw error
				if (meaningOf(error) === 'defect') throw new OutcomeUnknown((error as Error).message, { cause: error })
			}
			await sleep(pause)
		}
	}

	async #apply(changes: readonly GroupChange[]): Promise<void> {
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

	/** Applies again all slots from the noted place up to this one: after a death, or after the server was away. */
	async redo(upTo: number): Promise<void> {
		const slots = this.#journal.find({ _id: { $gt: this.#noted, $lte: upTo } }).sort({ _id: 1 })
		let at = this.#noted
		for await (const slot of slots) {
			at++
			if (slot._id !== at) break
			for (const [name, documents] of documentsOf(this.#specs, entriesOf(this.#head.lineage, slot))) {
				await putInPlace(this.#collection(name), [], [...documents.values()])
			}
		}
		if (at !== upTo) throw new OutcomeUnknown('The database lost entries that it had stored: it must be restored from a backup.')
		this.#applied = upTo
	}

	/** Tells `meta` what is applied; `Fenced` where another process has taken over. */
	async #note(more?: Partial<Meta>): Promise<void> {
		const applied = this.#applied
		const changes = { $max: { applied }, $inc: { beat: 1 }, ...(more && { $set: more }) }
		const { matchedCount } = await metaOf(this.#db).updateOne(this.#mine, changes)
		if (matchedCount === 0) throw this.#lose()
		this.#noted = Math.max(this.#noted, applied)
	}

	get #mine() {
		return { _id: 'store' as const, lineage: this.#head.lineage, term: this.#term! }
	}

	async #beat(): Promise<void> {
		const asked = performance.now()
		try {
			await this.#note()
			this.#confirmedAt = Math.max(this.#confirmedAt, asked)
			this.#beatAt = asked
		} catch {
			// The clock says that it could not be confirmed.
		}
	}

	/** Makes sure that this process is still the writer. */
	async look(): Promise<void> {
		const asked = performance.now()
		const mine = await metaOf(this.#db).findOne(this.#mine, { projection: { _id: 1 } })
		const last = mine && (await lastSlot(this.#db, this.#head.lineage))
		if (last?.term !== this.#term) throw this.#lose()
		this.#confirmedAt = asked
	}

	#lose(): Fenced {
		const fenced = new Fenced('Another process has taken over the database.')
		this.#takenOver.resolve(fenced)
		return fenced
	}

	// Reading.

	/** A read that waits a while for a server that is away. */
	async #read<T>(work: () => Promise<T>): Promise<T> {
		const began = performance.now()
		for (let pause = PAUSE.first; ; pause = Math.min(2 * pause, PAUSE.longest)) {
			try {
				return await work()
			} catch (error) {
				const meaning = meaningOf(error)
				if (this.#closed) throw new StorageUnavailable('The storage is closing.', { cause: error })
				if (meaning === 'defect' || meaning === 'duplicate') throw error
				if (meaning !== 'away' || performance.now() - began > this.#times.readMs) throw explain(error, this.#address)
			}
			await sleep(pause)
		}
	}

	/** What is asked for in one turn of the event loop is one question to the server. */
	async getMany(collection: string, ids: readonly string[]): Promise<(StoredRecord | null)[]> {
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
		const spool = new Spool(this.#folder, Object.keys(this.#specs))
		this.#exports.add(spool)
		try {
			const head = await this.#fill(spool)
			const release = () => this.#exports.delete(spool)
			return {
				head,
				records: (async function* () {
					try {
						yield* spool.records()
					} finally {
						release()
					}
				})(),
			}
		} catch (error) {
			this.#exports.delete(spool)
			spool.close()
			throw error
		}
	}

	/** Reads everything while it changes, from the applied position on, then merges in what happened since. */
	async #fill(spool: Spool): Promise<Head> {
		const { lineage } = this.#head
		let from = this.#applied
		if (this.#term === null) {
			const meta = await this.#read(() => metaOf(this.#db).findOne({ _id: 'store' }))
			if (meta?.lineage !== lineage) throw new StorageUnavailable('The database was restored meanwhile.', { hint: 'Start again.' })
			from = meta.applied
		}
		for (const name in this.#specs) {
			// Read again after a failure: what is there already is replaced.
			await this.#read(async () => {
				for await (const document of this.#collection(name)
					.find({}, { projection: { _k: 0 } })
					.batchSize(PAGE.documents)) {
					if (!document.gone) spool.add(name, recordOf(document))
				}
			})
		}
		const last = await this.#read(() => lastSlot(this.#db, lineage))
		let at = from
		await this.#read(async () => {
			for await (const slot of this.#journal.find({ _id: { $gt: at, $lte: last._id } }).sort({ _id: 1 })) {
				const whole = slot._id === at + 1 && (slot.kind !== 'group' || slot.body)
				if (!whole) throw new StorageUnavailable('The journal was pruned while a copy was made.', { hint: 'Start the copy again.' })
				at = slot._id
				for (const { puts, removes } of entriesOf(lineage, slot)) {
					for (const { collection, id, record } of puts) if (record) spool.merge(collection, id, record)
					for (const { collection, id } of removes) spool.merge(collection, id, null)
				}
			}
		})
		assert.equal(at, last._id)
		return headOf(lineage, last, this.#head)
	}

	async replace({ lineage, seq, schema, at, records }: Replacement): Promise<void> {
		const names = (collection: string) => nextName(lineage, collection)
		try {
			const counts = new Map<string, number>()
			for (const name in this.#specs) await createCollection(this.#db, names(name), this.#specs[name]!)
			for await (const [name, documents] of pages(this.#specs, records)) {
				await this.#collection(names(name)).insertMany(documents, { ordered: false })
				counts.set(name, (counts.get(name) ?? 0) + documents.length)
			}
			failpoint('replace:built')
			for (const name in this.#specs) {
				const count = await this.#collection(names(name)).countDocuments()
				assert.equal(count, counts.get(name) ?? 0, `Not every record of ${name} arrived.`)
			}
			await createJournal(this.#db, lineage, { term: this.#term!, schema, at: new Date(at), seq })
			failpoint('replace:synced')
		} catch (error) {
			await sweepNext(this.#db, lineage).catch(() => {})
			if (meaningOf(error) === 'full') throw new StorageFull('There is no room for the copy.', { cause: error })
			throw error instanceof Error && meaningOf(error) !== 'defect' ? explain(error, this.#address) : error
		}
		const { last, ...rest } = await lastSlot(this.#db, this.#head.lineage)
		await this.#take({ ...rest, _id: this.#slot + 1, kind: 'close', term: this.#term!, last, nonce: new ObjectId(), next: lineage })
		failpoint('replace:pointed')
		// It is committed: what can't be finished now is finished by the next who opens.
		await this.#read(() => finishRestores(this.#db)).catch(() => {})
		await this.close()
	}

	async prune(before: string): Promise<void> {
		if (this.#exports.size > 0) return
		const meta = await this.#read(() => metaOf(this.#db).findOne(this.#mine))
		if (!meta) throw this.#lose()
		const end = await this.#read(() => this.#lastBefore(new Date(before), meta.prunedSlot))
		if (end) {
			// First what is said, then what is done: what a death leaves is done by the next pruning.
			const pruned = { pruned: end.last, prunedHash: end.hash, prunedSlot: end._id }
			await this.#maintain(() => this.#note(pruned))
			this.#head = { ...this.#head, pruned: end.last, prunedHash: end.hash }
		}
		const upTo = end?._id ?? meta.prunedSlot
		await this.#maintain(async () => {
			await this.#journal.updateMany({ _id: { $lte: upTo }, body: { $exists: true } }, { $unset: { body: 1, nonce: 1 } })
			for (const name in this.#specs) {
				if (this.#specs[name]!.permanent) continue
				await this.#collection(name).deleteMany({ gone: true, rev: { $lte: this.#head.pruned } })
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
		const revs = new Map(targets.map(({ collection, id, rev }) => [collection + id, rev]))
		const { lineage } = this.#head
		for (let after = 0; ; ) {
			await this.#maintain(() => this.look())
			const filter = { _id: { $gt: after, $lte: this.#slot }, kind: 'group' as const, body: { $exists: true } }
			const slots = await this.#read(() => this.#journal.find(filter).sort({ _id: 1 }).limit(PAGE.slots).toArray())
			if (slots.length === 0) break
			for (const slot of slots) {
				after = slot._id
				const lines = unpackLines(slot.body!.value() as Uint8Array)
				if (!targets.some(({ id }) => lines.includes(id))) continue
				const erased = eraseLines({ lineage, ...slot }, lines, (put, seq) => seq < (revs.get(put.collection + put.id) ?? 0))
				if (erased === lines) continue
				const body = bodyOf(packLines(erased))
				await this.#maintain(() => this.#journal.updateOne({ _id: slot._id, body: { $exists: true } }, { $set: { body } }))
			}
		}
		while (this.#exports.size > 0) await sleep(20)
	}

	/** What is no group of entries: tried as a read is, since doing it twice does no harm. */
	async #maintain<T>(work: () => Promise<T>): Promise<T> {
		return this.#read(async () => {
			try {
				return await work()
			} catch (error) {
				if (error instanceof Fenced) this.#takenOver.resolve(error)
				throw error
			}
		})
	}

	/** Says goodbye, so that the next one need not wait. */
	async close(): Promise<void> {
		if (this.#closed) return
		this.#closed = true
		if (this.#beating) clearInterval(this.#beating)
		for (const spool of this.#exports) spool.close()
		if (this.#term !== null) {
			const goodbye = { $set: { writer: null }, $max: { applied: this.#applied } }
			await metaOf(this.#db)
				.updateOne(this.#mine, goodbye)
				.catch(() => {})
		}
		await this.#client.close()
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
