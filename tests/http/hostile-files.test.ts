/**
 * Files from people who mean harm, and from lines that break: each gets its error, and nothing half stays.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultRates } from '../../backend/src/rates.ts'
import { limits } from '../../protocol/model.ts'
import { openClass, openSchool, type Somebody } from '../support/class.ts'
import { codeOf, newId } from '../support/client.ts'
import { bomb, photo } from '../support/pictures.ts'
import { makeFolder, type Server, startChild, startServer } from '../support/server.ts'

const send = (by: Somebody, bytes: Uint8Array, name = 'x.png', purpose: 'message' | 'avatar' = 'message') =>
	by.call('sendFile', { id: newId(), name, purpose }, bytes)
const codeOfSending = (by: Somebody, bytes: Uint8Array, name?: string, purpose?: 'message' | 'avatar') =>
	codeOf(send(by, bytes, name, purpose))

/** Looks into the folder and the store: so many uploads (any of these numbers), each with its file, and nothing else. */
async function assertNothingHalf({ dir, store }: Server, ...uploads: number[]): Promise<void> {
	const folder = join(dir, 'uploads')
	// What was cut is cleaned up a moment later.
	while (readdirSync(folder).some((name) => name.startsWith('.partial'))) await sleep(5)
	const files = new Set<string>()
	let records = 0
	for await (const { collection, record } of (await store.exportAt()).records) {
		if (collection !== 'uploads') continue
		const { file, sizeBytes } = record as unknown as { file: string; sizeBytes: number }
		assert.equal(readFileSync(join(folder, file)).length, sizeBytes)
		files.add(file)
		records++
	}
	assert.ok(uploads.includes(records), `${records} uploads`)
	assert.deepEqual(readdirSync(folder).sort(), [...files].sort())
}

/** Sends a request as it is written, and hears what comes until it is told to hang up, or is hung up on. */
async function raw(
	server: Server,
	text: string,
	{ body = Buffer.alloc(0), until = /./ as RegExp | null, hangUp = true } = {},
): Promise<string> {
	const socket = connect(server.port, '127.0.0.1')
	let heard = ''
	const done = new Promise<void>((resolve) => {
		socket.on('data', (data) => {
			heard += data
			if (until?.test(heard)) resolve()
		})
		socket.on('close', () => resolve())
		socket.on('error', () => resolve())
	})
	socket.write(text.replaceAll('\n', '\r\n'))
	socket.write(body)
	if (until === null && hangUp) {
		await sleep(30)
		socket.destroy()
	}
	await done
	socket.destroy()
	return heard
}

const request = (by: Somebody, headers: string, path = `/api/uploads/${newId()}?name=x.txt`) =>
	`POST ${path} HTTP/1.1\nhost: x\ncookie: session=${by.cookie}\n${headers}\n\n`
const octets = 'content-type: application/octet-stream'

test('[F12] a name that is a path is no path, and one that is too long is refused', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	for (const name of ['../../../etc/cron.d/x', '/etc/passwd', '..\\..\\x', 'a/../../b', `${'../'.repeat(60)}x`]) {
		const { upload } = await send(student, Buffer.from(name), name)
		assert.doesNotMatch(upload.name, /[/\\]|^\.\./)
	}
	for (const name of ['x'.repeat(300), '', ' ', 'a\u0000b', 'a\r\nset-cookie: x=1'])
		assert.equal(await codeOfSending(student, Buffer.from('x'), name), 'invalid_input')
	await assertNothingHalf(server, 5)
})

test('[F17] what says it is a picture and is not is no picture', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const page = Buffer.from('<html><script>alert(1)</script>')
	const script = Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')
	for (const bytes of [page, script]) {
		const { upload } = await send(student, bytes, 'photo.png')
		assert.equal(upload.kind, 'file')
		const { headers } = await student.fetch(`/api/files/${upload.id}`)
		assert.match(headers.get('content-disposition')!, /^attachment/)
		assert.equal(headers.get('content-type'), 'application/octet-stream')
		assert.equal(await codeOf(student.call('getThumbnail', { id: upload.id, size: 'small' })), 'not_found')
		assert.equal(await codeOfSending(student, bytes, 'photo.png', 'avatar'), 'picture_refused')
	}
	// Begins as one thing and is another.
	const [jpeg, png] = [await photo('jpeg'), await photo('png')]
	for (const head of ['GIF89a/*', '\x89PNG\r\n\x1a\n', '\xff\xd8\xff', 'RIFF\x40\0\0\0WEBP'])
		assert.equal(await codeOfSending(student, Buffer.concat([Buffer.from(head, 'latin1'), page, Buffer.alloc(99)])), 'picture_refused')
	assert.equal(await codeOfSending(student, Buffer.concat([jpeg.subarray(0, 400), png])), 'picture_refused')
	// What hangs on behind the picture's end is cut off, also as a picture of a person.
	for (const picture of [jpeg, png]) {
		const { upload } = await send(student, Buffer.concat([picture, page]), 'x.html', 'avatar')
		const bytes = (await student.call('getFile', { id: upload.id })) as Buffer
		assert.ok(!bytes.includes('<script>'))
	}
	await assertNothingHalf(server, 4)
})

test('[F7] pictures with too many pixels, or of kinds that keep their secrets, are refused before they are decoded', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const bytes = bomb(30_000)
	assert.ok(bytes.length < 1_000_000)
	const before = process.memoryUsage.rss()
	for (const purpose of ['message', 'avatar'] as const)
		assert.equal(await codeOfSending(student, bytes, 'x.png', purpose), 'picture_refused')
	assert.ok(process.memoryUsage.rss() - before < 100e6, 'it would need 900 MB')
	// A file that only says that it is large.
	const jpeg = await photo('jpeg')
	const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
	jpeg.writeUInt16BE(60_000, frame + 5)
	jpeg.writeUInt16BE(60_000, frame + 7)
	assert.equal(await codeOfSending(student, jpeg), 'picture_refused')
	assert.equal(await codeOfSending(student, bomb(7_000)), 'done')
	const heic = Buffer.concat([Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), Buffer.alloc(300)])
	const tiff = Buffer.concat([Buffer.from('II*\0\x08\0\0\0\x01\0', 'latin1'), Buffer.alloc(300)])
	for (const picture of [heic, tiff]) assert.equal(await codeOfSending(student, picture), 'picture_refused')
	await assertNothingHalf(server, 1)
})

test('[F8] a file that is too large or empty is refused before its first byte', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	// No byte of it is ever sent.
	const refused = async (length: number | string, path?: string) =>
		raw(server, request(student, `${octets}\ncontent-length: ${length}`, path))
	assert.match(await refused(limits.uploadBytes + 1), /^HTTP\/1.1 413 [\s\S]*too_large/)
	assert.match(await refused(10 ** 15), /^HTTP\/1.1 413/)
	assert.match(await refused(limits.avatarBytes + 1, `/api/uploads/${newId()}?name=x&purpose=avatar`), /^HTTP\/1.1 413/)
	assert.match(await refused(0), /^HTTP\/1.1 (400|415)/)
	assert.match(await refused('x'), /^HTTP\/1.1 400/)
	assert.match(await refused(-1), /^HTTP\/1.1 400/)
	const chunked = raw(server, request(student, `${octets}\ntransfer-encoding: chunked`), { body: Buffer.from('1\r\nx\r\n0\r\n\r\n') })
	assert.match(await chunked, /^HTTP\/1.1 400 [\s\S]*how long/)
	assert.equal(await codeOfSending(student, Buffer.alloc(0)), 'invalid_input')
	assert.equal(await codeOfSending(student, Buffer.alloc(limits.uploadBytes, 'x')), 'done')
	await assertNothingHalf(server, 1)
})

test('[F8] what is not sent as bytes, by a stranger or from another site, is refused', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const path = `/api/uploads/${newId()}?name=x.txt`
	for (const type of ['image/png', 'application/json', 'multipart/form-data; boundary=x', 'text/plain']) {
		const answer = await student.fetch(path, { method: 'POST', headers: { 'content-type': type }, body: '{}' })
		assert.equal(answer.status, 415, type)
	}
	const bytes = { 'content-type': 'application/octet-stream' }
	assert.match(await raw(server, request(student, 'content-length: 1'), { body: Buffer.from('x') }), /^HTTP\/1.1 415/)
	assert.equal((await fetch(server.origin + path, { method: 'POST', headers: bytes, body: 'x' })).status, 401)
	assert.equal(
		(await student.fetch(path, { method: 'POST', headers: { ...bytes, 'sec-fetch-site': 'cross-site' }, body: 'x' })).status,
		403,
	)
	assert.equal((await student.fetch('/api/uploads/none?name=x', { method: 'POST', headers: bytes, body: 'x' })).status, 400)
	assert.equal((await student.fetch(`${path}&kind=image`, { method: 'POST', headers: bytes, body: 'x' })).status, 400)
	// Other addresses take no bytes.
	assert.equal((await student.fetch('/api/messages', { method: 'POST', headers: bytes, body: 'x' })).status, 415)
	await assertNothingHalf(server, 0)
})

test('[F17] a file that is cut off, or lies about its length, leaves nothing', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const bytes = Buffer.alloc(300_000, 'x')
	const jpeg = await photo('jpeg', 1, [900, 600])
	for (const body of [bytes, jpeg]) {
		for (const part of [0, 1, 1_000, body.length - 1]) {
			const text = request(student, `${octets}\ncontent-length: ${body.length}`)
			assert.equal(await raw(server, text, { body: Buffer.from(body.subarray(0, part)), until: null }), '')
		}
	}
	await assertNothingHalf(server, 0)
	// Longer than it says: the rest is no request, and the file is what it said, or nothing.
	assert.match(await raw(server, request(student, `${octets}\ncontent-length: 10`), { body: bytes, until: null, hangUp: false }), / 400 /)
	await assertNothingHalf(server, 0, 1)
	assert.deepEqual(server.trouble, [])
})

test('[F17] a file that stops coming is cut off', async (t) => {
	const server = await startServer(t, { silentUploadMs: 100 })
	const { student } = await openClass(server)
	const text = request(student, `${octets}\ncontent-length: 1000`)
	// The server hangs up.
	await raw(server, text, { body: Buffer.from('slow'), until: null, hangUp: false })
	await assertNothingHalf(server, 0)
})

test('[F8] who asks before sending is answered before sending', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const expect = 'expect: 100-continue'
	const refused = await raw(server, request(student, `${octets}\n${expect}\ncontent-length: ${limits.uploadBytes + 1}`))
	assert.match(refused, /^HTTP\/1.1 413/)
	assert.doesNotMatch(refused, / 100 /)
	const stranger = { cookie: 'x'.repeat(43) } as Somebody
	assert.match(await raw(server, request(stranger, `${octets}\n${expect}\ncontent-length: 4`)), /^HTTP\/1.1 401/)
	const taken = await raw(server, request(student, `${octets}\n${expect}\ncontent-length: 4`), {
		body: Buffer.from('file'),
		until: / 200 /,
	})
	assert.match(taken, /^HTTP\/1.1 100 [\s\S]*HTTP\/1.1 200 /)
	await assertNothingHalf(server, 1)
})

test('[F18] fifty files at once are all taken, in bounded memory, while people go on talking', async (t) => {
	const server = await startChild(t, makeFolder(t))
	while (server.setUpToken === null) await sleep(5)
	const school = await openSchool(server as unknown as Server)
	const lecturer = await school.enter('Lena Lecturer', 'lecturer')
	const group = await lecturer.createGroup('Blue')
	const discussion = await lecturer.startDiscussion('Weekend', [group])
	const peakBytes = () => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, 'latin1'))![1])
	// Once before, so that only what many need more is counted.
	await send(lecturer, Buffer.alloc(1_000_000, 'x'))
	const before = peakBytes()
	const sizeBytes = 8_000_000
	let sending = true
	let said = 0
	const talking = (async () => {
		for (; sending; said++) await lecturer.send(discussion, `${said}`)
	})()
	const sent = await Promise.all(Array.from({ length: 50 }, (_, n) => send(lecturer, Buffer.alloc(sizeBytes, `file ${n} `), `${n}.txt`)))
	sending = false
	await talking
	assert.equal(new Set(sent.map(({ upload }) => upload.id)).size, 50)
	assert.ok(said > 5, `${said} messages meanwhile`)
	const more = peakBytes() - before
	t.diagnostic(`50 files of 8 MB needed ${(more / 1e6).toFixed(0)} MB more memory; ${said} messages meanwhile`)
	assert.ok(more < 200e6, 'all of them have 400 MB')
})

test('[F18] fifty pictures at once that must be turned are all taken', async (t) => {
	const server = await startServer(t, { rates: { ...defaultRates, commands: { burst: 1_000, perMinute: 1_000 } } })
	const { student, lecturer, discussion } = await openClass(server)
	const pictures = await Promise.all(Array.from({ length: 50 }, (_, n) => photo('jpeg', 1 + (n % 8), [600 + 2 * n, 400])))
	const sent = await Promise.all(pictures.map((bytes, n) => send([student, lecturer][n % 2]!, bytes)))
	for (const [n, { upload }] of sent.entries()) {
		const size = [600 + 2 * n, 400]
		assert.deepEqual([upload.width, upload.height], n % 8 < 4 ? size : size.reverse())
	}
	const uploads = sent.filter((_, n) => n % 2 === 0).map(({ upload }) => upload.id)
	assert.equal((await student.send(discussion, '', { uploads: uploads.slice(0, 10) })).attachments.length, 10)
	await assertNothingHalf(server, 50)
})
