/**
 * Who may do what, as a table: every kind of person × every endpoint × the live stream × pages.
 * A new endpoint that stands in no row is a type error.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type ApiName, type ErrorCode, errorCodes, type Input } from '../../protocol/api.ts'
import type { Group, Message } from '../../protocol/model.ts'
import { openClass, password, Somebody } from '../support/class.ts'
import { assertSame, codeOf, newId, View } from '../support/client.ts'
import { type Server, startServer } from '../support/server.ts'

const people = [
	'stranger',
	'pending',
	'rejected',
	'deactivated',
	'student',
	'classmate',
	'outsider',
	'lecturer',
	'colleague',
	'admin',
] as const
type Who = (typeof people)[number]

const outcomes: Record<string, 'done' | ErrorCode> = {
	'.': 'done',
	S: 'not_signed_in',
	P: 'account_pending',
	R: 'account_rejected',
	D: 'account_deactivated',
	f: 'forbidden',
	n: 'not_found',
	w: 'wrong_credentials',
	u: 'already_set_up',
}

/** A school with one of everybody. `student` and `classmate` learn in blue, `outsider` in red; `colleague` teaches elsewhere. */
async function openEverybody(server: Server) {
	const room = await openClass(server)
	const { school, admin, lecturer, blue, student, other: outsider } = room
	const classmate = await school.enter('Cleo Classmate', 'student', [blue], lecturer)
	const colleague = await school.enter('Carl Colleague', 'lecturer')
	const stranger = new Somebody(server.origin)
	const [pending, rejected, deactivated] = await Promise.all(
		['Pia', 'Rolf', 'Dora'].map((name) => new Somebody(server.origin).register(name, 'student')),
	)
	await admin.call('setStatus', { id: rejected!.me.id, status: 'rejected', reason: 'Not of this school' })
	await admin.call('setStatus', { id: deactivated!.me.id, status: 'deactivated' })
	const everybody = { stranger, pending, rejected, deactivated, student, classmate, outsider, lecturer, colleague, admin } as Record<
		Who,
		Somebody
	>
	return { ...room, everybody }
}
type Everybody = Awaited<ReturnType<typeof openEverybody>>

let all: Everybody
let server: Server

const now = () => new Date().toISOString()
const hers = () => all.student.send(all.discussion, 'Hers')
const newcomer = async () => (await all.school.enter(`New ${newId()}`, 'student')).me.id

/** For each endpoint: who gets what (in the order of `people`), and what is asked, made anew for each. */
const table: { [N in ApiName]: [string, (who: Somebody) => Promise<Input<N>> | Input<N>] } = {
	status: /*            */ ['. . . .  . . . . . .', () => ({})],
	setUp: /*             */ ['u u u u  u u u u u u', () => ({ token: 'x', name: 'Eve', email: 'eve@school.example', password })],
	register: /*          */ ['. . . .  . . . . . .', () => ({ role: 'student', name: 'New', email: `${newId()}@school.example`, password })],
	signIn: /*            */ ['w . . D  . . . . . .', ({ me }) => ({ email: me?.email ?? 'nobody@school.example', password })],
	listSessions: /*      */ ['S . . D  . . . . . .', () => ({})],
	endSession: /*        */ ['S n n D  n n n n n n', () => ({ id: newId() })],
	me: /*                */ ['S . . D  . . . . . .', () => ({})],
	listUsers: /*         */ ['S P R D  f f f f f .', () => ({})],
	setStatus: /*         */ ['S P R D  f f f f f .', async () => ({ id: await newcomer(), status: 'deactivated' })],
	findPeople: /*        */ ['S P R D  f f f . . .', () => ({ query: 'sa' })],
	listGroups: /*        */ ['S P R D  . . . . . .', () => ({})],
	createGroup: /*       */ ['S P R D  f f f . . .', () => ({ id: newId(), name: 'Green' })],
	renameGroup: /*       */ ['S P R D  f f f . n .', () => ({ id: all.blue.id, name: 'Azure' })],
	listMembers: /*       */ ['S P R D  f f f . n .', () => ({ id: all.blue.id })],
	addMember: /*         */ ['S P R D  f f f . n .', async () => ({ id: all.blue.id, user: await newcomer() })],
	removeMember: /*      */ ['S P R D  f f f . n .', async () => ({ id: all.blue.id, user: await newcomer() })],
	listDiscussions: /*   */ ['S P R D  . . . . . f', () => ({})],
	getDiscussion: /*     */ ['S P R D  . . n . n f', () => ({ id: all.discussion.id })],
	startDiscussion: /*   */ ['S P R D  f f f . n f', () => ({ id: newId(), title: 'New', prompt: '', groups: [all.blue.id] })],
	editDiscussion: /*    */ ['S P R D  f f f . n f', () => ({ id: all.discussion.id, title: 'Other' })],
	listMessages: /*      */ ['S P R D  . . n . n f', () => ({ id: all.discussion.id })],
	getMessage: /*        */ ['S P R D  . . n . n f', async () => ({ id: (await hers()).id })],
	sendMessage: /*       */ ['S P R D  . . n . n f', () => ({ id: newId(), discussion: all.discussion.id, text: 'Hi', writtenAt: now() })],
	editMessage: /*       */ ['S P R D  . f n f n f', async () => ({ id: (await hers()).id, edit: newId(), text: 'Edited' })],
	setRemoved: /*        */ ['S P R D  . f n . n f', async () => ({ id: (await hers()).id, removed: true })],
	listEdits: /*         */ ['S P R D  . f n . n f', async () => ({ id: (await hers()).id })],
	offerAgain: /*        */ [
		'S P R D  . . . . . f',
		async () => ({ commands: [{ command: 'setRemoved', input: { id: newId(), removed: true } }] }),
	],
	// Last: it ends their sessions.
	signOut: /*           */ ['S . . .  . . . . . .', () => ({})],
}

before(async (t) => {
	server = await startServer(t as never)
	all = await openEverybody(server)
})

/** The same browser, so that what a call does to its cookie stays with the copy. */
function copyOf(somebody: Somebody): Somebody {
	const copy = new Somebody(somebody.origin)
	copy.cookie = somebody.cookie
	copy.me = somebody.me
	return copy
}

test('[A1] every refusal has the status of its code', async () => {
	const response = await all.everybody.stranger.request('me', {})
	assert.equal(response.status, errorCodes.not_signed_in)
	assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
})

/** Texts on the page of a discussion; null: she doesn't see it. */
async function textsFor(somebody: Somebody, discussion: string): Promise<(string | null)[] | string> {
	try {
		return (await somebody.call('listMessages', { id: discussion })).messages.map(({ text }) => text)
	} catch (error) {
		return (error as Error).message.split(':')[0]!
	}
}

/** A discussion of two groups with one message for each kind of reader. */
async function fill(lecturer: Somebody, student: Somebody, outsider: Somebody, groups: readonly [Group, Group]) {
	const discussion = await lecturer.startDiscussion('Both', groups)
	const messages: Record<string, Message> = {}
	messages.all = await lecturer.send(discussion, 'for all', { group: null })
	messages.blue = await lecturer.send(discussion, 'for blue', { group: groups[0].id })
	messages.red = await lecturer.send(discussion, 'for red', { group: groups[1].id })
	messages.student = await student.send(discussion, 'by the student')
	messages.outsider = await outsider.send(discussion, 'by the outsider')
	messages.gone = await student.send(discussion, 'removed by the student')
	await student.call('setRemoved', { id: messages.gone.id, removed: true })
	messages.struck = await student.send(discussion, 'removed by the lecturer')
	await lecturer.call('setRemoved', { id: messages.struck.id, removed: true })
	return { discussion, messages }
}

const blueTexts = ['for all', 'for blue', 'by the student']
const pages: Record<Who, (string | null)[] | string> = {
	stranger: 'not_signed_in',
	pending: 'account_pending',
	rejected: 'account_rejected',
	deactivated: 'account_deactivated',
	student: [...blueTexts, 'removed by the student', null],
	classmate: [...blueTexts, null, null],
	outsider: ['for all', 'for red', 'by the outsider'],
	lecturer: ['for all', 'for blue', 'for red', 'by the student', 'by the outsider', 'removed by the student', 'removed by the lecturer'],
	colleague: 'not_found',
	admin: 'forbidden',
}

test('[A2] a page shows each reader the messages for her, and removed texts only to those who may put them back', async () => {
	const { lecturer, student, everybody, blue, red } = all
	const { discussion } = await fill(lecturer, student, everybody.outsider, [blue, red])
	const shown: Record<string, unknown> = {}
	for (const who of people) shown[who] = await textsFor(everybody[who], discussion.id)
	assert.deepEqual(shown, pages)
})

for (const [name, [expected, input]] of Object.entries(table) as [ApiName, (typeof table)[ApiName]][]) {
	test(`[A1] ${name} is for those in the table`, async () => {
		const row: Record<string, string> = {}
		for (const who of people) {
			const asked = await input(all.everybody[who])
			const client = copyOf(all.everybody[who])
			row[who] = await codeOf(client.call(name, asked as never))
		}
		const wanted = expected.split(/ +/).map((letter) => outcomes[letter])
		assert.deepEqual(row, Object.fromEntries(people.map((who, i) => [who, wanted[i]])))
	})
}

test('[A3] the live stream brings each reader what pages show her, and nothing else', async (t) => {
	const server = await startServer(t)
	const { everybody, lecturer, student, blue, red, admin, school } = await openEverybody(server)
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
	const { discussion, messages } = await fill(lecturer, student, everybody.outsider, [blue, red])
	await lecturer.call('renameGroup', { id: blue.id, name: 'Azure' })
	const joined = await school.enter('Nina New', 'student', [blue], lecturer)
	await admin.call('setStatus', { id: everybody.pending.me.id, status: 'pending', reason: 'soon' })

	const seen: Record<string, unknown> = {}
	for (const who of people) {
		const view = views[who]
		if (!view) continue
		await assertSame(everybody[who], view, school.seq)
		seen[who] = {
			messages: [...view.records.messages.values()].map((message) => (message as unknown as Message).text).length,
			groups: view.records.groups.size,
			users: [
				...new Set(heard[who]!.changes.flatMap((change) => ('put' in change && change.put === 'users' ? [change.record.name] : []))),
			].sort(),
			memberships: heard[who]!.changes.filter((change) => 'put' in change && change.put === 'memberships').length,
		}
	}
	const none = { messages: 0, groups: 0, users: [], memberships: 0 }
	assert.deepEqual(seen, {
		pending: { ...none, users: ['Pia'] },
		rejected: none,
		student: { ...none, messages: 5, groups: 1 },
		classmate: { ...none, messages: 5, groups: 1 },
		outsider: { ...none, messages: 3, groups: 1 },
		lecturer: { ...none, messages: 7, groups: 2, memberships: 1 },
		colleague: none,
		admin: { ...none, groups: 2, memberships: 1, users: ['Nina New', 'Pia'] },
	})
	for (const listening of Object.values(heard)) {
		const leaked = JSON.stringify(listening!.frames.filter((frame) => frame.t === 'changes'))
		assert.ok(!leaked.includes('bodyHash') && !leaked.includes('scopeRev":null') && !leaked.includes('tokenHash'))
	}
	assert.ok(joined.me.id && discussion.id && messages.gone)
	assert.deepEqual(server.trouble, [])
})
