/**
 * Live: the classroom as it changes. Who leads a discussion along, what is removed and put back, names,
 * read positions, and who is here.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Frame } from '../../protocol/live.ts'
import type { Discussion, Group } from '../../protocol/model.ts'
import { openClass, type Somebody } from '../support/class.ts'
import { type Listening, newId } from '../support/client.ts'
import { startServer, testing } from '../support/server.ts'
import { resyncs, textsOf, type Watched, watch } from '../support/watching.ts'

const edit = (client: Somebody, { id }: Discussion, changes: object) => client.call('editDiscussion', { id, ...changes })
const namesOf = ({ views }: Watched, i: number) =>
	[...views[i]!.view.records.groups.values()].map((group) => (group as Partial<Group>).name).sort()
const titlesOf = ({ views }: Watched, i: number) =>
	[...views[i]!.view.records.discussions.values()].map((discussion) => (discussion as Partial<Discussion>).title).sort()

test('[L20] who is made a collaborator gains the discussion live, with its groups, and loses it again', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, blue, red, discussion, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	const third = await school.enter('Tina', 'lecturer')
	await student.send(discussion, 'Hello')
	const watched = await watch(colleague, lecturer, student, third, school.admin)
	await edit(lecturer, discussion, { collaborators: [colleague.me.id] })
	await student.send(discussion, 'Hello, both')
	await watched.same(school.seq)
	assert.deepEqual(textsOf(watched)[0], ['Hello', 'Hello, both'])
	assert.deepEqual(namesOf(watched, 0), ['Blue'])
	// A group of her colleague comes with what she leads along; started together, it comes too.
	await edit(lecturer, discussion, { groups: [blue.id, red.id] })
	await watched.same(school.seq)
	assert.deepEqual(namesOf(watched, 0), ['Blue', 'Red'])
	const input = { id: newId(), title: 'Together', prompt: '', groups: [red.id], collaborators: [third.me.id] }
	await lecturer.call('startDiscussion', input)
	await watched.same(school.seq)
	assert.deepEqual(namesOf(watched, 3), ['Red'])
	const brought = watched.listening[3]!.changes.flatMap((change) =>
		'put' in change && change.put === 'groups' ? [change.record.name] : [],
	)
	assert.deepEqual(brought, ['Red'], 'without asking')
	await edit(lecturer, discussion, { collaborators: [] })
	await student.send(discussion, 'Not for Carl')
	await watched.same(school.seq)
	assert.deepEqual([textsOf(watched)[0], namesOf(watched, 0), titlesOf(watched, 0)], [[], [], []])
	assert.ok(!JSON.stringify(watched.listening[0]!.frames).includes('Not for Carl'))
	// Several changes that come in one fan-out.
	await Promise.all([
		edit(lecturer, discussion, { collaborators: [colleague.me.id] }),
		student.send(discussion, 'in between'),
		edit(lecturer, discussion, { collaborators: [third.me.id] }),
		edit(lecturer, discussion, { collaborators: [colleague.me.id, third.me.id], groups: [blue.id] }),
	])
	await watched.same(school.seq)
	assert.deepEqual(resyncs(watched), [])
	assert.deepEqual(server.trouble, [])
})

test('[L21] a discussion that is removed goes from its students live and stays with its lecturers; put back, it is there with all', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, red, discussion, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	await edit(lecturer, discussion, { collaborators: [colleague.me.id], groups: [blue.id, red.id] })
	await student.send(discussion, 'to blue')
	const watched = await watch(student, other, lecturer, colleague)
	await edit(lecturer, discussion, { removed: true })
	await watched.same(school.seq)
	assert.deepEqual(
		watched.views.map((_, i) => titlesOf(watched, i).length),
		[0, 0, 1, 1],
	)
	// Groups that change meanwhile are no news to students.
	const heard = watched.listening[1]!.changes.length
	await edit(lecturer, discussion, { groups: [blue.id], title: 'Only blue' })
	await watched.same(school.seq)
	assert.equal(watched.listening[1]!.changes.length, heard)
	await edit(lecturer, discussion, { removed: false })
	await watched.same(school.seq)
	assert.deepEqual(
		watched.views.map((_, i) => titlesOf(watched, i).length),
		[1, 0, 1, 1],
	)
	assert.deepEqual(textsOf(watched)[0], ['to blue'])
	await Promise.all([
		edit(lecturer, discussion, { removed: true }),
		edit(lecturer, discussion, { removed: false, groups: [red.id] }),
		edit(colleague, discussion, { title: 'Red' }),
	])
	await watched.same(school.seq)
	assert.deepEqual(resyncs(watched), [])
	assert.deepEqual(server.trouble, [])
})

test('[L22] who comes back after her discussions, groups and categories changed holds what there is', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, red, discussion, school } = await openClass(server)
	const [colleague, third] = [await school.enter('Carl', 'lecturer'), await school.enter('Tina', 'lecturer')]
	const both = await lecturer.startDiscussion('Both', [blue, red])
	await edit(lecturer, both, { collaborators: [third.me.id] })
	const { category } = await lecturer.call('createCategory', { id: newId(), name: 'Talk' })
	const watched = await watch(student, other, lecturer, colleague, third, school.admin)
	await watched.same(school.seq)
	const away = async (...work: (() => Promise<unknown>)[]) => {
		watched.goAway()
		for (const one of work) await one()
		watched.comeBack()
		await watched.same(school.seq)
	}
	await away(
		() => edit(lecturer, discussion, { collaborators: [colleague.me.id] }),
		() => edit(lecturer, both, { collaborators: [], removed: true }),
		() => lecturer.call('editCategory', { id: category.id, name: 'Chat' }),
	)
	assert.deepEqual(
		watched.views.map((_, i) => titlesOf(watched, i).length),
		[1, 0, 2, 1, 0, 0],
	)
	await away(
		() => lecturer.call('editGroup', { id: blue.id, name: 'Azure', description: 'Sky' }),
		() => edit(lecturer, both, { removed: false }),
		() => student.call('setRead', { id: discussion.id, upTo: 1 }),
	)
	assert.deepEqual(namesOf(watched, 3), ['Azure'])
	await away(
		() => edit(lecturer, discussion, { groups: [blue.id, red.id] }),
		() => lecturer.call('editGroup', { id: red.id, name: 'Crimson' }),
		() => lecturer.call('editGroup', { id: blue.id, status: 'archived' }),
		() => edit(colleague, discussion, { category: category.id, tags: ['x'], status: 'archived' }),
	)
	assert.deepEqual(namesOf(watched, 3), ['Azure', 'Crimson'])
	assert.deepEqual(server.trouble, [])
})

test('[L23] names of groups, categories and people are heard by everybody who sees them, and by nobody else', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, discussion, school, admin } = await openClass(server)
	const [colleague, stranger] = [await school.enter('Carl', 'lecturer'), await school.enter('Tina', 'lecturer')]
	const classmate = await school.enter('Cleo', 'student', [blue], lecturer)
	const hers = await colleague.createGroup('Green')
	await school.enter('Gus', 'student', [hers], colleague)
	await edit(lecturer, discussion, { collaborators: [colleague.me.id] })
	const watched = await watch(student, classmate, other, lecturer, colleague, stranger, admin)
	const heard = (i: number, collection: string) =>
		watched.listening[i]!.changes.flatMap((change) =>
			'put' in change && change.put === collection && 'name' in change.record ? [change.record.name] : [],
		)
	const all = [0, 1, 2, 3, 4, 5, 6]
	await lecturer.call('editGroup', { id: blue.id, name: 'Azure' })
	const { category } = await lecturer.call('createCategory', { id: newId(), name: 'Talk' })
	await lecturer.call('editCategory', { id: category.id, name: 'Chat' })
	await watched.same(school.seq)
	const hearers = (collection: string, name: string) => all.filter((i) => heard(i, collection).includes(name))
	assert.deepEqual(hearers('groups', 'Azure'), [0, 1, 3, 4, 6], 'a collaborator of another group too')
	assert.deepEqual(hearers('categories', 'Chat'), all)
	await student.call('editMe', { name: 'Sari Sunshine' })
	await watched.same(school.seq)
	assert.deepEqual(hearers('users', 'Sari Sunshine'), [0, 1, 3, 4, 6])
	await colleague.call('editMe', { name: 'Carla' })
	await watched.same(school.seq)
	assert.deepEqual(hearers('users', 'Carla'), [0, 1, 3, 4, 6], 'the students of what she leads along')
	const cards = watched.listening[1]!.changes.flatMap((change) => ('put' in change && change.put === 'users' ? [change.record] : []))
	assert.ok(cards.every((card) => !('email' in card) && !('number' in card)))
	assert.deepEqual(resyncs(watched), [])
	assert.deepEqual(server.trouble, [])
})

test('[L28] a read position is heard by her own devices, and by nobody else', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, blue, discussion, school } = await openClass(server)
	const classmate = await school.enter('Cleo', 'student', [blue], lecturer)
	const message = await lecturer.send(discussion, 'Hello')
	const watched = await watch(student, await student.again(), classmate, lecturer)
	await student.call('setRead', { id: discussion.id, upTo: message.seq })
	await watched.same(school.seq)
	const reads = watched.listening.map(({ changes }) =>
		changes.flatMap((change) => ('put' in change && change.put === 'reads' ? [change.record.upTo] : [])),
	)
	assert.deepEqual(reads, [[message.seq], [message.seq], [], []])
	assert.deepEqual(server.trouble, [])
})

test('[L29] a classroom that changes in every way at once leaves everybody with what a fetch shows', async (t) => {
	const rates = { ...testing.rates, reads: { burst: 100_000, perMinute: 100_000 } }
	const server = await startServer(t, { rates })
	const { lecturer, student, other, blue, red, discussion, school, admin } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	const green = await colleague.createGroup('Green')
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const { category } = await lecturer.call('createCategory', { id: newId(), name: 'Talk' })
	const watched = await watch(student, other, lecturer, colleague, admin)
	let seed = 1 + Math.floor(Math.random() * 2_000_000_000)
	t.diagnostic(`seed ${seed}`)
	const pick = (n: number) => {
		seed = (seed * 48_271) % 2_147_483_647
		return seed % n
	}
	const groups = [blue, red, green]
	const leading = [lecturer, colleague]
	const step = (round: number): Promise<unknown> => {
		const topic = [both, discussion][pick(2)]!
		const pupil = [student, other][pick(2)]!
		const group = groups[pick(3)]!
		const teacher = group === green ? colleague : lecturer
		switch (pick(12)) {
			case 0:
				return school.join(group, pupil, teacher)
			case 1:
				return school.leave(group, pupil, teacher)
			case 2:
				return edit(lecturer, topic, { groups: pick(2) ? [group.id] : [blue.id, red.id] })
			case 3:
				return edit(lecturer, topic, { collaborators: pick(2) ? [colleague.me.id] : [] })
			case 4:
				return edit(lecturer, topic, { removed: pick(2) === 0 })
			case 5:
				return edit(colleague, topic, { groups: [green.id, blue.id], tags: [`${round}`] })
			case 6:
				return teacher.call('editGroup', { id: group.id, name: `${group.name} ${pick(100)}`, status: pick(4) ? 'active' : 'archived' })
			case 7:
				return lecturer.call('editCategory', { id: category.id, name: `Talk ${pick(100)}` })
			case 8:
				return [student, other, lecturer, colleague][pick(4)]!.call('setRead', { id: topic.id, upTo: school.seq })
			case 9:
				return admin.call('setStatus', { id: [student, colleague][pick(2)]!.me.id, status: pick(3) ? 'approved' : 'rejected' })
			case 10:
				return leading[pick(2)]!.send(topic, `l ${round}`, { group: null })
			default:
				return pupil.send(topic, `s ${round}`, { group: group.id })
		}
	}
	for (let round = 0; round < 8; round++) {
		const isAway = round % 3 === 2
		if (isAway) watched.goAway()
		await Promise.all(Array.from({ length: 25 }, () => step(round).catch(() => {})))
		if (isAway) watched.comeBack()
		await watched.same(school.seq)
	}
	assert.deepEqual(server.trouble, [])
})

// Who is here.

const open = async (client: Somebody) => {
	const listening = client.listen(null)
	await listening.until(() => listening.frames.length > 1)
	return listening
}
const look = (listening: Listening, discussion: string | null) => listening.socket.send(JSON.stringify({ t: 'looking', discussion }))
type Here = Extract<Frame, { t: 'here' }>
const hereFrames = ({ frames }: Listening, discussion: Discussion) =>
	frames.filter((frame): frame is Here => frame.t === 'here' && frame.discussion === discussion.id)
const hereIn = (listening: Listening, discussion: Discussion) =>
	hereFrames(listening, discussion)
		.at(-1)
		?.users.map(({ name }) => name)
		.sort()
const untilHere = (listening: Listening, discussion: Discussion, ...names: string[]) =>
	listening.until(() => JSON.stringify(hereIn(listening, discussion)) === JSON.stringify([...names].sort()))

test('[L24] who looks at a discussion shows to those who would see what she writes, and only to them', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, red, school, admin } = await openClass(server)
	const classmate = await school.enter('Cleo', 'student', [blue], lecturer)
	const onlooker = await school.enter('Olga', 'lecturer', [blue], lecturer)
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const { seq } = server.store.head
	const [hers, mates, others, teachers, onlookers, admins] = await Promise.all(
		[student, classmate, other, lecturer, onlooker, admin].map(open),
	)
	for (const one of [hers, mates, others, teachers, onlookers, admins]) look(one!, both.id)
	await untilHere(teachers!, both, 'Cleo', 'Otto Other', 'Sari Student')
	await untilHere(hers!, both, 'Cleo', 'Lena Lecturer')
	await untilHere(mates!, both, 'Sari Student', 'Lena Lecturer')
	await untilHere(others!, both, 'Lena Lecturer')
	for (const one of [onlookers!, admins!]) assert.deepEqual(hereFrames(one, both), [])
	// What happens in another group is not even told as a frame without news.
	const told = hereFrames(others!, both).length
	mates!.close()
	await untilHere(hers!, both, 'Lena Lecturer')
	await lecturer.send(both, 'Later than that')
	await others!.reach(server.store.head.seq)
	assert.equal(hereFrames(others!, both).length, told)
	const cards = hereFrames(hers!, both).flatMap(({ users }) => users)
	assert.ok(cards.every((card) => !('number' in card) && !('email' in card)))
	assert.ok(hereFrames(teachers!, both).some(({ users }) => users.some((card) => 'number' in card)))
	assert.equal(server.store.head.seq, seq + 1, 'nothing of it is stored')
	assert.deepEqual(server.trouble, [])
})

test('[L25] who looks elsewhere, closes her window, signs out or loses the discussion is not here any more', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, red, discussion, school } = await openClass(server)
	const classmate = await school.enter('Cleo', 'student', [blue], lecturer)
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const [hers, teachers, others, mates] = await Promise.all([student, lecturer, other, classmate].map(open))
	const second = await open(await student.again())
	for (const one of [hers!, teachers!, others!, mates!, second]) look(one, both.id)
	await untilHere(teachers!, both, 'Cleo', 'Otto Other', 'Sari Student')
	// One of her two windows.
	look(hers!, discussion.id)
	look(mates!, null)
	await untilHere(teachers!, both, 'Otto Other', 'Sari Student')
	second.close()
	await untilHere(teachers!, both, 'Otto Other')
	// Looked at several in a row: the last one counts.
	for (let i = 0; i < 10; i++) look(hers!, [both, discussion][i % 2]!.id)
	look(hers!, both.id)
	await untilHere(teachers!, both, 'Otto Other', 'Sari Student')
	await edit(lecturer, both, { groups: [red.id] })
	await untilHere(teachers!, both, 'Otto Other')
	await school.leave(red, other, lecturer)
	await untilHere(teachers!, both)
	await school.join(red, other, lecturer)
	look(others!, both.id)
	await untilHere(teachers!, both, 'Otto Other')
	await edit(lecturer, both, { removed: true })
	await untilHere(teachers!, both)
	await edit(lecturer, both, { removed: false, groups: [blue.id, red.id] })
	for (const one of [hers!, others!]) look(one, both.id)
	await untilHere(teachers!, both, 'Otto Other', 'Sari Student')
	await school.admin.call('setStatus', { id: other.me.id, status: 'deactivated' })
	await student.call('signOut', {})
	await untilHere(teachers!, both)
	assert.deepEqual(server.trouble, [])
})

test('[L26] a crowd in one discussion costs each of them one bounded frame at a time', async (t) => {
	const server = await startServer(t)
	const { lecturer, admin, blue, discussion, school } = await openClass(server)
	const crowd: Somebody[] = []
	for (let i = 0; i < 60; i++)
		crowd.push(await school.enter(`Pupil ${String.fromCharCode(97 + (i % 26))}${'xyz'[Math.floor(i / 26)]}`, 'student'))
	await lecturer.call('addMembers', { id: blue.id, users: crowd.map(({ me }) => me.id) })
	const windows = await Promise.all(crowd.map(open))
	const teachers = await open(lecturer)
	look(teachers, discussion.id)
	for (const one of windows) look(one, discussion.id)
	const last = (one: Listening) => hereFrames(one, discussion).at(-1)
	await teachers.until(() => (last(teachers)?.users.length ?? 0) + (last(teachers)?.more ?? 0) === 60)
	assert.ok(last(teachers)!.users.length >= 49 && last(teachers)!.users.length <= 50)
	for (const [i, one] of windows.entries()) {
		await one.until(() => (last(one)?.users.length ?? 0) + (last(one)?.more ?? 0) === 60)
		assert.ok(last(one)!.users.length <= 50)
		assert.ok(
			last(one)!.users.every(({ id }) => id !== crowd[i]!.me.id),
			'she herself is not among them',
		)
		assert.ok(hereFrames(one, discussion).length <= 4, 'not one frame for each of them')
	}
	for (const one of windows.slice(0, 59)) one.close()
	await teachers.until(() => last(teachers)!.users.length === 1 && last(teachers)!.more === 0)
	assert.equal(admin.me.role, 'admin')
	assert.deepEqual(server.trouble, [])
})

test('[L27] looking where she may not, at nothing, or ten thousand times changes nothing for anybody', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, discussion } = await openClass(server)
	const elsewhere = await lecturer.startDiscussion('Elsewhere', [blue])
	const [hers, others, teachers] = await Promise.all([student, other, lecturer].map(open))
	look(teachers!, discussion.id)
	for (const id of [discussion.id, newId(), elsewhere.id]) look(others!, id)
	for (let i = 0; i < 2_000; i++) look(hers!, i % 2 ? discussion.id : newId())
	look(others!, discussion.id)
	await untilHere(teachers!, discussion)
	assert.deepEqual(hereFrames(others!, discussion), [])
	const strange = ['{"t":"looking"}', '{"t":"looking","discussion":1}', '{"t":"looking","discussion":"x"}', '{"t":"here"}']
	for (const frame of strange) others!.socket.send(frame)
	await others!.until(() => others!.frames.filter(({ t }) => t === 'error').length === strange.length)
	for (const frame of strange) others!.socket.send(frame)
	assert.equal((await others!.end()).code, 4403)
	await student.send(discussion, 'Undisturbed')
	await teachers!.reach(server.store.head.seq)
	assert.deepEqual(server.trouble, [])
})
