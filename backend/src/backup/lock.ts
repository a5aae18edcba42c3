/**
 * The lock of everything that changes the backups folder or restores from it, in the data folder: one process at a time.
 */
import { mkdir } from 'node:fs/promises'
import type { Config } from '../config.ts'
import { tryLock, type WriterLock } from '../storage/lock.ts'
import { diskTrouble } from './trouble.ts'

const LOCK = 'backup.lock'

/** Takes the lock of backups and restores; null when another process has it. Throws `Trouble` where it can't be had at all. */
export async function tryBackupLock({ folders }: Config): Promise<WriterLock | null> {
	try {
		await mkdir(folders.data, { recursive: true })
		return tryLock(folders.data, LOCK)
	} catch (error) {
		throw diskTrouble(error, folders.data) ?? error
	}
}
