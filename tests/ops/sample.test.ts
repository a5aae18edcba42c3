/**
 * `npm run sample` as somebody meets it who wants to look around: real processes, and what the API shows afterwards.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultRates } from '../../backend/src/rates.ts'
import type { Message } from '../../protocol/model.ts'
import { Client, View } from '../support/client.ts'
import { lookInto, testAddress } from '../support/mongo.ts'
import { makeFolder, type Server, startChild, startServer } from '../support/server.ts'

const program = join(import.meta.dirname, '../../ops/sample.ts')

interface Run {
	process: ReturnType<typeof spawn>
	said(): string
	/** Resolves when it has said this. */
	says(pattern: RegExp): Promise<void>
	ended: Promise<number | string>
}

function start(t: TestContext, dir: string, ...args: string[]): Run {
	const child = spawn(process.execPath, [program, '--accounts', join(dir, 'accounts.tsv'), ...args])
	let text = ''
	child.stdout.on('data', (data: Buffer) => (text += data))
	child.stderr.on('data', (data: Buffer) => (text += data))
	const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
	t.after(() => child.kill('SIGKILL'))
	return {
		process: child,
		said: () => text,
		ended,
		async says(pattern) {
			const over = ended.then(() => true)
			while (!pattern.test(text)) if (await Promise.race([over, sleep(5, false)])) assert.match(text, pattern)
		},
	}
}

async function sample(t: TestContext, dir: string, code: number, ...args: string[]): Promise<string> {
	const run = start(t, dir, ...args)
	assert.equal(await run.ended, code, run.said())
	assert.doesNotMatch(run.said(), /^\s+at /m, 'no stack trace')
	return run.said()
}

const linkOf = ({ origin, setUpToken }: Pick<Server, 'origin' | 'setUpToken'>) => `${origin}/setup#${setUpToken}`

/** Somebody of the sample, by the file of accounts. */
async function enter(origin: string, dir: string, handle: string): Promise<Client> {
	const client = new Client(origin)
	const password = /password (\S+)/.exec(readFileSync(join(dir, 'accounts.tsv'), 'utf8'))![1]!
	await client.call('signIn', { email: `${handle}@class.example`, password })
	return client
}

/** What the API counts. */
async function countAll(origin: string, dir: string) {
	const admin = await enter(origin, dir, 'ratna.wulandari')
	const { counts } = await admin.call('listUsers', {})
	const students = (await admin.call('listUsers', { role: 'student', status: 'approved', limit: 100 })).users.length
	const lecturers = (await admin.call('listUsers', { role: 'lecturer', limit: 100 })).users
	const all = await admin.call('listAllDiscussions', { limit: 100 })
	const messages = new Map<string, Message>()
	for (const handle of ['maria.kusumawati', 'thomas.obrien', 'siti.rahmadhani']) {
		const view = new View(await enter(origin, dir, handle))
		await view.fetchAll()
		for (const [id, message] of view.records.messages) messages.set(id, message as unknown as Message)
	}
	const every = [...messages.values()]
	const attached = every.flatMap(({ attachments }) => attachments)
	const found = {
		messages: every.length,
		removed: every.filter(({ removed }) => removed).length,
		replies: every.filter(({ replyTo }) => replyTo).length,
		edited: every.filter(({ edits }) => edits > 0).length,
		pictures: attached.filter(({ kind }) => kind === 'image').length,
		files: attached.filter(({ kind }) => kind === 'file').length,
	}
	return {
		...{ students, lecturers: lecturers.length, ...counts, ...found },
		groups: (await admin.call('listGroups', {})).groups.length,
		categories: (await admin.call('listCategories', {})).categories.length,
		discussions: all.titles.length,
		closed: all.titles.filter(({ status }) => status === 'closed').length,
	}
}

const engines: [string, boolean][] = [
	['the embedded database', true],
	['MongoDB', Boolean(process.env.TEST_MONGODB_URI)],
]

for (const [engine, there] of engines.filter(([, there]) => there)) {
	test(`[O40] the sample makes what it says, on ${engine}`, async (t) => {
		const uri = engine === 'MongoDB' && there ? testAddress() : null
		if (uri) t.after(() => lookInto(uri, (db) => db.dropDatabase()))
		const server = await startServer(t, { mongodb: uri ? { uri } : null })
		const { dir, origin } = server
		const said = await sample(t, dir, 0, '--link', linkOf(server), '--scale', '0.05')
		const number = (pattern: RegExp) => Number(pattern.exec(said)?.[1]?.replaceAll(',', ''))
		const counted = await countAll(origin, dir)
		const { messages, removed, replies, edited, pictures, files, ...rest } = counted
		assert.deepEqual(rest, {
			...{ students: 8, lecturers: 3, pending: 2, approved: 12, rejected: 0, deactivated: 0 },
			...{ groups: 4, categories: 4, discussions: 8, closed: 1 },
		})
		assert.deepEqual(
			{ messages, removed, replies, edited, pictures, files },
			{
				messages: number(/([\d,]+) messages/),
				removed: number(/([\d,]+) removals?/),
				replies: number(/([\d,]+) repl/),
				edited: number(/([\d,]+) edits?/),
				pictures: number(/([\d,]+) pictures?/),
				files: number(/([\d,]+) other files?/),
			},
		)
		assert.equal(messages, 250)
		assert.ok(replies > 50 && edited > 3 && pictures > 5, said)
		assert.match(said, /admin +ratna\.wulandari@class\.example/)
		assert.match(said, /people: 14 of 14\n/)
		assert.ok(!said.includes('\r'), 'a log has no bar')
		assert.equal(statSync(join(dir, 'accounts.tsv')).mode & 0o777, 0o600)

		const student = await enter(origin, dir, 'sari.wijaya')
		const { discussions, unread, reads } = await student.call('listDiscussions', {})
		assert.equal(reads.length, discussions.length)
		assert.ok(Object.values(unread).some((count) => count > 0) || discussions.length > 0)
		const { users } = await student.call('listParticipants', { id: discussions[0]!.id })
		assert.ok(users.some(({ avatar }) => avatar !== null))
		assert.deepEqual(server.trouble, [])
	})
}

test('[O41] interrupted, it says what is there, and the same command goes on; a second time changes nothing', async (t) => {
	const server = await startServer(t)
	const { dir, origin, store } = server
	const run = start(t, dir, '--link', linkOf(server), '--scale', '0.1', '--seed', 'another')
	await run.says(/messages: \d+ of/)
	run.process.kill('SIGINT')
	assert.equal(await run.ended, 130)
	assert.match(run.said(), /Interrupted\. There are: 14 of 14 people, .*\d+ of \d+ messages\. .*same command goes on/)
	const before = store.head.seq
	// The link was used: it is not looked at any more.
	await sample(t, dir, 0, '--link', linkOf(server), '--scale', '0.1', '--seed', 'another')
	assert.ok(store.head.seq > before)
	const counted = await countAll(origin, dir)
	assert.equal(counted.messages, 500)
	// What it is of stands in the file of accounts.
	await sample(t, dir, 0, '--url', origin)
	assert.deepEqual(await countAll(origin, dir), counted)

	const other = await startServer(t)
	await sample(t, other.dir, 0, '--link', linkOf(other), '--scale', '0.1', '--seed', 'another')
	assert.deepEqual(await countAll(other.origin, other.dir), counted)
	assert.deepEqual(server.trouble, [])
})

test('[O42] it leaves an installation in use alone, and says what to do', async (t) => {
	const server = await startServer(t)
	const { dir, origin } = server
	assert.match(await sample(t, dir, 2, '--url', origin), /waits for its first admin.*--link/)
	assert.match(await sample(t, dir, 1, '--link', `${origin}/setup#wrong`), /link is not right.*printed/)
	const admin = new Client(origin)
	await admin.call('setUp', { token: server.setUpToken!, name: 'Ada', email: 'ada@school.example', password: 'a long password' })
	const { seq } = server.store.head
	assert.match(await sample(t, dir, 1, '--url', origin), /in use.*changed nothing/)
	writeFileSync(join(dir, 'accounts.tsv'), `# ${origin}\tseed class\tscale 1\tpassword wrong-wrong\n`)
	assert.match(await sample(t, dir, 1, '--url', origin), /in use.*changed nothing/)
	assert.equal(server.store.head.seq, seq)
	await server.close()
	assert.match(await sample(t, dir, 1, '--url', origin), /No server answers at .*npm start/)
	for (const wrong of [['--scale', 'x'], ['--scale', '0'], ['--url', 'nowhere'], ['--what']]) {
		assert.match(await sample(t, dir, 2, ...wrong), /--scale is a number|--url is no address|Unknown option/)
	}
	assert.match(await sample(t, dir, 0, '--help'), /Exit codes/)
})

test('[O43] it waits where it is asked to, and for a server that is away for a moment', async (t) => {
	// Less than a busy machine can do.
	const rates = { ...defaultRates, commands: { burst: 3, perMinute: 240 }, uploads: { burst: 1, perMinute: 240 } }
	const server = await startServer(t, { rates })
	const said = await sample(t, server.dir, 0, '--link', linkOf(server), '--scale', '0.01')
	assert.match(said, /asks for a pause/)
	assert.equal((await countAll(server.origin, server.dir)).messages, 50)

	const dir = makeFolder(t)
	const first = await startChild(t, dir)
	// The link comes in a line of its own.
	while (!first.setUpToken) await sleep(5)
	const run = start(t, dir, '--link', linkOf(first), '--scale', '0.1')
	await run.says(/messages: \d+ of/)
	first.process.kill('SIGKILL')
	await first.exited
	const second = await startChild(t, dir, { env: { PORT: String(first.port) } })
	assert.equal(await run.ended, 0, run.said())
	assert.equal((await countAll(second.origin, dir)).messages, 500)
})
