/**
 * The embedded engine: one SQLite file a lineage, written by a worker thread, read here.
 *
 * Promises that a group is one transaction with `synchronous=FULL`, that a slow disk never stalls
 * the event loop, and that an older process gets `Fenced`. Never decides order, keys or uniqueness.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { StoredRecord } from './collections.ts'
import { syncPath, writeDurably } from './durable-file.ts'
import {
	type Ends,
	type Engine,
	type EngineQuery,
	type Entry,
	type EntryGroup,
	type Export,
	Fenced,
	type Head,
	OutcomeUnknown,
	type Page,
	type Position,
	type Replacement,
	type Snapshot,
	StorageFull,
	StorageUnavailable,
} from './engine.ts'
import { failpoint } from './failpoint.ts'
import { GENESIS, parseLines, unpackLines } from './journal.ts'
import { manyKeys } from './keys.ts'
import { linesOf, PAGE_RECORDS } from './pages.ts'
import {
	columnOf,
	configure,
	createIndexes,
	createTables,
	fileOf,
	flatten,
	ORDINALS,
	type Specs,
	sideOf,
	sortOf,
	TableWriter,
	tableOf,
} from './sqlite-schema.ts'
import type { WriterAnswer, WriterRequest } from './sqlite-writer.ts'

/** SQLite before this may corrupt a database with a write-ahead log. */
const OLDEST_SQLITE = [3, 51, 3]
/** Holds the present lineage; its rename is the commit of a restore. */
const POINTER = 'lineage'
const HEAD = 'SELECT lineage, seq, term, schema, at, hash, pruned, prunedHash FROM head'

/** Whether the folder holds a database, and of which lineage. */
export function findLineage(folder: string): string | null {
	try {
		return readFileSync(join(folder, POINTER), 'utf8').trim()
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
		throw error
	}
}

/** Makes an empty database of a new lineage in the folder. Killed anywhere: there is none, or a whole one. */
export async function createSqlite(folder: string, specs: Specs, schema: number): Promise<void> {
	const lineage = randomBytes(12).toString('hex')
	await build(folder, specs, { lineage, seq: 0, schema, at: new Date(0).toISOString(), records: (async function* () {})() })
	point(folder, lineage)
}

/** Puts a new lineage in the place of what the folder holds; the files of the old one go when it is opened. */
export async function replaceSqlite(folder: string, specs: Specs, replacement: Replacement): Promise<void> {
	await build(folder, specs, replacement)
	point(folder, replacement.lineage)
}

/** Everything at this moment, in one read transaction. */
export function readSqlite(folder: string, specs: Specs): Snapshot {
	refuseOldSqlite(process.versions.sqlite!)
	const reader = openReader(pathOf(folder))
	try {
		reader.exec('BEGIN')
		const head = headIn(reader)
		// A collection that came with a later version may not be there yet.
		const known = reader.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
		const there = Object.keys(specs).filter((collection) => known.get(tableOf(collection).slice(1, -1)))
		return {
			head,
			async get(collection, id) {
				const row = there.includes(collection) && reader.prepare(`SELECT doc FROM ${tableOf(collection)} WHERE id = ?`).get(id)
				return row ? JSON.parse((row as { doc: string }).doc) : null
			},
			pages: (ends) => pagesIn(reader, there, ends),
			close: async () => void (reader.isOpen && reader.close()),
		}
	} catch (error) {
		reader.close()
		throw error
	}
}

/** Every record, a page of a collection at a time, put together by SQLite: text that passed through here row by row took three times as long. */
async function* pagesIn(reader: DatabaseSync, collections: readonly string[], ends: Ends = {}): AsyncGenerator<Page> {
	const bornIn = (place: number) => Math.floor(place / ORDINALS)
	for (const collection of collections) {
		const table = tableOf(collection)
		const lastPlace = reader.prepare(`SELECT pk FROM ${table} WHERE pk >= ? ORDER BY pk LIMIT 1 OFFSET ${PAGE_RECORDS - 1}`)
		// SQLite keeps the inner order for an aggregate that depends on it (SF_OrderByReqd in its select.c), and a restore
		// checks it. To order within the aggregate sorts once more, which takes as long as reading row by row.
		const page = reader.prepare(`
			SELECT count(*) AS records, min(pk) AS first, max(pk) AS last, CAST(group_concat(doc, char(10)) AS BLOB) AS text
			FROM (SELECT pk, doc FROM ${table} WHERE pk >= ? AND pk < ? ORDER BY pk)`)
		const given = [...(ends[collection] ?? [])]
		for (let from = 0; ; ) {
			const end = given.shift() ?? null
			const full = end === null ? (lastPlace.get(from) as { pk: number } | undefined) : undefined
			const last = end ?? (full ? bornIn(full.pk) : null)
			const until = last === null ? Number.MAX_SAFE_INTEGER : (last + 1) * ORDINALS
			const found = page.get(from, until) as Pick<Page, 'first' | 'last' | 'records' | 'text'>
			if (found.records > 0) yield { ...found, collection, first: bornIn(found.first), last: bornIn(found.last) }
			if (last === null) break
			from = until
			await new Promise(setImmediate)
		}
	}
}

function headIn(reader: DatabaseSync): Head {
	return { ...(reader.prepare(HEAD).get() as unknown as Head) }
}

/** Where the folder's journal ends, read without changing anything. */
export function readHead(folder: string): Head {
	const reader = openReader(pathOf(folder))
	try {
		return headIn(reader)
	} finally {
		reader.close()
	}
}

function pathOf(folder: string): string {
	const lineage = findLineage(folder)
	assert(lineage, 'there is none.')
	const path = join(folder, fileOf(lineage))
	assert(existsSync(path), `${path} is missing.`)
	return path
}

/** Opens the folder's database for writing. The caller holds the writer lock. */
export async function openSqlite(folder: string, specs: Specs): Promise<Engine> {
	refuseOldSqlite(process.versions.sqlite!)
	const path = pathOf(folder)
	const writer = new WriterThread(path, specs)
	try {
		await writer.opened
		sweep(folder, path)
		return new SqliteEngine(folder, path, specs, writer)
	} catch (error) {
		await writer.close()
		throw error
	}
}

/** Throws where this SQLite could corrupt a database. */
export function refuseOldSqlite(version: string): void {
	const parts = version.split('.').map(Number)
	const differs = OLDEST_SQLITE.findIndex((part, i) => parts[i] !== part)
	if (differs === -1 || parts[differs]! > OLDEST_SQLITE[differs]!) return
	throw new StorageUnavailable(`SQLite ${version} may corrupt a database: it must be ${OLDEST_SQLITE.join('.')} or newer.`, {
		hint: 'Start with Node 24.21 or newer.',
	})
}

/** The lineages of which the folder holds a database that has entries, whatever the pointer says. */
export function listLineages(folder: string): string[] {
	const names = readdirSync(folder).filter((name) => /^chat-[0-9a-f]{24}\.db$/.test(name))
	return names.filter((name) => holdsEntries(join(folder, name))).map((name) => name.slice(5, 29))
}

/** What can't be read may hold anything. Also a file of which only the log has entries. */
function holdsEntries(path: string): boolean {
	if (existsSync(`${path}-wal`)) return true
	try {
		const db = new DatabaseSync(path, { readOnly: true })
		try {
			return (db.prepare('SELECT seq FROM head').get() as { seq: number }).seq > 0
		} finally {
			db.close()
		}
	} catch {
		return true
	}
}

/** Removes what a killed restore left, and the files of lineages that have ended. */
function sweep(folder: string, path: string): void {
	for (const name of readdirSync(folder)) {
		if (/^chat-[0-9a-f]{24}\.db/.test(name) && !join(folder, name).startsWith(path)) rmSync(join(folder, name))
	}
}

/** Makes a whole database file of a lineage that nothing points to yet, and syncs it. */
async function build(folder: string, specs: Specs, replacement: Replacement): Promise<void> {
	const { lineage, seq, schema, at, records } = replacement
	const path = join(folder, fileOf(lineage))
	const next = `${path}.next`
	const db = new DatabaseSync(next)
	try {
		// Until it is pointed to, the file may be lost: it is synced once, at the end.
		db.exec('PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384; BEGIN')
		createTables(db, specs)
		const head = db.prepare('INSERT INTO head VALUES (1, :lineage, :seq, 0, :schema, :at, :hash, :seq, :hash)')
		head.run({ lineage, seq, schema, at, hash: GENESIS })
		const tables = new Map(Object.keys(specs).map((name) => [name, { writer: new TableWriter(db, name, specs[name]!), count: 0 }]))
		let sinceTurn = 0
		for await (const change of records) {
			const table = tables.get(change.collection)!
			table.writer.apply(change)
			table.count++
			if (++sinceTurn % 500 === 0) await new Promise(setImmediate)
		}
		createIndexes(db, specs)
		db.exec('COMMIT')
		failpoint('replace:built')
		for (const [name, { count }] of tables) {
			const row = db.prepare(`SELECT count(*) AS count FROM ${tableOf(name)}`).get() as { count: number }
			assert.equal(row.count, count, `Not every record of ${name} arrived.`)
		}
		db.close()
	} catch (error) {
		if (db.isOpen) db.close()
		rmSync(next, { force: true })
		throw isFull(error) ? new StorageFull('There is no room for the copy.', { cause: error }) : error
	}
	syncPath(next)
	renameSync(next, path)
	syncPath(folder)
	failpoint('replace:synced')
}

/** The commit of a new lineage. */
function point(folder: string, lineage: string): void {
	writeDurably(join(folder, POINTER), `${lineage}\n`, () => failpoint('replace:pointer-written'))
	failpoint('replace:pointed')
}

/** Asks the writer thread, which answers in order. */
class WriterThread {
	readonly opened: Promise<unknown>
	readonly #worker: Worker
	readonly #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = []
	#ended: Error | null = null

	constructor(path: string, specs: Specs) {
		this.#worker = new Worker(new URL('./sqlite-writer.ts', import.meta.url), { workerData: { path, specs } })
		this.opened = new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
		this.#worker.on('message', (answer: WriterAnswer) => {
			const waiting = this.#waiting.shift()!
			if (answer.ok) waiting.resolve(answer.value)
			else waiting.reject(errorOf(answer))
		})
		this.#worker.on('error', (error) => this.#end(new OutcomeUnknown('The writer thread failed.', { cause: error })))
		this.#worker.on('exit', () => this.#end(new OutcomeUnknown('The writer thread has ended.')))
	}

	ask<T>(request: WriterRequest): Promise<T> {
		if (this.#ended) return Promise.reject(this.#ended)
		return new Promise((resolve, reject) => {
			this.#worker.postMessage(request)
			this.#waiting.push({ resolve: resolve as (value: unknown) => void, reject })
		})
	}

	/** Answers what was asked, closes, and ends the thread, however it fares. */
	async close(): Promise<void> {
		if (this.#ended) return
		const exit = once(this.#worker, 'exit')
		await this.ask({ op: 'close' }).catch(() => {})
		await exit
	}

	#end(error: Error): void {
		this.#ended ??= error
		for (const { reject } of this.#waiting.splice(0)) reject(error)
	}
}

function errorOf({ why, message }: WriterAnswer & { ok: false }): Error {
	if (why === 'fenced') return new Fenced('Another process has taken over the database.')
	if (why === 'full') return new StorageFull('The disk is full.')
	return new OutcomeUnknown(message)
}

function isFull(error: unknown): boolean {
	const { errcode, code } = error as { errcode?: number; code?: string }
	return errcode === 13 || code === 'ENOSPC'
}

class SqliteEngine implements Engine {
	readonly #folder: string
	readonly #path: string
	readonly #specs: Specs
	readonly #writer: WriterThread
	readonly #reader: DatabaseSync
	readonly #statements = new Map<string, StatementSync>()
	readonly #exports = new Set<DatabaseSync>()

	constructor(folder: string, path: string, specs: Specs, writer: WriterThread) {
		this.#folder = folder
		this.#path = path
		this.#specs = specs
		this.#writer = writer
		this.#reader = openReader(path)
	}

	async append({ entries: _, lines, changes, ...place }: EntryGroup): Promise<void> {
		await this.#writer.ask({ op: 'append', group: { ...place, lines: lines.join('\n'), changes: flatten(changes, this.#specs) } })
	}

	async getMany(collection: string, ids: readonly string[]): Promise<(StoredRecord | null)[]> {
		const statement = this.#prepare(`SELECT doc FROM ${tableOf(collection)} WHERE id = ?`)
		return ids.map((id) => {
			const row = statement.get(id) as { doc: string } | undefined
			return row ? JSON.parse(row.doc) : null
		})
	}

	async find(collection: string, index: string, query: EngineQuery): Promise<StoredRecord[]> {
		const [sql, values] = this.#select(collection, index, query)
		const rows = this.#prepare(sql).all(...values) as { doc: string }[]
		// One text is parsed faster than many.
		return JSON.parse(`[${rows.map((row) => row.doc).join()}]`)
	}

	/** The statement of a query, and its values. */
	#select(collection: string, index: string, query: EngineQuery): [sql: string, values: SQLInputValue[]] {
		const spec = this.#specs[collection]!.indexes[index]!
		const table = tableOf(collection)
		const many = manyKeys(spec)
		const from = many ? `${sideOf(collection, index)} AS x JOIN ${table} AS c ON c.pk = x.pk` : `${table} AS c`
		const key = many ? 'x.key' : `c.${columnOf(index)}`
		const sort = spec.sort === undefined ? null : many ? 'x.sort' : `c.${sortOf(index)}`
		const pk = many ? 'x.pk' : 'c.pk'
		const where = [query.prefix ? `${key} >= ? AND ${key} < ?` : `${key} = ?`]
		const values: SQLInputValue[] = query.prefix ? [query.key, `${query.key}\u{10ffff}`] : [query.key]
		for (const [sign, position] of [['>', query.after] as const, ['<', query.before] as const]) {
			if (!position) continue
			where.push(sort ? `(${sort}, ${pk}) ${sign} (?, ?)` : `${pk} ${sign} ?`)
			if (sort) values.push(position.sort)
			values.push(this.#place(table, position, sign))
		}
		const way = query.order === 'descending' ? ' DESC' : ''
		const order = sort ? `${sort}${way}, ${pk}${way}` : `${pk}${way}`
		// A record may have several keys that begin alike: it is found once.
		const once = many && query.prefix ? ` GROUP BY ${pk}` : ''
		values.push(query.limit)
		return [`SELECT c.doc FROM ${from} WHERE ${where.join(' AND ')}${once} ORDER BY ${order} LIMIT ?`, values]
	}

	/** The integer key next to a position: the last up to it (for `>`), or the first from it on (for `<`), also when its record is gone. */
	#place(table: string, { seq, id }: Position, sign: '>' | '<'): number {
		const first = seq * ORDINALS
		const own = this.#prepare(`SELECT pk FROM ${table} WHERE id = ? AND pk BETWEEN ? AND ?`).get(id, first, first + ORDINALS - 1)
		if (own) return (own as { pk: number }).pk
		const born = this.#prepare(`SELECT pk, id FROM ${table} WHERE pk BETWEEN ? AND ? ORDER BY pk`).all(first, first + ORDINALS - 1)
		const rows = born as { pk: number; id: string }[]
		if (sign === '>') return rows.findLast((row) => row.id <= id)?.pk ?? first - 1
		return rows.find((row) => row.id >= id)?.pk ?? first + ORDINALS
	}

	async entries(after: number, limit: number): Promise<Entry[]> {
		const groups = this.#prepare('SELECT lineage, journal.term, journal.schema, body FROM journal, head WHERE last > ? ORDER BY last')
		const entries: Entry[] = []
		for (const row of groups.iterate(after) as Iterable<{ lineage: string; term: number; schema: number; body: Uint8Array }>) {
			for (const entry of parseLines(row, unpackLines(row.body))) if (entry.seq > after) entries.push(entry)
			if (entries.length >= limit) break
		}
		return entries
	}

	async head(): Promise<Head> {
		return { ...(this.#prepare(HEAD).get() as unknown as Head) }
	}

	async export(): Promise<Export> {
		// A connection of its own, whose one read transaction is the moment of the copy.
		const reader = openReader(this.#path)
		reader.exec('BEGIN')
		const head = headIn(reader)
		this.#exports.add(reader)
		return { head, records: this.#exportRecords(reader) }
	}

	async replace(replacement: Replacement): Promise<void> {
		await build(this.#folder, this.#specs, replacement)
		try {
			point(this.#folder, replacement.lineage)
		} catch (error) {
			// Renamed, but perhaps not for good.
			if (findLineage(this.#folder) === replacement.lineage) throw new OutcomeUnknown('The restore may be in place.', { cause: error })
			throw error
		}
		await this.close()
	}

	async prune(before: string): Promise<void> {
		while (await this.#writer.ask<boolean>({ op: 'prune', before }));
	}

	async erase(targets: readonly { collection: string; id: string; rev: number }[]): Promise<void> {
		for (let after: number | null = -1; after !== null; ) {
			after = await this.#writer.ask<number | null>({ op: 'erase', targets: [...targets], after })
		}
		await this.#writer.ask({ op: 'rewrite' })
		while (!(await this.#writer.ask<boolean>({ op: 'truncate' }))) await sleep(20)
	}

	async close(): Promise<void> {
		if (!this.#reader.isOpen) return
		this.#reader.close()
		for (const reader of this.#exports) if (reader.isOpen) reader.close()
		await this.#writer.close()
	}

	async *#exportRecords(reader: DatabaseSync): AsyncGenerator<{ collection: string; record: StoredRecord }> {
		try {
			for await (const page of pagesIn(reader, Object.keys(this.#specs))) {
				for (const json of linesOf(page)) yield { collection: page.collection, record: JSON.parse(json) }
			}
		} finally {
			this.#exports.delete(reader)
			if (reader.isOpen) reader.close()
		}
	}

	#prepare(sql: string): StatementSync {
		let statement = this.#statements.get(sql)
		if (!statement) {
			statement = this.#reader.prepare(sql)
			this.#statements.set(sql, statement)
		}
		return statement
	}
}

function openReader(path: string): DatabaseSync {
	const reader = new DatabaseSync(path, { readOnly: true })
	configure(reader)
	return reader
}
