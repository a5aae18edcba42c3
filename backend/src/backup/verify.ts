/**
 * Reads a backup back, as a whole, and says what is not as it was written.
 *
 * Promises a mark beside the backup either way, and to change nothing else.
 */
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { checkDump } from './dump.ts'
import { addMark, type Backup } from './folder.ts'
import { ENV_COPY } from './format.ts'
import { checkFile, checkPool } from './pool.ts'
import { type Progress, silent } from './progress.ts'

export interface Verified {
	/** What is wrong, a sentence each; nothing: all of it is as it was written. */
	findings: string[]
	/** Live files of which no backup has the bytes: known since it was made. */
	lost: string[]
}

/** Re-reads every byte of a backup and of the files it names, and notes the outcome. Throws the signal's reason, or the disk's error where no mark can be written. */
export async function verifyBackup({
	config,
	backup,
	progress = silent,
	signal = new AbortController().signal,
}: {
	config: Config
	backup: Backup
	progress?: Progress
	signal?: AbortSignal
}): Promise<Verified> {
	const { manifest, path, name } = backup
	const { backups } = config.folders
	const findings = await checkDump(join(path, 'database', manifest.database), manifest.collections, () => true, progress, signal)
	for (const file of await checkPool(backups, manifest.files, progress, signal)) findings.push(`${file.name}: ${file.what}`)
	if (manifest.env) {
		const what = await checkFile(join(path, ENV_COPY), manifest.env)
		if (what) findings.push(`${ENV_COPY}: ${what}`)
	}
	const kept = new Set(manifest.files.map((file) => file.name))
	const lost = manifest.problems.filter((problem) => !kept.has(problem.name)).map((problem) => problem.name)
	const at = new Date().toISOString()
	if (findings.length > 0) await addMark(backups, name, { at, kind: 'damaged', what: findings.slice(0, 20).join('; ') })
	else if (lost.length === 0) await addMark(backups, name, { at, kind: 'verified' })
	return { findings, lost }
}
