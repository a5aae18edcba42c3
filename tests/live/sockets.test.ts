/**
 * Live: sockets themselves. Who may open one and how many, what may be said on it, and how it ends.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'
import { formatCursor } from '../../protocol/model.ts'
import { openClass, Somebody } from '../support/class.ts'
import { assertSame, newId, View } from '../support/client.ts'
import { startServer } from '../support/server.ts'

test('[L8] a socket ends with its session, when the account is deactivated, and never begins without one', async (t) => {
	const server = await startServer(t)
	const { student, other, school, discussion, lecturer } = await openClass(server)
	const phone = await student.again()
	const [desktop, mobile, hers] = [student.listen(null), phone.listen(null), other.listen(null)]
	for (const listening of [desktop, mobile, hers]) await listening.until(() => listening.frames.length > 0)
	const { sessions } = await student.call('listSessions', {})
	await student.call('endSession', { id: sessions.find(({ current }) => !current)!.id })
	assert.equal((await mobile.end()).code, 4401)
	await school.admin.call('setStatus', { id: other.me.id, status: 'deactivated' })
	assert.equal((await hers.end()).code, 4401)
	assert.equal((await phone.listen(null).end()).code, 4401)
	assert.equal((await other.listen(null).end()).code, 4401)
	assert.equal((await new Somebody(server.origin).listen(null).end()).code, 4401)
	await lecturer.send(discussion, 'still here')
	await desktop.reach(server.store.head.seq)
	await student.call('signOut', {})
	assert.equal((await desktop.end()).code, 4401)
	assert.deepEqual(server.trouble, [])
})

test('[L9] nothing but typing can be said, and who goes on saying it is put out', async (t) => {
	const server = await startServer(t)
	const { student, discussion } = await openClass(server)
	const listening = student.listen(null)
	await listening.until(() => listening.frames.length > 0)
	const { seq } = server.store.head
	const sayings = ['', 'null', '[]', '{"t":"changes"}', `{"t":"typing","discussion":"${discussion.id}","text":"x"}`]
	for (const saying of sayings) listening.socket.send(saying)
	await listening.until(() => listening.frames.filter((frame) => frame.t === 'error').length === sayings.length)
	listening.socket.send(Buffer.from([0xff, 0xfe]))
	assert.equal((await listening.end()).code, 4403)
	const long = student.listen(null)
	await long.until(() => long.frames.length > 0)
	long.socket.send(`{"t":"typing","discussion":"${'a'.repeat(10_000)}"}`)
	assert.equal((await long.end()).code, 1009)
	assert.equal(server.store.head.seq, seq)
	assert.deepEqual(server.trouble, [])
})

test('[L7] typing shows among those who would see the message, is never stored, and only where the typist may write', async (t) => {
	const server = await startServer(t)
	const { student, other, lecturer, blue, red, discussion, school } = await openClass(server)
	const classmate = await school.enter('Cleo', 'student', [blue], lecturer)
	const both = await lecturer.startDiscussion('Both', [blue, red])
	const closed = await lecturer.startDiscussion('Closed', [blue])
	await lecturer.call('editDiscussion', { id: closed.id, status: 'closed' })
	const people = { student, classmate, other, lecturer }
	const heard = Object.fromEntries(Object.entries(people).map(([name, client]) => [name, client.listen(null)]))
	for (const listening of Object.values(heard)) await listening.until(() => listening.frames.length > 0)
	const { seq } = server.store.head
	const say = (who: string, id: string) => heard[who]!.socket.send(JSON.stringify({ t: 'typing', discussion: id }))
	const typing = (who: string) =>
		heard[who]!.frames.flatMap((frame) =>
			frame.t === 'typing' ? [`${frame.user.name} in ${frame.discussion === both.id ? 'both' : 'another'}`] : [],
		)
	for (const id of [closed.id, newId()]) say('student', id)
	say('other', discussion.id)
	say('student', both.id)
	await heard.classmate!.until(() => typing('classmate').length > 0)
	say('lecturer', both.id)
	for (const who of ['student', 'classmate', 'other']) await heard[who]!.until(() => typing(who).includes('Lena Lecturer in both'))
	await heard.lecturer!.until(() => typing('lecturer').length > 0)
	assert.deepEqual(typing('lecturer'), ['Sari Student in both'])
	assert.deepEqual(typing('classmate'), ['Sari Student in both', 'Lena Lecturer in both'])
	assert.deepEqual(typing('other'), ['Lena Lecturer in both'])
	assert.deepEqual(typing('student'), ['Lena Lecturer in both'])
	for (let i = 0; i < 100; i++) say('student', both.id)
	say('lecturer', both.id)
	await heard.student!.until(() => typing('student').length > 1)
	assert.ok(typing('lecturer').length <= 10, 'very quick fingers are not heard')
	assert.equal(server.store.head.seq, seq)
})

test('[L6] who reads too slowly is dropped, and catches up', async (t) => {
	const server = await startServer(t, { slowSocketBytes: 32 * 1024, idleSocketMs: 600_000 })
	const { student, lecturer, discussion, school } = await openClass(server)
	const view = new View(student)
	const listening = await view.open()
	await listening.until(() => listening.frames.length > 0)
	listening.socket.pause()
	// More than the system's own buffers hold.
	const text = 'x'.repeat(10_000)
	for (let round = 0; round < 12; round++) await Promise.all(Array.from({ length: 50 }, () => lecturer.send(discussion, text)))
	listening.socket.resume()
	assert.equal((await listening.end()).code, 4408)
	view.listen(listening.upTo!)
	await assertSame(student, view, school.seq)
	assert.equal(view.records.messages.size, 600)
	assert.deepEqual(server.trouble, [])
})

test('[A16] five hundred sockets of one account: twenty stay, the others are refused, and other people are not disturbed', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion } = await openClass(server)
	const all = Array.from({ length: 500 }, () => student.listen(null))
	const open = () => all.filter(({ closed }) => !closed)
	const refused = await Promise.all(
		all.slice(0, 500).map((one) => Promise.race([one.end(), one.until(() => one.frames.length > 0).then(() => null)])),
	)
	assert.equal(open().length, 20)
	assert.ok(refused.every((end) => end === null || end.code === 4403))
	const hers = lecturer.listen(null)
	await lecturer.send(discussion, 'undisturbed')
	await hers.reach(server.store.head.seq)
	open()[0]!.close()
	await once(open()[0]!.socket, 'close').catch(() => {})
	assert.deepEqual(server.trouble, [])
})

test('[A11] a page of another site opens no socket and writes nothing', async (t) => {
	const server = await startServer(t)
	const { student, discussion } = await openClass(server)
	const upgrade = (headers: Record<string, string>) =>
		new Promise<number>((resolve) => {
			const asked = request(`${server.origin}/api/live`, {
				headers: {
					connection: 'Upgrade',
					upgrade: 'websocket',
					'sec-websocket-version': '13',
					'sec-websocket-key': Buffer.alloc(16).toString('base64'),
					cookie: `session=${student.cookie}`,
					...headers,
				},
			})
			asked.on('response', ({ statusCode }) => resolve(statusCode!))
			asked.on('upgrade', (response, socket) => {
				socket.destroy()
				resolve(response.statusCode!)
			})
			asked.end()
		})
	assert.equal(await upgrade({ origin: 'http://evil.example' }), 403)
	assert.equal(await upgrade({ 'sec-fetch-site': 'cross-site' }), 403)
	assert.equal(await upgrade({ origin: server.origin, 'sec-fetch-site': 'same-origin' }), 101)
	const send = (headers: Record<string, string>) =>
		student.fetch('/api/messages', {
			method: 'POST',
			headers: { 'content-type': 'application/json', ...headers },
			body: JSON.stringify({ id: newId(), discussion: discussion.id, text: 'x', writtenAt: new Date().toISOString() }),
		})
	for (const headers of [
		{ origin: 'http://evil.example' },
		{ origin: 'null' },
		{ 'sec-fetch-site': 'cross-site' },
		{ 'sec-fetch-site': 'same-site' },
	]) {
		const response = await send(headers as unknown as Record<string, string>)
		assert.equal(((await response.json()) as { code: string }).code, 'origin_refused')
	}
	assert.equal((await send({ origin: server.origin })).status, 200)
	assert.equal((await student.call('listMessages', { id: discussion.id })).messages.length, 1)
})

test('[L8] a server that stops says goodbye, and browsers go on from their cursor at the next one', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion } = await openClass(server)
	const view = new View(student)
	const listening = await view.open()
	await lecturer.send(discussion, 'before')
	await view.settle(server.store.head.seq)
	await server.close()
	assert.equal((await listening.end()).code, 1001)
	const next = await startServer(t, { dir: server.dir, port: server.port })
	await lecturer.send(discussion, 'after')
	const again = view.listen(listening.upTo!)
	await assertSame(student, view, next.store.head.seq)
	assert.equal(view.records.messages.size, 2)
	assert.ok(!again.frames.some((frame) => frame.t === 'resync'))
	assert.ok(formatCursor(next.store.head.lineage, 0).startsWith(server.store.head.lineage))
})
