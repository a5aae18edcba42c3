/**
 * The server killed with -9 in the middle of uploads, and on a disk that fills up: what it acknowledged
 * is whole, and nothing else is named.
 *
 * CRASH_KILLS says how often (10). The full disk needs root: a file, mounted for the test.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { UploadRecord } from '../../backend/src/storage/collections.ts'
import { openSchool, type Somebody } from '../support/class.ts'
import { codeOf, newId, Refused } from '../support/client.ts'
import { photo } from '../support/pictures.ts'
import { type ChildServer, makeFolder, openStoreOf, type Server, startChild } from '../support/server.ts'

const kills = Number(process.env.CRASH_KILLS ?? 10)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** The upload records that a dead server left. */
async function recordsIn(dir: string): Promise<Map<string, UploadRecord>> {
	const store = await openStoreOf(dir)
	try {
		const found = new Map<string, UploadRecord>()
		for await (const { collection, record } of (await store.exportAt()).records) {
			if (collection === 'uploads') found.set(record.id, record as UploadRecord)
		}
		return found
	} finally {
		await store.close()
	}
}

async function openWriters(server: ChildServer, count: number): Promise<Somebody[]> {
	while (server.setUpToken === null) await sleep(5)
	const school = await openSchool(server as unknown as Server)
	const people: Somebody[] = []
	for (let n = 0; n < count; n++) people.push(await school.enter(`Student ${'abcdefghij'[n]}`, 'student'))
	return people
}

test('[F19] killed at any moment, the server keeps every file that it acknowledged, and names no other', async (t) => {
	const dir = makeFolder(t)
	const uploads = join(dir, 'uploads')
	let server = await startChild(t, dir)
	const people = await openWriters(server, 5)
	const pictures = [await photo('jpeg'), await photo('png', 6, [900, 700]), await photo('jpeg', 3, [1_200, 900])]
	/** By id: what was sent, by whom, and whether it was acknowledged. */
	const sent = new Map<string, { by: Somebody; bytes: Buffer; acknowledged: boolean }>()
	const send = async (id: string) => {
		const known = sent.get(id)!
		await known.by.call('sendFile', { id, name: 'x' }, known.bytes)
		known.acknowledged = true
	}
	const talk = async (by: Somebody) => {
		for (let n = 0; ; n++) {
			const id = newId()
			const text = Buffer.concat([randomBytes(16), Buffer.alloc(1 + ((n * 977_773) % 4_000_000), `${n}`)])
			sent.set(id, { by, bytes: n % 3 === 2 ? pictures[(n % 9) % 3]! : text, acknowledged: false })
			try {
				await send(id)
			} catch (error) {
				if (error instanceof Refused && error.problem.code !== 'rate_limited') throw error
				if (error instanceof Refused) sent.delete(id)
				return
			}
		}
	}
	let halves = 0
	for (let kill = 0; kill < kills; kill++) {
		const talking = people.flatMap((by) => [talk(by), talk(by)])
		await sleep(30 + ((kill * 7_919) % 500))
		server.process.kill('SIGKILL')
		await server.exited
		await Promise.all(talking)
		halves += readdirSync(uploads).filter((name) => name.startsWith('.partial-')).length

		const records = await recordsIn(dir)
		for (const [id, { acknowledged }] of sent) if (acknowledged) assert.ok(records.has(id), 'An upload was acknowledged, and is lost.')
		for (const [id, { file, sha256: digest, sizeBytes }] of records) {
			assert.ok(sent.has(id))
			const bytes = readFileSync(join(uploads, file!))
			assert.equal(bytes.length, sizeBytes)
			assert.equal(sha256(bytes), digest)
		}
		// Every file that has its name is what its name says, also one that no record names yet.
		for (const name of readdirSync(uploads)) {
			if (!name.startsWith('.')) assert.equal(sha256(readFileSync(join(uploads, name))), /-([0-9a-f]{64})\./.exec(name)![1])
		}

		server = await startChild(t, dir)
		assert.deepEqual(
			readdirSync(uploads).filter((name) => name.startsWith('.')),
			[],
			'what was on its way is gone',
		)
		for (const by of people) Object.assign(by, { origin: server.origin })
		// What got no answer is sent again under its id, as an outbox does.
		for (const [id, { acknowledged }] of sent) if (!acknowledged) await send(id)
	}
	for (const [id, { by, bytes }] of [...sent].slice(-20)) {
		const got = (await by.call('getFile', { id })) as Buffer
		if (!pictures.includes(bytes)) assert.ok(got.equals(bytes))
	}
	assert.ok(halves > 0, 'no kill met an upload on its way')
	t.diagnostic(`${kills} kills, ${sent.size} uploads, ${halves} left half and swept`)
	server.process.kill('SIGKILL')
	await server.exited
})

/** A file system of its own, whose room files share with nobody but the database. */
function mountSmall(t: TestContext, size: string): string {
	const folder = mkdtempSync(join(tmpdir(), 'english-chat-'))
	const [image, disk] = [join(folder, 'disk'), join(folder, 'mounted')]
	mkdirSync(disk)
	execFileSync('truncate', ['-s', size, image])
	execFileSync('mkfs.ext4', ['-q', '-m', '0', image])
	execFileSync('mount', ['-o', 'loop', image, disk])
	t.after(() => {
		execFileSync('umount', ['-l', disk])
		rmSync(folder, { recursive: true })
	})
	return disk
}

const freeBytes = (disk: string) => {
	const { bavail, bsize } = statfsSync(disk)
	return bavail * bsize
}

test('[F9] files stop being taken while messages still have room', async (t) => {
	const disk = mountSmall(t, '64M')
	const server = await startChild(t, disk)
	const [student] = (await openWriters(server, 1)) as [Somebody]
	const sent: string[] = []
	let code = 'done'
	while (code === 'done') {
		const id = newId()
		code = await codeOf(student.call('sendFile', { id, name: 'x' }, randomBytes(1_500_000)))
		if (code === 'done') sent.push(id)
	}
	assert.equal(code, 'storage_full')
	const { blocks, bsize } = statfsSync(disk)
	assert.ok(freeBytes(disk) > 0.04 * blocks * bsize, 'the reserve is there')
	assert.ok(sent.length > 15)
	// Whoever is small enough still fits, and other writing goes on.
	await student.call('editMe', { name: 'Still Writing' })
	assert.equal(readdirSync(join(disk, 'uploads')).length, sent.length)
	rmSync(join(disk, 'uploads'), { recursive: true })
	mkdirSync(join(disk, 'uploads'))
	assert.equal(await codeOf(student.call('sendFile', { id: newId(), name: 'x' }, randomBytes(1_500_000))), 'done')
})

test('[F20] a disk that fills up during an upload refuses it, keeps what was there, and takes files again', async (t) => {
	const [dir, disk] = [makeFolder(t), mountSmall(t, '64M')]
	// Only the uploads stand on the small disk, so that it is they that meet its end.
	execFileSync('ln', ['-s', disk, join(dir, 'uploads')])
	const server = await startChild(t, dir)
	const [student] = (await openWriters(server, 1)) as [Somebody]
	const kept = newId()
	const bytes = randomBytes(500_000)
	await student.call('sendFile', { id: kept, name: 'x' }, bytes)
	// The room goes while the file is on its way: the server has looked already.
	const body = randomBytes(8_000_000)
	const id = newId()
	const ballast = join(disk, 'ballast')
	const fill = () => {
		try {
			writeFileSync(ballast, Buffer.alloc(freeBytes(disk) + 4_000_000, 1))
		} catch (error) {
			assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
		}
	}
	const slowly = new ReadableStream<Uint8Array>({
		async pull(controller) {
			controller.enqueue(body.subarray(0, 100_000))
			await sleep(100)
			while (!readdirSync(disk).some((name) => name.startsWith('.partial-'))) await sleep(5)
			fill()
			for (let at = 100_000; at < body.length; at += 100_000) controller.enqueue(body.subarray(at, at + 100_000))
			controller.close()
		},
	})
	const headers = { 'content-type': 'application/octet-stream', 'content-length': String(body.length), cookie: `session=${student.cookie}` }
	const answer = await fetch(`${server.origin}/api/uploads/${id}?name=x`, {
		method: 'POST',
		headers,
		body: slowly,
		duplex: 'half',
	} as RequestInit)
	const problem = (await answer.json()) as { code: string }
	assert.deepEqual([answer.status, problem.code], [507, 'storage_full'])
	while (readdirSync(disk).some((name) => name.startsWith('.partial-'))) await sleep(5)
	assert.equal(await codeOf(student.call('getFile', { id })), 'not_found')
	assert.ok(((await student.call('getFile', { id: kept })) as Buffer).equals(bytes))
	rmSync(ballast)
	await student.call('sendFile', { id, name: 'x' }, body)
	assert.ok(((await student.call('getFile', { id })) as Buffer).equals(body))
	assert.ok(existsSync(disk))
})
