/**
 * A MongoDB server that asks who you are: what is refused, and that the password is told to nobody.
 *
 * Needs a MongoDB server that can be killed. It has one account, and one server serves all tests here.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { type Document, MongoServerError } from 'mongodb'
import { pino } from 'pino'
import { openClass } from '../../../tests/support/class.ts'
import { codeOf } from '../../../tests/support/client.ts'
import { lookInto, testAddress } from '../../../tests/support/mongo.ts'
import { type MongoServer, openMongoServer } from '../../../tests/support/mongo-server.ts'
import { makeFolder, type Server } from '../../../tests/support/server.ts'
import { StorageUnavailable } from './engine.ts'
import { explain } from './mongo-connection.ts'
import { openStore } from './open.ts'

/** What both forms of the password have in common, so that one search finds either. */
const secret = 'Rahasia-7f3b'
const account = { user: 'chat', password: `${secret}@/:?%x y` }

let server: MongoServer
before(async () => {
	server = await openMongoServer({ account })
})
after(() => server.close())

/** Hosts and database of an address, as people are told. */
const placeOf = (uri: string) => `127.0.0.1:${server.port}${new URL(uri).pathname}`

/** What the server holds beside its own databases. */
const databases = () =>
	lookInto(server.uri, async (db) => {
		const { databases } = await db.admin().listDatabases({ nameOnly: true })
		return databases.map(({ name }) => name).filter((name) => !['admin', 'config', 'local'].includes(name))
	})

async function refused(t: TestContext, uri: string, words: RegExp, hint: RegExp): Promise<void> {
	const dir = makeFolder(t)
	const folder = join(dir, 'data')
	const error = await openStore({ folder, backups: join(dir, 'backups'), mongodb: { uri } }).then(
		() => assert.fail('It was opened.'),
		(error: unknown) => error,
	)
	assert.ok(error instanceof StorageUnavailable, String(error))
	assert.match(error.message, words)
	assert.match(error.hint ?? '', hint)
	// With its causes, as a log or a crash would show it.
	const lines: string[] = []
	pino({}, { write: (line: string) => void lines.push(line) }).error({ err: error })
	for (const text of [...lines, inspect(error, { depth: 20 })]) assert.ok(!text.includes(secret), text)
	assert.ok(!existsSync(folder) || !readdirSync(folder).includes('installation.json'))
	assert.deepEqual(await databases(), [])
}

test('[S50] a wrong password and a missing one are told apart, and what the account needs is named', async (t) => {
	const uri = testAddress('chat', server.uri)
	const wrong = uri.replace(secret, `${secret}x`)
	await refused(
		t,
		wrong,
		/^MongoDB at 127\.0\.0\.1:\d+\/chat does not take this user and password\.$/,
		/Check both in MONGODB_URI.*authSource=admin/,
	)
	const anonymous = `mongodb://127.0.0.1:${server.port}/chat`
	await refused(
		t,
		anonymous,
		/^MongoDB at 127\.0\.0\.1:\d+\/chat does not let this user read and write the database\.$/,
		/grantRolesToUser\('<user>', \[\{ role: 'readWrite', db: 'chat' \}\]\).*mongodb:\/\/user:password@/,
	)
})

test('[S50] what a server says when an account may not is told with the command that lets it', () => {
	// Word for word what a mongod answers to an account with other rights.
	const refusals: Document[] = [
		{
			code: 13,
			codeName: 'Unauthorized',
			errmsg: 'not authorized on chat to execute command { insert: "meta", ordered: true, $db: "chat" }',
		},
		{ code: 13, codeName: 'Unauthorized', errmsg: 'command find requires authentication' },
	]
	for (const refusal of refusals) {
		const meant = explain(new MongoServerError({ ok: 0, ...refusal }), { place: 'db:27017/chat', direct: false })
		assert.ok(meant instanceof StorageUnavailable)
		assert.equal(meant.message, 'MongoDB at db:27017/chat does not let this user read and write the database.')
		assert.match(meant.hint ?? '', /db\.grantRolesToUser\('<user>', \[\{ role: 'readWrite', db: 'chat' \}\]\)/)
	}
})

interface Program {
	/** All that it printed, when it has ended. */
	ended: Promise<{ code: number | null; said: string }>
	says(words: RegExp): Promise<RegExpExecArray>
	end(): void
}

/** `main.ts` in a process of its own that says all it can say. */
function run(t: TestContext, uri: string, dir = makeFolder(t), more: Record<string, string> = {}): Program {
	const main = join(import.meta.dirname, '../main.ts')
	const env = { PORT: '0', HOST: '127.0.0.1', DATA_DIR: dir, LOG_LEVEL: 'trace', MONGODB_URI: uri, ...more }
	const child = spawn(process.execPath, [main], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
	let said = ''
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data))
	const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }))
	t.after(() => child.kill('SIGKILL'))
	return {
		ended,
		async says(words) {
			for (;;) {
				const match = words.exec(said)
				if (match) return match
				assert.ok(child.exitCode === null && child.signalCode === null, `It ended without saying ${words}:\n${said}`)
				await sleep(20)
			}
		},
		end: () => child.kill('SIGTERM'),
	}
}

/** It could not start, said so in a sentence and a hint, and not the password. */
async function gaveUp(program: Program, sentence: RegExp): Promise<void> {
	const { code, said } = await program.ended
	assert.equal(code, 1, said)
	assert.match(said, sentence)
	assert.equal(said.trim().split('\n').length, 2, said)
	assert.ok(!said.includes(secret), said)
}

test('[S53] a server that can not start tells no password', async (t) => {
	const uri = testAddress('chat', server.uri)
	await gaveUp(run(t, uri.replace(secret, `${secret}x`)), /does not take this user and password/)
	await gaveUp(run(t, uri.replace(encodeURIComponent(account.password), account.password)), /MONGODB_URI is not an address/)
	await gaveUp(run(t, `${uri.replace(/\?.*/, '')}?nonsense=true`), /MONGODB_URI is not an address/)
	await gaveUp(run(t, uri.replace(String(server.port), '1')), /can not be reached \(ECONNREFUSED\)/)
})

test('[S53] whatever happens to a running server, its log, its pages and its answers tell no password', async (t) => {
	const uri = testAddress('chat', server.uri)
	const pages: string[] = []
	const times = { TAKEOVER_AFTER_MS: '1000', WRITE_TIMEOUT_MS: '500' }
	const dir = makeFolder(t)
	const program = run(t, uri, dir, times)
	const [, origin] = await program.says(/ready: (http:\/\/localhost:\d+)/)
	const [, setUpToken] = await program.says(/setup#([\w-]+)/)
	const look = async (path: string) => {
		const answer = await fetch(origin + path)
		pages.push(`${path} ${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`)
		return answer.status
	}
	const all = async () => {
		for (const path of ['/healthz', '/api/status', '/api/me', '/api/nothing', '/api/docs', '/api/docs.json', '/']) await look(path)
		return look('/readyz')
	}
	const { lecturer, discussion } = await openClass({ origin, setUpToken, store: { head: { seq: 0 } } } as unknown as Server)
	assert.equal(await all(), 200)
	const waiting = run(t, uri, makeFolder(t), { ...times, TAKEOVER_AFTER_MS: '600000' })
	await waiting.says(new RegExp(`Another server has the database in ${placeOf(uri)}\\.`))

	// The database dies under it: what is written now is refused, later nothing is answered any more, and then all goes on.
	await server.kill()
	assert.match(await codeOf(lecturer.send(discussion, 'Into the dark')), /^(storage_unavailable|outcome_unknown|standby)$/)
	pages.push(JSON.stringify(await lecturer.send(discussion, 'Again').catch((error: unknown) => error)))
	while ((await all()) !== 503) await sleep(50)
	await server.start()
	while ((await all()) !== 200) await sleep(50)
	await lecturer.send(discussion, 'Light')

	program.end()
	const first = await program.ended
	assert.equal(first.code, 0, first.said)
	await waiting.says(/English Chat is ready/)
	waiting.end()
	const second = await waiting.ended
	for (const text of [first.said, second.said, ...pages]) assert.ok(!text.includes(secret), text)
	assert.ok(pages.some((page) => page.includes('"ready":false')))
})
