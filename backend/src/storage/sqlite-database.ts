/**
 * A data folder of the embedded engine before it is open: which file is the database, and whether one is missing.
 *
 * Promises that a folder where a database could be corrupted is refused, as is one without room, and that one which
 * lost its pointer is named, not replaced. Knows nothing of installations and backups: that is open.ts.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { syncPath } from './durable-file.ts'
import { type Database, NoDatabase, StorageFull, StorageUnavailable } from './engine.ts'
import { createSqlite, findLineage, listLineages, openSqlite, readHead, readSqlite, replaceSqlite } from './sqlite.ts'
import type { Specs } from './sqlite-schema.ts'

/** File systems on which SQLite's locks or shared memory can't be trusted. */
const REMOTE =
	/^(nfs|cifs|smb|ncpfs|9p$|virtiofs$|vboxsf$|prl_fs$|vmhgfs|ceph|afs|lustre|gpfs|glusterfs|fakeowner|osxfs|grpcfuse|fuse\.(sshfs|rclone|s3fs|gcsfuse|glusterfs|davfs|curlftpfs|ceph|cifs|smb|vmhgfs|osxfs|grpcfuse|fakeowner))/

/** The type of the file system that holds a path, from the text of /proc/self/mountinfo. Null where it isn't told. */
export function fileSystemOf(path: string, mountinfo: string): string | null {
	let best = { point: '', type: null as string | null }
	for (const line of mountinfo.split('\n')) {
		const point = line.split(' ')[4]?.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
		const type = / - (\S+)/.exec(line)?.[1]
		if (point === undefined || type === undefined || point.length < best.point.length) continue
		if (path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`)) best = { point, type }
	}
	return best.type
}

/** Throws where the folder lies on a file system that would corrupt an embedded database. */
export function refuseRemote(folder: string, mountinfo: string): void {
	const type = fileSystemOf(folder, mountinfo)
	if (type === null || !REMOTE.test(type)) return
	throw new StorageUnavailable(
		`The data folder ${folder} lies on a network file system (${type}), where the embedded database can be corrupted.`,
		{
			hint: 'Set DATA_DIR to a folder on a local disk, or use MongoDB.',
		},
	)
}

/** The folder's database. The caller holds the folder's lock: nobody else writes it. Throws `StorageUnavailable`. */
export function findSqlite(folder: string, specs: Specs): Database {
	if (existsSync('/proc/self/mountinfo')) refuseRemote(realpathSync(folder), readFileSync('/proc/self/mountinfo', 'utf8'))
	return {
		engine: 'sqlite',
		place: folder,
		name: 'online-discussion',
		async free() {},
		async head() {
			if (findLineage(folder) === null) {
				refuseLost(folder)
				return null
			}
			refuseFull(folder)
			return readHead(folder)
		},
		create: (schema) => createSqlite(folder, specs, schema),
		open: () => openSqlite(folder, specs),
		async read() {
			if (findLineage(folder) === null) {
				refuseLost(folder)
				throw new NoDatabase(`There is no English Chat database in ${folder}.`, { hint: 'Start the server once.' })
			}
			return readSqlite(folder, specs)
		},
		replace: (replacement) => replaceSqlite(folder, specs, replacement),
		keep: async (apart) => keepFiles(folder, apart),
		async scratch(apart, replacement) {
			mkdirSync(apart)
			const remove = () => rmSync(apart, { recursive: true, force: true })
			try {
				await replaceSqlite(apart, specs, replacement)
				const snapshot = readSqlite(apart, specs)
				return { ...snapshot, close: () => snapshot.close().finally(remove) }
			} catch (error) {
				remove()
				throw error
			}
		},
		async close() {},
	}
}

/** Every file of a database that is or was here, and what notes it. */
function keepFiles(folder: string, apart: string): void {
	mkdirSync(apart, { recursive: true })
	for (const name of readdirSync(folder).filter((name) => /^(lineage|installation\.json|chat-.*)$/.test(name))) {
		copyFileSync(join(folder, name), join(apart, name))
		syncPath(join(apart, name))
	}
	syncPath(apart)
}

/** Each open database has 32 KiB of memory that its connections share through a file; its first entries need some more. */
const ROOM_BYTES = 128 * 1024

/** Without that room SQLite would speak of a broken disk, or the kernel end the process as it touches what has no place. */
function refuseFull(folder: string): void {
	const path = join(folder, 'room')
	try {
		writeFileSync(path, Buffer.alloc(ROOM_BYTES))
	} catch (error) {
		throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? new StorageFull('There is no room to open it.', { cause: error }) : error
	} finally {
		rmSync(path, { force: true })
	}
}

/** Throws where the pointer is gone but databases are there: one of them is the right one. */
function refuseLost(folder: string): void {
	const lineages = listLineages(folder)
	if (lineages.length === 0) return
	throw new StorageUnavailable(
		`The file ${join(folder, 'lineage')} is missing, which says which of these is the database: ${lineages.join(', ')}.`,
		{
			hint: `Write it anew: echo ${lineages[0]} > ${join(folder, 'lineage')}. Nothing was changed.`,
		},
	)
}
