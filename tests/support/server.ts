/**
 * A whole server for a test: in this process or in one of its own, on a folder of its own and a
 * port given by the system. Everything is gone when the test ends.
 *
 * TEST_ENGINE says where the servers of a run have their data; no test knows.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, type TestContext } from 'node:test'
import { pino } from 'pino'
import { openApp } from '../../backend/src/app.ts'
import { type Config, defaults, foldersIn, storeOptions } from '../../backend/src/config.ts'
import { defaultRates } from '../../backend/src/rates.ts'
import { openStore } from '../../backend/src/storage/open.ts'
import type { Store } from '../../backend/src/storage/store.ts'
import { databaseOf, dropDatabases } from './mongo.ts'

// Those of a file go when all of its servers are closed.
after(() => dropDatabases())

/** A folder that goes with the test. */
export function makeFolder(t: TestContext): string {
	const dir = mkdtempSync(join(tmpdir(), 'english-chat-'))
	t.after(() => rmSync(dir, { recursive: true, force: true }))
	return dir
}

export interface Server {
	port: number
	origin: string
	dir: string
	store: Store
	/** The first admin's link, until it was used. */
	setUpToken: string | null
	/** What the server logged: a test that expects no trouble finds nothing here. */
	trouble: string[]
	/** Moves files that nobody needs to the trash, as the server does now and then. */
	sweep(): Promise<string[]>
	close(): Promise<void>
}

/** Settings under which tests run: cheap passwords, quick fingers, and idle sockets that hear at once. */
export const testing = {
	rates: { ...defaultRates, commands: { burst: 100_000, perMinute: 100_000 } },
	port: 0,
	host: '127.0.0.1',
	password: { memoryKiB: 64, passes: 1 },
	idleSocketMs: 150,
	backup: { ...defaults.backup, schedule: null },
	logLevel: 'warn',
}

function placesOf(dir: string): Pick<Config, 'folders' | 'mongodb'> {
	const uri = databaseOf(dir)
	return { folders: foldersIn(dir), mongodb: uri === null ? null : { uri } }
}

/** Opens the store that a server left in its folder, or with its folder's database. */
export function openStoreOf(dir: string): Promise<Store> {
	return openStore(storeOptions({ ...defaults, ...placesOf(dir) }))
}

/** Starts a server in this process. `dir`: a folder that an earlier one left. */
export async function startServer(t: TestContext, settings: Partial<Config> & { dir?: string } = {}): Promise<Server> {
	const { dir = makeFolder(t), ...changed } = settings
	const config: Config = { ...defaults, ...testing, ...placesOf(dir), webDir: join(dir, 'web'), ...changed }
	const trouble: string[] = []
	const log = pino({ level: config.logLevel, base: null }, { write: (line: string) => void trouble.push(line) })
	const app = await openApp(config, log)
	const port = await app.listen()
	const store = await openStore(storeOptions(config))
	const setUpToken = await app.serve(store)
	let closed: Promise<void> | null = null
	const close = () => {
		closed ??= app.close()
		return closed
	}
	t.after(close)
	return { port, origin: `http://127.0.0.1:${port}`, dir, store, setUpToken, trouble, sweep: app.sweep, close }
}

export interface ChildServer {
	process: ChildProcess
	port: number
	origin: string
	setUpToken: string | null
	/** Everything it printed. */
	lines: string[]
	/** Resolves with the exit code, or the signal. */
	exited: Promise<number | string>
}

const main = join(import.meta.dirname, '../../backend/src/main.ts')

/** Starts `main.ts` in a process of its own; resolves when it is ready, or stands by when `standby`. */
export async function startChild(
	t: TestContext,
	dir: string,
	settings: { env?: Record<string, string>; standby?: boolean } = {},
): Promise<ChildServer> {
	const own = { PORT: '0', HOST: '127.0.0.1', DATA_DIR: dir, MONGODB_URI: databaseOf(dir) ?? '', LOG_LEVEL: 'warn' }
	const child = spawn(process.execPath, [main], {
		env: { ...process.env, ...own, ...settings.env },
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	t.after(() => child.kill('SIGKILL'))
	const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
	const lines: string[] = []
	const ready = new Promise<void>((resolve, reject) => {
		const hear = (line: string) => {
			lines.push(line)
			if (/^English Chat is ready/.test(line) && !settings.standby) setImmediate(resolve)
			if (settings.standby && /waits at/.test(line)) resolve()
		}
		createInterface({ input: child.stdout }).on('line', hear)
		createInterface({ input: child.stderr }).on('line', hear)
		exited.then(() => reject(new Error(`The server ended: ${lines.join('\n')}`)))
	})
	await ready
	const port = Number(/http:\/\/localhost:(\d+)/.exec(lines.join('\n'))![1])
	return {
		process: child,
		port,
		origin: `http://127.0.0.1:${port}`,
		get setUpToken() {
			return /setup#([\w-]+)/.exec(lines.join('\n'))?.[1] ?? null
		},
		lines,
		exited,
	}
}
