/**
 * The overview through the front door: what is hers, what is unread, how far she read, and who takes part.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Output } from '../../protocol/api.ts'
import type { Discussion, Message } from '../../protocol/model.ts'
import { openClass, type Somebody } from '../support/class.ts'
import { codeOf, newId } from '../support/client.ts'
import { type Server, startServer, testing } from '../support/server.ts'

type Overview = Output<'listDiscussions'>

const many = { ...testing.rates, reads: { burst: 100_000, perMinute: 100_000 } }

/** Asserts that something writes exactly so many entries. */
async function writes(server: Server, entries: number, work: () => Promise<unknown>): Promise<void> {
	const { seq } = server.store.head
	await work()
	assert.equal(server.store.head.seq - seq, entries)
}

async function overviewOf(client: Somebody, limit = 50): Promise<Overview> {
	const all = await client.call('listDiscussions', { limit })
	while (all.next !== null) {
		const page: Overview = await client.call('listDiscussions', { limit, after: all.next })
		all.discussions.push(...page.discussions)
		all.latest.push(...page.latest)
		all.reads.push(...page.reads)
		Object.assign(all.totals, page.totals)
		Object.assign(all.unread, page.unread)
		all.next = page.next
	}
	return all
}

/** Everything that the reader sees of a discussion, oldest first. */
async function messagesOf(client: Somebody, id: string): Promise<Message[]> {
	const messages: Message[] = []
	let before: string | null = null
	do {
		const page: Output<'listMessages'> = await client.call('listMessages', { id, limit: 100, ...(before !== null && { before }) })
		messages.unshift(...page.messages)
		before = page.older
	} while (before !== null)
	return messages
}

/** What the overview must say, counted over the pages of every discussion. */
async function counted(client: Somebody, { discussions, reads }: Overview) {
	const found: Record<string, unknown> = {}
	for (const { id } of discussions) {
		const messages = await messagesOf(client, id)
		const upTo = reads.find(({ discussion }) => discussion === id)?.upTo ?? 0
		const isUnread = ({ author, removed, seq }: Message) => author !== client.me.id && removed === null && seq > upTo
		found[id] = {
			totals: { messages: messages.length, removed: messages.filter(({ removed }) => removed).length },
			unread: messages.filter(isUnread).length,
			latest: messages.at(-1) ?? null,
		}
	}
	return found
}

async function assertCounted(client: Somebody, limit?: number): Promise<void> {
	const overview = await overviewOf(client, limit)
	const shown = overview.discussions.map(({ id }) => {
		const latest = overview.latest.find(({ discussion }) => discussion === id) ?? null
		return [id, { totals: overview.totals[id], unread: overview.unread[id], latest }]
	})
	assert.deepEqual(Object.fromEntries(shown), await counted(client, overview), client.me.name)
}

test('[C9] the overview shows everybody what is hers, newest first, each once over pages, with its newest message in her form', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, red, discussion, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	const green = await colleague.createGroup('Green')
	await school.join(green, student, colleague)
	const started: Discussion[] = [discussion]
	for (let i = 0; i < 7; i++) started.push(await lecturer.startDiscussion(`Both ${i}`, i % 2 ? [blue, red] : [red]))
	const theirs = await colleague.startDiscussion('Green', [green])
	await colleague.call('editDiscussion', { id: theirs.id, collaborators: [lecturer.me.id] })
	const both = started[2]!
	const first = await student.send(both, 'to blue')
	await other.send(both, 'to red')
	await student.call('setRemoved', { id: first.id, removed: true })

	const titles = async (client: Somebody, limit: number) => (await overviewOf(client, limit)).discussions.map(({ title }) => title)
	const all = ['Green', 'Both 6', 'Both 5', 'Both 4', 'Both 3', 'Both 2', 'Both 1', 'Both 0', 'Weekend']
	for (const limit of [1, 2, 3, 50]) {
		assert.deepEqual(await titles(lecturer, limit), all)
		assert.deepEqual(await titles(student, limit), ['Green', 'Both 5', 'Both 3', 'Both 1', 'Weekend'])
		assert.deepEqual(await titles(other, limit), all.slice(1, 8))
		assert.deepEqual(await titles(colleague, limit), ['Green'])
		for (const client of [lecturer, student, other]) await assertCounted(client, limit)
	}
	const latest = async (client: Somebody) => {
		const { latest, users } = await overviewOf(client)
		const [message] = latest.filter((one) => one.discussion === both.id)
		assert.ok(users.some(({ id }) => id === message!.author) && users.some(({ id }) => id === both.createdBy))
		return message!.text
	}
	assert.deepEqual([await latest(student), await latest(other), await latest(lecturer)], ['to blue', 'to red', 'to red'])
	// What she wrote herself stays her newest message when her group is another.
	await student.send(both, 'mine')
	await school.leave(blue, student, lecturer)
	await school.join(red, student, lecturer)
	assert.equal(await latest(student), 'mine')
	await assertCounted(student)
	assert.ok((await overviewOf(student)).users.every((card) => !('number' in card)))
	assert.equal(await codeOf(student.call('listDiscussions', { after: 'nowhere' })), 'invalid_input')
})

test('[C10] what is unread equals a count over the pages, whatever is sent, removed, read and moved', async (t) => {
	const server = await startServer(t, { rates: many })
	const { lecturer, student, other, blue, red, discussion, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const people = [student, other, lecturer, colleague]
	const sent: Message[] = []
	let seed = 1 + Math.floor(Math.random() * 2_000_000_000)
	t.diagnostic(`seed ${seed}`)
	const pick = (n: number) => {
		seed = (seed * 48_271) % 2_147_483_647
		return seed % n
	}
	const sorts = [[blue.id], [red.id], [blue.id, red.id]]
	const step = async () => {
		const somebody = people[pick(4)]!
		const topic = [discussion, both][pick(2)]!
		const message = sent[pick(sent.length || 1)]
		switch (pick(10)) {
			case 0:
			case 1:
				if (message) await somebody.call('setRemoved', { id: message.id, removed: pick(2) === 0 })
				return
			case 2:
				return school.join([blue, red][pick(2)]!, [student, other][pick(2)]!, lecturer)
			case 3:
				return school.leave([blue, red][pick(2)]!, [student, other][pick(2)]!, lecturer)
			case 4:
				return lecturer.call('editDiscussion', {
					id: topic.id,
					groups: sorts[pick(3)]!,
					collaborators: pick(2) ? [colleague.me.id] : [],
					removed: pick(5) === 0,
				})
			case 5:
			case 6:
				return somebody.call('setRead', { id: topic.id, upTo: message?.seq ?? 1 })
			default:
				sent.push(await somebody.send(topic, 'x', pick(2) ? {} : { group: [null, blue.id, red.id][pick(3)]! }))
		}
	}
	for (let round = 0; round < 15; round++) {
		await lecturer.call('editDiscussion', { id: both.id, removed: false, ...(round % 3 === 0 && { groups: sorts[2]! }) })
		sent.push(await lecturer.send(both, 'for all'))
		for (let i = 0; i < 12; i++) await step().catch(() => {})
		for (const client of people) await assertCounted(client, 1 + (round % 2))
	}
	assert.ok(sent.length > 20)
	assert.deepEqual(server.trouble, [])
})

test('[C11] a read position moves forward only, never beyond what she sees, and writes nothing where it does not move', async (t) => {
	const server = await startServer(t, { rates: { ...testing.rates, reads: { burst: 20, perMinute: 1 } } })
	const { lecturer, student, other, blue, red } = await openClass(server)
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const { id } = both
	const read = (client: Somebody, upTo: number) => client.call('setRead', { id, upTo })
	assert.equal((await read(student, 0)).read.upTo, 0)
	const [first, second] = [await lecturer.send(both, 'one'), await lecturer.send(both, 'two')]
	const hidden = await other.send(both, 'for red')
	assert.equal((await overviewOf(student)).unread[id], 2)
	const one = await read(student, first.seq)
	assert.deepEqual([one.read.upTo, one.unread], [first.seq, 1])
	await writes(server, 0, async () => {
		for (const upTo of [first.seq, first.seq - 1, 0]) assert.deepEqual((await read(student, upTo)).read, one.read)
	})
	const all = await read(student, 1_000_000_000)
	assert.equal(all.read.upTo, second.seq, 'not even the place of a message for others is told')
	assert.deepEqual([all.unread, all.read.id], [0, one.read.id])
	await writes(server, 0, () => read(student, hidden.seq))
	await lecturer.send(both, 'three')
	const overview = await overviewOf(student)
	assert.equal(overview.unread[id], 1)
	assert.deepEqual(overview.reads, [all.read])
	assert.deepEqual((await overviewOf(other)).reads, [])
	// Two devices at once.
	const [a, b] = await Promise.all([read(other, first.seq), read(other, second.seq)])
	assert.equal(a.read.id, b.read.id)
	assert.equal((await overviewOf(other)).reads[0]!.upTo, second.seq)
	assert.equal(await codeOf(student.call('setRead', { id: newId(), upTo: 1 })), 'not_found')
	assert.equal(await codeOf(student.call('setRead', { id, upTo: -1 })), 'invalid_input')
	assert.equal(await codeOf(student.call('setRead', { id, upTo: 1.5 })), 'invalid_input')
	const codes = new Set<string>()
	for (let i = 0; i < 30; i++) codes.add(await codeOf(read(student, 1)))
	assert.deepEqual([...codes], ['done', 'rate_limited'])
})

test('[C12] an overview that did not change is not sent again; whatever changes in it sends it', async (t) => {
	const server = await startServer(t)
	const { lecturer, admin, student, other, blue, red, discussion, school } = await openClass(server)
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const colleague = await school.enter('Carl', 'lecturer')
	const green = await colleague.createGroup('Green')
	let etag = ''
	const asked = async (client = student) => {
		const response = await client.fetch('/api/discussions?limit=20', { headers: { 'if-none-match': etag } })
		const body = response.status === 304 ? null : ((await response.json()) as Overview)
		etag = response.headers.get('etag')!
		if (body) {
			const { cursor: _, ...fresh } = await client.call('listDiscussions', { limit: 20 })
			const { cursor: __, ...shown } = body
			assert.deepEqual(shown, fresh)
		}
		return response.status
	}
	// Once it is counted.
	await asked()
	await asked()
	const message = await lecturer.send(discussion, 'Hello')
	const changes: [string, () => Promise<unknown>][] = [
		['a message', () => lecturer.send(both, 'Hello', { group: blue.id })],
		['an edit', () => lecturer.call('editMessage', { id: message.id, edit: newId(), text: 'Hi' })],
		['a removal', () => lecturer.call('setRemoved', { id: message.id, removed: true })],
		['a read', () => student.call('setRead', { id: both.id, upTo: server.store.head.seq })],
		['a title', () => lecturer.call('editDiscussion', { id: both.id, title: 'Together' })],
		['a removed discussion', () => lecturer.call('editDiscussion', { id: both.id, removed: true })],
		['put back', () => lecturer.call('editDiscussion', { id: both.id, removed: false })],
		['a new discussion', () => lecturer.startDiscussion('New', [blue])],
		['a group gained', () => school.join(red, student, lecturer)],
		['a group lost', () => school.leave(red, student, lecturer)],
		['regrouped', () => lecturer.call('editDiscussion', { id: discussion.id, groups: [red.id] })],
		['back again', () => lecturer.call('editDiscussion', { id: discussion.id, groups: [blue.id] })],
		['a lecturer more', () => lecturer.call('editDiscussion', { id: both.id, collaborators: [colleague.me.id] })],
	]
	await asked()
	for (const [what, change] of changes) {
		assert.equal(await asked(), 304, `before ${what}`)
		await change()
		assert.equal(await asked(), 200, what)
	}
	// What others have of their own is no news.
	assert.equal(await asked(), 304)
	await other.call('setRead', { id: both.id, upTo: server.store.head.seq })
	await admin.call('createCategory', { id: newId(), name: 'Talk' })
	await colleague.call('editGroup', { id: green.id, name: 'Lime' })
	assert.equal(await asked(), 304)
	assert.equal(await asked(other), 200, 'another reader')
})

test('[C13] participants are the lecturers, then the members of the reader’s groups in it, by name, each once, approved', async (t) => {
	const server = await startServer(t)
	const { lecturer, admin, student, other, blue, red, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	const onlooker = await school.enter('Olga', 'lecturer', [blue], lecturer)
	const [zoe, emil] = [await school.enter('zoë', 'student', [blue, red], lecturer), await school.enter('Émil', 'student', [blue], lecturer)]
	const gone = await school.enter('Gone', 'student', [blue], lecturer)
	await admin.call('setStatus', { id: gone.me.id, status: 'deactivated' })
	const both = await lecturer.startDiscussion('Both', [blue, red])
	await lecturer.call('editDiscussion', { id: both.id, collaborators: [colleague.me.id] })
	const listed = async (client: Somebody, limit: number) => {
		const names: string[] = []
		let after: string | undefined
		for (;;) {
			const page = await client.call('listParticipants', { id: both.id, limit, ...(after !== undefined && { after }) })
			names.push(...page.users.map(({ name }) => name))
			assert.ok(page.users.every((card) => 'number' in card === (client.me.role !== 'student') && !('email' in card)))
			if (page.next === null) {
				assert.equal(page.total, names.length)
				return names
			}
			after = page.next
		}
	}
	const leaders = ['Carl', 'Lena Lecturer']
	for (const limit of [1, 2, 3, 100]) {
		assert.deepEqual(await listed(student, limit), [...leaders, 'Émil', 'Sari Student', 'zoë'])
		assert.deepEqual(await listed(other, limit), [...leaders, 'Otto Other', 'zoë'])
		assert.deepEqual(await listed(zoe, limit), [...leaders, 'Émil', 'Otto Other', 'Sari Student', 'zoë'])
		assert.deepEqual(await listed(lecturer, limit), await listed(zoe, limit))
	}
	assert.equal(await codeOf(onlooker.call('listParticipants', { id: both.id })), 'not_found')
	for (const after of ['x', '1.x', `2.${emil.me.id}`, `1.${newId()}`]) {
		assert.equal(await codeOf(student.call('listParticipants', { id: both.id, after })), 'invalid_input')
	}
})
