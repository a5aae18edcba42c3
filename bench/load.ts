/**
 * Drives the load generator (load.c) in a process of its own: raw sockets that send prepared bytes.
 *
 * Promises that every connection stands before the clock starts, and fails when the server refused
 * anything or dropped a connection: a fast refusal must never look like speed.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compile } from '../tests/support/compiler.ts'

/** What stands beside every figure that this generator made. */
export const generator = 'raw sockets in C, own process'

/** Where a message has its id and its mark, before the generator fills them in. */
export const idPlace = 'IIIIIIIIIIIIIIIIIIIIIIII'
export const markPlace = '~SSSSSSSSSSSSSSSSSSSS'

export interface Connection {
	kind: 'http' | 'websocket'
	/** Where a WebSocket connects, and as whom. */
	path?: string
	cookie?: string
	/** Sent once when a WebSocket stands. */
	hello?: string
	/** Sent again and again: a whole request, or the text of a frame. Without it, the connection only listens. */
	message?: string
}

export interface LoadResult {
	seconds: number
	answered: number
	failed: number
	deliveries: number
	closed: number
	bytes: number
	ackP50: number
	ackP99: number
	receiveP50: number
	receiveP99: number
}

/** A request as bytes. The body is JSON. */
export function request(
	method: string,
	path: string,
	options: { cookie?: string; body?: unknown; headers?: Record<string, string> } = {},
): string {
	const body = options.body === undefined ? '' : JSON.stringify(options.body)
	const headers: Record<string, string> = { host: '127.0.0.1', ...options.headers }
	if (options.cookie) headers.cookie = options.cookie
	if (body) headers['content-type'] = 'application/json'
	if (method !== 'GET') headers['content-length'] = String(Buffer.byteLength(body))
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
	return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

function handshake({ path = '/', cookie }: Connection, port: number): string {
	const upgrade = {
		upgrade: 'websocket',
		connection: 'Upgrade',
		'sec-websocket-version': '13',
		'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
	}
	const origin = { host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` }
	return request('GET', path, { headers: { ...origin, ...upgrade }, ...(cookie ? { cookie } : {}) })
}

function plan(connections: readonly Connection[], port: number): Buffer {
	const parts: Buffer[] = []
	const number = (value: number) => {
		const part = Buffer.alloc(4)
		part.writeInt32LE(value)
		parts.push(part)
	}
	const bytes = (text: string) => {
		const part = Buffer.from(text)
		number(part.length)
		parts.push(part)
	}
	number(connections.length)
	for (const connection of connections) {
		const message = connection.message ?? ''
		number(connection.kind === 'http' ? 0 : 1)
		bytes(connection.kind === 'http' ? '' : handshake(connection, port))
		bytes(connection.hello ?? '')
		bytes(message)
		number(Buffer.from(message).indexOf(idPlace))
		const mark = Buffer.from(message).indexOf(markPlace)
		number(mark < 0 ? -1 : mark + 1)
	}
	return Buffer.concat(parts)
}

async function begin(port: number, connections: readonly Connection[], args: string[]) {
	const path = join(tmpdir(), `english-chat-plan-${randomUUID()}`)
	await writeFile(path, plan(connections, port))
	const child = spawn(await compile(join(import.meta.dirname, 'load.c'), ['-O3']), [path, String(port), ...args], {
		stdio: ['pipe', 'pipe', 'inherit'],
	})
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	const ready = await lines.next()
	await rm(path)
	if (ready.value !== 'ready') throw new Error('The load generator could not connect.')
	return { child, lines }
}

/** Sends as fast as answers come, or `rate` messages a second, and says what came of it. */
export async function load(
	port: number,
	connections: readonly Connection[],
	{ warmMs = 1_000, runMs = 3_000, rate = 0 } = {},
): Promise<LoadResult> {
	const { child, lines } = await begin(port, connections, [String(warmMs), String(runMs), String(rate)])
	child.stdin.write('go\n')
	const line = await lines.next()
	const result = JSON.parse(String(line.value)) as LoadResult
	if (result.failed > 0 || result.closed > 0)
		throw new Error(`The server refused ${result.failed} requests and closed ${result.closed} connections.`)
	return result
}

/** Holds the connections open until `close`. */
export async function hold(port: number, connections: readonly Connection[]): Promise<{ close(): Promise<void> }> {
	const { child } = await begin(port, connections, ['0', '0', '0'])
	return {
		async close() {
			child.stdin.end()
			await once(child, 'exit')
		},
	}
}
