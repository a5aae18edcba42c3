/**
 * The classroom through the front door: groups, categories and discussions. The overview is in overview.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openClass, type Somebody } from '../support/class.ts'
import { codeOf, newId } from '../support/client.ts'
import { type Server, startServer } from '../support/server.ts'

/** Asserts that something writes exactly so many entries. */
async function writes(server: Server, entries: number, work: () => Promise<unknown>): Promise<void> {
	const { seq } = server.store.head
	await work()
	assert.equal(server.store.head.seq - seq, entries)
}

const textsOf = async (client: Somebody, id: string) => (await client.call('listMessages', { id })).messages.map(({ text }) => text)
const discussionsOf = async (client: Somebody) => (await client.call('listDiscussions', {})).discussions

test('[C1] a group has a name and a description, changed by who made it and by admins', async (t) => {
	const server = await startServer(t)
	const { lecturer, admin, student, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	const input = { id: newId(), name: ' 7B ', description: 'Mondays\nand Fridays' }
	const { group } = await lecturer.call('createGroup', input)
	assert.deepEqual([group.name, group.description, group.status], ['7B', 'Mondays\nand Fridays', 'active'])
	await writes(server, 0, async () => assert.deepEqual((await lecturer.call('createGroup', input)).group, group))
	assert.equal(await codeOf(lecturer.call('createGroup', { ...input, description: 'Other' })), 'id_taken')
	await writes(server, 0, () => lecturer.call('editGroup', { id: group.id, name: '7B', description: input.description, status: 'active' }))
	assert.equal((await admin.call('editGroup', { id: group.id, description: '' })).group.description, '')
	assert.equal((await lecturer.call('editGroup', { id: group.id, name: '7C' })).group.name, '7C')
	await school.join(group, colleague, lecturer)
	await school.join(group, student, lecturer)
	assert.equal(await codeOf(colleague.call('editGroup', { id: group.id, name: 'Mine' })), 'forbidden')
	assert.equal(await codeOf(student.call('editGroup', { id: group.id, name: 'Mine' })), 'forbidden')
	for (const client of [lecturer, admin, colleague, student]) {
		assert.equal((await client.call('listGroups', {})).groups.find(({ id }) => id === group.id)?.name, '7C')
	}
})

test('[C2] an archived group keeps its members and discussions and gets no new ones, until it is taken back into use', async (t) => {
	const server = await startServer(t)
	const { lecturer, admin, student, other, blue, red, discussion } = await openClass(server)
	assert.equal((await lecturer.call('editGroup', { id: blue.id, status: 'archived' })).group.status, 'archived')
	const member = (user: Somebody) => codeOf(lecturer.call('addMember', { id: blue.id, user: user.me.id }))
	assert.equal(await member(other), 'group_archived')
	assert.equal(await member(student), 'done', 'who is in it is in it')
	assert.equal(await codeOf(lecturer.call('addMembers', { id: blue.id, users: [student.me.id, other.me.id] })), 'group_archived')
	assert.equal(await codeOf(lecturer.call('addMembers', { id: blue.id, users: [student.me.id] })), 'done')
	const start = (groups: string[]) => codeOf(lecturer.call('startDiscussion', { id: newId(), title: 'New', prompt: '', groups }))
	assert.equal(await start([red.id, blue.id]), 'group_archived')
	assert.equal(await start([red.id]), 'done')
	const both = await lecturer.startDiscussion('Red', [red])
	assert.equal(await codeOf(lecturer.call('editDiscussion', { id: both.id, groups: [red.id, blue.id] })), 'group_archived')
	// What there is goes on.
	await student.send(discussion, 'Still here')
	await lecturer.call('editDiscussion', { id: discussion.id, title: 'Sunday', groups: [blue.id, red.id] })
	for (const client of [lecturer, admin, student]) {
		assert.equal((await client.call('listGroups', {})).groups.find(({ id }) => id === blue.id)?.status, 'archived')
	}
	assert.equal(await codeOf(lecturer.call('removeMember', { id: blue.id, user: student.me.id })), 'done')
	await admin.call('editGroup', { id: blue.id, status: 'active' })
	assert.equal(await member(student), 'done')
	assert.equal(await start([blue.id]), 'done')
})

test('[C3] a hundred people come into a group in one step, each once, without those who can’t be members', async (t) => {
	const server = await startServer(t)
	const { lecturer, admin, student, blue, discussion, school } = await openClass(server)
	const pending = await (await school.enter('Pia', 'student')).call('me', {})
	await admin.call('setStatus', { id: pending.me.id, status: 'deactivated' })
	const newcomers = await Promise.all(
		Array.from({ length: 20 }, (_, i) => school.enter(`Newcomer ${'abcdefghijklmnopqrst'[i]}`, 'student')),
	)
	const users = [...newcomers.map(({ me }) => me.id), student.me.id, admin.me.id, pending.me.id, newId(), newcomers[0]!.me.id]
	const { seq } = server.store.head
	const added = await lecturer.call('addMembers', { id: blue.id, users })
	assert.equal(server.store.head.seq, seq + 1, 'one entry')
	assert.equal(added.memberships.length, 21)
	assert.deepEqual(added.users.map(({ id }) => id).sort(), [...newcomers.map(({ me }) => me.id), student.me.id].sort())
	assert.equal(new Set(added.memberships.map(({ user }) => user)).size, 21)
	for (const { me } of newcomers) assert.equal((await server.store.get('users', me.id))!.scopeRev, seq + 1)
	assert.equal((await newcomers[7]!.call('getDiscussion', { id: discussion.id })).discussion.id, discussion.id)
	await writes(server, 0, async () => {
		const again = await lecturer.call('addMembers', { id: blue.id, users })
		assert.deepEqual(again.memberships.map(({ id }) => id).sort(), added.memberships.map(({ id }) => id).sort())
	})
	assert.equal(
		await codeOf(lecturer.call('addMembers', { id: blue.id, users: Array.from({ length: 101 }, () => newId()) })),
		'invalid_input',
	)
	assert.equal(await codeOf(student.call('addMembers', { id: blue.id, users: [newId()] })), 'forbidden')
})

test('[C4] a category has a name of its own, whatever its case, and is changed by who made it and by admins', async (t) => {
	const server = await startServer(t)
	const { lecturer, admin, student, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	const input = { id: newId(), name: 'Weekly talk' }
	const { category } = await lecturer.call('createCategory', input)
	await writes(server, 0, async () => assert.deepEqual((await lecturer.call('createCategory', input)).category, category))
	assert.equal(await codeOf(lecturer.call('createCategory', { ...input, name: 'Other' })), 'id_taken')
	assert.equal(await codeOf(admin.call('createCategory', { id: newId(), name: 'WEEKLY ｔａｌｋ' })), 'name_taken')
	assert.equal(await codeOf(student.call('createCategory', { id: newId(), name: 'Fun' })), 'forbidden')
	const second = (await admin.call('createCategory', { id: newId(), name: 'Grammar' })).category
	assert.equal(await codeOf(admin.call('editCategory', { id: second.id, name: 'weekly TALK' })), 'name_taken')
	assert.equal(await codeOf(lecturer.call('editCategory', { id: second.id, name: 'Rules' })), 'forbidden')
	assert.equal(await codeOf(colleague.call('editCategory', { id: category.id, status: 'archived' })), 'forbidden')
	assert.equal(await codeOf(colleague.call('editCategory', { id: newId(), name: 'x' })), 'not_found')
	await lecturer.call('editCategory', { id: category.id, name: 'WEEKLY TALK' })
	await writes(server, 0, () => lecturer.call('editCategory', { id: category.id, name: 'WEEKLY TALK', status: 'active' }))
	await admin.call('editCategory', { id: category.id, status: 'archived' })
	for (const client of [student, lecturer, admin]) {
		const { categories } = await client.call('listCategories', {})
		assert.deepEqual(Object.fromEntries(categories.map(({ name, status }) => [name, status])), {
			'WEEKLY TALK': 'archived',
			Grammar: 'active',
		})
	}
	// Two at the same moment.
	const race = await Promise.all([lecturer, admin].map((client) => codeOf(client.call('createCategory', { id: newId(), name: 'Race' }))))
	assert.deepEqual(race.sort(), ['done', 'name_taken'])
})

test('[C5] a discussion has a category in use, each tag once, and lecturers who lead it along', async (t) => {
	const server = await startServer(t)
	const { lecturer, admin, student, blue, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	const { category } = await lecturer.call('createCategory', { id: newId(), name: 'Talk' })
	const { category: old } = await admin.call('createCategory', { id: newId(), name: 'Old' })
	await admin.call('editCategory', { id: old.id, status: 'archived' })
	const base = { title: 'T', prompt: '', groups: [blue.id, blue.id] }
	const start = async (more: object) => (await lecturer.call('startDiscussion', { id: newId(), ...base, ...more })).discussion
	const full = await start({
		category: category.id,
		tags: [' speaking ', 'Speaking', 'ＳＰＥＡＫＩＮＧ', 'unit 3'],
		collaborators: [colleague.me.id, lecturer.me.id, colleague.me.id],
	})
	assert.deepEqual(full.groups, [blue.id])
	assert.equal(full.category, category.id)
	assert.deepEqual(full.tags, ['speaking', 'unit 3'])
	assert.deepEqual(full.collaborators, [colleague.me.id])
	for (const wrong of [{ category: newId() }, { category: old.id }, { collaborators: [student.me.id] }, { collaborators: [admin.me.id] }]) {
		assert.equal(await codeOf(start(wrong)), 'not_found', JSON.stringify(wrong))
		assert.equal(await codeOf(lecturer.call('editDiscussion', { id: full.id, ...wrong })), 'not_found', JSON.stringify(wrong))
	}
	assert.equal(await codeOf(start({ tags: Array.from({ length: 11 }, (_, i) => `tag ${i}`) })), 'invalid_input')
	assert.equal(await codeOf(start({ tags: ['x'.repeat(31)] })), 'invalid_input')
	// An archived category stays with its discussions, and can be left.
	await lecturer.call('editCategory', { id: category.id, status: 'archived' })
	assert.equal(
		(await lecturer.call('editDiscussion', { id: full.id, title: 'Other', category: category.id })).discussion.category,
		category.id,
	)
	assert.equal((await lecturer.call('editDiscussion', { id: full.id, category: null })).discussion.category, null)
	assert.equal(await codeOf(lecturer.call('editDiscussion', { id: full.id, category: category.id })), 'not_found')
	const { discussion } = await lecturer.call('editDiscussion', { id: full.id, tags: ['one', 'ONE', 'two'], collaborators: [] })
	assert.deepEqual([discussion.tags, discussion.collaborators], [['one', 'two'], []])
	await writes(server, 0, () =>
		lecturer.call('editDiscussion', {
			...base,
			id: full.id,
			title: 'Other',
			tags: ['one', 'two'],
			collaborators: [],
			status: 'open',
			removed: false,
		}),
	)
})

test('[C6] who collaborates leads along, but chooses no collaborators, removes nothing, and brings only groups of her own', async (t) => {
	const server = await startServer(t)
	const { lecturer, admin, student, blue, red, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	const third = await school.enter('Tina', 'lecturer')
	const green = await colleague.createGroup('Green')
	const pupil = await school.enter('Gus Green', 'student', [green], colleague)
	const both = await lecturer.startDiscussion('Both', [blue, red])
	await student.send(both, 'to blue')
	const edit = (client: Somebody, changes: object) => client.call('editDiscussion', { id: both.id, ...changes })
	assert.equal(await codeOf(edit(colleague, { title: 'Mine' })), 'not_found')
	const before = server.store.head.seq
	await edit(lecturer, { collaborators: [colleague.me.id] })
	const record = (await server.store.get('discussions', both.id))!
	assert.deepEqual([record.scopeRev, record.groupsBefore, record.leadersBefore], [before + 1, both.groups, [lecturer.me.id]])

	const seen = await colleague.call('getDiscussion', { id: both.id })
	assert.deepEqual(seen.groups.map(({ name }) => name).sort(), ['Blue', 'Red'], 'those of her colleague too')
	assert.deepEqual(seen.users.map(({ name }) => name).sort(), ['Carl', 'Lena Lecturer'])
	assert.equal((await textsOf(colleague, both.id)).length, 1)
	assert.equal((await colleague.send(both, 'from both of us')).group, null)
	await edit(colleague, { title: 'Ours', prompt: 'Together', tags: ['x'], status: 'closed' })
	await edit(colleague, { status: 'open', collaborators: [colleague.me.id], removed: false })
	assert.equal(await codeOf(edit(colleague, { collaborators: [] })), 'forbidden')
	assert.equal(await codeOf(edit(colleague, { collaborators: [colleague.me.id, third.me.id] })), 'forbidden')
	assert.equal(await codeOf(edit(colleague, { removed: true })), 'forbidden')
	const { discussion } = await edit(colleague, { groups: [green.id, blue.id] })
	assert.deepEqual(discussion.groups, [green.id, blue.id])
	assert.equal(await codeOf(edit(colleague, { groups: [green.id, blue.id, red.id] })), 'not_found', 'not her group')
	assert.equal((await pupil.call('getDiscussion', { id: both.id })).groups.map(({ name }) => name).join(), 'Green')
	assert.equal((await pupil.send(both, 'to green')).group, green.id)
	await edit(lecturer, { collaborators: [third.me.id] })
	assert.equal(await codeOf(colleague.call('getDiscussion', { id: both.id })), 'not_found')
	assert.equal(await codeOf(edit(colleague, { title: 'Mine' })), 'not_found')
	assert.equal((await discussionsOf(third)).length, 1)
	await admin.call('setStatus', { id: third.me.id, status: 'deactivated' })
	assert.equal(await codeOf(edit(lecturer, { title: 'Without Tina' })), 'done')
})

test('[C7] while a discussion is removed only its lecturers see it; put back, it is what it was', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, blue, discussion, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	await lecturer.call('editDiscussion', { id: discussion.id, collaborators: [colleague.me.id] })
	const message = await student.send(discussion, 'Hello')
	const { discussion: gone } = await lecturer.call('editDiscussion', { id: discussion.id, removed: true })
	assert.equal(gone.removed?.by, lecturer.me.id)
	const record = (await server.store.get('discussions', discussion.id))!
	assert.deepEqual([record.groupsBefore, record.leadersBefore], [[blue.id], [lecturer.me.id, colleague.me.id]])
	await writes(server, 0, async () => {
		const again = await lecturer.call('editDiscussion', { id: discussion.id, removed: true })
		assert.deepEqual(again.discussion.removed, gone.removed)
	})
	const { id } = discussion
	for (const ask of [
		() => student.call('getDiscussion', { id }),
		() => student.call('listMessages', { id }),
		() => student.call('listParticipants', { id }),
		() => student.call('setRead', { id, upTo: 1 }),
		() => student.call('getMessage', { id: message.id }),
		() => student.send(discussion, 'Is anybody here?'),
	]) {
		assert.equal(await codeOf(ask()), 'not_found')
	}
	assert.deepEqual(await discussionsOf(student), [])
	for (const client of [lecturer, colleague]) {
		assert.deepEqual(
			(await discussionsOf(client)).map(({ removed }) => removed),
			[gone.removed],
		)
		assert.equal((await textsOf(client, id)).length, 1)
	}
	assert.equal(await codeOf(colleague.call('editDiscussion', { id, removed: false })), 'forbidden')
	await lecturer.call('editDiscussion', { id, title: 'Better', removed: false })
	assert.deepEqual((await server.store.get('discussions', id))!.groupsBefore, [])
	assert.deepEqual(
		(await discussionsOf(student)).map(({ title, removed }) => [title, removed]),
		[['Better', null]],
	)
	assert.equal((await textsOf(student, id))[0], 'Hello')
	// Closed and archived ones stay in sight.
	for (const status of ['archived', 'closed'] as const) {
		await lecturer.call('editDiscussion', { id, status })
		assert.equal((await discussionsOf(student))[0]!.status, status)
		assert.equal(await codeOf(student.send(discussion, 'x')), 'discussion_closed')
	}
})

test('[C8] starting a discussion again gives the one there is; one that comes back after a restore does without what was lost', async (t) => {
	const server = await startServer(t)
	const { lecturer, blue, school } = await openClass(server)
	const colleague = await school.enter('Carl', 'lecturer')
	const { category } = await lecturer.call('createCategory', { id: newId(), name: 'Talk' })
	const input = {
		id: newId(),
		title: 'T',
		prompt: 'P',
		groups: [blue.id],
		category: category.id,
		tags: ['a'],
		collaborators: [colleague.me.id],
	}
	const { discussion } = await lecturer.call('startDiscussion', input)
	await lecturer.call('editDiscussion', { id: input.id, title: 'Edited', removed: true })
	await writes(server, 0, async () => assert.equal((await lecturer.call('startDiscussion', input)).discussion.title, 'Edited'))
	for (const change of [{ category: null }, { tags: [] }, { collaborators: [] }, { groups: [] }]) {
		assert.notEqual(await codeOf(lecturer.call('startDiscussion', { ...input, ...change })), 'done')
	}
	assert.equal(discussion.title, 'T')
	const lost = { ...input, id: newId(), category: newId(), collaborators: [newId(), colleague.me.id] }
	const { results } = await lecturer.call('offerAgain', { commands: [{ command: 'startDiscussion', input: lost }] })
	assert.equal(results[0]!.outcome, 'done')
	const back = (await lecturer.call('getDiscussion', { id: lost.id })).discussion
	assert.deepEqual([back.category, back.collaborators, back.tags], [null, [colleague.me.id], ['a']])
	await writes(server, 0, () => lecturer.call('startDiscussion', lost))
})
