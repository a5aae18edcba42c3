/**
 * The live connection against a real WebSocket server that drops, falls silent and refuses.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { closeCodes, type Frame } from '../../protocol/live.ts'
import { openScripted, type Scripted, until } from '../../tests/support/scripted.ts'
import { type LiveOptions, openLive } from './live.ts'

const hello: Frame = { t: 'hello', now: new Date().toISOString(), kept: null, released: null }
const upTo = (seq: number): Frame => ({ t: 'changes', changes: [], users: [], upTo: `${'a'.repeat(24)}:${seq}` })

async function open(t: TestContext, onSocket: (socket: Scripted['sockets'][number]) => void, options: Partial<LiveOptions> = {}) {
	const server = await openScripted({}, onSocket)
	t.after(server.close)
	let cursor = `${'a'.repeat(24)}:0`
	const seen = { frames: [] as Frame[], lost: 0, ended: 0, failed: [] as boolean[] }
	const live = openLive({
		network: server.network,
		prepare: async (failed) => {
			seen.failed.push(failed)
			return cursor
		},
		onFrame: (frame) => {
			seen.frames.push(frame)
			if (frame.t === 'changes') cursor = frame.upTo
		},
		onLost: () => void seen.lost++,
		onEnded: () => void seen.ended++,
		...options,
	})
	t.after(live.close)
	return { server, seen, live }
}

test('[W6] a lost connection is opened again from the last cursor', async (t) => {
	const { server, seen } = await open(t, (socket) => {
		socket.say(hello)
		socket.say(upTo(server.sockets.length * 10))
		if (server.sockets.length < 3) setTimeout(socket.terminate, 20)
	})
	await until('it is connected the third time', () => seen.frames.length === 6)
	assert.deepEqual(
		server.sockets.map(({ after }) => after?.split(':')[1]),
		['0', '10', '20'],
	)
	assert.equal(seen.lost, 2)
	assert.deepEqual(seen.failed, [false, false, false])
})

test('[W6] a connection on which nothing comes is given up', async (t) => {
	const { server, seen } = await open(
		t,
		(socket) => {
			if (server.sockets.length > 1) socket.say(hello)
		},
		{ silenceMs: 90 },
	)
	await until('it tried again', () => seen.frames.length > 0)
	assert.equal(seen.failed[1], true, 'it asks who is signed in when it was not let in')
})

test('[W6] frames are handled one after another, and a failure in one begins anew', async (t) => {
	const handled: number[] = []
	let busy = false
	let failures = 1
	const { seen, server } = await open(
		t,
		(socket) => {
			for (let seq = 1; seq <= 5; seq++) socket.say(upTo(seq))
		},
		{
			async onFrame(frame) {
				assert.equal(busy, false)
				busy = true
				await new Promise((resolve) => setTimeout(resolve, 2))
				busy = false
				const seq = Number((frame as { upTo: string }).upTo.split(':')[1])
				if (seq === 3 && failures-- > 0) throw new Error('the pages could not be fetched')
				handled.push(seq)
			},
		},
	)
	await until('the second connection was handled', () => handled.length === 7)
	assert.deepEqual(handled, [1, 2, 1, 2, 3, 4, 5])
	assert.equal(server.sockets.length, 2)
	assert.equal(seen.lost, 1)
})

test('[W7] a session that the server ended is not tried again', async (t) => {
	const { seen, server } = await open(t, (socket) => {
		socket.say(hello)
		socket.close(closeCodes.ended)
	})
	await until('it ended', () => seen.ended === 1)
	await new Promise((resolve) => setTimeout(resolve, 600))
	assert.equal(server.sockets.length, 1)
})

test('[W6] where nothing can be prepared it keeps trying', async (t) => {
	let tries = 0
	const { seen } = await open(t, (socket) => socket.say(hello), {
		prepare: async () => {
			if (tries++ < 2) throw new Error('the server is away')
			return `${'a'.repeat(24)}:0`
		},
	})
	await until('it is connected', () => seen.frames.length === 1)
	assert.equal(seen.lost, 2)
})
