/**
 * Starting and stopping, as an operator sees it: real processes, real signals, real folders.
 *
 * What can't work must end with a non-zero exit code and a sentence, never with a stack trace.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

const root = join(import.meta.dirname, '../..')
const main = [process.execPath, 'backend/src/main.ts']

interface Process {
	child: ChildProcess
	/** Everything it said so far. */
	said(): string
	/** Resolves with the first match of what it says; fails when it ends before. */
	says(pattern: RegExp): Promise<RegExpExecArray>
	/** Resolves with the exit code when it has ended; -1: by a signal. */
	ended: Promise<number>
}

/** Its own groups would outlive a test run that is interrupted. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
	for (const child of running) signal(child, 'SIGKILL')
})
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1))

function run(t: TestContext, [command, ...args]: string[], env: Record<string, string>): Process {
	// A group of its own: signals to it reach what a terminal's would, and nothing of it outlives the test.
	const child = spawn(command!, args, { cwd: root, env: { ...process.env, ...env }, detached: true })
	running.add(child)
	let text = ''
	child.stdout.on('data', (data: Buffer) => (text += data))
	child.stderr.on('data', (data: Buffer) => (text += data))
	const ended = once(child, 'close').then(([code]) => (code as number | null) ?? -1)
	t.after(async () => {
		signal(child, 'SIGKILL')
		await ended
		running.delete(child)
	})
	return {
		child,
		said: () => text,
		ended,
		async says(pattern) {
			for (;;) {
				const match = pattern.exec(text)
				if (match) return match
				const over = await Promise.race([ended.then(() => true), delay(20, false)])
				if (over && !pattern.test(text)) throw new Error(`It ended without saying ${pattern}:\n${text}`)
			}
		},
	}
}

/** To the whole group, as Ctrl-C does. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
	try {
		process.kill(-pid!, name)
	} catch {
		// It has ended.
	}
}

function folder(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'english chat '))
	t.after(() => rmSync(path, { recursive: true, force: true }))
	return path
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
	const server = createServer().listen(0)
	await once(server, 'listening')
	const { port } = server.address() as AddressInfo
	server.close()
	await once(server, 'close')
	return port
}

const ready = /English Chat is ready: http:\/\/localhost:(\d+)/
const status = async (port: string | number, path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status

async function refused(process: Process, sentence: RegExp): Promise<void> {
	assert.equal(await process.ended, 1, process.said())
	assert.match(process.said(), sentence)
	assert.doesNotMatch(process.said(), /^\s+at /m, 'no stack trace')
	assert.ok(process.said().trim().split('\n').length <= 2, `one sentence and a hint, not: ${process.said()}`)
}

test('[O6] the first start prints a link that makes the first admin, and PORT and DATA_DIR say where', async (t) => {
	const [data, port] = [folder(t), await freePort()]
	const server = run(t, main, { PORT: String(port), DATA_DIR: data })
	assert.equal((await server.says(ready))[1], String(port))
	const [, token] = await server.says(/first admin: http:\/\/localhost:\d+\/setup#([\w-]{20,})/)
	for (const name of ['data', 'uploads', 'backups']) assert.ok(existsSync(join(data, name)), name)

	const setUp = () =>
		fetch(`http://127.0.0.1:${port}/api/setup`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ token, name: 'Ada', email: 'ada@school.example', password: 'a long password' }),
		})
	assert.equal((await setUp()).status, 200)
	assert.notEqual((await setUp()).status, 200, 'the link is good for one use')
	signal(server.child, 'SIGTERM')
	assert.equal(await server.ended, 0)

	const again = run(t, main, { PORT: '0', DATA_DIR: data })
	await again.says(ready)
	await delay(100)
	assert.doesNotMatch(again.said(), /setup#/, 'there is an admin')
})

test('[O7] Ctrl-C stops the server cleanly', async (t) => {
	const server = run(t, main, { PORT: '0', DATA_DIR: folder(t) })
	await server.says(ready)
	signal(server.child, 'SIGINT')
	assert.equal(await server.ended, 0, server.said())
})

test('[O7] Ctrl-C stops npm start cleanly', async (t) => {
	const data = folder(t)
	const npm = process.env.npm_execpath ? [process.env.npm_node_execpath ?? process.execPath, process.env.npm_execpath] : ['npm']
	const server = run(t, [...npm, 'start'], { PORT: '0', DATA_DIR: data })
	const [, port] = await server.says(ready)
	assert.equal(await status(port!, '/readyz'), 200)
	signal(server.child, 'SIGINT')
	// npm itself and the shell between may end by the signal; the server closes its database.
	await server.ended
	await assert.rejects(status(port!, '/readyz'), 'nothing listens any more')
	const files = readdirSync(join(data, 'data'))
	assert.deepEqual(
		files.filter((name) => name.endsWith('-wal')),
		[],
		'no log is left to be replayed',
	)
})

test('[O8] a taken port is named in a sentence', async (t) => {
	const other = createServer().listen(0)
	await once(other, 'listening')
	t.after(() => other.close())
	const { port } = other.address() as AddressInfo
	await refused(run(t, main, { PORT: String(port), DATA_DIR: folder(t) }), new RegExp(`Port ${port} is taken`))
})

test('[O8] a folder that can’t be written is named in a sentence', async (t) => {
	const path = folder(t)
	writeFileSync(join(path, 'file'), '')
	await refused(run(t, main, { PORT: '0', DATA_DIR: join(path, 'file') }), /The folder .*file.* can't be written/)
	const closed = join(path, 'closed')
	mkdirSync(closed)
	chmodSync(closed, 0o555)
	// Root may write everywhere but here.
	const readOnly = process.getuid?.() === 0 ? '/sys' : closed
	await refused(run(t, main, { PORT: '0', DATA_DIR: readOnly }), /can't be written/)
})

test('[O8] a wrong setting is named in a sentence', async (t) => {
	await refused(run(t, main, { PORT: 'http', DATA_DIR: folder(t) }), /PORT is "http"/)
})

test('[O8] an old Node is named in a sentence', async (t) => {
	const pretend = (version: string) => [
		'--import',
		`data:text/javascript,Object.defineProperty(process.versions,'node',{value:'${version}'});Object.defineProperty(process,'version',{value:'v${version}'})`,
	]
	const server = run(t, [process.execPath, ...pretend('22.18.0'), 'backend/src/main.ts'], { PORT: '0', DATA_DIR: folder(t) })
	await refused(server, /needs Node\.js 24 or newer/)
	await refused(run(t, [process.execPath, ...pretend('18.20.0'), 'ops/prepare.js'], {}), /Node\.js 20 or newer.*v18\.20\.0/)
})

test('[O9] a second server on the same data waits while the first lives or is paused, and takes over when it is killed', async (t) => {
	const data = folder(t)
	const first = run(t, main, { PORT: '0', DATA_DIR: data })
	await first.says(ready)
	const second = run(t, main, { PORT: '0', DATA_DIR: data })
	const [, port] = await second.says(/waits at http:\/\/localhost:(\d+)/)
	assert.equal(await status(port!, '/readyz'), 503)
	assert.equal(await status(port!, '/api/status'), 503)

	signal(first.child, 'SIGSTOP')
	await delay(2_000)
	assert.equal(await status(port!, '/readyz'), 503, 'a paused server still has the database')

	signal(first.child, 'SIGKILL')
	await second.says(ready)
	assert.equal(await status(port!, '/readyz'), 200)
	assert.equal(await status(port!, '/api/status'), 200)
})
