/**
 * Locks of a data folder: at most one process writes it, and at most one makes backups of it or restores it.
 *
 * Held as an exclusive lock on a small SQLite file beside the database (Node has no flock): any
 * death of the process releases it, a pause does not. Never opened by anything else, since
 * closing any handle of the file would release the lock.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { StorageFull } from './engine.ts'

export interface WriterLock {
	release(): void
}

/** Takes the folder's lock of this name, or null when another process holds it. Throws where the folder can't be written. */
export function tryLock(folder: string, name = 'writer.lock'): WriterLock | null {
	const db = new DatabaseSync(join(folder, name))
	try {
		db.exec('PRAGMA busy_timeout=0; BEGIN EXCLUSIVE')
	} catch (error) {
		db.close()
		const { errcode } = error as { errcode?: number }
		if (errcode === 5) return null
		throw errcode === 13 ? new StorageFull('The disk is full.') : error
	}
	return { release: () => db.isOpen && db.close() }
}

/** Waits as a standby until the lock is free. `onWait` is called once, when it is not free at first. */
export async function waitForLock(folder: string, options: { onWait?: () => void; signal?: AbortSignal } = {}): Promise<WriterLock> {
	for (let waited = false; ; ) {
		const lock = tryLock(folder)
		if (lock) return lock
		if (!waited) options.onWait?.()
		waited = true
		await sleep(200, undefined, options.signal ? { signal: options.signal } : {})
	}
}
