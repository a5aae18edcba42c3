/**
 * Live: coming back. Catch-up from a cursor, and every reason to fetch anew instead.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from '../../protocol/live.ts'
import { formatCursor, parseCursor } from '../../protocol/model.ts'
import { openClass, type Somebody } from '../support/class.ts'
import { assertSame, newId, View } from '../support/client.ts'
import { type Server, startServer } from '../support/server.ts'

/** Listens from a cursor until it knows all, and gives the first frame after `hello`. */
async function comeBack(server: Server, client: Somebody, after: string | null) {
	const listening = client.listen(after)
	await listening.until(() => listening.frames.length > 1)
	await listening.reach(server.store.head.seq)
	const [hello, first] = listening.frames
	assert.equal(hello!.t, 'hello')
	listening.close()
	return first!
}

test('[L2] who comes back gets what she missed, each record as it is now', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, discussion, blue, school } = await openClass(server)
	const views = [lecturer, student, other, school.admin].map((client) => ({ client, view: new View(client) }))
	for (const { view } of views) (await view.open()).close()
	const cursors = views.map(() => formatCursor(server.store.head.lineage, server.store.head.seq))

	const secret = await student.send(discussion, 'said and taken back')
	await student.call('editMessage', { id: secret.id, edit: newId(), text: 'said otherwise' })
	await student.call('setRemoved', { id: secret.id, removed: true })
	await lecturer.send(discussion, 'for all')
	await lecturer.call('editGroup', { id: blue.id, name: 'Azure' })
	await lecturer.startDiscussion('Next', [blue])
	const cleo = await school.enter('Cleo', 'student', [blue], lecturer)
	await school.leave(blue, cleo, lecturer)

	const classmate = await school.enter('Mia', 'student', [blue], lecturer)
	for (const [i, { client, view }] of views.entries()) {
		const listening = view.listen(cursors[i]!)
		await assertSame(client, view, school.seq)
		assert.ok(!listening.frames.some((frame) => frame.t === 'resync'))
	}
	const frames = JSON.stringify(await comeBack(server, other, cursors[0]!))
	assert.ok(!frames.includes('said'), 'nothing of another group')
	// What was said and removed meanwhile is not told to those who may not read it any more.
	const view = new View(classmate)
	const listening = await view.open()
	await assertSame(classmate, view, school.seq)
	assert.ok(!JSON.stringify(listening.frames).includes('said'))
	assert.deepEqual(server.trouble, [])
})

test('[L2] coming back while everybody writes loses nothing', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, discussion, school } = await openClass(server)
	const view = new View(student)
	let listening = await view.open()
	let writing = true
	const write = async (client: Somebody, name: string) => {
		for (let i = 0; i < 150; i++) await client.send(discussion, `${name} ${i}`)
	}
	const done = Promise.all([write(lecturer, 'l'), write(lecturer, 'm'), write(student, 's')]).then(() => {
		writing = false
	})
	while (writing) {
		listening.close()
		listening = view.listen(listening.upTo!)
		const { frames } = listening
		// After the last message none may come.
		await Promise.race([listening.until(() => frames.length > 2), done])
	}
	await done
	await assertSame(student, view, school.seq)
	assert.equal(view.records.messages.size, 450)
	assert.ok(!listening.frames.some((frame) => frame.t === 'resync'))
})

test('[L3] only upTo moves the cursor: it never goes back, is never ahead of the changes, and comes while idle', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, discussion } = await openClass(server)
	const [hers, others] = [student.listen(null), other.listen(null)]
	await others.until(() => others.frames.length > 0)
	await hers.until(() => hers.frames.length > 0)
	await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? student : lecturer).send(discussion, `${i}`)))
	await hers.reach(server.store.head.seq)
	await others.reach(server.store.head.seq)
	const messages = (changes: Change[]) => changes.flatMap((change) => ('put' in change && change.put === 'messages' ? [change.record] : []))
	assert.deepEqual(messages(others.changes), [], 'she hears only where the server stands')
	let at = 0
	for (const frame of hers.frames) {
		if (frame.t !== 'changes') continue
		const { seq } = parseCursor(frame.upTo)!
		assert.ok(seq >= at)
		for (const { rev } of messages(frame.changes)) assert.ok(rev > at && rev <= seq)
		at = seq
	}
	assert.equal(messages(hers.changes).length, 40)
})

test('[L5] a cursor that leads nowhere is answered with resync and its reason', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, discussion, blue, red, school, other } = await openClass(server)
	const { lineage, seq } = server.store.head
	const reason = async (client: Somebody, after: string) => {
		const frame = await comeBack(server, client, after)
		assert.ok(frame.t === 'resync')
		const upTo = parseCursor(frame.upTo)!
		assert.ok(upTo.lineage === lineage && upTo.seq <= server.store.head.seq)
		return frame.reason
	}
	assert.equal(await reason(student, formatCursor('0'.repeat(24), seq)), 'lineage')
	assert.equal(await reason(student, 'nonsense'), 'lineage')
	assert.equal(await reason(student, formatCursor(lineage, seq + 1)), 'ahead')

	// Her own membership, and groups of a discussion, changed since; others need not fetch anew.
	const before = formatCursor(lineage, server.store.head.seq)
	await lecturer.call('editDiscussion', { id: discussion.id, groups: [blue.id, red.id] })
	assert.equal(await reason(other, before), 'scope')
	assert.equal((await comeBack(server, student, before)).t, 'changes')
	assert.equal((await comeBack(server, lecturer, before)).t, 'changes')
	const then = formatCursor(lineage, server.store.head.seq)
	await school.join(red, student, lecturer)
	assert.equal(await reason(student, then), 'scope')
	assert.equal((await comeBack(server, other, then)).t, 'changes')

	const far = formatCursor(lineage, server.store.head.seq)
	for (let i = 0; i < 51; i++) {
		await Promise.all(
			Array.from({ length: 100 }, () => server.store.write(null, (tx) => tx.put('system', { id: newId(), name: newId(), value: '' }))),
		)
	}
	assert.equal(await reason(student, far), 'far')
	await server.store.prune(new Date(Date.now() + 60_000))
	assert.equal(await reason(student, formatCursor(lineage, server.store.head.seq - 1_500)), 'pruned')
	assert.deepEqual(server.trouble, [])
})

test('[L5] who fetches anew after resync holds what there is', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, discussion, school } = await openClass(server)
	await lecturer.send(discussion, 'one')
	const view = new View(student)
	const listening = view.listen(formatCursor('0'.repeat(24), 1))
	await lecturer.send(discussion, 'two')
	await assertSame(student, view, school.seq)
	assert.equal(view.records.messages.size, 2)
	assert.equal(listening.frames[1]!.t, 'resync')
})
