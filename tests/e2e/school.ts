/**
 * A school for the browser tests: a server of its own as a child process on a temporary folder, and
 * people who are made through the API.
 *
 * Promises a free port and a database that stay the same when the server is killed and started again, and
 * that nothing is left behind. Never reaches into the server: what a test knows, a user could know.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ApiName, api, type Input, type Output } from '../../protocol/api.ts'
import type { Discussion, Group, Person } from '../../protocol/model.ts'
import { databaseOf, dropDatabases } from '../support/mongo.ts'

const cli = join(import.meta.dirname, '../../ops/cli.ts')
const main = join(import.meta.dirname, '../../backend/src/main.ts')
export const password = 'a calm sentence'

export interface Someone {
	me: Person
	email: string
	/** The value of her session's cookie. */
	token: string
	call<N extends ApiName>(name: N, input: Input<N>): Promise<Output<N>>
}

export interface School {
	port: number
	url: string
	/** From the one-time link. */
	setUpToken: string
	admin: Someone
	/** As power loss does: no goodbye. */
	kill(): Promise<void>
	/** As Ctrl-C does. */
	stop(): Promise<void>
	/** The operator's folder of backups. */
	backups: string
	/** What the operator types after `npm run ops --`, on this machine. */
	operate(...args: string[]): Promise<void>
	start(): Promise<void>
	close(): Promise<void>
	/** A stranger's call. */
	call<N extends ApiName>(name: N, input: Input<N>): Promise<Output<N>>
	/** Registered and approved. */
	join(role: 'student' | 'lecturer', name: string): Promise<Someone>
	register(role: 'student' | 'lecturer', name: string): Promise<Someone>
	signIn(email: string): Promise<Someone>
	group(name: string, ...members: Someone[]): Promise<Group>
	discussion(by: Someone, title: string, prompt: string, groups: Group[]): Promise<Discussion>
	say(
		who: Someone,
		discussion: Discussion,
		text: string,
		more?: { group?: string | null; replyTo?: string; uploads?: string[] },
	): Promise<string>
}

/** An id as browsers make it. */
export function newId(): string {
	return (
		Math.floor(Date.now() / 1000)
			.toString(16)
			.padStart(8, '0') + randomBytes(8).toString('hex')
	)
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0)
	await once(server, 'listening')
	const { port } = server.address() as { port: number }
	server.close()
	await once(server, 'close')
	return port
}

function caller(url: string, token: string | null) {
	return async <N extends ApiName>(name: N, input: Input<N>): Promise<Output<N> & { token?: string }> => {
		const { method, path } = api[name]
		const rest = { ...(input as Record<string, unknown>) }
		const filled = path.replace(/:(\w+)/g, (_, field: string) => {
			const value = String(rest[field])
			delete rest[field]
			return value
		})
		const inUrl = method === 'GET' || method === 'DELETE'
		const query = inUrl ? `?${new URLSearchParams(rest as Record<string, string>)}` : ''
		const answer = await fetch(url + filled + query, {
			method,
			headers: { ...(inUrl ? {} : { 'content-type': 'application/json' }), ...(token ? { cookie: `session=${token}` } : {}) },
			...(inUrl ? {} : { body: JSON.stringify(rest) }),
		})
		const body = (await answer.json()) as Output<N> & { detail?: string }
		if (!answer.ok) throw new Error(`${name}: ${answer.status} ${body.detail}`)
		const cookie = /session=([\w-]+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1]
		return Object.assign(body, cookie ? { token: cookie } : {})
	}
}

/** Opens a school with its first admin, or without one when `bare`; `env`: settings of its own. */
export async function openSchool({ bare = false, env = {} }: { bare?: boolean; env?: Record<string, string> } = {}): Promise<School> {
	const dir = await mkdtemp(join(tmpdir(), 'school-'))
	const port = await freePort()
	const url = `http://localhost:${port}`
	let child: ChildProcess | null = null
	let setUpToken = ''

	const settings = () => ({
		...process.env,
		...{ DATA_DIR: dir, MONGODB_URI: databaseOf(dir) ?? '', PORT: String(port), LOG_LEVEL: 'error', BACKUP_SCHEDULE: 'off' },
		...env,
	})

	async function start() {
		const started = spawn(process.execPath, [main], {
			env: settings(),
			stdio: ['ignore', 'pipe', 'inherit'],
		})
		child = started
		await new Promise<void>((resolve, reject) => {
			let said = ''
			started.stdout.on('data', (bytes) => {
				said += bytes
				const link = /setup#([\w-]+)/.exec(said)
				if (link) setUpToken = link[1] as string
				if (/ready: .*\n/.test(said) && (link || school.admin)) resolve()
			})
			started.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)))
		})
	}

	async function end(signal: 'SIGKILL' | 'SIGTERM') {
		const ending = child
		child = null
		if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
		const gone = once(ending, 'exit')
		ending.kill(signal)
		await gone
	}

	const someone = (me: Person, email: string, token: string): Someone => ({ me, email, token, call: caller(url, token) })
	const call = caller(url, null)

	const school: School = {
		port,
		url,
		get setUpToken() {
			return setUpToken
		},
		admin: undefined as unknown as Someone,
		kill: () => end('SIGKILL'),
		stop: () => end('SIGTERM'),
		backups: join(dir, 'backups'),
		async operate(...args) {
			await promisify(execFile)(process.execPath, [cli, ...args], { env: settings() })
		},
		start,
		async close() {
			await end('SIGTERM')
			await dropDatabases(dir)
			await rm(dir, { recursive: true, force: true })
		},
		call,
		async register(role, name) {
			const email = `p${name
				.normalize('NFKD')
				.replace(/[^a-z]/gi, '')
				.toLowerCase()}.${randomBytes(4).toString('hex')}@school.test`
			const number = `${role === 'student' ? '2311' : 'L-'}${randomBytes(2).readUInt16BE()}`
			const { me, token } = await call('register', { role, name, email, number, password })
			return someone(me, email, token as string)
		},
		async join(role, name) {
			const person = await school.register(role, name)
			await school.admin.call('setStatus', { id: person.me.id, status: 'approved' })
			return person
		},
		async signIn(email) {
			const { me, token } = await call('signIn', { email, password })
			return someone(me, email, token as string)
		},
		async group(name, ...members) {
			const { group } = await school.admin.call('createGroup', { id: newId(), name })
			for (const { me } of members) await school.admin.call('addMember', { id: group.id, user: me.id })
			return group
		},
		async discussion(by, title, prompt, groups) {
			const input = { id: newId(), title, prompt, groups: groups.map(({ id }) => id) }
			return (await by.call('startDiscussion', input)).discussion
		},
		async say(who, discussion, text, more = {}) {
			const id = newId()
			await who.call('sendMessage', { id, discussion: discussion.id, text, writtenAt: new Date().toISOString(), ...more })
			return id
		},
	}

	try {
		await start()
		if (!bare) {
			const email = 'admin@school.test'
			const { me, token } = await call('setUp', { token: setUpToken, name: 'Dewi Anggraini', email, password })
			school.admin = someone(me, email, token as string)
		}
		return school
	} catch (error) {
		await school.close()
		throw error
	}
}
