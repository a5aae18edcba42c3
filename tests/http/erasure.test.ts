/**
 * Erasing a person: nothing that names her is left anywhere, what others wrote stays, and no way leads back.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { formatCursor, type Message } from '../../protocol/model.ts'
import { openClass, openSchool, password, Somebody } from '../support/class.ts'
import { assertSame, Client, codeOf, newId, View } from '../support/client.ts'
import { messageDraft } from '../support/records.ts'
import { makeFolder, openStoreOf, type Server, startServer } from '../support/server.ts'

const pixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==', 'base64')
const linesIn = (dir: string) => {
	const path = join(dir, 'backups/erasures.ndjson')
	return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
const listed = (dir: string) =>
	linesIn(dir)
		.split('\n')
		.filter(Boolean)
		.map((line) => JSON.parse(line) as { id: string; at: string; texts: boolean })

/** Everything that a store knows: records, and the journal with its payloads; with the database's files where it has its own. */
async function everything({ store, dir }: Server): Promise<string> {
	const records = await Array.fromAsync((await store.exportAt()).records)
	const entries = await Array.fromAsync(store.entries({ after: store.head.pruned }))
	const files = globSync('data/*.db*', { cwd: dir }).filter((name) => !name.includes('derived'))
	const bytes = files.map((name) => readFileSync(join(dir, name), 'latin1'))
	return [JSON.stringify(records), JSON.stringify(entries), ...bytes].join('\n')
}

/** Somebody with everything that a person can have. */
async function withAll(server: Server) {
	const all = await openClass(server)
	const name = 'Quintessa Xylophona'
	const person = new Somebody(server.origin)
	const input = { role: 'student' as const, name, email: 'quintessa@xylophon.example', number: 'QX-4711', password }
	person.me = (await person.call('register', { ...input, lecturers: [all.lecturer.me.id] })).me
	await all.admin.call('setStatus', { id: person.me.id, status: 'approved', reason: 'Knows Quentin' })
	for (const group of [all.blue, all.red]) await all.school.join(group, person, all.lecturer)
	const avatar = await person.upload('quintessa.png', pixel, 'avatar')
	person.me = (await person.call('editMe', { avatar })).me
	const file = await person.upload('wolpertinger-diary.txt')
	const blue = { group: all.blue.id }
	const message = await person.send(all.discussion, 'Wolpertinger first', blue)
	await person.call('editMessage', { id: message.id, edit: newId(), text: 'Wolpertinger second' })
	const withFile = await person.send(all.discussion, '', { ...blue, uploads: [file] })
	const removed = await person.send(all.discussion, 'Wolpertinger regretted', blue)
	await person.call('setRemoved', { id: removed.id, removed: true })
	const answer = await all.student.send(all.discussion, 'Well said', { ...blue, replyTo: message.id })
	const secrets = ['Quintessa', 'quintessa', 'Xylophona', 'xylophon', 'QX-4711', 'Quentin', '.png']
	return { ...all, person, avatar, file, message, withFile, removed, answer, secrets, words: ['Wolpertinger', 'wolpertinger', 'diary'] }
}

test('[A30] of an erased person nothing is left that names her; what she wrote stays', async (t) => {
	const server = await startServer(t)
	const { admin, lecturer, student, person, avatar, file, message, discussion, secrets, answer, ...all } = await withAll(server)
	const { id, email } = person.me
	const before = await everything(server)
	for (const secret of secrets) assert.ok(before.includes(secret), secret)
	const { token } = await admin.call('createHelpLink', { id })
	const kept = (await server.store.get('credentials', id))!.password
	const live = person.listen(null)
	await live.until(() => live.upTo !== null)

	const { user, cursor } = await admin.call('eraseUser', { id })
	assert.equal(cursor, formatCursor(server.store.head.lineage, server.store.head.seq))
	assert.deepEqual([user.id, user.name, user.erased, user.status], [id, 'Erased', true, 'deactivated'])
	assert.deepEqual([user.number, user.avatar, user.lecturers, user.reason], [null, null, [], null])
	assert.match(user.email!, /^erased-[0-9a-f]{24}@erased\.invalid$/)
	const after = await everything(server)
	for (const secret of [...secrets, kept]) assert.ok(!after.includes(secret), secret)

	assert.equal((await live.end()).code, 4401)
	assert.equal(await codeOf(person.call('me', {})), 'not_signed_in')
	const stranger = new Client(server.origin)
	for (const address of [email!, user.email!]) {
		for (const word of [password, ''])
			assert.equal(await codeOf(stranger.call('signIn', { email: address, password: word })), 'wrong_credentials')
	}
	assert.equal(await codeOf(stranger.call('useHelpLink', { token, password })), 'wrong_credentials')
	for (const status of ['approved', 'pending', 'deactivated'] as const)
		assert.equal(await codeOf(admin.call('setStatus', { id, status })), 'not_found')
	assert.equal(await codeOf(admin.call('setRole', { id, role: 'lecturer' })), 'not_found')
	assert.equal(await codeOf(admin.call('createHelpLink', { id })), 'not_found')
	assert.deepEqual(await server.store.find('memberships', 'user', [id], { limit: 10 }), [])
	assert.deepEqual((await lecturer.call('findPeople', { mine: 'true' })).users, [])

	const page = await student.call('listMessages', { id: discussion.id })
	assert.deepEqual(
		page.messages.map(({ text }) => text),
		['Wolpertinger second', '', null, 'Well said'],
	)
	assert.deepEqual(
		page.users.find((one) => one.id === id),
		{ id, seq: user.seq, rev: user.rev, name: 'Erased', role: 'student', avatar: null, erased: true },
	)
	assert.equal((await lecturer.call('listEdits', { id: message.id })).edits[0]!.text, 'Wolpertinger first')
	assert.equal(await codeOf(student.call('getFile', { id: file })), 'done')
	for (const one of [student, lecturer, admin]) assert.equal(await codeOf(one.call('getFile', { id: avatar })), 'not_found')

	const { seq } = server.store.head
	assert.deepEqual((await admin.call('eraseUser', { id })).user, user, 'once more')
	assert.equal(server.store.head.seq, seq)
	const again = await stranger.call('register', { role: 'student', name: 'New', email: email!, number: '1', password })
	assert.notEqual(again.me.id, id, 'her address is free')
	assert.equal(await codeOf(admin.call('eraseUser', { id: newId() })), 'not_found')
	assert.equal((await student.call('listMessages', { id: discussion.id })).messages.at(-1)!.id, answer.id)
	assert.ok(all.school.seq > 0)
	assert.deepEqual(server.trouble, [])
})

test('[A30] her name goes from every screen at once, and what was heard is what is fetched', async (t) => {
	const server = await startServer(t)
	const { admin, lecturer, student, other, person } = await withAll(server)
	const views = [admin, lecturer, student, other].map((one) => ({ one, view: new View(one) }))
	for (const { view } of views) {
		const listening = await view.open()
		t.after(() => listening.close())
	}
	const { user } = await admin.call('eraseUser', { id: person.me.id, texts: 'true' })
	for (const { one, view } of views) {
		await assertSame(one, view, server.store.head.seq)
		const card = view.records.users.get(person.me.id) as typeof user | undefined
		assert.deepEqual([card?.name, card?.erased, card?.number ?? null], ['Erased', true, null])
		assert.ok(!JSON.stringify([...view.records.users.values()]).includes('Quintessa'))
	}
})

test('[A31] with the texts everything that she wrote and sent is gone, for good', async (t) => {
	const server = await startServer(t)
	const { admin, lecturer, student, person, file, message, withFile, removed, answer, discussion, secrets, words } = await withAll(server)
	const { id } = person.me
	const name = (await server.store.get('uploads', file))!.file!
	assert.ok(existsSync(join(server.dir, 'uploads', name)))
	await admin.call('eraseUser', { id })
	await admin.call('eraseUser', { id, texts: 'true' })
	assert.ok(!existsSync(join(server.dir, 'uploads', name)), 'its bytes are gone')
	const after = await everything(server)
	for (const secret of [...secrets, ...words]) assert.ok(!after.includes(secret), secret)
	for (const one of [student, lecturer]) {
		const { messages } = await one.call('listMessages', { id: discussion.id })
		const [first, second, third, last] = messages
		for (const blank of [first, second, third] as Message[]) {
			assert.deepEqual([blank.text, blank.attachments, blank.edits, blank.editedAt, blank.removed?.by], [null, [], 0, null, admin.me.id])
			assert.equal(await codeOf(one.call('setRemoved', { id: blank.id, removed: false })), 'forbidden')
			assert.equal(await codeOf(one.call('listEdits', { id: blank.id })), 'forbidden')
		}
		assert.deepEqual([last!.id, last!.text, last!.replyTo], [answer.id, 'Well said', message.id])
		assert.deepEqual((await one.call('listFiles', { id: discussion.id })).messages, [])
		assert.equal(await codeOf(one.call('getFile', { id: file })), 'not_found')
	}
	assert.deepEqual([message.id, withFile.id, removed.id].length, 3)
	assert.deepEqual(await server.store.find('edits', 'message', [message.id], { limit: 10 }), [])
	assert.equal((await server.store.get('uploads', file))!.file, null)
	assert.deepEqual(
		listed(server.dir).map(({ id, texts }) => [id, texts]),
		[
			[id, false],
			[id, true],
		],
	)
	assert.deepEqual(server.trouble, [])
})

test('[A31] very many messages are erased, and those of nobody else', async (t) => {
	const server = await startServer(t)
	const { admin, student, other, discussion, blue, lecturer, school } = await openClass(server)
	await school.join(blue, other, lecturer)
	for (let n = 0; n < 5_200; n += 200) {
		await server.store.write(null, async (tx) => {
			for (let i = n; i < n + 200; i++) {
				const author = i % 2 ? student.me.id : other.me.id
				await tx.put(
					'messages',
					messageDraft({
						id: newId(),
						discussion: discussion.id,
						author,
						group: blue.id,
						text: `Text ${i} of ${i % 2 ? 'hers' : 'others'}`,
					}),
				)
			}
		})
	}
	await admin.call('eraseUser', { id: student.me.id, texts: 'true' })
	const records = await Array.fromAsync((await server.store.exportAt()).records)
	const messages = records.flatMap(({ collection, record }) =>
		collection === 'messages' ? [record as never as { author: string; text: string }] : [],
	)
	assert.equal(messages.filter(({ author, text }) => author === student.me.id && text === '').length, 2_600)
	assert.equal(messages.filter(({ author, text }) => author === other.me.id && text.endsWith('others')).length, 2_600)
	assert.ok(!(await everything(server)).includes('of hers'))
})

test('[A32] the list of the erased is on the disk before an erasure is reported done', async (t) => {
	const server = await startServer(t)
	const school = await openSchool(server)
	const people = await Promise.all(['Ayu', 'Budi', 'Cici'].map((name) => school.enter(name, 'student')))
	const found = await Promise.all(
		people.map(async ({ me }) => {
			await school.admin.call('eraseUser', { id: me.id })
			return listed(server.dir).some(({ id, texts }) => id === me.id && !texts)
		}),
	)
	assert.deepEqual(found, [true, true, true])
	const [line] = listed(server.dir)
	assert.equal(line!.at, (await server.store.get('users', line!.id))!.erasedAt)
	assert.equal(await codeOf(school.admin.call('eraseUser', { id: school.admin.me.id })), 'last_admin')
	assert.equal(listed(server.dir).length, 3, 'who was not erased is not listed')
	assert.ok(linesIn(server.dir).endsWith('\n'))
	const { mtime } = statSync(join(server.dir, 'backups/erasures.ndjson'))
	assert.equal(mtime.getUTCFullYear(), 2000, 'older than the newest backup')
})

test('[A32] an erasure that was cut short is finished at the next start', async (t) => {
	const dir = makeFolder(t)
	const server = await startServer(t, { dir })
	const { admin, person, secrets, words } = await withAll(server)
	const { id } = person.me
	// Where the list should be there is a folder: the list can't be written.
	mkdirSync(join(dir, 'backups/erasures.ndjson'), { recursive: true })
	assert.equal(await codeOf(admin.call('eraseUser', { id, texts: 'true' })), 'internal')
	assert.equal(await codeOf(person.call('me', {})), 'not_signed_in')
	assert.ok((await everything(server)).includes('Wolpertinger'))
	assert.equal(await codeOf(admin.call('eraseUser', { id })), 'internal', 'not done, so not reported done')
	await server.close()
	rmdirSync(join(dir, 'backups/erasures.ndjson'))
	const next = await startServer(t, { dir })
	while (
		statSync(join(dir, 'backups/erasures.ndjson'), { throwIfNoEntry: false }) === undefined ||
		(await everything(next)).includes('Wolpertinger')
	) {
		await new Promise((resolve) => setTimeout(resolve, 20))
	}
	const again = await new Somebody(next.origin).signIn(admin.me.email!)
	// Comes after the one that goes on.
	assert.equal((await again.call('eraseUser', { id })).user.name, 'Erased')
	const after = await everything(next)
	for (const secret of [...secrets, ...words]) assert.ok(!after.includes(secret), secret)
	assert.equal(await next.store.get('credentials', id), null)
	assert.deepEqual(
		listed(dir).map(({ id, texts }) => [id, texts]),
		[[id, true]],
	)
})

test('[A35] who was erased after a backup is erased again when it is restored, before anybody is served', async (t) => {
	const server = await startServer(t, { dir: makeFolder(t) })
	const { admin, student, person, message, secrets, words } = await withAll(server)
	const other = student.me.id
	const { seq, records } = await server.store.exportAt()
	const copy = await Array.fromAsync(records)
	await admin.call('eraseUser', { id: person.me.id })
	await admin.call('eraseUser', { id: other, texts: 'true' })
	await admin.call('eraseUser', { id: person.me.id, texts: 'true' })
	const lines = linesIn(server.dir)
	await server.close()
	const restore = async (before: string) => {
		writeFileSync(join(server.dir, 'backups/erasures.ndjson'), before)
		const store = await openStoreOf(server.dir)
		await store.replaceAll({
			seq,
			records: (async function* () {
				yield* copy
			})(),
		})
		const again = await startServer(t, { dir: server.dir })
		// The first answer already.
		const erased = await Promise.all([person.me.id, other].map((id) => again.store.get('users', id)))
		assert.deepEqual(
			erased.map((user) => user!.name),
			['Erased', 'Erased'],
		)
		while ((await again.store.find('system', 'name', ['erasures'], { limit: 1 })).length > 0) await turn()
		assert.equal((await again.store.get('messages', message.id))?.text, '')
		const after = await everything(again)
		for (const secret of [...secrets, ...words]) assert.ok(!after.includes(secret), secret)
		await again.close()
		const { head } = again.store
		// It is done: another start changes nothing.
		const third = await startServer(t, { dir: server.dir })
		assert.equal(third.store.head.seq, head.seq)
		await third.close()
	}
	await restore(lines)
	await restore(`{"id":"${'0'.repeat(24)}","at":"${new Date().toISOString()}","texts":true}\n{"id":"abc\n${lines}{"id":`)
})
