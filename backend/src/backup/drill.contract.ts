/**
 * What is promised about drills, on either engine.
 *
 * Backups are changed as a clever fault would change them: what a reading back compares is right again.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { BSON } from 'bson'
import { makeSchool, sha256, snapshot, startBackups, type TestSchool, writeMessages } from '../../../tests/support/backups.ts'
import { lookInto } from '../../../tests/support/mongo.ts'
import { createBackup } from './create.ts'
import { drillBackup } from './drill.ts'
import { type Backup, findBackup } from './folder.ts'
import { MANIFEST, type Manifest, poolPath } from './format.ts'
import { tryBackupLock } from './lock.ts'
import { Trouble } from './trouble.ts'
import { verifyBackup } from './verify.ts'

type Document = Record<string, unknown>

export async function make({ config }: TestSchool, drill = false): Promise<Backup> {
	return (await createBackup({ config, reason: 'manual', drill })).backup
}

/** Writes a collection of a backup anew, with a manifest that says the same; `content`: its hashes too. */
function rewrite({ path, manifest }: Backup, collection: string, change: (documents: Document[]) => Document[], content: boolean): void {
	const next: Manifest = structuredClone(manifest)
	const part = next.collections.find(({ name }) => name === collection)!
	const file = join(path, 'database', manifest.database, part.file)
	const [range] = part.ranges
	assert.ok(range && part.ranges.length === 1)
	const documents: Document[] = []
	const bson = gunzipSync(readFileSync(file))
	for (let at = 0; at < bson.length; at += bson.readInt32LE(at)) {
		documents.push(BSON.deserialize(bson.subarray(at, at + bson.readInt32LE(at))))
	}
	const changed = Buffer.concat(change(documents).map((document) => BSON.serialize(document)))
	const member = gzipSync(changed)
	writeFileSync(file, member)
	Object.assign(range, { records: change(documents).length, sizeBytes: member.length, sha256: sha256(member), bsonBytes: changed.length })
	if (content) {
		const line = (document: Document) => {
			const plain = JSON.parse(JSON.stringify(document))
			const { _id, ...fields } = plain
			return `${JSON.stringify(Object.fromEntries(Object.entries({ ...fields, id: _id }).sort(([a], [b]) => (a < b ? -1 : 1))))}\n`
		}
		range.hash = sha256(change(documents).map(line).join(''))
		part.hash = sha256(range.hash)
	}
	Object.assign(part, { records: range.records, sizeBytes: member.length })
	writeFileSync(join(path, MANIFEST), JSON.stringify(next))
}

/** One bit is another. */
const flipped = (bytes: Buffer) => bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 4 : byte))

/** What a drill may have left in the database. */
async function scratchOf({ config }: TestSchool): Promise<string[]> {
	const left = existsSync(join(config.folders.data, '.drill')) ? ['.drill'] : []
	if (!config.mongodb) return left
	const names = await lookInto(config.mongodb.uri, (db) => db.listCollections({}, { nameOnly: true }).toArray())
	return [...left, ...names.map(({ name }) => name).filter((name) => name.startsWith('scratch_'))]
}

export function drillContract(engine: 'sqlite' | 'mongodb'): void {
	const school = (t: TestContext, messages = 20) => makeSchool(t, { engine, messages })

	test(`[B60] ${engine}: a drill loads and compares all of a backup, and marks it; what people use is as it was`, async (t) => {
		const here = await school(t)
		const { backups, uploads } = here.config.folders
		const plain = await make(here)
		const drilled = await make(here, true)
		assert.deepEqual([plain.provenAt, typeof drilled.provenAt], [null, 'string'])
		await here.open((store) => writeMessages(store, 20, 30))
		const before = [await here.content(), snapshot(uploads), snapshot(plain.path)]
		await drillBackup({ config: here.config, backup: plain })
		const again = (await findBackup(backups, plain.name)) as Backup
		assert.ok(again.provenAt !== null && again.damaged === null)
		assert.deepEqual([await here.content(), snapshot(uploads), snapshot(plain.path)], before)
		assert.deepEqual(await scratchOf(here), [])
	})

	test(`[B60] ${engine}: while a server writes, a drill proves what is in the backup, and disturbs nobody`, async (t) => {
		const here = await school(t)
		const backup = await make(here)
		await here.open(async (store) => {
			let done = false
			const drilling = drillBackup({ config: here.config, backup }).finally(() => {
				done = true
			})
			for (let n = 20; !done; n++) await writeMessages(store, n, n + 1)
			await drilling
		})
		assert.deepEqual(await scratchOf(here), [])
	})

	test(`[B61] ${engine}: what reads well and can not be restored as it was is refused, marked, and never the latest`, async (t) => {
		const here = await school(t)
		const { backups } = here.config.folders
		const good = await make(here)
		const wrongs: [RegExp, boolean, (documents: Document[]) => Document[]][] = [
			[/records are not those/, false, ([first, ...rest]) => [{ ...first, name: 'Sari X' }, ...rest]],
			[/records are not those/, false, ([_, ...rest]) => rest],
			// Right in every byte and hash, and no database.
			[/have one email/, true, ([first, second, ...rest]) => [first!, { ...second, email: first!.email }, ...rest]],
			[/newer than the copy/, true, (all) => all.map((one, n) => (n === 1 ? { ...one, rev: 1_000_000 } : one))],
			[/come by \(seq, id\)/, true, ([first, second, ...rest]) => [second!, first!, ...rest]],
		]
		// What is compared is the same code; what is loaded is not.
		for (const [what, content, change] of engine === 'sqlite' ? wrongs : wrongs.slice(0, 3)) {
			const backup = await make(here)
			rewrite(backup, 'users', change, content)
			const changed = (await findBackup(backups, backup.name)) as Backup
			assert.deepEqual((await verifyBackup({ config: here.config, backup: changed })).findings, [], 'reading it back finds nothing')
			await assert.rejects(drillBackup({ config: here.config, backup: changed }), (error: Trouble) => {
				assert.deepEqual([error.code, error.exit], ['damaged', 12], String(error))
				assert.match(error.message, what)
				return true
			})
			const refused = (await findBackup(backups, backup.name)) as Backup
			assert.match(refused.damaged!, what)
			assert.equal((await findBackup(backups, 'latest')).name, good.name)
			assert.deepEqual(await scratchOf(here), [])
			rmSync(backup.path, { recursive: true })
		}
	})

	test(`[B61] ${engine}: a file that is not in the pool as it was, or a collection that is cut, is refused by name`, async (t) => {
		const here = await school(t)
		const { backups } = here.config.folders
		const backup = await make(here)
		const [file] = backup.manifest.files
		const kept = join(backups, poolPath(file!))
		const bytes = readFileSync(kept)
		const dump = join(backup.path, 'database', backup.manifest.database, 'messages.bson.gz')
		const members = readFileSync(dump)
		for (const [path, whole, wrong, what] of [
			[kept, bytes, bytes.subarray(1), file!.name],
			[kept, bytes, flipped(bytes), file!.name],
			[dump, members, members.subarray(0, -1), 'messages.bson.gz'],
			[dump, members, flipped(members), 'messages.bson.gz'],
		] as const) {
			writeFileSync(path, wrong)
			await assert.rejects(
				drillBackup({ config: here.config, backup }),
				(error) => error instanceof Trouble && error.code === 'damaged' && error.message.includes(what),
			)
			writeFileSync(path, whole)
		}
		assert.match(((await findBackup(backups, backup.name)) as Backup).damaged!, /messages/)
		await drillBackup({ config: here.config, backup })
		assert.equal(((await findBackup(backups, backup.name)) as Backup).damaged, null)
	})

	test(`[B62] ${engine}: one at a time; stopped or cut short, a drill says nothing about the backup, and the next one works`, async (t) => {
		const here = await school(t)
		const { backups, data } = here.config.folders
		const backup = await make(here)
		const lock = (await tryBackupLock(here.config))!
		await assert.rejects(drillBackup({ config: here.config, backup }), (error) => error instanceof Trouble && error.code === 'busy')
		lock.release()
		const stop = new AbortController()
		const progress = () => stop.abort(new Error('enough'))
		await assert.rejects(drillBackup({ config: here.config, backup, progress, signal: stop.signal }), /enough/)
		assert.deepEqual(await scratchOf(here), [])
		assert.deepEqual(((await findBackup(backups, backup.name)) as Backup).damaged, null)
		await drillBackup({ config: here.config, backup })
		assert.ok(!readdirSync(data).includes('.drill'))

		const killed = startBackups(t, here, { FAILPOINT: 'replace:built' })
		assert.equal(await killed.make({ drill: true }), null)
		assert.equal(await killed.exited, 'SIGKILL')
		assert.notDeepEqual(await scratchOf(here), [], 'it was killed at work')
		// A backup without a drill takes away what lies in the folder.
		await createBackup({ config: here.config, reason: 'manual', drill: false })
		assert.ok(!readdirSync(data).includes('.drill'))
		await drillBackup({ config: here.config, backup })
		assert.deepEqual(await scratchOf(here), [])
	})
}
