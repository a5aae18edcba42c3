/**
 * A MongoDB database before it is open: what is in it, who writes it, and taking it over.
 *
 * Promises that what is not ours (version 1.x's, another program's, a newer version's) is left as it is, that a
 * living writer is never taken over, and that taking over is one insert which only one process can make.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Db, type MongoClient, ObjectId } from 'mongodb'
import { type Database, type Engine, type Head, StorageUnavailable } from './engine.ts'
import { failpoint } from './failpoint.ts'
import { MongoEngine } from './mongo.ts'
import { connect, explain, meaningOf } from './mongo-connection.ts'
import { indexNote, reindex } from './mongo-documents.ts'
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
import { type MongoPlace, MongoWriter } from './mongo-writer.ts'

/** What version 1.x calls its collections. */
const VERSION_1 = ['users', 'groups', 'discussions', 'messages', 'categories']

/** Connects to the database. The caller holds the folder's lock: a writer that was started from it before is dead. Throws `StorageUnavailable` with the next step. */
export async function findMongo(options: MongoPlace): Promise<MongoDatabase> {
	return new MongoDatabase(options, await connect(options.address, options.times))
}

export class MongoDatabase implements Database {
	readonly engine = 'mongodb'
	readonly place: string
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
			if (!meta) {
				await this.#refuseForeign()
				return null
			}
			const present = (await finishRestores(this.#db))!
			return headOf(present.lineage, await lastSlot(this.#db, present.lineage), present)
		})
	}

	async create(schema: number): Promise<void> {
		await this.#asked(async () => {
			const lineage = randomBytes(12).toString('hex')
			await createJournal(this.#db, lineage, { term: 0, schema, at: new Date(0), seq: 0 })
			failpoint('create:journal')
			const begun: Meta = { _id: 'store', format: FORMAT, ...beginning(lineage, 0), term: 0, beat: 0, writer: null, indexes: {} }
			await metaOf(this.#db).insertOne(begun)
			failpoint('create:meta')
		})
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

	/** For copies while another process writes: takes no term, applies nothing. */
	async openReadOnly(): Promise<Engine> {
		return this.#asked(async () => {
			const meta = await this.#meta()
			const last = meta && (await lastSlot(this.#db, meta.lineage))
			if (!meta || last?.kind === 'close') {
				throw new StorageUnavailable(`There is no English Chat database at ${this.place} now.`, { hint: 'Start the server once.' })
			}
			return new MongoEngine({ ...this.#options, client: this.#client, meta, last: last!, writer: null })
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

	/** Throws where the database holds something that is not ours: nothing is put beside it. */
	async #refuseForeign(): Promise<void> {
		const names = (await this.#db.listCollections({}, { nameOnly: true }).toArray())
			.map(({ name }) => name)
			.filter((name) => !/^(system\.|journal_[0-9a-f]{24}$|next_[0-9a-f]{24}_)/.test(name))
		if (names.length === 0) return
		if (names.some((name) => VERSION_1.includes(name)) && !names.includes('system')) {
			throw new StorageUnavailable(`The database at ${this.place} is one of English Chat 1.x. It was left as it is.`, {
				hint: 'A coming version takes it over where it stands, by "adopt". Until then name another database in MONGODB_URI, for example …/english-chat.',
			})
		}
		throw new StorageUnavailable(
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
