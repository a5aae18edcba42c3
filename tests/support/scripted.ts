/**
 * A server that says what a test tells it to, over real HTTP and a real WebSocket: for the
 * answers that a healthy server seldom gives (a cut connection, a full disk, a wrong clock).
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket as Socket, WebSocketServer } from 'ws'
import { type Network, uploadByFetch } from '../../frontend/src/api.ts'
import { type ApiName, api, type ErrorCode, errorCodes, type Problem } from '../../protocol/api.ts'
import type { Frame } from '../../protocol/live.ts'

/** What one call is answered: the output, a problem, or `cut` (no answer at all). */
export type Answer = object | Problem | 'cut'
// biome-ignore lint/suspicious/noExplicitAny: a test knows the input of the call that it answers
export type Script = Partial<Record<ApiName, (input: any) => Answer | Promise<Answer>>>

export interface Scripted {
	network: Network
	/** Every call so far. */
	// biome-ignore lint/suspicious/noExplicitAny: as above
	calls: { name: ApiName; input: any }[]
	/** The open sockets, each with the cursor it asked for. */
	sockets: { after: string | null; say(frame: Frame): void; close(code: number): void; terminate(): void }[]
	/** What the browser said upwards. */
	heard: unknown[]
	close(): Promise<void>
}

/** A problem document of this code. */
export function problem(code: ErrorCode, more: Partial<Problem> = {}): Problem {
	return { type: 'about:blank', title: code, status: errorCodes[code], code, detail: `It was ${code}.`, ...more }
}

/** Opens the server on a free port. `script` may be changed while it runs; a call that is not in it is answered `not_found`. */
export async function openScripted(script: Script, onSocket: (socket: Scripted['sockets'][number]) => void = () => {}): Promise<Scripted> {
	const calls: Scripted['calls'] = []
	const sockets: Scripted['sockets'] = []
	const heard: unknown[] = []
	const server = createServer(async (request, response) => {
		const { name, input } = await callOf(request)
		calls.push({ name, input })
		const answer = (await script[name]?.(input)) ?? problem('not_found', { detail: `Nothing is scripted for ${name}.` })
		if (answer === 'cut') return response.destroy()
		const status = 'code' in answer ? (answer.status as number) : 200
		response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
	})
	const live = new WebSocketServer({ server, path: '/api/live' })
	live.on('connection', (socket: Socket, request) => {
		const after = new URL(request.url as string, 'http://localhost').searchParams.get('after')
		const opened = {
			after,
			say: (frame: Frame) => socket.send(JSON.stringify(frame)),
			close: (code: number) => socket.close(code),
			terminate: () => socket.terminate(),
		}
		sockets.push(opened)
		socket.on('message', (data) => heard.push(JSON.parse(String(data))))
		onSocket(opened)
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
	return {
		network: {
			fetch: (path, init) => fetch(`http://${host}${path}`, init),
			openSocket: (path) => new WebSocket(`ws://${host}${path}`),
			upload: uploadByFetch((path, init) => fetch(`http://${host}${path}`, init)),
		},
		calls,
		sockets,
		heard,
		async close() {
			for (const socket of live.clients) socket.terminate()
			server.closeAllConnections()
			server.close()
			await once(server, 'close')
		},
	}
}

async function callOf(request: IncomingMessage): Promise<{ name: ApiName; input: Record<string, unknown> }> {
	const url = new URL(request.url as string, 'http://localhost')
	const body: Buffer[] = []
	for await (const chunk of request) body.push(chunk as Buffer)
	const isFile = request.headers['content-type'] === 'application/octet-stream'
	const inAddress = body.length === 0 || isFile
	const said = inAddress ? Object.fromEntries(url.searchParams) : JSON.parse(Buffer.concat(body).toString())
	if (isFile) said.bytes = Buffer.concat(body)
	for (const [name, endpoint] of Object.entries(api)) {
		const pattern = new RegExp(`^${endpoint.path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`)
		const match = endpoint.method === request.method ? pattern.exec(url.pathname) : null
		if (match) return { name: name as ApiName, input: { ...said, ...match.groups } }
	}
	throw new Error(`No such call: ${request.method} ${request.url}`)
}

/** Resolves when `holds` does; it is looked at often. Fails after half a minute, saying `what` did not come. */
export async function until(what: string, holds: () => unknown): Promise<void> {
	for (let left = 3_000; left > 0; left--) {
		if (await holds()) return
		await new Promise((resolve) => setTimeout(resolve, 10))
	}
	throw new Error(`It did not come to this: ${what}`)
}
