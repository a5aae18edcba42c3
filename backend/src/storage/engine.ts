/**
 * The port between the journal core and a database: what an engine appends, reads and copies.
 *
 * An engine promises that `append` is durable and applied as a whole or not at all, that it
 * throws `Fenced` once another process has taken over, and that reads see only applied
 * entries. It never decides anything: order, keys, uniqueness and hashes come from the core.
 */
import type { StoredRecord } from './collections.ts'

/** One record in an entry. `record` and `salt` are null once its payload was erased; `digest` stays. */
export interface EntryPut {
	collection: string
	id: string
	record: StoredRecord | null
	salt: string | null
	/** SHA-256 over the salt and the record's canonical JSON, base64url. */
	digest: string
}

/** One atomic step. `hash` chains the previous entry's hash with everything here but payloads. */
export interface Entry {
	lineage: string
	seq: number
	term: number
	/** Never before the previous entry's. */
	at: string
	/** The user who did it, or null for the server itself. */
	by: string | null
	schema: number
	puts: EntryPut[]
	removes: { collection: string; id: string }[]
	hash: string
}

/** Where a journal ends. */
export interface Head {
	lineage: string
	seq: number
	term: number
	/** Of the records' form. */
	schema: number
	at: string
	hash: string
	/** The journal reaches back to the entry after this one. */
	pruned: number
	/** Hash of the entry `pruned`: where the chain that is left begins. */
	prunedHash: string
}

/** A record's index keys, as the core computed them: per index the encoded keys, and the sort value where declared. */
export type Keys = Record<string, { keys: string[]; sort: string | number | null }>

/** What a group does to one record in the end. `json` is the canonical JSON, null when the record goes (by the entry `rev`). */
export interface GroupChange {
	collection: string
	id: string
	seq: number
	rev: number
	/** Position among the records of its collection born in the same entry, by id: 0 to 999. */
	ordinal: number
	/** Whether the database has a record of this id before the group; it goes first where the new one was born. */
	existed: boolean
	born: boolean
	json: string | null
	keys: Keys
}

/** Entries that become durable together: all or none. */
export interface EntryGroup {
	lineage: string
	first: number
	last: number
	term: number
	schema: number
	at: string
	/** Hash of the last entry. */
	hash: string
	entries: Entry[]
	/** The entries as canonical JSON without what the group says for all (lineage, term, schema), one a line. */
	lines: string[]
	changes: GroupChange[]
}

/** A place in the order of an index. */
export interface Position {
	sort: string | number | null
	seq: number
	id: string
}

/** What `find` asks of an index: records with exactly `key` (or, with `prefix`, keys that begin so). */
export interface EngineQuery {
	key: string
	prefix: boolean
	after: Position | null
	before: Position | null
	limit: number
	order: 'ascending' | 'descending'
}

/** Everything at one seq, in the order of collections, then `(seq, id)`. */
export interface Export {
	head: Head
	records: AsyncIterable<{ collection: string; record: StoredRecord }>
}

/** What `replace` loads: records in export order, with the keys and ordinals the core computed. */
export interface Replacement {
	/** Where the new lineage begins: nothing of its journal is left before `seq`. */
	lineage: string
	seq: number
	schema: number
	at: string
	records: AsyncIterable<GroupChange>
}

/** Records of one collection, in export order. */
export interface Page {
	collection: string
	/** The entries in which its first and its last record were born. */
	first: number
	last: number
	records: number
	/** Canonical JSON as it is stored, a line each, without a newline at its end; with bytes of its own. */
	text: Uint8Array<ArrayBuffer>
}

/** Entries, in their order, with whose records a page ends; by collection. */
export type Ends = Readonly<Record<string, readonly number[]>>

/** Everything at one seq, read beside a process that may go on writing. */
export interface Snapshot {
	readonly head: Head
	get(collection: string, id: string): Promise<StoredRecord | null>
	/** In export order; up to the last of `ends` each holds all from one to the next, after it about a hundred records. To be gone through once. */
	pages(ends?: Ends): AsyncIterable<Page>
	/** Must be called. */
	close(): Promise<void>
}

/** How long a write waits for the database, unless it is set. */
export const WRITE_TIMEOUT_MS = 15_000
/** After how long a silence a writer elsewhere may be followed, unless it is set. */
export const SILENCE_MS = 15_000

/** What only a database on the other side of a network has. */
export interface Remote {
	/** True while this process could not make sure for long that it is still the one that writes: then nothing may be answered. */
	readonly doubtful: boolean
	/** Resolves when another process has taken over. */
	readonly takenOver: Promise<Fenced>
}

/** At most ten methods, so that a second database stays a thin file. Opening is `Database`'s. */
export interface Engine {
	/** Present where every read costs a round trip. */
	readonly remote?: Remote | undefined
	/**
	 * Durable and applied when it resolves. Throws `Fenced`, `StorageFull` or `StorageUnavailable` (nothing happened), or
	 * `OutcomeUnknown`. Where applying takes a way of its own, `onDurable` is called before it: the next group may come then.
	 */
	append(group: EntryGroup, onDurable?: () => void): Promise<void>
	getMany(collection: string, ids: readonly string[]): Promise<(StoredRecord | null)[]>
	find(collection: string, index: string, query: EngineQuery): Promise<StoredRecord[]>
	/** At least one whole group from the entry after `after` on, about `limit` entries, in order; empty at the end. */
	entries(after: number, limit: number): Promise<Entry[]>
	head(): Promise<Head>
	export(): Promise<Export>
	/** Builds the new state beside the old, checks it, and commits it at one moment. The engine is closed afterwards. */
	replace(replacement: Replacement): Promise<void>
	/** Forgets the groups that ended before this time, never the newest group. */
	prune(before: string): Promise<void>
	/** Blanks the payloads of these records in all entries below each `rev`. */
	erase(targets: readonly { collection: string; id: string; rev: number }[]): Promise<void>
	close(): Promise<void>
}

/** A database that is not open yet: what open.ts asks of each engine. All throw `StorageUnavailable`, with the next step. */
export interface Database {
	readonly engine: 'sqlite' | 'mongodb'
	/** Where it is, for people: without credentials. */
	readonly place: string
	/** What MongoDB's tools call it. */
	readonly name: string
	/** Waits until no other process writes it. `onWait` is called once, when it has to. */
	free(onWait?: () => void, signal?: AbortSignal): Promise<void>
	/** Where its journal ends; null: there is no database yet. Changes nothing but to finish a restore that is committed. */
	head(): Promise<Head | null>
	/** Makes an empty one of a new lineage. Killed anywhere: there is none, or a whole one. */
	create(schema: number): Promise<void>
	/** Opens it for writing: whoever did before gets `Fenced`. Null when another process was faster: wait again. */
	open(): Promise<Engine | null>
	/** Reads it while another process may write it: takes no term, applies nothing. */
	read(): Promise<Snapshot>
	/** Puts this state in the place of whatever is there, whole, broken or nothing. Killed anywhere: the old state or the new. */
	replace(replacement: Replacement): Promise<void>
	/** Copies what is there as it is into a new folder, without reading it, and syncs the bytes. Nobody writes it meanwhile. */
	keep(folder: string): Promise<void>
	/** Builds this state as `replace` does, but apart, where nobody uses it; it is gone when the snapshot is closed. `folder` has room. */
	scratch(folder: string, replacement: Replacement): Promise<Snapshot>
	/** Lets go of what was needed until here; not needed once it is open. */
	close(): Promise<void>
}

/** Another process has taken over: this one must stop serving at once. */
export class Fenced extends Error {
	override name = 'Fenced'
}
/** The disk is full: nothing was written, reading goes on, and writing works again when there is space. */
export class StorageFull extends Error {
	override name = 'StorageFull'
}
/** The write may or may not be durable. Nothing is written after this until the database is opened anew. */
export class OutcomeUnknown extends Error {
	override name = 'OutcomeUnknown'
}
/** The database can't be reached or used now. `hint` is the next step for the operator. */
export class StorageUnavailable extends Error {
	override name = 'StorageUnavailable'
	readonly hint: string | undefined
	constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
		super(message, { cause: options.cause })
		this.hint = options.hint
	}
}
/** There is no database at all where one was to be read. */
export class NoDatabase extends StorageUnavailable {
	override name = 'NoDatabase'
}
