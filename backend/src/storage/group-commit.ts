/**
 * Steps and group commit: the only concurrency there is.
 *
 * Promises that steps run one after another and are made durable in their order, in groups; that a
 * step is answered when all that it saw is durable; that what was built on a group that failed runs
 * again. A step is answered exactly once. Never reads or writes the database but through its port.
 */
import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StoredRecord } from './collections.ts'
import type { Committed } from './committed.ts'
import { EarlyReads, type Reading, RecentLayers } from './early.ts'
import { type Engine, type Entry, Fenced, type Head, OutcomeUnknown, StorageFull, StorageUnavailable } from './engine.ts'
import { entryLine, entryPut, sealEntry } from './journal.ts'
import { Layer } from './overlay.ts'
import { Queue } from './queue.ts'
import { StepTx } from './step.ts'
import type { Tx } from './store.ts'

type AnyRecords = Record<string, StoredRecord>

export interface CommitOptions {
	/** The number of the records' form that is written now; changes once, at the end of a migration. */
	schema: () => number
	/** How long a write waits for the database before its caller is told. */
	writeTimeoutMs: number
	/** How long one step may take. */
	stepTimeoutMs: number
}

const limits = {
	groupOperations: 1_000,
	groupBytes: 8 * 1024 * 1024,
	waitingSteps: 20_000,
	/** Groups that may be waiting to be readable while the next one is made durable. */
	applyingGroups: 1,
	/** Steps that read early at the same time, where reads are far away. */
	earlySteps: 500,
	/** Steps run, and answers given, in one turn of the event loop. */
	stepsPerTurn: 64,
	answersPerTurn: 32,
	/** A commit that took longer means a slow disk: then the next group is held to fill up (facts: p50 a third better). */
	slowCommitMs: 3,
	holdOfLastCommit: 0.6,
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
	/** What it read while it waited. */
	early: EarlyReads | null
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

export class GroupCommit {
	readonly #engine: Engine
	readonly #committed: Committed
	readonly #options: CommitOptions
	readonly #queue = new Queue<Job>()
	readonly #answers = new Queue<Job | Entry[]>()
	readonly #commitListeners = new Set<(entries: readonly Entry[]) => void>()
	readonly #stopListeners = new Set<(reason: Error) => void>()
	readonly #watch: NodeJS.Timeout
	#head: Head
	/** Where the next entry goes: after the forming group's last. */
	#next: { seq: number; hash: string }
	/** Never goes back, also when the device's clock does. */
	#clock: { ms: number; text: string }
	#forming = new Forming()
	/** Is being made durable. */
	#inFlight: Forming | null = null
	/** Are durable and being made readable, where the database does that apart; oldest first. */
	#applying: Forming[] = []
	/** Resolves when the newest group that was begun is done. */
	#done: Promise<void> = Promise.resolve()
	readonly #recent = new RecentLayers()
	/** Grows whenever uncommitted state was thrown away: steps that saw it run again. */
	#epoch = 0
	#stepping = false
	#scheduled = false
	#answering = false
	#held: NodeJS.Timeout | null = null
	#lastCommit = { ms: 0, jobs: 0 }
	/** Writes that were asked for since. */
	#arrived = 0
	/** The step that is running; `again`: what it saw was thrown away, and it waits in the queue. */
	#step: { job: Job; since: number; abort: (error: Error) => void; again: boolean } | null = null
	#idle: (() => void)[] = []
	#ending = false
	/** Why it stops once the group in flight is decided. */
	#broken: Error | null = null
	stopped: Error | null = null

	constructor(engine: Engine, committed: Committed, head: Head, options: CommitOptions) {
		this.#engine = engine
		this.#committed = committed
		this.#options = options
		this.#head = head
		this.#next = head
		this.#clock = { ms: Date.parse(head.at), text: head.at }
		this.#watch = setInterval(() => this.#watchTimeouts(), Math.min(1_000, options.writeTimeoutMs / 4)).unref()
	}

	/** Where the journal ends: all up to here is durable and readable. */
	get head(): Head {
		return this.#head
	}

	/** Takes note of what the engine forgot. */
	pruned({ pruned, prunedHash }: Head): void {
		this.#head = { ...this.#head, pruned, prunedHash }
	}

	write<T>(by: string | null, step: (tx: Tx<AnyRecords>) => Promise<T>): Promise<T> {
		if (this.stopped) return Promise.reject(this.stopped)
		if (this.#queue.size >= limits.waitingSteps) return Promise.reject(new StorageUnavailable('Too many writes are waiting.'))
		this.#arrived++
		return new Promise<T>((resolve, reject) => {
			this.#queue.push({ by, step, resolve, reject, since: performance.now(), outcome: null, wrote: false, early: null })
			this.#schedule()
		})
	}

	onCommit(listener: (entries: readonly Entry[]) => void): () => void {
		this.#commitListeners.add(listener)
		return () => this.#commitListeners.delete(listener)
	}

	onStopped(listener: (reason: Error) => void): () => void {
		this.#stopListeners.add(listener)
		return () => this.#stopListeners.delete(listener)
	}

	/** No more writes, for good, once the group in flight is decided. */
	stop(error: Error): void {
		this.#broken = error
		if (this.#pending.length === 0) this.#stop(error)
	}

	/** Waits for the writes that were taken. `ending`: a group that can't be decided in time is left undecided. */
	async drained(ending = false): Promise<void> {
		this.#ending ||= ending
		if (!this.#quiet) await new Promise<void>((resolve) => this.#idle.push(resolve))
	}

	/** Ends its timer. */
	end(): void {
		clearInterval(this.#watch)
	}

	get #quiet(): boolean {
		return !this.#stepping && this.#pending.length + this.#queue.size + this.#forming.jobs.length + this.#answers.size === 0
	}

	/** Groups that were begun and are not done, newest first. */
	get #pending(): Forming[] {
		const applying = this.#applying.toReversed()
		return this.#inFlight ? [this.#inFlight, ...applying] : applying
	}

	/** The time of an entry made now. */
	now(): string {
		const ms = Date.now()
		if (ms > this.#clock.ms) this.#clock = { ms, text: new Date(ms).toISOString() }
		return this.#clock.text
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
		for (let run = 1; this.#queue.size > 0 && !this.#forming.full && !this.stopped; run++) {
			const job = this.#queue.shift()!
			if (!job.early) this.#readEarly(job)
			await this.#runStep(job)
			if (--share <= 0) this.#flush()
			if (run % limits.stepsPerTurn === 0) await nextTurn()
		}
		this.#stepping = false
		this.#flush()
	}

	/** Where reads are far away, this step and those that wait behind it make theirs at once: each runs up to its first change, without effect. */
	#readEarly(job: Job): void {
		if (!this.#engine.remote || this.#queue.size === 0) return
		for (const next of [job, ...this.#queue.first(limits.earlySteps)]) {
			if (next.early) continue
			next.early = new EarlyReads(this.#committed, { committed: this.#recent.committed, epoch: this.#epoch })
			const tx = new StepTx(this.#place, next.early, this.#uncommitted, true) as unknown as Tx<AnyRecords>
			void (async () => next.step(tx))().catch(() => {})
		}
	}

	/** The next entry. */
	get #place() {
		return { at: this.now(), lineage: this.#head.lineage, seq: this.#next.seq + 1 }
	}

	/** Newest first. */
	get #uncommitted(): Layer[] {
		const layers = [this.#forming.layer]
		if (this.#inFlight) layers.push(this.#inFlight.layer)
		for (let i = this.#applying.length - 1; i >= 0; i--) layers.push(this.#applying[i]!.layer)
		return layers
	}

	/** What a step reads: what it read early under all that was committed since, or else what is committed now. */
	#viewOf({ early }: Job): [Reading, Layer[]] {
		const since = early?.place.epoch === this.#epoch ? this.#recent.since(early.place.committed) : null
		return early && since ? [early, [...this.#uncommitted, ...since]] : [this.#committed, this.#uncommitted]
	}

	async #runStep(job: Job): Promise<void> {
		const epoch = this.#epoch
		const tx = new StepTx(this.#place, ...this.#viewOf(job))
		job.wrote = false
		job.early = null
		try {
			const value = await new Promise((resolve, reject) => {
				this.#step = { job, since: performance.now(), abort: reject, again: false }
				job.step(tx as unknown as Tx<AnyRecords>).then(resolve, reject)
			})
			if (epoch === this.#epoch) job.wrote = this.#enter(job.by, tx)
			job.outcome = { value }
		} catch (error) {
			job.outcome = { error }
		}
		this.#step = null
		tx.end()
		// Also a step that failed or wrote nothing may have seen what is not durable yet: it is answered with its group.
		if (epoch === this.#epoch) this.#forming.jobs.push(job)
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

	// Committing: one group at a time is made durable, while those before it may still be made readable.

	#flush(): void {
		const waiting = this.#forming.jobs.length
		if (waiting === 0) this.#settleIdle()
		if (this.#inFlight || this.#applying.length > limits.applyingGroups || waiting === 0 || this.#broken) return
		const { ms, jobs } = this.#lastCommit
		if (ms > limits.slowCommitMs && this.#arrived < jobs && !this.#forming.full) {
			// Those who were just answered are about to write again: one group with them is better than two in turn.
			this.#held ??= setTimeout(() => this.#commit(), ms * limits.holdOfLastCommit)
		} else this.#commit()
	}

	#commit(): void {
		if (this.#held) clearTimeout(this.#held)
		this.#held = null
		const group = this.#forming
		this.#inFlight = group
		this.#forming = new Forming()
		group.since = performance.now()
		this.#done = this.#finish(group, group.entries.length === 0 ? null : this.#append(group), this.#done)
	}

	/** What becomes of a group, once that is known of all before it. */
	async #finish(group: Forming, appended: Promise<Error | null> | null, before: Promise<void>): Promise<void> {
		const error = await appended
		await before
		if (this.stopped) return
		if (this.#inFlight === group) this.#inFlight = null
		else this.#applying = this.#applying.filter((other) => other !== group)
		if (error) return this.#failed(group, error)
		const last = group.entries.at(-1)
		if (last) {
			this.#lastCommit = { ms: performance.now() - group.since, jobs: group.jobs.length }
			this.#arrived = 0
			this.#head = { ...this.#head, seq: last.seq, at: last.at, hash: last.hash }
			this.#committed.take(group.layer, last.seq)
			if (this.#engine.remote) this.#recent.push(group.layer)
		}
		for (const job of group.jobs) this.#answers.push(job)
		if (last) this.#answers.push(group.entries)
		if (!this.#answering) this.#answer()
		if (this.#broken && this.#pending.length === 0) return this.#stop(this.#broken)
		this.#flush()
		if (this.#queue.size > 0) this.#schedule()
	}

	/** A group is durable: it can't fail any more as if nothing had happened, and the next one may begin. */
	#durable(group: Forming): void {
		if (this.#inFlight !== group) return
		this.#inFlight = null
		this.#applying.push(group)
		this.#flush()
		if (this.#queue.size > 0) this.#schedule()
	}

	/** Null when the group is durable and readable, else why it is not (or may not be). */
	async #append(group: Forming): Promise<Error | null> {
		const { lineage, term } = this.#head
		const { entries, lines, layer } = group
		const { seq, schema, at, hash } = entries.at(-1)!
		try {
			const first = entries[0]!.seq
			const changes = layer.changes()
			await this.#engine.append({ lineage, first, last: seq, term, schema, at, hash, entries, lines, changes }, () => this.#durable(group))
			return null
		} catch (error) {
			return error as Error
		}
	}

	#failed(group: Forming, error: Error): void {
		if (!(error instanceof StorageFull || error instanceof StorageUnavailable)) {
			this.#stop(error, group)
			return
		}
		// Nothing of it happened. What wrote is told; what only looked, and all that was built on it, runs again.
		const again = [...group.jobs.filter((job) => !job.wrote), ...this.#forming.jobs]
		for (const job of group.jobs) if (job.wrote) job.reject(error)
		this.#startOver(again)
		this.#settleIdle()
		if (this.#queue.size > 0) this.#schedule()
	}

	/** Throws away what is not committed. These steps, then the one that is running, run again before all others. */
	#startOver(jobs: Job[]): void {
		this.#epoch++
		this.#forming = new Forming()
		this.#next = this.#pending.find(({ entries }) => entries.length > 0)?.entries.at(-1) ?? this.#head
		if (this.#step && !this.#step.again) {
			this.#step.again = true
			this.#queue.unshift(this.#step.job)
		}
		for (const job of jobs.reverse()) this.#queue.unshift(job)
	}

	/** Answers a few steps a turn, then tells the listeners: acknowledged first, and the event loop is never held long. */
	#answer(): void {
		this.#answering = true
		for (let i = 0; i < limits.answersPerTurn && this.#answers.size > 0; i++) {
			const next = this.#answers.shift()!
			if (Array.isArray(next)) tell(this.#commitListeners, next)
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

	/** No more writes, for good: this group and those that were begun may or may not be durable, all that came after is not. */
	#stop(error: Error, failed?: Forming): void {
		if (this.stopped) return
		this.stopped =
			error instanceof Fenced || error instanceof StorageUnavailable ? error : new StorageUnavailable(stoppedText, { cause: error })
		for (const job of failed?.jobs ?? []) job.reject(error instanceof Fenced ? error : new OutcomeUnknown(unknownText, { cause: error }))
		for (const { jobs } of this.#pending) for (const job of jobs) job.reject(new OutcomeUnknown(unknownText, { cause: error }))
		this.#inFlight = null
		this.#applying = []
		this.#startOver(this.#forming.jobs)
		while (this.#queue.size > 0) this.#queue.shift()!.reject(this.stopped)
		if (this.#held) clearTimeout(this.#held)
		tell(this.#stopListeners, error)
		this.#settleIdle()
	}

	#watchTimeouts(): void {
		const now = performance.now()
		const { stepTimeoutMs, writeTimeoutMs } = this.#options
		if (this.#step && now - this.#step.since > stepTimeoutMs) {
			this.#step.abort(this.#committed.waiting ? new StorageUnavailable(silentText) : new Error('A step took too long.'))
			return
		}
		for (const group of this.#pending.reverse()) {
			if (now - group.since <= writeTimeoutMs) break
			// The group stays first in line: nothing is appended behind it until the engine has decided it.
			for (const job of group.jobs.splice(0)) job.reject(new OutcomeUnknown(unknownText))
			this.#startOver(this.#forming.jobs)
			if (this.#ending) this.#stop(new OutcomeUnknown(unknownText))
		}
		for (const job of this.#queue.takeWhere((job) => now - job.since > writeTimeoutMs)) {
			job.reject(new StorageUnavailable(silentText))
		}
	}
}

/** A listener that throws has a defect for the process to see; here everything goes on. */
function tell<T>(listeners: ReadonlySet<(news: T) => void>, news: T): void {
	for (const listener of listeners) {
		try {
			listener(news)
		} catch (error) {
			queueMicrotask(() => {
				throw error
			})
		}
	}
}

const silentText = 'The database does not answer.'
const unknownText = 'Whether this was stored is not known.'
const stoppedText = 'A write to the database failed. To be safe, nothing more is written until the server is started again.'
