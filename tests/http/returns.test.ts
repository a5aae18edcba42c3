/**
 * What comes back after a restore: the database is replaced by an older copy, and browsers offer
 * again what they still hold.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { refuseReturns } from '../../backend/src/backup/restore-state.ts'
import { foldersIn } from '../../backend/src/config.ts'
import type { Input, Output, Returned } from '../../protocol/api.ts'
import { openClass, Somebody } from '../support/class.ts'
import { codeOf, newId } from '../support/client.ts'
import { makeFolder, openStoreOf, type Server, startServer } from '../support/server.ts'

type Copy = { seq: number; records: { collection: string; record: never }[] }

async function copyOf({ store }: Server): Promise<Copy> {
	const { seq, records } = await store.exportAt()
	const copy: Copy = { seq, records: [] }
	for await (const record of records) copy.records.push(record as never)
	return copy
}

/** Ends the server, puts the older copy in place of its database, and starts it again. */
async function restore(t: TestContext, server: Server, { seq, records }: Copy): Promise<Server> {
	await server.close()
	const store = await openStoreOf(server.dir)
	await store.replaceAll({
		seq,
		records: (async function* () {
			yield* records
		})(),
	})
	return startServer(t, { dir: server.dir })
}

const back = (server: Server, { me }: Somebody) => new Somebody(server.origin).signIn(me.email!)
const now = () => new Date().toISOString()

type Command<N extends Returned['command']> = Extract<Returned, { command: N }>
type Send = Command<'sendMessage'>

function sending(discussion: string, text: string, more: Partial<Input<'sendMessage'>> = {}): Send['input'] {
	return { id: newId(), discussion, text, writtenAt: now(), ...more }
}

async function sent(client: Somebody, input: Send['input']) {
	const answer = await client.call('sendMessage', input)
	return { ...answer, command: { command: 'sendMessage', input, receipt: answer.receipt } as Send }
}

async function offer(client: Somebody, ...commands: Returned[]): Promise<Output<'offerAgain'>['results']> {
	return (await client.call('offerAgain', { commands })).results
}
const briefly = (results: Output<'offerAgain'>['results']) => results.map(({ outcome, problem }) => problem?.code ?? outcome)

test('[M8] a message with its receipt returns after a restore, also into a closed discussion, with its first time', async (t) => {
	const server = await startServer(t, { dir: makeFolder(t) })
	const { student, lecturer, discussion, blue, school } = await openClass(server)
	const early = await lecturer.startDiscussion('Will be closed', [blue])
	await lecturer.call('editDiscussion', { id: early.id, status: 'closed' })
	const copy = await copyOf(server)
	const { lineage } = server.store.head
	await lecturer.call('editDiscussion', { id: early.id, status: 'open' })

	const first = await sent(student, sending(discussion.id, 'first'))
	const closed = await sent(student, sending(early.id, 'into the closed one'))
	const edited = await sent(student, sending(discussion.id, 'before the edit'))
	const edit = { id: edited.message.id, edit: newId(), text: 'after the edit' }
	await student.call('editMessage', edit)
	const removed = await sent(student, sending(discussion.id, 'removed later'))
	await student.call('setRemoved', { id: removed.message.id, removed: true })
	const answer = await sent(lecturer, sending(discussion.id, 'reply to the first', { replyTo: first.message.id, group: null }))

	const restored = await restore(t, server, copy)
	assert.notEqual(restored.store.head.lineage, lineage)
	assert.equal(await codeOf(new Somebody(restored.origin).call('me', {})), 'not_signed_in')
	student.cookie &&= 'x'
	const again = await back(restored, student)
	const her = await back(restored, lecturer)
	// The lecturer's browser is first: what she replied to is not there yet.
	assert.deepEqual(briefly(await offer(her, answer.command)), ['done'])
	const results = await offer(
		again,
		first.command,
		closed.command,
		edited.command,
		{ command: 'editMessage', input: edit },
		removed.command,
		{ command: 'setRemoved', input: { id: removed.message.id, removed: true } },
	)
	assert.deepEqual(briefly(results), Array(6).fill('done'))
	for (const [i, { message }] of [first, closed, edited].entries()) {
		const returned = results[i]!.message!
		assert.deepEqual([returned.returned, returned.createdAt, returned.text], [true, message.createdAt, message.text])
		assert.equal(results[i]!.receipt!.mac, [first, closed, edited][i]!.receipt.mac, 'and can return once more')
	}
	assert.equal(results[3]!.message!.text, 'after the edit')
	assert.ok(results[5]!.message!.removed)
	const page = (await again.call('listMessages', { id: discussion.id })).messages
	assert.equal(page.length, 4)
	const { seq } = restored.store.head
	assert.deepEqual(briefly(await offer(again, first.command, closed.command)), ['done', 'done'])
	assert.equal(restored.store.head.seq, seq, 'offered twice is stored once')
	assert.ok(school.seq >= 0)
})

test('[M8] a receipt proves for whom the message was, whose it was and what it said', async (t) => {
	const server = await startServer(t, { dir: makeFolder(t) })
	const { student, other, lecturer, blue, red, school } = await openClass(server)
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const copy = await copyOf(server)
	const open = await sent(student, sending(both.id, 'for blue, unsaid'))
	const named = await sent(student, sending(both.id, 'for blue, said', { group: blue.id }))

	const restored = await restore(t, server, copy)
	const her = await back(restored, lecturer)
	// Meanwhile she is in both groups, and the discussion is closed.
	await her.call('addMember', { id: red.id, user: student.me.id })
	await her.call('editDiscussion', { id: both.id, status: 'closed' })
	const again = await back(restored, student)
	const stranger = await back(restored, other)
	const forged = { ...named.receipt, createdAt: '2020-01-01T00:00:00.000Z' }
	assert.deepEqual(briefly(await offer(stranger, named.command)), ['not_found'], 'not her receipt, and not her group')
	const refused = await offer(
		again,
		{ ...named.command, receipt: forged },
		{ ...named.command, input: { ...named.command.input, text: 'other words' } },
		{ ...named.command, input: { ...named.command.input, group: red.id } },
		{ command: 'sendMessage', input: named.command.input },
	)
	assert.deepEqual(briefly(refused), Array(4).fill('discussion_closed'))
	const results = await offer(again, open.command, named.command)
	assert.deepEqual(briefly(results), ['done', 'done'])
	assert.deepEqual(
		results.map(({ message }) => message!.group),
		[blue.id, blue.id],
	)
	assert.ok(school.seq >= 0)
})

test('[M9] without a receipt rights are decided anew; what is not there yet waits; each command stands alone', async (t) => {
	const server = await startServer(t, { dir: makeFolder(t) })
	const { student, lecturer, discussion, blue, red } = await openClass(server)
	const copy = await copyOf(server)
	const start = { id: newId(), title: 'Later', prompt: '', groups: [blue.id] }
	await lecturer.call('startDiscussion', start)
	const later = await sent(student, sending(start.id, 'in the later one'))
	const lost = await sent(lecturer, sending(discussion.id, 'replied to', { group: null }))
	const unsent = sending(discussion.id, 'never arrived')
	const reply = sending(discussion.id, 'a reply', { replyTo: lost.message.id })
	const edit = { id: later.message.id, edit: newId(), text: 'edited' }

	const restored = await restore(t, server, copy)
	const [again, her] = [await back(restored, student), await back(restored, lecturer)]
	const commands: Returned[] = [
		later.command,
		{ command: 'editMessage', input: edit },
		{ command: 'sendMessage', input: sending(newId(), 'nowhere') },
		{ command: 'sendMessage', input: sending(discussion.id, 'for others', { group: red.id }) },
		{ command: 'sendMessage', input: reply },
		{ command: 'sendMessage', input: unsent },
		{ command: 'startDiscussion', input: { ...start, id: newId() } },
	]
	assert.deepEqual(briefly(await offer(again, ...commands)), ['waiting', 'waiting', 'waiting', 'not_found', 'waiting', 'done', 'forbidden'])
	assert.deepEqual(briefly(await offer(her, { command: 'startDiscussion', input: start }, lost.command)), ['done', 'done'])
	const results = await offer(again, later.command, { command: 'editMessage', input: edit }, { command: 'sendMessage', input: reply })
	assert.deepEqual(briefly(results), ['done', 'done', 'done'])
	assert.deepEqual([results[0]!.message!.returned, results[2]!.message!.returned], [true, false])
	const { messages } = await again.call('listMessages', { id: discussion.id })
	assert.equal(messages.find(({ text }) => text === 'never arrived')!.returned, false)
	await her.call('editDiscussion', { id: discussion.id, status: 'closed' })
	assert.deepEqual(briefly(await offer(again, { command: 'sendMessage', input: sending(discussion.id, 'too late') })), [
		'discussion_closed',
	])
})

test('[M33] after a restore a message waits until its files have been sent again, and returns with them', async (t) => {
	const server = await startServer(t, { dir: makeFolder(t) })
	const { student, lecturer, discussion } = await openClass(server)
	const kept = await student.upload('kept.txt')
	const copy = await copyOf(server)
	const lost = await student.upload('lost.txt')
	const message = await sent(student, sending(discussion.id, 'with files', { uploads: [lost, kept] }))
	const alone = await sent(student, sending(discussion.id, '', { uploads: [await student.upload('alone.txt')] }))

	const restored = await restore(t, server, copy)
	const [again, her] = [await back(restored, student), await back(restored, lecturer)]
	await her.call('editDiscussion', { id: discussion.id, status: 'closed' })
	assert.deepEqual(briefly(await offer(again, message.command, alone.command)), ['waiting', 'waiting'])
	await again.call('sendFile', { id: lost, name: 'lost.txt' })
	const [first, second] = await offer(again, message.command, alone.command)
	assert.deepEqual([first!.outcome, second!.outcome], ['done', 'waiting'])
	assert.deepEqual(first!.message!.attachments, message.message.attachments)
	assert.deepEqual([first!.message!.returned, first!.message!.createdAt], [true, message.message.createdAt])
	await again.call('sendFile', { id: alone.message.attachments[0]!.id, name: 'alone.txt' })
	assert.deepEqual(briefly(await offer(again, alone.command)), ['done'])
	assert.deepEqual(String(await her.call('getFile', { id: lost })), String(await again.call('getFile', { id: kept })))

	// Other files under the same words are not what the receipt proves.
	const { input, receipt } = message.command
	const other: Send = {
		command: 'sendMessage',
		input: { ...input, id: newId(), uploads: [await again.upload()] },
		...(receipt && { receipt }),
	}
	assert.deepEqual(briefly(await offer(again, other)), ['discussion_closed'])
})

test('[A36] where the operator refused it nothing comes back but what is in the backup', async (t) => {
	const server = await startServer(t, { dir: makeFolder(t) })
	const { student, lecturer, discussion, blue } = await openClass(server)
	const kept = await sent(student, sending(discussion.id, 'before'))
	const edit: Command<'editMessage'> = { command: 'editMessage', input: { id: kept.command.input.id, edit: newId(), text: 'edited' } }
	await student.call('editMessage', edit.input)
	const copy = await copyOf(server)
	const lost = await sent(student, sending(discussion.id, 'after'))
	const later: Command<'editMessage'> = { command: 'editMessage', input: { id: kept.command.input.id, edit: newId(), text: 'again' } }
	const removal: Command<'setRemoved'> = { command: 'setRemoved', input: { id: kept.command.input.id, removed: true } }
	const start: Command<'startDiscussion'> = {
		command: 'startDiscussion',
		input: { id: newId(), title: 'Later', prompt: '', groups: [blue.id] },
	}

	let again = await restore(t, server, copy)
	await again.close()
	refuseReturns({ folders: foldersIn(again.dir) }, again.store.head.lineage)
	again = await startServer(t, { dir: again.dir })
	const writer = await back(again, student)
	const results = await offer(writer, kept.command, edit, lost.command, later, removal)
	assert.deepEqual(briefly(results), ['done', 'done', 'returns_refused', 'returns_refused', 'returns_refused'])
	assert.deepEqual(briefly(await offer(await back(again, lecturer), start)), ['returns_refused'])
	const { messages } = await writer.call('listMessages', { id: discussion.id })
	assert.deepEqual(
		messages.map(({ text }) => text),
		['edited'],
	)
	// What is new is new.
	await writer.send(discussion, 'from now on')

	// The next restore is another question.
	const next = await restore(t, again, await copyOf(again))
	assert.deepEqual(briefly(await offer(await back(next, student), lost.command)), ['done'])
})
