/**
 * What features see of the storage: a store of records in which every change is one journal entry.
 *
 * Promises stand at each member; core.ts keeps them. Never knows which database is below.
 */
import type { Records, StoredRecord } from './collections.ts'
import type { Entry, Position } from './engine.ts'

/** What a query may say. Every result is bounded by `limit` (at most 1,000). */
export interface FindOptions {
	after?: Position | null
	before?: Position | null
	limit: number
	/** By the index's sort field, then `(seq, id)`. Default: ascending. */
	order?: 'ascending' | 'descending'
}

/** The values of an index's key fields, in their order. */
export type KeyValues = readonly (string | number | boolean)[]

/** What a put takes: the core sets seq, rev and times (a new record may bring its own, earlier, `createdAt`). */
export type Draft<T extends StoredRecord> = Omit<T, 'seq' | 'rev' | 'createdAt' | 'updatedAt'> & Partial<StoredRecord>

/** One step's view: committed state, earlier steps' puts and its own. Unusable once the step has ended. */
export interface Tx<R extends object = Records> {
	/** The time of this step's entry. */
	readonly at: string
	/** The lineage and number of this step's entry, if it puts anything. */
	readonly lineage: string
	readonly seq: number
	get<C extends keyof R & string>(collection: C, id: string): Promise<Readonly<R[C]> | null>
	find<C extends keyof R & string>(collection: C, index: string, key: KeyValues, options: { limit: number }): Promise<Readonly<R[C]>[]>
	/** Creates or replaces. Returns the record as it will be stored. Throws `UniqueTaken` when another record holds a unique key. */
	put<C extends keyof R & string>(collection: C, record: R[C] extends StoredRecord ? Draft<R[C]> : never): Promise<Readonly<R[C]>>
	/** No effect when there is no such record. */
	remove(collection: keyof R & string, id: string): Promise<void>
}

export interface Store<R extends object = Records> {
	/**
	 * One atomic, journaled step by `by` (a user's id, null for the server). May be run again, and early up to
	 * its first change, without effect: so it awaits nothing but `tx` and changes nothing else. Resolves with the step's value when its entry
	 * is durable and readable. A step that throws leaves nothing; one that puts nothing makes no entry.
	 * Throws what the step throws, `StorageFull`, `OutcomeUnknown`, `Fenced` or `StorageUnavailable`.
	 */
	write<T>(by: string | null, step: (tx: Tx<R>) => Promise<T>): Promise<T>
	/** Committed state. Null when there is no such record. */
	get<C extends keyof R & string>(collection: C, id: string): Promise<Readonly<R[C]> | null>
	getMany<C extends keyof R & string>(collection: C, ids: readonly string[]): Promise<(Readonly<R[C]> | null)[]>
	find<C extends keyof R & string>(collection: C, index: string, key: KeyValues, options: FindOptions): Promise<Readonly<R[C]>[]>
	/** The journal after `after` up to the head at the time of each read. Throws `CursorUnknown` where it is pruned or ahead. */
	entries(options: { after: number; limit?: number }): AsyncIterable<Entry>
	/** The last committed entry: its place is what pages carry as their cursor. */
	readonly head: { lineage: string; seq: number; at: string; pruned: number }
	/** Called once per commit group, in order, after its writes were acknowledged. Returns the way to stop. */
	onCommit(listener: (entries: readonly Entry[]) => void): () => void
	/** Called once when the store can no longer write: fenced, or a write failed for good. */
	onStopped(listener: (reason: Error) => void): () => void
	/** Null while the store takes writes; else why it does not. */
	readonly stopped: Error | null
	/** True while it is not sure that this process still is the one that writes: what it knows may be old, and nothing may be answered. */
	readonly doubtful: boolean
	/** Everything at exactly one seq, while writes go on. */
	exportAt(): Promise<{ lineage: string; seq: number; records: AsyncIterable<{ collection: keyof R & string; record: StoredRecord }> }>
	/** Restore: all or nothing, and a new lineage that counts on from `seq`. The store is closed afterwards. */
	replaceAll(source: { seq: number; records: AsyncIterable<{ collection: string; record: StoredRecord }> }): Promise<void>
	/**
	 * Puts these records in place of the present ones, many of them in several steps, and blanks every earlier payload of
	 * them, in the journal too. Cut short, it is to be done again.
	 */
	erase(by: string | null, targets: readonly { collection: keyof R & string; record: { id: string } }[]): Promise<void>
	/** Forgets journal entries older than `before`, never the newest group. */
	prune(before: Date): Promise<void>
	close(): Promise<void>
}

/** A unique key is another record's: in `index` of `collection`, held by the record `holder`. */
export class UniqueTaken extends Error {
	override name = 'UniqueTaken'
	readonly collection: string
	readonly index: string
	readonly holder: string
	constructor(collection: string, index: string, holder: string) {
		super(`Another record of ${collection} has this ${index}.`)
		this.collection = collection
		this.index = index
		this.holder = holder
	}
}

/** The journal does not reach back to this place (pruned), or not yet forward (ahead). */
export class CursorUnknown extends Error {
	override name = 'CursorUnknown'
	readonly reason: 'pruned' | 'ahead'
	constructor(reason: 'pruned' | 'ahead') {
		super(reason === 'pruned' ? 'The journal no longer reaches back so far.' : 'The journal does not reach so far.')
		this.reason = reason
	}
}
