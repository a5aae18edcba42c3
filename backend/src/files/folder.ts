/**
 * The uploads folder: files under their final names, and those on their way there.
 *
 * Promises that a file which has its name is whole and on the disk, and that what was on its way
 * when a process died is gone at the next start. Room for everything else is kept free. Never
 * removes a file that has its name.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, opendir, rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../errors.ts'

const partial = /^\.partial-/

export interface Folder {
	readonly path: string
	/** A name for a file on its way. */
	partial(): string
	/** Gives a file that is synced its name (also over an identical one: that heals it), and syncs the folder. */
	place(partial: string, name: string): Promise<void>
	/** Holds room for so many bytes, or refuses. Gives the way to let go of it. */
	reserve(sizeBytes: number): Promise<() => void>
	/** One at a time for each name. */
	hold<T>(name: string, work: () => Promise<T>): Promise<T>
}

/** Opens the folder, and removes what an earlier process left on its way. */
export async function openFolder(path: string): Promise<Folder> {
	await mkdir(path, { recursive: true })
	for await (const entry of await opendir(path)) {
		if (entry.isFile() && partial.test(entry.name)) await rm(join(path, entry.name), { force: true })
	}
	const held = new Map<string, Promise<unknown>>()
	let promisedBytes = 0
	let syncing: Promise<void> | null = null
	let following: Promise<void> | null = null
	const begin = () => {
		syncing = syncPath(path).finally(() => {
			syncing = null
		})
		return syncing
	}
	/** One sync for all names that were given before it began; one that failed is told to those who waited for it. */
	function syncNames(): Promise<void> {
		if (!syncing) return begin()
		following ??= syncing
			.catch(() => {})
			.then(() => {
				following = null
				return begin()
			})
		return following
	}
	return {
		path,
		partial: () => join(path, `.partial-${randomBytes(9).toString('hex')}`),
		async place(from, name) {
			await rename(from, join(path, name))
			await syncNames()
		},
		async reserve(sizeBytes) {
			const { bavail, blocks, bsize } = await statfs(path)
			if (bavail * bsize - promisedBytes - sizeBytes < reserveOf(blocks * bsize)) throw full()
			promisedBytes += sizeBytes
			return () => {
				promisedBytes -= sizeBytes
			}
		},
		async hold(name, work) {
			const before = held.get(name)
			const mine = (async () => {
				await before?.catch(() => {})
				return work()
			})()
			held.set(name, mine)
			try {
				return await mine
			} finally {
				if (held.get(name) === mine) held.delete(name)
			}
		},
	}
}

/** What files leave free for backups and messages: 5%, at most 1 GiB. */
export function reserveOf(diskBytes: number): number {
	return Math.min(0.05 * diskBytes, 1024 ** 3)
}

/** Makes a file's bytes, or a folder's names, durable. */
export async function syncPath(path: string): Promise<void> {
	const handle = await open(path, 'r')
	try {
		await handle.sync()
	} finally {
		await handle.close()
	}
}

function full(): Failure {
	return new Failure('storage_full', 'The server has no room left for files, so this one was not stored.', {
		hint: 'Please tell whoever looks after the server. The file stays on this device and is sent when there is room.',
	})
}

/** What the sender is told when a disk does not do what it should; null where it is something else. */
export function diskFailure(error: unknown): Failure | null {
	const { code = '' } = error as NodeJS.ErrnoException
	if (code === 'ENOSPC' || code === 'EDQUOT') return full()
	if (!/^(EIO|EROFS|EACCES|EPERM|EMFILE|ENFILE|ENOENT)$/.test(code)) return null
	return new Failure('storage_unavailable', 'The server cannot store files at the moment.', {
		hint: 'The file stays on this device and is sent later.',
		retryAfterSeconds: 30,
	})
}
