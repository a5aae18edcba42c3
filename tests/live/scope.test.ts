/**
 * Live: what reaches whom, and what happens when that changes. Every test ends with "state by
 * events equals state by fetch".
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openClass } from '../support/class.ts'
import { assertSame, View } from '../support/client.ts'
import { startServer } from '../support/server.ts'

test('[L1] two people talk', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, discussion, school } = await openClass(server)
	const views = [lecturer, student, other, school.admin].map((client) => ({ client, view: new View(client) }))
	for (const { view } of views) await view.open()
	const hello = await student.send(discussion, 'Hello')
	await lecturer.send(discussion, 'Welcome', { replyTo: hello.id })
	for (const { client, view } of views) await assertSame(client, view, school.seq)
	assert.equal(views[0]!.view.records.messages.size, 2)
	assert.equal(views[1]!.view.records.messages.size, 2)
	assert.equal(views[2]!.view.records.messages.size, 0)
	assert.deepEqual(server.trouble, [])
})

test('[L4] a student moved to another group sees the old messages go and the new ones come', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, red, discussion, school } = await openClass(server)
	const elsewhere = await lecturer.startDiscussion('Holidays', [red])
	await other.send(elsewhere, 'Red only')
	await student.send(discussion, 'Blue only')
	const view = new View(student)
	const listening = await view.open()
	await school.leave(blue, student, lecturer)
	await school.join(red, student, lecturer)
	await lecturer.send(elsewhere, 'Later')
	await assertSame(student, view, school.seq)
	assert.deepEqual([...view.records.discussions.keys()], [elsewhere.id])
	assert.equal(view.records.messages.size, 2)
	assert.ok(!listening.frames.some((frame) => frame.t === 'resync'))
})
