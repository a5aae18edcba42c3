/**
 * The whole server on a disk of 16 MiB: it fills up, says so, reads on, and writes again when there is room.
 *
 * Needs root. The disk is a file, mounted for the test and gone with it.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { collections } from '../../backend/src/storage/collections.ts'
import { openSqlite } from '../../backend/src/storage/sqlite.ts'
import { openSchool } from '../support/class.ts'
import { newId, Refused } from '../support/client.ts'
import { type Server, startChild } from '../support/server.ts'
import { verifyAll } from '../support/storage.ts'

/** A file system of its own, with no room kept for root. */
function mountSmall(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'english-chat-'))
	const image = join(folder, 'disk')
	const disk = join(folder, 'mounted')
	mkdirSync(disk)
	execFileSync('truncate', ['-s', '16M', image])
	execFileSync('mkfs.ext4', ['-q', '-m', '0', image])
	execFileSync('mount', ['-o', 'loop', image, disk])
	t.after(() => {
		execFileSync('umount', ['-l', disk])
		rmSync(folder, { recursive: true })
	})
	return disk
}

/** Takes all the room there is but this much. Gives the way to give it back. */
function takeRoom(disk: string, leaveBytes: number): () => void {
	const path = join(disk, 'ballast')
	const file = openSync(path, 'w')
	const block = Buffer.alloc(16 * 1024, 1)
	const free = () => {
		const { bavail, bsize } = statfsSync(disk)
		return bavail * bsize
	}
	try {
		while (free() > leaveBytes) writeSync(file, block, 0, Math.min(block.length, free() - leaveBytes))
		// What the file system still finds for a file that grows, when nothing is to be left.
		while (leaveBytes === 0) writeSync(file, block, 0, 512)
	} catch (error) {
		assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
	}
	closeSync(file)
	return () => rmSync(path)
}

test('[S45] on a full disk the server refuses, reads on, and writes again when there is room', async (t) => {
	const disk = mountSmall(t)
	const server = await startChild(t, disk)
	while (server.setUpToken === null) await sleep(5)
	const school = await openSchool(server as unknown as Server)
	const lecturer = await school.enter('Lena Lecturer', 'lecturer')
	const group = await lecturer.createGroup('Blue')
	const student = await school.enter('Sari Student', 'student', [group], lecturer)
	const discussion = await lecturer.startDiscussion('Weekend', [group])
	const stored = new Map<string, string>()
	/** The code with which it was refused, or null. */
	const send = async (by: typeof student, id = newId()): Promise<string | null> => {
		const text = `${id} ${'word '.repeat(1_500)}`.trim()
		try {
			await by.send(discussion, text, { id })
			stored.set(id, text)
			return null
		} catch (error) {
			if (!(error instanceof Refused)) throw error
			return error.problem.code
		}
	}
	const readAll = async () => {
		const ids: string[] = []
		for (let before: string | undefined; ; ) {
			const page = await student.call('listMessages', { id: discussion.id, limit: 50, ...(before === undefined ? {} : { before }) })
			ids.push(...page.messages.map(({ id }) => id))
			if (page.older === null) return ids
			before = page.older
		}
	}

	for (let n = 0; n < 20; n++) assert.equal(await send(student), null)
	for (const leaveBytes of [600_000, 0]) {
		const giveBack = takeRoom(disk, leaveBytes)
		let refused: string[] = []
		for (let n = 0; n < 120 && refused.length < 6; n++) {
			const results = await Promise.all([send(student), send(lecturer)])
			refused = refused.concat(results.filter((code) => code !== null))
		}
		assert.ok(refused.length >= 6, 'the disk was full')
		assert.deepEqual([...new Set(refused)], ['storage_full'])
		assert.deepEqual((await readAll()).sort(), [...stored.keys()].sort(), 'reading goes on, and shows nothing that was refused')
		giveBack()
		for (let n = 0; n < 5; n++) assert.equal(await send(lecturer), null, 'it recovers by itself')
	}
	assert.equal(server.process.exitCode, null, server.lines.join('\n'))

	// Killed or stopped on a full disk, it says so at the next start, whatever the end left behind; and works when there is room.
	let last = server
	for (const { signal, counted, leaveBytes } of [
		{ signal: 'SIGKILL', counted: false, leaveBytes: 0 },
		{ signal: 'SIGTERM', counted: false, leaveBytes: 0 },
		{ signal: 'SIGTERM', counted: true, leaveBytes: 8 * 1024 },
		{ signal: 'SIGTERM', counted: true, leaveBytes: 20 * 1024 },
	] as const) {
		// Who asks for what is unread has the counters brought up to date: then nothing is left to be written at the end.
		if (counted) await student.call('listDiscussions', {})
		let giveBack = takeRoom(disk, 0)
		await send(student)
		last.process.kill(signal)
		assert.equal(await last.exited, signal === 'SIGTERM' ? 0 : signal, last.lines.join('\n'))
		giveBack()
		// Whatever the end gave free is taken, too.
		giveBack = takeRoom(disk, leaveBytes)
		const said = await startChild(t, disk).then(
			() => 'ready',
			(error: Error) => error.message,
		)
		assert.match(said, /^The server ended: The disk is full[^\n]*\nFree some space, then start again\.$/, 'a sentence, and what helps')
		giveBack()
		last = await startChild(t, disk)
		for (const somebody of [student, lecturer]) Object.assign(somebody, { origin: last.origin })
		assert.equal(await send(student), null)
	}
	assert.deepEqual((await readAll()).sort(), [...stored.keys()].sort())
	last.process.kill('SIGKILL')
	await last.exited
	const { records } = await verifyAll(await openSqlite(join(disk, 'data'), collections), collections)
	for (const [id, text] of stored) assert.equal((records.get(`messages ${id}`) as unknown as { text: string }).text, text)
	assert.equal([...records.keys()].filter((key) => key.startsWith('messages ')).length, stored.size)
})
