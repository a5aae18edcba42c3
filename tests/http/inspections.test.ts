/**
 * An admin looks into a discussion: only when she said why, only for reading, only for a while, and on record.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openClass } from '../support/class.ts'
import { codeOf, newId } from '../support/client.ts'
import { startServer } from '../support/server.ts'

test('[A40] an admin reads a discussion when she said why, writes nothing in it, and hears nothing of it', async (t) => {
	const server = await startServer(t)
	const { admin, lecturer, student, discussion } = await openClass(server)
	const removed = await student.send(discussion, 'Taken back')
	await student.call('setRemoved', { id: removed.id, removed: true })
	const message = await student.send(discussion, 'Hers')
	const reading = { id: discussion.id }
	for (const call of [
		() => admin.call('getDiscussion', reading),
		() => admin.call('listMessages', reading),
		() => admin.call('listParticipants', reading),
		() => admin.call('listFiles', reading),
		() => admin.call('getMessage', { id: message.id }),
	]) {
		assert.equal(await codeOf(call()), 'not_found')
	}
	assert.equal(await codeOf(admin.call('inspect', { id: newId(), discussion: discussion.id, reason: ' ' })), 'invalid_input')
	const listening = admin.listen(null)
	const asked = { id: newId(), discussion: discussion.id, reason: 'A parent complained' }
	const { inspection } = await admin.call('inspect', asked)
	assert.deepEqual((await admin.call('inspect', asked)).inspection, inspection)

	const page = await admin.call('listMessages', reading)
	assert.deepEqual(
		page.messages.map(({ text }) => text),
		[null, 'Hers'],
	)
	assert.equal((await admin.call('getDiscussion', reading)).groups.length, discussion.groups.length)
	assert.ok((await admin.call('listParticipants', reading)).users.length >= 2)
	const writing = { id: newId(), discussion: discussion.id, text: 'Hello', writtenAt: new Date().toISOString() }
	assert.equal(await codeOf(admin.call('sendMessage', writing)), 'forbidden')
	assert.equal(await codeOf(admin.call('setRemoved', { id: message.id, removed: true })), 'forbidden')
	assert.equal(await codeOf(admin.call('editDiscussion', { id: discussion.id, title: 'Mine' })), 'forbidden')

	const other = await lecturer.startDiscussion('Another', [{ id: discussion.groups[0]! } as never])
	assert.equal(await codeOf(admin.call('listMessages', { id: other.id })), 'not_found')
	await student.send(discussion, 'Later')
	await listening.reach(server.store.head.seq)
	assert.ok(!JSON.stringify(listening.frames).includes('Later'))
	assert.deepEqual(server.trouble, [])
})

test('[A41] who looked, when and why is on record for the lecturers of the discussion, and for nobody else', async (t) => {
	const server = await startServer(t)
	const { admin, lecturer, student, school, discussion } = await openClass(server)
	const reason = 'A parent complained'
	await admin.call('inspect', { id: newId(), discussion: discussion.id, reason })
	const { inspections, users } = await lecturer.call('listInspections', { id: discussion.id })
	assert.deepEqual(
		inspections.map((one) => [one.admin, one.reason, Date.parse(one.expiresAt) - Date.parse(one.createdAt)]),
		[[admin.me.id, reason, 3_600_000]],
	)
	assert.deepEqual(
		users.map(({ name }) => name),
		[admin.me.name],
	)
	const colleague = await school.enter('Carl Colleague', 'lecturer')
	assert.equal(await codeOf(colleague.call('listInspections', { id: discussion.id })), 'not_found')
	assert.equal(await codeOf(student.call('listInspections', { id: discussion.id })), 'forbidden')
	assert.equal(await codeOf(lecturer.call('inspect', { id: newId(), discussion: discussion.id, reason })), 'forbidden')
})

test('[A42] an inspection is over after its hour', async (t) => {
	const server = await startServer(t)
	const { admin, discussion } = await openClass(server)
	const { inspection } = await admin.call('inspect', { id: newId(), discussion: discussion.id, reason: 'To see' })
	await admin.call('listMessages', { id: discussion.id })
	// As if the hour had passed.
	await server.store.write(null, async (tx) => {
		const record = (await tx.get('inspections', inspection.id))!
		await tx.put('inspections', { ...record, expiresAt: new Date(Date.now() - 1).toISOString() })
		await tx.put('users', (await tx.get('users', admin.me.id))!)
	})
	assert.equal(await codeOf(admin.call('listMessages', { id: discussion.id })), 'not_found')
	assert.equal(await codeOf(admin.call('getDiscussion', { id: discussion.id })), 'not_found')
})

test('[A43] an admin finds every discussion by its title, page by page, and reads no word of it', async (t) => {
	const server = await startServer(t)
	const { admin, lecturer, blue } = await openClass(server)
	for (let i = 0; i < 7; i++) await lecturer.startDiscussion(`Reading circle ${i}`, [blue])
	const titles: string[] = []
	let after: string | undefined
	do {
		const page = await admin.call('listAllDiscussions', { limit: 3, ...(after !== undefined && { after }) })
		titles.push(...page.titles.map(({ title }) => title))
		assert.ok(!JSON.stringify(page.titles).includes('About'))
		after = page.next ?? undefined
	} while (after !== undefined)
	assert.equal(titles.length, 8)
	assert.deepEqual(titles.slice(0, 2), ['Reading circle 6', 'Reading circle 5'])
	const found = await admin.call('listAllDiscussions', { query: 'circ 3' })
	assert.deepEqual(
		found.titles.map(({ title }) => title),
		['Reading circle 3'],
	)
})
