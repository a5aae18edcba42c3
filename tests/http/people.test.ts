/**
 * People as admins and lecturers look after them: lists of thousands, searches, decisions, roles.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDirectory } from '../../backend/src/accounts/directory.ts'
import { type Person, parseCursor, type Role, type Status } from '../../protocol/model.ts'
import { openClass, openSchool, password, Somebody } from '../support/class.ts'
import { codeOf, newId, type Refused } from '../support/client.ts'
import { userDraft } from '../support/records.ts'
import { makeFolder, openStoreOf, type Server, startServer } from '../support/server.ts'

type Filter = { status?: Status; role?: Role; query?: string; limit?: number }

/** All pages of the admin's list. */
async function everyone(admin: Somebody, filter: Filter = {}): Promise<Person[]> {
	const users: Person[] = []
	let after: string | null = null
	do {
		const page: { users: Person[]; next: string | null } = await admin.call('listUsers', {
			limit: 100,
			...filter,
			...(after !== null && { after }),
		})
		assert.ok(page.users.length <= (filter.limit ?? 100))
		users.push(...page.users)
		after = page.next
	} while (after !== null)
	return users
}

/** Accounts straight into the store, a few hundred an entry, as an import would make them. */
async function fill(
	{ store }: Server,
	many: number,
	each: (n: number) => { name: string; status?: Status; role?: Role; email?: string; number?: string },
) {
	for (let n = 0; n < many; n += 250) {
		await store.write(null, async (tx) => {
			for (let i = n; i < Math.min(many, n + 250); i++) await tx.put('users', userDraft({ id: newId(), ...each(i) }))
		})
	}
}

const statuses = ['pending', 'approved', 'rejected', 'deactivated'] as const
const words = ['Budi', 'Sari', 'Dewi', 'Agus', 'Putri', 'Rizky', 'Ayu']

test('[A22] pages of 5,000 accounts are complete and without duplicates, whatever is asked', async (t) => {
	const server = await startServer(t)
	const { admin } = await openSchool(server)
	await fill(server, 5_000, (n) => ({
		name: `${words[n % 7]} ${words[(n >> 3) % 7]} Number${n}`,
		status: statuses[n % 4]!,
		role: n % 10 === 0 ? 'lecturer' : 'student',
		email: `${words[(n + 1) % 7]!.toLowerCase()}.${n}@${n % 2 ? 'one' : 'two'}.example`,
		number: `S-${10_000 + n}`,
	}))
	const all = await everyone(admin)
	assert.equal(all.length, 5_001)
	assert.equal(new Set(all.map(({ id }) => id)).size, 5_001)
	const places = all.map(({ seq, id }) => `${String(seq).padStart(9, '0')} ${id}`)
	assert.deepEqual(places, places.toSorted())
	const own = (user: Person) => `${user.name} ${user.email} ${user.number}`.toLowerCase().split(/[^\p{L}\p{N}]+/u)
	const asked: [Filter, (user: Person) => boolean][] = [
		[{ status: 'pending' }, ({ status }) => status === 'pending'],
		[{ role: 'lecturer', limit: 7 }, ({ role }) => role === 'lecturer'],
		[{ role: 'student', status: 'rejected' }, ({ role, status }) => role === 'student' && status === 'rejected'],
		[{ query: 'dewi' }, (user) => own(user).some((word) => word.startsWith('dewi'))],
		[{ query: 'example', limit: 99 }, () => true],
		[{ query: 'e s two' }, (user) => ['e', 's', 'two'].every((part) => own(user).some((word) => word.startsWith(part)))],
		[
			{ query: 'ayu one', status: 'approved', limit: 3 },
			(user) => user.status === 'approved' && ['ayu', 'one'].every((part) => own(user).some((word) => word.startsWith(part))),
		],
		[{ query: 's-14999' }, ({ number }) => number === 'S-14999'],
		[{ query: 'number4999' }, ({ name }) => name.endsWith('Number4999')],
		[{ query: 'nobody at all' }, () => false],
	]
	for (const [filter, wanted] of asked) {
		const ids = (await everyone(admin, filter)).map(({ id }) => id)
		assert.deepEqual(
			ids,
			all.filter(wanted).map(({ id }) => id),
			JSON.stringify(filter),
		)
	}
	const { counts } = await admin.call('listUsers', { limit: 1, query: 'nobody at all' })
	assert.deepEqual(counts, { pending: 1_250, approved: 1_251, rejected: 1_250, deactivated: 1_250 })
})

test('[A22] who changes while pages are fetched is still shown once', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	await fill(server, 300, (n) => ({ name: `Person ${n}`, status: statuses[n % 4]! }))
	const before = await server.store.find('users', 'status', ['pending'], { limit: 100 })
	const [listed] = await Promise.all([
		(async () => {
			const lists: Person[][] = []
			for (let i = 0; i < 6; i++) lists.push(await everyone(school.admin, { limit: 20 }))
			return lists
		})(),
		(async () => {
			for (const { id } of before) await school.admin.call('setStatus', { id, status: 'approved' })
		})(),
	])
	for (const list of listed) assert.deepEqual([list.length, new Set(list.map(({ id }) => id)).size], [301, 301])
})

test('[A23] the counts are exact after decisions, registrations, a restart and a restore', async (t) => {
	const dir = makeFolder(t)
	const first = await startServer(t, { dir })
	const { admin } = await openSchool(first)
	await fill(first, 40, (n) => ({ name: `Person ${n}`, status: statuses[n % 4]! }))
	const countsOf = async (one: Somebody) => (await one.call('listUsers', { limit: 1 })).counts
	assert.deepEqual(await countsOf(admin), { pending: 10, approved: 11, rejected: 10, deactivated: 10 })
	const newcomers = await Promise.all(['Ayu', 'Budi', 'Cici'].map((name) => new Somebody(first.origin).register(name, 'student')))
	assert.equal((await countsOf(admin)).pending, 13)
	const ids = newcomers.map(({ me }) => me.id)
	await admin.call('decide', { ids, status: 'approved' })
	assert.deepEqual(await countsOf(admin), { pending: 10, approved: 14, rejected: 10, deactivated: 10 })
	for (let i = 0; i < 20; i++) {
		await admin.call('setStatus', { id: ids[0]!, status: statuses[i % 4]! })
		const counts = await countsOf(admin)
		assert.equal(counts[statuses[i % 4]!], { pending: 11, approved: 14, rejected: 11, deactivated: 11 }[statuses[i % 4]!], `${i}`)
	}
	await newcomers[1]!.call('editMe', { name: 'Budi Baru' })
	const last = { pending: 10, approved: 13, rejected: 10, deactivated: 11 }
	assert.deepEqual(await countsOf(admin), last)
	await first.close()
	const second = await startServer(t, { dir })
	assert.deepEqual(await countsOf(await new Somebody(second.origin).signIn('ada@school.example')), last)
	await second.close()

	const store = await openStoreOf(dir)
	const { seq, records } = await store.exportAt()
	const kept = (await Array.fromAsync(records)).filter(({ collection, record }) => collection !== 'users' || record.id !== ids[2])
	await store.replaceAll({
		seq,
		records: (async function* () {
			yield* kept
		})(),
	})
	const third = await startServer(t, { dir })
	const restored = await new Somebody(third.origin).signIn('ada@school.example')
	assert.deepEqual(await countsOf(restored), { ...last, approved: 12 })
	assert.equal((await everyone(restored)).length, 43)
})

test('[A23] what was just committed is counted, also before anybody was told of it', async (t) => {
	const { store } = await startServer(t)
	const directory = openDirectory(store)
	for (let n = 0; n < 1_000; n += 100) {
		// Many in one group: those who are told first ask before the last is told.
		const writes = Array.from({ length: 100 }, (_, i) =>
			store.write(null, (tx) => tx.put('users', userDraft({ id: newId(), name: `Person ${n + i}`, status: 'pending' }))),
		)
		await writes[0]
		const { pending } = await directory.counts()
		assert.ok(pending > n, `${pending} after ${n}`)
		await Promise.all(writes)
		assert.equal((await directory.counts()).pending, n + 100)
	}
})

test('[A24] one decision for many is one step; for whom it can’t be made is named', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	await fill(server, 100, (n) => ({ name: `Person ${n}`, status: 'pending' }))
	const pending = (await server.store.find('users', 'status', ['pending'], { limit: 100 })).map(({ id }) => id)
	const erased = pending.pop()!
	await school.admin.call('eraseUser', { id: erased })
	const { seq } = server.store.head
	const unknown = newId()
	const ids = [...pending.slice(0, 97), unknown, erased, school.admin.me.id]
	const { users, refused, cursor } = await school.admin.call('decide', { ids, status: 'rejected', reason: 'Another school' })
	assert.equal(server.store.head.seq, seq + 1)
	assert.deepEqual(parseCursor(cursor)!.seq, seq + 1)
	assert.deepEqual(
		users.map(({ id }) => id),
		pending.slice(0, 97),
	)
	assert.ok(users.every(({ status, reason }) => status === 'rejected' && reason === 'Another school'))
	assert.deepEqual(
		refused.map(({ id, problem }) => [id, problem.code, problem.status]),
		[
			[unknown, 'not_found', 404],
			[erased, 'not_found', 404],
			[school.admin.me.id, 'last_admin', 409],
		],
	)
	const again = await school.admin.call('decide', { ids: [...ids, ...ids].slice(0, 100), status: 'rejected', reason: 'Another school' })
	assert.deepEqual([again.users, again.refused, server.store.head.seq], [users, refused, seq + 1])
	const undone = await school.admin.call('decide', { ids: [pending[0]!, pending[0]!], status: 'pending' })
	assert.deepEqual(
		undone.users.map(({ status, reason, decidedAt }) => [status, reason, decidedAt]),
		[['pending', null, null]],
	)
	for (const wrong of [[], Array.from({ length: 101 }, () => newId())]) {
		assert.equal(await codeOf(school.admin.call('decide', { ids: wrong, status: 'approved' })), 'invalid_input')
	}
})

/** Another admin, made by this one. */
async function promoted(admin: Somebody): Promise<Somebody> {
	const somebody = new Somebody(admin.origin)
	const input = { role: 'lecturer' as const, name: 'Another Admin', email: `${newId()}@school.example`, number: '1', password }
	somebody.me = (await somebody.call('register', input)).me
	await admin.call('setStatus', { id: somebody.me.id, status: 'approved' })
	return somebody.promote(admin)
}

test('[A25] the last admin can’t be removed by any road', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const { admin } = school
	const { id } = admin.me
	const roads = () => [
		codeOf(admin.call('setStatus', { id, status: 'rejected' })),
		codeOf(admin.call('setRole', { id, role: 'lecturer' })),
		codeOf(admin.call('setRole', { id, role: 'student' })),
		codeOf(admin.call('eraseUser', { id })),
		codeOf(admin.call('eraseUser', { id, texts: 'true' })),
	]
	assert.deepEqual(await Promise.all(roads()), Array(5).fill('last_admin'))
	const second = await promoted(admin)
	const { users, refused } = await admin.call('decide', { ids: [second.me.id, id], status: 'deactivated' })
	assert.deepEqual([users.map(({ id }) => id), refused.map(({ problem }) => problem.code)], [[second.me.id], ['last_admin']])
	assert.deepEqual(await Promise.all(roads()), Array(5).fill('last_admin'), 'a deactivated one does not count')
	await admin.call('setStatus', { id: second.me.id, status: 'approved' })
	assert.equal(await codeOf(admin.call('setRole', { id, role: 'lecturer' })), 'done', 'one of two')
})

test('[A25] two admins who remove each other at the same moment: one is left, every time', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	let left = school.admin
	const roads = [
		(by: Somebody, id: string) => by.call('setStatus', { id, status: 'deactivated' }),
		(by: Somebody, id: string) => by.call('setRole', { id, role: 'student' }),
		(by: Somebody, id: string) => by.call('decide', { ids: [id, by.me.id], status: 'rejected' }),
		(by: Somebody, id: string) => by.call('eraseUser', { id }),
	]
	for (let round = 0; round < 32; round++) {
		const other = await promoted(left)
		const [first, second] = round % 2 ? [left, other] : [other, left]
		const answers = await Promise.allSettled([
			roads[round % 4]!(first, second.me.id),
			roads[(round >> 2) % 4]!(second, first.me.id),
			roads[0]!(first, first.me.id),
		])
		const admins = await server.store.find('users', 'role', ['admin', 'approved'], { limit: 10 })
		assert.equal(admins.length, 1, `round ${round}: ${JSON.stringify(answers)}`)
		left = [left, other].find(({ me }) => me.id === admins[0]!.id)!
		await left.signIn(left.me.email!)
	}
	assert.deepEqual(server.trouble, [])
})

test('[A25] of two admins who remove each other one decides, also where a third is left', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	for (let round = 0; round < 12; round++) {
		const [first, second] = [await promoted(school.admin), await promoted(school.admin)]
		const remove = (by: Somebody, { me }: Somebody) =>
			round % 3 === 0
				? by.call('setStatus', { id: me.id, status: 'deactivated' })
				: round % 3 === 1
					? by.call('setRole', { id: me.id, role: 'student' })
					: by.call('eraseUser', { id: me.id })
		const answers = await Promise.all([codeOf(remove(first, second)), codeOf(remove(second, first))])
		assert.equal(answers.filter((code) => code === 'done').length, 1, `round ${round}: ${answers}`)
		assert.equal((await server.store.find('users', 'role', ['admin', 'approved'], { limit: 100 })).length, 2 + round)
	}
})

test('[A26] a new role ends her sessions, and shows her what it may see', async (t) => {
	const server = await startServer(t)
	const { admin, lecturer, student, blue, discussion } = await openClass(server)
	const live = lecturer.listen(null)
	await live.until(() => live.upTo !== null)
	const before = (await server.store.get('users', lecturer.me.id))!
	const { user } = await admin.call('setRole', { id: lecturer.me.id, role: 'student' })
	assert.deepEqual([user.role, user.status], ['student', 'approved'])
	assert.equal((await live.end()).code, 4401)
	assert.equal(await codeOf(lecturer.call('me', {})), 'not_signed_in')
	const after = (await server.store.get('users', lecturer.me.id))!
	assert.ok(after.scopeRev === after.rev && after.cardRev === after.rev && after.rev > before.rev)
	assert.equal((await student.call('getDiscussion', { id: discussion.id })).discussion.createdBy, lecturer.me.id, 'what she leads stays')
	await lecturer.signIn(lecturer.me.email!)
	assert.equal(await codeOf(lecturer.call('getDiscussion', { id: discussion.id })), 'not_found')
	assert.equal(await codeOf(lecturer.call('createGroup', { id: newId(), name: 'Mine' })), 'forbidden')

	await admin.call('setRole', { id: student.me.id, role: 'lecturer' })
	await student.signIn(student.me.email!)
	assert.deepEqual(
		(await student.call('listGroups', {})).groups.map(({ id }) => id),
		[blue.id],
		'she stays in her group',
	)
	const { seq } = server.store.head
	await admin.call('setRole', { id: student.me.id, role: 'lecturer' })
	assert.equal(server.store.head.seq, seq, 'the same again changes nothing')
	assert.equal(await codeOf(student.call('me', {})), 'done')
})

test('[A26] an admin is in no group, also where there were very many', async (t) => {
	const server = await startServer(t)
	const { admin, lecturer, student, blue } = await openClass(server)
	await lecturer.call('addMember', { id: blue.id, user: lecturer.me.id })
	for (let n = 0; n < 900; n += 200) {
		await server.store.write(null, async (tx) => {
			for (let i = n; i < n + 200; i++) await tx.put('memberships', { id: newId(), group: newId(), user: lecturer.me.id })
		})
	}
	await student.call('me', {})
	await admin.call('setRole', { id: lecturer.me.id, role: 'admin' })
	assert.deepEqual(await server.store.find('memberships', 'user', [lecturer.me.id], { limit: 10 }), [])
	assert.equal((await server.store.find('memberships', 'user', [student.me.id], { limit: 10 })).length, 1)
	await lecturer.signIn(lecturer.me.email!)
	assert.equal((await lecturer.call('listMembers', { id: blue.id })).memberships.length, 1)
})

test('[A26] only who is approved gets a role; a student’s lecturers are hers as long as she is one', async (t) => {
	const server = await startServer(t)
	const { admin, lecturer, student } = await openClass(server)
	const waiting = await new Somebody(server.origin).register('Wanda', 'student')
	for (const id of [waiting.me.id, newId()]) assert.equal(await codeOf(admin.call('setRole', { id, role: 'admin' })), 'not_found')
	await student.call('editMe', { lecturers: [lecturer.me.id] })
	assert.deepEqual((await admin.call('setRole', { id: student.me.id, role: 'lecturer' })).user.lecturers, [])
	assert.equal(await codeOf(lecturer.call('setRole', { id: lecturer.me.id, role: 'admin' })), 'forbidden')
})

test('[A34] lecturers find people by name and number, or those who chose them, page by page', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const [lena, mia] = [await school.enter('Lena', 'lecturer'), await school.enter('Mia', 'lecturer')]
	const names: string[] = []
	for (let n = 0; n < 12; n++) {
		const student = new Somebody(server.origin)
		const name = `${n % 2 ? 'Ani' : 'Budi'} Nomor${n}`
		const input = { role: 'student' as const, name, number: `N${n} 77`, email: `secret${n}@school.example`, password }
		const { me } = await student.call('register', { ...input, lecturers: n % 3 ? [lena.me.id, mia.me.id] : [mia.me.id] })
		if (n !== 10) await school.admin.call('setStatus', { id: me.id, status: 'approved' })
		if (n !== 10) names.push(name)
	}
	type Asked = { query?: string; mine?: 'true'; role?: 'student' | 'lecturer' }
	const find = async (by: Somebody, asked: Asked) => {
		const found: Person[] = []
		let after: string | null = null
		do {
			const input = { ...asked, limit: 2, ...(after !== null && { after }) }
			const page: { users: Person[]; next: string | null } = await by.call('findPeople', input as never)
			found.push(...page.users)
			after = page.next
		} while (after !== null)
		for (const card of found) assert.deepEqual([card.email, card.status, card.lecturers], [undefined, undefined, undefined])
		return found.map(({ name }) => name)
	}
	const some = (wanted: (n: number) => boolean) => names.filter((name) => wanted(Number(/\d+/.exec(name)![0])))
	assert.deepEqual(
		await find(lena, { mine: 'true' }),
		some((n) => n % 3 !== 0),
	)
	assert.deepEqual(
		await find(lena, { mine: 'true', query: 'ani' }),
		some((n) => n % 3 !== 0 && n % 2 === 1),
	)
	assert.deepEqual(await find(mia, { mine: 'true' }), names)
	assert.deepEqual(await find(mia, { mine: 'true', role: 'lecturer' }), [])
	assert.deepEqual(await find(school.admin, { mine: 'true' }), [])
	assert.deepEqual(
		await find(lena, { query: 'bud 77' }),
		some((n) => n % 2 === 0),
	)
	assert.deepEqual(await find(lena, { query: 'n11' }), ['Ani Nomor11'])
	assert.deepEqual(await find(lena, { query: 'secret' }), [], 'not by their addresses')
	assert.deepEqual(await find(lena, { role: 'lecturer' }), ['Lena', 'Mia'])
	assert.deepEqual(await find(lena, {}), ['Lena', 'Mia', ...names])
	try {
		await lena.call('findPeople', { query: 'a', after: 'nowhere' })
		assert.fail()
	} catch (error) {
		assert.equal((error as Refused).problem.code, 'invalid_input')
	}
})
