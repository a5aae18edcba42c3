/**
 * Brings back what is in a backup, or in what mongodump wrote.
 *
 * Promises that everything is verified before anything is touched, that what is there is kept in a backup of its own,
 * that the database is the old one or the new one at any moment, and that no upload is ever deleted. The database is
 * the commit: what comes before it only adds. Runs while no server does.
 */
import { existsSync, lstatSync } from 'node:fs'
import { chmod, copyFile, mkdir, open, readFile, rename, rm, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Config, storeOptions } from '../config.ts'
import { Busy, Damaged } from '../storage/copy.ts'
import { syncPath } from '../storage/durable-file.ts'
import { NoDatabase, OutcomeUnknown, StorageUnavailable } from '../storage/engine.ts'
import { failpoint } from '../storage/failpoint.ts'
import { tryLock } from '../storage/lock.ts'
import { migrations, schemaOf } from '../storage/migrations.ts'
import { readNote } from '../storage/open.ts'
import { keepUnread, openReading, replaceDatabase, type Source } from '../storage/snapshots.ts'
import { createBackup } from './create.ts'
import { checkDump, compareWithDump, readDump } from './dump.ts'
import type { Backup } from './folder.ts'
import { ENV_COPY, type KeptFile, nameAt, PARTIAL, poolPath } from './format.ts'
import { tryBackupLock } from './lock.ts'
import { openMongodump } from './mongodump.ts'
import { checkFile, checkPool, copyChecked } from './pool.ts'
import { type Progress, silent } from './progress.ts'
import { beginRehearsal, endRehearsal, forgetRestore, isRehearsal, noteRestore, type Role, refuseReturns } from './restore-state.ts'
import { diskTrouble, Trouble } from './trouble.ts'

export type Part = 'database' | 'files' | 'env'
export type RestoreSource = { kind: 'backup'; backup: Backup } | { kind: 'mongodump'; path: string }

/** What a restore will change. */
export interface RestorePlan {
	source: RestoreSource
	/** Null: all of it. */
	only: Part | null
	/** It comes from another machine than this one. */
	elsewhere: boolean
	/** State of the present database; `broken`: this version can't read it. */
	present: 'whole' | 'missing' | 'broken'
	/** Records of each collection, now (null: not known) and later; empty where the database stays. */
	collections: { name: string; now: number | null; later: number }[]
	/** Live files that are missing or damaged, and will be whole; and the bytes that come. */
	files: { missing: number; damaged: number; bytes: number }
	/** `kept`: there are settings here, which stay; `none`: there are none in it. */
	env: 'restored' | 'kept' | 'none'
}

export interface RestoreResult {
	/** The backup of what was there before, or the folder with its files where it could not be read. */
	safety: string | null
	/** Null: the database stayed. */
	lineage: string | null
}

interface Work {
	config: Config
	progress: Progress
	signal: AbortSignal
}

const never = new AbortController().signal
/** Files that are looked at or copied at once. */
const AT_ONCE = 12
const nameOf = (source: RestoreSource) => (source.kind === 'backup' ? source.backup.name : source.path)
const restores = (plan: Pick<RestorePlan, 'only'>, part: Part) => plan.only === null || plan.only === part

/** Verifies all that would be restored, and says what would change; changes nothing. Throws `Trouble`. */
export async function planRestore(options: {
	config: Config
	source: RestoreSource
	only: Part | null
	progress?: Progress
	signal?: AbortSignal
}): Promise<RestorePlan> {
	const work = { config: options.config, progress: options.progress ?? silent, signal: options.signal ?? never }
	return explained(work, nameOf(options.source), () => plan(options.source, options.only, work))
}

async function plan(source: RestoreSource, only: Part | null, work: Work): Promise<RestorePlan> {
	const { config } = work
	const then = source.kind === 'backup' ? await lookIntoBackup(source.backup, only, work) : await lookIntoDump(source.path, only, work)
	const now = await lookAtPresent(work)
	const noted = readNote(config.folders.data)
	const kept = source.kind === 'backup' && restores({ only }, 'files') ? source.backup.manifest.files : []
	const { missing, damaged } = await brokenFiles(kept, work)
	const hasEnv = source.kind === 'backup' && source.backup.manifest.env !== null
	const envStays = only === null ? existsSync(config.envFile) : only !== 'env'
	const bytes = [...missing, ...damaged].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
	if (bytes > 0) await refuseFull(config.folders.uploads, bytes)
	if (restores({ only }, 'database') && !config.mongodb) await refuseFull(config.folders.data, then.bytes)
	return {
		source,
		only,
		elsewhere: noted === null || (then.installation !== null && noted.id !== then.installation),
		present: now.state,
		collections: restores({ only }, 'database')
			? then.collections.map(({ name, records }) => ({
					name,
					now: now.state === 'broken' ? null : (now.counts.get(name) ?? 0),
					later: records,
				}))
			: [],
		files: { missing: missing.length, damaged: damaged.length, bytes },
		env: !hasEnv ? 'none' : envStays ? 'kept' : 'restored',
	}
}

interface Then {
	installation: string | null
	collections: readonly { name: string; records: number }[]
	/** About what the database will take. */
	bytes: number
}

async function lookIntoBackup({ name, path, manifest }: Backup, only: Part | null, { config, progress, signal }: Work): Promise<Then> {
	const { installation, collections, database, files, env, schema } = manifest
	if (schema > schemaOf(migrations)) throw new Trouble('newerFormat', { name })
	if (only === 'env' && env === null) throw new Trouble('notInIt', { name, what: ENV_COPY })
	const findings: string[] = []
	if (restores({ only }, 'database'))
		findings.push(...(await checkDump(join(path, 'database', database), collections, () => false, progress, signal)))
	if (restores({ only }, 'files')) {
		for (const file of await checkPool(config.folders.backups, files, progress, signal)) findings.push(`${file.name}: ${file.what}`)
	}
	if (restores({ only }, 'env') && env) {
		const what = await checkFile(join(path, ENV_COPY), env)
		if (what) findings.push(`${ENV_COPY}: ${what}`)
	}
	if (findings.length > 0) throw new Trouble('damaged', { name, what: findings.slice(0, 5).join('; ') })
	const bytes = collections.flatMap(({ ranges }) => ranges).reduce((sum, { bsonBytes }) => sum + bsonBytes, 0)
	return { installation, collections, bytes: 1.3 * bytes }
}

async function lookIntoDump(path: string, only: Part | null, { config, progress, signal }: Work): Promise<Then> {
	if (only === 'files' || only === 'env') throw new Trouble('notInIt', { name: path, what: only === 'env' ? ENV_COPY : 'file' })
	await mkdir(config.folders.data, { recursive: true })
	const dump = await openMongodump(path, { folder: config.folders.data, progress, signal })
	await dump.close()
	return { installation: dump.installation, collections: dump.collections, bytes: 0 }
}

async function lookAtPresent({ config, progress, signal }: Work): Promise<{ state: RestorePlan['present']; counts: Map<string, number> }> {
	const counts = new Map<string, number>()
	try {
		const reading = await openReading(storeOptions(config))
		try {
			const { installation, head } = reading
			// What a first start, or a restore, began and never used.
			if (installation === null && head.seq === 0) return { state: 'missing', counts }
			if (installation === null || head.schema > schemaOf(migrations)) return { state: 'broken', counts }
			let done = 0
			for await (const { collection, records } of reading.pages()) {
				signal.throwIfAborted()
				counts.set(collection, (counts.get(collection) ?? 0) + records)
				done += records
				progress({ doing: 'checking', done, total: null, unit: 'records' })
			}
		} finally {
			await reading.close()
		}
		return { state: 'whole', counts }
	} catch (error) {
		if (error instanceof NoDatabase) return { state: 'missing', counts }
		// What stands in the way of reading the embedded one is in its files, and those are kept.
		if (error instanceof Damaged || (!config.mongodb && error instanceof StorageUnavailable)) return { state: 'broken', counts }
		throw error
	}
}

/** Live files that are not what they were. */
async function brokenFiles(
	files: readonly KeptFile[],
	{ config, progress, signal }: Work,
): Promise<Record<'missing' | 'damaged', KeptFile[]>> {
	const found = { missing: [] as KeptFile[], damaged: [] as KeptFile[] }
	let done = 0
	await each(files, signal, async (file) => {
		const path = join(config.folders.uploads, file.name)
		if (!lstatSync(path, { throwIfNoEntry: false })) found.missing.push(file)
		else if ((await checkFile(path, file)) !== null) found.damaged.push(file)
		progress({ doing: 'checking', done: ++done, total: files.length, unit: 'files' })
	})
	return found
}

/** Several at once; the first failure ends all. */
async function each<T>(items: readonly T[], signal: AbortSignal, work: (item: T) => Promise<void>): Promise<void> {
	const queue = [...items]
	const take = async () => {
		try {
			for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
				signal.throwIfAborted()
				await work(next)
			}
		} catch (error) {
			queue.length = 0
			throw error
		}
	}
	const outcomes = await Promise.allSettled(Array.from({ length: AT_ONCE }, take))
	const failed = outcomes.find((outcome) => outcome.status === 'rejected')
	if (failed) throw failed.reason
}

async function refuseFull(folder: string, neededBytes: number): Promise<void> {
	await mkdir(folder, { recursive: true })
	const { bavail, bsize } = await statfs(folder)
	const freeBytes = bavail * bsize
	if (freeBytes < neededBytes) throw new Trouble('noRoom', { folder, neededBytes: Math.ceil(neededBytes), freeBytes })
}

/** Does what the plan says. Throws `Trouble`, or a defect: then the database is as it was. `returns`: what browsers offer again is taken. */
export async function restoreBackup(options: {
	config: Config
	plan: RestorePlan
	as: Role
	returns: boolean
	progress?: Progress
	signal?: AbortSignal
}): Promise<RestoreResult> {
	const { config, plan } = options
	const work = { config, progress: options.progress ?? silent, signal: options.signal ?? never }
	const lock = await tryBackupLock(config)
	if (!lock) throw new Trouble('busy')
	try {
		return await explained(work, nameOf(plan.source), () => restore(options, work), 'restoreStopped')
	} finally {
		lock.release()
	}
}

async function restore({ plan, as, returns }: { plan: RestorePlan; as: Role; returns: boolean }, work: Work): Promise<RestoreResult> {
	const { config, progress, signal } = work
	const { source } = plan
	const from = nameOf(source)
	const withDatabase = restores(plan, 'database')
	if (withDatabase) refuseServer(config)
	const safety = withDatabase ? await keepPresent(plan, work) : null
	failpoint('restore:safety')
	const rehearsed = isRehearsal(config)
	const state = { from, at: new Date().toISOString(), as, safety, lineage: null as string | null, rehearsed }
	if (withDatabase) {
		noteRestore(config, state)
		if (as === 'rehearsal') beginRehearsal(config, from)
	}
	failpoint('restore:begun')
	if (source.kind === 'backup' && restores(plan, 'files')) await bringFiles(source.backup.manifest.files, work)
	failpoint('restore:files')
	// A rehearsal is not told how to reach what belongs to the real one.
	const bringsEnv = plan.env === 'restored' && (as === 'replacement' || plan.only === 'env')
	if (source.kind === 'backup' && bringsEnv) await bringEnv(source.backup, config)
	failpoint('restore:env')
	if (!withDatabase) return { safety, lineage: null }
	signal.throwIfAborted()
	let next = ''
	const onReplacing = (lineage: string) => {
		next = lineage
		noteRestore(config, { ...state, lineage })
		if (!returns) refuseReturns(config, lineage)
		failpoint('restore:noted')
	}
	try {
		await withRecords(source, work, (records) => replaceDatabase({ ...storeOptions(config), signal }, records, { onReplacing }))
		failpoint('restore:database')
		if (as === 'replacement') endRehearsal(config)
		await compare(source, { ...work, signal: never })
		forgetRestore(config)
	} catch (error) {
		if (error instanceof Trouble || (await lineageNow(config)) !== next) throw error
		throw new Trouble('restoredBut', { name: from, why: (error as Error).message }, { cause: error })
	}
	const lineage = next
	failpoint('restore:done')
	progress({ doing: 'comparing', done: 1, total: 1, unit: 'records' })
	return { safety, lineage }
}

/** Null: it can't be read now. */
async function lineageNow(config: Config): Promise<string | null> {
	try {
		const reading = await openReading(storeOptions(config))
		await reading.close()
		return reading.head.lineage
	} catch {
		return null
	}
}

/** Throws where a server of this machine has the data folder; one elsewhere is noticed as the database is replaced. */
export function refuseServer({ folders }: Config): void {
	try {
		const lock = tryLock(folders.data)
		if (!lock) throw new Trouble('serverRuns', { place: folders.data })
		lock.release()
	} catch (error) {
		throw diskTrouble(error, folders.data) ?? error
	}
}

/** A backup of what is there; of what can't be read, its files as they are. */
async function keepPresent({ present }: RestorePlan, { config, progress, signal }: Work): Promise<string | null> {
	if (present === 'missing') return null
	if (present === 'whole') {
		progress({ doing: 'safety', done: 0, total: null, unit: 'records' })
		const { backup } = await createBackup({ config, reason: 'restore', drill: false, locked: true, progress, signal })
		return backup.name
	}
	const { backups } = config.folders
	const first = `before-restore-${nameAt(new Date())}`
	let name = first
	for (let n = 2; existsSync(join(backups, name)); n++) name = `${first}_${n}`
	const partial = join(backups, `${PARTIAL}${name}`)
	await mkdir(backups, { recursive: true })
	await rm(partial, { recursive: true, force: true })
	await keepUnread(storeOptions(config), partial)
	await rename(partial, join(backups, name))
	syncPath(backups)
	return name
}

/** Puts files in place that are missing or damaged; a damaged one is kept in the trash. */
async function bringFiles(files: readonly KeptFile[], work: Work): Promise<void> {
	const { config, progress, signal } = work
	const { uploads, backups } = config.folders
	await mkdir(uploads, { recursive: true })
	const { missing, damaged } = await brokenFiles(files, work)
	let done = 0
	const total = missing.length + damaged.length
	const bring = async (file: KeptFile) => {
		const size = await copyChecked(join(backups, poolPath(file)), join(uploads, file.name), file.sha256, signal).catch((error) => {
			throw diskTrouble(error, uploads) ?? error
		})
		if (size === null) throw new Trouble('damaged', { name: poolPath(file), what: 'its bytes are not what they were' })
		progress({ doing: 'files', done: ++done, total, unit: 'files' })
	}
	await each(missing, signal, bring)
	const trash = join(uploads, '.trash')
	if (damaged.length > 0) await mkdir(trash, { recursive: true })
	const prefix = `damaged-${nameAt(new Date())}-`
	await each(damaged, signal, async (file) => {
		await rename(join(uploads, file.name), join(trash, prefix + file.name))
		await bring(file)
	})
	syncPath(uploads)
}

/** Writes the settings; those that were there are kept beside them. */
async function bringEnv({ path }: Backup, { envFile }: Config): Promise<void> {
	const bytes = await readFile(join(path, ENV_COPY))
	if (existsSync(envFile)) await copyFile(envFile, `${envFile}.before-${nameAt(new Date())}`)
	const next = `${envFile}.next`
	await rm(next, { force: true })
	const file = await open(next, 'wx', 0o600)
	try {
		await file.writeFile(bytes)
		await file.sync()
	} finally {
		await file.close()
	}
	await chmod(next, 0o600)
	await rename(next, envFile)
	syncPath(dirname(envFile))
}

async function withRecords<T>(source: RestoreSource, { config, progress, signal }: Work, use: (source: Source) => Promise<T>): Promise<T> {
	const counted = async function* (records: Source['records'], total: number) {
		let done = 0
		for await (const one of records) {
			if (++done % 500 === 0) {
				signal.throwIfAborted()
				progress({ doing: 'restoring', done, total, unit: 'records' })
			}
			yield one
		}
	}
	const sum = (collections: readonly { records: number }[]) => collections.reduce((all, { records }) => all + records, 0)
	if (source.kind === 'backup') {
		const { name, path, manifest } = source.backup
		const { seq, schema, database, collections } = manifest
		const records = readDump({ name, folder: join(path, 'database', database), parts: collections }, signal)
		return use({ seq, schema, records: counted(records, sum(collections)) })
	}
	const dump = await openMongodump(source.path, { folder: config.folders.data, progress, signal })
	try {
		return await use({ seq: dump.seq, schema: dump.schema, records: counted(dump.records(), sum(dump.collections)) })
	} finally {
		await dump.close()
	}
}

/** Compares what is there now with what was to be restored. Throws `Trouble` where it is not the same. */
async function compare(source: RestoreSource, { config, progress, signal }: Work): Promise<void> {
	if (source.kind === 'mongodump') return
	const { name, manifest } = source.backup
	const reading = await openReading(storeOptions(config))
	try {
		const findings = await compareWithDump(reading, manifest.collections, progress, signal)
		// Records in an older form were made today's: only their number can be compared.
		const wrong = manifest.schema === reading.head.schema ? findings : findings.filter((finding) => !finding.endsWith('not the same'))
		if (wrong.length > 0) throw new Trouble('notRestored', { name, what: wrong.join('; ') })
	} finally {
		await reading.close()
	}
}

/** What went wrong, as something that can be said. */
async function explained<T>(
	{ config, signal }: Work,
	name: string,
	work: () => Promise<T>,
	stopped: 'stopped' | 'restoreStopped' = 'stopped',
): Promise<T> {
	const { data } = config.folders
	try {
		return await work()
	} catch (error) {
		if (error instanceof Trouble) throw error
		if (signal.aborted) throw new Trouble(stopped, {}, { cause: error })
		if (error instanceof Busy) throw new Trouble('serverRuns', { place: config.mongodb ? 'MongoDB' : data }, { cause: error })
		if (error instanceof Damaged) throw new Trouble('damaged', { name, what: error.message.replace(/\.$/, '') }, { cause: error })
		if (error instanceof OutcomeUnknown) {
			throw new Trouble('database', { why: error.message, hint: 'Start the server: it says what is there.' }, { cause: error })
		}
		if (error instanceof StorageUnavailable) throw new Trouble('database', { why: error.message, hint: error.hint ?? '' }, { cause: error })
		const { path } = error as NodeJS.ErrnoException
		throw diskTrouble(error, path === undefined ? data : dirname(path)) ?? error
	}
}
