/**
 * A drill: loads all of a backup where nobody uses it, by the code of a restore, and compares what is there.
 *
 * Promises that what it calls proven was restored, record by record and file by file; it touches no live data.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Config, storeOptions } from '../config.ts'
import { Damaged } from '../storage/copy.ts'
import { openScratch } from '../storage/snapshots.ts'
import { compareWithDump, readDump } from './dump.ts'
import { addMark, type Backup } from './folder.ts'
import type { KeptFile, Part } from './format.ts'
import { tryBackupLock } from './lock.ts'
import { checkPool } from './pool.ts'
import { type Progress, silent } from './progress.ts'
import { Trouble } from './trouble.ts'

/** What is to be proven. */
export interface Provable {
	/** Of the backup. */
	name: string
	/** Holds its collections' files. */
	folder: string
	seq: number
	schema: number
	collections: readonly Part[]
	files: readonly KeptFile[]
}

interface DrillOptions {
	config: Config
	progress: Progress
	signal: AbortSignal
}

const scratchIn = ({ folders }: Config) => join(folders.data, '.drill')

/** Removes what a killed drill left in the data folder: as much as the database. The caller holds the lock of backups. */
export async function sweepDrill(config: Config): Promise<void> {
	await rm(scratchIn(config), { recursive: true, force: true })
}

/** Restores a dump into a scratch place and compares it. Throws `Trouble` damaged where it is not the same, or the signal's reason. */
export async function proveDump({ config, dump, progress, signal }: DrillOptions & { dump: Provable }): Promise<void> {
	const { name, folder, seq, schema, collections: parts, files } = dump
	const scratch = scratchIn(config)
	await sweepDrill(config)
	let done = 0
	const total = parts.reduce((sum, { records }) => sum + records, 0)
	const records = async function* () {
		for await (const one of readDump({ name, folder, parts }, signal)) {
			if (++done % 500 === 0) progress({ doing: 'drilling', done, total, unit: 'records' })
			yield one
		}
	}
	const reading = await openScratch(storeOptions(config), { seq, schema, records: records() }, scratch).catch((error) => {
		if (!(error instanceof Damaged)) throw error
		// Records that are what was backed up, and still no database.
		throw new Trouble('damaged', { name, what: error.message.replace(/\.$/, '') }, { cause: error })
	})
	try {
		const findings = await compareWithDump(reading, parts, progress, signal)
		for (const file of await checkPool(config.folders.backups, files, progress, signal)) findings.push(`${file.name}: ${file.what}`)
		if (findings.length > 0) throw new Trouble('damaged', { name, what: findings.join('; ') })
	} finally {
		await reading.close()
	}
}

/** Proves a backup that is there, and marks it. Throws `Trouble`: `busy`, or what was found; then it is marked as refused. */
export async function drillBackup({
	config,
	backup,
	progress = silent,
	signal = new AbortController().signal,
}: Partial<DrillOptions> & { config: Config; backup: Backup }): Promise<void> {
	const lock = await tryBackupLock(config)
	if (!lock) throw new Trouble('busy')
	const { name, path, manifest } = backup
	const { database, seq, schema, collections, files } = manifest
	const mark = (kind: 'proven' | 'refused', what?: string) =>
		addMark(config.folders.backups, name, { at: new Date().toISOString(), kind, ...(what !== undefined && { what }) })
	try {
		await proveDump({ config, dump: { name, folder: join(path, 'database', database), seq, schema, collections, files }, progress, signal })
		await mark('proven')
	} catch (error) {
		if (error instanceof Trouble && error.code === 'damaged') await mark('refused', error.message)
		throw error
	} finally {
		lock.release()
	}
}
