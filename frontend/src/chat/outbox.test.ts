/**
 * The outbox against a server that answers what a test says: nothing lost, nothing twice, in order.
 */
import 'fake-indexeddb/auto'
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ErrorCode, Output } from '../../../protocol/api.ts'
import type { Message } from '../../../protocol/model.ts'
import { type Answer, openScripted, problem, type Script, until } from '../../../tests/support/scripted.ts'
import { createCall, createUpload } from '../api.ts'
import { createClock, makeId } from '../ids.ts'
import { openUserDatabase, type Row, type Said } from './database.ts'
import { openOutbox } from './outbox.ts'
import { openFiles } from './staged.ts'
import { openTransfers } from './transfers.ts'

const here = 'a'.repeat(24)
const there = 'b'.repeat(24)
const clock = createClock(0, () => {})
const discussion = makeId(clock)

type Sent = { id: string; discussion: string; text: string; replyTo: string | null }
const say = (text: string, more: Partial<Sent> = {}): Said & { command: 'sendMessage' } => ({
	command: 'sendMessage',
	input: { id: makeId(clock), discussion, text, uploads: [], replyTo: null, writtenAt: new Date().toISOString(), ...more },
})
const remove = (id: string, removed = true): Said => ({ command: 'setRemoved', input: { id, removed } })
const edit = (id: string, text: string): Said => ({ command: 'editMessage', input: { id, edit: makeId(clock), text } })
const messageOf = (id: string, more: Partial<Message> = {}) => ({ id, discussion, seq: 1, rev: 2, removed: null, ...more }) as Message

/** One device: `openTab` opens the outbox of a tab, all on one server and one database. */
async function openDevice(t: TestContext, script: Script, heldBytes?: number) {
	const server = await openScripted(script)
	t.after(server.close)
	const user = makeId(clock)
	const raw = await openUserDatabase(user)
	t.after(() => raw.close())
	async function openTab() {
		const database = await openUserDatabase(user)
		let refusedSessions = 0
		const files = openFiles(database, clock, () => {}, heldBytes)
		const transfers = openTransfers(files, createUpload(server.network), () => {})
		const outbox = await openOutbox({
			...{ database, clock, files, transfers, call: createCall(server.network), tab: makeId(clock), retryMs: 5 },
			onChange: () => {},
			isShown: (row) => row.state === 'stored',
			onStored: () => {},
			onRefusedSession: () => void refusedSessions++,
		})
		const close = async () => {
			await outbox.close()
			database.close()
		}
		t.after(close)
		return { ...outbox, files, transfers, refusedSessions: () => refusedSessions, close }
	}
	const texts = () => server.calls.filter(({ name }) => name === 'sendMessage').map(({ input }) => input.text)
	const rows = () => raw.outbox.orderBy('number').toArray()
	const states = async () => (await rows()).map((row) => row.state)
	/** What a tab that did not get to say goodbye leaves. */
	const leaveLease = () => raw.lease.put({ name: 'send', tab: 'dead', until: Date.now() + 500 })
	return {
		server,
		openTab,
		leaveLease,
		texts,
		rows,
		states,
		settled: () => until('all settled', async () => !(await states()).includes('waiting')),
	}
}

/** Stores what is sent, as a server does. */
function storing() {
	const stored = new Map<string, string>()
	let seq = 100
	return {
		stored,
		sendMessage: ({ id, text }: Sent): Answer => {
			if (!stored.has(id)) stored.set(id, text)
			return { message: messageOf(id), receipt: { createdAt: new Date().toISOString(), mac: 'm'.repeat(43) }, cursor: `${here}:${++seq}` }
		},
	}
}

test('[W10] what was written while the server was away is sent once, later, in order', async (t) => {
	const server = storing()
	const device = await openDevice(t, server)
	const tab = await device.openTab()
	for (const text of ['one', 'two', 'three']) await tab.add(say(text))
	assert.deepEqual(
		tab.rows().map((row) => row.state),
		['waiting', 'waiting', 'waiting'],
	)
	assert.equal(device.server.calls.length, 0)
	await tab.start(here)
	await tab.add(say('four'))
	await device.settled()
	assert.deepEqual(device.texts(), ['one', 'two', 'three', 'four'])
	await until('nothing waits', () => tab.rows().length === 0)
	assert.deepEqual(await device.states(), ['stored', 'stored', 'stored', 'stored'])
})

test('[W10] what waits survives a crash of the page', async (t) => {
	const device = await openDevice(t, storing())
	const before = await device.openTab()
	await before.add(say('typed before the crash'))
	await before.close()
	const after = await device.openTab()
	assert.equal(after.rows().length, 1)
	await after.start(here)
	await device.settled()
	assert.deepEqual(device.texts(), ['typed before the crash'])
})

test('[W10] what the server could not take at all is not accepted', async (t) => {
	const device = await openDevice(t, {})
	const tab = await device.openTab()
	await assert.rejects(tab.add(say('   ')))
	assert.equal(tab.rows().length, 0)
})

test('[W11] after a lost answer the same command goes again, under the same id', async (t) => {
	const server = storing()
	const script: Script = {
		sendMessage: (input) => {
			const answer = server.sendMessage(input)
			return device.server.calls.length < 3 ? 'cut' : answer
		},
	}
	const device = await openDevice(t, script)
	const tab = await device.openTab()
	await tab.start(here)
	await tab.add(say('once'))
	await device.settled()
	assert.deepEqual(device.texts(), ['once', 'once', 'once'])
	assert.deepEqual([...server.stored.values()], ['once'])
})

for (const code of ['outcome_unknown', 'storage_full', 'storage_unavailable', 'standby', 'rate_limited', 'internal'] as ErrorCode[]) {
	test(`[W12] after ${code} it waits and tries again, and nothing overtakes`, async (t) => {
		const server = storing()
		let failures = 2
		const retryAfterSeconds = code === 'rate_limited' ? 0.01 : undefined
		const sendMessage = (input: Sent) =>
			failures-- > 0 ? problem(code, retryAfterSeconds ? { retryAfterSeconds } : {}) : server.sendMessage(input)
		const device = await openDevice(t, { sendMessage })
		const tab = await device.openTab()
		await tab.add(say('first'))
		await tab.add(say('second'))
		await tab.start(here)
		await device.settled()
		assert.deepEqual(device.texts(), ['first', 'first', 'first', 'second'])
	})
}

test('[W13] a refused command says why, the later ones go, and it can be sent again or taken back', async (t) => {
	const server = storing()
	let closed = true
	const sendMessage = (input: Sent) => (closed && input.text !== 'fine' ? problem('discussion_closed') : server.sendMessage(input))
	const device = await openDevice(t, { sendMessage })
	const tab = await device.openTab()
	await tab.start(here)
	await tab.add(say('too late'))
	await tab.add(say('never mind'))
	await tab.add(say('fine'))
	await until('the last one is stored', () => server.stored.size === 1)
	await device.settled()
	await until('two are refused', () => tab.rows().length === 2)
	const [late, mind] = tab.rows() as [Row, Row]
	assert.deepEqual([late.state, late.problem?.code], ['refused', 'discussion_closed'])
	assert.equal(await tab.takeBack(mind.number), 'never mind')
	assert.equal(await tab.takeBack(mind.number), null)
	closed = false
	await tab.retry(late.number)
	await device.settled()
	assert.deepEqual([...server.stored.values()], ['fine', 'too late'])
	assert.deepEqual(await device.states(), ['stored', 'stored'])
})

test('[W13] a command on which the server fails again and again does not hold up the others', async (t) => {
	const server = storing()
	const sendMessage = (input: Sent) => (input.text === 'poison' ? problem('internal') : server.sendMessage(input))
	const device = await openDevice(t, { sendMessage })
	const tab = await device.openTab()
	await tab.start(here)
	await tab.add(say('poison'))
	await tab.add(say('fine'))
	await device.settled()
	assert.deepEqual(await device.states(), ['refused', 'stored'])
})

test('[W14] two tabs send a command once, and both see it stored', async (t) => {
	const server = storing()
	const slow = async (input: Sent) => {
		await new Promise((resolve) => setTimeout(resolve, 3))
		return server.sendMessage(input)
	}
	const device = await openDevice(t, { sendMessage: slow })
	const tabs = [await device.openTab(), await device.openTab()]
	const texts = Array.from({ length: 30 }, (_, n) => `text ${n}`)
	for (const [n, text] of texts.entries()) {
		await tabs[n % 2]?.add(say(text))
		if (n === 10) await Promise.all(tabs.map((tab) => tab.start(here)))
	}
	await until('both tabs see nothing wait', () => tabs.every((tab) => tab.rows().length === 0))
	assert.deepEqual(device.texts(), texts)
})

test('[W14] a tab that died while it was sending is followed by another', async (t) => {
	const server = storing()
	const script: Script = { sendMessage: () => new Promise(() => {}) }
	const device = await openDevice(t, script)
	const dying = await device.openTab()
	await dying.start(here)
	await dying.add(say('still there'))
	await until('it was sent', () => device.texts().length === 1)
	await dying.close()
	await device.leaveLease()
	script.sendMessage = server.sendMessage
	const other = await device.openTab()
	await other.start(here)
	await device.settled()
	assert.equal(server.stored.size, 1)
})

test('[W15] a session that the server does not take keeps everything', async (t) => {
	const server = storing()
	let signedIn = false
	const device = await openDevice(t, { sendMessage: (input) => (signedIn ? server.sendMessage(input) : problem('not_signed_in')) })
	const tab = await device.openTab()
	await tab.start(here)
	await tab.add(say('kept'))
	await until('the refusal was told', () => tab.refusedSessions() === 1)
	await tab.add(say('kept too'))
	assert.deepEqual(await device.states(), ['waiting', 'waiting'])
	assert.equal(device.texts().length, 1)
	signedIn = true
	await tab.start(here)
	await device.settled()
	assert.deepEqual([...server.stored.values()], ['kept', 'kept too'])
})

test('[W16] a stored command is held until released in its own journal, and 30 days at most', async (t) => {
	const device = await openDevice(t, storing())
	const tab = await device.openTab()
	await tab.start(here)
	for (const text of ['one', 'two', 'three']) await tab.add(say(text))
	await device.settled()
	const [one] = await device.rows()
	await tab.release(`${there}:999`)
	assert.equal((await device.rows()).length, 3)
	await tab.release(`${here}:${one?.seq}`)
	assert.deepEqual(
		(await device.rows()).map((row) => row.command === 'sendMessage' && row.input.text),
		['two', 'three'],
	)
	await tab.close()
	const days = 24 * 60 * 60 * 1000
	t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 31 * days })
	const late = await device.openTab()
	await late.add(say('waits for the network'))
	await late.close()
	t.mock.timers.setTime(Date.now() + 31 * days)
	await device.openTab()
	assert.deepEqual(await device.states(), ['waiting'], 'what was never stored is never given up')
})

/** Answers every offered command with `result`, and remembers the batches. */
function returning(result: (command: { command: string; input: Sent }) => Output<'offerAgain'>['results'][number]) {
	const batches: { command: string; input: Sent; receipt?: object }[][] = []
	const offerAgain = ({ commands }: { commands: (typeof batches)[number] }) => {
		batches.push(commands)
		return { results: commands.map(result) }
	}
	return { batches, offerAgain }
}
const doneThere = () => ({ outcome: 'done' as const, cursor: `${there}:7` })

test('[W17] in another journal all that is not released is offered again, in order, in batches that fit', async (t) => {
	const back = returning(doneThere)
	const device = await openDevice(t, { ...storing(), ...back })
	const tab = await device.openTab()
	await tab.start(here)
	const texts = Array.from({ length: 70 }, (_, n) => (n < 60 ? `short ${n}` : `${n} ${'\u{1F600}'.repeat(4_990)}`))
	for (const text of texts) await tab.add(say(text))
	await device.settled()
	tab.stop()
	await tab.add(say('written while the server was away'))
	await tab.start(there)
	await device.settled()
	assert.deepEqual(
		back.batches.flat().map(({ input }) => input.text),
		[...texts, 'written while the server was away'],
	)
	for (const batch of back.batches) assert.ok(batch.length <= 50 && Buffer.byteLength(JSON.stringify(batch)) < 256 * 1024)
	assert.ok(back.batches.flat().every((command, n) => n === 70 || command.receipt))
	assert.equal(device.texts().length, 70, 'none goes the ordinary way')
	// They belong to the new journal now.
	assert.ok((await device.rows()).every((row) => row.lineage === there && row.state === 'stored'))
	await tab.start(there)
	assert.equal(back.batches.flat().length, 71)
})

test('[W18] what was seen removed is not offered again, but its removal is', async (t) => {
	const nowhere = new Set<string>()
	const back = returning(({ input }) => (nowhere.has(input.id) ? { outcome: 'waiting' } : doneThere()))
	const done = (input: { id: string }) => ({ message: messageOf(input.id, { rev: 9 }), cursor: `${here}:9` })
	const device = await openDevice(t, { ...storing(), ...back, setRemoved: done, editMessage: done })
	const tab = await device.openTab()
	await tab.start(here)
	const [stays, mine, theirs, putBack] = [say('stays'), say('removed by me'), say('removed by the lecturer'), say('put back')]
	const other = makeId(clock)
	const again = makeId(clock)
	for (const said of [stays, mine, theirs, putBack, edit(theirs.input.id, 'edited'), remove(mine.input.id), remove(other), remove(again)]) {
		await tab.add(said)
	}
	await device.settled()
	nowhere.add(mine.input.id)
	const removed = { at: '', by: 'x' }
	await tab.noteMessages([
		messageOf(mine.input.id, { rev: 9, removed }),
		messageOf(theirs.input.id, { rev: 12, removed }),
		messageOf(putBack.input.id, { rev: 12, removed }),
		messageOf(other, { rev: 9, removed }),
		messageOf(again, { rev: 12 }),
	])
	await tab.noteMessages([messageOf(putBack.input.id, { rev: 13 }), messageOf(other, { rev: 3 })])
	await tab.start(there)
	await device.settled()
	assert.deepEqual(
		back.batches.flat().map(({ command, input }) => [command, input.text ?? input.id]),
		[
			['sendMessage', 'stays'],
			['sendMessage', 'put back'],
			['setRemoved', mine.input.id],
			['setRemoved', other],
		],
	)
})

test('[W19] what the new journal does not know yet waits for it, and what refers to it waits too', async (t) => {
	const missing = new Set([discussion])
	const back = returning(({ input }) => (missing.has(input.discussion) ? { outcome: 'waiting' } : doneThere()))
	const server = storing()
	const device = await openDevice(t, { ...server, ...back })
	const tab = await device.openTab()
	await tab.start(here)
	const first = say('into a discussion that is not there yet')
	await tab.add(first)
	await device.settled()
	await tab.start(there)
	await until('it was offered', () => back.batches.length === 1)
	const elsewhere = makeId(clock)
	await tab.add(say('a reply to it', { replyTo: first.input.id }))
	await tab.add(say('to another discussion', { discussion: elsewhere }))
	await until('the other one went', () => server.stored.size === 2)
	assert.deepEqual(await device.states(), ['waiting', 'waiting', 'stored'])
	// The next connection asks again; so does the discussion, when it comes.
	await tab.start(there)
	const offersOf = (id: string) => back.batches.filter((batch) => batch.some(({ input }) => input.id === id)).length
	await until('it was offered again', () => offersOf(first.input.id) === 2)
	missing.clear()
	tab.noteBorn(new Set([elsewhere]))
	tab.noteBorn(new Set([discussion]))
	await device.settled()
	assert.equal(offersOf(first.input.id), 3)
	assert.deepEqual([...server.stored.values()].at(-1), 'a reply to it')
})

test('[W19] what is refused on its return is kept and says why', async (t) => {
	const back = returning(() => ({ outcome: 'refused', problem: problem('discussion_closed') }))
	const device = await openDevice(t, { ...storing(), ...back })
	const tab = await device.openTab()
	await tab.start(here)
	await tab.add(say('without a place to return to'))
	await device.settled()
	await tab.start(there)
	await until('it was refused', () => tab.rows().some((row) => row.problem?.code === 'discussion_closed'))
	assert.equal(await tab.takeBack(tab.rows()[0]?.number as number), 'without a place to return to')
})

test('[W20] an id from the future is made anew by the server’s clock, in later commands too', async (t) => {
	const server = storing()
	const wrong = createClock(24 * 60 * 60 * 1000, () => {})
	const late = (input: Sent) => Number.parseInt(input.id.slice(0, 8), 16) * 1000 > Date.now() + 60_000
	const script: Script = {
		me: () => ({ me: {}, now: new Date().toISOString(), cursor: `${here}:1`, kept: null, released: null }),
		sendMessage: (input) => (late(input) ? problem('id_in_future') : server.sendMessage(input)),
	}
	const device = await openDevice(t, script)
	const tab = await device.openTab()
	const first = say('from tomorrow', { id: makeId(wrong) })
	await tab.add(first)
	await tab.add(say('a reply to it', { replyTo: first.input.id }))
	await tab.start(here)
	await device.settled()
	const [one, two] = await device.rows()
	assert.notEqual(one?.target, first.input.id)
	assert.equal(two?.command === 'sendMessage' && two.input.replyTo, one?.target)
	assert.deepEqual([...server.stored.values()], ['from tomorrow', 'a reply to it'])
})
