/**
 * What the tests of the store share: small collections, an engine with a gate, and a check of everything stored.
 *
 * The gate is a double of the port, never of our own parts: it delays and fails what a real
 * database delays and fails. Nothing here knows which database is below.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { CollectionSpec, StoredRecord } from '../../backend/src/storage/collections.ts'
import { type CoreOptions, openCore } from '../../backend/src/storage/core.ts'
import type { Engine, EngineQuery, EntryGroup, Remote, Replacement } from '../../backend/src/storage/engine.ts'
import { verifyEntries } from '../../backend/src/storage/journal.ts'
import { comparePositions, keysOf } from '../../backend/src/storage/keys.ts'
import type { Store } from '../../backend/src/storage/store.ts'

export interface Person extends StoredRecord {
	name: string
	mail: string | null
	team: string | null
	rank?: number | string | null
}
export interface Note extends StoredRecord {
	topic: string
	slot: string | null
	tags: (string | number)[]
	rank?: number | string | null
	text: string
}
export interface Law extends StoredRecord {
	text: string
}
export interface Ticket extends StoredRecord {
	holder: string
}
export interface TestRecords {
	people: Person
	notes: Note
	laws: Law
	tickets: Ticket
}
export type TestStore = Store<TestRecords>

/** Every kind of index, a permanent collection and a volatile one. */
export const specs: Readonly<Record<keyof TestRecords, CollectionSpec>> = {
	people: {
		indexes: {
			mail: { key: [{ folded: 'mail' }], unique: true },
			words: { key: [{ words: 'name' }], prefix: true },
			team: { key: ['team'], sort: 'rank' },
			teamName: { key: ['team', 'name'], prefix: true },
		},
		ids: [],
		times: [],
	},
	notes: {
		indexes: {
			topic: { key: ['topic'] },
			place: { key: ['topic', 'slot'], unique: true },
			tag: { key: [{ each: 'tags' }] },
			tagRank: { key: [{ each: 'tags' }], sort: 'rank' },
		},
		ids: [],
		times: [],
	},
	laws: { indexes: {}, ids: [], times: [], permanent: true },
	tickets: { indexes: { holder: { key: ['holder'], unique: true } }, ids: [], times: [], volatile: true },
}

/** One database of an engine under test. */
export interface TestDatabase {
	/** Opens it for writing with no lock in the way: an engine that was opened before is fenced from then on. */
	open(): Promise<Engine>
	/** Whether this text is anywhere in what the database keeps on the disk. Only while no engine is open. */
	holds(text: string): Promise<boolean>
	/** Throws where the database's own check finds damage. Only while no engine is open. */
	check(): Promise<void>
	remove(): Promise<void>
}

/** The n-th id. */
export const id = (n: number) => n.toString(16).padStart(24, '0')

export const person = (n: number, more: Partial<Person> = {}) => ({ id: id(n), name: `Person ${n}`, mail: null, team: null, ...more })
export const note = (n: number, more: Partial<Note> = {}) => ({ id: id(n), topic: 'a', slot: null, tags: [], text: `Note ${n}`, ...more })

export function openTestStore(engine: Engine, options: Partial<CoreOptions> = {}): Promise<TestStore> {
	return openCore(engine, { specs, schema: () => 1, ...options }) as unknown as Promise<TestStore>
}

/** Reads that databases are answering now. */
let answering = 0

/** An engine whose appends and reads can be held, delayed and failed. */
export class Gate implements Engine {
	readonly #engine: Engine
	readonly remote?: Remote
	readonly #opened = Promise.withResolvers<void>()
	/** What was appended, also in vain. */
	readonly groups: EntryGroup[] = []
	/** Called with each group; may throw, before anything happened, what the port may throw. */
	before: (group: EntryGroup) => Promise<void> | void = () => {}
	/** Called once the group is durable, before it is answered. */
	after: (group: EntryGroup) => Promise<void> | void = () => {}
	/** Called when a read has its result, before it is answered. */
	afterRead: () => Promise<void> | void = () => {}

	constructor(engine: Engine) {
		this.#engine = engine
		if (engine.remote) this.remote = engine.remote
	}

	/** Holds the next appends until what it returns is called. */
	hold(): () => void {
		const { promise, resolve } = Promise.withResolvers<void>()
		this.before = () => promise
		return () => {
			this.before = () => {}
			resolve()
		}
	}

	/** From now on nothing is held or failed; what was held goes on. */
	open(): void {
		this.before = this.after = this.afterRead = () => {}
		this.#opened.resolve()
	}

	async append(group: EntryGroup, onDurable?: () => void): Promise<void> {
		this.groups.push(group)
		await Promise.race([this.before(group), this.#opened.promise])
		await this.#engine.append(group, onDurable)
		await Promise.race([this.after(group), this.#opened.promise])
	}

	async #read<T>(reading: Promise<T>): Promise<T> {
		answering++
		const result = await reading.finally(() => answering--)
		await Promise.race([this.afterRead(), this.#opened.promise])
		return result
	}

	getMany(collection: string, ids: readonly string[]) {
		return this.#read(this.#engine.getMany(collection, ids))
	}

	find(collection: string, index: string, query: EngineQuery) {
		return this.#read(this.#engine.find(collection, index, query))
	}

	entries(after: number, limit: number) {
		return this.#read(this.#engine.entries(after, limit))
	}

	head() {
		return this.#engine.head()
	}

	export() {
		return this.#engine.export()
	}

	replace(replacement: Replacement) {
		return this.#engine.replace(replacement)
	}

	prune(before: string) {
		return this.#engine.prune(before)
	}

	erase(targets: readonly { collection: string; id: string; rev: number }[]) {
		return this.#engine.erase(targets)
	}

	close() {
		return this.#engine.close()
	}
}

/** Begins a test: an open store on an empty database, all of which is checked at the end. */
export function starter(create: () => Promise<TestDatabase>) {
	return async (t: TestContext, options: Partial<CoreOptions> = {}) => {
		const database = await create()
		const gate = new Gate(await database.open())
		const store = await openTestStore(gate, options)
		t.after(async () => {
			gate.open()
			await store.close()
			await verifyAll(await database.open())
			await database.check()
			await database.remove()
		})
		return { database, gate, store }
	}
}
export type Begin = ReturnType<typeof starter>

/** The n of each record's id. */
export const numbers = (records: readonly ({ id: string } | null)[]) => records.map((record) => record && Number.parseInt(record.id, 16))
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Lets everything happen that can happen without a write to the database. */
export async function settle(): Promise<void> {
	for (let quiet = 0; quiet < 20; quiet++) {
		await turn()
		if (answering > 0) quiet = 0
	}
}

/** `done`, or why it failed. */
export function outcome(promise: Promise<unknown>): Promise<unknown> {
	return promise.then(
		() => 'done',
		(error) => error,
	)
}

/** Whether a promise is settled by now. */
export function watch(promise: Promise<unknown>): { settled: boolean } {
	const state = { settled: false }
	const settled = () => {
		state.settled = true
	}
	promise.then(settled, settled)
	return state
}

/** Everything in the store, by collection and id. */
export async function everything(store: Store<never> | TestStore): Promise<Map<string, StoredRecord>> {
	const all = new Map<string, StoredRecord>()
	const { records } = await (store as TestStore).exportAt()
	for await (const { collection, record } of records) all.set(`${collection} ${record.id}`, record)
	return all
}

/**
 * Opens the engine's database as its only user and checks all of it: the chain of hashes, the numbers,
 * that the records are what the journal says, and that every index finds them. Gives what is there.
 */
export async function verifyAll(
	engine: Engine,
	collections: Readonly<Record<string, CollectionSpec>> = specs,
): Promise<{ lineage: string; seq: number; records: Map<string, StoredRecord> }> {
	const head = await engine.head()
	const store = await openCore(engine, { specs: collections, schema: () => head.schema })
	try {
		const entries = await Array.fromAsync(store.entries({ after: head.pruned }))
		assert.equal(await verifyEntries(entries, { seq: head.pruned, hash: head.prunedHash }), head.hash)
		assert.equal(entries.at(-1)?.seq ?? head.pruned, head.seq)
		const replayed = new Map<string, StoredRecord | null | 'gone'>()
		for (const entry of entries) {
			for (const put of entry.puts) replayed.set(`${put.collection} ${put.id}`, put.record)
			for (const remove of entry.removes) replayed.set(`${remove.collection} ${remove.id}`, 'gone')
		}
		const present = await everything(store as unknown as TestStore)
		for (const [key, record] of replayed) {
			if (record === 'gone') assert.equal(present.get(key), undefined, `${key} was removed`)
			else if (record === null) assert.ok(present.has(key), `${key} was erased, not removed`)
			else assert.deepEqual(present.get(key), record, `${key} is not what the journal says`)
		}
		if (head.pruned === 0) for (const key of present.keys()) assert.ok(replayed.has(key), `${key} is not in the journal`)
		const ever = entries.flatMap(({ puts }) =>
			puts.filter(({ record }) => record !== null).map(({ collection, record }) => ({ collection, record: record! })),
		)
		for (const [name, spec] of Object.entries(collections)) {
			const now = [...present].filter(([key]) => key.startsWith(`${name} `)).map(([, record]) => record)
			const then = ever.filter(({ collection }) => collection === name).map(({ record }) => record)
			for (const index in spec.indexes) await verifyIndex(engine, spec, name, index, now, [...now, ...then])
		}
		return { lineage: head.lineage, seq: head.seq, records: present }
	} finally {
		await store.close()
	}
}

/** Every key that any form of a record ever had finds exactly the records that have it now, in order. */
async function verifyIndex(
	engine: Engine,
	spec: CollectionSpec,
	collection: string,
	index: string,
	now: StoredRecord[],
	ever: StoredRecord[],
) {
	const keysIn = (record: StoredRecord) => keysOf(spec, record)[index]!
	const place = (record: StoredRecord) => ({ sort: keysIn(record).sort, seq: record.seq, id: record.id })
	for (const key of new Set(ever.flatMap((record) => keysIn(record).keys))) {
		const expected = now.filter((record) => keysIn(record).keys.includes(key)).sort((a, b) => comparePositions(place(a), place(b)))
		const found = await engine.find(collection, index, { key, prefix: false, after: null, before: null, limit: 1_000, order: 'ascending' })
		assert.deepEqual(
			found.map((record) => record.id),
			expected.slice(0, 1_000).map((record) => record.id),
			`What ${index} of ${collection} finds under ${key}`,
		)
		if (spec.indexes[index]!.unique) assert.ok(expected.length <= 1, `${key} has one holder in ${index} of ${collection}`)
	}
}
