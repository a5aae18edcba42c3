/**
 * The servers that ours is compared with, each in its shortest good form and without storage.
 *
 * `relay`: bare ws that sends each message on at once. `batch`: bare ws that sends what came in
 * 5 ms as one. `socketio`: socket.io 4 as it comes. `fixed`: Fastify that answers a constant,
 * or a page that its parent told it. Each tells its parent the port it listens on.
 */
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { Server } from 'socket.io'
import { type WebSocket, WebSocketServer } from 'ws'

const kind = process.argv[2]
const server = kind === 'fixed' ? await fixedServer() : createServer()

async function fixedServer(): Promise<HttpServer> {
	const app = fastify()
	let page = ''
	app.get('/', (_request, reply) => reply.header('content-type', 'application/json; charset=utf-8').send(page))
	app.post('/constant', (_request, reply) => reply.header('content-type', 'application/json; charset=utf-8').send('{"stored":true}'))
	process.on('message', (message: { page?: string }) => {
		page = message.page ?? page
	})
	await app.ready()
	return app.server
}

if (kind === 'socketio') {
	const io = new Server(server, { transports: ['websocket'], pingInterval: 600_000, serveClient: false })
	io.on('connection', (socket) => {
		socket.on('m', (message) => io.emit('m', message))
	})
} else if (kind === 'relay' || kind === 'batch') {
	const members = new Set<WebSocket>()
	const sockets = new WebSocketServer({ server, perMessageDeflate: false })
	const toAll = (data: Buffer) => {
		for (const member of members) member.send(data, { binary: false })
	}
	let waiting: Buffer[] = []
	const between = Buffer.from(',')
	if (kind === 'batch') {
		setInterval(() => {
			if (waiting.length === 0) return
			const parts = waiting.flatMap((message) => [between, message])
			parts[0] = Buffer.from('[')
			toAll(Buffer.concat([...parts, Buffer.from(']')]))
			waiting = []
		}, 5)
	}
	const receive = kind === 'batch' ? (data: Buffer) => void waiting.push(data) : toAll
	const onMessage = (data: Buffer) => receive(data)
	function onClose(this: WebSocket) {
		members.delete(this)
	}
	sockets.on('connection', (socket) => {
		members.add(socket)
		socket.on('message', onMessage)
		socket.on('close', onClose)
	})
}

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
