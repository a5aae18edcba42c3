/**
 * Who may do what, as a table: every kind of person × every endpoint. A new endpoint that stands in
 * no row is a type error. What pages, files and the live stream show is in access-sight.test.ts.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type ApiName, type ErrorCode, errorCodes, type Input } from '../../protocol/api.ts'
import { password, type Somebody } from '../support/class.ts'
import { codeOf, newId } from '../support/client.ts'
import { copyOf, dot, type Everybody, newcomer, openEverybody, people } from '../support/everybody.ts'
import { startServer } from '../support/server.ts'

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
	b: 'backup_busy',
}

let all: Everybody

const now = () => new Date().toISOString()
const hers = () => all.student.send(all.discussion, 'Hers')
const herFile = async () => {
	const id = await all.student.upload()
	await all.student.send(all.discussion, 'See', { uploads: [id] })
	return id
}
const herPicture = async () => {
	const id = await all.student.upload('photo.png', dot)
	await all.student.send(all.discussion, 'See', { uploads: [id] })
	return id
}
const stranger = () => newcomer(all)

type Row<N extends ApiName> = [string, (who: Somebody) => Promise<Input<N>> | Input<N>]

/**
 * For each endpoint: who gets what (in the order of `people`: stranger pending rejected deactivated, student classmate outsider,
 * lecturer collaborator colleague, admin inspector), and what is asked, made anew for each.
 */
const table: { [N in ApiName]: Row<N> } = {
	status: /*            */ ['. . . .  . . .  . . .  . .', () => ({})],
	setUp: /*             */ ['u u u u  u u u  u u u  u u', () => ({ token: 'x', name: 'Eve', email: 'eve@school.example', password })],
	register: /*          */ [
		'. . . .  . . .  . . .  . .',
		() => ({ role: 'student', name: 'New', email: `${newId()}@school.example`, number: '7', password }),
	],
	findLecturers: /*     */ ['. . . .  . . .  . . .  . .', () => ({ query: 'lena' })],
	signIn: /*            */ ['w . . D  . . .  . . .  . .', ({ me }) => ({ email: me?.email ?? 'nobody@school.example', password })],
	useHelpLink: /*       */ [
		'. . . .  . . .  . . .  . .',
		async () => ({ token: (await all.admin.call('createHelpLink', { id: await stranger() })).token, password: 'quite another' }),
	],
	listSessions: /*      */ ['S . . D  . . .  . . .  . .', () => ({})],
	endSession: /*        */ ['S n n D  n n n  n n n  n n', () => ({ id: newId() })],
	endOtherSessions: /*  */ ['S . . D  . . .  . . .  . .', () => ({})],
	me: /*                */ ['S . . D  . . .  . . .  . .', () => ({})],
	editMe: /*            */ ['S . . D  . . .  . . .  . .', ({ me }) => ({ name: me?.name ?? 'Nobody' })],
	changePassword: /*    */ ['S . . D  . . .  . . .  . .', () => ({ current: password, password })],

	listUsers: /*         */ ['S P R D  f f f  f f f  . .', () => ({})],
	setStatus: /*         */ ['S P R D  f f f  f f f  . .', async () => ({ id: await stranger(), status: 'deactivated' })],
	decide: /*            */ ['S P R D  f f f  f f f  . .', async () => ({ ids: [await stranger()], status: 'rejected' })],
	setRole: /*           */ ['S P R D  f f f  f f f  . .', async () => ({ id: await newcomer(all, 'lecturer'), role: 'admin' })],
	createHelpLink: /*    */ ['S P R D  f f f  f f f  . .', async () => ({ id: await stranger() })],
	eraseUser: /*         */ ['S P R D  f f f  f f f  . .', async () => ({ id: await stranger() })],
	findPeople: /*        */ ['S P R D  f f f  . . .  . .', () => ({ query: 'sa' })],

	listGroups: /*        */ ['S P R D  . . .  . . .  . .', () => ({})],
	createGroup: /*       */ ['S P R D  f f f  . . .  . .', () => ({ id: newId(), name: 'Green' })],
	editGroup: /*         */ ['S P R D  f f f  . n n  . .', () => ({ id: all.blue.id, name: 'Azure' })],
	listMembers: /*       */ ['S P R D  f f f  . n n  . .', () => ({ id: all.blue.id })],
	addMember: /*         */ ['S P R D  f f f  . n n  . .', async () => ({ id: all.blue.id, user: await stranger() })],
	addMembers: /*        */ ['S P R D  f f f  . n n  . .', async () => ({ id: all.blue.id, users: [await stranger()] })],
	removeMember: /*      */ ['S P R D  f f f  . n n  . .', async () => ({ id: all.blue.id, user: await stranger() })],
	listCategories: /*    */ ['S P R D  . . .  . . .  . .', () => ({})],
	createCategory: /*    */ ['S P R D  f f f  . . .  . .', () => ({ id: newId(), name: `About ${newId()}` })],
	editCategory: /*      */ [
		'S P R D  f f f  . f f  . .',
		async () => {
			const { category } = await all.lecturer.call('createCategory', { id: newId(), name: `About ${newId()}` })
			return { id: category.id, status: 'archived' }
		},
	],

	listDiscussions: /*   */ ['S P R D  . . .  . . .  f f', () => ({})],
	getDiscussion: /*     */ ['S P R D  . . n  . . n  n .', () => ({ id: all.discussion.id })],
	startDiscussion: /*   */ ['S P R D  f f f  . n n  f f', () => ({ id: newId(), title: 'New', prompt: '', groups: [all.blue.id] })],
	editDiscussion: /*    */ ['S P R D  f f f  . . n  f f', () => ({ id: all.discussion.id, title: 'Other' })],
	listParticipants: /*  */ ['S P R D  . . n  . . n  n .', () => ({ id: all.discussion.id })],
	listFiles: /*         */ ['S P R D  . . n  . . n  n .', () => ({ id: all.discussion.id })],
	setRead: /*           */ ['S P R D  . . n  . . n  f f', () => ({ id: all.discussion.id, upTo: 1 })],
	listAllDiscussions: /**/ ['S P R D  f f f  f f f  . .', () => ({})],
	inspect: /*           */ [
		'S P R D  f f f  f f f  . .',
		// Another discussion, so that the admin who looks into none stays so.
		async () => ({ id: newId(), discussion: (await all.lecturer.startDiscussion('Aside', [all.blue])).id, reason: 'A parent asked' }),
	],
	listInspections: /*   */ ['S P R D  f f f  . . n  . .', () => ({ id: all.discussion.id })],

	listMessages: /*      */ ['S P R D  . . n  . . n  n .', () => ({ id: all.discussion.id })],
	getMessage: /*        */ ['S P R D  . . n  . . n  n .', async () => ({ id: (await hers()).id })],
	sendMessage: /*       */ [
		'S P R D  . . n  . . n  f f',
		() => ({ id: newId(), discussion: all.discussion.id, text: 'Hi', writtenAt: now() }),
	],
	editMessage: /*       */ ['S P R D  . f n  f f n  f f', async () => ({ id: (await hers()).id, edit: newId(), text: 'Edited' })],
	setRemoved: /*        */ ['S P R D  . f n  . . n  f f', async () => ({ id: (await hers()).id, removed: true })],
	listEdits: /*         */ ['S P R D  . f n  . . n  f f', async () => ({ id: (await hers()).id })],
	sendFile: /*          */ ['S . . D  . . .  . . .  . .', () => ({ id: newId(), name: 'face.png', purpose: 'avatar' })],
	getFile: /*           */ ['S n n D  . . n  . . n  n .', async () => ({ id: await herFile() })],
	getThumbnail: /*      */ ['S n n D  . . n  . . n  n .', async () => ({ id: await herPicture(), size: 'small' })],
	offerAgain: /*        */ [
		'S P R D  . . .  . . .  f f',
		async () => ({ commands: [{ command: 'setRemoved', input: { id: newId(), removed: true } }] }),
	],
	listBackups: /*       */ ['S P R D  f f f  f f f  . .', () => ({})],
	// The first admin's runs still when the second comes.
	startBackup: /*       */ ['S P R D  f f f  f f f  . b', () => ({})],
	proveBackup: /*       */ ['S P R D  f f f  f f f  n n', () => ({ name: '20250121_143000' })],
	allowDownload: /*     */ ['S P R D  f f f  f f f  n n', () => ({ name: '20250121_143000', password })],
	downloadBackup: /*    */ ['S P R D  f f f  f f f  n n', () => ({ name: '20250121_143000', ticket: 'x' })],
	// Last: it ends their sessions.
	signOut: /*           */ ['S . . .  . . .  . . .  . .', () => ({})],
}

before(async (t) => {
	all = await openEverybody(await startServer(t as never))
})

test('[A1] every refusal has the status of its code', async () => {
	const response = await all.everybody.stranger.request('me', {})
	assert.equal(response.status, errorCodes.not_signed_in)
	assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
})

for (const [name, [expected, input]] of Object.entries(table) as [ApiName, (typeof table)[ApiName]][]) {
	test(`[A1] ${name} is for those in the table`, async () => {
		const row: Record<string, string> = {}
		for (const who of people) {
			const asked = await input(all.everybody[who])
			const client = copyOf(all.everybody[who])
			row[who] = await codeOf(client.call(name, asked as never, dot))
		}
		const wanted = expected.split(/ +/).map((letter) => outcomes[letter])
		assert.deepEqual(row, Object.fromEntries(people.map((who, i) => [who, wanted[i]])))
	})
}
