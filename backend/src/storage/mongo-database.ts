/**
 * A MongoDB database before it is open: what is in it, who writes it, and taking it over.
 *
 * Promises that what is not ours (version 1.x's, another program's, a newer version's) is left as it is, that a
 * living writer is never taken over, and that taking over is one insert which only one process can make.
 */
import { AssertionError } from 'node:assert'
import { randomBytes } from 'node:crypto'
import { createWriteStream, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Db, type MongoClient, MongoServerError, ObjectId } from 'mongodb'
import { type Document, recordOf } from './bson.ts'
import { syncPath } from './durable-file.ts'
import { type Database, type Engine, type Head, NoDatabase, type Replacement, type Snapshot, StorageUnavailable } from './engine.ts'
import { failpoint } from './failpoint.ts'
import { GENESIS } from './journal.ts'
import { build, explainCopy, MongoEngine, spoolCollection } from './mongo.ts'
import { connect, explain, meaningOf } from './mongo-connection.ts'
import { indexNote, LONG, reindex } from './mongo-documents.ts'
import {
	beginning,
	createJournal,
	FORMAT,
	finishRestores,
	headOf,
	journalOf,
	lastSlot,
	type Meta,
	metaOf,
	NEXT,
	type Slot,
} from './mongo-journal.ts'
import { Spool } from './mongo-spool.ts'
import { type MongoPlace, MongoWriter } from './mongo-writer.ts'
import { pagesOf } from './pages.ts'

/** Where a copy is built that nobody is to use. */
const SCRATCH = 'scratch_'
/** What stands beside the collections of a database. */
const APART = /^(system\.|journal_[0-9a-f]{24}$|next_[0-9a-f]{24}_|scratch_)/
/** What version 1.x calls its collections. */
const VERSION_1 = ['users', 'groups', 'discussions', 'messages', 'categories']

/** Connects to the database. The caller holds the folder's lock: a writer that was started from it before is dead. Throws `StorageUnavailable` with the next step. */
export async function findMongo(options: MongoPlace): Promise<MongoDatabase> {
	return new MongoDatabase(options, await connect(options.address, options.times))
}

/** How often a server is asked to make a database, and after how long. */
const CREATE_TRIES = 4
const CREATE_AGAIN_MS = 500

export class MongoDatabase implements Database {
	readonly engine = 'mongodb'
	readonly place: string
	readonly name: string
	readonly #options: MongoPlace
	readonly #client: MongoClient
	readonly #db: Db
	/** Of the folder on this machine, since its last start. */
	readonly #writer: string

	constructor(options: MongoPlace, client: MongoClient) {
		this.#options = options
		this.#client = client
		this.#db = client.db(options.address.database)
		this.#writer = writerOf(options.folder)
		this.place = options.address.place
		this.name = options.address.database
	}

	async free(onWait?: () => void, signal?: AbortSignal): Promise<void> {
		const { silenceMs } = this.#options.times
		let seen = ''
		let since = performance.now()
		for (let waits = 0; ; waits++) {
			const meta = await this.#meta().catch((error) => {
				// Who waits already goes on waiting while the server is away.
				if (waits === 0 || meaningOf(error.cause) !== 'away') throw error
				return undefined
			})
			if (meta === null || meta?.writer === null || meta?.writer === this.#writer) return
			const mark = meta ? `${meta.lineage} ${meta.term} ${meta.beat}` : seen
			const now = performance.now()
			// While the server was away, nobody could be heard.
			if (mark !== seen || !meta) since = now
			else if (now - since >= silenceMs) return
			seen = mark
			if (waits === 0) onWait?.()
			await sleep(Math.min(500, silenceMs / 10), undefined, signal ? { signal } : {})
		}
	}

	async head(): Promise<Head | null> {
		return this.#asked(async () => {
			const meta = await this.#meta()
			if (!meta && !(await this.#takeLoaded())) return null
			const present = (await finishRestores(this.#db))!
			return headOf(present.lineage, await lastSlot(this.#db, present.lineage), present)
		})
	}

	async create(schema: number): Promise<void> {
		await this.#asked(async () => {
			for (let left = CREATE_TRIES; ; left--) {
				try {
					return await this.#begin(schema, 0)
				} catch (error) {
					// A server says no for a moment, as while a database of this name is being dropped.
					if (left === 1 || !(error instanceof MongoServerError) || meaningOf(error) !== 'away') throw error
					await sleep(CREATE_AGAIN_MS)
				}
			}
		})
	}

	/** The first lineage of a database. */
	async #begin(schema: number, seq: number): Promise<void> {
		const lineage = randomBytes(12).toString('hex')
		await createJournal(this.#db, lineage, { term: 0, schema, at: new Date(0), seq })
		failpoint('create:journal')
		const begun: Meta = { _id: 'store', format: FORMAT, ...beginning(lineage, seq), term: 0, beat: 0, writer: null, indexes: {} }
		await metaOf(this.#db).insertOne(begun)
		failpoint('create:meta')
	}

	/** Makes what mongorestore loaded from a backup a database of its own lineage. False: nothing was loaded. */
	async #takeLoaded(): Promise<boolean> {
		const there = (await this.#db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name)
		const names = there.filter((name) => !APART.test(name))
		if (names.length === 0) return false
		const { specs } = this.#options
		if (!names.includes('system') || names.some((name) => !(name in specs))) throw this.#foreign(names)
		for (const lineage of there.flatMap((name) => /^journal_(.*)/.exec(name)?.[1] ?? [])) {
			// One that goes on says that its `meta` was lost.
			if ((await lastSlot(this.#db, lineage)).kind !== 'begin') throw this.#foreign(names)
		}
		const missing = Object.keys(specs).filter((name) => !specs[name]!.volatile && !names.includes(name))
		if (missing.length > 0) {
			throw new StorageUnavailable(`Only a part of a database was loaded at ${this.place}: ${missing.join(', ')} is missing.`, {
				hint: 'Load all of the backup, with mongorestore --gzip --drop. Nothing was changed.',
			})
		}
		let seq = 0
		for (const name of names) {
			const newest = await this.#db
				.collection<Document>(name)
				.find({}, { projection: { rev: 1 }, ...LONG })
				.sort({ rev: -1 })
				.limit(1)
				.toArray()
			seq = Math.max(seq, newest[0]?.rev ?? 0)
		}
		// Which form its records have is not said: bringing those up to date that are so already does no harm.
		await this.#begin(1, seq)
		return true
	}

	async open(): Promise<Engine | null> {
		return this.#asked(async () => {
			const meta = (await finishRestores(this.#db))!
			const { lineage } = meta
			const before = await lastSlot(this.#db, lineage)
			const { last, schema, at, hash } = before
			const term = before.term + 1
			const taken: Slot = { _id: before._id + 1, kind: 'term', term, last, schema, at, hash, nonce: new ObjectId() }
			try {
				await journalOf(this.#db, lineage).insertOne(taken)
			} catch (error) {
				if (meaningOf(error) === 'duplicate') return null
				throw error
			}
			const mine = { term, writer: this.#writer }
			const { matchedCount } = await metaOf(this.#db).updateOne(
				{ _id: 'store', lineage, term: { $lt: term } },
				{ $set: mine, $inc: { beat: 1 } },
			)
			if (matchedCount === 0) return null
			await this.#makeIndexes(meta)
			const followsSilence = meta.writer !== null && meta.writer !== this.#writer
			const writer = new MongoWriter({ ...this.#options, db: this.#db, meta, taken, followsSilence })
			try {
				await writer.redo()
				await this.#sweep(lineage, () => writer.look())
				return new MongoEngine({ ...this.#options, client: this.#client, meta, last: taken, writer })
			} catch (error) {
				await writer.close()
				throw error
			}
		})
	}

	async read(): Promise<Snapshot> {
		const engine = await this.openReadOnly()
		const { head, records } = await engine.export()
		const get = async (collection: string, id: string) => (await engine.getMany(collection, [id]))[0]!
		return { head, get, pages: (ends) => pagesOf(records, ends), close: () => engine.close() }
	}

	async replace(replacement: Replacement): Promise<void> {
		const engine = await this.#openPresent(replacement.schema)
		if (!engine) throw new StorageUnavailable(`Another process opened the database at ${this.place}.`, { hint: 'Stop it first.' })
		await engine.replace(replacement).finally(() => engine.close())
	}

	/** As mongodump does: a file of BSON documents for each collection. */
	async keep(folder: string): Promise<void> {
		mkdirSync(folder, { recursive: true })
		await this.#asked(async () => {
			for (const { name, type } of await this.#db.listCollections({}, { nameOnly: true }).toArray()) {
				if (type === 'view' || name.startsWith(SCRATCH)) continue
				const path = join(folder, `${encodeURIComponent(name)}.bson`)
				await pipeline(this.#db.collection(name).find<Buffer>({}, { raw: true }), createWriteStream(path, { flush: true }))
			}
		})
		syncPath(folder)
	}

	/** The commit of a restore is an entry of the present journal: where that is broken, it can't be told when the new one counts. */
	async #openPresent(schema: number): Promise<Engine | null> {
		try {
			if ((await this.head()) === null) await this.create(schema)
			return await this.open()
		} catch (error) {
			if (!(error instanceof AssertionError)) throw error
			throw new StorageUnavailable(`The database at ${this.place} is broken: ${error.message}`, {
				hint: 'Drop it with mongosh (db.dropDatabase()), then restore again. Nothing was changed.',
				cause: error,
			})
		}
	}

	async scratch(folder: string, { lineage, seq, schema, at, records }: Replacement): Promise<Snapshot> {
		const { specs, address } = this.#options
		const sweep = async () => {
			rmSync(folder, { recursive: true, force: true })
			for (const { name } of await this.#db.listCollections({}, { nameOnly: true }).toArray())
				if (name.startsWith(SCRATCH)) await this.#db.dropCollection(name)
		}
		const collection = (name: string) => this.#db.collection<Document>(SCRATCH + name)
		let spool: Spool | null = null
		try {
			// What a killed one left.
			await sweep()
			await build(this.#db, specs, SCRATCH, records)
			mkdirSync(folder)
			spool = await Spool.open(folder, Object.keys(specs))
			for (const name in specs) await spoolCollection(collection(name), name, spool)
		} catch (error) {
			await spool?.close()
			await sweep().catch(() => {})
			throw explainCopy(error, address)
		}
		const read = spool
		return {
			head: { lineage, seq, term: 0, schema, at, hash: GENESIS, pruned: seq, prunedHash: GENESIS },
			async get(name, id) {
				const found = await collection(name).findOne({ _id: new ObjectId(id) })
				return found && recordOf(found)
			},
			pages: (ends) =>
				pagesOf(
					read.records(() => {}),
					ends,
				),
			close: () => read.close().finally(sweep),
		}
	}

	/** For copies while another process writes: takes no term, applies nothing. */
	async openReadOnly(): Promise<Engine> {
		return this.#asked(async () => {
			const meta = await this.#meta()
			const hint = 'Start the server once.'
			if (!meta) throw new NoDatabase(`There is no English Chat database at ${this.place}.`, { hint })
			const last = await lastSlot(this.#db, meta.lineage)
			if (last.kind === 'close') throw new StorageUnavailable(`A restore of the database at ${this.place} is not finished.`, { hint })
			return new MongoEngine({ ...this.#options, client: this.#client, meta, last, writer: null })
		})
	}

	close(): Promise<void> {
		return this.#client.close()
	}

	async #asked<T>(work: () => Promise<T>): Promise<T> {
		try {
			return await work()
		} catch (error) {
			throw explain(error, this.#options.address)
		}
	}

	async #meta(): Promise<Meta | null> {
		const meta = await this.#asked(() => metaOf(this.#db).findOne({ _id: 'store' }))
		if (meta && meta.format > FORMAT) {
			throw new StorageUnavailable(
				`The database at ${this.place} was written by a newer English Chat (format ${meta.format}; this version knows ${FORMAT}).`,
				{
					hint: 'Start the newer version. Nothing was changed.',
				},
			)
		}
		return meta
	}

	/** The database holds something that is not ours: nothing is put beside it. */
	#foreign(names: string[]): StorageUnavailable {
		if (names.some((name) => VERSION_1.includes(name)) && !names.includes('system')) {
			return new StorageUnavailable(`The database at ${this.place} is one of English Chat 1.x. It was left as it is.`, {
				hint: 'A coming version takes it over where it stands, by "adopt". Until then name another database in MONGODB_URI, for example …/english-chat.',
			})
		}
		return new StorageUnavailable(
			`The database at ${this.place} holds other things (${names.sort().slice(0, 5).join(', ')}). It was left as it is.`,
			{
				hint: 'Name an empty database in MONGODB_URI, for example mongodb://localhost:27017/english-chat.',
			},
		)
	}

	/** Keys and indexes of collections that are new or declared differently than they were. */
	async #makeIndexes({ indexes }: Meta): Promise<void> {
		const { specs } = this.#options
		for (const name in specs) {
			const note = indexNote(specs[name]!)
			if (indexes[name] === note) continue
			await reindex(this.#db, name, specs[name]!)
			await metaOf(this.#db).updateOne({ _id: 'store' }, { $set: { [`indexes.${name}`]: note } })
		}
	}

	/** Removes what a killed restore, or a killed first start, left. `sure`: throws where another process may be making it now. */
	async #sweep(lineage: string, sure: () => Promise<unknown>): Promise<void> {
		for (const { name } of await this.#db.listCollections({}, { nameOnly: true }).toArray()) {
			const other = /^journal_([0-9a-f]{24})$/.exec(name)?.[1] ?? lineage
			const unfinished = other !== lineage && (await lastSlot(this.#db, other)).kind !== 'close'
			if (!unfinished && !name.startsWith(NEXT)) continue
			await sure()
			await this.#db.dropCollection(name)
		}
	}
}

/** Names the data folder on this machine since it was started: two processes with the same name can't live at once, since the folder's lock is held. */
function writerOf(folder: string): string {
	const { dev, ino } = statSync(folder)
	let boot = hostname()
	try {
		boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
	} catch {
		// Not on Linux.
	}
	return `${boot} ${dev} ${ino}`
}
