/**
 * The browser's data layer against the real server: two people talk, and everything that can go
 * wrong on the way does.
 */
import 'fake-indexeddb/auto'
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { StoredRecord } from '../../backend/src/storage/collections.ts'
import { openUserDatabase } from '../../frontend/src/chat/database.ts'
import type { Client, Timeline } from '../../frontend/src/client.ts'
import { createClock } from '../../frontend/src/ids.ts'
import { openClient } from '../../frontend/src/openClient.ts'
import { networkOf, openRoad } from '../support/browsers.ts'
import { Somebody } from '../support/class.ts'
import { until } from '../support/scripted.ts'

const plain = { category: null, tags: [], collaborators: [] }

/** A tab of somebody's browser. */
async function openTab(t: TestContext, somebody: Somebody): Promise<Client> {
	const start = await somebody.call('me', {})
	const client = await openClient({
		...{ network: networkOf(somebody), me: start.me, start, retryMs: 20, clock: createClock(0, () => {}) },
		database: await openUserDatabase(start.me.id),
		onEnded: () => {},
		onSignedOut: async () => {},
	})
	t.after(client.close)
	await online(client)
	return client
}

const online = (client: Client) => until('it is online', () => client.snapshot().connection === 'online')
const texts = (timeline: Timeline) => timeline.items.map(({ message }) => message.text)
const shown = (client: Client, discussion: string) => texts(client.timeline(discussion))
const send = (client: Client, discussion: string, text: string, replyTo: string | null = null) =>
	client.send({ discussion, group: undefined, text, replyTo, files: [] })
const shows = (client: Client, discussion: string, expected: string[]) =>
	until(
		`it shows ${expected.join(', ')}`,
		() => client.timeline(discussion).state === 'ready' && `${shown(client, discussion)}` === `${expected}`,
	)
const allStored = (client: Client, discussion: string) =>
	until(
		'all is stored',
		() => client.snapshot().waiting === 0 && client.timeline(discussion).items.every(({ safety }) => safety !== 'device'),
	)

/** A restore ends all sessions: she signs in again. */
async function comeBack(t: TestContext, somebody: Somebody, client: Client): Promise<Client> {
	await until('her session has ended', () => client.snapshot().connection === 'ended')
	client.close()
	await somebody.signIn(somebody.me.email as string)
	return openTab(t, somebody)
}

/** From now on: no message of the timeline is ever there twice, or gone again. */
function watch(t: TestContext, client: Client, discussion: string) {
	let before = new Set<string>()
	const problems: string[] = []
	const look = () => {
		const ids = client.timeline(discussion).items.map(({ id }) => id)
		const now = new Set(ids)
		if (now.size < ids.length) problems.push(`twice: ${ids}`)
		for (const id of before) if (!now.has(id)) problems.push(`gone: ${id}`)
		before = now
	}
	client.subscribe(look)
	t.after(() => assert.deepEqual(problems, []))
}

/** What the client shows is what somebody gets who opens it anew. */
async function sameAsFetched(t: TestContext, somebody: Somebody, client: Client, discussion: string) {
	const fresh = await openTab(t, somebody)
	await until('it is loaded', () => fresh.timeline(discussion).state === 'ready')
	const view = (one: Client) => one.timeline(discussion).items.map(({ message }) => message)
	await until('it shows what a fetch gives', () => JSON.stringify(view(client)) === JSON.stringify(view(fresh)))
	fresh.close()
}

/** A lecturer and a student, with a discussion for both groups open. */
async function openTalk(t: TestContext) {
	const road = await openRoad(t)
	const lecturer = await openTab(t, road.lecturer)
	const student = await openTab(t, road.student)
	const discussion = await lecturer.startDiscussion({
		title: 'Food',
		prompt: 'What do you eat?',
		groups: [road.blue.id, road.red.id],
		...plain,
	})
	await until('she sees the discussion', () => student.snapshot().discussions.some((one) => one.discussion.id === discussion))
	for (const client of [lecturer, student]) await until('it is open', () => client.timeline(discussion).state === 'ready')
	return { road, lecturer, student, discussion }
}

test('[W23] two people talk, edit, remove and put back, and events give what a fetch gives', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	for (const client of [lecturer, student]) watch(t, client, discussion)
	assert.deepEqual(student.timeline(discussion).mayWriteTo, [road.blue.id])
	assert.deepEqual(lecturer.timeline(discussion).mayWriteTo, [null, road.blue.id, road.red.id])
	await lecturer.send({ discussion, group: null, text: 'Hello all', replyTo: null, files: [] })
	await shows(student, discussion, ['Hello all'])
	await send(student, discussion, 'Hello teacher', student.timeline(discussion).items[0]?.id)
	assert.equal(student.timeline(discussion).items.at(-1)?.safety, 'device')
	await shows(lecturer, discussion, ['Hello all', 'Hello teacher'])
	await allStored(student, discussion)
	const mine = student.timeline(discussion).items[1]
	assert.deepEqual([mine?.safety, mine?.quoted?.text], ['stored', 'Hello all'])
	assert.ok(mine?.storedAt)
	await student.edit(mine.id, 'Hello, teacher!')
	assert.deepEqual(shown(student, discussion), ['Hello all', 'Hello, teacher!'])
	await shows(lecturer, discussion, ['Hello all', 'Hello, teacher!'])
	await lecturer.setRemoved(mine.id, true)
	await until('it is removed', () => student.timeline(discussion).items[1]?.message.removed)
	await lecturer.setRemoved(mine.id, false)
	await until('it is back', () => student.timeline(discussion).items[1]?.message.text === 'Hello, teacher!')
	await until('the name is known', () => student.snapshot().people.get(lecturer.snapshot().me.id)?.name === 'Lena Lecturer')
	await sameAsFetched(t, road.student, student, discussion)
	await sameAsFetched(t, road.lecturer, lecturer, discussion)
})

test('[W10] what is written offline shows at once, and is sent once, later, in order', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	watch(t, student, discussion)
	road.proxy.lead(null)
	await until('it is offline', () => student.snapshot().connection === 'offline')
	for (const text of ['one', 'two', 'three']) await send(student, discussion, text)
	assert.deepEqual(shown(student, discussion), ['one', 'two', 'three'])
	assert.equal(student.snapshot().waiting, 3)
	// Another visit, still offline: it is all there.
	await road.kill()
	await road.start()
	await shows(lecturer, discussion, ['one', 'two', 'three'])
	await allStored(student, discussion)
	await sameAsFetched(t, road.student, student, discussion)
})

test('[W11] an answer lost after the commit shows one message, stored', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	watch(t, student, discussion)
	const lost = road.proxy.loseAnswerTo('POST /api/messages')
	await send(student, discussion, 'once')
	await lost
	await allStored(student, discussion)
	await shows(student, discussion, ['once'])
	await shows(lecturer, discussion, ['once'])
	const id = student.timeline(discussion).items[0]?.id as string
	const again = road.proxy.loseAnswerTo(`PATCH /api/messages/${id}`)
	await student.edit(id, 'once, edited')
	await again
	await send(student, discussion, 'and another')
	await allStored(student, discussion)
	await until('the edit is settled', () => student.timeline(discussion).items[0]?.safety === 'stored')
	assert.equal(student.timeline(discussion).items[0]?.message.edits, 1)
	await sameAsFetched(t, road.student, student, discussion)
})

test('[W24] a server that dies again and again while two people write loses and doubles nothing', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	for (const client of [lecturer, student]) watch(t, client, discussion)
	const written: string[] = []
	for (let round = 0; round < 3; round++) {
		for (let n = 0; n < 12; n++) {
			const text = `round ${round} text ${n}`
			written.push(text)
			await (n % 2 ? send(student, discussion, text) : lecturer.send({ discussion, group: null, text, replyTo: null, files: [] }))
			if (n === 6) {
				await road.kill()
				void road.start()
			}
		}
		for (const client of [lecturer, student]) await online(client)
	}
	for (const client of [lecturer, student]) {
		await allStored(client, discussion)
		await until('all is there', () => shown(client, discussion).length === written.length)
		assert.deepEqual(shown(client, discussion).toSorted(), written.toSorted())
	}
	const mine = (who: number) => written.filter((text) => Number(text.split(' ').at(-1)) % 2 === who)
	const order = shown(student, discussion)
	for (const who of [0, 1]) {
		assert.deepEqual(
			order.filter((text) => mine(who).includes(text as string)),
			mine(who),
		)
	}
	await sameAsFetched(t, road.student, student, discussion)
})

test('[W14] two tabs of one browser send a message once, and both show it stored', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	const other = await openTab(t, road.student)
	await until('it is open', () => other.timeline(discussion).state === 'ready')
	for (const client of [student, other]) watch(t, client, discussion)
	road.proxy.lead(null)
	await until('both are offline', () => [student, other].every((client) => client.snapshot().connection === 'offline'))
	const written = Array.from({ length: 10 }, (_, n) => `text ${n}`)
	for (const [n, text] of written.entries()) await send(n % 2 ? student : other, discussion, text)
	await until('both show all that waits', () => [student, other].every((client) => client.snapshot().waiting === 10))
	await road.kill()
	await road.start()
	for (const client of [student, other]) {
		await shows(client, discussion, written)
		await allStored(client, discussion)
	}
	await shows(lecturer, discussion, written)
})

test('[W25] a student moved to another group sees the old one’s messages go and the new one’s come', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	const [first, second] = [road.blue.id, road.red.id]
	const { me } = student.snapshot()
	await send(student, discussion, 'mine')
	await allStored(student, discussion)
	for (const [group, text] of [
		[first, 'to the first'],
		[second, 'to the second'],
		[null, 'to all'],
	] as const) {
		await lecturer.send({ discussion, group, text, replyTo: null, files: [] })
	}
	const only = await lecturer.startDiscussion({ title: 'Only the second', prompt: '', groups: [second], ...plain })
	await shows(student, discussion, ['mine', 'to the first', 'to all'])
	assert.equal(student.timeline(only).state === 'ready', false)
	await road.admin.call('addMember', { id: second, user: me.id })
	await road.admin.call('removeMember', { id: first, user: me.id })
	await shows(student, discussion, ['mine', 'to the second', 'to all'])
	await until('the other discussion is there', () => student.timeline(only).state === 'ready')
	await until('the groups are hers', () => `${student.snapshot().groups.map(({ id }) => id)}` === second)
	student.timeline(discussion)
	await sameAsFetched(t, road.student, student, discussion)
	await road.admin.call('removeMember', { id: second, user: me.id })
	await until('nothing is left', () => student.snapshot().discussions.length === 0 && student.timeline(discussion).state === 'not_found')
	assert.deepEqual(shown(student, discussion), [])
})

test('[W29] somebody who waits for approval gets everything at the moment she is let in', async (t) => {
	const { road, student, lecturer, discussion } = await openTalk(t)
	const newcomer = await new Somebody(road.student.origin).register('Nia New', 'student')
	const client = await openTab(t, newcomer)
	assert.deepEqual([client.snapshot().me.status, client.snapshot().discussionsState], ['pending', 'loading'])
	await road.admin.call('setStatus', { id: newcomer.me.id, status: 'approved' })
	await until('she is let in', () => client.snapshot().me.status === 'approved' && client.snapshot().discussionsState === 'ready')
	await road.lecturer.call('addMember', { id: road.blue.id, user: newcomer.me.id })
	await until('she sees her discussions', () => client.snapshot().discussions.length === 2)
	await send(client, discussion, 'I am new here')
	for (const one of [student, lecturer]) await shows(one, discussion, ['I am new here'])
})

test('[W17] after a restore what people wrote since comes back from their browsers, with its first time', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	await send(student, discussion, 'in the copy')
	await allStored(student, discussion)
	const old = await road.copy()
	for (const client of [lecturer, student]) await online(client)

	const lost = await lecturer.startDiscussion({ title: 'After the copy', prompt: '', groups: [road.blue.id], ...plain })
	await until('she sees it', () => student.snapshot().discussions.length === 3)
	await send(student, lost, 'in a discussion that the copy does not know')
	await allStored(student, lost)
	await until('it is open', () => student.timeline(discussion).state === 'ready')
	const inCopy = student.timeline(discussion).items[0]?.id as string
	await student.edit(inCopy, 'edited after the copy')
	for (const text of ['kept', 'removed by me', 'removed by the lecturer']) await send(student, discussion, text)
	await allStored(student, discussion)
	const idOf = (text: string) => student.timeline(discussion).items.find(({ message }) => message.text === text)?.id as string
	await student.setRemoved(idOf('removed by me'), true)
	await lecturer.setRemoved(idOf('removed by the lecturer'), true)
	await until('both are removed', () => student.timeline(discussion).items.filter(({ message }) => message.removed).length === 2)
	const keptBefore = student.timeline(discussion).items.find(({ id }) => id === idOf('kept'))?.message
	await until('nothing waits', () => student.snapshot().waiting + lecturer.snapshot().waiting === 0)

	await road.replace(old)
	await send(student, discussion, 'written while it was away')
	await road.start()
	// The student comes back before the lecturer, whose discussion she wrote in.
	const sari = await comeBack(t, road.student, student)
	const after = ['edited after the copy', 'kept', 'written while it was away']
	await shows(sari, discussion, after)
	await until('what has no discussion waits', () => sari.snapshot().waiting === 1)
	const lena = await comeBack(t, road.lecturer, lecturer)
	await shows(lena, discussion, after)
	const keptAfter = sari.timeline(discussion).items[1]?.message
	assert.deepEqual([keptAfter?.createdAt, keptAfter?.returned], [keptBefore?.createdAt, true])
	await shows(sari, lost, ['in a discussion that the copy does not know'])
	await until('nothing waits', () => sari.snapshot().waiting === 0)
	sari.timeline(discussion)
	await sameAsFetched(t, road.student, sari, discussion)
})

test('[W19] with its receipt a message returns into a discussion closed meanwhile, without one it is refused and says why', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	const old = await road.copy()
	for (const client of [lecturer, student]) await online(client)
	await send(student, discussion, 'with a receipt')
	await allStored(student, discussion)
	const close = (record: StoredRecord) => (record.id === discussion ? { ...record, status: 'closed' } : record)
	await road.replace({ ...old, records: old.records.map(({ collection, record }) => ({ collection, record: close(record) })) })
	await send(student, discussion, 'never stored')
	await road.start()
	const sari = await comeBack(t, road.student, student)
	await until('all is decided', () => sari.snapshot().waiting === 0 && sari.timeline(discussion).items.length === 2)
	const [returned, refused] = sari.timeline(discussion).items
	assert.deepEqual([returned?.message.text, returned?.message.returned, returned?.safety], ['with a receipt', true, 'stored'])
	assert.deepEqual([refused?.message.text, refused?.problem?.code, refused?.safety], ['never stored', 'discussion_closed', 'refused'])
	assert.equal(await sari.takeBack(refused?.command as number), 'never stored')
	await shows(sari, discussion, ['with a receipt'])
	assert.deepEqual(sari.timeline(discussion).mayWriteTo, [])
})

/** The discussion with this many messages of the lecturer's. */
async function openLong(t: TestContext, count: number) {
	const talk = await openTalk(t)
	const { lecturer, student, discussion } = talk
	for (let n = 1; n <= count; n++) await lecturer.send({ discussion, group: null, text: `text ${n}`, replyTo: null, files: [] })
	await allStored(lecturer, discussion)
	await until('she has them all', () => student.timeline(discussion).items.length === count)
	return talk
}
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `text ${from + n}`)
const unread = (client: Client, discussion: string) =>
	client.snapshot().discussions.find((entry) => entry.discussion.id === discussion)?.unread

test('[W61] a timeline goes to a message, the first unread one and the end, and grows both ways', async (t) => {
	const { road, lecturer, student, discussion } = await openLong(t, 130)
	const { message: tenth } = student.timeline(discussion).items[9]!
	student.look(discussion)
	student.markRead(discussion, tenth.seq)
	await until('it is told', () => unread(student, discussion) === 120)
	student.look(null)
	await new Promise((resolve) => setTimeout(resolve, 500))
	const fresh = await openTab(t, road.student)
	await online(fresh)
	const first = await fresh.goTo(discussion, 'unread')
	const view = () => fresh.timeline(discussion)
	assert.deepEqual([view().items.find(({ id }) => id === first)?.message.text, view().readUpTo], ['text 11', tenth.seq])
	assert.deepEqual([view().newer, view().unread], [true, 120])
	await lecturer.send({ discussion, group: null, text: 'text 131', replyTo: null, files: [] })
	await until('it is counted', () => view().unread === 121)
	assert.ok(!shown(fresh, discussion).includes('text 131'))
	while (view().newer) await fresh.loadNewer(discussion)
	while (view().older) await fresh.loadOlder(discussion)
	assert.deepEqual(shown(fresh, discussion), range(1, 131))
	const other = await openTab(t, road.student)
	const found = await other.goTo(discussion, { seq: tenth.seq })
	assert.equal(found, tenth.id)
	assert.equal(other.timeline(discussion).newer, true)
	await other.send({ discussion, group: undefined, text: 'my answer', replyTo: tenth.id, files: [] })
	assert.equal(shown(other, discussion).at(-1), 'my answer')
	await allStored(other, discussion)
	const late = await other.goTo(discussion, { from: other.timeline(discussion).items[0]!.message.createdAt })
	assert.ok(late)
	while (other.timeline(discussion).older) await other.loadOlder(discussion)
	await shows(other, discussion, [...range(1, 131), 'my answer'])
})

test('[W60] what one device reads the other knows, and counts are what the server counts', async (t) => {
	const { road, lecturer, student, discussion } = await openLong(t, 12)
	const phone = await openTab(t, road.student)
	await until('it is counted', () => unread(phone, discussion) === 12)
	student.look(discussion)
	student.markRead(discussion, student.timeline(discussion).items[6]!.message.seq)
	student.look(null)
	await until('the phone knows', () => unread(phone, discussion) === 5)
	await lecturer.setRemoved(lecturer.timeline(discussion).items[10]!.id, true)
	for (const client of [student, phone]) await until('one less', () => unread(client, discussion) === 4)
	const anew = await openTab(t, road.student)
	await until('the server counts so too', () => unread(anew, discussion) === 4)
	assert.equal(unread(lecturer, discussion), 0)
})

test('[W64] who has the discussion open sees who else has', async (t) => {
	const { lecturer, student, discussion } = await openTalk(t)
	for (const client of [lecturer, student]) {
		await online(client)
		client.look(discussion)
	}
	const names = (client: Client) => client.timeline(discussion).here.map(({ name }) => name)
	await until('each sees the other', () => names(student).length === 1 && names(lecturer).length === 1)
	assert.deepEqual(names(student), [lecturer.snapshot().me.name])
	student.look(null)
	await until('she is alone', () => names(lecturer).length === 0)
})

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
const picture = (name: string) => ({ bytes: new Blob([png], { type: 'image/png' }), name, width: 1, height: 1 })

test('[W66] files picked offline go with their message when the server is back, whatever answer is lost', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	watch(t, student, discussion)
	road.proxy.lead(null)
	await until('it is offline', () => student.snapshot().connection === 'offline')
	const words = { bytes: new Blob(['some words'], { type: 'text/plain' }), name: 'notes.txt', width: null, height: null }
	const staged = [await student.stage(discussion, picture('one.png')), await student.stage(discussion, words)]
	await student.send({ discussion, group: undefined, text: '', replyTo: null, files: staged.map(({ id }) => id) })
	assert.equal(student.timeline(discussion).items.at(-1)?.message.attachments.length, 2)
	await road.kill()
	await road.start()
	const lost = road.proxy.loseAnswerTo(`POST /api/uploads/${staged[0]?.id}`)
	await lost
	await allStored(student, discussion)
	await until('she has it', () => lecturer.timeline(discussion).items.at(-1)?.message.attachments.length === 2)
	const [one, two] = lecturer.timeline(discussion).items.at(-1)!.message.attachments
	assert.deepEqual([one?.id, one?.kind, one?.width, two?.id, two?.name], [staged[0]?.id, 'image', 1, staged[1]?.id, 'notes.txt'])
	const file = await road.lecturer.fetch(`/api/files/${two?.id}`)
	assert.equal(await file.text(), 'some words')
	await sameAsFetched(t, road.student, student, discussion)
})

test('[W66] two tabs send files and their messages once, in order', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	const other = await openTab(t, road.student)
	await until('it is open', () => other.timeline(discussion).state === 'ready')
	road.proxy.lead(null)
	await until('both are offline', () => [student, other].every((client) => client.snapshot().connection === 'offline'))
	const written = Array.from({ length: 6 }, (_, n) => `text ${n}`)
	for (const [n, text] of written.entries()) {
		const client = n % 2 ? student : other
		const { id } = await client.stage(discussion, picture(`${text}.png`))
		await client.send({ discussion, group: undefined, text, replyTo: null, files: [id] })
	}
	await road.kill()
	await road.start()
	await shows(lecturer, discussion, written)
	const names = lecturer.timeline(discussion).items.map(({ message }) => message.attachments.map(({ name }) => name))
	assert.deepEqual(
		names,
		written.map((text) => [`${text}.png`]),
	)
	for (const client of [student, other]) await allStored(client, discussion)
})

test('[W68] after a restore a message comes back with its files', async (t) => {
	const { road, lecturer, student, discussion } = await openTalk(t)
	const old = await road.copy()
	for (const client of [lecturer, student]) await online(client)
	const { id } = await student.stage(discussion, picture('lost.png'))
	await student.send({ discussion, group: undefined, text: 'with a picture', replyTo: null, files: [id] })
	await allStored(student, discussion)
	await road.replace(old)
	await road.start()
	const sari = await comeBack(t, road.student, student)
	await shows(sari, discussion, ['with a picture'])
	await until('nothing waits', () => sari.snapshot().waiting + sari.snapshot().refused === 0)
	assert.equal((await road.student.fetch(`/api/files/${id}`)).status, 200)
	assert.equal(sari.timeline(discussion).items[0]?.message.attachments[0]?.id, id)
})

test('[W69] a picture of mine is everybody’s to see who sees me', async (t) => {
	const { road, student } = await openTalk(t)
	await student.setAvatar(new Blob([png], { type: 'image/png' }))
	await until('it is mine', () => student.snapshot().me.avatar !== null)
	const { avatar } = student.snapshot().me
	await until('she sees it', async () => (await road.lecturer.fetch(`/api/files/${avatar}`)).status === 200)
	await student.setAvatar(null)
	await until('it is gone', () => student.snapshot().me.avatar === null)
})
