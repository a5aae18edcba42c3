/**
 * Backups while a server runs: made in time, told when they fail; real processes, a real mail server and webhook.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { fileOf, makeSchool, writeMessages } from '../../../tests/support/backups.ts'
import { type Config, defaults, storeOptions } from '../config.ts'
import { openStore } from '../storage/open.ts'
import { sayAlert } from './alerts.ts'
import { createBackup } from './create.ts'
import { addMark } from './folder.ts'
import { type Keeper, openKeeper } from './keeper.ts'
import { beginRehearsal } from './restore-state.ts'
import type { Trouble } from './trouble.ts'

const silent = pino({ level: 'silent' })

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
	while (!(await what())) await sleep(20)
}

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port

/** Takes mail as a mail server does. `way`: it may refuse every sender, or never say a word. */
async function openMailbox(t: TestContext) {
	const mails: string[] = []
	const box = { mails, way: 'takes' as 'takes' | 'refuses' | 'hangs', url: '' }
	const sockets = new Set<Socket>()
	const server = createServer((socket) => {
		sockets.add(socket)
		socket.on('error', () => {})
		if (box.way === 'hangs') return
		let mail: string | null = null
		let left = ''
		socket.write('220 mail.test ready\r\n')
		socket.on('data', (data: Buffer) => {
			const lines = (left + data).split('\r\n')
			left = lines.pop()!
			for (const line of lines) {
				if (mail !== null) {
					if (line !== '.') {
						mail += `${line}\n`
						continue
					}
					mails.push(mail)
					mail = null
					socket.write('250 taken\r\n')
				} else if (/^EHLO/i.test(line)) socket.write('250 mail.test\r\n')
				else if (/^MAIL/i.test(line) && box.way === 'refuses') socket.write('550 not from you\r\n')
				else if (/^DATA/i.test(line)) {
					mail = ''
					socket.write('354 go on\r\n')
				} else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n')
				else socket.write('250 fine\r\n')
			}
		})
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	t.after(() => {
		for (const socket of sockets) socket.destroy()
		server.close()
	})
	box.url = `smtp://127.0.0.1:${portOf(server)}`
	return box
}

async function openWebhook(t: TestContext) {
	const posts: { alert: string | null; message: string; hint: string | null }[] = []
	const server = createHttp(async (request, response) => {
		const body = await Array.fromAsync(request)
		posts.push(JSON.parse(Buffer.concat(body as Buffer[]).toString()))
		response.end()
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	t.after(() => void server.close())
	return { posts, url: `http://127.0.0.1:${portOf(server)}/hook` }
}

/** A school whose server looks after its backups. */
async function keep(t: TestContext, settings: { alerts?: Partial<Config['alerts']>; backup?: Partial<Config['backup']> } = {}) {
	const school = await makeSchool(t)
	const { alerts, backup } = settings
	const config: Config = {
		...school.config,
		alerts: { ...defaults.alerts, ...alerts },
		backup: { ...defaults.backup, schedule: null, drill: false, ...backup },
	}
	const opened: (() => Promise<void>)[] = []
	t.after(async () => {
		for (const close of opened) await close()
	})
	async function start(more: { catchUpMs?: number } = {}) {
		const store = await openStore(storeOptions(config))
		const kept: string[] = []
		const keeper = await openKeeper({ config, store, log: silent, onKept: (cursor) => void kept.push(cursor), ...more })
		const close = async () => {
			await keeper.close()
			await store.close()
		}
		opened.push(close)
		return { keeper, store, kept, close }
	}
	return { school, config, start, backups: () => readdirSync(config.folders.backups).filter((name) => /^\d{8}_/.test(name)) }
}

const codesOf = (keeper: Keeper) => keeper.alerts.map(({ code }) => code)

test('[B96] what is in a backup is known to be kept as soon as it is there, whoever made it, and when it must be proven, then', async (t) => {
	const { config, start } = await keep(t, { backup: { drill: true } })
	const { store, kept, keeper } = await start()
	assert.deepEqual(kept, [])
	await writeMessages(store, 50, 51)
	const { seq, lineage } = store.head
	// Another process makes one that nobody proved.
	await createBackup({ config, reason: 'manual', drill: false })
	await keeper.look()
	assert.deepEqual(kept, [])
	await keeper.start({ kind: 'backup', reason: 'manual' })
	assert.equal(keeper.running?.kind, 'backup')
	await assert.rejects(keeper.start({ kind: 'drill', name: 'x' }), (error: Trouble) => error.code === 'busy')
	await until(() => kept.length > 0)
	assert.deepEqual(kept, [`${lineage}:${seq}`])
	await writeMessages(store, 51, 52)
	await createBackup({ config, reason: 'manual', drill: true })
	await until(() => kept.length > 1)
	assert.deepEqual(kept.at(-1), `${lineage}:${store.head.seq}`)
	assert.deepEqual(codesOf(keeper), [])
	// A mark alone, in a folder that was not there at the start.
	await writeMessages(store, 52, 53)
	const { backup } = await createBackup({ config, reason: 'manual', drill: false })
	await sleep(500)
	await addMark(config.folders.backups, backup.name, { at: new Date().toISOString(), kind: 'refused', what: 'a test' })
	await sleep(500)
	assert.equal(kept.length, 2)
	await addMark(config.folders.backups, backup.name, { at: new Date().toISOString(), kind: 'proven' })
	await until(() => kept.length > 2)
	assert.deepEqual(kept.at(-1), `${lineage}:${store.head.seq}`)
})

test('[B97] a scheduled backup is made in its time; one that is fresh is enough; one that was missed is made up for', async (t) => {
	const { config, start, backups } = await keep(t, { backup: { schedule: '* * * * * *' } })
	const first = await start()
	await until(() => backups().length === 1)
	await until(() => first.keeper.running === null)
	// Some more times of the schedule: there is one already.
	await sleep(2_200)
	assert.equal(backups().length, 1)
	await first.close()

	config.backup.schedule = '30 2 * * *'
	const [name] = backups()
	const manifest = join(config.folders.backups, name!, 'manifest.json')
	const age = (hours: number) => {
		const said = JSON.parse(readFileSync(manifest, 'utf8'))
		writeFileSync(manifest, JSON.stringify({ ...said, createdAt: new Date(Date.now() - hours * 3_600_000).toISOString() }))
	}
	age(25)
	const second = await start({ catchUpMs: 50 })
	assert.ok(second.keeper.nextAt! > new Date().toISOString())
	await until(() => backups().length === 2)
	await until(() => second.keeper.running === null)
	await second.close()
	const third = await start({ catchUpMs: 50 })
	await sleep(500)
	assert.equal(third.keeper.running, null)
	assert.equal(backups().length, 2)
})

test('[B98] a backup that fails is told once by mail and webhook, over a restart; that it works again as well', async (t) => {
	const mailbox = await openMailbox(t)
	const webhook = await openWebhook(t)
	const alerts = { mail: { to: 'admin@school.example', from: 'chat@school.example', server: mailbox.url }, webhook: webhook.url }
	const { config, start } = await keep(t, { alerts })
	const first = await start()
	const { uploads } = config.folders
	renameSync(uploads, `${uploads}.away`)
	writeFileSync(uploads, 'no folder')
	await first.keeper.start({ kind: 'backup', reason: 'manual' })
	await until(() => first.keeper.running === null && first.keeper.alerts.length > 0)
	assert.deepEqual(codesOf(first.keeper), ['failed'])
	await until(() => mailbox.mails.length === 1 && webhook.posts.length === 1)
	assert.match(mailbox.mails[0]!, /^Subject: English Chat: A backup failed:[\s\S]*\nA backup failed: .*uploads/m)
	assert.match(mailbox.mails[0]!, /^To: admin@school\.example$/m)
	assert.match(mailbox.mails[0]!, /Pencadangan gagal/)
	assert.equal(webhook.posts[0]!.alert, 'failed')
	assert.ok(webhook.posts[0]!.hint)
	await first.keeper.look()
	await first.close()

	const second = await start()
	assert.deepEqual(codesOf(second.keeper), ['failed'])
	rmSync(uploads)
	renameSync(`${uploads}.away`, uploads)
	await second.keeper.start({ kind: 'backup', reason: 'manual' })
	await until(() => second.keeper.running === null && second.keeper.alerts.length === 0)
	await until(() => mailbox.mails.length === 2 && webhook.posts.length === 2)
	assert.match(mailbox.mails[1]!, /backups work again/)
	assert.equal(webhook.posts[1]!.alert, null)
	await second.keeper.look()
	await sleep(100)
	assert.equal(mailbox.mails.length + webhook.posts.length, 4)
})

test('[B99] backups that vanished are an alarm until there is a good one again; what pruning removes is none', async (t) => {
	const { config, start, backups } = await keep(t, { backup: { keep: 2 } })
	const { keeper, store } = await start()
	const make = async (n: number) => {
		await writeMessages(store, n, n + 1)
		await createBackup({ config, reason: 'schedule', drill: false })
		await keeper.look()
	}
	for (let n = 60; n < 64; n++) await make(n)
	assert.equal(backups().length, 2)
	assert.deepEqual(codesOf(keeper), [])
	// The newest, by hand.
	rmSync(join(config.folders.backups, backups().sort().at(-1)!), { recursive: true })
	await keeper.look()
	assert.deepEqual(codesOf(keeper), ['vanished'])
	await make(70)
	assert.deepEqual(codesOf(keeper), [])
	// All of it.
	rmSync(config.folders.backups, { recursive: true })
	await keeper.look()
	assert.deepEqual(codesOf(keeper), ['vanished'])
	await make(80)
	assert.deepEqual(codesOf(keeper), [])
})

test('[B100] a mail server that hangs or refuses holds nobody up, nor the webhook; it is shown, and the mail is tried again', async (t) => {
	const mailbox = await openMailbox(t)
	const webhook = await openWebhook(t)
	mailbox.way = 'refuses'
	const mail = { to: 'a@b.example', from: 'a@b.example', server: mailbox.url }
	const { config, start } = await keep(t, { alerts: { mail, webhook: webhook.url } })
	const { keeper } = await start()
	rmSync(join(config.folders.uploads, fileOf(0)))
	await keeper.start({ kind: 'backup', reason: 'manual' })
	await until(() => keeper.alerts.length === 2)
	assert.deepEqual(codesOf(keeper), ['notVerified', 'notTold'])
	assert.match(sayAlert(keeper.alerts[1]!, 'en').says, /by mail: .*550/)
	await until(() => webhook.posts.length === 1)
	assert.deepEqual(mailbox.mails, [])
	mailbox.way = 'takes'
	await keeper.look()
	await until(() => mailbox.mails.length === 1)
	await until(() => keeper.alerts[0]!.told.length === 2)
	assert.deepEqual(codesOf(keeper), ['notVerified'])
	mailbox.way = 'hangs'
	rmSync(config.folders.backups, { recursive: true })
	mkdirSync(config.folders.backups)
	await keeper.look()
	await keeper.look()
	assert.ok(!codesOf(keeper).includes('notVerified'))
	await until(() => webhook.posts.length === 2)
})

test('[B101] a rehearsal tells nobody outside of this machine', async (t) => {
	const webhook = await openWebhook(t)
	const { config, start } = await keep(t, { alerts: { webhook: webhook.url } })
	beginRehearsal(config, 'a backup')
	const { keeper } = await start()
	writeFileSync(join(config.folders.data, 'backup.lock'), '')
	rmSync(join(config.folders.uploads, fileOf(0)))
	await keeper.start({ kind: 'backup', reason: 'manual' })
	await until(() => keeper.running === null && keeper.alerts.length > 0)
	await keeper.look()
	await sleep(200)
	assert.deepEqual(webhook.posts, [])
})

test('[B102] a backup ends with its server, and its death is told', async (t) => {
	const { config, school, start, backups } = await keep(t)
	await school.open((store) => writeMessages(store, 100, 300, 'Long '.repeat(200)))
	const first = await start()
	await first.keeper.start({ kind: 'backup', reason: 'manual' })
	await first.close()
	assert.equal(first.keeper.running, null)
	const before = backups().length
	assert.ok(!readdirSync(config.folders.backups).some((name) => name.startsWith('.partial')))

	const second = await start()
	await second.keeper.start({ kind: 'backup', reason: 'manual' })
	process.kill(childOf(process.pid)!, 'SIGKILL')
	await until(() => second.keeper.running === null && second.keeper.alerts.length > 0)
	assert.deepEqual(codesOf(second.keeper), ['failed'])
	assert.equal(backups().length, before)
})

test('[B102] a backup whose process can not be started, and news that can not be noted, leave the server at work', async (t) => {
	const { config, start } = await keep(t)
	const { keeper } = await start()
	// More than the system hands over to a new process.
	process.env.TOO_LONG = 'x'.repeat(256 * 1024)
	t.after(() => void delete process.env.TOO_LONG)
	// Where a folder has its name, no file can be written.
	const noted = join(config.folders.data, 'backup-watch.json')
	rmSync(noted)
	mkdirSync(noted)
	await keeper.start({ kind: 'backup', reason: 'manual' })
	await until(() => keeper.running === null && keeper.alerts.length > 0)
	assert.match(sayAlert(keeper.alerts[0]!, 'en').says, /^A backup failed: .*E2BIG/)
	delete process.env.TOO_LONG
	rmSync(noted, { recursive: true })
	await keeper.start({ kind: 'backup', reason: 'manual' })
	await until(() => keeper.running === null && keeper.alerts.length === 0 && existsSync(noted))
	assert.deepEqual(JSON.parse(readFileSync(noted, 'utf8')).alerts, [])
})

/** The process that a process started last. */
function childOf(pid: number): number | undefined {
	return readdirSync('/proc')
		.map(Number)
		.filter((one) => one > 0)
		.sort((a, b) => b - a)
		.find((one) => parentOf(one) === pid)
}

function parentOf(pid: number): number {
	try {
		return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
	} catch {
		return 0
	}
}
