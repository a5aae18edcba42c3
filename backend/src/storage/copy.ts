/**
 * Copies a whole database into an empty other one, of either engine, and compares both record by record.
 *
 * Promises that nothing of the source changes, that the target is empty or whole at any moment, and that nothing
 * counts as copied before counts and hashes are equal. Holds the writer lock of both sides; waits for nobody who lives.
 */
import assert, { AssertionError } from 'node:assert/strict'
import { createHash, type Hash } from 'node:crypto'
import { accessSync, constants, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { collections, type StoredRecord } from './collections.ts'
import { openCore } from './core.ts'
import { type Database, Fenced, type Head, OutcomeUnknown, SILENCE_MS, StorageFull, StorageUnavailable } from './engine.ts'
import { canonical } from './journal.ts'
import { tryLock } from './lock.ts'
import { migrations, schemaOf, upgrader } from './migrations.ts'
import { findDatabase, INSTALLATION, newer, noteInstallation, type OpenOptions, readNote } from './open.ts'
import type { Store } from './store.ts'

/** One of the two databases. With `mongodb`, `folder` is the data folder here: it has room, and its lock says who writes from here. */
export type Side = Pick<OpenOptions, 'folder' | 'mongodb' | 'writeTimeoutMs'>

export interface CopyOptions {
	from: Side
	to: Side
	/** The data folder that notes the copy as its database, as the last step of all. */
	noteIn: string | null
	progress: CopyProgress
	signal: AbortSignal
}

/** Hears how far it is. */
export interface CopyProgress {
	/** `watching`: somebody may be writing there, which is seen after a while. */
	begin(doing: 'watching' | 'reading' | 'copying' | 'comparing', place: string): void
	/** So many records of this collection are done; `part` of it, from 0 to 1: how far its last one is in the journal. */
	record(collection: string, records: number, part: number): void
}

export interface CopyResult {
	seq: number
	from: { engine: Database['engine']; place: string }
	to: { engine: Database['engine']; place: string }
	/** An earlier run had made the copy: this one compared it. */
	already: boolean
	/** In the order of collections; equal on both sides. */
	collections: { name: string; records: number; hash: string }[]
	/** What is not carried over. */
	left: string[]
}

/** Somebody writes one of the two. */
export class Busy extends StorageUnavailable {
	override name = 'Busy'
}
/** One of the two is not what was written. */
export class Damaged extends StorageUnavailable {
	override name = 'Damaged'
}

type AnyStore = Store<Record<string, StoredRecord>>
/** By collection: how many records, and the hash of their canonical JSON, a line each, in the order of an export. */
type Tally = Map<string, { records: number; hash: Hash }>

const schema = schemaOf(migrations)
const left = Object.keys(collections).filter((name) => collections[name as keyof typeof collections].volatile)
/** A writer that is well shows it within its silence; looked at a little longer, it must have. */
const LOOK_MS = 2_000

/** Copies everything at one `seq`. Throws `StorageUnavailable` (`Busy`, `Damaged`) with the next step, or the signal's reason. */
export async function copyDatabase(options: CopyOptions): Promise<CopyResult> {
	await using ending = new AsyncDisposableStack()
	try {
		return await copy(options, ending)
	} catch (error) {
		if (options.signal.aborted) throw options.signal.reason
		throw explained(error)
	}
}

async function copy({ from, to, noteIn, progress, signal }: CopyOptions, ending: AsyncDisposableStack): Promise<CopyResult> {
	if (!from.mongodb && !holdsDatabase(from.folder)) throw nothing(from.folder)
	const folders = [from.folder, to.folder, noteIn].flatMap((folder) => (folder === null ? [] : makeFolder(folder)))
	for (const folder of new Set(folders)) ending.defer(lock(folder))
	const find = async (side: Side) => {
		const database = await findDatabase(makeFolder(side.folder), side)
		ending.defer(() => database.close())
		return database
	}
	const source = await find(from)
	const target = await find(to)
	if (source.engine === target.engine && source.place === target.place) throw same(target)

	// All that can be refused is refused before anything is changed.
	const free = (database: Database, side: Side) => refuseWriter(database, side, signal, () => progress.begin('watching', database.place))
	await free(source, from)
	const head = await headOf(source)
	if (head === null || head.seq === 0) throw nothing(source.place)
	if (head.schema > schema) throw newer(head.schema, schema)
	await free(target, to)
	const there = await headOf(target)
	if (there?.lineage === head.lineage) throw same(target)
	// What began at the source's place and took no entry since may be the copy of an earlier run.
	const already = there !== null && there.seq === head.seq && there.pruned === there.seq
	if (!already && there !== null && there.seq > 0) throw notEmpty(target, there)
	if (noteIn !== null) refuseNote(noteIn, [source.engine, head], [target.engine, there])
	signal.throwIfAborted()

	const store = await open(source, ending)
	const read = async (whose: AnyStore, { engine, place }: Database, doing: 'copying' | 'comparing') => {
		// What changes while it is read is read as a whole first.
		if (engine === 'mongodb') progress.begin('reading', place)
		const all = await orAborted(whose.exportAt(), signal)
		progress.begin(doing, place)
		const tally: Tally = new Map(
			Object.keys(collections).flatMap((name) => (left.includes(name) ? [] : [[name, { records: 0, hash: createHash('sha256') }]])),
		)
		return { seq: all.seq, tally, records: counted(all, tally, progress, signal) }
	}
	const sent = await read(store, source, already ? 'comparing' : 'copying')
	if (already) for await (const _ of sent.records);
	else {
		if (there === null) await target.create(schema)
		const empty = await open(target, ending)
		if (empty.head.seq > 0) throw notEmpty(target, empty.head)
		await empty.replaceAll(sent)
	}

	const again = await find(to)
	await free(again, to)
	const made = await open(again, ending)
	const stored = await read(made, again, 'comparing')
	for await (const _ of stored.records);
	const equal = compare(sent.tally, stored.tally, again)
	// Who took the source over meanwhile may have written to it.
	if (store.stopped) throw store.stopped
	if (store.doubtful) throw busy(source)
	signal.throwIfAborted()
	if (noteIn !== null) {
		const id = (await store.get('system', INSTALLATION)) as { value?: string } | null
		assert(id?.value, 'the installation has no id.')
		noteInstallation(noteIn, { id: id.value, engine: target.engine, lineage: made.head.lineage })
	}
	return { seq: sent.seq, from: source, to: target, already, collections: equal, left }
}

/** Whether there are files of an embedded database, whole or not. */
export function holdsDatabase(folder: string): boolean {
	const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory()
	return isFolder === true && readdirSync(folder).some((name) => /^lineage$|^chat-[0-9a-f]{24}\.db/.test(name))
}

/** Its one name, however it was written. */
function makeFolder(folder: string): string {
	try {
		mkdirSync(folder, { recursive: true })
		accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
		return realpathSync(resolve(folder))
	} catch (error) {
		throw new StorageUnavailable(`The folder ${folder} can't be written (${(error as NodeJS.ErrnoException).code}).`, {
			hint: 'Change its owner, or name another folder.',
			cause: error,
		})
	}
}

/** Takes the folder's lock; returns the way to release it. */
function lock(folder: string): () => void {
	const held = tryLock(folder)
	if (held) return held.release
	throw new Busy(`A server, or another copy, has the data folder ${folder}.`, {
		hint: 'Stop the server first. When it runs for other data, set DATA_DIR to another folder for this command. Nothing was changed.',
	})
}

/** Throws `Busy` where a living process writes the database; one that died is not waited for any longer than it takes to know. */
export async function refuseWriter(
	database: Database,
	side: Pick<Side, 'mongodb'>,
	signal: AbortSignal,
	onWatch: () => void,
): Promise<void> {
	const alive = new AbortController()
	const over = new AbortController()
	const onWait = () => {
		onWatch()
		const ms = (side.mongodb?.silenceMs ?? SILENCE_MS) + LOOK_MS
		sleep(ms, undefined, { signal: over.signal }).then(
			() => alive.abort(),
			() => {},
		)
	}
	try {
		await database.free(onWait, AbortSignal.any([signal, alive.signal]))
	} catch (error) {
		throw alive.signal.aborted ? busy(database) : error
	} finally {
		over.abort()
	}
}

async function headOf(database: Database): Promise<Head | null> {
	try {
		return await database.head()
	} catch (error) {
		throw unreadable(database, error)
	}
}

/** Opens it as openStore does, but for the note, which may be about another database. */
async function open(database: Database, ending: AsyncDisposableStack): Promise<AnyStore> {
	const engine = await database.open().catch((error) => {
		throw unreadable(database, error)
	})
	if (!engine) throw busy(database)
	ending.defer(() => engine.close())
	const upgrade = migrations.length > 0 ? { upgrade: upgrader(migrations) } : {}
	const store = await openCore(engine, { specs: collections, schema: () => schema, ...upgrade })
	ending.defer(() => store.close())
	return store
}

/** The records that are carried over, counted and hashed as they pass. */
async function* counted(
	{ seq, records }: { seq: number; records: AsyncIterable<{ collection: string; record: StoredRecord }> },
	tally: Tally,
	progress: CopyProgress,
	signal: AbortSignal,
): AsyncGenerator<{ collection: string; record: StoredRecord }> {
	for await (const row of records) {
		signal.throwIfAborted()
		const sum = tally.get(row.collection)
		if (!sum) continue
		sum.records++
		sum.hash.update(`${canonical(row.record)}\n`)
		progress.record(row.collection, sum.records, row.record.seq / seq)
		yield row
	}
}

function compare(sent: Tally, stored: Tally, { place }: Database): CopyResult['collections'] {
	const different: string[] = []
	const equal = [...sent].map(([name, { records, hash: sum }]) => {
		const other = stored.get(name)!
		const hash = sum.digest('hex')
		if (records !== other.records || hash !== other.hash.digest('hex')) different.push(`${name} (${records} and ${other.records} records)`)
		return { name, records, hash }
	})
	if (different.length === 0) return equal
	throw new Damaged(`What is in ${place} is not equal to its source: ${different.join(', ')}.`, {
		hint: 'Do not take it for a copy: name another, empty database in --to. The source is as it was.',
	})
}

/** A note about a third database stays: what it is about would be left behind. */
function refuseNote(folder: string, ...sides: [engine: Database['engine'], head: Head | null][]): void {
	const noted = readNote(folder)
	if (!noted) return
	const known = ([engine, head]: (typeof sides)[number]) =>
		head !== null && noted.engine === engine && (noted.lineage === head.lineage || noted.next === head.lineage)
	if (sides.some(known)) return
	throw new StorageUnavailable(`The data of the installation in ${folder} is in another database than the one to be copied.`, {
		hint: 'Name its own database in --from, or leave out --switch. Nothing was changed.',
	})
}

/** What a long answer is not waited for once it is of no use. */
function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
	const aborted = Promise.withResolvers<never>()
	const onAbort = () => aborted.reject(signal.reason)
	signal.addEventListener('abort', onAbort)
	if (signal.aborted) onAbort()
	return Promise.race([answer, aborted.promise]).finally(() => signal.removeEventListener('abort', onAbort))
}

function nothing(place: string): StorageUnavailable {
	return new StorageUnavailable(`There is no database in ${place}, or nothing in it, to be copied.`, {
		hint: 'Name in --from the folder or the address with which the server was started. Nothing was changed.',
	})
}

function same({ place }: Database): StorageUnavailable {
	return new StorageUnavailable(`--from and --to are the same database, in ${place}.`, {
		hint: 'Name an empty database in --to. Nothing was changed.',
	})
}

function notEmpty({ engine, place }: Database, { lineage, seq }: Pick<Head, 'lineage' | 'seq'>): StorageUnavailable {
	const aside = join(place, `before-${lineage.slice(0, 8)}`)
	const away = `Move it away first: mkdir "${aside}" && mv "${place}/lineage" "${place}"/chat-*.db* "${aside}"`
	return new StorageUnavailable(`The database in ${place} is not empty: it has ${seq} entries.`, {
		hint: `${engine === 'sqlite' ? away : 'Name another database in the address of --to'}. Nothing was changed.`,
	})
}

function busy({ place }: Database): Busy {
	return new Busy(`Another server writes the database in ${place}.`, { hint: 'Stop it first, then run this command again.' })
}

/** What stands in the way of reading a database, for the operator. */
export function unreadable({ place }: Pick<Database, 'place'>, error: unknown): unknown {
	if (error instanceof StorageUnavailable || error instanceof StorageFull || error instanceof Fenced) return error
	return new Damaged(`The database in ${place} can't be opened: ${(error as Error).message}`, {
		hint: 'To bring its data back: ./restore.sh latest.',
		cause: error,
	})
}

/** What went wrong on the way, for the operator. */
function explained(error: unknown): unknown {
	if (error instanceof StorageUnavailable) return error
	const { message, code, errcode = 0 } = error as Error & { code?: string; errcode?: number }
	const sqlite = errcode & 0xff
	if (error instanceof Fenced) return new Busy(message, { hint: 'Stop it, then run this command again.', cause: error })
	if (error instanceof StorageFull || code === 'ENOSPC' || sqlite === SQLITE.full) {
		const hint = 'Free some space, then run this command again. The source is as it was, and the target is empty.'
		return new StorageUnavailable('There is no room for the copy.', { hint, cause: error })
	}
	if (error instanceof OutcomeUnknown) {
		return new StorageUnavailable(message, { hint: 'Run this command again: it looks at what is there.', cause: error })
	}
	const damaged = error instanceof AssertionError || error instanceof SyntaxError || sqlite === SQLITE.corrupt || sqlite === SQLITE.foreign
	if (!damaged) return error
	return new Damaged(`The copy could not be made: ${message}`, { hint: 'The source is as it was. Do not use the target.', cause: error })
}

const SQLITE = { corrupt: 11, full: 13, foreign: 26 }
