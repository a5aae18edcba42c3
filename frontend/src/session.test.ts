/**
 * Signing in and out, on one device with a server that is scripted: whose data stays, and until when.
 */
import 'fake-indexeddb/auto'
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Dexie } from 'dexie'
import { IDBFactory } from 'fake-indexeddb'
import type { Frame } from '../../protocol/live.ts'
import type { Person } from '../../protocol/model.ts'
import { openScripted, problem, type Script, until } from '../../tests/support/scripted.ts'
import type { Client } from './client.ts'
import { createSessionStore } from './session.ts'

const lineage = 'a'.repeat(24)
const cursor = `${lineage}:5`
const person = (id: string, name: string): Person => ({
	...{ id: id.repeat(24), seq: 1, rev: 1, name, role: 'student', status: 'approved', email: `${name}@example.org`, avatar: null },
})
const discussion = 'd'.repeat(24)
const credentials = { email: 'sari@example.org', password: 'long enough' }

/** A device, and a server at which `who` is signed in; no message gets through while it is `deaf`. */
async function openDevice(t: TestContext) {
	Dexie.dependencies.indexedDB = new IDBFactory()
	const world = {
		...{ who: null as Person | null, next: person('1', 'sari') },
		...{ away: false, deaf: false, sent: [] as string[], onSignOut: undefined as undefined | (() => void) },
	}
	const now = () => new Date().toISOString()
	const signedIn = (answer: (me: Person) => object | 'cut') => () => {
		if (world.away) return 'cut'
		return world.who ? answer(world.who) : problem('not_signed_in')
	}
	const script: Script = {
		status: () => (world.away ? 'cut' : { setUp: true }),
		me: signedIn((me) => ({ me, now: now(), cursor, kept: null, released: null })),
		signIn: () => {
			world.who = world.next
			return { me: world.who, cursor }
		},
		signOut: signedIn(() => {
			world.onSignOut?.()
			world.who = null
			return {}
		}),
		listGroups: signedIn(() => ({ groups: [], cursor, kept: null, released: null })),
		listCategories: signedIn(() => ({ categories: [], cursor, kept: null, released: null })),
		listDiscussions: signedIn(() => ({
			discussions: [],
			totals: {},
			unread: {},
			latest: [],
			reads: [],
			users: [],
			next: null,
			cursor,
			kept: null,
			released: null,
		})),
		sendMessage: ({ id, text }) =>
			signedIn((me) => {
				if (world.deaf) return 'cut'
				world.sent.push(`${me.name}: ${text}`)
				return { message: { id, discussion, seq: 6, rev: 6, author: me.id, removed: null, replyTo: null }, cursor: `${lineage}:6` }
			})(),
	}
	const server = await openScripted(script, (socket) => {
		if (world.away) return socket.terminate()
		if (!world.who) return socket.close(4401)
		socket.say({ t: 'hello', now: now(), kept: null, released: null })
		socket.say({ t: 'changes', changes: [], users: [], upTo: cursor } as Frame)
	})
	t.after(server.close)
	function openTab() {
		const store = createSessionStore({ network: server.network, retryMs: 10 })
		t.after(store.close)
		const is = (state: string) => until(`it is ${state}`, () => store.snapshot().state === state)
		const client = () => store.snapshot().client as Client
		const online = async () => {
			await is('signedIn')
			await until('it is online', () => client().snapshot().connection === 'online')
		}
		const send = (text: string) => client().send({ discussion, group: undefined, text, replyTo: null, files: [] })
		return { store, is, client, online, send }
	}
	/** The server ends every session, as a restore does. */
	function endSessions() {
		world.who = null
		for (const socket of server.sockets) socket.close(4401)
	}
	const cut = () => {
		world.away = true
		for (const socket of server.sockets) socket.terminate()
	}
	return { world, openTab, endSessions, cut, names: () => Dexie.getDatabaseNames() }
}

test('[W7] a session that the server ended leaves what waits, locked, until the same account signs in', async (t) => {
	const { world, openTab, endSessions, cut } = await openDevice(t)
	const tab = openTab()
	await tab.is('signedOut')
	await tab.store.signIn(credentials)
	await tab.online()
	cut()
	await until('it is offline', () => tab.client().snapshot().connection === 'offline')
	await tab.send('not lost')
	world.away = false
	endSessions()
	await tab.is('signedOut')
	assert.deepEqual(tab.store.snapshot().locked, [{ email: 'sari@example.org', waiting: 1 }])

	// Somebody else on this device sees nothing of it and sends nothing of it.
	world.next = person('2', 'budi')
	await tab.store.signIn(credentials)
	await tab.online()
	assert.equal(tab.client().snapshot().waiting, 0)
	assert.equal(await tab.client().signOut(), true)
	await tab.is('signedOut')
	assert.deepEqual(tab.store.snapshot().locked, [{ email: 'sari@example.org', waiting: 1 }])

	world.next = person('1', 'sari')
	await tab.store.signIn(credentials)
	await until('it was sent', () => world.sent.length > 0)
	assert.deepEqual(world.sent, ['sari: not lost'])
})

test('[W7] an account that was lost in a restore and registered anew gets what waited for its e-mail address', async (t) => {
	const { world, openTab, endSessions, cut, names } = await openDevice(t)
	const tab = openTab()
	await tab.is('signedOut')
	await tab.store.signIn(credentials)
	await tab.online()
	cut()
	await tab.send('for the same person')
	await tab.client().saveDraft(discussion, { text: 'half a', replyTo: null, editing: null })
	await tab.client().stage(discussion, { bytes: new Blob(['a picture']), name: 'a.png', width: 1, height: 1 })
	world.away = false
	endSessions()
	await tab.is('signedOut')
	world.next = { ...person('3', 'sari'), email: 'Sari@example.org' }
	await tab.store.signIn(credentials)
	await until('it was sent', () => world.sent.length > 0)
	assert.equal((await tab.client().draft(discussion))?.text, 'half a')
	const [file] = await tab.client().staged(discussion)
	assert.equal(await (await fetch(file?.url as string)).text(), 'a picture')
	assert.ok(!(await names()).includes(`english-chat-${'1'.repeat(24)}`))
})

test('[W8] signing out with unsent messages asks first; then nothing of hers is left on the device', async (t) => {
	const { world, openTab, cut, names } = await openDevice(t)
	const tab = openTab()
	await tab.is('signedOut')
	await tab.store.signIn(credentials)
	await tab.online()
	cut()
	await tab.send('unsent')
	assert.equal(await tab.client().signOut(), false)
	assert.equal(tab.client().snapshot().waiting, 1)
	await assert.rejects(tab.client().signOut({ force: true }), 'the cookie can only be taken back by the server')
	assert.equal(tab.client().snapshot().waiting, 1)
	world.deaf = true
	world.away = false
	assert.equal(await tab.client().signOut({ force: true }), true)
	world.deaf = false
	await tab.is('signedOut')
	assert.deepEqual(tab.store.snapshot().locked, [])
	assert.deepEqual(await names(), ['english-chat'])
	// Longer than it waits before it tries again.
	await new Promise((resolve) => setTimeout(resolve, 100))
	assert.deepEqual(world.sent, [])
})

test('[W8] what is just being written when somebody signs out is asked about too, or left on the device', async (t) => {
	const { world, openTab } = await openDevice(t)
	const [one, two] = [openTab(), openTab()]
	await one.is('signedOut')
	await one.store.signIn(credentials)
	for (const tab of [one, two]) await tab.online()
	world.deaf = true
	const writing = one.send('just before')
	assert.equal(await one.client().signOut(), false)
	await writing
	assert.equal(one.client().snapshot().waiting, 1)
	world.deaf = false
	await until('it was sent', () => world.sent.length === 1)
	await until('nothing waits', () => one.client().snapshot().waiting === 0)

	world.deaf = true
	let late: Promise<void> | undefined
	world.onSignOut = () => {
		late = two.send('just now')
	}
	assert.equal(await one.client().signOut(), true)
	await late
	await one.is('signedOut')
	assert.deepEqual(one.store.snapshot().locked, [{ email: 'sari@example.org', waiting: 1 }])
})

test('[W26] a page opened while the server is away shows what waits, and goes on when it is back', async (t) => {
	const { world, openTab, cut } = await openDevice(t)
	const before = openTab()
	await before.is('signedOut')
	await before.store.signIn(credentials)
	await before.online()
	cut()
	await before.send('typed offline')
	before.store.close()
	const after = openTab()
	await after.is('signedIn')
	assert.equal(after.client().snapshot().me.name, 'sari')
	assert.deepEqual(
		after
			.client()
			.timeline(discussion)
			.items.map(({ message, safety }) => [message.text, safety]),
		[['typed offline', 'device']],
	)
	world.away = false
	await after.online()
	await until('it was sent', () => world.sent.length > 0)
	assert.deepEqual(world.sent, ['sari: typed offline'])
})

test('[W26] where nobody is known and the server is away, it says so and asks again', async (t) => {
	const { world, openTab } = await openDevice(t)
	world.away = true
	const tab = openTab()
	await tab.is('unreachable')
	world.away = false
	await tab.is('signedOut')
})

test('[W27] all tabs follow when somebody signs in, signs out, or another account comes', async (t) => {
	const { world, openTab, names } = await openDevice(t)
	const [one, two] = [openTab(), openTab()]
	for (const tab of [one, two]) await tab.is('signedOut')
	await one.store.signIn(credentials)
	for (const tab of [one, two]) await tab.online()
	assert.equal(two.client().snapshot().me.name, 'sari')
	assert.equal(await two.client().signOut(), true)
	for (const tab of [one, two]) await tab.is('signedOut')
	await until('nothing of hers is left', async () => (await names()).length === 1)
	world.next = person('2', 'budi')
	await two.store.signIn(credentials)
	for (const tab of [one, two]) await tab.online()
	assert.equal(one.client().snapshot().me.name, 'budi')
})
