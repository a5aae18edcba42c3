/**
 * What the tests of backups share: a small school with messages and files, a process that makes backups, and a judge
 * of the folder that it leaves.
 *
 * The judge reads a backup by zlib and the BSON library alone, never by the code that wrote it.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { BSON } from 'bson'
import { Manifest, poolPath } from '../../backend/src/backup/format.ts'
import { type Config, defaults, foldersIn, storeOptions } from '../../backend/src/config.ts'
import { collections, type StoredRecord } from '../../backend/src/storage/collections.ts'
import { openStore } from '../../backend/src/storage/open.ts'
import type { Store } from '../../backend/src/storage/store.ts'
import type { BackupAnswer, BackupOrder } from './backup-child.ts'
import { lookInto, testAddress } from './mongo.ts'
import { discussionDraft, groupDraft, messageDraft, uploadDraft, userDraft } from './records.ts'
import { makeFolder } from './server.ts'

export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')

/** The n-th id of a kind of record. */
export const idOf = (kind: number, n: number) => (kind * 0x1000000 + n).toString(16).padStart(24, '0')
const KIND = { user: 1, group: 2, member: 3, discussion: 4, message: 5, session: 6, upload: 8 }
export const groupId = idOf(KIND.group, 0)
export const discussionId = idOf(KIND.discussion, 0)
export const userId = (n: number) => idOf(KIND.user, n)
export const memberId = (n: number) => idOf(KIND.member, n)
export const messageId = (n: number) => idOf(KIND.message, n)
export const uploadId = (n: number) => idOf(KIND.upload, n)

/** Everything that lasts, by `<collection> <id>`: what no restore carries over is not in it. */
export type Content = Map<string, StoredRecord>

const lasts = (collection: string) => !collections[collection as keyof typeof collections].volatile

export interface TestSchool {
	config: Config
	/** The settings as a process of its own takes them. */
	env: Record<string, string>
	/** The store, for as long as the work takes. */
	open<T>(work: (store: Store) => Promise<T>): Promise<T>
	/** What a whole backup has to hold now. */
	content(): Promise<Content>
}

/** A school that nobody uses at the moment: some people, a group, a discussion, messages and files. */
export async function makeSchool(
	t: TestContext,
	{
		engine = 'sqlite',
		dir = makeFolder(t),
		messages = 20,
		files = 3,
	}: Partial<{ engine: string; dir: string; messages: number; files: number }> = {},
): Promise<TestSchool> {
	const uri = engine === 'mongodb' ? testAddress() : null
	if (uri) t.after(() => lookInto(uri, (db) => db.dropDatabase()))
	const envFile = join(dir, 'settings.env')
	writeFileSync(envFile, 'SITE_NAME="A school"\n', { mode: 0o600 })
	const mongodb = uri === null ? null : { uri, silenceMs: 1_000 }
	const config: Config = { ...defaults, folders: foldersIn(dir), mongodb, envFile }
	mkdirSync(config.folders.uploads, { recursive: true })
	const school: TestSchool = {
		config,
		env: { DATA_DIR: dir, ENV_FILE: envFile, MONGODB_URI: uri ?? '', TAKEOVER_AFTER_MS: '1000' },
		async open(work) {
			const store = await openStore(storeOptions(config))
			try {
				return await work(store)
			} finally {
				await store.close()
			}
		},
		content: () => school.open(contentOf),
	}
	await school.open(async (store) => {
		await store.write(null, async (tx) => {
			for (let n = 0; n < 3; n++)
				await tx.put('users', userDraft({ id: userId(n), name: `Sari ${n}`, role: n > 0 ? 'student' : 'lecturer' }))
			await tx.put('groups', groupDraft({ id: groupId, name: 'Blue', createdBy: userId(0) }))
			for (let n = 1; n < 3; n++) await tx.put('memberships', { id: memberId(n), group: groupId, user: userId(n) })
			await tx.put('discussions', discussionDraft({ id: discussionId, title: 'Weekend', createdBy: userId(0), groups: [groupId] }))
			const expiresAt = '2099-01-01T00:00:00.000Z'
			await tx.put('sessions', { id: idOf(KIND.session, 0), user: userId(1), tokenHash: 'x'.repeat(43), device: 'A phone', expiresAt })
		})
		await writeMessages(store, 0, messages)
		await sendFiles(store, config, 0, files)
	})
	return school
}

/** Adds messages `from` to below `to`, or writes those anew that are there. */
export async function writeMessages(store: Store, from: number, to: number, text = 'Hello'): Promise<void> {
	const most = 250
	for (let next = from; next < to; next += most) {
		await store.write(userId(1), async (tx) => {
			for (let n = next; n < Math.min(to, next + most); n++) {
				const said = { id: messageId(n), discussion: discussionId, author: userId(1), group: groupId, text: `${text} ${n} – ß 🙂` }
				await tx.put('messages', messageDraft(said))
			}
		})
	}
}

/** The bytes of a file that `sendFiles` makes. */
export const bytesOf = (n: number) => Buffer.from(`The notes, number ${n}.\n`.repeat(50 + n))
/** Its name in the uploads folder. */
export const fileOf = (n: number) => `file-${sha256(bytesOf(n))}.txt`

/** Adds files `from` to below `to`, and their records. */
export async function sendFiles(store: Store, { folders }: Config, from: number, to: number): Promise<void> {
	for (let n = from; n < to; n++) {
		const bytes = bytesOf(n)
		writeFileSync(join(folders.uploads, fileOf(n)), bytes)
		const more = { sha256: sha256(bytes), sentDigest: sha256(bytes), sizeBytes: bytes.length }
		await store.write(userId(1), (tx) =>
			tx.put('uploads', uploadDraft({ id: uploadId(n), owner: userId(1), name: `notes ${n}.txt`, file: fileOf(n), ...more })),
		)
	}
}

/** What a whole backup of the store has to hold now. */
export async function contentOf(store: Store): Promise<Content> {
	const { records } = await store.exportAt()
	const all: Content = new Map()
	for await (const { collection, record } of records) if (lasts(collection)) all.set(`${collection} ${record.id}`, record)
	return all
}

/** What the store held after the entry `seq`, made from its journal alone, which reaches back to the beginning. */
export async function contentAt(store: Store, seq: number): Promise<Content> {
	const all: Content = new Map()
	for await (const entry of store.entries({ after: 0 })) {
		if (entry.seq > seq) break
		for (const { collection, id, record } of entry.puts) if (lasts(collection)) all.set(`${collection} ${id}`, record!)
		for (const { collection, id } of entry.removes) all.delete(`${collection} ${id}`)
	}
	return all
}

export interface BackupProcess {
	process: ChildProcess
	/** What it answers to an order; null when it died instead. */
	make(order?: BackupOrder): Promise<BackupAnswer | null>
	/** Resolves when it begins to wait for another process. */
	waiting: Promise<void>
	exited: Promise<number | string>
}

/** Starts a process that makes backups of the school; killed with the test. */
export function startBackups(t: TestContext, { env }: TestSchool, more: Record<string, string> = {}): BackupProcess {
	const child = spawn(process.execPath, [join(import.meta.dirname, 'backup-child.ts')], {
		env: { ...process.env, LANG: 'en', ...env, ...more },
		stdio: ['pipe', 'pipe', 'inherit'],
	})
	t.after(() => child.kill('SIGKILL'))
	child.stdin.on('error', () => {})
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	const waits = Promise.withResolvers<void>()
	return {
		process: child,
		async make(order = {}) {
			child.stdin.write(`${JSON.stringify(order)}\n`)
			for (;;) {
				const { value, done } = await lines.next()
				if (done) return null
				const said: BackupAnswer = JSON.parse(value)
				if (!('waiting' in said)) return said
				waits.resolve()
			}
		},
		waiting: waits.promise,
		exited: once(child, 'exit').then(([code, signal]) => code ?? signal),
	}
}

/** Every file in a folder by its path, with what it is and the digest of its bytes. */
export type Snapshot = Map<string, string>

export function snapshot(folder: string): Snapshot {
	const found: Snapshot = new Map()
	if (!existsSync(folder)) return found
	for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
		const path = join(entry.parentPath, entry.name)
		if (!entry.isDirectory()) found.set(relative(folder, path), `${lstatSync(path).mode.toString(8)} ${sha256(readFileSync(path))}`)
	}
	return found
}

/** What a judge may find beside what was there before. */
export interface Judgement {
	/** The one whole backup that is new. */
	manifest: Manifest | null
	/** Whether anything is left over of one that is not. */
	leftovers: string[]
}

/**
 * Judges a backups folder: what was there before is untouched, what has a new name in the pool is what its name says,
 * and at most one backup is new, which is whole and holds exactly `content`.
 */
export function judgeBackups({ config }: TestSchool, before: Snapshot, content: Content): Judgement {
	const { backups } = config.folders
	const now = snapshot(backups)
	for (const [path, was] of before) assert.equal(now.get(path), was, `${path} was there before, and is not what it was`)
	const leftovers: string[] = []
	const names = new Set<string>()
	for (const [path, is] of now) {
		if (before.has(path)) continue
		const [first] = path.split('/')
		if (path.split('/').some((part) => part.startsWith('.partial-'))) leftovers.push(path)
		else if (first === 'files') assert.equal(is.split(' ')[1], /^files\/..\/([0-9a-f]{64})(\.\w+)?$/.exec(path)?.[1], path)
		else names.add(first!)
	}
	assert.ok(names.size <= 1, `More than one is new: ${[...names]}`)
	const [name] = names
	return { manifest: name === undefined ? null : judgeBackup(backups, name, content), leftovers }
}

/** Judges one backup: whole, verified where no file is lost, and holding exactly `content`. Gives its manifest. */
export function judgeBackup(backups: string, name: string, content: Content): Manifest {
	const folder = join(backups, name)
	const manifest = Manifest.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')))
	assert.equal(manifest.name, name)
	assert.match(readFileSync(join(folder, 'manifest.txt'), 'utf8'), new RegExp(`backup ${name}`))
	const found = readBackup(folder, manifest)
	assert.equal(found.size, content.size, 'as many records')
	for (const [key, record] of content) assert.deepEqual(found.get(key), record, key)
	const lost = new Set(manifest.problems.map((problem) => problem.name))
	for (const file of manifest.files) {
		const path = join(backups, poolPath(file))
		assert.ok(lstatSync(path).isFile())
		assert.equal(sha256(readFileSync(path)), file.sha256)
		assert.equal(lstatSync(path).size, file.sizeBytes)
		lost.delete(file.name)
	}
	const kept = new Set(manifest.files.map((file) => file.name))
	for (const [key, record] of content) {
		const { file = null } = record as { file?: string | null }
		if (key.startsWith('uploads ') && file !== null) assert.ok(kept.has(file) !== lost.has(file), file)
	}
	assert.equal(manifest.verifiedAt !== null, lost.size === 0)
	if (manifest.env) {
		const path = join(folder, 'env.production.local.backup')
		assert.equal(lstatSync(path).mode & 0o777, 0o600)
		assert.equal(sha256(readFileSync(path)), manifest.env.sha256)
	}
	return manifest
}

/** The records in a backup, and that all that its manifest says of them is so. */
export function readBackup(folder: string, manifest: Manifest): Content {
	const found: Content = new Map()
	const dump = join(folder, 'database', manifest.database)
	assert.deepEqual(
		manifest.collections.map((part) => part.name),
		Object.keys(collections).filter(lasts),
	)
	const files = manifest.collections.flatMap(({ file }) => [file, file.replace(/bson\.gz$/, 'metadata.json.gz')])
	assert.deepEqual(readdirSync(dump).sort(), files.sort())
	for (const { name, file, records, hash, sizeBytes, ranges } of manifest.collections) {
		const metadata = JSON.parse(gunzipSync(readFileSync(join(dump, file.replace(/bson\.gz$/, 'metadata.json.gz')))).toString())
		assert.equal(metadata.collectionName, name)
		const bytes = readFileSync(join(dump, file))
		assert.equal(bytes.length, sizeBytes)
		const all = recordsIn(gunzipSync(bytes))
		assert.equal(all.length, records)
		let [at, taken] = [0, 0]
		for (const range of ranges) {
			assert.equal(range.offset, at)
			const member = bytes.subarray(at, at + range.sizeBytes)
			assert.equal(sha256(member), range.sha256)
			const bson = gunzipSync(member)
			assert.equal(bson.length, range.bsonBytes)
			const part = recordsIn(bson)
			assert.deepEqual(part, all.slice(taken, taken + range.records))
			assert.deepEqual([part[0]!.seq, part.at(-1)!.seq], [range.first, range.last])
			assert.equal(sha256(part.map((record) => `${JSON.stringify(record)}\n`).join('')), range.hash)
			at += range.sizeBytes
			taken += part.length
		}
		if (ranges.length > 0) assert.equal(at, sizeBytes)
		assert.equal(taken, records)
		assert.equal(sha256(ranges.map((range) => range.hash).join('')), hash)
		const order = (a: StoredRecord, b: StoredRecord) => a.seq - b.seq || (a.id < b.id ? -1 : 1)
		assert.deepEqual(all, all.toSorted(order), 'in the order of exports')
		for (const record of all) found.set(`${name} ${record.id}`, record)
	}
	return found
}

/** Records from documents, their fields sorted. */
function recordsIn(bson: Buffer): StoredRecord[] {
	const records: StoredRecord[] = []
	for (let at = 0; at < bson.length; ) {
		const size = bson.readInt32LE(at)
		records.push(plain(BSON.deserialize(bson.subarray(at, at + size))) as StoredRecord)
		at += size
	}
	return records
}

function plain(value: unknown): unknown {
	if (value instanceof BSON.ObjectId) return value.toHexString()
	if (value instanceof Date) return value.toISOString()
	if (Array.isArray(value)) return value.map(plain)
	if (typeof value !== 'object' || value === null) return value
	const fields = Object.entries(value).map(([name, inner]) => [name === '_id' ? 'id' : name, plain(inner)] as const)
	assert.ok(!fields.some(([name]) => name === '_k'), 'keys of indexes are not in it')
	return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
}
