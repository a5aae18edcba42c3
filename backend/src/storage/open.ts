/**
 * Opens the store of an installation: takes the writer lock, picks the engine, notices accidents.
 *
 * Promises that an empty database where there was a full one is refused, that another
 * installation's or a newer program's database is refused, and that nothing is changed then.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type CollectionSpec, collections } from './collections.ts'
import { openCore } from './core.ts'
import { syncPath, writeDurably } from './durable-file.ts'
import { type Database, SILENCE_MS, StorageFull, StorageUnavailable, WRITE_TIMEOUT_MS } from './engine.ts'
import { type WriterLock, waitForLock } from './lock.ts'
import { migrations as allMigrations, type Migration, rewriteRecords, schemaOf, upgrader } from './migrations.ts'
import { findSqlite } from './sqlite-database.ts'
import type { Store } from './store.ts'

// What dumps in MongoDB's format are made of and read with.
export { Spool } from './mongo-spool.ts'

export interface OpenOptions {
	/** Holds the lock, installation.json and the embedded database. Made where missing. */
	folder: string
	/** Where backups stand: an empty database beside any backup is an accident. */
	backups: string
	/** The operator confirmed that an empty beginning is what she wants. */
	fresh?: boolean
	/** Called once when another process has the database: this one waits. */
	onStandby?: (place: string) => void
	signal?: AbortSignal
	/** How long a write waits for the database before its caller is told. */
	writeTimeoutMs?: number
	/** The database is there, and not in the folder. `inContainer`: a loopback host is the machine around it. */
	mongodb?: { uri: string; inContainer?: boolean; silenceMs?: number }
	/** Called before records are rewritten for a new schema; the default keeps an export beside the database, read back. */
	beforeMigration?: (store: Store) => Promise<void>
	/** For tests: another form of the data. */
	specs?: Readonly<Record<string, CollectionSpec>>
	migrations?: readonly Migration[]
}

type Specs = Readonly<Record<string, CollectionSpec>>

/** What installation.json notes, so that another database in its place is noticed. */
export interface Installation {
	id: string
	engine: Database['engine']
	lineage: string
	/** A restore is about to commit this lineage. */
	next?: string
}

const NOTE = 'installation.json'
/** The id of the record that holds the installation's id. */
export const INSTALLATION = '000000000000000000000001'

/** Opens the store for writing; waits as a standby while another process has it. Throws `StorageUnavailable` with a hint. */
export async function openStore(options: OpenOptions): Promise<Store> {
	const folder = resolve(options.folder)
	mkdirSync(folder, { recursive: true })
	const database = await findDatabase(folder, options)
	const { onStandby, signal } = options
	let waited = false
	const onWait = () => {
		if (!waited) onStandby?.(database.place)
		waited = true
	}
	let lock: WriterLock | undefined
	try {
		lock = await waitForLock(folder, { onWait, ...(signal && { signal }) })
		const { release } = lock
		for (;;) {
			await database.free(onWait, signal)
			const store = await openFree(database, folder, options, release)
			if (store) return store
		}
	} catch (error) {
		await database.close()
		lock?.release()
		const full = error instanceof StorageFull || (error as NodeJS.ErrnoException).code === 'ENOSPC'
		if (!full) throw error
		throw new StorageUnavailable('The disk is full, so the database can not be opened.', {
			hint: 'Free some space, then start again.',
			cause: error,
		})
	}
}

/** The database that these settings name: nothing but MONGODB_URI chooses the engine. */
export async function findDatabase(folder: string, options: Pick<OpenOptions, 'mongodb' | 'specs' | 'writeTimeoutMs'>): Promise<Database> {
	const specs = options.specs ?? collections
	if (!options.mongodb) return findSqlite(folder, specs)
	const { uri, inContainer = false, silenceMs = SILENCE_MS } = options.mongodb
	const { writeTimeoutMs = WRITE_TIMEOUT_MS } = options
	const times = { commandMs: Math.min(10_000, writeTimeoutMs), readMs: writeTimeoutMs / 2, silenceMs }
	// Its driver is a fifth of what a start loads: only who uses it waits for it.
	const [{ findMongo }, { parseAddress }] = await Promise.all([import('./mongo-database.ts'), import('./mongo-connection.ts')])
	return findMongo({ address: parseAddress(uri, inContainer), specs, times, folder })
}

/** Opens a database that nobody writes. Null when another process was faster. */
async function openFree(database: Database, folder: string, options: OpenOptions, onClosed: () => void): Promise<Store | null> {
	const specs: Specs = options.specs ?? collections
	const list = options.migrations ?? allMigrations
	const schema = schemaOf(list)
	const { backups } = options
	let noted = readInstallation(folder, database)
	let found = await whole(database, () => database.head())
	// All that can be refused is refused before anything is changed.
	if ((found === null || found.seq === 0) && !options.fresh) refuseEmpty(noted, backups)
	if (found === null) {
		// Killed from here on, the next start is a first one.
		noted = forget(folder)
		await database.create(schema)
		found = (await database.head())!
	}
	if (found.seq === 0) noted = null
	else if (options.fresh) throw hidden(database)
	if (found.schema > schema) throw newer(found.schema, schema)
	// What mongorestore loaded is of no lineage that could be noted: it is known by its id.
	const loaded = database.engine === 'mongodb' && found.term === 0
	if (noted && noted.lineage !== found.lineage && noted.next !== found.lineage && !loaded) throw another(database, folder)
	const engine = await whole(database, () => database.open())
	if (!engine) return null
	try {
		const { lineage } = found
		const note = (entry: Omit<Installation, 'id' | 'engine'>) => noteInstallation(folder, { id, engine: database.engine, ...entry })
		let written = found.schema
		const core = await openCore(engine, {
			specs,
			schema: () => written,
			...(list.length > 0 ? { upgrade: upgrader(list) } : {}),
			...(options.writeTimeoutMs === undefined ? {} : { writeTimeoutMs: options.writeTimeoutMs }),
			onReplacing: (next) => note({ lineage, next }),
			onReplaced(lineage) {
				try {
					note({ lineage })
				} catch {
					// The restore is in place, and the note accepts it already: the next start writes it anew.
				}
			},
			onClosed,
		})
		const store = core as unknown as Store
		if (written < schema) {
			await (options.beforeMigration ?? keepExport(folder, written))(store)
			await rewriteRecords(core, list, written)
			written = schema
		}
		const id = await installationId(store, noted?.id ?? null, found.schema < schema)
		if (noted && noted.id !== id) throw another(database, folder)
		note({ lineage })
		return store
	} catch (error) {
		await engine.close()
		throw error
	}
}

/** Writes the note where it says something else, or nothing. */
export function noteInstallation(folder: string, installation: Installation): void {
	const path = join(folder, NOTE)
	const text = `${JSON.stringify(installation, null, '\t')}\n`
	if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeDurably(path, text)
}

/** What the folder notes, whichever engine it names. Null: nothing yet. */
export function readNote(folder: string): Installation | null {
	const path = join(folder, NOTE)
	if (!existsSync(path)) return null
	try {
		const noted: Installation = JSON.parse(readFileSync(path, 'utf8'))
		assert(typeof noted.id === 'string' && typeof noted.engine === 'string' && typeof noted.lineage === 'string')
		return noted
	} catch {
		throw new StorageUnavailable(`${path} can't be read.`, { hint: 'It is written anew from the database when you remove it.' })
	}
}

function readInstallation(folder: string, { engine, place }: Database): Installation | null {
	const noted = readNote(folder)
	if (noted && noted.engine !== engine) {
		const path = join(folder, NOTE)
		const [there, here] =
			noted.engine === 'sqlite' ? [`the embedded database`, `MongoDB at ${place}`] : ['MongoDB', 'the embedded database']
		throw new StorageUnavailable(`This installation's data is in ${there}, says ${path}, and not in ${here}.`, {
			hint: `${noted.engine === 'sqlite' ? 'Start without MONGODB_URI' : 'Set MONGODB_URI as it was'}. To move the data: npm run copy. Nothing was changed.`,
		})
	}
	return noted
}

/** The note of a database that is no more goes, so that it can't contradict the new one. */
export function forget(folder: string): null {
	rmSync(join(folder, NOTE), { force: true })
	syncPath(folder)
	return null
}

/** The database is there: when it is gone, empty or damaged, that is an accident. */
async function whole<T>({ place }: Database, open: () => Promise<T>): Promise<T> {
	try {
		return await open()
	} catch (error) {
		if (error instanceof StorageUnavailable || error instanceof StorageFull) throw error
		throw new StorageUnavailable(`The database in ${place} can't be opened: ${(error as Error).message}`, {
			hint: 'To bring the data back: ./restore.sh latest. Nothing was changed.',
			cause: error,
		})
	}
}

function hidden({ engine, place }: Database): StorageUnavailable {
	const first = engine === 'sqlite' ? `Move ${place} away first` : 'Name another database in MONGODB_URI'
	return new StorageUnavailable('There is a database here: a fresh beginning would hide it.', {
		hint: `${first}, or start without --fresh.`,
	})
}

/** Throws where emptiness is an accident: this folder had a database, or there are backups of one. */
function refuseEmpty(noted: Installation | null, backups: string): void {
	if (!noted && !holdsBackup(backups)) return
	const seen = noted ? 'there was one here before' : `there are backups in ${backups}`
	throw new StorageUnavailable(`The database is missing or empty, but ${seen}.`, {
		hint: 'To bring the data back: ./restore.sh latest. To begin with nothing: npm start -- --fresh.',
	})
}

/** Whether there is any backup: ours, another installation's or version 1.x's. Which of them are whole is not known here. */
function holdsBackup(backups: string): boolean {
	if (!existsSync(backups)) return false
	const isBackup = (name: string) => /^manifest\.(txt|json)$|^(mongodb|uploads)-.*\.tar\.gz$|^(mongodb|database)$/.test(name)
	return readdirSync(backups, { withFileTypes: true }).some(
		(entry) => entry.isDirectory() && !entry.name.startsWith('.') && readdirSync(join(backups, entry.name)).some(isBackup),
	)
}

/** What is said of a database that a newer program wrote. */
export function newer(found: number, known: number): StorageUnavailable {
	return new StorageUnavailable(`This database was written by a newer English Chat (schema ${found}; this version knows ${known}).`, {
		hint: 'Start the newer version again, or restore a backup from before the update. Nothing was changed.',
	})
}

function another({ place }: Database, folder: string): StorageUnavailable {
	return new StorageUnavailable(`The database in ${place} is not the one that ${NOTE} notes.`, {
		hint: `If it is the right one, remove ${join(folder, NOTE)} and start again. Nothing was changed.`,
	})
}

/** The installation's id, from the database; written there first where it has none, and anew with every schema. */
async function installationId(store: Store, noted: string | null, rewrite: boolean): Promise<string> {
	const present = await store.get('system', INSTALLATION)
	if (present && !rewrite) return present.value
	const value = present?.value ?? noted ?? randomBytes(12).toString('hex')
	await store.write(null, (tx) => tx.put('system', { id: INSTALLATION, name: 'installation', value }))
	return value
}

/** Keeps everything as JSON lines beside the database, and reads it back, before records are rewritten. */
function keepExport(folder: string, schema: number) {
	return async (store: Store): Promise<void> => {
		const { seq, records } = await store.exportAt()
		const path = join(folder, `before-schema-${schema + 1}-${seq}.ndjson`)
		const written = createHash('sha256')
		const lines = async function* () {
			for await (const record of records) {
				const line = `${JSON.stringify(record)}\n`
				written.update(line)
				yield line
			}
		}
		await pipeline(lines, createWriteStream(path, { flush: true }))
		syncPath(folder)
		const read = createHash('sha256')
		await pipeline(createReadStream(path), read)
		assert.equal(read.digest('hex'), written.digest('hex'), `${path} is not what was written.`)
	}
}
