/**
 * Makes a backup: reads everything at one moment, writes it, reads it back, and publishes it by one rename.
 *
 * Promises that a folder with a backup's name is whole and was read back, whenever this process or the machine dies;
 * that what was there before is untouched until then; and that a file which could not be kept is told by name, in a
 * backup that does not count as verified. Runs beside a server that writes. The order of the steps is the promise:
 * docs/BACKUPS.md.
 */
import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, storeOptions } from '../config.ts'
import { reserveOf } from '../files/folder.ts'
import type { UploadRecord } from '../storage/collections.ts'
import { syncPath, writeDurably } from '../storage/durable-file.ts'
import { StorageUnavailable } from '../storage/engine.ts'
import { failpoint } from '../storage/failpoint.ts'
import type { WriterLock } from '../storage/lock.ts'
import { openReading, type Reading } from '../storage/snapshots.ts'
import { proveDump, sweepDrill } from './drill.ts'
import { checkDump, type Previous, writeDump } from './dump.ts'
import { ageEntries, type Backup, findBackup, freeName, type Listing, listBackups, numberFor, sweepPartials } from './folder.ts'
import { ENV_COPY, FORMAT, MANIFEST, type Manifest, PARTIAL, PEOPLE, type Reason } from './format.ts'
import { tryBackupLock } from './lock.ts'
import { PacedFile } from './paced.ts'
import { peopleManifest } from './people-manifest.ts'
import { checkPool, fillPool, type WantedFile } from './pool.ts'
import { type Progress, silent } from './progress.ts'
import { pruneBackups } from './prune.ts'
import { diskTrouble, Trouble } from './trouble.ts'

export interface CreateOptions {
	config: Config
	reason: Reason
	/** Prove it by a restore into a scratch place before it is published. */
	drill: boolean
	/** Whoever has the lock already. */
	locked?: boolean
	/** So long the log of the embedded database may become while it is read. */
	mostLogBytes?: number
	progress?: Progress
	signal?: AbortSignal
}

export interface Created {
	backup: Backup
	/** Another process was making one already: this is that one. */
	joined: boolean
}

const WAIT_MS = 500
/** A log can't begin anew while somebody reads: what people write meanwhile takes the room of what they will write. */
const LOG = { mostBytes: 1024 ** 3, lookEveryMs: 100 }
const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }

/** Makes a verified backup, or joins the one that is being made. Throws `Trouble`, or the signal's reason; then nothing is there that was not before. */
export async function createBackup(options: CreateOptions): Promise<Created> {
	const { config, progress = silent, signal = new AbortController().signal } = options
	if (options.locked) return { backup: await explained(config, signal, () => create(config, options, progress, signal)), joined: false }
	const { lock, waited } = await waitForLock(config, progress, signal)
	try {
		const joined = waited && (await madeSince(config, waited))
		if (joined) return { backup: joined, joined: true }
		const backup = await explained(config, signal, () => create(config, options, progress, signal))
		// What is too many can stay a day longer: the backup is made.
		await pruneBackups({ config, installation: backup.manifest.installation, progress, signal }).catch(() => {})
		return { backup, joined: false }
	} finally {
		lock.release()
	}
}

/** Gives the highest number there was when it began to wait; null: it did not have to. */
async function waitForLock(
	config: Config,
	progress: Progress,
	signal: AbortSignal,
): Promise<{ lock: WriterLock; waited: { after: number } | null }> {
	let waited: { after: number } | null = null
	for (;;) {
		const lock = await tryBackupLock(config)
		if (lock) return { lock, waited }
		waited ??= { after: numberFor(await listBackups(config.folders.backups)) - 1 }
		progress({ doing: 'waiting', done: 0, total: null, unit: 'files' })
		await sleep(WAIT_MS, undefined, { signal })
	}
}

async function madeSince({ folders }: Config, { after }: { after: number }): Promise<Backup | null> {
	const { backups } = await listBackups(folders.backups)
	return backups.find(({ manifest, verifiedAt }) => manifest.number > after && verifiedAt !== null) ?? null
}

/** What went wrong, as something that can be said. */
async function explained<T>({ folders }: Config, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
	try {
		return await work()
	} catch (error) {
		if (signal.aborted) throw new Trouble('stopped', {}, { cause: error })
		if (error instanceof Trouble) throw error
		if (error instanceof StorageUnavailable) throw new Trouble('database', { why: error.message, hint: error.hint ?? '' }, { cause: error })
		throw diskTrouble(error, folders.backups) ?? error
	}
}

async function create(config: Config, options: CreateOptions, progress: Progress, signal: AbortSignal): Promise<Backup> {
	const { reason, drill } = options
	const { backups } = config.folders
	const began = performance.now()
	await mkdir(backups, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
		throw diskTrouble(error, backups) ?? new Trouble('cannotWrite', { folder: backups, why: error.code ?? '' }, { cause: error })
	})
	await sweepPartials(backups)
	await sweepDrill(config)
	const listing = await listBackups(backups)
	const createdAt = new Date()
	const name = freeName(backups, createdAt)
	const folder = join(backups, `${PARTIAL}${name}`)
	await using ending = new AsyncDisposableStack()
	// What can't be finished leaves nothing, or what the next one sweeps.
	ending.defer(() => rm(folder, { recursive: true, force: true }).catch(() => {}))
	const reading = await openReading(storeOptions(config))
	ending.defer(() => reading.close())
	const { installation, engine, database } = reading
	const { lineage, seq, schema } = reading.head
	if (installation === null) throw new StorageUnavailable(`The database in ${reading.place} is empty.`, { hint: 'Start the server once.' })
	const previous = previousOf(listing, installation)
	await refuseFull(backups, previous ? previous.bytes : await databaseBytes(config))
	const dump = join(folder, 'database', database)
	// One by one: with all at once a disk that can't be written looks like a folder that is missing.
	for (const part of [folder, join(folder, 'database'), dump]) await mkdir(part)
	failpoint('backup:begun')

	const wanted: WantedFile[] = []
	const uploads = (json: string) => {
		const { file, sha256 } = JSON.parse(json) as UploadRecord
		if (file !== null) wanted.push({ name: file, sha256 })
	}
	const log = engine === 'sqlite' ? watchLog(config, reading, options.mostLogBytes) : null
	const either = log ? AbortSignal.any([signal, log.signal]) : signal
	const { parts: collections, taken } = await writeDump(reading, {
		folder: dump,
		previous,
		watch: { uploads },
		progress,
		signal: either,
	})
		.catch((error) => {
			throw log?.signal.aborted ? log.signal.reason : error
		})
		.finally(() => log?.end())
	await reading.close()
	failpoint('backup:dumped')
	// After the database: a file that a record names is older than the record.
	const room = (bytes: number) => refuseFull(backups, bytes)
	// What rots in the pool would be in this backup too.
	const reread = drill || listing.backups.some(({ damaged }) => damaged !== null)
	// Read back by other threads while files are copied.
	const dumpRead = checkDump(dump, collections, (range) => !taken.has(range), silent, signal)
	dumpRead.catch(() => {})
	const pool = await fillPool({ uploads: config.folders.uploads, backups, wanted, room, reread }, progress, signal)
	failpoint('backup:files')
	const env = await copyEnv(config.envFile, join(folder, ENV_COPY))

	const found = await dumpRead
	const inPool = await checkPool(backups, pool.added, progress, signal)
	const what = [...found, ...inPool.map((one) => `${one.name}: ${one.what}`)]
	if (what.length > 0) throw new Trouble('damaged', { name, what: what.join('; ') })
	failpoint('backup:verified')
	const proven = drill && pool.lost.length === 0
	const parts = { seq, schema, collections }
	// Its files were all read just now.
	if (proven) await proveDump({ config, dump: { name, folder: dump, ...parts, files: [] }, progress, signal })
	failpoint('backup:proven')

	const sum = (sizes: { sizeBytes: number }[]) => sizes.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0)
	const databaseSize = sum(collections)
	const now = new Date().toISOString()
	const manifest: Manifest = {
		...{ format: FORMAT, name, number: numberFor(listing), createdAt: createdAt.toISOString(), reason, app: version },
		...{ engine, database, installation, lineage, seq, schema, collections },
		...{ files: pool.files, problems: pool.problems, env },
		...{ verifiedAt: pool.lost.length === 0 ? now : null, provenAt: proven ? now : null },
		sizes: { databaseBytes: databaseSize, filesBytes: sum(pool.files), addedBytes: databaseSize + pool.addedBytes },
		durationMs: Math.round(performance.now() - began),
	}
	await publish(backups, folder, dump, manifest, signal)
	return (await findBackup(backups, name)) as Backup
}

/** Everything is durable before its name is; the manifest comes last, then the rename, then the folder. */
async function publish(backups: string, folder: string, dump: string, manifest: Manifest, signal: AbortSignal): Promise<void> {
	await writeNew(join(folder, PEOPLE), peopleManifest(manifest))
	for (const path of [dump, join(folder, 'database'), folder]) syncPath(path)
	failpoint('backup:synced')
	writeDurably(join(folder, MANIFEST), `${JSON.stringify(manifest, null, '\t')}\n`, () => failpoint('backup:manifest-written'))
	failpoint('backup:manifest')
	signal.throwIfAborted()
	const target = join(backups, manifest.name)
	if (existsSync(target)) throw new Trouble('cannotWrite', { folder: target, why: 'EEXIST' })
	await rename(folder, target)
	failpoint('backup:renamed')
	syncPath(backups)
	await ageEntries(backups)
	failpoint('backup:published')
}

async function writeNew(path: string, text: string): Promise<void> {
	const file = await PacedFile.create(path)
	await file.write(Buffer.from(text))
	await file.finish()
}

/** The newest whole backup of this database: what did not change since is taken from there. */
function previousOf({ backups }: Listing, installation: string): (Previous & { bytes: number }) | null {
	const whole = backups.find((backup) => backup.manifest.installation === installation && backup.damaged === null)
	if (!whole) return null
	const { database, collections, sizes } = whole.manifest
	return { folder: join(whole.path, 'database', database), parts: collections, bytes: sizes.databaseBytes }
}

const databaseFile = ({ folders }: Config, lineage: string) => join(folders.data, `chat-${lineage}.db`)

/** What the embedded database takes; what a dump of it will take is less. */
async function databaseBytes(config: Config): Promise<number> {
	if (config.mongodb) return 0
	const lineage = await readFile(join(config.folders.data, 'lineage'), 'utf8').catch(() => '')
	const found = await stat(databaseFile(config, lineage.trim())).catch(() => null)
	return found ? found.size / 2 : 0
}

/** Ends a reading for which the log has become too long, even while the disk that the backup goes to hangs. */
function watchLog(config: Config, reading: Reading, mostBytes = LOG.mostBytes): { signal: AbortSignal; end(): void } {
	const ending = new AbortController()
	const path = `${databaseFile(config, reading.head.lineage)}-wal`
	const look = async () => {
		const logBytes = (await stat(path).catch(() => null))?.size ?? 0
		if (logBytes > mostBytes) throw new Trouble('tooSlow', { logBytes })
		await refuseFull(config.folders.data, 0)
	}
	const timer = setInterval(() => {
		look().catch((error) => {
			clearInterval(timer)
			ending.abort(error)
			return reading.close()
		})
	}, LOG.lookEveryMs)
	return { signal: ending.signal, end: () => clearInterval(timer) }
}

/** A backup that has no room would take it from those who write. */
async function refuseFull(folder: string, neededBytes: number): Promise<void> {
	const { bavail, blocks, bsize } = await statfs(folder)
	const freeBytes = bavail * bsize - reserveOf(blocks * bsize) / 2
	if (freeBytes < neededBytes * 1.1)
		throw new Trouble('noRoom', { folder, neededBytes: Math.ceil(neededBytes * 1.1), freeBytes: Math.max(0, freeBytes) })
}

/** The settings, for this machine alone; null where there is no such file. */
async function copyEnv(from: string, to: string): Promise<Manifest['env']> {
	const bytes = await readFile(from).catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return null
		throw new Trouble('cannotRead', { folder: from, why: error.code ?? error.message }, { cause: error })
	})
	if (!bytes) return null
	const file = await PacedFile.create(to, 0o600)
	await file.write(bytes)
	await file.finish()
	await chmod(to, 0o600)
	return { sha256: hash('sha256', bytes), sizeBytes: bytes.length }
}
