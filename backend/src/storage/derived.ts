/**
 * Derived data: what can be computed from records, kept in a database of its own with its own cursor.
 *
 * Promises that it catches up through the journal, that it is rebuilt from records in the
 * background where its cursor is unknown, pruned or of another lineage, and that its file may be
 * deleted at any time. Never holds anything that is not elsewhere; a defect of it stops nothing.
 */
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { StoredRecord } from './collections.ts'
import type { Entry } from './engine.ts'
import { CursorUnknown, type Store } from './store.ts'

/** What one entry did to one record; null: it is gone. `born`: it was not there before. */
export interface DerivedChange {
	collection: string
	id: string
	record: StoredRecord | null
	born: boolean
}

export interface Derivation {
	name: string
	/** A new version is built anew. */
	version: number
	/** Makes its tables, empty. */
	create(db: DatabaseSync): void
	/** Takes changes in the order of the journal, inside of a transaction. */
	apply(db: DatabaseSync, changes: readonly DerivedChange[]): void
}

export interface Derived {
	/** What the query reads, up to date with every commit so far; null while it is being rebuilt. */
	read<T>(query: (db: DatabaseSync) => T): T | null
	/** Resolves when it has caught up for the first time, or has given up. */
	ready: Promise<void>
	close(): void
}

const FLUSH_MS = 1_000
/** Changes applied in one turn of the event loop. */
const BATCH = 500

/** Opens derived data over a store; `failed` hears of defects, after which it stays unread until the next start. */
export function openDerived(store: Store, path: string, derivations: readonly Derivation[], failed: (error: Error) => void): Derived {
	try {
		return new DerivedData(store, path, derivations, failed)
	} catch (error) {
		failed(error as Error)
		return { read: () => null, ready: Promise.resolve(), close() {} }
	}
}

class DerivedData implements Derived {
	readonly ready: Promise<void>
	readonly #store: Store
	readonly #derivations: readonly Derivation[]
	readonly #signature: string
	readonly #failed: (error: Error) => void
	readonly #path: string
	readonly #stopListening: () => void
	#db: DatabaseSync
	/** Commits since the cursor; null until it has caught up. */
	#pending: Entry[] | null = null
	#cursor = -1
	#timer: NodeJS.Timeout | null = null
	#closed = false

	constructor(store: Store, path: string, derivations: readonly Derivation[], failed: (error: Error) => void) {
		this.#store = store
		this.#derivations = derivations
		this.#signature = JSON.stringify(derivations.map(({ name, version }) => [name, version]))
		this.#failed = failed
		this.#path = path
		this.#db = open(path)
		this.#stopListening = store.onCommit((entries) => this.#commit(entries))
		this.ready = this.#catchUp().catch((error) => this.#fail(error))
	}

	read<T>(query: (db: DatabaseSync) => T): T | null {
		if (!this.#pending) return null
		try {
			this.#flush()
			return query(this.#db)
		} catch (error) {
			this.#fail(error as Error)
			return null
		}
	}

	close(): void {
		// What is left is applied; where that fails, it ends here as it would have anywhere, and stopping goes on.
		if (!this.#closed) this.read(() => null)
		if (this.#closed) return
		this.#closed = true
		this.#stopListening()
		if (this.#timer) clearTimeout(this.#timer)
		this.#pending = null
		this.#db.close()
	}

	#commit(entries: readonly Entry[]): void {
		if (!this.#pending) return
		// A group is committed a moment before it is told: catching up may have read it from the journal already.
		for (const entry of entries) if (entry.seq > this.#cursor) this.#pending.push(entry)
		this.#timer ??= setTimeout(() => {
			this.#timer = null
			this.read(() => null)
		}, FLUSH_MS).unref()
	}

	#flush(): void {
		const entries = this.#pending!.splice(0)
		if (entries.length > 0) this.#apply(entries.flatMap(changesOf), entries.at(-1)!.seq)
	}

	#apply(changes: readonly DerivedChange[], seq: number): void {
		this.#db.exec('BEGIN')
		try {
			for (const derivation of this.#derivations) derivation.apply(this.#db, changes)
			this.#db.prepare('REPLACE INTO cursor VALUES (1, ?, ?, ?)').run(this.#store.head.lineage, seq, this.#signature)
			this.#db.exec('COMMIT')
		} catch (error) {
			if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
			throw error
		}
		this.#cursor = seq
	}

	async #catchUp(): Promise<void> {
		// Start goes on first.
		await new Promise(setImmediate)
		const row = this.#db.prepare('SELECT lineage, seq, signature FROM cursor').get() as
			| { lineage: string; seq: number; signature: string }
			| undefined
		const { head } = this.#store
		const known = row?.lineage === head.lineage && row.signature === this.#signature && row.seq >= head.pruned && row.seq <= head.seq
		if (known) this.#cursor = row.seq
		else await this.#rebuild()
		for (;;) {
			try {
				await this.#readJournal()
			} catch (error) {
				if (!(error instanceof CursorUnknown)) throw error
				await this.#rebuild()
			}
			if (this.#cursor !== this.#store.head.seq) continue
			// Nothing was awaited since the comparison: from here on commits are heard in order.
			this.#pending = []
			return
		}
	}

	async #readJournal(): Promise<void> {
		let batch: Entry[] = []
		for await (const entry of this.#store.entries({ after: this.#cursor })) {
			batch.push(entry)
			if (batch.length < BATCH) continue
			this.#take(batch)
			batch = []
			await new Promise(setImmediate)
		}
		this.#take(batch)
	}

	#take(entries: Entry[]): void {
		if (this.#closed) throw new Error('Derived data was closed.')
		if (entries.length > 0) this.#apply(entries.flatMap(changesOf), entries.at(-1)!.seq)
	}

	async #rebuild(): Promise<void> {
		this.#db.close()
		removeFiles(this.#path)
		this.#db = open(this.#path)
		for (const derivation of this.#derivations) derivation.create(this.#db)
		const { seq, records } = await this.#store.exportAt()
		let batch: DerivedChange[] = []
		for await (const { collection, record } of records) {
			batch.push({ collection, id: record.id, record, born: true })
			if (batch.length < BATCH) continue
			if (this.#closed) throw new Error('Derived data was closed.')
			// Until the last batch the cursor names no place: killed here, it is built anew.
			this.#apply(batch, -1)
			batch = []
			await new Promise(setImmediate)
		}
		if (this.#closed) throw new Error('Derived data was closed.')
		this.#apply(batch, seq)
	}

	#fail(error: Error): void {
		if (this.#closed) return
		// Whatever is wrong with the file, the next start builds a new one.
		this.#pending = null
		this.close()
		removeFiles(this.#path)
		this.#failed(error)
	}
}

function changesOf(entry: Entry): DerivedChange[] {
	return [
		...entry.puts.map(({ collection, id, record }) => {
			// Its payload was erased: only the records as they are now can tell.
			if (!record) throw new CursorUnknown('pruned')
			return { collection, id, record, born: record.seq === entry.seq }
		}),
		...entry.removes.map(({ collection, id }) => ({ collection, id, record: null, born: false })),
	]
}

/** A damaged file is no loss: it goes. */
function open(path: string): DatabaseSync {
	try {
		return prepare(path)
	} catch {
		removeFiles(path)
		return prepare(path)
	}
}

function removeFiles(path: string): void {
	for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}

function prepare(path: string): DatabaseSync {
	const db = new DatabaseSync(path)
	try {
		// Losing its end in a crash costs nothing but reading the journal again.
		db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL')
		db.exec('CREATE TABLE IF NOT EXISTS cursor(one INTEGER PRIMARY KEY CHECK (one = 1), lineage TEXT, seq INTEGER, signature TEXT)')
		return db
	} catch (error) {
		db.close()
		throw error
	}
}
