/**
 * Unread counts and read positions: from the overview and the stream alone, in any order, and on a
 * scripted server as screens see them.
 */
import 'fake-indexeddb/auto'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Change, Frame } from '../../../protocol/live.ts'
import { formatCursor, type Message, type Read } from '../../../protocol/model.ts'
import { problem, until } from '../../../tests/support/scripted.ts'
import { discussion, openReady, openWorld, teacher } from '../../../tests/support/world.ts'
import type { Call } from '../api.ts'
import type { Client } from '../client.ts'
import { createRecords } from '../records.ts'
import { openReads } from './reads.ts'

const lineage = 'a'.repeat(24)
const base = (id: string, seq: number) => ({ id, seq, rev: seq, createdAt: '', updatedAt: '' })

/** A server with one discussion, whose frames wait until they are heard. */
function createModel(written: number, known: boolean) {
	const messages: Message[] = []
	const frames: { change: Change; upTo: number }[] = []
	const answers: (() => void)[] = []
	let head = 0
	let read: Read = { ...base('r', 1), user: 'me', discussion: 'd', upTo: 0 }
	const tell = (change: Change) => frames.push({ change, upTo: head })
	const unread = (upTo = read.upTo) => messages.filter((one) => one.seq > upTo && one.author !== 'me' && !one.removed).length
	const cursor = () => formatCursor(lineage, head)

	function write(author: string) {
		const message: Message = {
			...base(`m${++head}`, head),
			...{ discussion: 'd', author, group: null, text: 'text', attachments: [], replyTo: null, writtenAt: '' },
			...{ editedAt: null, edits: 0, removed: null, returned: false },
		}
		messages.push(message)
		tell({ put: 'messages', record: message })
	}
	function change(at: number, what: 'remove' | 'edit') {
		const before = messages[at % Math.max(1, messages.length)]
		if (!before || (what === 'edit' && before.removed)) return
		const when = `at ${++head}`
		const now = { rev: head, updatedAt: when }
		const next =
			what === 'edit'
				? { ...before, ...now, editedAt: when, edits: before.edits + 1 }
				: { ...before, ...now, removed: before.removed ? null : { at: when, by: 'other' } }
		messages[messages.indexOf(before)] = next
		tell({ put: 'messages', record: next })
	}
	function setRead(upTo: number) {
		if (upTo <= read.upTo) return
		read = { ...read, upTo, rev: ++head }
		tell({ put: 'reads', record: read })
	}
	for (let n = 0; n < written; n++) write(n % 3 ? 'other' : 'me')
	setRead(Math.floor(written / 3))
	frames.length = 0

	const records = createRecords(() => {})
	records.reset(head)
	const since = head
	const reads = openReads({
		...{ records, me: () => 'me', isOnline: () => true, changed: () => {}, tellMs: 1e6 },
		call: ((_: string, input: { upTo: number }) => {
			setRead(input.upTo)
			const answer = { read, unread: unread(), cursor: cursor() }
			return new Promise((resolve) => answers.push(() => resolve(answer)))
		}) as unknown as Call,
		knows: (_, start, end) => (known && end !== null ? true : start > since),
		accept(answer) {
			records.putPage(answer)
			return true
		},
	})
	return {
		...{ messages, reads, write, change, unread, setRead, records },
		list() {
			const page = { discussions: [{ id: 'd' }], unread: { d: unread() }, latest: messages.slice(-1), reads: [read], cursor: cursor() }
			records.putPage(page)
			reads.noteList(page as never)
		},
		/** The newest page of the timeline. */
		page: () => records.putPage({ messages: messages.slice(known ? 0 : -3), cursor: cursor() }),
		hear(count: number) {
			for (const { change, upTo } of frames.splice(0, count)) records.apply([change], upTo)
			reads.note(records.takeChanges())
		},
		answer: () => answers.shift()?.(),
		async quiet() {
			for (let round = 0; round < 20; round++) {
				this.hear(Number.POSITIVE_INFINITY)
				// As the overview does, which is drawn after every change.
				reads.unreadOf('d')
				reads.tell()
				for (let n = 0; n < 3; n++) {
					await new Promise((resolve) => setImmediate(resolve))
					this.answer()
				}
			}
		},
	}
}

const steps = fc.array(
	fc.record({
		what: fc.constantFrom('write', 'write', 'mine', 'remove', 'edit', 'hear', 'page', 'mark', 'elsewhere', 'tell', 'answer'),
		at: fc.nat(60),
	}),
	{ maxLength: 40, size: 'max' },
)

test('[W60] whatever is written, removed and read, here or elsewhere, the count ends as the server counts', async (t) => {
	await fc.assert(
		fc.asyncProperty(fc.nat(30), fc.boolean(), steps, async (written, known, todo) => {
			const model = createModel(written, known)
			t.after(model.reads.close)
			if (known) model.page()
			model.list()
			assert.equal(model.reads.unreadOf('d'), model.unread(), 'from the overview on')
			for (const { what, at } of todo) {
				const seq = model.messages[at % Math.max(1, model.messages.length)]?.seq ?? 0
				if (what === 'write') model.write('other')
				else if (what === 'mine') model.write('me')
				else if (what === 'remove' || what === 'edit') model.change(at, what)
				else if (what === 'hear') model.hear(1 + (at % 4))
				else if (what === 'page') model.page()
				else if (what === 'mark') model.reads.mark('d', seq)
				else if (what === 'elsewhere') model.setRead(seq)
				else if (what === 'tell') model.reads.tell()
				else model.answer()
				await null
			}
			await model.quiet()
			assert.equal(model.reads.unreadOf('d'), model.unread())
		}),
		{ numRuns: 500 },
	)
})

const entry = (client: Client) => client.snapshot().discussions.find((one) => one.discussion.id === discussion)

test('[W60] counts and newest messages are there from the overview, without a discussion being opened, and follow what is heard', async (t) => {
	const { openTab, world, publish, frame, me } = await openWorld(t)
	world.readUpTo = 1_100
	const client = await openTab()
	await until('it is listed', () => client.snapshot().discussionsState === 'ready')
	assert.deepEqual([entry(client)?.unread, entry(client)?.last?.text], [20, 'text 1120'])
	const fresh = publish()
	await until('one more', () => entry(client)?.unread === 21)
	assert.equal(entry(client)?.last?.id, fresh.id)
	publish({ author: me.id })
	const removed = { ...fresh, rev: ++world.head, removed: { at: '', by: teacher.id } }
	frame([{ put: 'messages', record: removed }])
	await until('one less', () => entry(client)?.unread === 20)
	world.messages[world.messages.indexOf(fresh)] = removed
	// An old one that this browser never had.
	const old = { ...world.messages[101]!, rev: ++world.head, removed: { at: '', by: teacher.id } }
	world.messages[101] = old
	frame([{ put: 'messages', record: old }])
	await until('one less again', () => entry(client)?.unread === 19)
	client.timeline(discussion)
	await until('it is open', () => client.timeline(discussion).state === 'ready')
	assert.equal(client.timeline(discussion).unread, 19)
})

test('[W60] reading on another device takes the count away here', async (t) => {
	const { openTab, world } = await openWorld(t)
	world.readUpTo = 1_100
	const [phone, laptop] = [await openTab(), await openTab()]
	for (const client of [phone, laptop]) {
		await until('it is listed', () => client.snapshot().connection === 'online' && entry(client)?.unread === 20)
	}
	await until('it is open', () => phone.timeline(discussion).state === 'ready')
	phone.look(discussion)
	phone.markRead(discussion, 1_115)
	await until('it shows here', () => entry(phone)?.unread === 5)
	await until('it shows there', () => entry(laptop)?.unread === 5)
	assert.equal(world.readUpTo, 1_115)
})

test('[W62] the unread line stands where I had read to when I came, and stays while I read', async (t) => {
	const { openTab, world, publish } = await openWorld(t)
	world.readUpTo = 1_117
	const client = await openTab()
	await until('it is listed', () => client.snapshot().discussionsState === 'ready')
	client.look(discussion)
	await until('it is open', () => client.timeline(discussion).state === 'ready')
	assert.equal(client.timeline(discussion).readUpTo, 1_117)
	assert.equal(await client.goTo(discussion, 'unread'), world.messages[117]?.id)
	client.markRead(discussion, 1_120)
	await until('it is read', () => client.timeline(discussion).unread === 0 && world.readUpTo === 1_120)
	assert.equal(client.timeline(discussion).readUpTo, 1_117)
	client.look(null)
	const { seq } = publish()
	await until('one came', () => client.timeline(discussion).unread === 1)
	client.look(discussion)
	assert.equal(client.timeline(discussion).readUpTo, 1_120)
	client.markRead(discussion, seq)
	client.markRead(discussion, 1_118)
	await until('nothing is unread', () => client.timeline(discussion).unread === 0)
})

test('[W63] my position is told now and then and when I look away, never goes back, and is told again after a failure', async (t) => {
	const { client, world, server, script } = await openReady(t)
	world.readUpTo = 0
	const { setRead } = script
	const said = () => server.calls.filter(({ name }) => name === 'setRead').map(({ input }) => input.upTo)
	client.look(discussion)
	script.setRead = () => 'cut'
	world.readUpTo = 1_100
	for (const seq of [1_111, 1_113, 1_112]) client.markRead(discussion, seq)
	assert.deepEqual(said(), [], 'not at once')
	// The position of the overview was 1120: nothing new was read.
	await new Promise((resolve) => setTimeout(resolve, 60))
	assert.deepEqual(said(), [])
	const { seq } = (await openNewer()) as { seq: number }
	await until('it was tried twice', () => said().length >= 2)
	Object.assign(script, { setRead })
	await until('it is told', () => world.readUpTo === seq)
	assert.ok(said().every((upTo) => upTo === seq))
	const calls = said().length
	client.markRead(discussion, seq - 1)
	client.look(null)
	await new Promise((resolve) => setTimeout(resolve, 60))
	assert.equal(said().length, calls, 'nothing is told twice')

	async function openNewer() {
		const fresh = { ...world.messages[119]!, id: 'e'.repeat(24), seq: ++world.head, rev: world.head }
		world.messages.push(fresh)
		for (const socket of server.sockets) {
			socket.say({
				t: 'changes',
				changes: [{ put: 'messages', record: fresh }],
				users: [],
				upTo: formatCursor(world.lineage, world.head),
			})
		}
		await until('it is there', () => client.timeline(discussion).items.at(-1)?.message.seq === fresh.seq)
		client.markRead(discussion, fresh.seq)
		return fresh
	}
})

test('[W63] what can’t be told is given up, what is told too often waits', async (t) => {
	const { client, publish, server, script } = await openReady(t)
	const said = () => server.calls.filter(({ name }) => name === 'setRead').length
	script.setRead = () => (said() < 3 ? problem('rate_limited') : problem('not_found'))
	const { seq } = publish()
	await until('it is there', () => client.timeline(discussion).items.at(-1)?.message.seq === seq)
	client.markRead(discussion, seq)
	await until('it was tried', () => said() === 3)
	await new Promise((resolve) => setTimeout(resolve, 100))
	assert.equal(said(), 3)
})

test('[W64] who has the discussion open shows while I look, and I say so again after a reconnection', async (t) => {
	const { client, server } = await openReady(t)
	const looks = () => server.heard.filter((frame) => (frame as { t: string }).t === 'looking')
	client.look(discussion)
	await until('it was said', () => looks().length === 1)
	const here: Frame = { t: 'here', discussion, users: [teacher], more: 2 }
	server.sockets.at(-1)?.say(here)
	await until('she is there', () => client.timeline(discussion).here.length === 1)
	const timeline = client.timeline(discussion)
	assert.deepEqual([timeline.here[0]?.name, timeline.hereMore], ['Lena', 2])
	server.sockets.at(-1)?.terminate()
	await until('nobody is known to be there', () => client.timeline(discussion).here.length === 0)
	await until('it was said again', () => looks().length === 2)
	server.sockets.at(-1)?.say(here)
	await until('she is there again', () => client.timeline(discussion).here.length === 1)
	client.look(null)
	await until('it was said', () => looks().length === 3)
	server.sockets.at(-1)?.say(here)
	await new Promise((resolve) => setTimeout(resolve, 30))
	assert.deepEqual(client.timeline(discussion).here, [])
	assert.deepEqual(looks().at(-1), { t: 'looking', discussion: null })
})
