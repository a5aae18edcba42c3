/**
 * Who sees what: every kind of person × pages, participants, files and the live stream, which must say the same.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Message } from '../../protocol/model.ts'
import type { Somebody } from '../support/class.ts'
import { assertSame, codeOf, newId, View } from '../support/client.ts'
import { dot, type Everybody, fill, openEverybody, people, type Who } from '../support/everybody.ts'
import { type Server, startServer } from '../support/server.ts'

let server: Server
let all: Everybody
let both: Awaited<ReturnType<typeof fill>>

before(async (t) => {
	server = await startServer(t as never)
	all = await openEverybody(server)
	both = await fill(all)
})

/** What she is answered, or the code of the refusal. */
async function shownTo<T>(who: Who, ask: (somebody: Somebody) => Promise<T>): Promise<T | string> {
	let shown: T | string = ''
	const code = await codeOf(
		ask(all.everybody[who]).then((answer) => {
			shown = answer
		}),
	)
	return code === 'done' ? shown : code
}

async function everybodyIsShown<T>(ask: (somebody: Somebody) => Promise<T>): Promise<Record<Who, T | string>> {
	const shown = {} as Record<Who, T | string>
	for (const who of people) shown[who] = await shownTo(who, ask)
	return shown
}

const refused = {
	stranger: 'not_signed_in',
	pending: 'account_pending',
	rejected: 'account_rejected',
	deactivated: 'account_deactivated',
	colleague: 'not_found',
	admin: 'not_found',
}
const blueTexts = ['for all', 'for blue', 'by the student']
const allTexts = [...blueTexts.slice(0, 2), 'for red', 'by the student', 'by the outsider']
const everything = [...allTexts, 'removed by the student', 'removed by the lecturer']

test('[A2] a page shows each reader the messages for her, and removed texts only to those who may put them back', async () => {
	const { id } = both.discussion
	assert.deepEqual(await everybodyIsShown(async (reader) => (await reader.call('listMessages', { id })).messages.map(({ text }) => text)), {
		...refused,
		student: [...blueTexts, 'removed by the student', null],
		classmate: [...blueTexts, null, null],
		outsider: ['for all', 'for red', 'by the outsider'],
		lecturer: everything,
		collaborator: everything,
		inspector: [...allTexts, null, null],
	})
})

/** The names of files that messages show. */
const namesIn = (messages: readonly Message[]) => messages.flatMap(({ attachments }) => attachments.map(({ name }) => name))
const blueFiles = ['all.txt', 'blue.txt', 'student.txt']
const allFiles = [...blueFiles.slice(0, 2), 'red.txt', 'student.txt', 'outsider.txt']
const filesShown = {
	...refused,
	student: [...blueFiles, 'gone.txt'],
	classmate: blueFiles,
	outsider: ['all.txt', 'red.txt', 'outsider.txt'],
	lecturer: [...allFiles, 'gone.txt', 'struck.txt'],
	collaborator: [...allFiles, 'gone.txt', 'struck.txt'],
	inspector: allFiles,
}

test('[A2] messages, their list of files and the files themselves are shown to the same people', async () => {
	const { discussion, messages } = both
	const { id } = discussion
	assert.deepEqual(await everybodyIsShown(async (reader) => namesIn((await reader.call('listMessages', { id })).messages)), filesShown)
	assert.deepEqual(
		await everybodyIsShown(async (reader) => namesIn((await reader.call('listFiles', { id })).messages.toReversed())),
		filesShown,
	)
	// As their lecturer sees them.
	const page = (await all.lecturer.call('listMessages', { id })).messages
	const fetched: Record<string, string[]> = {}
	for (const who of people) {
		fetched[who] = []
		for (const { attachments, author } of page) {
			const code = await codeOf(all.everybody[who].call('getFile', { id: attachments[0]!.id }))
			if (code === 'done') fetched[who].push(attachments[0]!.name)
			else if (who in refused) assert.equal(code, /stranger|deactivated/.test(who) ? refused[who as 'stranger'] : 'not_found', who)
			else assert.equal(code, 'not_found', who)
			assert.ok(code === 'done' || author !== all.everybody[who].me?.id, 'who sent a file gets it')
		}
	}
	const nothing = Object.fromEntries(Object.keys(refused).map((who) => [who, []]))
	assert.deepEqual(fetched, { ...filesShown, ...nothing, student: [...blueFiles, 'gone.txt', 'struck.txt'] })
	assert.ok(messages.struck)
})

test('[A2] a file that stands nowhere, stood in a picture before, or stands in a discussion that was removed is for its owner', async () => {
	const { everybody, lecturer, student, blue } = all
	const gets = async (id: string) => {
		const got: Who[] = []
		for (const who of people) if ((await codeOf(everybody[who].call('getFile', { id }))) === 'done') got.push(who)
		return got
	}
	assert.deepEqual(await gets(await student.upload()), ['student'])
	const discussion = await lecturer.startDiscussion('Passing', [blue])
	const shown = await student.upload()
	await student.send(discussion, 'See', { uploads: [shown] })
	assert.deepEqual(await gets(shown), ['student', 'classmate', 'lecturer'])
	await lecturer.call('editDiscussion', { id: discussion.id, removed: true })
	assert.deepEqual(await gets(shown), ['student', 'lecturer'])
	const [first, second] = [await student.upload('a.png', dot, 'avatar'), await student.upload('b.png', dot, 'avatar')]
	await student.call('editMe', { avatar: first })
	const approved = people.filter((who) => !/stranger|pending|rejected|deactivated/.test(who))
	assert.deepEqual(await gets(first), approved)
	await student.call('editMe', { avatar: second })
	assert.deepEqual([await gets(first), await gets(second)], [['student'], approved])
	await student.call('editMe', { avatar: null })
	assert.deepEqual(await gets(second), ['student'])
})

test('[A2] a message takes files of its writer, once, and a picture only one of its owner', async () => {
	const { student, lecturer, classmate, discussion } = { ...all, classmate: all.everybody.classmate }
	const theirs = await classmate.upload()
	assert.equal(await codeOf(student.send(discussion, 'Not mine', { uploads: [theirs] })), 'upload_unknown')
	assert.equal(await codeOf(lecturer.send(discussion, 'Not mine', { uploads: [theirs] })), 'upload_unknown')
	const face = await classmate.upload('face.png', dot, 'avatar')
	assert.equal(await codeOf(student.call('editMe', { avatar: face })), 'upload_unknown')
	assert.equal(await codeOf(classmate.send(discussion, 'A picture of me', { uploads: [face] })), 'upload_unknown')
	assert.equal(await codeOf(classmate.call('editMe', { avatar: theirs })), 'upload_unknown')
	await classmate.send(discussion, 'Mine', { uploads: [theirs] })
	assert.equal(await codeOf(classmate.send(discussion, 'Again', { uploads: [theirs] })), 'upload_unknown')
})

test('[A2] people of a discussion are shown as far as a reader sees them, its lecturers first', async () => {
	const { id } = both.discussion
	const shown = await everybodyIsShown(async (reader) => {
		const { users, total } = await reader.call('listParticipants', { id })
		assert.equal(users.length, total)
		const names = users.map(({ name }) => name.split(' ')[0]!)
		return [...names.slice(0, 2).sort(), ...names.slice(2).sort()]
	})
	const leaders = ['Cora', 'Lena']
	const [blue, red, whole] = [['Cleo', 'Sari'], ['Otto'], ['Cleo', 'Otto', 'Sari']].map((names) => [...leaders, ...names])
	assert.deepEqual(shown, {
		...refused,
		...{ student: blue, classmate: blue, outsider: red, lecturer: whole, collaborator: whole, inspector: whole },
	})
	const { users } = await all.student.call('listParticipants', { id })
	assert.ok(users.every((card) => !('email' in card) && !('number' in card)))
})

test('[A3] the live stream brings each reader what pages show her, and nothing else', async (t) => {
	const server = await startServer(t)
	const all = await openEverybody(server)
	const { everybody, lecturer, student, blue, admin, school } = all
	const views: Partial<Record<Who, View>> = {}
	const heard: Partial<Record<Who, ReturnType<View['listen']>>> = {}
	for (const who of people.filter((who) => who !== 'stranger' && who !== 'deactivated')) {
		views[who] = new View(everybody[who])
		heard[who] = await views[who].open()
	}
	for (const who of ['stranger', 'deactivated'] as const) {
		const listening = everybody[who].listen(null)
		assert.equal((await listening.end()).code, 4401)
		assert.deepEqual(listening.changes, [])
	}
	const { discussion, messages } = await fill(all)
	await lecturer.call('editGroup', { id: blue.id, name: 'Azure' })
	const { category } = await lecturer.call('createCategory', { id: newId(), name: 'Stories' })
	await lecturer.call('editDiscussion', { id: discussion.id, category: category.id, tags: ['past tense'] })
	await student.call('setRead', { id: discussion.id, upTo: messages.blue!.seq })
	await student.call('editMe', { name: 'Sari Renamed' })
	await school.enter('Nina New', 'student', [blue], lecturer)
	await admin.call('setStatus', { id: everybody.pending.me.id, status: 'pending', reason: 'soon' })

	const seen: Record<string, unknown> = {}
	for (const who of people) {
		const view = views[who]
		if (!view) continue
		await assertSame(everybody[who], view, school.seq)
		const changes = heard[who]!.changes
		const put = (collection: string) => changes.filter((change) => 'put' in change && change.put === collection).length
		seen[who] = {
			messages: view.records.messages.size,
			groups: view.records.groups.size,
			categories: view.records.categories.size,
			reads: put('reads'),
			memberships: put('memberships'),
			users: [...new Set(changes.flatMap((change) => ('put' in change && change.put === 'users' ? [change.record.name] : [])))].sort(),
		}
	}
	const none = { messages: 0, groups: 0, categories: 0, reads: 0, memberships: 0, users: [] as string[] }
	const inSchool = { ...none, categories: 1 }
	const inAdmin = { ...inSchool, groups: 2, memberships: 1 }
	const admins = ['Ines Inspector', 'Nina New', 'Pia', 'Sari Renamed']
	assert.deepEqual(seen, {
		pending: { ...none, users: ['Pia'] },
		rejected: none,
		student: { ...inSchool, messages: 5, groups: 1, reads: 1, users: ['Sari Renamed'] },
		classmate: { ...inSchool, messages: 5, groups: 1, users: ['Sari Renamed'] },
		outsider: { ...inSchool, messages: 3, groups: 1 },
		lecturer: { ...inSchool, messages: 7, groups: 2, memberships: 1, users: ['Sari Renamed'] },
		collaborator: { ...inSchool, messages: 7, groups: 2, users: ['Sari Renamed'] },
		colleague: inSchool,
		admin: { ...inAdmin, users: admins },
		inspector: { ...inAdmin, users: admins },
	})
	for (const listening of Object.values(heard)) {
		const leaked = JSON.stringify(listening!.frames.filter((frame) => frame.t === 'changes'))
		assert.doesNotMatch(leaked, /bodyHash|scopeRev":null|tokenHash|sha256|cardRev|Before"/)
	}
	assert.deepEqual(server.trouble, [])
})
