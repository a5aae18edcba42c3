/**
 * The embedded engine's writing side, in a worker thread of its own.
 *
 * Promises that a group is one transaction, durable before it is answered; that it is refused when
 * another process has taken over; that a failed write or fsync is never tried again.
 */
import { existsSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { EntryGroup, Head } from './engine.ts'
import { failpoint } from './failpoint.ts'
import { eraseLines } from './journal.ts'
import { configure, type flatten, packLines, reindex, type Specs, TableWriter, unflatten, unpackLines } from './sqlite-schema.ts'

/** A group on its way to this thread: its lines as one text, its changes as one list (`flatten`). */
export type FlatGroup = Omit<EntryGroup, 'entries' | 'lines' | 'changes'> & { lines: string; changes: ReturnType<typeof flatten> }

/** What the engine asks; each is answered in its order. */
export type WriterRequest =
	| { op: 'append'; group: FlatGroup }
	| { op: 'prune'; before: string }
	| { op: 'erase'; targets: { collection: string; id: string; rev: number }[] }
	| { op: 'close' }

/** `full`: nothing happened, try later. `fenced`: another process writes. `failed`: final. */
export type WriterAnswer = { ok: true; head?: Head } | { ok: false; why: 'full' | 'fenced' | 'failed'; message: string }

const SQLITE = { busy: 5, full: 13 }
/** About a thousand pages in the log: then they are copied into the database. */
const CHECKPOINT_BYTES = 6 * 1024 * 1024
/** What a group costs in the log beside its own bytes: the pages it touches. */
const GROUP_BYTES = 48 * 1024

class FencedHere extends Error {}

class Writer {
	readonly #db: DatabaseSync
	readonly #specs: Specs
	readonly #tables = new Map<string, TableWriter>()
	readonly #advance: StatementSync
	readonly #journal: StatementSync
	#head: Head
	#logged = 0

	constructor(path: string, specs: Specs) {
		if (!existsSync(path)) throw new Error(`${path} is missing.`)
		this.#db = new DatabaseSync(path)
		this.#specs = specs
		configure(this.#db)
		this.#db.exec('PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0')
		// What an earlier process may have written without a successful fsync is written and synced anew.
		this.#checkpoint('TRUNCATE')
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
		this.#logged += GROUP_BYTES + 4 * body.length
		if (this.#logged > CHECKPOINT_BYTES) this.#checkpoint('PASSIVE')
	}

	prune(before: string): void {
		this.#transaction(() => {
			this.#check()
			const last = this.#db
				.prepare('SELECT last, hash FROM journal WHERE at < ? AND last < (SELECT max(last) FROM journal) ORDER BY last DESC LIMIT 1')
				.get(before) as { last: number; hash: string } | undefined
			if (!last) return
			this.#db.prepare('DELETE FROM journal WHERE last <= ?').run(last.last)
			this.#db.prepare('UPDATE head SET pruned = ?, prunedHash = ?').run(last.last, last.hash)
		})
	}

	erase(targets: { collection: string; id: string; rev: number }[]): void {
		const revs = new Map(targets.map(({ collection, id, rev }) => [collection + id, rev]))
		const groups = this.#db.prepare('SELECT last, term, schema, body FROM journal WHERE last > ? ORDER BY last LIMIT 1')
		const update = this.#db.prepare('UPDATE journal SET body = ? WHERE last = ?')
		for (let last = -1; ; ) {
			const row = groups.get(last) as { last: number; term: number; schema: number; body: Uint8Array } | undefined
			if (!row) break
			last = row.last
			const lines = unpackLines(row.body)
			if (!targets.some(({ id }) => lines.includes(id))) continue
			const lineage = this.#head.lineage
			const erased = eraseLines({ lineage, ...row }, lines, (put, seq) => seq < (revs.get(put.collection + put.id) ?? 0))
			if (erased === lines) continue
			this.#transaction(() => {
				this.#check()
				update.run(packLines(erased), last)
			})
		}
		// The log still has the old pages: nothing of them may stay.
		this.#checkpoint('TRUNCATE')
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
		this.#logged = 0
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

function answer(work: () => { head: Head } | undefined): WriterAnswer {
	try {
		return { ok: true, ...work() }
	} catch (error) {
		const why = error instanceof FencedHere ? 'fenced' : codeOf(error) === SQLITE.full ? 'full' : 'failed'
		return { ok: false, why, message: (error as Error).message }
	}
}

const port = parentPort!
const { path, specs } = workerData as { path: string; specs: Specs }
let writer: Writer | undefined
port.postMessage(
	answer(() => {
		writer = new Writer(path, specs)
		return { head: writer.head }
	}),
)
port.on('message', (request: WriterRequest) => {
	port.postMessage(
		answer(() => {
			if (request.op === 'append') writer!.append(request.group)
			else if (request.op === 'prune') writer!.prune(request.before)
			else if (request.op === 'erase') writer!.erase(request.targets)
			else writer!.close()
			return undefined
		}),
	)
	if (request.op === 'close') port.close()
})
