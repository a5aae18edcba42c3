/**
 * The commands of a discussion: sending, editing, removing, putting back, and the pages.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../protocol/model.ts'
import { openClass, type Somebody } from '../support/class.ts'
import { codeOf, newId } from '../support/client.ts'
import { startServer } from '../support/server.ts'

const now = () => new Date().toISOString()
const onePixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==', 'base64')
const pageOf = async (client: Somebody, id: string) => (await client.call('listMessages', { id })).messages

test('[M1] a sent message is answered as pages show it, with a receipt, and is in the journal', async (t) => {
	const server = await startServer(t)
	const { student, discussion } = await openClass(server)
	const input = { id: newId(), discussion: discussion.id, text: '  Cafe\u0301\nand tea ', writtenAt: now() }
	const { message, receipt, cursor } = await student.call('sendMessage', input)
	assert.equal(message.text, 'Café\nand tea')
	assert.deepEqual(await pageOf(student, discussion.id), [message])
	assert.deepEqual((await student.call('getMessage', { id: message.id })).message, message)
	assert.equal(receipt.createdAt, message.createdAt)
	assert.equal(cursor, `${server.store.head.lineage}:${message.rev}`)
	const stored = await server.store.get('messages', message.id)
	assert.equal(stored!.author, student.me.id)
})

test('[M2] the same command again gives the current record, whatever is allowed now', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion, blue, school } = await openClass(server)
	const input = { id: newId(), discussion: discussion.id, text: 'Once', writtenAt: now() }
	const answers = await Promise.all([1, 2, 3].map(() => student.call('sendMessage', input)))
	assert.equal(new Set(answers.map(({ message }) => JSON.stringify(message))).size, 1)
	const edit = { id: input.id, edit: newId(), text: 'Twice' }
	const edited = (await student.call('editMessage', edit)).message
	assert.deepEqual((await student.call('editMessage', edit)).message, edited)
	assert.deepEqual((await student.call('sendMessage', input)).message, edited)
	await lecturer.call('setRemoved', { id: input.id, removed: true })
	assert.equal((await student.call('sendMessage', input)).message.text, null)
	await lecturer.call('editDiscussion', { id: discussion.id, status: 'closed' })
	const { seq } = server.store.head
	assert.equal((await student.call('sendMessage', input)).message.edits, 1)
	assert.equal((await student.call('editMessage', edit)).message.edits, 1)
	await school.leave(blue, student, lecturer)
	assert.equal((await student.call('sendMessage', input)).message.edits, 1)
	const start = { id: newId(), title: 'T', prompt: 'P', groups: [blue.id] }
	const started = await lecturer.call('startDiscussion', start)
	await lecturer.call('editDiscussion', { id: start.id, title: 'Changed' })
	assert.equal((await lecturer.call('startDiscussion', start)).discussion.title, 'Changed')
	assert.equal(started.discussion.title, 'T')
	assert.equal((await pageOf(lecturer, discussion.id)).length, 1)
	assert.ok(server.store.head.seq >= seq)
})

test('[M2] an id that belongs to something else is taken, and tells nothing', async (t) => {
	const server = await startServer(t)
	const { student, other, lecturer, discussion, blue } = await openClass(server)
	const input = { id: newId(), discussion: discussion.id, text: 'Mine', writtenAt: now() }
	const message = await student.send(discussion, input.text, { id: input.id })
	for (const [client, change] of [
		[student, { text: 'Other' }],
		[student, { writtenAt: '2020-01-01T00:00:00.000Z' }],
		[lecturer, {}],
		[other, {}],
	] as const) {
		const response = await client.request('sendMessage', { ...input, writtenAt: message.writtenAt, ...change })
		assert.equal(response.status, 409)
		const body = await response.text()
		assert.ok(body.includes('id_taken') && !body.includes('Mine') && !body.includes(student.me.id))
	}
	const edit = newId()
	await student.call('editMessage', { id: message.id, edit, text: 'Edited' })
	const second = await lecturer.send(discussion, 'Hers')
	assert.equal(await codeOf(lecturer.call('editMessage', { id: second.id, edit, text: 'Edited' })), 'id_taken')
	assert.equal(await codeOf(student.call('editMessage', { id: message.id, edit, text: 'Again' })), 'id_taken')
	assert.equal(await codeOf(lecturer.call('createGroup', { id: blue.id, name: 'Other' })), 'id_taken')
	assert.equal(await codeOf(lecturer.call('startDiscussion', { id: discussion.id, title: 'X', prompt: '', groups: [blue.id] })), 'id_taken')
	assert.deepEqual(
		(await pageOf(student, discussion.id)).map(({ text }) => text),
		['Edited', 'Hers'],
	)
})

test('[M3] an id from more than a day ahead is refused', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion, blue } = await openClass(server)
	const ahead = newId(Math.floor(Date.now() / 1000) + 25 * 3600)
	const send = (id: string) => codeOf(student.send(discussion, 'x', { id }))
	assert.equal(await send(ahead), 'id_in_future')
	assert.equal(await send(newId(Math.floor(Date.now() / 1000) + 23 * 3600)), 'done')
	const message = await student.send(discussion, 'x')
	assert.equal(await codeOf(student.call('editMessage', { id: message.id, edit: ahead, text: 'y' })), 'id_in_future')
	assert.equal(await codeOf(lecturer.call('createGroup', { id: ahead, name: 'x' })), 'id_in_future')
	assert.equal(await codeOf(lecturer.call('startDiscussion', { id: ahead, title: 'x', prompt: '', groups: [blue.id] })), 'id_in_future')
})

test('[M4] a message is for one of its writer’s groups; only the lecturer writes to all', async (t) => {
	const server = await startServer(t)
	const { student, other, lecturer, blue, red, school } = await openClass(server)
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const code = (client: Somebody, group?: string | null) => codeOf(client.send(both, 'x', group === undefined ? {} : { group }))
	assert.equal((await student.send(both, 'x')).group, blue.id)
	assert.equal((await lecturer.send(both, 'x')).group, null)
	assert.equal((await lecturer.send(both, 'x', { group: red.id })).group, red.id)
	assert.equal(await code(student, null), 'forbidden')
	assert.equal(await code(student, red.id), 'not_found')
	assert.equal(await code(lecturer, newId()), 'not_found')
	await school.join(red, student, lecturer)
	assert.equal(await code(student), 'group_needed')
	assert.equal((await student.send(both, 'x', { group: red.id })).group, red.id)
	const elsewhere = await lecturer.createGroup('Green')
	await school.join(elsewhere, other, lecturer)
	assert.equal(await code(other, elsewhere.id), 'not_found', 'her group, but not of this discussion')
})

test('[M4] a reply quotes a message that its writer sees in this discussion', async (t) => {
	const server = await startServer(t)
	const { student, other, lecturer, blue, red } = await openClass(server)
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const elsewhere = await lecturer.startDiscussion('Elsewhere', [blue])
	const hidden = await other.send(both, 'for red')
	const foreign = await lecturer.send(elsewhere, 'elsewhere')
	const shown = await lecturer.send(both, 'for all')
	for (const replyTo of [hidden.id, foreign.id, newId()]) {
		assert.equal(await codeOf(student.send(both, 'x', { replyTo })), 'not_found')
	}
	assert.equal((await student.send(both, 'x', { replyTo: shown.id })).replyTo, shown.id)
	await lecturer.send(both, 'to red', { group: null, replyTo: hidden.id })
	const page = await student.call('listMessages', { id: both.id, limit: 1 })
	assert.deepEqual(page.quoted, [], 'a quote that is not for her is not there')
	const hers = await lecturer.call('listMessages', { id: both.id, limit: 1 })
	assert.deepEqual(
		hers.quoted.map(({ id }) => id),
		[hidden.id],
	)
})

test('[M5] an edit keeps the earlier text, for the writer and the lecturer', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion, blue, school } = await openClass(server)
	const classmate = await school.enter('Cleo', 'student', [blue], lecturer)
	const message = await student.send(discussion, 'one')
	for (const text of ['two', 'three']) await student.call('editMessage', { id: message.id, edit: newId(), text })
	const { message: now } = await classmate.call('getMessage', { id: message.id })
	assert.deepEqual([now.text, now.edits, now.seq], ['three', 2, message.seq])
	assert.ok(now.editedAt)
	for (const reader of [student, lecturer]) {
		const { edits } = await reader.call('listEdits', { id: message.id })
		assert.deepEqual(
			edits.map(({ text }) => text),
			['one', 'two'],
		)
	}
	assert.equal(await codeOf(classmate.call('listEdits', { id: message.id })), 'forbidden')
	await lecturer.call('setRemoved', { id: message.id, removed: true })
	assert.equal(await codeOf(student.call('editMessage', { id: message.id, edit: newId(), text: 'x' })), 'message_removed')
	assert.equal(await codeOf(student.call('listEdits', { id: message.id })), 'forbidden', 'not what the lecturer took away')
	assert.equal((await lecturer.call('listEdits', { id: message.id })).edits.length, 2)
})

test('[M6] a removed message comes back by who removed it or the lecturer', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion, blue, school } = await openClass(server)
	const classmate = await school.enter('Cleo', 'student', [blue], lecturer)
	const set = (client: Somebody, { id }: Message, removed: boolean) => codeOf(client.call('setRemoved', { id, removed }))
	const texts = async ({ id }: Message) =>
		Promise.all([student, classmate, lecturer].map(async (client) => (await client.call('getMessage', { id })).message.text))
	const own = await student.send(discussion, 'own')
	assert.equal(await set(classmate, own, true), 'forbidden')
	assert.equal(await set(student, own, true), 'done')
	assert.deepEqual(await texts(own), ['own', null, 'own'])
	const { seq } = server.store.head
	assert.equal(await set(lecturer, own, true), 'done')
	assert.equal(server.store.head.seq, seq, 'it was removed already')
	assert.equal(await set(classmate, own, false), 'forbidden')
	assert.equal(await set(student, own, false), 'done')
	assert.deepEqual(await texts(own), ['own', 'own', 'own'])
	assert.equal(await set(lecturer, own, true), 'done')
	assert.deepEqual(await texts(own), [null, null, 'own'])
	assert.equal(await set(student, own, false), 'forbidden')
	assert.equal(await set(lecturer, own, false), 'done')
	const hers = await lecturer.send(discussion, 'hers')
	assert.equal(await set(student, hers, true), 'forbidden')
})

test('[M7] a closed discussion can be read and not written to', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion } = await openClass(server)
	const [one, gone] = [await student.send(discussion, 'one'), await student.send(discussion, 'gone')]
	await student.call('setRemoved', { id: gone.id, removed: true })
	await lecturer.call('editDiscussion', { id: discussion.id, status: 'closed' })
	for (const client of [student, lecturer]) {
		assert.equal(await codeOf(client.send(discussion, 'x')), 'discussion_closed')
		assert.equal(await codeOf(client.call('setRemoved', { id: one.id, removed: true })), 'discussion_closed')
		assert.equal(await codeOf(client.call('setRemoved', { id: gone.id, removed: false })), 'discussion_closed')
		assert.equal((await pageOf(client, discussion.id)).length, 2)
	}
	assert.equal(await codeOf(student.call('editMessage', { id: one.id, edit: newId(), text: 'x' })), 'discussion_closed')
	await lecturer.call('editDiscussion', { id: discussion.id, status: 'open' })
	assert.equal(await codeOf(student.send(discussion, 'x')), 'done')
})

/** Goes through a discussion page by page, from its newest end or from its beginning. */
async function walk(client: Somebody, id: string, limit: number, direction: 'older' | 'newer'): Promise<string[]> {
	const found: Message[] = []
	let page = await client.call('listMessages', { id, limit, ...(direction === 'newer' && { after: `0.${'0'.repeat(24)}` }) })
	for (;;) {
		found.push(...page.messages)
		const next = page[direction]
		if (next === null) break
		page = await client.call('listMessages', { id, limit, ...(direction === 'older' ? { before: next } : { after: next }) })
	}
	return found.sort((a, b) => a.seq - b.seq).map(({ text }) => text!)
}

test('[M10] pages in both directions show every message of the reader exactly once', async (t) => {
	const server = await startServer(t)
	const { student, other, lecturer, blue, red } = await openClass(server)
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const send = async (count: number) => {
		const writers = [student, other, other, other, lecturer]
		await Promise.all(Array.from({ length: count }, (_, i) => writers[i % writers.length]!.send(both, `${i}`)))
	}
	// Fewer than are kept in memory, then many more.
	for (const count of [15, 300]) {
		await send(count)
		for (const reader of [student, lecturer]) {
			const stored = await server.store.find('messages', 'discussion', [both.id], { limit: 1000 })
			const expected = stored.filter(({ group }) => reader === lecturer || group !== red.id).map(({ text }) => text)
			for (const limit of [7, 100]) {
				for (const direction of ['older', 'newer'] as const) {
					assert.deepEqual(await walk(reader, both.id, limit, direction), expected, `${limit} ${direction}`)
				}
			}
		}
	}
	for (const before of ['x', '1', `1.${'0'.repeat(23)}`, `-1.${'0'.repeat(24)}`]) {
		assert.equal(await codeOf(student.call('listMessages', { id: both.id, before })), 'invalid_input')
	}
})

test('[M10] the newest page, from memory, is what the store holds, after every kind of change', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion, blue, red, school, other } = await openClass(server)
	const classmate = await school.enter('Cleo', 'student', [blue], lecturer)
	const check = async () => {
		for (const client of [student, classmate, lecturer]) {
			const newest = await client.call('listMessages', { id: discussion.id, limit: 10 })
			const last = newest.messages.at(-1)!
			const before = `${last.seq + 1}.${'0'.repeat(24)}`
			const stored = await client.call('listMessages', { id: discussion.id, limit: 10, before })
			assert.deepEqual(newest.messages, stored.messages)
			assert.deepEqual(newest.quoted, stored.quoted)
			assert.deepEqual(newest.users, stored.users)
			assert.equal(newest.older, stored.older)
		}
	}
	const first = await student.send(discussion, 'first')
	await check()
	for (let i = 0; i < 12; i++) await classmate.send(discussion, `${i}`)
	await student.send(discussion, 'reply', { replyTo: first.id })
	await check()
	await student.call('editMessage', { id: first.id, edit: newId(), text: 'edited' })
	await check()
	const gone = await student.send(discussion, 'gone')
	await student.call('setRemoved', { id: gone.id, removed: true })
	await check()
	await lecturer.call('setRemoved', { id: gone.id, removed: false })
	await check()
	await lecturer.call('editDiscussion', { id: discussion.id, groups: [blue.id, red.id] })
	await other.send(discussion, 'from red')
	await check()
	await school.join(red, classmate, lecturer)
	await school.leave(blue, classmate, lecturer)
	await check()
	await lecturer.call('editDiscussion', { id: discussion.id, groups: [red.id] })
	assert.equal(await codeOf(student.call('listMessages', { id: discussion.id })), 'not_found')
	assert.deepEqual(server.trouble, [])
})

test('[M11] a page that did not change is not sent again; any change sends it', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion, blue, school } = await openClass(server)
	const message = await student.send(discussion, 'one')
	const etags = new Map<Somebody, string>()
	const ask = async (client: Somebody) => {
		const headers = { 'if-none-match': etags.get(client) ?? '' }
		const response = await client.fetch(`/api/discussions/${discussion.id}/messages?limit=50`, { headers })
		etags.set(client, response.headers.get('etag')!)
		return response.status
	}
	assert.deepEqual([await ask(student), await ask(student), await ask(student)], [200, 304, 304])
	assert.equal(await ask(lecturer), 200)
	const changes = [
		() => lecturer.send(discussion, 'two'),
		() => student.call('editMessage', { id: message.id, edit: newId(), text: 'edited' }),
		() => lecturer.call('setRemoved', { id: message.id, removed: true }),
		() => lecturer.call('editDiscussion', { id: discussion.id, title: 'Other' }),
		() => school.leave(blue, student, lecturer).then(() => school.join(blue, student, lecturer)),
	]
	for (const change of changes) {
		await change()
		// The listeners hear of a commit a moment after its writer.
		while ((await ask(student)) === 304) await new Promise((resolve) => setImmediate(resolve))
		assert.deepEqual([await ask(student), await ask(student)], [304, 304])
	}
	etags.set(lecturer, etags.get(student)!)
	assert.equal(await ask(lecturer), 200, 'the tag of another reader')
	assert.equal((await student.fetch(`/api/discussions/${discussion.id}/messages`)).headers.get('cache-control'), 'private, no-cache')
})

test('[M20] the list of discussions counts the messages that the reader sees, and names the removed ones', async (t) => {
	const server = await startServer(t)
	const { student, other, lecturer, discussion } = await openClass(server)
	const first = await student.send(discussion, 'One')
	await student.send(discussion, 'Two')
	await lecturer.send(discussion, 'For all', { group: null })
	await student.call('setRemoved', { id: first.id, removed: true })
	for (const client of [student, lecturer, other]) {
		const { discussions, totals } = await client.call('listDiscussions', {})
		for (const { id } of discussions) {
			const seen = await pageOf(client, id)
			assert.deepEqual(totals[id], { messages: seen.length, removed: seen.filter(({ removed }) => removed).length })
		}
	}
	assert.deepEqual((await lecturer.call('listDiscussions', {})).totals[discussion.id], { messages: 3, removed: 1 })
})

test('[M30] a message stands with files of its writer, in her order, and with no words only beside them', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion } = await openClass(server)
	const [one, two] = [await student.upload('one.txt'), await student.upload('two.txt')]
	const message = await student.send(discussion, '', { uploads: [two, one] })
	assert.deepEqual(
		message.attachments.map(({ id, name, kind, type }) => [id, name, kind, type]),
		[
			[two, 'two.txt', 'file', 'text/plain'],
			[one, 'one.txt', 'file', 'text/plain'],
		],
	)
	assert.deepEqual(await pageOf(lecturer, discussion.id), [message])
	assert.equal(await codeOf(student.send(discussion, '')), 'message_empty')
	assert.equal(await codeOf(student.send(discussion, ' \n ')), 'message_empty')
	const edit = (id: string, text: string) => codeOf(student.call('editMessage', { id, edit: newId(), text }))
	assert.equal(await edit(message.id, 'words'), 'done')
	assert.equal(await edit(message.id, ''), 'done')
	const plain = await student.send(discussion, 'words')
	assert.equal(await edit(plain.id, ''), 'message_empty')
	assert.deepEqual((await student.call('getMessage', { id: message.id })).message.attachments, message.attachments)
})

test('[M30] the same message again is known by its files, too', async (t) => {
	const server = await startServer(t)
	const { student, discussion } = await openClass(server)
	const [one, two] = [await student.upload(), await student.upload()]
	const input = { id: newId(), discussion: discussion.id, text: 'See', uploads: [one], writtenAt: new Date().toISOString() }
	const { message } = await student.call('sendMessage', input)
	assert.deepEqual((await student.call('sendMessage', input)).message, message)
	for (const uploads of [[two], [], [one, two]]) assert.equal(await codeOf(student.call('sendMessage', { ...input, uploads })), 'id_taken')
})

test('[M31] a file that is unknown, somebody else’s, a person’s picture or in another message is refused', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion } = await openClass(server)
	const send = (...uploads: string[]) => codeOf(student.send(discussion, 'See', { uploads }))
	const [mine, hers, face] = [await student.upload(), await lecturer.upload(), await student.upload('face.png', onePixel, 'avatar')]
	for (const uploads of [[newId()], [hers], [face], [mine, hers], [mine, mine]]) assert.equal(await send(...uploads), 'upload_unknown')
	assert.equal(await send(mine), 'done')
	assert.equal(await send(mine), 'upload_unknown')
	// Two messages at the same moment.
	const shared = await student.upload()
	const both = await Promise.all([send(shared), send(shared)])
	assert.deepEqual(both.sort(), ['done', 'upload_unknown'])
	const eleven = await Promise.all(Array.from({ length: 11 }, () => student.upload()))
	assert.equal(await send(...eleven), 'invalid_input')
	assert.equal(await send(...eleven.slice(1)), 'done')
})

test('[M32] a removed message shows its files to nobody but those who may put it back', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion, school, blue } = await openClass(server)
	const classmate = await school.enter('Cleo', 'student', [blue], lecturer)
	const { id, attachments } = await student.send(discussion, 'See', { uploads: [await student.upload()] })
	const seen = async () => {
		const counts = []
		for (const client of [student, classmate, lecturer]) {
			const page = (await pageOf(client, discussion.id))[0]!.attachments
			assert.deepEqual((await client.call('getMessage', { id })).message.attachments, page)
			const listed = (await client.call('listFiles', { id: discussion.id })).messages
			assert.deepEqual(
				listed.flatMap((message) => message.attachments),
				page,
			)
			counts.push(page.length)
		}
		return counts
	}
	assert.deepEqual(await seen(), [1, 1, 1])
	await student.call('setRemoved', { id, removed: true })
	assert.deepEqual(await seen(), [1, 0, 1])
	await lecturer.call('setRemoved', { id, removed: false })
	await lecturer.call('setRemoved', { id, removed: true })
	assert.deepEqual(await seen(), [0, 0, 1])
	await lecturer.call('setRemoved', { id, removed: false })
	assert.deepEqual((await pageOf(classmate, discussion.id))[0]!.attachments, attachments)
})
