/**
 * A whole database at once: read beside its writer, put in the place of another, or loaded where nobody uses it.
 *
 * Promises that reading changes nothing, that a replacement is there as a whole or not at all, whatever state the
 * present database is in, and that a living writer is refused. Records of an older schema become today's on the way in.
 */
import { AssertionError } from 'node:assert'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { collections } from './collections.ts'
import { Busy, Damaged, refuseWriter, unreadable } from './copy.ts'
import type { Database, Ends, Head, Page, Replacement, Snapshot } from './engine.ts'
import { tryLock } from './lock.ts'
import { migrations, schemaOf, upgrader } from './migrations.ts'
import { findDatabase, forget, INSTALLATION, newer, noteInstallation, type OpenOptions, readNote } from './open.ts'
import { type Loaded, replacements } from './replacements.ts'

/** Everything at the entry `head.seq`. */
export interface Reading {
	engine: Database['engine']
	/** Where the database is, for people. */
	place: string
	/** What MongoDB's tools call it. */
	database: string
	/** The installation's id; null where it has none yet. */
	installation: string | null
	head: Head
	/** In export order; up to the last of `ends` each holds all from one to the next, after it about a hundred records. To be gone through once. */
	pages(ends?: Ends): AsyncIterable<Page>
	/** Must be called. */
	close(): Promise<void>
}

/** What is loaded: records in export order, as they stood after the entry `seq`, in the form of `schema`. */
export interface Source {
	seq: number
	schema: number
	records: AsyncIterable<Loaded>
}

type Place = Pick<OpenOptions, 'folder' | 'mongodb' | 'writeTimeoutMs' | 'signal'>

/** Reads everything at one moment: takes no lock, and the writer goes on. Throws `StorageUnavailable` with the next step. */
export async function openReading(options: Place): Promise<Reading> {
	const database = await find(options)
	return readingOf(database, () =>
		database.read().catch((error) => {
			throw unreadable(database, error)
		}),
	)
}

/** Loads records where nobody uses them, by the code of a restore, to be read and compared; `close` removes them. `folder` does not exist yet. Throws as `replaceDatabase` does. */
export async function openScratch(options: Place, source: Source, folder: string): Promise<Reading> {
	const database = await find(options)
	mkdirSync(dirname(folder), { recursive: true })
	return readingOf(database, () => loading(() => database.scratch(folder, replacementOf(source))))
}

/** Keeps a database that can't be read as it is, in a folder that does not exist yet. Nobody writes it meanwhile. */
export async function keepUnread(options: Place, folder: string): Promise<void> {
	const database = await find(options)
	try {
		await database.keep(folder)
	} finally {
		await database.close()
	}
}

/**
 * Puts records in the place of the present database, which may be whole, broken or missing, in a new lineage. Holds the
 * writer lock meanwhile. Throws `Busy` where a server lives, `Damaged` where the records contradict themselves,
 * `StorageUnavailable`, `StorageFull`, or what `source` throws: then everything is as it was. `onReplacing` hears the
 * lineage before anything is built.
 */
export async function replaceDatabase(
	options: Place,
	source: Source,
	hooks: { onReplacing?(lineage: string): void } = {},
): Promise<{ lineage: string }> {
	const database = await find(options)
	try {
		const folder = resolve(options.folder)
		const lock = tryLock(folder)
		if (!lock) throw new Busy(`A server has the data folder ${folder}.`, { hint: 'Stop it first. Nothing was changed.' })
		try {
			await refuseWriter(database, options, options.signal ?? new AbortController().signal, () => {})
			return await replace(database, folder, source, hooks)
		} finally {
			lock.release()
		}
	} finally {
		await database.close()
	}
}

async function replace(
	database: Database,
	folder: string,
	source: Source,
	{ onReplacing }: { onReplacing?(lineage: string): void },
): Promise<{ lineage: string }> {
	await using from = await identified(source.records)
	const { id, records } = from
	const replacement = replacementOf({ ...source, records })
	const { lineage } = replacement
	const { engine } = database
	onReplacing?.(lineage)
	const noted = readNote(folder)
	// A note of another database would contradict the new one; where there is none, the one that is there is accepted.
	if (noted && noted.id === id && noted.engine === engine) noteInstallation(folder, { ...noted, next: lineage })
	else forget(folder)
	await loading(() => database.replace(replacement))
	if (id === null) forget(folder)
	else noteInstallation(folder, { id, engine, lineage })
	return { lineage }
}

async function find(options: Place): Promise<Database> {
	const folder = resolve(options.folder)
	mkdirSync(folder, { recursive: true })
	return findDatabase(folder, options)
}

/** The database is closed with the reading, or when there is none. */
async function readingOf(database: Database, open: () => Promise<Snapshot>): Promise<Reading> {
	const { engine, place, name } = database
	try {
		const snapshot = await open()
		const close = () => snapshot.close().finally(() => database.close())
		try {
			const noted = (await snapshot.get('system', INSTALLATION)) as { value?: string } | null
			const pages = (ends?: Ends) => explained(snapshot.pages(ends), database)
			return { engine, place, database: name, installation: noted?.value ?? null, head: snapshot.head, pages, close }
		} catch (error) {
			await close()
			throw unreadable(database, error)
		}
	} catch (error) {
		await database.close()
		throw error
	}
}

async function* explained(pages: AsyncIterable<Page>, database: Database): AsyncGenerator<Page> {
	try {
		yield* pages
	} catch (error) {
		throw unreadable(database, error)
	}
}

async function loading<T>(work: () => Promise<T>): Promise<T> {
	try {
		return await work()
	} catch (error) {
		if (!(error instanceof AssertionError)) throw error
		throw new Damaged(`What was to be loaded is not whole: ${error.message}`, {
			hint: 'Take another backup. Nothing was changed.',
			cause: error,
		})
	}
}

function replacementOf({ seq, schema, records }: Source): Replacement {
	const known = schemaOf(migrations)
	if (schema > known) throw newer(schema, known)
	const upgraded = async function* () {
		const upgrade = upgrader(migrations)
		for await (const { collection, record } of records) yield { collection, record: upgrade(collection, record, schema) }
	}
	const lineage = randomBytes(12).toString('hex')
	const at = new Date().toISOString()
	return { lineage, seq, schema: known, at, records: replacements(collections, { seq, records: schema === known ? records : upgraded() }) }
}

/** The id that these records give their installation: it is in the first collection. The records are to be read from what is given back. */
async function identified(records: Source['records']): Promise<{ id: string | null; records: Source['records'] } & AsyncDisposable> {
	const iterator = records[Symbol.asyncIterator]()
	const first: Loaded[] = []
	let done = false
	while (!done) {
		const next = await iterator.next()
		done = next.done === true
		if (next.done) break
		first.push(next.value)
		if (next.value.collection !== 'system') break
	}
	const own = first.find(({ collection, record }) => collection === 'system' && record.id === INSTALLATION)
	const all = async function* () {
		yield* first
		if (!done) yield* { [Symbol.asyncIterator]: () => iterator }
	}
	return {
		id: (own?.record as { value?: string } | undefined)?.value ?? null,
		records: all(),
		// Also where they were never read.
		async [Symbol.asyncDispose]() {
			await iterator.return?.()
		},
	}
}
