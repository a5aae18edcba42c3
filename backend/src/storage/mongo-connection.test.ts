/**
 * What errors on the way to a MongoDB server mean.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { explain, meaningOf } from './mongo-connection.ts'

test('[S70] a socket that broke, in the words of the socket itself, is a server that is away and no defect', async (t) => {
	const server = createServer((socket) => socket.resetAndDestroy())
	t.after(() => server.close())
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
	const [reset] = (await once(socket, 'error').catch((error) => [error])) as [Error]
	// What Node says of a write to a socket that the other side has ended.
	const ended = Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' })
	for (const error of [reset, ended]) assert.equal(meaningOf(error), 'away', error.message)
	const meant = explain(ended, { place: 'db:27017/chat', direct: false }) as Error
	assert.equal(meant.message, 'MongoDB at db:27017/chat can not be reached (the connection breaks).')
	assert.equal(meaningOf(new TypeError('x is not a function')), 'defect')
	assert.equal(meaningOf(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })), 'defect')
})
