/**
 * How the embedded engine lays out its file: tables, key columns, and the statements that fill them.
 *
 * Promises that the integer key of a collection's table is the order `(seq, id)`, so that an index
 * needs no further column for it. Layout decides speed here: few pages touched a group.
 */
import assert from 'node:assert/strict'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { CollectionSpec, StoredRecord } from './collections.ts'
import type { GroupChange, Keys } from './engine.ts'
import { keysOf, manyKeys } from './keys.ts'

export type Specs = Readonly<Record<string, CollectionSpec>>

/** Records born in one entry have places below this. */
export const ORDINALS = 1_024

/** The table of a collection, the key column of an index, and the side table of an index with many keys. */
export const tableOf = (collection: string) => `"c_${collection}"`
export const columnOf = (index: string) => `"k_${index}"`
export const sortOf = (index: string) => `"s_${index}"`
export const sideOf = (collection: string, index: string) => `"x_${collection}_${index}"`

export const BUSY_MS = 5_000

/** Every connection: nothing is acknowledged before it is on the disk. */
export function configure(db: DatabaseSync): void {
	db.exec(`PRAGMA busy_timeout=${BUSY_MS}; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384; PRAGMA secure_delete=ON`)
	const { synchronous } = db.prepare('PRAGMA synchronous').get() as { synchronous: number }
	assert.equal(synchronous, 2, 'Every commit waits for the disk.')
}

/** The place of a new lineage: one file each, so that no old write-ahead log can ever meet a new file. */
export const fileOf = (lineage: string) => `chat-${lineage}.db`

/** Makes the tables of a new file. `head` holds one row: where the journal ends. Indexes come with `createIndexes`. */
export function createTables(db: DatabaseSync, specs: Specs): void {
	db.exec(`
		CREATE TABLE head(one INTEGER PRIMARY KEY CHECK (one = 1), lineage TEXT, seq INTEGER, term INTEGER, schema INTEGER, at TEXT, hash TEXT, pruned INTEGER, prunedHash TEXT) STRICT;
		CREATE TABLE journal(last INTEGER PRIMARY KEY, first INTEGER, term INTEGER, schema INTEGER, at TEXT, hash TEXT, body BLOB) STRICT;
		CREATE TABLE indexes(collection TEXT, name TEXT, spec TEXT, PRIMARY KEY (collection, name)) STRICT;
	`)
	for (const [collection, spec] of Object.entries(specs)) {
		createCollection(db, collection)
		for (const index in spec.indexes) addColumns(db, collection, index, spec)
	}
}

/** Makes the indexes of all tables: sorted at once, where a record at a time would touch pages everywhere. */
export function createIndexes(db: DatabaseSync, specs: Specs): void {
	for (const [collection, spec] of Object.entries(specs)) {
		for (const index in spec.indexes) createIndex(db, collection, index, spec)
	}
}

function createCollection(db: DatabaseSync, collection: string): void {
	db.exec(`CREATE TABLE IF NOT EXISTS ${tableOf(collection)}(pk INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, doc TEXT NOT NULL)`)
}

/** Makes indexes that are new or declared differently than they were, and fills them from the records. */
export function reindex(db: DatabaseSync, specs: Specs): void {
	for (const collection in specs) {
		createCollection(db, collection)
		const spec = specs[collection]!
		const known = new Map(
			(db.prepare('SELECT name, spec FROM indexes WHERE collection = ?').all(collection) as { name: string; spec: string }[]).map((row) => [
				row.name,
				row.spec,
			]),
		)
		const changed = Object.keys(spec.indexes).filter((name) => known.get(name) !== JSON.stringify(spec.indexes[name]))
		for (const name of known.keys()) if (!(name in spec.indexes) || changed.includes(name)) dropIndex(db, collection, name)
		for (const name of changed) addColumns(db, collection, name, spec)
		if (changed.length > 0)
			refill(db, collection, { indexes: Object.fromEntries(changed.map((name) => [name, spec.indexes[name]!])), ids: [], times: [] })
		for (const name of changed) createIndex(db, collection, name, spec)
	}
}

function dropIndex(db: DatabaseSync, collection: string, index: string): void {
	const table = tableOf(collection)
	db.exec(`DROP INDEX IF EXISTS "i_${collection}_${index}"; DROP TABLE IF EXISTS ${sideOf(collection, index)}`)
	const columns = db.prepare(`SELECT name FROM pragma_table_info('c_${collection}')`).all() as { name: string }[]
	for (const { name } of columns) {
		if (name === `k_${index}` || name === `s_${index}`) db.exec(`ALTER TABLE ${table} DROP COLUMN "${name}"`)
	}
	db.prepare('DELETE FROM indexes WHERE collection = ? AND name = ?').run(collection, index)
}

/** Makes room for an index's keys. */
function addColumns(db: DatabaseSync, collection: string, index: string, spec: CollectionSpec): void {
	const declared = spec.indexes[index]!
	const table = tableOf(collection)
	if (manyKeys(declared)) {
		db.exec(`CREATE TABLE ${sideOf(collection, index)}(key TEXT, sort, pk INTEGER, PRIMARY KEY (key, sort, pk)) WITHOUT ROWID`)
	} else {
		db.exec(`ALTER TABLE ${table} ADD COLUMN ${columnOf(index)} TEXT`)
		if (declared.sort !== undefined) db.exec(`ALTER TABLE ${table} ADD COLUMN ${sortOf(index)}`)
	}
	db.prepare('INSERT INTO indexes VALUES (?, ?, ?)').run(collection, index, JSON.stringify(declared))
}

function createIndex(db: DatabaseSync, collection: string, index: string, spec: CollectionSpec): void {
	const declared = spec.indexes[index]!
	const name = `"i_${collection}_${index}"`
	if (manyKeys(declared)) db.exec(`CREATE INDEX ${name} ON ${sideOf(collection, index)}(pk)`)
	else {
		const columns = declared.sort === undefined ? columnOf(index) : `${columnOf(index)}, ${sortOf(index)}`
		db.exec(`CREATE INDEX ${name} ON ${tableOf(collection)}(${columns}) WHERE ${columnOf(index)} IS NOT NULL`)
	}
}

function refill(db: DatabaseSync, collection: string, spec: CollectionSpec): void {
	const table = new TableWriter(db, collection, spec)
	const page = db.prepare(`SELECT pk, doc FROM ${tableOf(collection)} WHERE pk > ? ORDER BY pk LIMIT 500`)
	for (let last = -1; ; ) {
		const rows = page.all(last) as { pk: number; doc: string }[]
		if (rows.length === 0) return
		for (const row of rows) table.rekey(row.pk, keysOf(spec, JSON.parse(row.doc) as StoredRecord))
		last = rows.at(-1)!.pk
	}
}

type Flat = string | number | boolean | null

/** Changes as one flat list: it travels to another thread several times faster than objects do. */
export function flatten(changes: readonly GroupChange[], specs: Specs): Flat[] {
	const flat: Flat[] = []
	for (const { collection, id, seq, rev, ordinal, existed, born, json, keys } of changes) {
		flat.push(collection, id, seq, rev, ordinal, existed, born, json)
		if (json === null) continue
		for (const index in specs[collection]!.indexes) {
			const { keys: values, sort } = keys[index]!
			flat.push(sort, values.length, ...values)
		}
	}
	return flat
}

/** What `flatten` was given. */
export function* unflatten(flat: readonly Flat[], specs: Specs): Generator<GroupChange> {
	let at = 0
	const next = <T extends Flat>() => flat[at++] as T
	while (at < flat.length) {
		const [collection, id] = [next<string>(), next<string>()]
		const [seq, rev, ordinal] = [next<number>(), next<number>(), next<number>()]
		const [existed, born, json] = [next<boolean>(), next<boolean>(), next<string | null>()]
		const keys: Keys = {}
		if (json !== null) {
			for (const index in specs[collection]!.indexes) {
				const sort = next<string | number | null>()
				keys[index] = { sort, keys: Array.from({ length: next<number>() }, () => next<string>()) }
			}
		}
		yield { collection, id, seq, rev, ordinal, existed, born, json, keys }
	}
}

/** The statements that write one collection. */
export class TableWriter {
	readonly #insert: StatementSync
	readonly #update: StatementSync
	readonly #rekey: StatementSync | null
	readonly #find: StatementSync
	readonly #delete: StatementSync
	readonly #plain: { index: string; sorted: boolean }[] = []
	readonly #sides: { index: string; insert: StatementSync; delete: StatementSync }[] = []

	constructor(db: DatabaseSync, collection: string, spec: CollectionSpec) {
		const columns: string[] = []
		for (const index in spec.indexes) {
			const declared = spec.indexes[index]!
			if (manyKeys(declared)) {
				const side = sideOf(collection, index)
				const insert = db.prepare(`INSERT INTO ${side} VALUES (?, ?, ?)`)
				this.#sides.push({ index, insert, delete: db.prepare(`DELETE FROM ${side} WHERE pk = ?`) })
			} else {
				this.#plain.push({ index, sorted: declared.sort !== undefined })
				columns.push(columnOf(index), ...(declared.sort === undefined ? [] : [sortOf(index)]))
			}
		}
		const table = tableOf(collection)
		this.#insert = db.prepare(
			`INSERT INTO ${table}(${['pk', 'id', 'doc', ...columns].join()}) VALUES (?, ?, ?${', ?'.repeat(columns.length)})`,
		)
		this.#update = db.prepare(`UPDATE ${table} SET ${['doc', ...columns].map((column) => `${column} = ?`).join()} WHERE pk = ?`)
		this.#rekey = columns.length ? db.prepare(`UPDATE ${table} SET ${columns.map((column) => `${column} = ?`).join()} WHERE pk = ?`) : null
		this.#find = db.prepare(`SELECT pk FROM ${table} WHERE id = ?`)
		this.#delete = db.prepare(`DELETE FROM ${table} WHERE pk = ?`)
	}

	apply(change: Pick<GroupChange, 'id' | 'seq' | 'ordinal' | 'existed' | 'born' | 'json' | 'keys'>): void {
		const { id, json, keys } = change
		let pk = change.existed ? (this.#find.get(id) as { pk: number }).pk : 0
		if (change.existed) for (const side of this.#sides) side.delete.run(pk)
		if (change.existed && (change.born || json === null)) this.#delete.run(pk)
		if (json === null) return
		if (change.born) {
			pk = change.seq * ORDINALS + change.ordinal
			this.#insert.run(pk, id, json, ...this.#columns(keys))
		} else this.#update.run(json, ...this.#columns(keys), pk)
		this.#addSides(pk, keys)
	}

	/** Fills the key columns and side tables of a record that is there. */
	rekey(pk: number, keys: Keys): void {
		this.#rekey?.run(...this.#columns(keys), pk)
		this.#addSides(pk, keys)
	}

	#addSides(pk: number, keys: Keys): void {
		for (const { index, insert } of this.#sides) for (const key of keys[index]!.keys) insert.run(key, keys[index]!.sort ?? 0, pk)
	}

	#columns(keys: Keys): SQLInputValue[] {
		const values: SQLInputValue[] = []
		for (const { index, sorted } of this.#plain) {
			values.push(keys[index]!.keys[0] ?? null)
			if (sorted) values.push(keys[index]!.sort)
		}
		return values
	}
}
