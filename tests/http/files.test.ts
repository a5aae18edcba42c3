/**
 * Files through the front door: what is stored of them, who gets them, and how.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { defaultRates } from '../../backend/src/rates.ts'
import type { Upload } from '../../protocol/model.ts'
import { openClass, Somebody } from '../support/class.ts'
import { codeOf, newId } from '../support/client.ts'
import { animation, difference, drawing, photo, secrets } from '../support/pictures.ts'
import { type Server, startServer } from '../support/server.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const uploadsOf = ({ dir }: Server) => join(dir, 'uploads')
const listed = (server: Server) => readdirSync(uploadsOf(server)).sort()

async function sendFile(by: Somebody, bytes: Uint8Array, name = 'notes.txt', purpose: 'message' | 'avatar' = 'message'): Promise<Upload> {
	return (await by.call('sendFile', { id: newId(), name, purpose }, bytes)).upload
}

/** The file that stands for an upload. */
async function fileOf(server: Server, { id }: { id: string }): Promise<{ path: string; name: string; bytes: Buffer }> {
	const record = (await server.store.get('uploads', id))!
	const path = join(uploadsOf(server), record.file!)
	const bytes = readFileSync(path)
	assert.equal(sha256(bytes), record.sha256)
	assert.equal(bytes.length, record.sizeBytes)
	return { path, name: record.file!, bytes }
}

test('[F1] a file stands whole under its kind and digest, with its record, and comes back as it was sent', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	for (const sizeBytes of [1, 1_000, 64 * 1024, 3_000_000]) {
		const bytes = Buffer.alloc(sizeBytes, 'A line of text.\n')
		const upload = await sendFile(student, bytes, 'My notes.txt')
		assert.deepEqual(upload, {
			id: upload.id,
			kind: 'file',
			name: 'My notes.txt',
			type: 'text/plain',
			sizeBytes,
			width: null,
			height: null,
		})
		const file = await fileOf(server, upload)
		assert.equal(file.name, `file-${sha256(bytes)}.txt`)
		assert.deepEqual(file.bytes, bytes)
		assert.deepEqual(await student.call('getFile', { id: upload.id }), bytes)
	}
	assert.equal(listed(server).length, 4)
	assert.deepEqual(server.trouble, [])
})

test('[F1] the same bytes again heal a file that was damaged', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const bytes = Buffer.from('What was written.')
	const upload = await sendFile(student, bytes)
	const { path } = await fileOf(server, upload)
	writeFileSync(path, 'What was wr1tten.')
	await sendFile(student, bytes)
	assert.deepEqual((await fileOf(server, upload)).bytes, bytes)
	assert.equal(listed(server).length, 1)
})

test('[F2] the same id with the same bytes is the same upload; anything else under it is taken', async (t) => {
	const server = await startServer(t)
	const { student, lecturer } = await openClass(server)
	const id = newId()
	const bytes = await photo()
	const first = await student.call('sendFile', { id, name: 'one.jpg' }, bytes)
	const again = await student.call('sendFile', { id, name: 'two.jpg' }, bytes)
	assert.deepEqual(again.upload, first.upload)
	assert.equal(await codeOf(student.call('sendFile', { id, name: 'one.jpg' }, await photo('png'))), 'id_taken')
	assert.equal(await codeOf(student.call('sendFile', { id, name: 'one.jpg', purpose: 'avatar' }, bytes)), 'id_taken')
	assert.equal(await codeOf(lecturer.call('sendFile', { id, name: 'one.jpg' }, bytes)), 'id_taken')
	assert.equal(
		await codeOf(student.call('sendFile', { id: newId(Math.floor(Date.now() / 1000) + 3 * 86_400), name: 'x' }, bytes)),
		'id_in_future',
	)

	// At the same moment, too.
	const both = newId()
	const sent = await Promise.all([1, 2, 3].map(() => student.call('sendFile', { id: both, name: 'one.jpg' }, bytes)))
	assert.deepEqual(sent[1]!.upload, sent[0]!.upload)

	// The same bytes of somebody else are an upload of hers, and one file.
	const hers = await sendFile(lecturer, bytes, 'one.jpg')
	assert.notEqual(hers.id, first.upload.id)
	assert.equal(listed(server).length, 1)
})

test('[F3] what a file is is told from its bytes, never from its name', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const told = async (bytes: Uint8Array, name: string) => {
		const { kind, type } = await sendFile(student, bytes, name)
		return `${kind} ${type}`
	}
	assert.equal(await told(await photo('jpeg'), 'x.txt'), 'image image/jpeg')
	assert.equal(await told(await photo('png'), 'x.jpg'), 'image image/png')
	assert.equal(await told(await photo('webp'), 'x'), 'image image/webp')
	assert.equal(await told(await animation('gif'), 'x.exe'), 'image image/gif')
	assert.equal(await told(Buffer.from('<!doctype html><script>alert(1)</script>'), 'picture.png'), 'file text/plain')
	assert.equal(await told(Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), 'x.svg'), 'file application/xml')
	assert.equal(await told(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'x.png'), 'file text/plain')
	assert.equal(await told(Buffer.from('%PDF-1.7\n1 0 obj\n'), 'x'), 'file application/pdf')
	assert.equal(await told(Buffer.from([0, 1, 2, 3]), 'x.txt'), 'file application/octet-stream')
	assert.equal(await told(Buffer.from('Zażółć gęślą jaźń 😀'), 'x.bin'), 'file text/plain')
	const mp3 = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x64', 'latin1'), Buffer.alloc(413)])
	assert.equal(await told(mp3, 'x'), 'audio audio/mpeg')
	assert.equal(
		await told(
			Buffer.from('OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01\x01\0\0\0\0\0\0\0\0\0\0', 'latin1'),
			'x',
		),
		'audio audio/ogg',
	)
	const wav = Buffer.from('RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0', 'latin1')
	assert.equal(await told(wav, 'x'), 'audio audio/wav')
	const avif = await sendFile(student, await drawing().avif().toBuffer(), 'holiday.avif')
	assert.deepEqual([avif.kind, avif.type, avif.name, avif.width], ['image', 'image/webp', 'holiday.webp', 96])
})

test('[F4] nothing of who took a picture, or where, is stored or served', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	for (const format of ['jpeg', 'png', 'webp'] as const) {
		for (const orientation of [1, 6]) {
			const sent = Buffer.concat([await photo(format, orientation), Buffer.from('secret-trailer')])
			const upload = await sendFile(student, sent)
			const { bytes } = await fileOf(server, upload)
			for (const secret of secrets) assert.ok(!bytes.includes(secret), `${format} ${orientation} has ${secret}`)
			const found = await sharp(bytes).metadata()
			assert.equal(found.exif, undefined)
			assert.equal(found.xmp, undefined)
			assert.deepEqual(await student.call('getFile', { id: upload.id }), bytes)
			for (const size of ['small', 'large'] as const) {
				const small = (await student.call('getThumbnail', { id: upload.id, size })) as Buffer
				assert.equal((await sharp(small).metadata()).exif, undefined)
			}
		}
	}
})

test('[F5] a picture that was held otherwise is stored upright, all others as they are', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	for (const format of ['jpeg', 'png', 'webp'] as const) {
		for (let orientation = 1; orientation <= 8; orientation++) {
			const sent = await photo(format, orientation)
			const upload = await sendFile(student, sent)
			const { bytes } = await fileOf(server, upload)
			const upright = await sharp(sent).autoOrient().png().toBuffer()
			assert.deepEqual([upload.width, upload.height], orientation <= 4 ? [96, 64] : [64, 96])
			const differs = await difference(bytes, upright)
			assert.ok(differs <= (orientation === 1 || format === 'png' ? 0 : 6), `${format} ${orientation}: ${differs}`)
			const small = (await student.call('getThumbnail', { id: upload.id, size: 'small' })) as Buffer
			assert.ok((await difference(small, upright)) < 12)
		}
	}
})

test('[F6] moving pictures keep moving', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	for (const format of ['gif', 'webp'] as const) {
		const sent = await animation(format)
		const upload = await sendFile(student, sent)
		assert.deepEqual((await fileOf(server, upload)).bytes, sent)
		assert.deepEqual([upload.width, upload.height], [40, 30])
		assert.equal((await sharp(sent, { animated: true }).metadata()).pages, 3)
		const small = (await student.call('getThumbnail', { id: upload.id, size: 'small' })) as Buffer
		assert.equal((await sharp(small).metadata()).width, 40)
	}
})

test('[F8] an approved person sends files, one who waits only her picture, a deactivated one nothing', async (t) => {
	const server = await startServer(t)
	const { admin, student } = await openClass(server)
	const waiting = await new Somebody(server.origin).register('Wati Waits', 'student')
	assert.equal(await codeOf(sendFile(waiting, Buffer.from('x'))), 'account_pending')
	const face = await sendFile(waiting, await photo(), 'face.jpg', 'avatar')
	assert.match((await fileOf(server, face)).name, /^avatar-[0-9a-f]{64}\.jpg$/)
	assert.deepEqual(await codeOf(waiting.call('getFile', { id: face.id })), 'done')
	assert.equal(await codeOf(sendFile(student, Buffer.from('not a picture'), 'face.png', 'avatar')), 'picture_refused')
	await admin.call('setStatus', { id: student.me.id, status: 'deactivated' })
	assert.match(await codeOf(sendFile(student, Buffer.from('x'))), /account_deactivated|not_signed_in/)
	assert.equal(listed(server).length, 1)
})

test('[F8] nobody sends faster than the limit, which counts nothing that is known already', async (t) => {
	const commands = { burst: 1_000, perMinute: 1_000 }
	const server = await startServer(t, { rates: { ...defaultRates, commands, uploads: { burst: 2, perMinute: 1 } } })
	const { student, lecturer } = await openClass(server)
	const [first] = [await sendFile(student, Buffer.from('1')), await sendFile(student, Buffer.from('2'))]
	assert.equal(await codeOf(sendFile(student, Buffer.from('3'))), 'rate_limited')
	assert.equal(await codeOf(student.call('sendFile', { id: first.id, name: 'x' }, Buffer.from('1'))), 'done')
	assert.equal(await codeOf(sendFile(lecturer, Buffer.from('3'))), 'done')
})

test('[F10] bytes go to those who see a message that names them, and to nobody else', async (t) => {
	const server = await startServer(t)
	const { admin, school, student, other, lecturer, discussion, blue } = await openClass(server)
	const friend = await school.enter('Farid Friend', 'student', [blue], lecturer)
	const { id } = await sendFile(student, await photo())
	const outcomes = async (...people: Somebody[]) =>
		Promise.all(
			people.map(async (one) => {
				const [file, small] = [await codeOf(one.call('getFile', { id })), await codeOf(one.call('getThumbnail', { id, size: 'small' }))]
				assert.equal(file, small)
				return file
			}),
		)
	const no = 'not_found'
	assert.deepEqual(await outcomes(student, friend, lecturer, other, admin), ['done', no, no, no, no])
	const message = await student.send(discussion, 'See', { uploads: [id] })
	assert.deepEqual(await outcomes(student, friend, lecturer, other, admin), ['done', 'done', 'done', no, no])
	// What is unknown and what is not hers look the same.
	const [unknown, foreign] = await Promise.all([newId(), id].map(async (one) => (await other.request('getFile', { id: one })).json()))
	assert.deepEqual(unknown, foreign)

	await school.leave(blue, friend, lecturer)
	assert.deepEqual(await outcomes(friend), [no])
	await school.join(blue, friend, lecturer)
	await lecturer.call('setRemoved', { id: message.id, removed: true })
	assert.deepEqual(await outcomes(student, friend, lecturer), ['done', no, 'done'])
	await lecturer.call('setRemoved', { id: message.id, removed: false })
	assert.deepEqual(await outcomes(student, friend, lecturer), ['done', 'done', 'done'])
	await lecturer.call('editDiscussion', { id: discussion.id, removed: true })
	assert.deepEqual(await outcomes(student, friend, lecturer), ['done', no, 'done'])
	await admin.call('setStatus', { id: student.me.id, status: 'deactivated' })
	assert.match((await outcomes(student))[0]!, /account_deactivated|not_signed_in/)
})

test('[F10] the picture of a person goes to everybody who is approved, for as long as it is hers', async (t) => {
	const server = await startServer(t)
	const { student, other } = await openClass(server)
	const waiting = await new Somebody(server.origin).register('Wati Waits', 'student')
	const { id } = await sendFile(student, await photo(), 'face.jpg', 'avatar')
	const get = (by: Somebody) => codeOf(by.call('getThumbnail', { id, size: 'small' }))
	assert.equal(await get(other), 'not_found')
	await student.call('editMe', { avatar: id })
	assert.equal(await get(other), 'done')
	assert.equal(await get(waiting), 'not_found')
	await student.call('editMe', { avatar: null })
	assert.equal(await get(other), 'not_found')
})

test('[F11] parts of a file can be asked for, and what the browser has is not sent again', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, n) => n % 251))
	const { id } = await sendFile(student, bytes)
	const get = (headers: Record<string, string>, method = 'GET') => student.fetch(`/api/files/${id}`, { method, headers })
	const part = async (range: string, more: Record<string, string> = {}) => {
		const answer = await get({ range, ...more })
		return [answer.status, answer.headers.get('content-range'), Buffer.from(await answer.arrayBuffer()).toString('hex')]
	}
	const of = (start: number, end: number) => bytes.subarray(start, end + 1).toString('hex')
	assert.deepEqual(await part('bytes=0-9'), [206, 'bytes 0-9/1000', of(0, 9)])
	assert.deepEqual(await part('bytes=990-'), [206, 'bytes 990-999/1000', of(990, 999)])
	assert.deepEqual(await part('bytes=-5'), [206, 'bytes 995-999/1000', of(995, 999)])
	assert.deepEqual(await part('bytes=-5000'), [206, 'bytes 0-999/1000', of(0, 999)])
	assert.deepEqual(await part('bytes=500-4000'), [206, 'bytes 500-999/1000', of(500, 999)])
	assert.deepEqual(await part('bytes=1000-'), [416, 'bytes */1000', ''])
	assert.deepEqual(await part('bytes=-0'), [416, 'bytes */1000', ''])
	for (const odd of ['bytes=0-1,5-6', 'bytes=9-5', 'bytes=x', 'lines=1-2', 'bytes=-', 'bytes=99999999999999999999-'])
		assert.match(String((await part(odd))[0]), /^(200|416)$/)

	const whole = await get({})
	const etag = whole.headers.get('etag')!
	assert.equal(etag, `"${sha256(bytes)}"`)
	assert.match(whole.headers.get('cache-control')!, /^private, max-age=\d+, immutable$/)
	assert.equal(whole.headers.get('content-length'), '1000')
	assert.equal((await get({ 'if-none-match': etag })).status, 304)
	assert.equal((await get({ 'if-none-match': `"x", W/${etag}` })).status, 304)
	assert.equal((await get({ 'if-none-match': '"x"' })).status, 200)
	assert.deepEqual((await part('bytes=0-9', { 'if-range': etag }))[0], 206)
	assert.deepEqual((await part('bytes=0-9', { 'if-range': '"x"' }))[0], 200)
	assert.equal((await get({}, 'HEAD')).status, 200)
	// Who may not have it is told so whatever her browser has.
	assert.equal((await fetch(`${server.origin}/api/files/${id}`, { headers: { 'if-none-match': etag } })).status, 401)
})

test('[F12] only what browsers show without running it is shown in place; every name is harmless', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const served = async (bytes: Uint8Array, name: string, query = '') => {
		const { id } = await sendFile(student, bytes, name)
		const { headers } = await student.fetch(`/api/files/${id}${query}`)
		assert.equal(headers.get('x-content-type-options'), 'nosniff')
		assert.equal(headers.get('content-security-policy'), "default-src 'none'; sandbox")
		assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
		return [headers.get('content-type'), headers.get('content-disposition')]
	}
	const jpeg = await photo()
	assert.deepEqual(await served(jpeg, 'a b.jpg'), ['image/jpeg', `inline; filename="a b.jpg"; filename*=UTF-8''a%20b.jpg`])
	assert.deepEqual((await served(jpeg, 'a.jpg', '?download=true'))[1], `attachment; filename="a.jpg"; filename*=UTF-8''a.jpg`)
	const attached = ['application/octet-stream', `attachment; filename="x.html"; filename*=UTF-8''x.html`]
	assert.deepEqual(await served(Buffer.from('<script>alert(1)</script>'), 'x.html'), attached)
	assert.deepEqual(await served(Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), 'x.html'), attached)
	assert.deepEqual(await served(Buffer.from('%PDF-1.7\n'), 'x.html'), attached)

	const names: Record<string, string> = {
		'../../etc/passwd': 'passwd',
		'C:\\Users\\x\\secret.doc': 'secret.doc',
		'/': 'file',
		'..': 'file',
		'.hidden': 'hidden',
		'photo\u202egpj.exe': 'photogpj.exe',
		'a"; filename="b.exe': 'a_; filename=_b.exe',
		'Übung für Café 😀.pdf': 'Übung für Café 😀.pdf',
		"it's (50%) * fun!.txt": "it's (50%) _ fun!.txt",
		'ends with dots. .': 'ends with dots',
	}
	for (const [sent, kept] of Object.entries(names)) {
		const upload = await sendFile(student, Buffer.from(sent), sent)
		assert.equal(upload.name, kept)
		const disposition = (await student.fetch(`/api/files/${upload.id}`)).headers.get('content-disposition')!
		assert.match(disposition, /^attachment; filename="[^"\\%\r\n]*"; filename\*=UTF-8''[\w.~%-]+$/)
		assert.equal(decodeURIComponent(disposition.split("''")[1]!), kept)
	}
})

test('[F13] pictures are made smaller when they are asked for, and the folder of them may be deleted', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const { id } = await sendFile(student, await photo('jpeg', 6, [2_000, 1_000]))
	const get = async (size: 'small' | 'large') => (await student.call('getThumbnail', { id, size })) as Buffer
	const shape = async (bytes: Buffer) => {
		const { format, width, height } = await sharp(bytes).metadata()
		return [format, width, height]
	}
	// Many at once are one making.
	const many = await Promise.all(Array.from({ length: 8 }, () => get('small')))
	for (const one of many) assert.deepEqual(one, many[0])
	assert.deepEqual(await shape(many[0]!), ['webp', 320, 640])
	assert.deepEqual(await shape(await get('large')), ['webp', 800, 1_600])
	const folder = join(server.dir, 'data', 'thumbnails')
	const made = () => readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.webp'))
	assert.equal(made().length, 2)
	rmSync(folder, { recursive: true })
	assert.deepEqual(await get('small'), many[0])
	assert.equal(made().length, 1)

	const answer = await student.fetch(`/api/files/${id}/small`)
	assert.equal(answer.headers.get('content-type'), 'image/webp')
	assert.equal((await student.fetch(`/api/files/${id}/small`, { headers: { 'if-none-match': answer.headers.get('etag')! } })).status, 304)
	const text = await sendFile(student, Buffer.from('No picture'))
	assert.equal(await codeOf(student.call('getThumbnail', { id: text.id, size: 'small' })), 'not_found')
})

test('[F13] the small picture is made when nobody is sending', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	await sendFile(student, await photo())
	const folder = join(server.dir, 'data', 'thumbnails')
	while (!readdirSync(folder, { recursive: true }).some((name) => String(name).endsWith('-small.webp'))) {
		await new Promise((resolve) => setTimeout(resolve, 20))
	}
})

test('[F14] a file that is missing or damaged is said to be, to the operator once', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const [gone, cut] = [await sendFile(student, Buffer.from('gone')), await sendFile(student, Buffer.from('damaged'))]
	rmSync((await fileOf(server, gone)).path)
	truncateSync((await fileOf(server, cut)).path, 3)
	for (const { id } of [gone, cut, gone, cut]) {
		const answer = await student.request('getFile', { id })
		const problem = (await answer.json()) as { code: string; hint: string }
		assert.deepEqual([answer.status, problem.code], [404, 'not_found'])
		assert.match(problem.hint, /backup/)
	}
	assert.equal(server.trouble.length, 2)
})

test('[F16] names that version 1 wrote are served', async (t) => {
	const server = await startServer(t)
	const { student } = await openClass(server)
	const name = 'file-1700000000000-123456789.jpg'
	const bytes = await photo()
	writeFileSync(join(uploadsOf(server), name), bytes)
	const id = newId()
	await server.store.write(null, (tx) =>
		tx.put('uploads', {
			...{ id, owner: student.me.id, purpose: 'message', kind: 'image', name: 'old.jpg', type: 'image/jpeg' },
			...{ sizeBytes: bytes.length, width: 96, height: 64, file: name, sha256: sha256(bytes), sentDigest: sha256(bytes) },
		}),
	)
	assert.deepEqual(await student.call('getFile', { id }), bytes)
	assert.equal(await codeOf(student.call('getThumbnail', { id, size: 'large' })), 'done')
})

test('[F15] files that no record names go to the trash, late, and not soon after a restore', async (t) => {
	const quiet = await startServer(t, { sweepAfterDays: 0 })
	const orphan = `image-${'0'.repeat(64)}.png`
	writeFileSync(join(uploadsOf(quiet), orphan), 'x')
	assert.deepEqual(await quiet.sweep(), [], 'the lineage is young')
	await quiet.close()

	const late = await startServer(t, { dir: quiet.dir, sweepQuietDays: 0 })
	assert.deepEqual(await late.sweep(), [], 'the file is young')
	const long = new Date(Date.now() - 30 * 86_400_000)
	utimesSync(join(uploadsOf(late), orphan), long, long)
	assert.deepEqual(await late.sweep(), [], 'it came only now, whatever its time says')
	await late.close()

	const server = await startServer(t, { dir: quiet.dir, sweepAfterDays: 0, sweepQuietDays: 0 })
	const { student } = await openClass(server)
	const kept = await sendFile(student, Buffer.from('attached to nothing, and kept'))
	const old = 'file-1600000000000-42.pdf'
	writeFileSync(join(uploadsOf(server), old), 'x')
	for (const name of ['README.txt', 'other-file.png', '.gitkeep']) writeFileSync(join(uploadsOf(server), name), 'not ours')
	assert.deepEqual((await server.sweep()).sort(), [old, orphan])
	assert.deepEqual(readdirSync(join(uploadsOf(server), '.trash')).sort(), [old, orphan])
	assert.ok(statSync((await fileOf(server, kept)).path).isFile())
	assert.deepEqual(await server.sweep(), [])
	for (const name of ['README.txt', 'other-file.png', '.gitkeep']) assert.ok(listed(server).includes(name))
})
