/**
 * One's own account: registering with lecturers, editing it, passwords, sessions, the help link.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultRates } from '../../backend/src/rates.ts'
import { parseCursor } from '../../protocol/model.ts'
import { openClass, openSchool, password, Somebody } from '../support/class.ts'
import { Client, codeOf, newId, type Refused } from '../support/client.ts'
import { type Server, startServer } from '../support/server.ts'

const newcomer = { role: 'student', name: 'Sari', number: '7', password } as const
const address = () => `${newId()}@school.example`
const problemOf = async (promise: Promise<unknown>) => {
	try {
		return { done: await promise }
	} catch (error) {
		return (error as Refused).problem
	}
}

/** An upload's record, as sending a picture leaves it. */
async function picture({ store }: Server, owner: string, purpose: 'avatar' | 'message' = 'avatar'): Promise<string> {
	const id = newId()
	const seen = { kind: 'image' as const, name: 'me.png', type: 'image/png', sizeBytes: 68, width: 1, height: 1 }
	await store.write(owner, (tx) =>
		tx.put('uploads', { id, ...seen, owner, purpose, file: `avatar-${id}.png`, sha256: id, sentDigest: id } as never),
	)
	return id
}

test('[A20] a student registers with her lecturers: those who are approved, each once', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const [lena, mia] = [await school.enter('Lena', 'lecturer'), await school.enter('Mia', 'lecturer')]
	const waiting = await new Somebody(server.origin).register('Wanda', 'lecturer')
	const student = await school.enter('Otto', 'student')
	const lecturers = [mia.me.id, waiting.me.id, lena.me.id, student.me.id, school.admin.me.id, newId(), mia.me.id]
	const input = { ...newcomer, email: address(), lecturers }
	const client = new Client(server.origin)
	const { me } = await client.call('register', input)
	assert.deepEqual([me.lecturers, me.number, me.status, me.avatar], [[mia.me.id, lena.me.id], '7', 'pending', null])
	assert.equal((await new Client(server.origin).call('register', input)).me.id, me.id, 'the same words again')
	assert.equal(await codeOf(client.call('register', { ...input, lecturers: [] })), 'email_taken')
	const teacher = await client.call('register', { ...input, role: 'lecturer', email: address() })
	assert.deepEqual([teacher.me.lecturers, teacher.me.number], [[], '7'])
	assert.equal(await codeOf(client.call('register', { ...input, email: address(), number: ' ' })), 'invalid_input')
	assert.equal(await codeOf(client.call('register', { ...input, email: address(), lecturers: Array(21).fill(mia.me.id) })), 'invalid_input')
})

test('[A21] strangers find the names of approved lecturers, and nothing else of them', async (t) => {
	const server = await startServer(t, { rates: { ...defaultRates, lookups: { burst: 12, perMinute: 0.01 } } })
	const school = await openSchool(server)
	const zoe = await school.enter('Zoë Adler', 'lecturer')
	const [bea, ada] = [await school.enter('Bea Zoller', 'lecturer'), await school.enter('Ádám Ösz', 'lecturer')]
	await new Somebody(server.origin).register('Zora Waiting', 'lecturer')
	await school.enter('Zack Student', 'student')
	const find = async (input: { query?: string; limit?: number }) =>
		(await new Client(server.origin).call('findLecturers', input)).lecturers.map(({ name }) => name)
	assert.deepEqual(await new Client(server.origin).call('findLecturers', { limit: 1 }), {
		lecturers: [{ id: ada.me.id, name: 'Ádám Ösz' }],
	})
	assert.deepEqual(await find({}), ['Ádám Ösz', 'Bea Zoller', 'Zoë Adler'])
	assert.deepEqual(await find({ query: 'zo' }), ['Bea Zoller', 'Zoë Adler'])
	assert.deepEqual(await find({ query: 'ADLER zoe' }), ['Zoë Adler'])
	assert.deepEqual(await find({ query: 'osz' }), ['Ádám Ösz'])
	assert.deepEqual(await find({ query: '!?' }), [])
	assert.deepEqual(await find({ query: 'school' }), [], 'not by her address')
	await zoe.call('editMe', { name: 'Anna Adler' })
	assert.deepEqual(await find({}), ['Ádám Ösz', 'Anna Adler', 'Bea Zoller'], 'a new name')
	await school.admin.call('setStatus', { id: bea.me.id, status: 'deactivated' })
	assert.deepEqual(await find({}), ['Ádám Ösz', 'Anna Adler'], 'who is no longer here')
	await school.admin.call('setRole', { id: ada.me.id, role: 'student' })
	assert.deepEqual(await find({}), ['Anna Adler'])
	assert.equal(await codeOf(new Client(server.origin).call('findLecturers', { limit: 101 })), 'invalid_input')
	await find({})
	await find({})
	assert.equal(await codeOf(find({})), 'rate_limited')
})

test('[A29] everybody edits her own account, also while she waits, and editing nothing changes nothing', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const lena = await school.enter('Lena', 'lecturer')
	const sari = await new Somebody(server.origin).register('Sari', 'student')
	const avatar = await picture(server, sari.me.id)
	const { me, cursor } = await sari.call('editMe', { name: 'Sari Dewi', number: 'B-8', lecturers: [lena.me.id, newId()], avatar })
	assert.deepEqual([me.name, me.number, me.lecturers, me.avatar, me.status], ['Sari Dewi', 'B-8', [lena.me.id], avatar, 'pending'])
	const { seq } = server.store.head
	assert.equal(parseCursor(cursor)!.seq, seq)
	assert.equal((await server.store.get('users', sari.me.id))!.cardRev, seq)
	assert.deepEqual((await sari.call('editMe', { name: 'Sari Dewi', lecturers: [lena.me.id], avatar })).me, me)
	assert.deepEqual((await sari.call('editMe', {})).me, me)
	assert.equal(server.store.head.seq, seq)
	await sari.call('editMe', { lecturers: [] })
	assert.deepEqual([(await sari.call('me', {})).me.lecturers, (await server.store.get('users', sari.me.id))!.cardRev], [[], seq])
	assert.equal((await sari.call('editMe', { avatar: null })).me.avatar, null)
	assert.deepEqual((await lena.call('editMe', { lecturers: [lena.me.id] })).me.lecturers, [], 'a lecturer has none')
	await school.admin.call('setStatus', { id: sari.me.id, status: 'deactivated' })
	assert.equal(await codeOf(sari.call('editMe', { name: 'Eve' })), 'account_deactivated')
	assert.equal(await codeOf(new Client(server.origin).call('editMe', { name: 'Eve' })), 'not_signed_in')
})

test('[A29] a picture is an upload of her own that was made for it', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const [sari, otto] = [await school.enter('Sari', 'student'), await school.enter('Otto', 'student')]
	const strangers = [await picture(server, otto.me.id), await picture(server, sari.me.id, 'message'), newId()]
	for (const avatar of strangers) assert.equal(await codeOf(sari.call('editMe', { name: 'Other', avatar })), 'upload_unknown')
	assert.deepEqual([(await sari.call('me', {})).me.name, (await sari.call('me', {})).me.avatar], ['Sari', null])
})

test('[A29] her fellows see a new name, number and picture live', async (t) => {
	const server = await startServer(t)
	const { lecturer, student, other, blue, ...school } = await openClass(server)
	const mate = await school.enter('Maya Mate', 'student', [blue], lecturer)
	const [near, teaching, far] = await Promise.all([mate, lecturer, other].map(async (one) => one.listen((await one.call('me', {})).cursor)))
	t.after(() => [near, teaching, far].forEach((listening) => void listening!.close()))
	const avatar = await picture(server, student.me.id)
	const { cursor } = await student.call('editMe', { name: 'Sari Baru', number: '99', avatar })
	const { seq } = parseCursor(cursor)!
	const cards = async (listening: typeof near) => {
		await listening!.reach(seq)
		return listening!.changes.flatMap((change) => ('put' in change && change.put === 'users' ? [change.record] : []))
	}
	const [card] = await cards(near)
	assert.deepEqual([card?.name, card?.avatar, card?.number, card?.email], ['Sari Baru', avatar, undefined, undefined])
	const [known] = await cards(teaching)
	assert.deepEqual([known?.name, known?.number, known?.email], ['Sari Baru', '99', undefined])
	assert.deepEqual(await cards(far), [], 'who is in no group with her')
})

test('[A33] names are kept as they were typed, and limits count what is kept', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const typed = [
		"=cmd|'/c calc'!A1",
		'+1+1 "quoted", comma',
		'نور الهدى',
		'Ze\u0301a\u030a\u0323 Łukasz',
		'👩‍👩‍👧 Ibu',
		'e\u0301'.repeat(120),
	]
	for (const name of typed) {
		const email = address()
		const { me } = await new Client(server.origin).call('register', { ...newcomer, name, email, number: name.slice(0, 20) })
		const kept = name.normalize('NFC').trim()
		assert.equal(me.name, kept)
		const { users } = await school.admin.call('listUsers', { query: email })
		assert.deepEqual(
			users.map(({ name }) => name),
			[kept],
		)
	}
	const client = new Client(server.origin)
	for (const name of ['q\u0301'.repeat(61), 'a\u0000b', 'a\nb', ' ', '\ud800', 'a\u009f']) {
		assert.equal(await codeOf(client.call('register', { ...newcomer, name, email: address() })), 'invalid_input', JSON.stringify(name))
	}
	const find = async (query: string) => (await school.admin.call('listUsers', { query })).users.length
	assert.deepEqual(await Promise.all(['نور', 'zea lukasz', 'cmd calc'].map(find)), [1, 1, 1])
})

test('[A27] all other sessions end at once, also live ones', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const student = await school.enter('Sari', 'student')
	const [phone, tablet] = [await student.again(), await student.again()]
	const [own, live] = [student.listen(null), phone.listen(null)]
	t.after(() => own.close())
	await Promise.all([own, live].map((one) => one.until(() => one.upTo !== null)))
	assert.deepEqual(await student.call('endOtherSessions', {}), { ended: 2 })
	assert.equal((await live.end()).code, 4401)
	for (const ended of [phone, tablet]) assert.equal(await codeOf(ended.call('me', {})), 'not_signed_in')
	assert.deepEqual(
		(await student.call('listSessions', {})).sessions.map(({ current }) => current),
		[true],
	)
	assert.deepEqual(await student.call('endOtherSessions', {}), { ended: 0 })
	assert.equal(own.closed, null)
})

test('[A27] a password is changed by who knows the present one, and ends all other sessions', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const student = await school.enter('Sari', 'student')
	const phone = await student.again()
	const { token } = await school.admin.call('createHelpLink', { id: student.me.id })
	assert.equal(await codeOf(student.call('changePassword', { current: 'a wrong one', password: 'a new password' })), 'wrong_credentials')
	assert.equal(await codeOf(phone.call('me', {})), 'done')
	await student.call('changePassword', { current: password, password: 'a new password' })
	assert.equal(await codeOf(phone.call('me', {})), 'not_signed_in')
	assert.equal(await codeOf(student.call('me', {})), 'done')
	const { email } = student.me
	assert.equal(await codeOf(new Client(server.origin).call('signIn', { email: email!, password })), 'wrong_credentials')
	assert.equal(await codeOf(new Client(server.origin).call('signIn', { email: email!, password: 'a new password' })), 'done')
	assert.match((await server.store.get('credentials', student.me.id))!.password, /^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
	assert.equal(await codeOf(new Client(server.origin).call('useHelpLink', { token, password })), 'wrong_credentials', 'a link from before')
})

test('[A27] guessing the present password has to wait as signing in does; of two changes at once one counts', async (t) => {
	const server = await startServer(t, { rates: { ...defaultRates, failuresHere: { burst: 4, perMinute: 0.01 } } })
	const school = await openSchool(server)
	const student = await school.enter('Sari', 'student')
	const answers = await Promise.all(
		['first new one', 'other new one'].map((password_) =>
			codeOf(student.call('changePassword', { current: password, password: password_ })),
		),
	)
	assert.deepEqual(answers.sort(), ['done', 'wrong_credentials'])
	const [other] = [await school.enter('Otto', 'student')]
	for (let i = 0; i < 4; i++)
		assert.equal(await codeOf(other.call('changePassword', { current: `guess ${i}`, password })), 'wrong_credentials')
	assert.equal(await codeOf(other.call('changePassword', { current: password, password })), 'rate_limited')
	assert.equal(await codeOf(other.call('signIn', { email: other.me.email!, password })), 'rate_limited')
})

test('[A28] a help link works once, ends every session and signs in', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const student = await school.enter('Sari', 'student')
	const live = student.listen(null)
	await live.until(() => live.upTo !== null)
	const old = await school.admin.call('createHelpLink', { id: student.me.id })
	const { token, expiresAt } = await school.admin.call('createHelpLink', { id: student.me.id })
	const left = Date.parse(expiresAt) - Date.parse((await student.call('me', {})).now)
	assert.ok(left > 86_000_000 && left <= 86_400_000)
	const kept = await server.store.get('helpLinks', student.me.id)
	assert.ok(!JSON.stringify(kept).includes(token))
	const use = (token: string) => new Client(server.origin).call('useHelpLink', { token, password: 'from the link' })
	assert.equal(await codeOf(use(old.token)), 'wrong_credentials', 'an earlier one')
	const client = new Client(server.origin)
	const { me } = await client.call('useHelpLink', { token, password: 'from the link' })
	assert.equal(me.id, student.me.id)
	assert.equal((await client.call('me', {})).me.id, me.id)
	assert.equal((await live.end()).code, 4401)
	assert.equal(await codeOf(student.call('me', {})), 'not_signed_in')
	assert.equal(await codeOf(new Client(server.origin).call('signIn', { email: me.email!, password: 'from the link' })), 'done')
	assert.equal(await codeOf(new Client(server.origin).call('signIn', { email: me.email!, password })), 'wrong_credentials')
	assert.equal(await codeOf(use(token)), 'wrong_credentials', 'twice')
})

test('[A28] used twice at the same moment it works once; what is late or wrong is answered alike', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const student = await school.enter('Sari', 'student')
	const { id } = student.me
	const { token } = await school.admin.call('createHelpLink', { id })
	const answers = await Promise.all(
		[1, 2, 3].map((n) => codeOf(new Client(server.origin).call('useHelpLink', { token, password: `from the link ${n}` }))),
	)
	assert.deepEqual(answers.sort(), ['done', 'wrong_credentials', 'wrong_credentials'])
	const wrong = await problemOf(new Client(server.origin).call('useHelpLink', { token: 'x', password }))
	const again = async () => (await school.admin.call('createHelpLink', { id })).token
	const expired = await again()
	const link = (await server.store.get('helpLinks', id))!
	await server.store.write(null, (tx) => tx.put('helpLinks', { ...link, expiresAt: new Date(Date.now() - 1).toISOString() }))
	assert.deepEqual(await problemOf(new Client(server.origin).call('useHelpLink', { token: expired, password })), wrong)
	const before = await again()
	await school.admin.call('setStatus', { id, status: 'deactivated' })
	assert.deepEqual(await problemOf(new Client(server.origin).call('useHelpLink', { token: before, password })), wrong)
	assert.equal(await codeOf(school.admin.call('createHelpLink', { id })), 'not_found')
	assert.equal(await codeOf(school.admin.call('createHelpLink', { id: newId() })), 'not_found')
})

test('[A28] guessing links has to wait', async (t) => {
	const server = await startServer(t, { rates: { ...defaultRates, failuresHere: { burst: 3, perMinute: 0.01 } } })
	const school = await openSchool(server)
	const student = await school.enter('Sari', 'student')
	for (let i = 0; i < 4; i++) {
		const { token } = await school.admin.call('createHelpLink', { id: student.me.id })
		await new Client(server.origin).call('useHelpLink', { token, password })
	}
	const guess = () => codeOf(new Client(server.origin).call('useHelpLink', { token: newId(), password }))
	assert.deepEqual([await guess(), await guess(), await guess(), await guess()], [...Array(3).fill('wrong_credentials'), 'rate_limited'])
})
