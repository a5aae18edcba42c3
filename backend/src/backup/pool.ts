/**
 * The pool: every uploaded file once, in `backups/files/`, for all backups.
 *
 * Promises that a file in the pool is a copy of its own (never a link to a live one), that it has its name only when
 * its bytes are durable and have the hash it is named after, and that what a live file lost is told by name.
 */
import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, renameSync, rmSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { syncPath } from '../storage/durable-file.ts'
import { type KeptFile, PARTIAL, POOL, type Problem, poolPath } from './format.ts'
import { PacedFile } from './paced.ts'
import type { Progress } from './progress.ts'
import { diskTrouble, Trouble } from './trouble.ts'

/** A file that a record names. */
export interface WantedFile {
	name: string
	sha256: string
}

export interface PoolResult {
	files: KeptFile[]
	/** Live files that are missing or damaged. Those that the pool has are kept all the same. */
	problems: Problem[]
	/** Of those, what is in no backup: its bytes are lost. */
	lost: string[]
	addedBytes: number
	/** Names of files that were copied now. */
	added: KeptFile[]
}

/** So many are copied at once: their syncs become one commit of the file system. */
const AT_ONCE = 12
const READ_BYTES = 256 * 1024
/** Links are not followed: what one leads to may be anything tomorrow. A pipe that somebody put there holds nobody up. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
/** Larger or smaller than every file: of one whose disk doesn't say. */
const UNREADABLE = -1

/**
 * Copies what the pool has not yet. `wanted` are names in the uploads folder; `room` throws where so many bytes more
 * have none; `reread`: what the pool has is read, and what rotted there comes anew. Throws the disk's own error when the pool can't be written, `Trouble` when something other than a missing
 * or damaged file stands in the way of reading.
 */
export async function fillPool(
	{
		uploads,
		backups,
		wanted,
		room,
		reread = false,
	}: { uploads: string; backups: string; wanted: readonly WantedFile[]; room: (bytes: number) => Promise<void>; reread?: boolean },
	progress: Progress,
	signal: AbortSignal,
): Promise<PoolResult> {
	const result: PoolResult = { files: [], problems: [], lost: [], addedBytes: 0, added: [] }
	const folders = new Set<string>()
	let done = 0
	const keep = async (file: WantedFile) => {
		const target = join(backups, poolPath(file))
		const there = sizeOf(target)
		const live = sizeOfLive(join(uploads, file.name))
		// Of two sizes one is wrong; a damaged copy in the pool is healed from a whole live file.
		if (there !== null && ((live === there && !reread) || (await checkFile(target, file)) === null)) {
			if (live !== there) result.problems.push({ name: file.name, problem: live === null ? 'missing' : 'damaged' })
			result.files.push({ ...file, sizeBytes: there })
			// Its name may be there since a backup that was interrupted, and not be durable.
			folders.add(dirname(target))
			return
		}
		if (live === null) return lose(file, 'missing')
		const made = await mkdir(dirname(target), { recursive: true })
		if (made) folders.add(dirname(made)).add(join(backups, POOL))
		const sizeBytes = await copyChecked(join(uploads, file.name), target, file.sha256, signal)
		if (sizeBytes === null) return lose(file, 'damaged')
		folders.add(dirname(target))
		const kept = { ...file, sizeBytes }
		result.files.push(kept)
		result.added.push(kept)
		result.addedBytes += sizeBytes
	}
	const lose = ({ name }: WantedFile, problem: Problem['problem']) => {
		result.problems.push({ name, problem })
		result.lost.push(name)
	}
	// One copy for those that have the same bytes.
	const files = unique(wanted)
	const byBytes = Map.groupBy(files, poolPathOf)
	const missing = [...byBytes].filter(([path]) => sizeOf(join(backups, path)) === null)
	await room(missing.reduce((sum, [, [file]]) => sum + Math.max(0, sizeOfLive(join(uploads, file!.name)) ?? 0), 0))
	const queue = [...byBytes.values()]
	const work = async () => {
		try {
			for (let next = queue.shift(); next; next = queue.shift()) {
				for (const file of next) {
					signal.throwIfAborted()
					await keep(file)
					progress({ doing: 'files', done: ++done, total: files.length, unit: 'files' })
				}
			}
		} catch (error) {
			// All for nothing: the others stop, too.
			queue.length = 0
			throw error
		}
	}
	const outcomes = await Promise.allSettled(Array.from({ length: AT_ONCE }, work))
	const failed = outcomes.find((outcome) => outcome.status === 'rejected')
	if (failed) {
		// What filled the disk goes again: people write on it. Else the next one goes on from here.
		const full = diskTrouble(failed.reason, backups)?.code === 'noRoom'
		for (const file of full ? result.added : []) await rm(join(backups, poolPath(file)), { force: true })
		throw failed.reason
	}
	for (const folder of folders) syncPath(folder)
	const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
	result.files.sort(byName)
	result.problems.sort(byName)
	return result
}

const poolPathOf = (file: WantedFile) => poolPath(file)

function unique(wanted: readonly WantedFile[]): WantedFile[] {
	return [...new Map(wanted.map((file) => [file.name, file])).values()]
}

/** Null: there is no such file. */
function sizeOf(path: string): number | null {
	const found = lstatSync(path, { throwIfNoEntry: false })
	return found?.isFile() ? found.size : null
}

function sizeOfLive(path: string): number | null {
	try {
		return sizeOf(path)
	} catch (error) {
		if (isDamage(error)) return UNREADABLE
		throw unreadable(path, error)
	}
}

/** A sector that can't be read is damage of the file that lies there, and of no other. */
const isDamage = (error: unknown) => (error as NodeJS.ErrnoException).code === 'EIO'

function unreadable(path: string, error: unknown): Trouble {
	return new Trouble('cannotRead', { folder: path, why: (error as NodeJS.ErrnoException).code ?? '' }, { cause: error })
}

/** Those that nobody reads into: to make one for every file would take longer than to copy it. */
const buffers: Buffer[] = []

/** The bytes of an open file; they are overwritten when the next ones are asked for. Throws the disk's error. */
async function* chunksOf(handle: number): AsyncGenerator<Uint8Array> {
	const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES)
	try {
		for (;;) {
			// To wait for a thread takes longer than to read. Who asks to stop is heard in between.
			const length = readSync(handle, buffer)
			if (length === 0) return
			yield buffer.subarray(0, length)
			await nextTurn()
		}
	} finally {
		buffers.push(buffer)
	}
}

/**
 * Copies a file, syncs it, and gives it its name; its folder is synced by the caller. Gives its size; null when the
 * source has not these bytes (then there is nothing at the target that was not there before).
 */
export async function copyChecked(from: string, to: string, sha256: string, signal: AbortSignal): Promise<number | null> {
	const source = openSource(from)
	if (source === null) return null
	await using ending = new AsyncDisposableStack()
	ending.defer(() => closeSync(source))
	const partial = join(dirname(to), `${PARTIAL}${basename(to)}`)
	rmSync(partial, { force: true })
	const target = await PacedFile.create(partial)
	ending.defer(async () => {
		await target.abandon()
		rmSync(partial, { force: true })
	})
	const sum = createHash('sha256')
	try {
		for await (const bytes of chunksOf(source)) {
			signal.throwIfAborted()
			sum.update(bytes)
			await target.write(bytes)
		}
	} catch (error) {
		if ((error as NodeJS.ErrnoException).syscall === 'read' && isDamage(error)) return null
		throw error
	}
	if (sum.digest('hex') !== sha256) return null
	await target.finish()
	renameSync(partial, to)
	return target.sizeBytes
}

/** Null: it is not there, a link, or can't be read any more. */
function openSource(path: string): number | null {
	try {
		return openSync(path, READ)
	} catch (error) {
		if (['ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '') || isDamage(error)) return null
		throw unreadable(path, error)
	}
}

/** Reads files of the pool back. Gives what is wrong with which, by its name in the uploads folder. */
export async function checkPool(
	backups: string,
	files: readonly KeptFile[],
	progress: Progress,
	signal: AbortSignal,
): Promise<{ name: string; what: string }[]> {
	const findings: { name: string; what: string }[] = []
	const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
	const queue = [...files]
	let done = 0
	const work = async () => {
		for (let file = queue.shift(); file; file = queue.shift()) {
			signal.throwIfAborted()
			const what = await checkFile(join(backups, poolPath(file)), file)
			if (what) findings.push({ name: file.name, what })
			done += file.sizeBytes
			progress({ doing: 'verifying', done, total, unit: 'bytes' })
		}
	}
	await Promise.all(Array.from({ length: 4 }, work))
	return findings.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What is wrong with a file that should have these bytes; null: nothing. */
export async function checkFile(path: string, { sha256, sizeBytes }: { sha256: string; sizeBytes?: number }): Promise<string | null> {
	try {
		const file = openSync(path, READ)
		try {
			const { size } = fstatSync(file)
			if (sizeBytes !== undefined && size !== sizeBytes) return `it has ${size} bytes, not ${sizeBytes}`
			const sum = createHash('sha256')
			for await (const bytes of chunksOf(file)) sum.update(bytes)
			return sum.digest('hex') === sha256 ? null : 'its bytes are not what they were'
		} finally {
			closeSync(file)
		}
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException
		if (code === 'ENOENT') return 'it is missing'
		if (code === 'ELOOP') return 'it is a link'
		if (code === undefined) throw error
		return `it can't be read (${code})`
	}
}
