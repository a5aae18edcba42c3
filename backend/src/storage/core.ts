/**
 * The journal core: every change is one journal entry, and the entry is the commit.
 *
 * Promises what store.ts says, over any engine: group-commit.ts makes steps durable in their order,
 * committed.ts reads what is committed, and here is the rest. Knows no database but its port.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { CollectionSpec, StoredRecord } from './collections.ts'
import { Committed } from './committed.ts'
import {
	type Engine,
	type Entry,
	Fenced,
	type Head,
	OutcomeUnknown,
	type Position,
	StorageUnavailable,
	WRITE_TIMEOUT_MS,
} from './engine.ts'
import { type CommitOptions, GroupCommit } from './group-commit.ts'
import { queryKey } from './keys.ts'
import { replacements } from './replacements.ts'
import { CursorUnknown, type FindOptions, type KeyValues, type Store, type Tx } from './store.ts'

type AnyRecords = Record<string, StoredRecord>
type Specs = Readonly<Record<string, CollectionSpec>>
type Source = { seq: number; records: AsyncIterable<{ collection: string; record: StoredRecord }> }

export interface CoreOptions extends Omit<CommitOptions, 'writeTimeoutMs' | 'stepTimeoutMs'>, Partial<Omit<CommitOptions, 'schema'>> {
	specs: Specs
	/** Brings a record that was written under an older schema to today's form; may see it twice. */
	upgrade?: (collection: string, record: StoredRecord, schema: number) => StoredRecord
	/** How many records are kept in memory at most. */
	cachedRecords?: number
	/** Called before a restore commits a new lineage, and after: who notes the lineage elsewhere accepts both in between. */
	onReplacing?: (lineage: string) => void
	onReplaced?: (lineage: string) => void
	onClosed?: () => void
}

/** Records that one query gives at most. */
const FOUND = 1_000
/** Records that one step of an erasure puts at most. */
const ERASED = 250

/** Opens the core over an engine that is open for writing. */
export async function openCore(engine: Engine, options: CoreOptions): Promise<Store<AnyRecords>> {
	return new Core(engine, options, await engine.head())
}

class Core implements Store<AnyRecords> {
	readonly #engine: Engine
	readonly #options: CoreOptions
	readonly #committed: Committed
	readonly #commits: GroupCommit
	#closing = false
	#closed: Promise<void> | null = null
	#replacing: Promise<void> | null = null

	constructor(engine: Engine, options: CoreOptions, head: Head) {
		const { specs, schema, writeTimeoutMs = WRITE_TIMEOUT_MS, cachedRecords = 20_000 } = options
		// A step that reads from a database that is away is told so before it is given up.
		const { stepTimeoutMs = Math.max(2_000, (writeTimeoutMs * 2) / 3) } = options
		this.#engine = engine
		this.#options = options
		this.#committed = new Committed(specs, engine, head.seq, cachedRecords, (collection, record) =>
			this.#upgrade(collection, record, head.schema),
		)
		this.#commits = new GroupCommit(engine, this.#committed, head, { schema, writeTimeoutMs, stepTimeoutMs })
		void engine.remote?.takenOver.then((fenced) => this.#commits.stop(fenced))
	}

	get head(): Head {
		return this.#commits.head
	}

	get stopped(): Error | null {
		return this.#commits.stopped
	}

	get doubtful(): boolean {
		return this.#engine.remote?.doubtful ?? false
	}

	write<T>(by: string | null, step: (tx: Tx<AnyRecords>) => Promise<T>): Promise<T> {
		if (this.#closing && !this.stopped) return Promise.reject(new StorageUnavailable('The storage is closing.'))
		return this.#commits.write(by, step)
	}

	onCommit(listener: (entries: readonly Entry[]) => void): () => void {
		return this.#commits.onCommit(listener)
	}

	onStopped(listener: (reason: Error) => void): () => void {
		return this.#commits.onStopped(listener)
	}

	get(collection: string, id: string): Promise<StoredRecord | null> {
		return this.#committed.get(collection, id)
	}

	getMany(collection: string, ids: readonly string[]): Promise<(StoredRecord | null)[]> {
		return this.#committed.getMany(collection, ids)
	}

	async find(collection: string, index: string, key: KeyValues, options: FindOptions): Promise<StoredRecord[]> {
		const spec = this.#options.specs[collection]?.indexes[index]
		assert(spec, `There is no index ${index} in ${collection}.`)
		assert(options.limit > 0 && options.limit <= FOUND, `A query asks for 1 to ${FOUND} records.`)
		const place = (position?: Position | null) =>
			position ? { ...position, sort: spec.sort === undefined ? null : (position.sort ?? '') } : null
		return this.#committed.find(collection, index, {
			key: queryKey(spec, key),
			prefix: spec.prefix === true,
			after: place(options.after),
			before: place(options.before),
			limit: options.limit,
			order: options.order ?? 'ascending',
		})
	}

	async *entries({ after, limit = Number.POSITIVE_INFINITY }: { after: number; limit?: number }): AsyncGenerator<Entry> {
		if (after > this.head.seq) throw new CursorUnknown('ahead')
		let at = after
		let left = limit
		while (left > 0) {
			if (at < this.head.pruned) throw new CursorUnknown('pruned')
			if (at >= this.head.seq) return
			const entries = await this.#engine.entries(at, Math.min(left, 500))
			// Pruned since the look above.
			if (entries[0]?.seq !== at + 1) throw new CursorUnknown('pruned')
			for (const entry of entries) {
				// Durable, but not acknowledged yet.
				if (entry.seq > this.head.seq) return
				if (left-- <= 0) return
				yield this.#upgraded(entry)
				at = entry.seq
			}
		}
	}

	async exportAt() {
		const { head, records } = await this.#engine.export()
		const upgrade = this.#upgrade.bind(this)
		return {
			lineage: head.lineage,
			seq: head.seq,
			records: (async function* () {
				for await (const { collection, record } of records) yield { collection, record: upgrade(collection, record, head.schema) }
			})(),
		}
	}

	async replaceAll(source: Source): Promise<void> {
		if (this.stopped) throw this.stopped
		if (this.#closing) throw new StorageUnavailable('The storage is closing.')
		this.#closing = true
		this.#replacing = this.#replace(source)
		try {
			await this.#replacing
		} catch (error) {
			if (!this.stopped) {
				this.#replacing = null
				this.#closing = this.#closed !== null
				throw error
			}
			await this.close()
			throw error
		}
		await this.close()
	}

	async #replace(source: Source): Promise<void> {
		await this.#commits.drained()
		if (this.stopped) throw this.stopped
		const { specs, schema, onReplacing, onReplaced } = this.#options
		const lineage = randomBytes(12).toString('hex')
		onReplacing?.(lineage)
		const records = replacements(specs, source)
		try {
			await this.#engine.replace({ lineage, seq: source.seq, schema: schema(), at: this.#commits.now(), records })
		} catch (error) {
			// It may be in place already: what is written from now on could be lost.
			if (error instanceof OutcomeUnknown) this.#commits.stop(error)
			throw error
		}
		this.#commits.stop(new StorageUnavailable('The database was replaced: start again.'))
		onReplaced?.(lineage)
	}

	async erase(by: string | null, targets: readonly { collection: string; record: { id: string } }[]): Promise<void> {
		const written: { collection: string; id: string; rev: number }[] = []
		for (let i = 0; i < targets.length; i += ERASED) {
			const puts = await this.write(by, (tx) =>
				Promise.all(
					targets.slice(i, i + ERASED).map(async ({ collection, record }) => {
						const { id, rev } = await tx.put(collection, record as never)
						return { collection, id, rev }
					}),
				),
			)
			written.push(...puts)
		}
		await this.#maintain(() => this.#engine.erase(written))
	}

	async prune(before: Date): Promise<void> {
		await this.#maintain(() => this.#engine.prune(before.toISOString()))
		this.#commits.pruned(await this.#engine.head())
	}

	/** What the engine does outside of a group stops the store as a failed group does, once the group in flight is decided. */
	async #maintain(work: () => Promise<void>): Promise<void> {
		if (this.stopped) throw this.stopped
		try {
			await work()
		} catch (error) {
			if (error instanceof Fenced || error instanceof OutcomeUnknown) this.#commits.stop(error)
			throw error
		}
	}

	close(): Promise<void> {
		this.#closed ??= this.#close()
		return this.#closed
	}

	async #close(): Promise<void> {
		this.#closing = true
		await this.#replacing?.catch(() => {})
		await this.#commits.drained(true)
		this.#commits.end()
		try {
			await this.#engine.close()
		} finally {
			this.#options.onClosed?.()
		}
	}

	#upgrade(collection: string, record: StoredRecord, schema: number): StoredRecord {
		return this.#options.upgrade?.(collection, record, schema) ?? record
	}

	#upgraded(entry: Entry): Entry {
		if (!this.#options.upgrade) return entry
		const puts = entry.puts.map((put) => ({ ...put, record: put.record && this.#upgrade(put.collection, put.record, entry.schema) }))
		return { ...entry, puts }
	}
}
