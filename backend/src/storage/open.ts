/**
 * Opens the store of a data folder: takes the writer lock, picks the engine, notices accidents.
 *
 * Promises that an empty database where there was a full one is refused, that another
 * installation's or a newer program's database is refused, and that nothing is changed then.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type CollectionSpec, collections } from './collections.ts'
import { openCore } from './core.ts'
import { syncPath, writeDurably } from './durable-file.ts'
import { StorageFull, StorageUnavailable } from './engine.ts'
import { type WriterLock, waitForLock } from './lock.ts'
import { migrations as allMigrations, type Migration, rewriteRecords, schemaOf, upgrader } from './migrations.ts'
import { createSqlite, findLineage, listLineages, openSqlite, readHead } from './sqlite.ts'
import type { Store } from './store.ts'

export interface OpenOptions {
	/** Holds the database, the lock and installation.json. Made where missing. */
	folder: string
	/** Where backups stand: an empty database beside any backup is an accident. */
	backups: string
	/** The operator confirmed that an empty beginning is what she wants. */
	fresh?: boolean
	/** Called once when another process has the database: this one waits. */
	onStandby?: () => void
	signal?: AbortSignal
	writeTimeoutMs?: number
	/** Called before records are rewritten for a new schema; the default keeps an export beside the database, read back. */
	beforeMigration?: (store: Store) => Promise<void>
	/** For tests: another form of the data. */
	specs?: Readonly<Record<string, CollectionSpec>>
	migrations?: readonly Migration[]
}

type Specs = Readonly<Record<string, CollectionSpec>>

/** What installation.json notes, so that another database in its place is noticed. */
interface Installation {
	id: string
	engine: 'sqlite'
	lineage: string
	/** A restore is about to commit this lineage. */
	next?: string
}

const NOTE = 'installation.json'
/** The id of the record that holds the installation's id. */
const INSTALLATION = '000000000000000000000001'

/** File systems on which SQLite's locks or shared memory can't be trusted. */
const REMOTE =
	/^(nfs|cifs|smb|ncpfs|9p$|virtiofs$|vboxsf$|prl_fs$|vmhgfs|ceph|afs|lustre|gpfs|glusterfs|fakeowner|osxfs|grpcfuse|fuse\.(sshfs|rclone|s3fs|gcsfuse|glusterfs|davfs|curlftpfs|ceph|cifs|smb|vmhgfs|osxfs|grpcfuse|fakeowner))/

/** The type of the file system that holds a path, from the text of /proc/self/mountinfo. Null where it isn't told. */
export function fileSystemOf(path: string, mountinfo: string): string | null {
	let best = { point: '', type: null as string | null }
	for (const line of mountinfo.split('\n')) {
		const point = line.split(' ')[4]?.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
		const type = / - (\S+)/.exec(line)?.[1]
		if (point === undefined || type === undefined || point.length < best.point.length) continue
		if (path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`)) best = { point, type }
	}
	return best.type
}

/** Throws where the folder lies on a file system that would corrupt an embedded database. */
export function refuseRemote(folder: string, mountinfo: string): void {
	const type = fileSystemOf(folder, mountinfo)
	if (type === null || !REMOTE.test(type)) return
	throw new StorageUnavailable(
		`The data folder ${folder} lies on a network file system (${type}), where the embedded database can be corrupted.`,
		{
			hint: 'Set DATA_DIR to a folder on a local disk, or use MongoDB.',
		},
	)
}

/** Opens the store for writing; waits as a standby while another process has it. Throws `StorageUnavailable` with a hint. */
export async function openStore(options: OpenOptions): Promise<Store> {
	const folder = resolve(options.folder)
	mkdirSync(folder, { recursive: true })
	if (existsSync('/proc/self/mountinfo')) refuseRemote(realpathSync(folder), readFileSync('/proc/self/mountinfo', 'utf8'))
	let lock: WriterLock | undefined
	try {
		lock = await waitForLock(folder, {
			...(options.onStandby ? { onWait: options.onStandby } : {}),
			...(options.signal ? { signal: options.signal } : {}),
		})
		const { release } = lock
		return await openLocked(folder, options, release)
	} catch (error) {
		lock?.release()
		const full = error instanceof StorageFull || (error as NodeJS.ErrnoException).code === 'ENOSPC'
		if (!full) throw error
		throw new StorageUnavailable('The disk is full, so the database can not be opened.', {
			hint: 'Free some space, then start again.',
			cause: error,
		})
	}
}

async function openLocked(folder: string, options: OpenOptions, onClosed: () => void): Promise<Store> {
	const specs: Specs = options.specs ?? collections
	const list = options.migrations ?? allMigrations
	const schema = schemaOf(list)
	let noted = readInstallation(folder)
	if (findLineage(folder) === null) {
		refuseLost(folder)
		if (!options.fresh) refuseEmpty(noted, options.backups)
		// Killed from here on, the next start is a first one.
		noted = forget(folder)
		await createSqlite(folder, specs, schema)
	}
	// All that can be refused is refused before anything is changed.
	const found = await whole(folder, options.backups, async () => readHead(folder))
	if (found.seq === 0 && !options.fresh) refuseEmpty(noted, options.backups)
	if (found.seq === 0) noted = null
	else if (options.fresh) throw hidden(folder)
	if (found.schema > schema) throw newer(found.schema, schema)
	if (noted && noted.lineage !== found.lineage && noted.next !== found.lineage) throw another(folder)
	const engine = await whole(folder, options.backups, () => openSqlite(folder, specs))
	try {
		const note = (entry: Omit<Installation, 'id' | 'engine'>) => {
			const path = join(folder, NOTE)
			const text = `${JSON.stringify({ id, engine: 'sqlite', ...entry } satisfies Installation, null, '\t')}\n`
			if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeDurably(path, text)
		}
		let written = found.schema
		const core = await openCore(engine, {
			specs,
			schema: () => written,
			...(list.length > 0 ? { upgrade: upgrader(list) } : {}),
			...(options.writeTimeoutMs === undefined ? {} : { writeTimeoutMs: options.writeTimeoutMs }),
			onReplacing: (next) => note({ lineage: found.lineage, next }),
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
		if (noted && noted.id !== id) throw another(folder)
		note({ lineage: found.lineage })
		return store
	} catch (error) {
		await engine.close()
		throw error
	}
}

function readInstallation(folder: string): Installation | null {
	const path = join(folder, NOTE)
	if (!existsSync(path)) return null
	let noted: Installation
	try {
		noted = JSON.parse(readFileSync(path, 'utf8'))
		assert(typeof noted.id === 'string' && typeof noted.engine === 'string' && typeof noted.lineage === 'string')
	} catch {
		throw new StorageUnavailable(`${path} can't be read.`, { hint: 'It is written anew from the database when you remove it.' })
	}
	if (noted.engine !== 'sqlite') {
		throw new StorageUnavailable(`This installation's data is in ${noted.engine}, says ${path}, and not in the embedded database.`, {
			hint: 'Set MONGODB_URI as it was.',
		})
	}
	return noted
}

/** The note of a database that is no more goes, so that it can't contradict the new one. */
function forget(folder: string): null {
	rmSync(join(folder, NOTE), { force: true })
	syncPath(folder)
	return null
}

/** Throws where the pointer is gone but databases are there: one of them is the right one. */
function refuseLost(folder: string): void {
	const lineages = listLineages(folder)
	if (lineages.length === 0) return
	throw new StorageUnavailable(
		`The file ${join(folder, 'lineage')} is missing, which says which of these is the database: ${lineages.join(', ')}.`,
		{
			hint: `Write it anew: echo ${lineages[0]} > ${join(folder, 'lineage')}. Nothing was changed.`,
		},
	)
}

/** The database that the pointer names is there: when it is gone, empty or damaged, that is an accident. */
async function whole<T>(folder: string, backups: string, open: () => Promise<T>): Promise<T> {
	try {
		return await open()
	} catch (error) {
		if (error instanceof StorageUnavailable || error instanceof StorageFull) throw error
		throw new StorageUnavailable(`The database in ${folder} can't be opened: ${(error as Error).message}`, {
			hint: `To bring the data back: ./restore.sh ${newestBackup(backups) ?? 'latest'}. Nothing was changed.`,
			cause: error,
		})
	}
}

function hidden(folder: string): StorageUnavailable {
	return new StorageUnavailable('There is a database here: a fresh beginning would hide it.', {
		hint: `Move ${folder} away first, or start without --fresh.`,
	})
}

/** Throws where emptiness is an accident: this folder had a database, or there are backups of one. */
function refuseEmpty(noted: Installation | null, backups: string): void {
	const backup = newestBackup(backups)
	if (!noted && !backup) return
	const seen = noted ? 'there was one here before' : `there are backups in ${backups}`
	throw new StorageUnavailable(`The database is missing or empty, but ${seen}.`, {
		hint: `To bring the data back: ./restore.sh ${backup ?? 'latest'}. To begin with nothing: npm start -- --fresh.`,
	})
}

/** The name of the last backup folder by name: ours, another installation's or version 1.x's. Null when there is none. */
function newestBackup(backups: string): string | null {
	if (!existsSync(backups)) return null
	const isBackup = (name: string) => /^manifest\.(txt|json)$|^(mongodb|uploads)-.*\.tar\.gz$|^(mongodb|database)$/.test(name)
	const folders = readdirSync(backups, { withFileTypes: true }).filter(
		(entry) => entry.isDirectory() && !entry.name.startsWith('.') && readdirSync(join(backups, entry.name)).some(isBackup),
	)
	return (
		folders
			.map(({ name }) => name)
			.sort()
			.at(-1) ?? null
	)
}

function newer(found: number, known: number): StorageUnavailable {
	return new StorageUnavailable(`This database was written by a newer English Chat (schema ${found}; this version knows ${known}).`, {
		hint: 'Start the newer version again, or restore a backup from before the update. Nothing was changed.',
	})
}

function another(folder: string): StorageUnavailable {
	return new StorageUnavailable(`The database in ${folder} is not the one that ${NOTE} notes.`, {
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
