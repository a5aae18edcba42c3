/**
 * The ways in and out: the one-time link, registration, sessions, passwords, how often one may try.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultRates } from '../../backend/src/rates.ts'
import { openSchool, password, Somebody } from '../support/class.ts'
import { Client, codeOf, newId, Refused } from '../support/client.ts'
import { makeFolder, startServer } from '../support/server.ts'

const ada = { name: 'Ada', email: 'ada@school.example', password }
const sari = { role: 'student', name: 'Sari', email: 'sari@school.example', number: '7', password } as const

test('[A7] the first admin comes in by the link of this start, once', async (t) => {
	const dir = makeFolder(t)
	const first = await startServer(t, { dir })
	await first.close()
	const server = await startServer(t, { dir })
	const client = new Client(server.origin)
	assert.deepEqual(await client.call('status', {}), { setUp: false })
	assert.equal(await codeOf(client.call('setUp', { token: first.setUpToken!, ...ada })), 'wrong_credentials')
	const [one, two] = await Promise.all([
		codeOf(new Client(server.origin).call('setUp', { token: server.setUpToken!, ...ada })),
		codeOf(new Client(server.origin).call('setUp', { token: server.setUpToken!, ...ada, email: 'eve@school.example' })),
	])
	assert.deepEqual([one, two].sort(), ['already_set_up', 'done'])
	assert.deepEqual(await client.call('status', {}), { setUp: true })
	assert.equal(await codeOf(client.call('setUp', { token: server.setUpToken!, ...ada })), 'already_set_up')
	await server.close()
	assert.equal((await startServer(t, { dir })).setUpToken, null)
})

test('[A6] registering twice with the same words makes one account', async (t) => {
	const server = await startServer(t)
	const clients = [1, 2, 3].map(() => new Client(server.origin))
	const answers = await Promise.all(clients.map((client) => client.call('register', sari)))
	assert.equal(new Set(answers.map(({ me }) => me.id)).size, 1)
	for (const client of clients) assert.equal((await client.call('me', {})).me.email, sari.email)
	const stranger = new Client(server.origin)
	for (const other of [{ password: 'another password' }, { name: 'Other' }, { role: 'lecturer' as const }, { number: '8' }]) {
		assert.equal(await codeOf(stranger.call('register', { ...sari, ...other })), 'email_taken')
	}
	assert.equal(await codeOf(stranger.call('register', { ...sari, name: 'X', email: 'SARI@School.example' })), 'email_taken')
	assert.equal(stranger.cookie, null)
	assert.equal((await server.store.find('users', 'status', ['pending'], { limit: 10 })).length, 1)
})

test('[A5] a session is listed, can be ended by its owner only, and is over at once', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const student = await school.enter('Sari', 'student')
	const phone = await student.again()
	const { sessions } = await student.call('listSessions', {})
	assert.equal(sessions.length, 2)
	const other = sessions.find(({ current }) => !current)!
	assert.equal(await codeOf(school.admin.call('endSession', { id: other.id })), 'not_found')
	assert.equal(await codeOf(phone.call('me', {})), 'done')
	await student.call('endSession', { id: other.id })
	assert.equal(await codeOf(phone.call('me', {})), 'not_signed_in')
	const cookie = student.cookie
	await student.call('signOut', {})
	assert.equal(student.cookie, null)
	student.cookie = cookie
	assert.equal(await codeOf(student.call('me', {})), 'not_signed_in')
})

test('[A5] a session that was not used for a month is over; one that is used goes on', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const student = await school.enter('Sari', 'student')
	const [session] = await server.store.find('sessions', 'user', [student.me.id], { limit: 1 })
	const move = (days: number) =>
		server.store.write(null, (tx) => tx.put('sessions', { ...session!, expiresAt: new Date(Date.now() + days * 86_400_000).toISOString() }))
	await move(12)
	await student.call('me', {})
	while ((await server.store.get('sessions', session!.id))!.expiresAt < new Date(Date.now() + 29 * 86_400_000).toISOString()) {
		await new Promise((resolve) => setImmediate(resolve))
	}
	const { seq } = server.store.head
	await student.call('me', {})
	assert.equal(server.store.head.seq, seq, 'at most once a day')
	await move(-1)
	assert.equal(await codeOf(student.call('me', {})), 'not_signed_in')
})

test('[A5] a token is kept as its hash, in a cookie no script can read, and the oldest of very many sessions ends', async (t) => {
	const server = await startServer(t, {
		rates: { ...defaultRates, failures: { burst: 200, perMinute: 1 }, failuresHere: { burst: 200, perMinute: 1 } },
	})
	const school = await openSchool(server)
	const student = await school.enter('Sari', 'student')
	const response = await student.request('signIn', { email: student.me.email!, password })
	const cookie = response.headers.getSetCookie()[0]!
	assert.match(cookie, /^session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/)
	const records = await server.store.find('sessions', 'user', [student.me.id], { limit: 100 })
	assert.ok(!JSON.stringify(records).includes(/session=([\w-]+)/.exec(cookie)![1]!))
	const first = await student.again()
	for (let i = 0; i < 50; i++) await student.again()
	assert.equal(await codeOf(first.call('me', {})), 'not_signed_in')
	assert.equal((await server.store.find('sessions', 'user', [student.me.id], { limit: 100 })).length, 50)
})

test('[A5] behind a trusted proxy with https the cookie is Secure', async (t) => {
	const server = await startServer(t, { trustProxy: ['127.0.0.1'] })
	const client = new Client(server.origin)
	const register = (headers: Record<string, string>) =>
		client.fetch('/api/registrations', {
			method: 'POST',
			headers: { 'content-type': 'application/json', ...headers },
			body: JSON.stringify({ ...sari, email: `${newId()}@school.example` }),
		})
	assert.match((await register({ 'x-forwarded-proto': 'https' })).headers.getSetCookie()[0]!, /; Secure$/)
	assert.doesNotMatch((await register({})).headers.getSetCookie()[0]!, /Secure/)
})

test('[A8] a password is kept as Argon2id, hashed anew when the cost changes, and never shown', async (t) => {
	const dir = makeFolder(t)
	const first = await startServer(t, { dir })
	const school = await openSchool(first)
	const student = await school.enter('Sari', 'student')
	const before = await first.store.get('credentials', student.me.id)
	assert.match(before!.password, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
	await first.close()
	const server = await startServer(t, { dir, password: { memoryKiB: 128, passes: 2 } })
	const again = await new Somebody(server.origin).signIn(student.me.email!)
	const after = await server.store.get('credentials', student.me.id)
	assert.match(after!.password, /m=128,t=2/)
	assert.equal(await codeOf(again.call('signIn', { email: student.me.email!, password: 'wrong password' })), 'wrong_credentials')
	const users = await (await new Somebody(server.origin).signIn(ada.email)).call('listUsers', {})
	assert.ok(!JSON.stringify(users).includes('argon2'))
})

test('[A8] an address without an account is answered as a wrong password is', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	await school.enter('Sari', 'student')
	const client = new Client(server.origin)
	const problem = async (email: string) => {
		try {
			return await client.call('signIn', { email, password: 'wrong password' })
		} catch (error) {
			return (error as Refused).problem
		}
	}
	assert.deepEqual(await problem('nobody@school.example'), await problem('sari@school.example'))
})

test('[A9] guessing a password soon has to wait, and does not lock others out', async (t) => {
	const server = await startServer(t, {
		trustProxy: ['127.0.0.1'],
		rates: { ...defaultRates, failuresHere: { burst: 3, perMinute: 0.01 }, failures: { burst: 6, perMinute: 0.01 } },
	})
	const school = await openSchool(server)
	const [student, other] = [await school.enter('Sari', 'student'), await school.enter('Otto', 'student')]
	const guess = async (email: string, address: string, word = 'wrong password') => {
		const response = await new Client(server.origin).fetch('/api/sessions', {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
			body: JSON.stringify({ email, password: word }),
		})
		return response.status
	}
	const email = student.me.email!
	for (let i = 0; i < 3; i++) assert.equal(await guess(email, '10.0.0.1'), 401)
	assert.equal(await guess(email, '10.0.0.1', password), 429, 'this address')
	assert.equal(await guess(email.toUpperCase(), '10.0.0.1'), 429, 'however it is written')
	assert.equal(await guess(other.me.email!, '10.0.0.1', password), 200, 'another account from there')
	assert.equal(await guess(email, '10.0.0.2', password), 200, 'she herself elsewhere')
	for (let i = 0; i < 3; i++) assert.equal(await guess(email, `10.0.1.${i}`), 401)
	assert.equal(await guess(email, '10.0.0.3'), 429, 'from everywhere')
})

test('[A9] commands of one account are limited, those already stored are not, nor is what comes back', async (t) => {
	const server = await startServer(t, { rates: { ...defaultRates, commands: { burst: 4, perMinute: 0.01 } } })
	const school = await openSchool(server)
	const lecturer = await school.enter('Lena', 'lecturer')
	const [id, email] = [newId(), 'x@school.example']
	await lecturer.call('createGroup', { id, name: 'Blue' })
	for (let i = 0; i < 3; i++) await lecturer.createGroup('More')
	try {
		await lecturer.createGroup('Too many')
		assert.fail()
	} catch (error) {
		assert(error instanceof Refused)
		assert.equal(error.problem.code, 'rate_limited')
		assert.ok(error.problem.retryAfterSeconds! > 0)
	}
	await lecturer.call('createGroup', { id, name: 'Blue' })
	const input = { id: newId(), title: 'T', prompt: '', groups: [id] }
	assert.equal((await lecturer.call('offerAgain', { commands: [{ command: 'startDiscussion', input }] })).results[0]!.outcome, 'done')
	assert.equal((await lecturer.call('listGroups', {})).groups.length, 4)
	assert.equal(await codeOf(school.admin.call('listUsers', { query: email })), 'done')
})

test('[A9] a forged X-Forwarded-For changes nothing without a trusted proxy', async (t) => {
	const server = await startServer(t, { rates: { ...defaultRates, registrations: { burst: 2, perMinute: 0.01 } } })
	const codes: number[] = []
	for (let i = 0; i < 3; i++) {
		const response = await new Client(server.origin).fetch('/api/registrations', {
			method: 'POST',
			headers: {
				'content-type': 'application/json',
				'x-forwarded-for': `10.0.0.${i}`,
				'x-forwarded-proto': 'https',
				'x-forwarded-host': 'evil.example',
			},
			body: JSON.stringify({ ...sari, email: `s${i}@school.example` }),
		})
		codes.push(response.status)
		assert.ok(response.headers.getSetCookie().every((cookie) => !cookie.includes('Secure')))
	}
	assert.deepEqual(codes, [200, 200, 429])
})

test('[A10] there is always an approved admin left', async (t) => {
	const server = await startServer(t)
	const { admin } = await openSchool(server)
	for (const status of ['deactivated', 'rejected', 'pending'] as const) {
		assert.equal(await codeOf(admin.call('setStatus', { id: admin.me.id, status })), 'last_admin')
	}
	assert.equal((await admin.call('me', {})).me.status, 'approved')
})

test('[A10] a decision is noted with its reason, can be undone, and deciding the same again changes nothing', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const student = await new Somebody(server.origin).register('Sari', 'student')
	const { id } = student.me
	const { user } = await school.admin.call('setStatus', { id, status: 'rejected', reason: 'Wrong school' })
	assert.deepEqual([user.status, user.reason], ['rejected', 'Wrong school'])
	const { seq } = server.store.head
	await school.admin.call('setStatus', { id, status: 'rejected', reason: 'Wrong school' })
	assert.equal(server.store.head.seq, seq)
	const undone = await school.admin.call('setStatus', { id, status: 'pending' })
	assert.deepEqual([undone.user.status, undone.user.reason, undone.user.decidedAt], ['pending', null, null])
	assert.equal(await codeOf(school.admin.call('setStatus', { id: newId(), status: 'approved' })), 'not_found')
})

test('[A13] people are found by the beginnings of their words, page by page', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	for (const name of ['Ana Anabel Óscar', 'Anna Budi', 'Budi Santoso', 'Zoë Budiman']) await school.enter(name, 'student')
	await new Somebody(server.origin).register('Budi Waiting', 'student')
	const find = async (query: string) => (await school.admin.call('findPeople', { query })).users.map(({ name }) => name)
	assert.deepEqual(await find('an'), ['Ana Anabel Óscar', 'Anna Budi'])
	assert.deepEqual(await find('bud AN'), ['Anna Budi'])
	assert.deepEqual(await find('zoe'), ['Zoë Budiman'])
	assert.deepEqual(await find('osc'), ['Ana Anabel Óscar'])
	assert.deepEqual(await find('budi w'), [], 'who waits is not yet one of them')
	assert.deepEqual(await find('!?'), [])
	const names: string[] = []
	let after: string | undefined
	do {
		const page = await school.admin.call('listUsers', { limit: 2, query: 'budi', ...(after && { after }) })
		names.push(...page.users.map(({ name }) => name))
		after = page.next ?? undefined
	} while (after)
	assert.deepEqual(names, ['Anna Budi', 'Budi Santoso', 'Zoë Budiman', 'Budi Waiting'])
	assert.equal((await school.admin.call('listUsers', { status: 'pending' })).users.length, 1)
})
