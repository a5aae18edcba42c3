/**
 * Calls over a real HTTP server: what becomes path, query and body, and the three ends of a call.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { openScripted, problem, type Script } from '../../tests/support/scripted.ts'
import { createCall, createUpload, uploadByFetch } from './api.ts'
import { ApiError, Unreachable } from './client.ts'

const id = 'a'.repeat(24)

test('[W1] a call puts into the path what the path names, the rest into query or body', async (t) => {
	const echo = (input: object) => ({ input })
	const server = await openScripted({ addMember: echo, listUsers: echo, setRemoved: echo, removeMember: echo })
	t.after(server.close)
	const call = createCall(server.network)
	await call('addMember', { id, user: id })
	await call('listUsers', { query: 'ä b&c', limit: 3 })
	await call('setRemoved', { id, removed: true })
	await call('removeMember', { id, user: id })
	assert.deepEqual(
		server.calls.map(({ input }) => input),
		[
			{ id, user: id },
			{ query: 'ä b&c', limit: '3' },
			{ id, removed: true },
			{ id, user: id },
		],
	)
})

test('[W1] a refusal is an ApiError with its problem', async (t) => {
	const server = await openScripted({ me: () => problem('not_signed_in', { hint: 'Sign in.' }) })
	t.after(server.close)
	await assert.rejects(createCall(server.network)('me', {}), (error) => error instanceof ApiError && error.problem.hint === 'Sign in.')
})

test('[W1] what is not the server’s own word counts as no answer', async (t) => {
	const pages: [number, string][] = [
		[502, '<h1>Bad gateway</h1>'],
		[200, '<h1>Please sign in to the Wi-Fi</h1>'],
		[404, '{"message":"no such page"}'],
		[302, ''],
	]
	for (const [status, body] of pages) {
		const server = createServer((_request, response) => response.writeHead(status, { location: '/elsewhere' }).end(body))
		server.listen(0)
		await once(server, 'listening')
		t.after(() => server.close())
		const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
		const fetchThere = (path: string, init: RequestInit) => fetch(base + path, init)
		const network = { fetch: fetchThere, openSocket: () => assert.fail(), upload: uploadByFetch(fetchThere) }
		await assert.rejects(createCall(network)('me', {}), Unreachable, `${status}`)
		const file = { id: 'f'.repeat(24), name: 'a.png' }
		await assert.rejects(createUpload(network)(file, new Blob(['a'])), Unreachable, `${status}`)
		server.closeAllConnections()
	}
})

test('[W1] a call without an answer ends', async (t) => {
	const script: Script = { me: () => 'cut', status: () => new Promise(() => {}) }
	const server = await openScripted(script)
	t.after(server.close)
	const call = createCall(server.network, 100)
	await assert.rejects(call('me', {}), Unreachable)
	await assert.rejects(call('status', {}), Unreachable)
})
