/**
 * Backups that version 1.x made: `mongodb-<timestamp>.tar.gz`, `uploads-<timestamp>.tar.gz`, `manifest.txt`.
 *
 * Promises to say what each lacks, and, where it is read, what is wrong with it; a member of an archive that could do
 * harm is refused by its name. Never writes anything, not even a member.
 */
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'
import { bytesOf, isFinding, itemsIn, parseDocument } from './bson-stream.ts'
import { ENV_COPY, PEOPLE } from './format.ts'

/** What version 1.x left out without failing: there was no mongodump, no upload, no settings, or it was interrupted. */
export type Lack = 'database' | 'files' | 'env' | 'manifest'

/** A folder that version 1.x made. */
export interface OldBackup {
	kind: 'version1'
	name: string
	path: string
	/** `incomplete`: its last step is missing, so any file of it may be cut. */
	state: 'complete' | 'no-database' | 'no-uploads' | 'incomplete'
	lacks: Lack[]
	/** By its name; null where that is no time. */
	at: Date | null
	sizeBytes: number
}

const DATABASE = /^mongodb-.*\.tar\.gz$/
const UPLOADS = /^uploads-.*\.tar\.gz$/
/** Where it was killed between the dump and its packing. */
const UNPACKED = 'mongodb'

/** The files of a folder of version 1.x by what they are. */
interface Pieces {
	database: string | null
	uploads: string | null
	env: boolean
	manifest: boolean
}

/** What version 1.x left in a folder; null where it left nothing. */
export async function findVersion1(path: string, name: string): Promise<OldBackup | null> {
	const entries = await readdir(path, { withFileTypes: true })
	const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
	const { database, uploads, env, manifest } = piecesOf(files)
	const unpacked = entries.some((entry) => entry.isDirectory() && entry.name === UNPACKED)
	const at = timeOf(name)
	if (!database && !uploads && !unpacked && !(at && (manifest || env))) return null
	const lacks: Lack[] = []
	if (!database) lacks.push('database')
	if (!uploads) lacks.push('files')
	if (!env) lacks.push('env')
	if (!manifest) lacks.push('manifest')
	const state = !manifest ? 'incomplete' : !database ? 'no-database' : !uploads ? 'no-uploads' : 'complete'
	const sizes = await Promise.all(files.map(async (file) => (await lstat(join(path, file))).size))
	return { kind: 'version1', name, path, state, lacks, at, sizeBytes: sizes.reduce((sum, size) => sum + size, 0) }
}

function piecesOf(files: readonly string[]): Pieces {
	return {
		database: files.find((file) => DATABASE.test(file)) ?? null,
		uploads: files.find((file) => UPLOADS.test(file)) ?? null,
		env: files.includes(ENV_COPY),
		manifest: files.includes(PEOPLE),
	}
}

/** The local time that a folder is named after. */
function timeOf(name: string): Date | null {
	const parts = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/.exec(name)
	if (!parts) return null
	const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [number, number, number, number, number, number]
	return new Date(year, month - 1, day, hour, minute, second)
}

// What is in one.

/** What was found when all of it was read. */
export interface OldContent {
	/** What is wrong with it, a sentence each; nothing: as far as it can be told, it is whole. */
	findings: string[]
	/** Of the database, by name. */
	collections: { name: string; records: number }[]
	uploads: { files: number; sizeBytes: number }
}

/** More than version 1 ever took or wrote; what claims to be larger is refused before it is read. */
const LARGEST = { bson: 64 * 1024 ** 3, upload: 64 * 1024 ** 2, other: 16 * 1024 ** 2 }

/** Reads every byte of an old backup. Throws the signal's reason. */
export async function verifyVersion1({ path, lacks }: OldBackup, signal: AbortSignal = new AbortController().signal): Promise<OldContent> {
	const content: OldContent = { findings: [], collections: [], uploads: { files: 0, sizeBytes: 0 } }
	const files = (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name)
	const { database, uploads } = piecesOf(files)
	const databases = new Set<string>()
	const reading = async (file: string, take: (member: Member) => Promise<void>) => {
		try {
			await readMembers(join(path, file), take, signal)
		} catch (error) {
			signal.throwIfAborted()
			if (!isFinding(error)) throw error
			content.findings.push(`${file}: ${error.message}`)
		}
	}
	if (database) {
		await reading(database, async ({ name, bytes, sizeBytes }) => {
			const [, db, file] = /^mongodb\/([^/]+)\/([^/]+)$/.exec(name) ?? []
			const collection = /^(.+)\.bson$/.exec(file ?? '')?.[1]
			if (db !== undefined) databases.add(db)
			else if (name !== 'mongodb/prelude.json') throw new Error(`${shown(name)} does not belong there`)
			allow(name, sizeBytes, collection === undefined ? LARGEST.other : LARGEST.bson)
			if (collection === undefined) return
			content.collections.push({ name: collection, records: await countDocuments(name, bytes) })
		})
		if (content.findings.length === 0 && !content.collections.some(({ name, records }) => name === 'users' && records > 0)) {
			content.findings.push(`${database}: it holds no people`)
		}
	}
	if (uploads) {
		await reading(uploads, async ({ name, sizeBytes }) => {
			if (!/^backend\/uploads\/[^/]+$/.test(name)) throw new Error(`${shown(name)} does not belong there`)
			allow(name, sizeBytes, LARGEST.upload)
			if (name === 'backend/uploads/.gitkeep') return
			content.uploads.files++
			content.uploads.sizeBytes += sizeBytes
		})
	}
	if (!lacks.includes('manifest')) content.findings.push(...(await compareManifest(path, files, databases)))
	return content
}

interface Member {
	name: string
	sizeBytes: number
	bytes: AsyncIterable<Buffer>
}

/** A file of an archive as it may be named in a sentence. */
const shown = (name: string) => JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name)

function allow(name: string, sizeBytes: number, most: number): void {
	if (sizeBytes > most) throw new Error(`${shown(name)} was refused: it would be too large (${sizeBytes} bytes)`)
}

/** Reads an archive to its end; `take` need not read a member. Throws with what is wrong, also with a member that is not harmless. */
async function readMembers(path: string, take: (member: Member) => Promise<void>, signal: AbortSignal): Promise<void> {
	const tar = extract()
	let tail = Buffer.alloc(0)
	const bytes = async function* () {
		for await (const chunk of bytesOf(path, true, signal)) {
			tail = Buffer.concat([tail.subarray(-1_024), chunk.subarray(-1_024)]).subarray(-1_024)
			yield chunk
		}
	}
	let broken: unknown = null
	const flowing = pipeline(bytes, tar).catch((error) => {
		broken = error
	})
	const seen = new Set<string>()
	try {
		for await (const entry of tar) {
			const header: Header = entry.header
			refuseHarmful(header)
			const name = header.name.replace(/^(\.\/)+/, '')
			if (seen.has(name)) throw new Error(`${shown(name)} was refused: it is there twice`)
			seen.add(name)
			if (header.type === 'file')
				await take({ name, sizeBytes: header.size, bytes: entry as AsyncIterable<unknown> as AsyncIterable<Buffer> })
			entry.resume()
		}
	} catch (error) {
		tar.destroy()
		await flowing
		throw error
	}
	await flowing
	if (broken) throw broken
	// Both blocks of zeros with which every tar ends.
	if (tail.length < 1_024 || tail.some((byte) => byte !== 0)) throw new Error('it is cut')
}

function refuseHarmful({ name, type }: Header): void {
	const refuse = (why: string) => {
		throw new Error(`${shown(name)} was refused: ${why}`)
	}
	if (type !== 'file' && type !== 'directory') refuse(`it is no file (${type ?? 'of an unknown kind'})`)
	if (name.startsWith('/') || name.split('/').includes('..')) refuse('it leads out of its folder')
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
	if (name === '' || /[\x00-\x1f\x7f-\x9f\\\ufffd]/.test(name)) refuse('its name is no name of a file')
}

async function countDocuments(name: string, bytes: AsyncIterable<Buffer>): Promise<number> {
	let records = 0
	try {
		for await (const documents of itemsIn(bytes)) {
			for (const document of documents) parseDocument(document)
			records += documents.length
		}
	} catch (error) {
		if (!isFinding(error)) throw error
		throw new Error(`${shown(name)}: ${error.message}`, { cause: error })
	}
	return records
}

/** What manifest.txt says of the other files, as `ls -lh` told it. */
async function compareManifest(path: string, files: readonly string[], databases: ReadonlySet<string>): Promise<string[]> {
	const findings: string[] = []
	const { size } = await lstat(join(path, PEOPLE))
	if (size > LARGEST.other) return [`${PEOPLE}: it is too large`]
	const text = await readFile(join(path, PEOPLE), 'utf8')
	const said = new Map([...text.matchAll(/^\s+- (\S+) \(([\d.,]+[KMGT]?)\)$/gm)].map(([, name, size]) => [name!, size!]))
	for (const [name, size] of said) {
		if (name === PEOPLE) continue
		if (!files.includes(name)) findings.push(`${PEOPLE} names ${shown(name)}, which is missing`)
		else if (!isSize((await lstat(join(path, name))).size, size))
			findings.push(`${name}: it has not the size that ${PEOPLE} says (${size})`)
	}
	for (const name of files) if (!said.has(name) && name !== PEOPLE) findings.push(`${PEOPLE} does not name ${shown(name)}`)
	const database = /^Database: (.+)$/m.exec(text)?.[1]
	if (database && databases.size > 0 && !databases.has(database))
		findings.push(`${PEOPLE} says it is the database ${shown(database)}, but it is not`)
	return findings
}

/** Whether so many bytes are said so by `ls -h`: below 10 with one digit after the point, rounded up. */
function isSize(sizeBytes: number, said: string): boolean {
	const [, number, unit = ''] = /^([\d.,]+)([KMGT]?)$/.exec(said)!
	const one = 1024 ** ['', 'K', 'M', 'G', 'T'].indexOf(unit)
	const step = /[.,]/.test(number!) ? one / 10 : one
	return Math.abs(Number(number!.replace(',', '.')) * one - sizeBytes) < (unit === '' ? 1 : step * 1.001)
}
