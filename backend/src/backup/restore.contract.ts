/**
 * What is promised about restores, on either engine: whatever is there before, and whatever they are of.
 */
import assert from 'node:assert/strict'
import { chmodSync, cpSync, existsSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import {
	bytesOf,
	fileOf,
	idOf,
	makeSchool,
	readBackup,
	sendFiles,
	snapshot,
	type TestSchool,
	writeMessages,
} from '../../../tests/support/backups.ts'
import { lookInto } from '../../../tests/support/mongo.ts'
import { makeFolder } from '../../../tests/support/server.ts'
import type { Config } from '../config.ts'
import { createBackup } from './create.ts'
import { type Backup, findBackup, listBackups } from './folder.ts'
import { poolPath } from './format.ts'
import { type Part, planRestore, type RestorePlan, type RestoreResult, restoreBackup } from './restore.ts'
import { finishRestore, isRehearsal, type Role, refusesReturns } from './restore-state.ts'
import type { Trouble } from './trouble.ts'

type Wanted = Partial<{ as: Role; only: Part | null; returns: boolean; config: Config }>
const onlyThe = (part: Part): Wanted => ({ as: 'replacement', only: part })

const make = async ({ config }: TestSchool) => (await createBackup({ config, reason: 'manual', drill: false })).backup

/** Plans and restores. */
async function restore(school: TestSchool, backup: Backup, wanted: Wanted = {}): Promise<RestoreResult & { plan: RestorePlan }> {
	const { only = null, as = 'replacement', returns = true, config = school.config } = wanted
	const plan = await planRestore({ config, source: { kind: 'backup', backup }, only })
	return { plan, ...(await restoreBackup({ config, plan, as, returns })) }
}

/** That nothing happened but this trouble. */
async function isRefused(school: TestSchool, code: string, work: () => Promise<unknown>, what = /./): Promise<void> {
	const { config } = school
	const before = [snapshot(config.folders.uploads), snapshot(config.folders.backups), await school.content(), readFileSync(config.envFile)]
	await assert.rejects(work, (error: Trouble) => {
		assert.equal(error.code, code, String(error))
		assert.match(error.message, what)
		return true
	})
	const after = [snapshot(config.folders.uploads), snapshot(config.folders.backups), await school.content(), readFileSync(config.envFile)]
	assert.deepEqual(after, before)
}

const sessionsOf = (school: TestSchool) => school.open((store) => store.get('sessions', idOf(6, 0)))
const lineageOf = (school: TestSchool) => school.open(async (store) => store.head.lineage)

export function restoreContract(engine: 'sqlite' | 'mongodb'): void {
	const other = engine === 'sqlite' ? 'mongodb' : 'sqlite'

	/** A school with a backup, and with more since: messages, other words, a file. */
	async function makeChanged(t: TestContext) {
		const school = await makeSchool(t, { engine })
		const [backup, then] = [await make(school), await school.content()]
		await school.open(async (store) => {
			await writeMessages(store, 10, 30, 'Later')
			await sendFiles(store, school.config, 3, 5)
		})
		return { school, backup, then, now: await school.content() }
	}

	test(`[B63] ${engine}: a restore brings everything back as it was, in a new lineage, and keeps what was there first`, async (t) => {
		const { school, backup, then, now } = await makeChanged(t)
		const { uploads, backups, data } = school.config.folders
		const [lineage, files] = [await lineageOf(school), snapshot(uploads)]
		const result = await restore(school, backup)
		const counts = result.plan.collections.filter((one) => one.now !== one.later && one.name !== 'system')
		assert.deepEqual(counts, [
			{ name: 'messages', now: 30, later: 20 },
			{ name: 'uploads', now: 5, later: 3 },
		])
		assert.deepEqual([result.plan.present, result.plan.elsewhere, result.plan.env], ['whole', false, 'kept'])
		assert.deepEqual(await school.content(), then)
		assert.equal(await sessionsOf(school), null, 'everybody signs in again')
		assert.notEqual(await lineageOf(school), lineage)
		assert.equal(await lineageOf(school), result.lineage)
		assert.deepEqual(snapshot(uploads), files, 'no upload is ever removed')
		assert.deepEqual(
			readdirSync(data).filter((name) => /restore|rehearsal|refused/.test(name)),
			[],
		)
		// And back again, from what was kept.
		const kept = (await findBackup(backups, result.safety!)) as Backup
		assert.deepEqual([kept.manifest.reason, typeof kept.verifiedAt], ['restore', 'string'])
		await restore(school, kept)
		assert.deepEqual(await school.content(), now)
		await school.open((store) => writeMessages(store, 30, 40))
		assert.equal((await school.content()).size, now.size + 10)
	})

	test(`[B74] ${engine}: stopped in its midst, a restore leaves the database as it was and says so, and works afterwards`, async (t) => {
		const { school, backup, then, now } = await makeChanged(t)
		const plan = await planRestore({ config: school.config, source: { kind: 'backup', backup }, only: null })
		const stopping = new AbortController()
		const options = { config: school.config, plan, as: 'replacement' as const, returns: true, signal: stopping.signal }
		const stopped = restoreBackup({ ...options, progress: ({ doing }) => doing === 'checking' && stopping.abort() })
		await assert.rejects(stopped, (error: Trouble) => {
			assert.equal(error.code, 'restoreStopped')
			return /database is as it was/.test(error.say('en').hint!)
		})
		assert.deepEqual(await school.content(), now)
		await restore(school, backup)
		assert.deepEqual(await school.content(), then)
	})

	test(`[B64] ${engine}: whatever became of the present database, a restore works, and its remains are kept`, async (t) => {
		const { school, backup, then } = await makeChanged(t)
		const { config } = school
		const { data, backups } = config.folders
		const database = () => join(data, `chat-${readFileSync(join(data, 'lineage'), 'utf8').trim()}.db`)
		const uri = config.mongodb?.uri
		const ways: Record<string, ['broken' | 'missing', () => unknown]> = uri
			? {
					'a newer version’s': [
						'broken',
						() => lookInto(uri, async (db) => db.collection(`journal_${await lineageOf(school)}`).updateMany({}, { $set: { schema: 99 } })),
					],
					missing: ['missing', () => lookInto(uri, (db) => db.dropDatabase())],
				}
			: {
					'overwritten pages': [
						'broken',
						() => {
							const file = openSync(database(), 'r+')
							writeSync(file, Buffer.alloc(statSync(database()).size - 4096, 0x55), 0, null, 4096)
						},
					],
					'no database at all': ['broken', () => writeFileSync(database(), 'no database')],
					'without its file': ['broken', () => rmSync(database())],
					'without its pointer': ['broken', () => rmSync(join(data, 'lineage'))],
					'a newer version’s': [
						'broken',
						() => {
							using db = new DatabaseSync(database())
							db.exec('UPDATE head SET schema = 99')
						},
					],
					missing: ['missing', () => rmSync(data, { recursive: true })],
				}
		if (uri) {
			// The commit would be an entry of the journal that is gone.
			await lookInto(uri, async (db) => db.dropCollection(`journal_${await lineageOf(school)}`))
			await assert.rejects(restore(school, backup), (error: Trouble) => {
				assert.match(`${error.message} ${error.say('en').hint}`, /is broken: The journal .* is missing.* Drop it with mongosh/)
				return true
			})
			const [kept] = (await listBackups(backups)).foreign
			assert.ok(readdirSync(kept!.path).includes('messages.bson'), 'what was there is kept, as mongodump writes it')
			await lookInto(uri, (db) => db.dropDatabase())
			await restore(school, backup)
		}
		for (const [name, [state, ruin]] of Object.entries(ways)) {
			await ruin()
			const before = snapshot(data)
			const { plan, safety } = await restore(school, backup)
			assert.equal(plan.present, state, name)
			assert.deepEqual(await school.content(), then, name)
			if (state === 'missing') assert.equal(safety, null, name)
			else {
				const kept = snapshot(join(backups, safety!))
				assert.ok(kept.size > 0)
				for (const [path, was] of uri ? [] : before)
					if (/^(chat-.*(db|wal)|lineage)$/.test(path)) assert.equal(kept.get(path), was, `${name}: ${path}`)
				assert.ok((await listBackups(backups)).foreign.some((entry) => entry.name === safety))
			}
		}
	})

	test(`[B65] ${engine}: missing and damaged files come back, whole ones are left, and a damaged one is kept aside`, async (t) => {
		const { school, backup } = await makeChanged(t)
		const { uploads } = school.config.folders
		const path = (n: number) => join(uploads, fileOf(n))
		const whole = snapshot(uploads)
		rmSync(path(0))
		writeFileSync(path(1), 'damaged')
		const untouched = statSync(path(2)).mtimeMs
		const { plan } = await restore(school, backup, onlyThe('files'))
		assert.deepEqual({ ...plan.files }, { missing: 1, damaged: 1, bytes: bytesOf(0).length + bytesOf(1).length })
		assert.equal(statSync(path(2)).mtimeMs, untouched)
		const [aside] = readdirSync(join(uploads, '.trash'))
		assert.equal(readFileSync(join(uploads, '.trash', aside!), 'utf8'), 'damaged')
		for (const [name, was] of whole) assert.equal(snapshot(uploads).get(name), was, name)
		// The folder as a whole.
		rmSync(uploads, { recursive: true })
		const again = await restore(school, backup)
		assert.equal(again.plan.files.missing, 3)
		assert.deepEqual(readdirSync(uploads).sort(), [0, 1, 2].map(fileOf).sort())
	})

	test(`[B66] ${engine}: of a backup only the database, the files or the settings can be restored`, async (t) => {
		const { school, backup, then, now } = await makeChanged(t)
		const { config } = school
		const file = join(config.folders.uploads, fileOf(0))
		const lineage = await lineageOf(school)
		rmSync(file)
		writeFileSync(config.envFile, 'SITE_NAME="Another"\n')

		const settings = await restore(school, backup, onlyThe('env'))
		assert.deepEqual([settings.safety, settings.lineage], [null, null])
		assert.equal(readFileSync(config.envFile, 'utf8'), 'SITE_NAME="A school"\n')
		assert.equal(statSync(config.envFile).mode & 0o777, 0o600)
		const before = readdirSync(join(config.envFile, '..')).filter((name) => name.startsWith('settings.env.before-'))
		assert.equal(readFileSync(join(config.envFile, '..', before[0]!), 'utf8'), 'SITE_NAME="Another"\n')
		assert.ok(!existsSync(file))

		// Beside a server that runs.
		await school.open(() => restore(school, backup, onlyThe('files')))
		assert.ok(existsSync(file))
		assert.deepEqual([await school.content(), await lineageOf(school)], [now, lineage])
		assert.ok((await sessionsOf(school)) !== null, 'nobody has to sign in again')

		rmSync(file)
		rmSync(config.envFile)
		await restore(school, backup, onlyThe('database'))
		assert.deepEqual([existsSync(file), existsSync(config.envFile)], [false, false])
		assert.deepEqual(await school.content(), then)
		// All of it: settings where there are none.
		const all = await restore(school, backup)
		assert.equal(all.plan.env, 'restored')
		assert.ok(existsSync(file) && existsSync(config.envFile))
	})

	test(`[B67] ${engine}: what can not be restored as a whole is refused before anything is touched`, async (t) => {
		const { school, backup } = await makeChanged(t)
		const { config } = school
		const { backups } = config.folders
		const dump = join(backup.path, 'database', backup.manifest.database, 'messages.bson.gz')
		const kept = join(backups, poolPath(backup.manifest.files[0]!))
		const settings = join(backup.path, 'env.production.local.backup')
		const cut = (path: string) => () => writeFileSync(path, readFileSync(path).subarray(1))
		const faults: [path: string, ruin: () => void, code: string, what: RegExp][] = [
			[dump, () => rmSync(dump), 'damaged', /messages\.bson\.gz: it is missing/],
			[dump, cut(dump), 'damaged', /messages\.bson\.gz/],
			[kept, () => rmSync(kept), 'damaged', /file-.* it is missing/],
			[kept, cut(kept), 'damaged', /file-/],
			[settings, cut(settings), 'damaged', /env\.production/],
		]
		for (const [path, ruin, code, what] of faults) {
			const bytes = readFileSync(path)
			ruin()
			await isRefused(school, code, () => restore(school, backup), what)
			writeFileSync(path, bytes)
			if (path === settings) chmodSync(path, 0o600)
		}
		const newer = structuredClone(backup)
		newer.manifest.schema = 99
		await isRefused(school, 'newerFormat', () => restore(school, newer))
		const without = structuredClone(backup)
		without.manifest.env = null
		await isRefused(school, 'notInIt', () => restore(school, without, onlyThe('env')))
		// What goes wrong between the plan and its end.
		const plan = await planRestore({ config, source: { kind: 'backup', backup }, only: 'database' })
		const bytes = readFileSync(dump)
		cut(dump)()
		const now = await school.content()
		await assert.rejects(restoreBackup({ config, plan, as: 'replacement', returns: true }), /is damaged/)
		assert.deepEqual(await school.content(), now)
		writeFileSync(dump, bytes)
		// A server that runs, here; the store that is open is one.
		await school.open(async () => {
			const busy = await planRestore({ config, source: { kind: 'backup', backup }, only: null })
			await assert.rejects(
				restoreBackup({ config, plan: busy, as: 'replacement', returns: true }),
				(error: Trouble) => error.code === 'serverRuns',
			)
		})
		assert.deepEqual(await school.content(), now)
	})

	test(`[B68] ${engine}: what mongodump would have written is restored as well, whoever wrote it`, async (t) => {
		const { school, backup, then } = await makeChanged(t)
		const path = join(makeFolder(t), 'dump')
		cpSync(join(backup.path, 'database'), path, { recursive: true })
		const { config } = school
		const source = { kind: 'mongodump', path } as const
		const plan = await planRestore({ config, source, only: null })
		assert.deepEqual([plan.elsewhere, plan.env, plan.files.missing], [false, 'none', 0])
		assert.equal(plan.collections.find(({ name }) => name === 'messages')?.later, 20)
		await restoreBackup({ config, plan, as: 'replacement', returns: true })
		assert.deepEqual(await school.content(), then)
		await isRefused(school, 'notInIt', () => planRestore({ config, source, only: 'files' }))
	})

	test(`[B72] ${engine}: another machine rehearses until it is confirmed, and gets no settings; a replacement is told by its id`, async (t) => {
		const { school, backup, then } = await makeChanged(t)
		const empty = async () => {
			const dir = makeFolder(t)
			const at = await makeSchool(t, { engine, dir, messages: 1, files: 0 })
			if (at.config.mongodb) await lookInto(at.config.mongodb.uri, (db) => db.dropDatabase())
			for (const name of ['data', 'uploads', 'settings.env']) rmSync(join(dir, name), { recursive: true, force: true })
			cpSync(school.config.folders.backups, at.config.folders.backups, { recursive: true })
			const found = (await findBackup(at.config.folders.backups, backup.name)) as Backup
			return { at, found }
		}
		const { at, found } = await empty()
		// One that goes wrong, or is interrupted, makes no rehearsal of what is there.
		const bad = await planRestore({ config: at.config, source: { kind: 'backup', backup: found }, only: null })
		const dump = join(found.path, 'database', found.manifest.database, 'messages.bson.gz')
		const bytes = readFileSync(dump)
		writeFileSync(dump, bytes.subarray(1))
		await assert.rejects(restoreBackup({ config: at.config, plan: bad, as: 'rehearsal', returns: true }), /is damaged/)
		assert.match(finishRestore(at.config, 'none')!, /before it took effect/)
		assert.ok(!isRehearsal(at.config))
		writeFileSync(dump, bytes)
		const { plan } = await restore(at, found, { as: 'rehearsal' })
		assert.deepEqual([plan.elsewhere, plan.present, plan.env], [true, 'missing', 'restored'])
		assert.ok(isRehearsal(at.config) && !existsSync(at.config.envFile))
		assert.deepEqual(await at.content(), then)
		assert.deepEqual(readdirSync(at.config.folders.uploads).length, 3)
		// Now it is known here, and stays what it was until somebody says so.
		const again = await planRestore({ config: at.config, source: { kind: 'backup', backup: found }, only: null })
		assert.equal(again.elsewhere, false)
		await restore(at, found, { as: 'replacement' })
		assert.ok(!isRehearsal(at.config) && existsSync(at.config.envFile))
		assert.deepEqual(await at.content(), then)
	})

	test(`[B73] ${engine}: whether browsers may offer again what the backup has not is noted with the new lineage, and with no other`, async (t) => {
		const { school, backup } = await makeChanged(t)
		const refusing = await restore(school, backup, { returns: false })
		assert.ok(refusesReturns(school.config, refusing.lineage!))
		const taking = await restore(school, backup)
		assert.ok(!refusesReturns(school.config, taking.lineage!))
	})

	if (engine === 'mongodb') {
		test(`[B69] a backup of each engine is restored into the other, every record as it was`, async (t) => {
			for (const [from, to] of [
				[engine, other],
				[other, engine],
			] as const) {
				const source = await makeSchool(t, { engine: from })
				const [backup, then] = [await make(source), await source.content()]
				const target = await makeSchool(t, { engine: to, messages: 1, files: 0 })
				cpSync(source.config.folders.backups, target.config.folders.backups, { recursive: true })
				const found = (await findBackup(target.config.folders.backups, backup.name)) as Backup
				const { plan } = await restore(target, found)
				assert.ok(plan.elsewhere)
				assert.deepEqual(await target.content(), then)
				assert.ok(existsSync(join(target.config.folders.uploads, fileOf(0))))
				// The way a school outgrows the default: the same folders, another engine.
				const config = { ...source.config, mongodb: target.config.mongodb }
				if (to === 'mongodb') {
					const moved = await restore(source, backup, { config })
					assert.equal(moved.plan.elsewhere, false)
					const next = await createBackup({ config, reason: 'manual', drill: true })
					const { manifest, path } = next.backup
					assert.equal(manifest.engine, 'mongodb')
					assert.deepEqual(readBackup(path, manifest), then)
				}
			}
		})
	}
}
