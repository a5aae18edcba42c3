/**
 * The backups folder: which backups there are, what happened to them later, and what is none.
 *
 * Promises the order in which backups were made, whatever clocks and names say; that a mark, once added, is on the
 * disk; and that no link is followed. Never removes a backup.
 */
import assert from 'node:assert/strict'
import { constants, existsSync, lstatSync } from 'node:fs'
import { type FileHandle, lutimes, mkdir, open, readdir, realpath, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { syncPath } from '../storage/durable-file.ts'
import { ERASURES, FORMAT, MANIFEST, MARKS, Manifest, Mark, nameAt, PARTIAL, POOL } from './format.ts'
import { Trouble } from './trouble.ts'
import { findVersion1, type OldBackup } from './version-1.ts'

export type { OldBackup } from './version-1.ts'

/** A backup, with what happened to it since it was made. */
export interface Backup {
	kind: 'ours'
	/** Of its folder. Where that is not the manifest's, somebody copied or renamed it by hand. */
	name: string
	path: string
	manifest: Manifest
	verifiedAt: string | null
	provenAt: string | null
	/** What was found when it was read or drilled again. */
	damaged: string | null
}

/** Why an entry of the folder is no backup; the last three may be one all the same. */
export type ForeignWhy = 'file' | 'no-manifest' | 'link' | 'broken-manifest' | 'newer-format'

export interface ForeignEntry {
	kind: 'foreign'
	name: string
	path: string
	why: ForeignWhy
	/** It may be a backup whose files are not known: then any file of the pool may be one of them. */
	mayNeedPool: boolean
}

export interface Listing {
	/** Newest first. */
	backups: Backup[]
	/** Newest first by their names. */
	old: OldBackup[]
	foreign: ForeignEntry[]
}

/** A backup on its way out: a folder with this beginning is none. */
export const TRASH = '.trash-'
/** What a later version keeps beside backups. */
export const JOURNAL = 'journal'
/** Names of ours that are no backups. */
const OURS = [POOL, JOURNAL, ERASURES]
/** More than the manifest of a million files. */
const MANIFEST_BYTES = 400 * 1024 * 1024
/** Older than every backup. */
const OLD = new Date('2000-01-01T00:00:00Z')
/** Links are not followed, and nothing that waits for a writer is waited for. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** All that lies in the backups folder; nothing where there is no such folder. Throws `Trouble` where it can't be read. */
export async function listBackups(folder: string): Promise<Listing> {
	const listing: Listing = { backups: [], old: [], foreign: [] }
	try {
		for (const name of await readdir(folder).catch(noneWhenAbsent)) {
			if (name.startsWith('.') || OURS.includes(name)) continue
			const found = await entryAt(folder, name)
			if (found?.kind === 'ours') listing.backups.push(found)
			else if (found?.kind === 'version1') listing.old.push(found)
			else if (found) listing.foreign.push(found)
		}
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException
		if (code === undefined) throw error
		throw new Trouble('cannotRead', { folder, why: code }, { cause: error })
	}
	listing.backups.sort((a, b) => -compareAge(a, b))
	listing.old.sort((a, b) => (a.name < b.name ? 1 : -1))
	listing.foreign.sort((a, b) => (a.name < b.name ? -1 : 1))
	return listing
}

/** Older ones first: by their numbers, and where two have the same by the clock. */
function compareAge({ manifest: a, name: nameA }: Backup, { manifest: b, name: nameB }: Backup): number {
	if (a.number !== b.number) return a.number - b.number
	return a.createdAt === b.createdAt ? (nameA < nameB ? -1 : 1) : a.createdAt < b.createdAt ? -1 : 1
}

function noneWhenAbsent(error: NodeJS.ErrnoException): string[] {
	if (error.code === 'ENOENT') return []
	throw error
}

/** Null: it went while the folder was read. */
async function entryAt(folder: string, name: string): Promise<Backup | OldBackup | ForeignEntry | null> {
	const path = join(folder, name)
	const foreign = (why: ForeignWhy, mayNeedPool: boolean): ForeignEntry => ({ kind: 'foreign', name, path, why, mayNeedPool })
	const found = lstatSync(path, { throwIfNoEntry: false })
	if (!found) return null
	if (found.isSymbolicLink()) return foreign('link', !(await staysInside(folder, path)))
	if (!found.isDirectory()) return foreign('file', false)
	const manifest = await readManifest(join(path, MANIFEST))
	if (manifest !== 'absent') return typeof manifest === 'string' ? foreign(manifest, true) : withMarks(folder, { name, path, manifest })
	try {
		const old = await findVersion1(path, name)
		// A backup that was copied only in part has no manifest yet.
		return old ?? foreign('no-manifest', existsSync(join(path, 'database')))
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException
		if (code === 'EACCES') return foreign('no-manifest', true)
		if (code === 'ENOENT') return null
		throw error
	}
}

/** What a link inside of the folder leads to is listed itself. */
async function staysInside(folder: string, path: string): Promise<boolean> {
	const [inside, target] = await Promise.all([realpath(folder), realpath(path).catch(() => null)])
	return target !== null && dirname(target) === inside
}

/** Manifests by their paths, each with what says that its file is the same: a server looks at all of them again and again. */
const read = new Map<string, { file: string; manifest: Manifest }>()
const READ_MOST = 1_000

async function readManifest(path: string): Promise<Manifest | 'absent' | 'broken-manifest' | 'newer-format'> {
	const found = lstatSync(path, { throwIfNoEntry: false })
	const file = found ? `${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}` : ''
	const before = read.get(path)
	if (before?.file === file) return before.manifest
	const manifest = await parseManifest(path)
	read.delete(path)
	if (typeof manifest === 'object') read.set(path, { file, manifest })
	if (read.size > READ_MOST) read.delete(read.keys().next().value!)
	return manifest
}

async function parseManifest(path: string): Promise<Manifest | 'absent' | 'broken-manifest' | 'newer-format'> {
	const text = await readPlain(path, MANIFEST_BYTES)
	if (text === null) return 'absent'
	try {
		const json = JSON.parse(text)
		if (typeof json?.format === 'number' && json.format > FORMAT) return 'newer-format'
		return Manifest.safeParse(json).data ?? 'broken-manifest'
	} catch {
		return 'broken-manifest'
	}
}

/** The text of a file; empty where it is none that can be read, null where there is none. */
async function readPlain(path: string, maxBytes: number): Promise<string | null> {
	let file: FileHandle | null = null
	try {
		file = await open(path, READ)
		const found = await file.stat()
		return found.isFile() && found.size <= maxBytes ? await file.readFile('utf8') : ''
	} catch (error) {
		const { code = '' } = error as NodeJS.ErrnoException
		if (code === 'ENOENT') return null
		if (/^(EACCES|EIO|ELOOP|ENXIO)$/.test(code)) return ''
		throw error
	} finally {
		await file?.close()
	}
}

// Marks.

const marksOf = (folder: string, name: string) => join(folder, MARKS, `${name}.ndjson`)

/** What happened counts in the order in which it was written down: clocks jump. */
async function withMarks(folder: string, { name, path, manifest }: Pick<Backup, 'name' | 'path' | 'manifest'>): Promise<Backup> {
	let { verifiedAt, provenAt } = manifest
	let damaged: string | null = null
	let refused: string | null = null
	for (const { kind, at, what = 'it was not said what' } of await readMarks(folder, name)) {
		if (kind === 'verified') {
			verifiedAt = at
			damaged = null
		} else if (kind === 'proven') {
			provenAt = at
			// A proof reads all of it. What was never whole is not made whole by it.
			if (verifiedAt !== null) verifiedAt = at
			damaged = refused = null
		} else {
			provenAt = null
			if (kind === 'damaged') damaged = what
			else refused = what
		}
	}
	damaged ??= refused
	return { kind: 'ours', name, path, manifest, verifiedAt: damaged === null ? verifiedAt : null, provenAt, damaged }
}

/** Lines that are none, such as the half of one that a crash left, say nothing. */
async function readMarks(folder: string, name: string): Promise<Mark[]> {
	const text = await readPlain(marksOf(folder, name), MANIFEST_BYTES)
	return (text ?? '').split('\n').flatMap((line) => {
		try {
			return Mark.safeParse(JSON.parse(line)).data ?? []
		} catch {
			return []
		}
	})
}

/** Notes what happened to a backup. It is on the disk when it resolves. */
export async function addMark(folder: string, name: string, mark: Mark): Promise<void> {
	assertPlain(name)
	const path = marksOf(folder, name)
	const made = await mkdir(dirname(path), { recursive: true })
	const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW, 0o644)
	try {
		const { size } = await file.stat()
		const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1))
		// Half a line that a crash left stays alone.
		const begin = size > 0 && buffer[0] !== 10 ? '\n' : ''
		await file.appendFile(`${begin}${JSON.stringify(Mark.parse(mark))}\n`)
		await file.sync()
	} finally {
		await file.close()
	}
	syncPath(dirname(path))
	if (made) syncPath(folder)
}

/** Forgets what happened to a backup that is no more. */
export async function removeMarks(folder: string, name: string): Promise<void> {
	assertPlain(name)
	await rm(marksOf(folder, name), { force: true })
}

function assertPlain(name: string): void {
	assert(name !== '' && basename(name) === name && !name.startsWith('.'), `"${name}" is no name of a backup.`)
}

// Finding one.

/**
 * The backup that somebody means: by its name, its path, its number in the list (1 is the newest), or `latest`, the
 * newest that is verified. Throws `Trouble`.
 */
export async function findBackup(folder: string, argument: string): Promise<Backup | OldBackup> {
	const { backups, old, foreign } = await listBackups(folder)
	const wanted = argument.trim().replace(/(?<=.)\/+$/, '')
	const all = [...backups, ...old]
	if (all.length === 0 && foreign.length === 0) throw new Trouble('noBackups', { folder })
	const name = nameIn(folder, wanted)
	const found =
		wanted === 'latest'
			? backups.find(({ verifiedAt }) => verifiedAt !== null)
			: /^\d{1,6}$/.test(wanted)
				? backups[Number(wanted) - 1]
				: all.find((backup) => backup.name === name)
	if (found) return found
	const why = foreign.find((entry) => entry.name === name)?.why
	if (why === 'newer-format') throw new Trouble('newerFormat', { name: wanted })
	if (why === 'broken-manifest') throw new Trouble('damaged', { name: wanted, what: `its ${MANIFEST} can't be read` })
	throw new Trouble('noSuchBackup', { name: argument, there: all.map((backup) => backup.name).join(', ') })
}

/** The name of an entry that a name or a path means; null where it leads elsewhere. */
function nameIn(folder: string, wanted: string): string | null {
	const name = basename(wanted)
	if (name === '' || name === '.' || name === '..') return null
	const inside = wanted === name || resolve(dirname(wanted)) === resolve(folder) || join(dirname(wanted)) === basename(folder)
	return inside ? name : null
}

/** The number of the next backup. */
export function numberFor({ backups }: Listing): number {
	return 1 + Math.max(0, ...backups.map(({ manifest }) => manifest.number))
}

/** A name for a backup that is made at this time: none that is taken, nor one that has marks. */
export function freeName(folder: string, time: Date): string {
	const first = nameAt(time)
	const taken = (name: string) =>
		[name, PARTIAL + name, TRASH + name].some((entry) => lstatSync(join(folder, entry), { throwIfNoEntry: false })) ||
		existsSync(marksOf(folder, name))
	for (let n = 1; ; n++) {
		const name = n === 1 ? first : `${first}_${n}`
		if (!taken(name)) return name
	}
}

// Keeping it in order.

/** Removes what an interrupted backup or removal left. The caller holds the lock of backups. */
export async function sweepPartials(folder: string): Promise<void> {
	for (const name of await readdir(folder).catch(noneWhenAbsent)) {
		if (name.startsWith(PARTIAL)) await rm(join(folder, name), { recursive: true, force: true })
		else if (name.startsWith(TRASH)) await emptyTrash(folder, name.slice(TRASH.length))
	}
	for await (const { parent, name } of poolEntries(folder)) {
		if (name.startsWith(PARTIAL)) await rm(join(parent, name), { recursive: true, force: true })
	}
	await ageEntries(folder)
}

/** Removes a backup that has its name no more. Its marks go first: while its folder is there, this is done again. */
export async function emptyTrash(folder: string, name: string): Promise<void> {
	// It may have come back from elsewhere.
	if (name !== '' && !name.startsWith('.') && !existsSync(join(folder, name))) await removeMarks(folder, name)
	await rm(join(folder, TRASH + name), { recursive: true, force: true })
}

/** Everything that lies in the pool's folders. */
export async function* poolEntries(folder: string): AsyncGenerator<{ parent: string; name: string }> {
	const pool = join(folder, POOL)
	if (!lstatSync(pool, { throwIfNoEntry: false })?.isDirectory()) return
	for (const part of await readdir(pool, { withFileTypes: true })) {
		const parent = join(pool, part.name)
		if (part.isDirectory()) for (const name of await readdir(parent)) yield { parent, name }
	}
}

/** Makes what is no backup look old, so that the newest entry of the folder is the newest backup. After every change of it. */
export async function ageEntries(folder: string): Promise<void> {
	for (const name of OURS) {
		await lutimes(join(folder, name), OLD, OLD).catch((error: NodeJS.ErrnoException) => {
			// Where it can't be had, nothing but the order of a list is lost.
			if (!/^(ENOENT|EPERM|EACCES|EROFS)$/.test(error.code ?? '')) throw error
		})
	}
}
