/**
 * What must not come in: each gets its error code, and nothing of it is stored.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ErrorCode, errorCodes, Problem } from '../../protocol/api.ts'
import { limits } from '../../protocol/model.ts'
import { openClass, openSchool, type Somebody } from '../support/class.ts'
import { codeOf, newId } from '../support/client.ts'
import { type Server, startServer } from '../support/server.ts'

const now = () => new Date().toISOString()

/** Sends bytes as the body of a call, and gives the code of the answer. */
async function post(
	client: Somebody,
	path: string,
	body: string | Uint8Array,
	headers: Record<string, string> = {},
): Promise<ErrorCode | 'done'> {
	const response = await client.fetch(path, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...headers },
		body: body as BodyInit,
	})
	if (response.status === 200) return 'done'
	assert.match(response.headers.get('content-type')!, /^application\/problem\+json/)
	const problem = Problem.parse(await response.json())
	assert.equal(response.status, errorCodes[problem.code])
	assert.ok(problem.detail.length > 10 && problem.title.length > 3)
	return problem.code
}

/** That no step was stored by what the test did. */
async function storesNothing(server: Server, work: () => Promise<void>): Promise<void> {
	const { seq } = server.store.head
	await work()
	assert.equal(server.store.head.seq, seq)
	assert.deepEqual(server.trouble, [])
}

test('[A12] a message that breaks a limit or its schema is refused', async (t) => {
	const server = await startServer(t)
	const { student, discussion } = await openClass(server)
	const good = { id: newId(), discussion: discussion.id, text: 'fine', writtenAt: now() }
	const send = (change: object) => post(student, '/api/messages', JSON.stringify({ ...good, ...change }))
	await storesNothing(server, async () => {
		const bad: object[] = [
			{ text: 'x'.repeat(limits.message + 1) },
			{ text: 'nul \u0000 inside' },
			{ text: 'half a pair \ud83d' },
			{ text: 'escape \u001b[31m' },
			{ text: 7 },
			{ text: ['x'] },
			{ text: null },
			{ id: 'x' },
			{ id: newId().toUpperCase() },
			{ id: `${newId()}0` },
			{ discussion: { $ne: null } },
			{ writtenAt: 'yesterday' },
			{ writtenAt: '2025-01-01' },
			{ replyTo: 'x' },
			{ group: 5 },
			{ uploads: newId() },
			{ uploads: ['x'] },
			{ uploads: Array.from({ length: limits.attachments + 1 }, () => newId()) },
			{ attachments: [] },
			{ unknown: true },
			{ seq: 1 },
			{ author: newId() },
			{ removed: null },
		]
		for (const change of bad) assert.equal(await send(change), 'invalid_input', JSON.stringify(change).slice(0, 80))
		for (const text of ['', ' \n ']) assert.equal(await send({ text }), 'message_empty')
		assert.equal(await send({ uploads: [newId()] }), 'upload_unknown')
	})
	assert.equal(await send({ text: `${'x'.repeat(limits.message - 2)}é` }), 'done')
	assert.equal(await send({ id: newId(), text: 'tab\tand\nline, 👩‍🏫 and ضاد' }), 'done')
})

test('[A12] a body that is no JSON object, not UTF-8, too large, or pollutes prototypes is refused', async (t) => {
	const server = await startServer(t)
	const { student, discussion } = await openClass(server)
	const text = JSON.stringify({ id: newId(), discussion: discussion.id, text: 'fine', writtenAt: now() })
	const expected: [string | Uint8Array, ErrorCode, Record<string, string>?][] = [
		['', 'invalid_input'],
		['null', 'invalid_input'],
		['[]', 'invalid_input'],
		['"text"', 'invalid_input'],
		['{"id":', 'invalid_input'],
		['{}', 'invalid_input'],
		['[{}]', 'invalid_input'],
		['['.repeat(100_000), 'invalid_input'],
		[text.replace('{', '{"__proto__":{"role":"admin"},'), 'invalid_input'],
		[text.replace('{', '{"\\u005f_proto__":{"role":"admin"},'), 'invalid_input'],
		[text.replace('{', '{"constructor":{"prototype":{"role":"admin"}},'), 'invalid_input'],
		[Buffer.from(text.replace('fine', 'f\u00ffne'), 'latin1'), 'invalid_input'],
		[`\ufeff${text}x`, 'invalid_input'],
		[text, 'unsupported_media', { 'content-type': 'text/plain' }],
		[text, 'unsupported_media', { 'content-type': 'application/x-www-form-urlencoded' }],
		[text, 'unsupported_media', { 'content-type': 'multipart/form-data; boundary=x' }],
		[' '.repeat(limits.bodyBytes) + text, 'too_large'],
	]
	await storesNothing(server, async () => {
		for (const [body, code, headers] of expected) {
			assert.equal(await post(student, '/api/messages', body, headers), code, `${code}: ${String(body).slice(0, 60)}`)
		}
	})
	assert.equal(({} as { role?: string }).role, undefined)
})

test('[A12] what is in the address is checked as what is in the body', async (t) => {
	const server = await startServer(t)
	const { student, discussion, lecturer } = await openClass(server)
	const code = async (path: string, init?: RequestInit) => ((await (await student.fetch(path, init)).json()) as Problem).code
	await storesNothing(server, async () => {
		assert.equal(await code('/api/discussions/x'), 'invalid_input')
		assert.equal(await code(`/api/discussions/${'a'.repeat(500)}`), 'invalid_input')
		assert.equal(await code('/api/discussions/%00'), 'invalid_input')
		assert.equal(await code('/api/discussions/%ff'), 'invalid_input')
		assert.equal(await code(`/api/discussions/${discussion.id}/messages?limit=0`), 'invalid_input')
		assert.equal(await code(`/api/discussions/${discussion.id}/messages?limit=101`), 'invalid_input')
		assert.equal(await code(`/api/discussions/${discussion.id}/messages?limit=5&limit=6`), 'invalid_input')
		assert.equal(await code(`/api/discussions/${discussion.id}/messages?secret=1`), 'invalid_input')
		assert.equal(await code(`/api/discussions?after=${'1'.repeat(61)}`), 'invalid_input')
		assert.equal(await code('/api/nothing'), 'not_found')
		assert.equal(await code('/api'), 'not_found')
		assert.equal(await code('/api/messages'), 'method_not_allowed')
		assert.equal(await code('/api/status', { method: 'DELETE' }), 'method_not_allowed')
		assert.equal(await code(`/api/discussions/${newId()}`), 'not_found')
	})
	assert.equal(await codeOf(lecturer.call('getDiscussion', { id: discussion.id })), 'done')
})

test('[A12] fields of people, groups and discussions have their limits', async (t) => {
	const server = await startServer(t)
	const { school, lecturer, blue, discussion } = await openClass(server)
	await storesNothing(server, async () => {
		const person = { role: 'student', name: 'Eve', email: 'eve@school.example', number: '7', password: 'long enough' }
		const bad: object[] = [
			{ role: 'admin' },
			{ name: 'x'.repeat(limits.name + 1) },
			{ name: 'two\nlines' },
			{ email: 'nobody' },
			{ email: `${'x'.repeat(limits.email)}@school.example` },
			{ password: 'short' },
			{ password: 'x'.repeat(limits.password.max + 1) },
			{ password: 'half a pair \ud83d' },
			{ number: 'x'.repeat(limits.number + 1) },
			{ number: null },
			{ number: ' ' },
			{ lecturers: Array.from({ length: limits.lecturersChosen + 1 }, () => newId()) },
			{ avatar: newId() },
			{ status: 'approved' },
		]
		for (const change of bad)
			assert.equal(await post(lecturer, '/api/registrations', JSON.stringify({ ...person, ...change })), 'invalid_input')
		const start = { id: newId(), title: 'T', prompt: '', groups: [blue.id] }
		for (const change of [
			{ groups: [] },
			{ groups: Array(limits.groupsPerDiscussion + 1).fill(blue.id) },
			{ title: '' },
			{ prompt: 'x'.repeat(limits.prompt + 1) },
			{ tags: Array(limits.tags + 1).fill('tag') },
			{ tags: ['x'.repeat(limits.tag + 1)] },
			{ tags: ['two\nlines'] },
			{ collaborators: Array.from({ length: limits.collaborators + 1 }, () => newId()) },
			{ category: 'x' },
			{ status: 'archived' },
		]) {
			assert.equal(await post(lecturer, '/api/discussions', JSON.stringify({ ...start, ...change })), 'invalid_input')
		}
		assert.equal(await codeOf(lecturer.call('startDiscussion', { ...start, groups: [blue.id, newId()] })), 'not_found')
		assert.equal(await codeOf(lecturer.call('startDiscussion', { ...start, category: newId() })), 'not_found')
		assert.equal(await codeOf(lecturer.call('startDiscussion', { ...start, collaborators: [newId()] })), 'not_found')
		for (const name of ['', ' ', 'x'.repeat(limits.categoryName + 1), 'two\nlines', '\u202e\u0000']) {
			assert.equal(await codeOf(lecturer.call('createCategory', { id: newId(), name })), 'invalid_input')
		}
		const description = 'x'.repeat(limits.description + 1)
		assert.equal(await codeOf(lecturer.call('createGroup', { id: newId(), name: 'Green', description })), 'invalid_input')
		const users = Array.from({ length: limits.people + 1 }, () => newId())
		assert.equal(await codeOf(lecturer.call('addMembers', { id: blue.id, users })), 'invalid_input')
		assert.equal(await codeOf(school.admin.call('decide', { ids: users, status: 'approved' })), 'invalid_input')
		assert.equal(await codeOf(lecturer.call('editDiscussion', { id: discussion.id, groups: [newId()] })), 'not_found')
		assert.equal(await codeOf(lecturer.call('addMember', { id: blue.id, user: newId() })), 'not_found')
		assert.equal(await codeOf(lecturer.call('addMember', { id: blue.id, user: school.admin.me.id })), 'not_found', 'admins are in no group')
		const commands = Array.from({ length: limits.returnsPerBatch + 1 }, () => ({
			command: 'setRemoved' as const,
			input: { id: newId(), removed: true },
		}))
		assert.equal(await codeOf(lecturer.call('offerAgain', { commands })), 'invalid_input')
	})
})

test('[A12] a request that is not HTTP, is cut, or comes drop by drop harms nobody', async (t) => {
	const server = await startServer(t)
	const { student, discussion } = await openClass(server)
	await storesNothing(server, async () => {
		for (const bytes of [
			'GARBAGE\r\n\r\n',
			'POST /api/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n\r\n{"id":',
			`GET /api/me HTTP/1.1\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
		]) {
			await new Promise<void>((resolve) => {
				const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes))
				socket.on('data', () => socket.destroy())
				socket.on('error', () => {})
				socket.on('close', () => resolve())
				if (bytes.startsWith('POST')) setImmediate(() => socket.destroy())
			})
		}
	})
	assert.equal(await codeOf(student.send(discussion, 'still here')), 'done')
})

test('[A12] names that other programs would take for something are kept as they are, and only as long as the limit', async (t) => {
	const server = await startServer(t)
	const { school, lecturer, discussion } = await openClass(server)
	const strange = [
		'=HYPERLINK("http://evil.example","Click")',
		"@SUM(A1:A9)*cmd|'/C calc'!A0",
		'Z\u0351\u036b\u0343\u036a\u0302\u036b'.repeat(15),
		'<img src=x onerror=alert(1)>',
		'\u202eتمرين',
		"Robert'); DROP TABLE users;--",
		'👩🏽‍🏫👨‍👩‍👧‍👦',
	]
	for (const [i, name] of strange.entries()) {
		const { me } = await school.admin.call('register', {
			role: 'student',
			name,
			email: `strange${i}@school.example`,
			number: name.slice(0, 40),
			password: 'long enough',
		})
		assert.equal(me.name, name.normalize('NFC'))
		const { group } = await lecturer.call('createGroup', { id: newId(), name })
		assert.equal(group.name, name.normalize('NFC'))
		assert.equal((await lecturer.send(discussion, name)).text, name.normalize('NFC'))
	}
	assert.equal(await codeOf(lecturer.upload('n'.repeat(300))), 'invalid_input')
	assert.deepEqual(server.trouble, [])
})

/** Sends a file by hand, and gives the code of the answer; null: there was none. `said` is its length as the sender says it. */
function sendRaw(
	client: Somebody,
	port: number,
	bytes: string,
	said: number | null,
	type = 'application/octet-stream',
): Promise<string | null> {
	const path = `/api/uploads/${newId()}?name=notes.txt`
	const length = said === null ? '' : `content-length: ${said}\r\n`
	const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncookie: session=${client.cookie}\r\ncontent-type: ${type}\r\n${length}connection: close\r\n\r\n`
	return new Promise((resolve) => {
		let answer = ''
		const socket = connect(port, '127.0.0.1', () => socket.write(head + bytes))
		socket.on('data', (data) => (answer += String(data)))
		socket.on('error', () => {})
		socket.on('close', () => resolve(/"code":"(\w+)"/.exec(answer)?.[1] ?? (answer.includes('200 OK') ? 'done' : null)))
		// It says that there is more, and goes.
		if (said !== null && said > bytes.length && said <= limits.uploadBytes) setTimeout(() => socket.end(), 50)
	})
}

test('[A12] a file that lies about its size, is cut off, empty, too large or no file at all leaves nothing', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const folder = join(server.dir, 'uploads')
	await storesNothing(server, async () => {
		const expected: [string, number | null, string | null, string?][] = [
			['', 0, 'invalid_input'],
			['', null, 'invalid_input'],
			['half', 100, null],
			['half', limits.uploadBytes, null],
			['too much', limits.uploadBytes + 1, 'too_large'],
			['too much', 1e15, 'too_large'],
			['text', 4, 'unsupported_media', 'text/plain'],
			['{}', 2, 'unsupported_media', 'application/json'],
			['--x', 3, 'unsupported_media', 'multipart/form-data; boundary=x'],
		]
		for (const [bytes, said, code, type] of expected) {
			const answered = await sendRaw(student, server.port, bytes, said, type)
			assert.ok(answered === code || (code === null && answered === 'invalid_input'), `${bytes} of ${said}, ${type}: ${answered}`)
		}
		// Cut files are noticed a moment later.
		while (readdirSync(folder).length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
		for (const path of [`/api/uploads/${newId()}`, `/api/uploads/x?name=a`, `/api/uploads/${newId()}?name=a&purpose=spying`]) {
			assert.equal(await post(student, path, 'bytes', { 'content-type': 'application/octet-stream' }), 'invalid_input')
		}
	})
	assert.equal(await sendRaw(student, server.port, 'text', 4), 'done')
	assert.equal(readdirSync(folder).length, 1)
})

test('[A12] a discussion that is closed while messages are on their way has each of them whole or not at all', async (t) => {
	const server = await startServer(t)
	const { student, lecturer, discussion } = await openClass(server)
	const uploads = await Promise.all(Array.from({ length: 24 }, (_, i) => student.upload(`${i}.txt`)))
	const sending = uploads.map(async (upload, i) => {
		await new Promise((resolve) => setTimeout(resolve, i))
		return codeOf(student.send(discussion, `Message ${i}`, { uploads: [upload] }))
	})
	await new Promise((resolve) => setTimeout(resolve, 12))
	await lecturer.call('editDiscussion', { id: discussion.id, status: 'closed' })
	const codes = await Promise.all(sending)
	assert.deepEqual(
		[...new Set(codes)].filter((code) => code !== 'done' && code !== 'discussion_closed'),
		[],
	)
	const { messages } = await student.call('listMessages', { id: discussion.id, limit: 100 })
	assert.deepEqual(
		messages.map(({ text, attachments }) => [text, attachments.map(({ name }) => name)]).sort(),
		codes.flatMap((code, i) => (code === 'done' ? [[`Message ${i}`, [`${i}.txt`]]] : [])).sort(),
	)
	// What was refused can be sent once it is open again, its file with it.
	await lecturer.call('editDiscussion', { id: discussion.id, status: 'open' })
	const left = uploads.filter((_, i) => codes[i] !== 'done')
	for (const upload of left) await student.send(discussion, '', { uploads: [upload] })
	assert.equal((await student.call('listFiles', { id: discussion.id })).messages.length, uploads.length)
	assert.deepEqual(server.trouble, [])
})

test('[A15] answers carry the headers that protect their readers, and none that needs HTTPS', async (t) => {
	const server = await startServer(t)
	const { admin } = await openSchool(server)
	for (const path of ['/api/me', '/api/nothing', '/api/docs', '/api/docs.json', '/readyz', '/', '/discussions/1']) {
		const { headers } = await admin.fetch(path)
		assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
		const policy = headers.get('content-security-policy')!
		assert.match(policy, /frame-ancestors 'none'/)
		assert.match(policy, /default-src '(self|none)'/)
		assert.doesNotMatch(policy, /script-src[^;]*unsafe|upgrade-insecure/)
		assert.equal(headers.get('strict-transport-security'), null)
		assert.equal(headers.get('x-powered-by'), null)
	}
	assert.equal((await admin.fetch('/api/me')).headers.get('cache-control'), 'no-store')
})

test('[A15] the API describes itself, and every place inside the app leads to its page', async (t) => {
	const server = await startServer(t)
	const stranger = await fetch(`${server.origin}/api/docs.json`)
	const { openapi, paths } = (await stranger.json()) as { openapi: string; paths: Record<string, Record<string, { operationId: string }>> }
	assert.equal(openapi, '3.1.0')
	assert.equal(paths['/api/discussions/{id}/messages']!.get!.operationId, 'listMessages')
	const page = await (await fetch(`${server.origin}/api/docs`)).text()
	assert.ok(page.includes('sendMessage') && page.includes('id="discussion_closed"') && !page.includes('<script'))
	const app = await fetch(`${server.origin}/discussions/1`)
	assert.deepEqual([app.status, (await app.text()).includes('has not been built')], [503, true])
	assert.equal((await fetch(`${server.origin}/assets/missing.js`)).status, 404)
	assert.equal((await fetch(`${server.origin}/`, { method: 'POST' })).status, 405)
	assert.deepEqual(await (await fetch(`${server.origin}/healthz`)).json(), { healthy: true })
	assert.deepEqual(await (await fetch(`${server.origin}/readyz`)).json(), { ready: true })
	const traversal = await new Promise<number>((resolve) => {
		plainRequest(`${server.origin}/..%2f..%2fpackage.json`, ({ statusCode }) => resolve(statusCode!)).end()
	})
	assert.ok(traversal === 404 || traversal === 403)
})
