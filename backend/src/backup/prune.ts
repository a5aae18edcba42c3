/**
 * Removes backups that are older than what has to be kept, and files of the pool that none names any more.
 *
 * Promises that of each reason the newest `keep` verified backups stay, and the newest verified and the newest proven
 * one of all; that nothing of another installation, of version 1.x, of a newer version or made by hand is ever
 * touched; and that no clock decides anything. Killed anywhere, a backup is there as a whole or not at all.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Config } from '../config.ts'
import { syncPath } from '../storage/durable-file.ts'
import { failpoint } from '../storage/failpoint.ts'
import { ageEntries, type Backup, emptyTrash, JOURNAL, type Listing, listBackups, poolEntries, sweepPartials, TRASH } from './folder.ts'
import { POOL, poolPath } from './format.ts'
import { type Progress, silent } from './progress.ts'
import { diskTrouble } from './trouble.ts'

export interface PrunePlan {
	/** Oldest first. */
	remove: Backup[]
}

export interface Pruned {
	/** Names, oldest first. */
	removed: string[]
	freedBytes: number
	/** Entries that may need any file of the pool, so that none was removed. */
	poolHeldBy: string[]
}

/** What may go. `installation`: whose backups are counted and removed; all others are only looked at. */
export function planPrune({ backups }: Listing, { keep, installation }: { keep: number; installation: string }): PrunePlan {
	assert(keep >= 1)
	// Newest first. What was copied or renamed by hand belongs to whoever did it.
	const own = backups.filter(({ name, manifest }) => manifest.installation === installation && manifest.name === name)
	const staying = new Set([own.find((backup) => backup.verifiedAt !== null), own.find((backup) => backup.provenAt !== null)])
	const newer = new Map<string, number>()
	const remove = own.filter((backup) => {
		const { reason } = backup.manifest
		const verified = newer.get(reason) ?? 0
		if (backup.verifiedAt !== null) newer.set(reason, verified + 1)
		return verified >= keep && !staying.has(backup)
	})
	return { remove: remove.reverse() }
}

/** Removes what the plan says, and what nothing names any more. The caller holds the lock of backups. Throws `Trouble`, or the signal's reason. */
export async function pruneBackups({
	config,
	installation,
	progress = silent,
	signal = new AbortController().signal,
}: {
	config: Pick<Config, 'folders' | 'backup'>
	installation: string
	progress?: Progress
	signal?: AbortSignal
}): Promise<Pruned> {
	const folder = config.folders.backups
	try {
		await sweepPartials(folder)
		const { remove } = planPrune(await listBackups(folder), { keep: config.backup.keep, installation })
		let freedBytes = 0
		for (const [done, { name, path }] of remove.entries()) {
			signal.throwIfAborted()
			progress({ doing: 'pruning', done, total: remove.length, unit: 'files' })
			freedBytes += await sizeOf(path)
			await rename(path, join(folder, TRASH + name))
			failpoint('prune:renamed')
			// Before anything of it goes: half of a backup must never be found under its name.
			syncPath(folder)
			await emptyTrash(folder, name)
			failpoint('prune:removed')
		}
		const pool = await prunePool(folder, signal)
		await ageEntries(folder)
		return { removed: remove.map(({ name }) => name), freedBytes: freedBytes + pool.freedBytes, poolHeldBy: pool.heldBy }
	} catch (error) {
		throw diskTrouble(error, folder) ?? error
	}
}

async function sizeOf(path: string): Promise<number> {
	const entries = await readdir(path, { recursive: true, withFileTypes: true })
	const sizes = await Promise.all(entries.map(async (entry) => (await lstat(join(entry.parentPath, entry.name))).size))
	return sizes.reduce((sum, size) => sum + size, 0)
}

/** Removes files that no backup names, whoever made it and however it is; none where it is not known what is named. */
async function prunePool(folder: string, signal: AbortSignal): Promise<{ freedBytes: number; heldBy: string[] }> {
	const { backups, foreign } = await listBackups(folder)
	const heldBy = foreign.filter(({ mayNeedPool }) => mayNeedPool).map(({ name }) => name)
	// Of a later version: what it names is not known here.
	if (existsSync(join(folder, JOURNAL))) heldBy.push(JOURNAL)
	if (heldBy.length > 0) return { freedBytes: 0, heldBy }
	const named = new Set(backups.flatMap(({ manifest }) => manifest.files.map(poolPath)))
	let freedBytes = 0
	for await (const { parent, name } of poolEntries(folder)) {
		signal.throwIfAborted()
		const isOurs = /^[0-9a-f]{64}(\.[a-z0-9]{1,10})?$/.test(name) && basename(parent) === name.slice(0, 2)
		if (!isOurs || named.has(`${POOL}/${basename(parent)}/${name}`)) continue
		const { size } = await lstat(join(parent, name))
		await rm(join(parent, name))
		failpoint('prune:pool')
		freedBytes += size
	}
	return { freedBytes, heldBy }
}
