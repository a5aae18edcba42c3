/**
 * The embedded engine's writing side, in a worker thread of its own.
 *
 * Promises that a group is one transaction, durable before it is answered; that it is refused when
 * another process has taken over; that a failed write or fsync is never tried again.
 */
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { EntryGroup, Head } from './engine.ts'
import { failpoint } from './failpoint.ts'
import { eraseLines, namesAny, packLines, unpackLines } from './journal.ts'
import { BUSY_MS, configure, type flatten, reindex, type Specs, TableWriter, unflatten } from './sqlite-schema.ts'

/** A group on its way to this thread: its lines as one text, its changes as one list (`flatten`). */
export type FlatGroup = Omit<EntryGroup, 'entries' | 'lines' | 'changes'> & { lines: string; changes: ReturnType<typeof flatten> }

/** What the engine asks; each is answered in its order. */
export type WriterRequest =
	| { op: 'append'; group: FlatGroup }
	| { op: 'prune'; before: string }
	| { op: 'erase'; targets: { collection: string; id: string; rev: number }[]; after: number }
	| { op: 'rewrite' }
	| { op: 'truncate' }
	| { op: 'close' }

/** `full`: nothing happened, try later. `fenced`: another process writes. `failed`: final. */
export type WriterAnswer = { ok: true; value: unknown } | { ok: false; why: 'full' | 'fenced' | 'failed'; message: string }

const SQLITE = { busy: 5, full: 13 }
/** So many pages (8 MiB) in the log: then they are copied into the database. */
const CHECKPOINT_PAGES = 2_000
/** The log is cut back to this after it was longer. */
const LOG_BYTES = 64 * 1024 * 1024
/** Long work is done in slices, so that groups are not kept waiting: so many rows, or milliseconds. */
const SLICE = { rows: 500, ms: 20 }

class FencedHere extends Error {}

class Writer {
	readonly #db: DatabaseSync
	readonly #specs: Specs
	readonly #tables = new Map<string, TableWriter>()
	readonly #advance: StatementSync
	readonly #journal: StatementSync
	#head: Head
	readonly #logged: StatementSync
	/** How long the log was when it was last copied. */
	#copied = 0

	constructor(path: string, specs: Specs) {
		this.#db = new DatabaseSync(path)
		this.#specs = specs
		configure(this.#db)
		// Nothing is made of what is not our database.
		this.#db.prepare('SELECT term FROM head').get()
		this.#db.exec(`PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=${LOG_BYTES}`)
		// What a rewriting needs for a while lies where the database has its room, not in a small /tmp.
		this.#db.exec(`PRAGMA temp_store_directory='${dirname(path).replaceAll("'", "''")}'`)
		// What an earlier process may have written without a successful fsync is written and synced anew.
		this.#checkpoint('TRUNCATE')
		this.#logged = this.#db.prepare('PRAGMA wal_checkpoint(NOOP)')
		this.#head = this.#transaction(() => {
			reindex(this.#db, specs)
			this.#db.exec('UPDATE head SET term = term + 1')
			return this.#db.prepare('SELECT lineage, seq, term, schema, at, hash, pruned, prunedHash FROM head').get() as unknown as Head
		})
		for (const collection in specs) this.#tables.set(collection, new TableWriter(this.#db, collection, specs[collection]!))
		this.#advance = this.#db.prepare('UPDATE head SET seq = ?, schema = ?, at = ?, hash = ? WHERE term = ? AND seq = ? AND lineage = ?')
		this.#journal = this.#db.prepare('INSERT INTO journal(last, first, term, schema, at, hash, body) VALUES (?, ?, ?, ?, ?, ?, ?)')
	}

	get head(): Head {
		return this.#head
	}

	append(group: FlatGroup): void {
		const body = packLines(group.lines)
		this.#transaction(() => {
			const { last, first, term, schema, at, hash, lineage } = group
			if (this.#advance.run(last, schema, at, hash, term, first - 1, lineage).changes !== 1) throw new FencedHere()
			this.#journal.run(last, first, term, schema, at, hash, body)
			failpoint('append:journal')
			for (const change of unflatten(group.changes, this.#specs)) this.#tables.get(change.collection)!.apply(change)
			failpoint('append:records')
		})
		failpoint('append:committed')
	}

	/** Once enough is in the log, it is copied into the database. */
	tidy(): void {
		const { log, checkpointed } = this.#logged.get() as { log: number; checkpointed: number }
		// It begins anew when all of it was copied and no reader needs it.
		if (log < this.#copied) this.#copied = 0
		if (log - Math.max(checkpointed, this.#copied) < CHECKPOINT_PAGES) return
		this.#checkpoint('PASSIVE')
		this.#copied = log
	}

	/** Forgets some of the groups before this time; whether there are more. */
	prune(before: string): boolean {
		return this.#transaction(() => {
			this.#check()
			const old = this.#db
				.prepare('SELECT last, hash FROM journal WHERE at < ? AND last < (SELECT max(last) FROM journal) ORDER BY last LIMIT ?')
				.all(before, SLICE.rows) as { last: number; hash: string }[]
			const end = old.at(-1)
			if (!end) return false
			this.#db.prepare('DELETE FROM journal WHERE last <= ?').run(end.last)
			this.#db.prepare('UPDATE head SET pruned = ?, prunedHash = ?').run(end.last, end.hash)
			return old.length === SLICE.rows
		})
	}

	/** Blanks payloads in some of the groups after `after`; the last group that was looked at, or null at the end. */
	erase(targets: { collection: string; id: string; rev: number }[], after: number): number | null {
		const began = performance.now()
		const revs = new Map(targets.map(({ collection, id, rev }) => [collection + id, rev]))
		const ids = new Set(targets.map(({ id }) => id))
		const groups = this.#db.prepare('SELECT last, term, schema, body FROM journal WHERE last > ? ORDER BY last LIMIT 1')
		const update = this.#db.prepare('UPDATE journal SET body = ? WHERE last = ?')
		for (let last = after; ; ) {
			if (performance.now() - began > SLICE.ms) return last
			const row = groups.get(last) as { last: number; term: number; schema: number; body: Uint8Array } | undefined
			if (!row) return null
			last = row.last
			const lines = unpackLines(row.body)
			if (!namesAny(lines, ids)) continue
			const lineage = this.#head.lineage
			const erased = eraseLines({ lineage, ...row }, lines, (put, seq) => seq < (revs.get(put.collection + put.id) ?? 0))
			if (erased === lines) continue
			this.#transaction(() => {
				this.#check()
				update.run(packLines(erased), last)
			})
		}
	}

	/** Makes every page anew: only so nothing is left of what was erased, since moved rows leave copies in the gaps of pages. */
	rewrite(): void {
		for (;;) {
			this.#check()
			try {
				this.#db.exec('VACUUM')
				return
			} catch (error) {
				if (codeOf(error) !== SQLITE.busy) throw error
			}
		}
	}

	/** Empties the log, which still has old pages; false while a reader needs them. */
	truncate(): boolean {
		this.#db.exec('PRAGMA busy_timeout=0')
		const { busy } = this.#db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number }
		this.#db.exec(`PRAGMA busy_timeout=${BUSY_MS}`)
		return busy === 0
	}

	close(): void {
		this.#db.close()
	}

	/** Throws when another process has opened the database for writing since. */
	#check(): void {
		const { term } = this.#db.prepare('SELECT term FROM head').get() as { term: number }
		if (term !== this.#head.term) throw new FencedHere()
	}

	#transaction<T>(work: () => T): T {
		this.#begin()
		try {
			const value = work()
			this.#db.exec('COMMIT')
			return value
		} catch (error) {
			if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
			throw error
		}
	}

	#begin(): void {
		for (;;) {
			try {
				this.#db.exec('BEGIN IMMEDIATE')
				return
			} catch (error) {
				if (codeOf(error) !== SQLITE.busy) throw error
				if (this.#head) this.#check()
			}
		}
	}

	/** By hand, since the automatic one hides a failed fsync and tries it again. */
	#checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): void {
		try {
			this.#db.exec(`PRAGMA wal_checkpoint(${mode})`)
		} catch (error) {
			// Without space the log just stays longer.
			if (codeOf(error) !== SQLITE.full && codeOf(error) !== SQLITE.busy) throw error
		}
	}
}

function codeOf(error: unknown): number {
	return Number((error as { errcode?: number }).errcode ?? 0) & 0xff
}

function answer(work: () => unknown): WriterAnswer {
	try {
		return { ok: true, value: work() }
	} catch (error) {
		const why = error instanceof FencedHere ? 'fenced' : codeOf(error) === SQLITE.full ? 'full' : 'failed'
		return { ok: false, why, message: (error as Error).message }
	}
}

const port = parentPort!
const { path, specs } = workerData as { path: string; specs: Specs }
/** After a write or fsync that failed nothing is tried any more. */
let broken: WriterAnswer | null = null

function run(writer: Writer, request: WriterRequest): unknown {
	switch (request.op) {
		case 'append':
			return writer.append(request.group)
		case 'prune':
			return writer.prune(request.before)
		case 'erase':
			return writer.erase(request.targets, request.after)
		case 'rewrite':
			return writer.rewrite()
		case 'truncate':
			return writer.truncate()
		case 'close':
			return writer.close()
	}
}

let writer: Writer
const opened = answer(() => {
	writer = new Writer(path, specs)
	return writer.head
})
port.postMessage(opened)
if (opened.ok) {
	port.on('message', (request: WriterRequest) => {
		const result = broken && request.op !== 'close' ? broken : answer(() => run(writer, request))
		port.postMessage(result)
		if (request.op === 'close') return port.close()
		// Answered first: copying the log takes its time, and what was answered is durable without it.
		const kept = result.ok ? answer(() => writer.tidy()) : result
		if (!kept.ok && kept.why === 'failed') broken = kept
	})
}
