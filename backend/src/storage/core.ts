/**
 * The journal core: every change is one journal entry, and the entry is the commit.
 *
 * Promises: steps run one after another and take effect whole, in order, durable before they
 * are acknowledged; readers outside of a step see committed state only. Steps that arrive while
 * a group is being made durable form the next group. Knows no database but its port.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { RecordCache } from './cache.ts'
import type { CollectionSpec, StoredRecord } from './collections.ts'
import { type Engine, type Entry, type EntryGroup, Fenced, type Head, OutcomeUnknown, StorageFull, StorageUnavailable } from './engine.ts'
import { entryLine, entryPut, sealEntry } from './journal.ts'
import { queryKey } from './keys.ts'
import { Layer } from './overlay.ts'
import { Queue } from './queue.ts'
import { replacements } from './replacements.ts'
import { type Committed, StepTx } from './step.ts'
import { CursorUnknown, type FindOptions, type KeyValues, type Store, type Tx } from './store.ts'

type AnyRecords = Record<string, StoredRecord>
type Specs = Readonly<Record<string, CollectionSpec>>

export interface CoreOptions {
	specs: Specs
	/** The number of the records' form that is written now; changes once, at the end of a migration. */
	schema: () => number
	/** Brings a record that was written under an older schema to today's form; may see it twice. */
	upgrade?: (collection: string, record: StoredRecord, schema: number) => StoredRecord
	/** How long a write waits for the database before its caller is told. */
	writeTimeoutMs?: number
	/** How long one step may take. */
	stepTimeoutMs?: number
	/** Called before a restore commits a new lineage, and after: who notes the lineage elsewhere accepts both in between. */
	onReplacing?: (lineage: string) => void
	onReplaced?: (lineage: string) => void
	onClosed?: () => void
}

const limits = {
	groupOperations: 1_000,
	groupBytes: 8 * 1024 * 1024,
	waitingSteps: 20_000,
	cachedRecords: 20_000,
	found: 1_000,
	/** Answers given in one turn of the event loop. */
	answersPerTurn: 32,
	/** A commit that took longer means a slow disk: then the next group is held to fill up (facts: p50 a third better). */
	slowCommitMs: 3,
	holdOfLastCommit: 0.3,
}

interface Job {
	by: string | null
	step: (tx: Tx<AnyRecords>) => Promise<unknown>
	resolve: (value: never) => void
	reject: (error: unknown) => void
	since: number
	outcome: { value: unknown } | { error: unknown } | null
	/** Whether its step wrote an entry. */
	wrote: boolean
}

/** A group that is forming, or being made durable. */
class Forming {
	readonly layer = new Layer()
	readonly entries: Entry[] = []
	readonly lines: string[] = []
	jobs: Job[] = []
	operations = 0
	bytes = 0
	since = 0

	get full(): boolean {
		return this.operations >= limits.groupOperations / 2 || this.bytes >= limits.groupBytes / 2
	}
}

/** Opens the core over an engine that is open for writing. */
export async function openCore(engine: Engine, options: CoreOptions): Promise<Store<AnyRecords>> {
	return new Core(engine, options, await engine.head())
}

class Core implements Store<AnyRecords> {
	readonly #engine: Engine
	readonly #options: CoreOptions & { writeTimeoutMs: number; stepTimeoutMs: number }
	readonly #queue = new Queue<Job>()
	readonly #answers = new Queue<Job | Entry[]>()
	readonly #cache = new RecordCache(limits.cachedRecords)
	readonly #commitListeners = new Set<(entries: readonly Entry[]) => void>()
	readonly #stopListeners = new Set<(reason: Error) => void>()
	readonly #watch: NodeJS.Timeout
	readonly #committed: Committed
	#head: Head
	/** Where the next entry goes: after the forming group's last. */
	#next: { seq: number; hash: string; at: string }
	/** Never goes back, also when the device's clock does. */
	#clock: { ms: number; text: string }
	#forming = new Forming()
	#inFlight: Forming | null = null
	/** Grows whenever uncommitted state was thrown away: steps that saw it run again. */
	#epoch = 0
	#stepping = false
	#scheduled = false
	#answering = false
	#held: NodeJS.Timeout | null = null
	#lastCommit = { ms: 0, jobs: 0 }
	#step: { since: number; abort: (error: Error) => void } | null = null
	#idle: (() => void)[] = []
	#closing = false
	stopped: Error | null = null

	constructor(engine: Engine, options: CoreOptions, head: Head) {
		this.#engine = engine
		this.#options = { writeTimeoutMs: 15_000, stepTimeoutMs: 10_000, ...options }
		this.#head = head
		this.#next = head
		this.#clock = { ms: Date.parse(head.at), text: head.at }
		this.#committed = {
			specs: options.specs,
			get: (collection, id) => this.get(collection, id),
			find: async (collection, index, query) => this.#rememberAll(collection, await engine.find(collection, index, query)),
		}
		this.#watch = setInterval(() => this.#watchTimeouts(), Math.min(1_000, this.#options.writeTimeoutMs / 4)).unref()
	}

	get head() {
		return this.#head
	}

	write<T>(by: string | null, step: (tx: Tx<AnyRecords>) => Promise<T>): Promise<T> {
		if (this.stopped) return Promise.reject(this.stopped)
		if (this.#closing) return Promise.reject(new StorageUnavailable('The storage is closing.'))
		if (this.#queue.size >= limits.waitingSteps) return Promise.reject(new StorageUnavailable('Too many writes are waiting.'))
		return new Promise<T>((resolve, reject) => {
			this.#queue.push({ by, step, resolve, reject, since: performance.now(), outcome: null, wrote: false })
			this.#schedule()
		})
	}

	async get(collection: string, id: string): Promise<StoredRecord | null> {
		const cached = this.#cache.get(collection, id)
		if (cached) return cached.record
		const [record] = await this.#engine.getMany(collection, [id])
		return record ? this.#remember(collection, record) : null
	}

	async getMany(collection: string, ids: readonly string[]): Promise<(StoredRecord | null)[]> {
		const missing = ids.filter((id) => !this.#cache.get(collection, id))
		const read = missing.length > 0 ? await this.#engine.getMany(collection, missing) : []
		const found = new Map(missing.map((id, i) => [id, read[i] && this.#remember(collection, read[i])]))
		return ids.map((id) => found.get(id) ?? this.#cache.get(collection, id)?.record ?? null)
	}

	async find(collection: string, index: string, key: KeyValues, options: FindOptions): Promise<StoredRecord[]> {
		const spec = this.#options.specs[collection]?.indexes[index]
		assert(spec, `There is no index ${index} in ${collection}.`)
		assert(options.limit > 0 && options.limit <= limits.found, `A query asks for 1 to ${limits.found} records.`)
		const found = await this.#engine.find(collection, index, {
			key: queryKey(spec, key),
			prefix: spec.prefix === true,
			after: options.after ?? null,
			before: options.before ?? null,
			limit: options.limit,
			order: options.order ?? 'ascending',
		})
		return this.#rememberAll(collection, found)
	}

	async *entries({ after, limit = Number.POSITIVE_INFINITY }: { after: number; limit?: number }): AsyncGenerator<Entry> {
		if (after > this.#head.seq) throw new CursorUnknown('ahead')
		let at = after
		let left = limit
		while (left > 0) {
			if (at < this.#head.pruned) throw new CursorUnknown('pruned')
			if (at >= this.#head.seq) return
			const entries = await this.#engine.entries(at, Math.min(left, 500))
			if (entries.length === 0) throw new CursorUnknown('pruned')
			for (const entry of entries) {
				if (left-- <= 0) return
				yield this.#upgraded(entry)
				at = entry.seq
			}
		}
	}

	onCommit(listener: (entries: readonly Entry[]) => void): () => void {
		this.#commitListeners.add(listener)
		return () => this.#commitListeners.delete(listener)
	}

	onStopped(listener: (reason: Error) => void): () => void {
		this.#stopListeners.add(listener)
		return () => this.#stopListeners.delete(listener)
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

	async replaceAll(source: { seq: number; records: AsyncIterable<{ collection: string; record: StoredRecord }> }): Promise<void> {
		await this.#drain()
		const { specs, schema } = this.#options
		const lineage = randomBytes(12).toString('hex')
		try {
			this.#options.onReplacing?.(lineage)
			await this.#engine.replace({ lineage, seq: source.seq, schema: schema(), at: this.#now(), records: replacements(specs, source) })
		} catch (error) {
			this.#closing = false
			throw error
		}
		this.#options.onReplaced?.(lineage)
		this.#stop(new StorageUnavailable('The database was replaced: start again.'))
		await this.close()
	}

	async erase(by: string | null, targets: readonly { collection: string; record: { id: string } }[]): Promise<void> {
		const written = await this.write(by, async (tx) => {
			const puts: { collection: string; id: string; rev: number }[] = []
			for (const { collection, record } of targets) {
				const { id, rev } = await tx.put(collection, record as never)
				puts.push({ collection, id, rev })
			}
			return puts
		})
		await this.#engine.erase(written)
	}

	async prune(before: Date): Promise<void> {
		await this.#engine.prune(before.toISOString())
		const { pruned, prunedHash } = await this.#engine.head()
		this.#head = { ...this.#head, pruned, prunedHash }
	}

	async close(): Promise<void> {
		if (!this.#closing) await this.#drain()
		clearInterval(this.#watch)
		await this.#engine.close()
		this.#options.onClosed?.()
	}

	/** Takes no more writes, and waits for those that were taken. */
	async #drain(): Promise<void> {
		this.#closing = true
		if (!this.#quiet) await new Promise<void>((resolve) => this.#idle.push(resolve))
	}

	get #quiet(): boolean {
		return !this.#stepping && !this.#inFlight && this.#queue.size + this.#forming.jobs.length + this.#answers.size === 0
	}

	#now(): string {
		const ms = Date.now()
		if (ms > this.#clock.ms) this.#clock = { ms, text: new Date(ms).toISOString() }
		return this.#clock.text
	}

	/** Keeps what was read, and gives the newest committed form. */
	#remember(collection: string, record: StoredRecord): StoredRecord {
		const cached = this.#cache.get(collection, record.id)
		// A read that was under way during a commit must not bring an older form back, nor what was removed.
		if (cached && cached.rev >= record.rev) return cached.record ?? record
		const upgraded = this.#upgrade(collection, record, this.#head.schema)
		this.#cache.set(collection, record.id, { rev: record.rev, record: upgraded })
		return upgraded
	}

	#rememberAll(collection: string, records: StoredRecord[]): StoredRecord[] {
		return records.map((record) => this.#remember(collection, record))
	}

	#upgrade(collection: string, record: StoredRecord, schema: number): StoredRecord {
		return this.#options.upgrade?.(collection, record, schema) ?? record
	}

	#upgraded(entry: Entry): Entry {
		if (!this.#options.upgrade) return entry
		const puts = entry.puts.map((put) => ({ ...put, record: put.record && this.#upgrade(put.collection, put.record, entry.schema) }))
		return { ...entry, puts }
	}

	// Stepping: steps run one after another into the forming group.

	#schedule(): void {
		if (this.#scheduled || this.#stepping) return
		this.#scheduled = true
		// After the events of this turn: requests that came together are steps of one group.
		setImmediate(() => {
			this.#scheduled = false
			void this.#runSteps()
		})
	}

	async #runSteps(): Promise<void> {
		if (this.#stepping) return
		this.#stepping = true
		// With nothing in flight, half of what waits goes first, so that the disk and this thread work at the same time.
		let share = Math.max(8, this.#queue.size >> 1)
		while (this.#queue.size > 0 && !this.#forming.full && !this.stopped) {
			await this.#runStep(this.#queue.shift()!)
			if (--share <= 0) this.#flush()
		}
		this.#stepping = false
		this.#flush()
	}

	async #runStep(job: Job): Promise<void> {
		const epoch = this.#epoch
		const place = { at: this.#now(), lineage: this.#head.lineage, seq: this.#next.seq + 1 }
		const below = this.#inFlight ? [this.#forming.layer, this.#inFlight.layer] : [this.#forming.layer]
		const tx = new StepTx(place, this.#committed, below)
		job.wrote = false
		try {
			const value = await new Promise((resolve, reject) => {
				this.#step = { since: performance.now(), abort: reject }
				job.step(tx as unknown as Tx<AnyRecords>).then(resolve, reject)
			})
			if (epoch === this.#epoch && !this.stopped) job.wrote = this.#enter(job.by, tx)
			job.outcome = { value }
		} catch (error) {
			job.outcome = { error }
		}
		this.#step = null
		tx.end()
		if (this.stopped) job.reject(this.stopped)
		// What it saw was thrown away meanwhile.
		else if (epoch !== this.#epoch) this.#queue.unshift(job)
		// Also a step that failed or wrote nothing may have seen what is not durable yet: it is answered with its group.
		else this.#forming.jobs.push(job)
	}

	/** Makes a step's changes the next entry of the forming group; false when there are none. */
	#enter(by: string | null, tx: StepTx): boolean {
		const puts: Entry['puts'] = []
		const removes: Entry['removes'] = []
		const json: string[] = []
		let bytes = 0
		for (const [collection, ids] of tx.layer.records) {
			// Ids decide the order of what is born together, in every database.
			const sorted = ids.size > 1 ? [...ids].sort(([a], [b]) => (a < b ? -1 : 1)) : ids
			let ordinal = 0
			for (const [id, pending] of sorted) {
				if (pending.record) {
					if (pending.born) pending.ordinal = ordinal++
					puts.push(entryPut(collection, pending.record, pending.json!))
					json.push(pending.json!)
					bytes += 2 * pending.json!.length
				} else if (pending.existed) removes.push({ collection, id })
			}
		}
		const operations = puts.length + removes.length
		if (operations === 0) return false
		assert(operations <= limits.groupOperations / 2 && bytes <= limits.groupBytes / 2, 'The step is too large for one entry.')
		const { lineage, term } = this.#head
		const entry = sealEntry(this.#next.hash, { lineage, seq: tx.seq, term, at: tx.at, by, schema: this.#options.schema(), puts, removes })
		const forming = this.#forming
		forming.layer.absorb(tx.layer)
		forming.entries.push(entry)
		forming.lines.push(entryLine(entry, json))
		forming.operations += operations
		forming.bytes += bytes
		this.#next = entry
		return true
	}

	// Committing: one group at a time is made durable.

	#flush(): void {
		const waiting = this.#forming.jobs.length
		if (waiting === 0) this.#settleIdle()
		if (this.#inFlight || waiting === 0) return
		const { ms, jobs } = this.#lastCommit
		if (ms > limits.slowCommitMs && waiting < jobs) {
			// Those who were just answered are about to write again: one group with them is better than two in turn.
			this.#held ??= setTimeout(() => this.#commit(), ms * limits.holdOfLastCommit)
		} else void this.#commit()
	}

	async #commit(): Promise<void> {
		if (this.#held) clearTimeout(this.#held)
		this.#held = null
		const group = this.#forming
		this.#inFlight = group
		this.#forming = new Forming()
		group.since = performance.now()
		const error = group.entries.length === 0 ? null : await this.#append(group)
		if (this.stopped) return
		this.#inFlight = null
		if (error) return this.#failed(group, error)
		const last = group.entries.at(-1)
		if (last) {
			this.#lastCommit = { ms: performance.now() - group.since, jobs: group.jobs.length }
			this.#head = { ...this.#head, seq: last.seq, at: last.at, hash: last.hash }
			for (const [collection, ids] of group.layer.records) {
				for (const [id, { record }] of ids) this.#cache.set(collection, id, { rev: record?.rev ?? last.seq, record })
			}
		}
		for (const job of group.jobs) this.#answers.push(job)
		if (last) this.#answers.push(group.entries)
		if (!this.#answering) this.#answer()
		this.#flush()
		if (this.#queue.size > 0) this.#schedule()
	}

	/** Null when the group is durable, else why it is not (or may not be). */
	async #append(group: Forming): Promise<Error | null> {
		const { lineage, term } = this.#head
		const last = group.entries.at(-1)!
		const encoded: EntryGroup = {
			lineage,
			first: group.entries[0]!.seq,
			last: last.seq,
			term,
			schema: this.#options.schema(),
			at: last.at,
			hash: last.hash,
			entries: group.entries,
			lines: group.lines,
			changes: group.layer.changes(),
		}
		try {
			await this.#engine.append(encoded)
			return null
		} catch (error) {
			return error as Error
		}
	}

	#failed(group: Forming, error: Error): void {
		if (!(error instanceof StorageFull)) {
			this.#stop(error, group.jobs)
			return
		}
		// Nothing of it happened. What wrote is told; what only looked, and all that was built on it, runs again.
		const again = [...group.jobs.filter((job) => !job.wrote), ...this.#forming.jobs]
		for (const job of group.jobs) if (job.wrote) job.reject(error)
		this.#forgetUncommitted()
		for (const job of again.reverse()) this.#queue.unshift(job)
		this.#settleIdle()
		if (this.#queue.size > 0) this.#schedule()
	}

	#forgetUncommitted(): void {
		this.#epoch++
		this.#forming = new Forming()
		this.#next = this.#inFlight?.entries.at(-1) ?? this.#head
	}

	/** Answers a few steps a turn, then tells the listeners: acknowledged first, and the event loop is never held long. */
	#answer(): void {
		this.#answering = true
		for (let i = 0; i < limits.answersPerTurn && this.#answers.size > 0; i++) {
			const next = this.#answers.shift()!
			if (Array.isArray(next)) for (const listener of this.#commitListeners) listener(next)
			else if ('value' in next.outcome!) next.resolve(next.outcome.value as never)
			else next.reject(next.outcome!.error)
		}
		this.#answering = this.#answers.size > 0
		if (this.#answering) setImmediate(() => this.#answer())
		else this.#settleIdle()
	}

	#settleIdle(): void {
		if (!this.#quiet) return
		for (const resolve of this.#idle.splice(0)) resolve()
	}

	/** No more writes, for good: this group may or may not be durable, all that came after it is not. */
	#stop(error: Error, undecided: Job[] = []): void {
		if (this.stopped) return
		this.stopped =
			error instanceof Fenced || error instanceof StorageUnavailable ? error : new StorageUnavailable(stoppedText, { cause: error })
		for (const job of undecided) job.reject(error instanceof Fenced ? error : new OutcomeUnknown(unknownText, { cause: error }))
		for (const job of this.#forming.jobs) job.reject(this.stopped)
		while (this.#queue.size > 0) this.#queue.shift()!.reject(this.stopped)
		this.#forgetUncommitted()
		this.#forming.jobs = []
		this.#inFlight = null
		for (const listener of this.#stopListeners) listener(error)
		this.#settleIdle()
	}

	#watchTimeouts(): void {
		const now = performance.now()
		const { stepTimeoutMs, writeTimeoutMs } = this.#options
		if (this.#step && now - this.#step.since > stepTimeoutMs) this.#step.abort(new Error('A step took too long.'))
		const group = this.#inFlight
		if (!group || now - group.since <= writeTimeoutMs) return
		// The group stays first in line: nothing is appended behind it until the engine has decided it.
		for (const job of group.jobs.splice(0)) job.reject(new OutcomeUnknown(unknownText))
		const waiting = this.#forming.jobs
		this.#forgetUncommitted()
		for (const job of waiting.reverse()) this.#queue.unshift(job)
		for (const job of this.#queue.takeWhere((job) => now - job.since > writeTimeoutMs)) {
			job.reject(new StorageUnavailable('The database does not answer.'))
		}
	}
}

const unknownText = 'Whether this was stored is not known.'
const stoppedText = 'A write to the database failed. To be safe, nothing more is written until the server is started again.'
