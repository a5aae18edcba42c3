/**
 * A MongoDB server of a test's own, which the test may kill and freeze; and where this machine has MongoDB's shell.
 *
 * It is a `mongod` on the PATH, or what the program TEST_MONGODB_SERVER starts (its commands are in CONTRIBUTING.md).
 * Nothing of it is left when the test, or the whole process, ends.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { MongoClient } from 'mongodb'

export interface MongoServer {
	/** With the account, where it has one. */
	uri: string
	port: number
	/** After it was killed; resolves when it answers. */
	start(): Promise<void>
	/** As power loss does: no goodbye. */
	kill(): Promise<void>
	/** It accepts connections and answers nothing, until it is thawed. */
	freeze(): Promise<void>
	thaw(): Promise<void>
	/** Ends it and deletes what it had. */
	close(): Promise<void>
}

export interface MongoServerOptions {
	/** The only account, which may do everything; without one nobody is asked who she is. */
	account?: { user: string; password: string }
}

function onPath(name: string): string | null {
	const folders = (process.env.PATH ?? '').split(delimiter)
	return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null
}

/** Whether this machine can give a test a server of its own. */
export const canStartMongo = (): boolean => Boolean(process.env.TEST_MONGODB_SERVER) || onPath('mongod') !== null

/** Path of MongoDB's shell: `TEST_MONGOSH`, or the one on the PATH; null when there is none. */
export const findMongosh = (): string | null => process.env.TEST_MONGOSH || onPath('mongosh')

/** Servers that run now, by what ends each at once: none outlives this process, however it ends. */
const running = new Set<() => void>()

function outlivesNothing(end: () => void): void {
	if (running.size === 0) {
		process.once('exit', () => {
			for (const end of running) end()
		})
		for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1))
	}
	running.add(end)
}

/** A server that ends with the test. */
export async function startMongoServer(t: TestContext, options: MongoServerOptions = {}): Promise<MongoServer> {
	const server = await openMongoServer(options)
	t.after(server.close)
	return server
}

/** A server that ends with `close`, or with this process. */
export async function openMongoServer(options: MongoServerOptions = {}): Promise<MongoServer> {
	const port = await freePort()
	const program = process.env.TEST_MONGODB_SERVER
	const server = program ? called(program, port, options) : spawned(port, options)
	await server.start()
	return server
}

/** Below the ports that the system gives away, and with one 10,000 above it that the program may use for what is behind it. */
async function freePort(): Promise<number> {
	for (;;) {
		const port = 15_000 + (randomBytes(2).readUInt16BE() % 7_000)
		if ((await isFree(port)) && (await isFree(port + 10_000))) return port
	}
}

function isFree(port: number): Promise<boolean> {
	const server = createServer()
	return new Promise((resolve) => {
		server.once('error', () => resolve(false))
		server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
	})
}

const credentials = ({ user, password }: { user: string; password: string }) =>
	`${encodeURIComponent(user)}:${encodeURIComponent(password)}`

/** Through the program TEST_MONGODB_SERVER. */
function called(program: string, port: number, { account }: MongoServerOptions): MongoServer {
	const own = { INSTANCE: `test-${process.pid}-${randomBytes(4).toString('hex')}`, PORT: String(port) }
	const env = { ...process.env, ...own, AUTH: account ? `${account.user}:${account.password}` : '' }
	const call = async (command: string) => (await promisify(execFile)(program, [command], { env })).stdout.trim()
	const wipe = () => {
		// What is frozen would never end in an orderly way.
		for (const command of ['kill', 'wipe']) spawnSync(program, [command], { env, stdio: 'ignore' })
	}
	const server: MongoServer = {
		uri: '',
		port,
		async start() {
			outlivesNothing(wipe)
			const printed = await call('start')
			server.uri = account ? printed.replace(/^mongodb:\/\/(.*@)?/, `mongodb://${credentials(account)}@`) : printed
		},
		kill: async () => void (await call('kill')),
		freeze: async () => void (await call('freeze')),
		thaw: async () => void (await call('thaw')),
		async close() {
			wipe()
			running.delete(wipe)
		},
	}
	return server
}

/** A `mongod` as a child of this process. */
function spawned(port: number, { account }: MongoServerOptions): MongoServer {
	const mongod = onPath('mongod')
	assert(mongod, 'There is no mongod on the PATH, and TEST_MONGODB_SERVER is not set.')
	const folder = mkdtempSync(join(tmpdir(), 'english-chat-mongod-'))
	const open = `mongodb://127.0.0.1:${port}/`
	let child: ChildProcess | null = null
	let accounts = false

	async function end(): Promise<void> {
		const ending = child
		child = null
		if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
		const gone = once(ending, 'exit')
		ending.kill('SIGKILL')
		await gone
	}
	const remove = () => {
		child?.kill('SIGKILL')
		rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
	}
	const server: MongoServer = {
		uri: account ? `mongodb://${credentials(account)}@127.0.0.1:${port}/?authSource=admin` : open,
		port,
		async start() {
			outlivesNothing(remove)
			const options = [
				'--port',
				String(port),
				'--dbpath',
				folder,
				'--bind_ip',
				'127.0.0.1',
				'--nounixsocket',
				...(account ? ['--auth'] : []),
			]
			const started = spawn(mongod, options, { stdio: ['ignore', 'pipe', 'pipe'] })
			child = started
			// Its log is read, or it would stand still; the end of it says why it did not start.
			let said = ''
			for (const stream of [started.stdout, started.stderr]) {
				stream.on('data', (data: Buffer) => {
					said = (said + data).slice(-4_000)
				})
			}
			await answers(open, () => assert(started.exitCode === null, `mongod ended with ${started.exitCode}:\n${said}`))
			if (account && !accounts) await addAccount(open, account)
			accounts = true
		},
		kill: end,
		freeze: async () => void child?.kill('SIGSTOP'),
		thaw: async () => void child?.kill('SIGCONT'),
		async close() {
			await end()
			remove()
			running.delete(remove)
		},
	}
	return server
}

/** Waits until a server answers. `check` throws when it never will. */
async function answers(uri: string, check: () => void): Promise<void> {
	for (;;) {
		check()
		try {
			return await withClient(uri, async (client) => void (await client.db('admin').command({ ping: 1 })))
		} catch {
			// Not yet.
		}
	}
}

/** From this machine the first account may be made by anybody. */
async function addAccount(uri: string, { user, password }: { user: string; password: string }): Promise<void> {
	await withClient(uri, async (client) => void (await client.db('admin').command({ createUser: user, pwd: password, roles: ['root'] })))
}

async function withClient(uri: string, work: (client: MongoClient) => Promise<void>): Promise<void> {
	const client = new MongoClient(uri, { serverSelectionTimeoutMS: 500, directConnection: true })
	try {
		await work(client)
	} finally {
		await client.close()
	}
}
