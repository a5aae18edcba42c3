/**
 * Live: what reaches whom, and what happens when that changes. Every test ends with "state by
 * events equals state by fetch".
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openClass, Somebody } from '../support/class.ts'
import { newId } from '../support/client.ts'
import { startServer } from '../support/server.ts'
import { resyncs, textsOf, watch } from '../support/watching.ts'

test('[L1] two people talk, edit, remove and put back, and everybody sees what a fetch shows', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, discussion, school, blue } = await openClass(server)
	const classmate = await school.enter('Cleo', 'student', [blue], lecturer)
	const watched = await watch(lecturer, student, classmate, other, school.admin)
	const hello = await student.send(discussion, 'Hello')
	await lecturer.send(discussion, 'Welcome', { replyTo: hello.id })
	await student.call('editMessage', { id: hello.id, edit: newId(), text: 'Hello, all' })
	await watched.same(school.seq)
	await student.call('setRemoved', { id: hello.id, removed: true })
	await watched.same(school.seq)
	assert.deepEqual(textsOf(watched), [['Hello, all', 'Welcome'], ['Hello, all', 'Welcome'], [null, 'Welcome'], [], []])
	await student.call('setRemoved', { id: hello.id, removed: false })
	await lecturer.call('editDiscussion', { id: discussion.id, title: 'Sunday', status: 'closed' })
	await watched.same(school.seq)
	const cards = watched.listening[0]!.frames.flatMap((frame) => (frame.t === 'changes' ? frame.users : []))
	assert.ok(cards.some(({ name, number }) => name === student.me.name && number === student.me.number))
	const seen = watched.listening[2]!.frames.flatMap((frame) => (frame.t === 'changes' ? frame.users : []))
	assert.ok(seen.length > 0 && seen.every((card) => !('number' in card) && !('email' in card)))
	assert.deepEqual(server.trouble, [])
})

test('[L4] a student moved to another group sees the old messages go and the new ones come', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, red, discussion, school } = await openClass(server)
	const elsewhere = await lecturer.startDiscussion('Holidays', [red])
	const both = await lecturer.startDiscussion('Both', [blue, red])
	await other.send(elsewhere, 'Red only')
	await student.send(discussion, 'Blue only')
	await other.send(both, 'to red')
	await student.send(both, 'my own')
	await lecturer.send(both, 'to blue', { group: blue.id })
	const watched = await watch(student, lecturer, other, school.admin)
	await school.leave(blue, student, lecturer)
	await school.join(red, student, lecturer)
	await lecturer.send(elsewhere, 'Later')
	await watched.same(school.seq)
	assert.deepEqual(textsOf(watched)[0]!.sort(), ['Later', 'Red only', 'my own', 'to red'])
	await school.leave(red, student, lecturer)
	await other.send(both, 'not for her')
	await watched.same(school.seq)
	assert.deepEqual(textsOf(watched)[0], [])
	assert.deepEqual(resyncs(watched), [])
	assert.deepEqual(server.trouble, [])
})

test('[L4] a change of a discussion’s groups reaches those who gain it, lose it, or see another part of it', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, red, discussion, school } = await openClass(server)
	const both = await school.enter('Bo Both', 'student', [blue, red], lecturer)
	const colleague = await school.enter('Carl', 'lecturer')
	await student.send(discussion, 'to blue')
	await both.send(discussion, 'by Bo')
	const watched = await watch(student, other, both, lecturer, colleague)
	const regroup = async (...groups: string[]) => {
		await lecturer.call('editDiscussion', { id: discussion.id, groups })
		await watched.same(school.seq)
	}
	await regroup(blue.id, red.id)
	await lecturer.send(discussion, 'to red', { group: red.id })
	await regroup(red.id)
	assert.deepEqual(textsOf(watched).slice(0, 3), [[], ['to red'], ['by Bo', 'to red']])
	await regroup(blue.id)
	await regroup(blue.id, red.id)
	// Several changes that come in one fan-out.
	await Promise.all([
		lecturer.call('editDiscussion', { id: discussion.id, groups: [red.id] }),
		student.send(discussion, 'too late?').catch(() => {}),
		lecturer.call('editDiscussion', { id: discussion.id, groups: [blue.id, red.id] }),
		lecturer.send(discussion, 'in between', { group: null }),
	])
	await watched.same(school.seq)
	assert.deepEqual(resyncs(watched), [])
	assert.deepEqual(server.trouble, [])
})

test('[L10] who waits for approval sees it come, and what she may see from then on; who is rejected loses it', async (t) => {
	const server = await startServer(t)
	const { lecturer, blue, discussion, school, admin } = await openClass(server)
	await lecturer.send(discussion, 'Welcome')
	const student = await new Somebody(server.origin).register('Pia', 'student')
	const teacher = await new Somebody(server.origin).register('Theo', 'lecturer')
	const watched = await watch(student, teacher, admin)
	for (const { me } of [student, teacher]) await admin.call('setStatus', { id: me.id, status: 'approved' })
	await school.join(blue, student, lecturer)
	await lecturer.send(discussion, 'Hello Pia')
	const group = await teacher.createGroup('Hers')
	await teacher.startDiscussion('Mine', [group])
	await watched.same(school.seq)
	assert.deepEqual(textsOf(watched)[0], ['Welcome', 'Hello Pia'])
	for (const { me } of [student, teacher]) await admin.call('setStatus', { id: me.id, status: 'rejected' })
	await lecturer.send(discussion, 'Not for Pia')
	await watched.same(school.seq)
	assert.deepEqual(textsOf(watched)[0], [])
	for (const { me } of [student, teacher]) await admin.call('setStatus', { id: me.id, status: 'approved' })
	await watched.same(school.seq)
	assert.deepEqual(textsOf(watched)[0], ['Welcome', 'Hello Pia', 'Not for Pia'])
	assert.equal(watched.views[1]!.view.records.discussions.size, 1)
	assert.deepEqual(resyncs(watched), [])
	assert.deepEqual(server.trouble, [])
})

test('[L4] changes of a whole class at once leave everybody with what a fetch shows', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, red, discussion, school, admin } = await openClass(server)
	const green = await admin.createGroup('Green')
	const colleague = await school.enter('Carl', 'lecturer', [blue])
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const watched = await watch(student, other, lecturer, colleague, admin)
	const groups = [blue, red]
	let seed = 1 + Math.floor(Math.random() * 2_000_000_000)
	t.diagnostic(`seed ${seed}`)
	const pick = (n: number) => {
		seed = (seed * 48_271) % 2_147_483_647
		return seed % n
	}
	const refused = () => {}
	for (let round = 0; round < 6; round++) {
		const work = Array.from({ length: 25 }, () => {
			const somebody = [student, other][pick(2)]!
			const group = groups[pick(2)]!
			switch (pick(7)) {
				case 0:
					return school.join(group, somebody, lecturer)
				case 1:
					return school.leave(group, somebody, lecturer)
				case 2:
					return lecturer.call('editDiscussion', { id: both.id, groups: pick(2) ? [group.id] : [blue.id, red.id] })
				case 3:
					return admin.call('setStatus', { id: somebody.me.id, status: pick(3) ? 'approved' : 'rejected' })
				case 4:
					return school.join(green, colleague, admin).then(() => school.leave(green, colleague, admin))
				case 5:
					return lecturer.send(both, `l ${round}`, { group: null })
				default:
					return somebody.send([both, discussion][pick(2)]!, `s ${round}`, { group: group.id })
			}
		})
		await Promise.all(work.map((one: Promise<unknown>) => one.catch(refused)))
		await watched.same(school.seq)
	}
	assert.deepEqual(server.trouble, [])
})
