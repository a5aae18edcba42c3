/**
 * The admin's endpoints of backups: what the list says, what can be begun, and what a download holds.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { extract } from 'tar-stream'
import { createBackup } from '../../backend/src/backup/create.ts'
import { addMark, type Backup, findBackup } from '../../backend/src/backup/folder.ts'
import { planRestore, restoreBackup } from '../../backend/src/backup/restore.ts'
import { type Config, defaults, foldersIn } from '../../backend/src/config.ts'
import { openClass, password } from '../support/class.ts'
import { codeOf } from '../support/client.ts'
import { databaseOf } from '../support/mongo.ts'
import { makeFolder, openStoreOf, startServer, testing } from '../support/server.ts'
import { makeTiny } from '../support/tiny-backups.ts'

const secret = 'SECRET_OF_THE_SCHOOL=1234'

/** A class with a file and a message, its settings, and one backup. */
async function openKept(t: TestContext, changed: Partial<Config> = {}) {
	const envFile = join(makeFolder(t), 'settings.env')
	writeFileSync(envFile, `${secret}\n`)
	const server = await startServer(t, { envFile, ...changed })
	const room = await openClass(server)
	const upload = await room.student.upload('notes.txt', Buffer.from('What we said.\n'))
	await room.student.send(room.discussion, 'Kept for good', { uploads: [upload] })
	const uri = databaseOf(server.dir)
	const folders = foldersIn(server.dir)
	const config: Config = { ...defaults, ...testing, folders, mongodb: uri === null ? null : { uri }, envFile }
	const { backup } = await createBackup({ config, reason: 'manual', drill: false })
	return { ...room, server, config, backup }
}

/** What an archive holds, by name. */
async function unpack(bytes: Buffer): Promise<Map<string, Buffer>> {
	const found = new Map<string, Buffer>()
	for await (const entry of Readable.from([bytes]).pipe(extract())) {
		assert.equal(entry.header.type, 'file')
		found.set(entry.header.name, Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Buffer>)))
	}
	return found
}

const archiveOf = (name: string, ticket: string) => `/api/backups/${name}/archive?ticket=${ticket}`
/** Files of this folder that this process has open. */
const openIn = (folder: string) =>
	readdirSync('/proc/self/fd').filter((fd) => {
		try {
			return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)
		} catch {
			return false
		}
	})

test('[B90] the list says what each backup holds and how far it can be trusted, and what lies beside them', async (t) => {
	const { server, admin, lecturer, config, backup } = await openKept(t)
	const folder = config.folders.backups
	makeTiny(folder, {
		name: '20240101_020000',
		number: 1,
		createdAt: '2024-01-01T02:00:00.000Z',
		verifiedAt: null,
		problems: [{ name: 'a.png', problem: 'missing' }],
	})
	await addMark(folder, '20240101_020000', { at: '2024-01-02T02:00:00.000Z', kind: 'damaged', what: 'a byte' })
	mkdirSync(join(folder, '20231105_020000'))
	writeFileSync(join(folder, '20231105_020000/uploads-20231105_020000.tar.gz'), 'x')
	mkdirSync(join(folder, 'by hand'))
	const response = await admin.request('listBackups', {})
	const said = await response.text()
	assert.ok(!said.includes(server.dir), 'the folder is not told')
	const list = await admin.call('listBackups', {})
	assert.deepEqual([list.readable, list.running, list.nextAt, list.drill], [true, null, null, true])
	const [newest, damaged] = list.backups
	const { createdAt, verifiedAt, sizes } = backup.manifest
	assert.deepEqual(newest, {
		...{ name: backup.name, createdAt, reason: 'manual', people: 4, discussions: 1, messages: 1, files: 1 },
		...{ sizeBytes: sizes.databaseBytes + sizes.filesBytes, verifiedAt, provenAt: null, damaged: false, lost: 0 },
	})
	assert.deepEqual([damaged!.name, damaged!.damaged, damaged!.verifiedAt, damaged!.lost], ['20240101_020000', true, null, 1])
	assert.deepEqual(
		list.old.map(({ name, lacks }) => [name, lacks]),
		[['20231105_020000', ['database', 'env', 'manifest']]],
	)
	assert.deepEqual(list.foreign, [{ name: 'by hand', why: 'no-manifest' }])
	await addMark(folder, backup.name, { at: '2099-01-01T00:00:00.000Z', kind: 'proven' })
	assert.equal((await admin.call('listBackups', {})).backups[0]!.provenAt, '2099-01-01T00:00:00.000Z')
	assert.equal(await codeOf(lecturer.call('listBackups', {})), 'forbidden')
})

test('[B91] an admin makes a backup and proves one, one at a time', async (t) => {
	const { admin, backup } = await openKept(t, { backup: { ...defaults.backup, schedule: null, drill: false } })
	const idle = async () => {
		while ((await admin.call('listBackups', {})).running) await sleep(50)
	}
	await admin.call('startBackup', {})
	assert.equal((await admin.call('listBackups', {})).running?.kind, 'backup')
	assert.equal(await codeOf(admin.call('startBackup', {})), 'backup_busy')
	assert.equal(await codeOf(admin.call('proveBackup', { name: backup.name })), 'backup_busy')
	await idle()
	const { backups, alerts } = await admin.call('listBackups', {})
	assert.deepEqual([backups.length, backups[0]!.reason, alerts], [2, 'manual', []])
	for (const name of ['20990101_000000', '..', 'latest', '1']) {
		assert.equal(await codeOf(admin.call('proveBackup', { name })), 'not_found', name)
	}
	await admin.call('proveBackup', { name: backup.name })
	await idle()
	const proven = (await admin.call('listBackups', {})).backups
	assert.deepEqual(
		proven.map(({ provenAt }) => provenAt !== null),
		[false, true],
	)
})

test('[B92] a download asks for the password again, and its ticket is for one admin, one backup, once', async (t) => {
	const { school, admin, backup, config } = await openKept(t)
	const { name } = backup
	const another = (await createBackup({ config, reason: 'manual', drill: false })).backup.name
	assert.equal(await codeOf(admin.call('downloadBackup', { name, ticket: '' })), 'not_found')
	assert.equal(await codeOf(admin.call('allowDownload', { name, password: 'wrong' })), 'wrong_credentials')
	const allow = async () => (await admin.call('allowDownload', { name, password })).ticket
	assert.equal(await codeOf(admin.call('downloadBackup', { name: another, ticket: await allow() })), 'not_found')
	const colleague = await (await school.enter('Ines Inspector', 'lecturer')).promote(admin)
	assert.equal(await codeOf(colleague.call('downloadBackup', { name, ticket: await allow() })), 'not_found')
	const ticket = await allow()
	assert.equal(await codeOf(admin.call('downloadBackup', { name, ticket })), 'done')
	assert.equal(await codeOf(admin.call('downloadBackup', { name, ticket })), 'not_found')
	const late = await allow()
	t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
	assert.equal(await codeOf(admin.call('downloadBackup', { name, ticket: late })), 'not_found')
	t.mock.timers.reset()
	// As at the entrance: whoever guesses waits.
	const codes = []
	for (let n = 0; n < 9; n++) codes.push(await codeOf(admin.call('allowDownload', { name, password: `guess ${n}` })))
	assert.equal(codes.at(-1), 'rate_limited')
	assert.equal(await codeOf(admin.call('allowDownload', { name, password })), 'rate_limited')
})

test('[B93] a download is all of a backup but the settings, and is restored from an empty folder', async (t) => {
	const { server, admin, backup, config } = await openKept(t)
	const { name } = backup
	assert.ok(existsSync(join(backup.path, 'env.production.local.backup')))
	const { ticket } = await admin.call('allowDownload', { name, password })
	const response = await admin.fetch(archiveOf(name, ticket))
	assert.equal(response.headers.get('content-disposition'), `attachment; filename="english-chat-${name}.tar"`)
	const bytes = Buffer.from(await response.arrayBuffer())
	assert.ok(!bytes.includes(secret))
	const found = await unpack(bytes)
	assert.ok(![...found.keys()].some((path) => path.includes('env')))

	const elsewhere = makeFolder(t)
	const uri = databaseOf(elsewhere)
	const folders = foldersIn(elsewhere)
	for (const [path, content] of found) {
		const place = join(folders.backups, path)
		mkdirSync(dirname(place), { recursive: true })
		writeFileSync(place, content)
		if (!/manifest\.\w+$/.test(path)) assert.deepEqual(content, readFileSync(join(config.folders.backups, path)), path)
	}
	const there = readdirSync(join(backup.path, 'database', backup.manifest.database))
	assert.equal(found.size, there.length + backup.manifest.files.length + 2)

	const other: Config = { ...config, folders, mongodb: uri === null ? null : { uri }, envFile: join(elsewhere, 'settings.env') }
	const taken = (await findBackup(folders.backups, 'latest')) as Backup
	const plan = await planRestore({ config: other, source: { kind: 'backup', backup: taken }, only: null })
	await restoreBackup({ config: other, plan, as: 'replacement', returns: true })
	const store = await openStoreOf(elsewhere)
	const { records } = await store.exportAt()
	const texts = []
	for await (const { collection, record } of records) if (collection === 'messages') texts.push((record as { text?: string }).text)
	await store.close()
	assert.deepEqual(texts, ['Kept for good'])
	assert.deepEqual(readdirSync(folders.uploads).length, 1)
	assert.deepEqual(server.trouble, [])
})

test('[B94] a download of which the reader goes away, or a file is gone, ends at once and leaves nothing open', async (t) => {
	const { server, admin, backup, config } = await openKept(t)
	const folder = config.folders.backups
	const large = join(backup.path, 'database', backup.manifest.database, backup.manifest.collections[0]!.file)
	const whole = readFileSync(large)
	// More than all buffers on the way.
	writeFileSync(large, Buffer.alloc(64 * 1024 * 1024))
	const allow = async () => (await admin.call('allowDownload', { name: backup.name, password })).ticket
	const leaving = new AbortController()
	const response = await admin.fetch(archiveOf(backup.name, await allow()), { signal: leaving.signal })
	await response.body!.getReader().read()
	while (openIn(folder).length === 0) await sleep(5)
	leaving.abort()
	while (openIn(folder).length > 0) await sleep(5)
	writeFileSync(large, whole)
	assert.deepEqual(server.trouble, [])

	rmSync(large)
	const cut = await admin.fetch(archiveOf(backup.name, await allow()))
	await assert.rejects(cut.arrayBuffer())
	assert.deepEqual(openIn(folder), [])
	assert.match(server.trouble.join(), /not downloaded as a whole/)
	assert.equal(await codeOf(admin.call('listBackups', {})), 'done')
})
