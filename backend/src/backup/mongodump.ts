/**
 * A database as MongoDB's own mongodump wrote it: a folder or an archive, packed or not.
 *
 * Promises exactly the records of our database in it, in the order of exports, each once; that every document was
 * read, and what an archive can tell of its bytes was checked, before the first record is given. What a dump took at
 * different moments of a database in use is as it is. Changes nothing of the dump. Format: docs/BACKUPS.md,
 * mongo-tools (common/dumprestore, mongorestore/filepath.go).
 */
import { hash } from 'node:crypto'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { constants, gunzipSync } from 'node:zlib'
import { ObjectId } from 'bson'
import { collections, type StoredRecord } from '../storage/collections.ts'
import { StorageFull } from '../storage/engine.ts'
import { migrations, schemaOf } from '../storage/migrations.ts'
import { INSTALLATION, Spool } from '../storage/open.ts'
import { bytesOf, isFinding, itemsIn, parseDocument } from './bson-stream.ts'
import { MAGIC, type Namespace, readArchive } from './mongodump-archive.ts'
import { type Progress, silent } from './progress.ts'
import { diskTrouble, Trouble } from './trouble.ts'

export interface Mongodump {
	/** The name of the database that was dumped. */
	database: string
	/** Its id, where it says so. */
	installation: string | null
	/** The highest `rev` in it. */
	seq: number
	schema: number
	/** In the order of exports. */
	collections: { name: string; records: number }[]
	/** Collections that are not ours, which nothing is taken of. */
	others: string[]
	/** In the order of exports. Can be asked for once. */
	records(): AsyncIterable<{ collection: string; record: StoredRecord }>
	/** Frees its room on the disk; `records` that were read to their end did. */
	close(): Promise<void>
}

export interface MongodumpOptions {
	/** Has room for the database, unpacked. */
	folder: string
	progress?: Progress
	signal?: AbortSignal
}

/** What a restore carries over. */
const kept = Object.keys(collections).filter((name) => !collections[name as keyof typeof collections].volatile)
const JOURNAL = /^journal_([0-9a-f]{24})$/
/** Of the database's layout, as `meta` notes it. */
const LAYOUT = 1
/** What version 1 has in its database, beside `users`. */
const VERSION_1 = ['groups', 'discussions', 'messages']

/** Reads a dump as a whole. Throws `Trouble`, or the signal's reason. */
export async function openMongodump(path: string, options: MongodumpOptions): Promise<Mongodump> {
	const { folder, progress = silent, signal = new AbortController().signal } = options
	const spool = await Spool.open(folder, kept).catch((error) => {
		throw diskTrouble(error, folder) ?? error
	})
	try {
		const dump = new DumpedDatabase(spool)
		for await (const { collection, documents } of batchesOf(path, (there) => dump.choose(path, there), signal)) {
			signal.throwIfAborted()
			await dump.take(collection, documents)
			progress({ doing: 'reading', done: dump.taken, total: null, unit: 'records' })
		}
		return dump.finish(path)
	} catch (error) {
		await spool.close()
		if (signal.aborted) throw signal.reason
		if (error instanceof StorageFull) throw new Trouble('noRoom', { folder }, { cause: error })
		const { code = '' } = error as NodeJS.ErrnoException
		if (/^E[A-Z]+$/.test(code)) throw new Trouble('cannotRead', { folder: path, why: code }, { cause: error })
		if (!isFinding(error)) throw error
		throw new Trouble('damagedDump', { path, what: error.message }, { cause: error })
	}
}

/** What was read of the database so far. */
class DumpedDatabase {
	readonly #spool: Spool
	readonly #counts = new Map<string, number>()
	#database = ''
	/** Its collections, as they were announced. */
	#there: string[] = []
	#installation: string | null = null
	#seq = 0
	#meta: Record<string, unknown> | null = null
	/** The last slot of each journal. */
	readonly #slots = new Map<string, Record<string, unknown>>()
	taken = 0

	constructor(spool: Spool) {
		this.#spool = spool
	}

	/** Chooses our database. */
	choose(path: string, namespaces: readonly Namespace[]): string {
		const byDatabase = Map.groupBy(namespaces, ({ database }) => database)
		const has = (collection: string) =>
			[...byDatabase].filter(([, all]) => all.some((one) => one.collection === collection)).map(([name]) => name)
		const [ours, ...more] = has('system')
		if (more.length > 0) throw new Trouble('severalInDump', { path, there: [ours, ...more].sort().join(', ') })
		if (ours === undefined) {
			const old = has('users').find((name) => VERSION_1.some((collection) => has(collection).includes(name)))
			if (old !== undefined) throw new Trouble('version1Dump', { path, name: old })
			throw new Trouble('foreignDump', { path, there: [...byDatabase.keys()].sort().join(', ') })
		}
		this.#database = ours
		this.#there = byDatabase.get(ours)!.map(({ collection }) => collection)
		for (const name of kept) {
			this.#spool.begin(name)
			this.#counts.set(name, 0)
		}
		return ours
	}

	async take(collection: string, documents: readonly Buffer[]): Promise<void> {
		const count = this.#counts.get(collection)
		const lineage = JOURNAL.exec(collection)?.[1]
		// What is not ours may be anything.
		if (count === undefined && lineage === undefined && collection !== 'meta') return
		let records = 0
		for (const bytes of documents) {
			const document = parseDocument(bytes)
			if (count !== undefined) records += this.#look(collection, document)
			else if (lineage !== undefined) {
				if (!(Number(document._id) < Number(this.#slots.get(lineage)?._id))) this.#slots.set(lineage, { ...document, body: null })
			} else if (document._id === 'store') this.#meta = document
		}
		if (count === undefined) return
		this.#counts.set(collection, count + records)
		this.taken += records
		await this.#spool.add(collection, documents)
	}

	/** Whether it is a record: 1, or the place of one that was removed: 0. */
	#look(collection: string, { _id, seq, rev, gone, value }: Record<string, unknown>): 0 | 1 {
		const isEntry = (value: unknown): value is number => Number.isSafeInteger(value)
		if (!(_id instanceof ObjectId) || !isEntry(rev) || (gone !== true && !isEntry(seq))) {
			throw new Error(`${collection} holds a document that is no record`)
		}
		this.#seq = Math.max(this.#seq, rev)
		if (collection === 'system' && _id.toHexString() === INSTALLATION && typeof value === 'string') this.#installation = value
		return gone === true ? 0 : 1
	}

	finish(path: string): Mongodump {
		const last = this.#meta && this.#slots.get(String(this.#meta.lineage))
		// Where it is not said: bringing records up to date that are so already does no harm.
		const schema = typeof last?.schema === 'number' ? last.schema : 1
		if (schema > schemaOf(migrations) || Number(this.#meta?.format ?? LAYOUT) > LAYOUT) throw new Trouble('newerDump', { path })
		if (last?.kind === 'close') throw new Error('a restore was under way in it; start the server once, then dump it again')
		// A collection of later than this database is none that is missing.
		const expected = this.#meta ? kept.filter((name) => name in (this.#meta!.indexes as object)) : kept
		const missing = expected.filter((name) => !this.#there.includes(name))
		if (missing.length > 0) throw new Error(`${missing.join(', ')} is missing`)
		return {
			database: this.#database,
			installation: this.#installation,
			seq: this.#seq,
			schema,
			collections: kept.map((name) => ({ name, records: this.#counts.get(name)! })),
			others: this.#there.filter((name) => !(name in collections) && name !== 'meta' && !JOURNAL.test(name)).sort(),
			records: () =>
				onceEach(
					path,
					this.#spool.records(() => {}),
				),
			close: () => this.#spool.close(),
		}
	}
}

async function* onceEach(path: string, records: AsyncIterable<{ collection: string; record: StoredRecord }>) {
	let before = ''
	for await (const one of records) {
		const id = `${one.collection} ${one.record.seq} ${one.record.id}`
		if (id === before) throw new Trouble('damagedDump', { path, what: `${one.collection} holds ${one.record.id} twice` })
		before = id
		yield one
	}
}

interface Batch {
	collection: string
	documents: Buffer[]
}

/** Documents of the database that is chosen once it is known what there is. */
async function* batchesOf(path: string, choose: (there: readonly Namespace[]) => string, signal: AbortSignal): AsyncGenerator<Batch> {
	const found = await stat(path).catch(() => null)
	if (!found?.isDirectory()) {
		const packed = found?.isFile() ? await sniffArchive(path) : null
		if (packed === null) throw new Trouble('noDump', { path })
		let chosen = ''
		const announce = (there: readonly Namespace[]) => {
			chosen = choose(there)
		}
		for await (const { database, ...batch } of readArchive(bytesOf(path, packed, signal), announce)) {
			if (database === chosen) yield batch
		}
		return
	}
	const files = await findDumps(path)
	if (files.length === 0) throw new Trouble('noDump', { path })
	const chosen = choose(files)
	for (const { database, collection, file, packed } of files) {
		if (database !== chosen) continue
		try {
			for await (const documents of itemsIn(bytesOf(file, packed, signal))) yield { collection, documents }
		} catch (error) {
			if (!isFinding(error) || signal.aborted) throw error
			throw new Error(`${basename(file)}: ${error.message}`, { cause: error })
		}
	}
}

/** Whether an archive is packed; null: it is no archive. */
async function sniffArchive(path: string): Promise<boolean | null> {
	const file = await open(path)
	try {
		const { buffer, bytesRead } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, 0)
		const start = buffer.subarray(0, bytesRead)
		if (start.subarray(0, 4).equals(MAGIC)) return false
		if (start[0] !== 0x1f || start[1] !== 0x8b) return null
		const unpacked = gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH })
		return unpacked.subarray(0, 4).equals(MAGIC) ? true : null
	} catch {
		return null
	} finally {
		await file.close()
	}
}

interface DumpFile extends Namespace {
	file: string
	packed: boolean
}

const ENDING = /\.bson(\.gz)?$/

/** The collections in a folder of mongodump's: of all databases in it, or of the one whose folder it is. */
async function findDumps(path: string): Promise<DumpFile[]> {
	const own = await dumpsIn(resolve(path))
	if (own.length > 0) return own
	const all: DumpFile[] = []
	for (const entry of await readdir(path, { withFileTypes: true }))
		if (entry.isDirectory()) all.push(...(await dumpsIn(join(path, entry.name))))
	return all
}

async function dumpsIn(folder: string): Promise<DumpFile[]> {
	const entries = await readdir(folder, { withFileTypes: true })
	const found = new Map<string, DumpFile>()
	for (const entry of entries) {
		// The changes while it was dumped, and the accounts of the server, belong to no collection.
		if (!entry.isFile() || !ENDING.test(entry.name) || entry.name === 'oplog.bson' || entry.name.startsWith('$')) continue
		const stem = entry.name.replace(ENDING, '')
		const collection = await collectionOf(folder, stem)
		if (found.has(collection)) throw new Error(`${collection} is in ${folder} twice`)
		found.set(collection, { database: basename(folder), collection, file: join(folder, entry.name), packed: entry.name.endsWith('.gz') })
	}
	return [...found.values()]
}

/** The name that was escaped for a file. Too long a one is cut: then the whole one stands beside it. */
async function collectionOf(folder: string, stem: string): Promise<string> {
	if (Buffer.byteLength(stem) === 238 && stem.includes('%24')) {
		const name = await nameBeside(join(folder, `${stem}.metadata.json`))
		if (!name || !stem.endsWith(`%24${hash('sha1', name, 'base64url')}`)) throw new Error(`it is not said which collection ${stem} is`)
		return name
	}
	try {
		return decodeURIComponent(stem.replaceAll('+', ' '))
	} catch {
		return stem
	}
}

async function nameBeside(path: string): Promise<string | null> {
	for (const [file, packed] of [
		[path, false],
		[`${path}.gz`, true],
	] as const) {
		try {
			const chunks = await Array.fromAsync(bytesOf(file, packed, new AbortController().signal))
			const { collectionName } = JSON.parse(Buffer.concat(chunks).toString())
			if (typeof collectionName === 'string') return collectionName
		} catch {
			// The other one, then.
		}
	}
	return null
}
