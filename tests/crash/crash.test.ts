/**
 * The server on the embedded database killed with -9 under load, again and again (tests/support/killing.ts).
 *
 * What is on the disk is judged on a copy made between a death and the next start.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { collections, type MessageRecord } from '../../backend/src/storage/collections.ts'
import { openSqlite } from '../../backend/src/storage/sqlite.ts'
import { killAgainAndAgain } from '../support/killing.ts'
import { makeFolder } from '../support/server.ts'
import { verifyAll } from '../support/storage.ts'

/** Checks what a dead server left on the disk, on a copy of it. */
async function verifyDisk(data: string, judge: (messages: MessageRecord[]) => void): Promise<void> {
	const copy = mkdtempSync(join(tmpdir(), 'english-chat-copy-'))
	try {
		cpSync(data, copy, { recursive: true })
		// Opened twice: as a start does, and for the checks of SQLite itself.
		const engine = await openSqlite(copy, collections)
		const messages: MessageRecord[] = []
		for await (const { collection, record } of (await engine.export()).records) {
			if (collection === 'messages') messages.push(record as MessageRecord)
		}
		await verifyAll(engine, collections)
		for (const name of readdirSync(copy).filter((name) => /^chat-.*\.db$/.test(name))) {
			const db = new DatabaseSync(join(copy, name))
			assert.deepEqual({ ...db.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
			db.close()
		}
		judge(messages)
	} finally {
		rmSync(copy, { recursive: true })
	}
}

test('[S41] killed at any moment, the server loses nothing that it acknowledged', async (t) => {
	const dir = makeFolder(t)
	await killAgainAndAgain(t, {
		dir,
		env: {},
		points: ['append:journal', 'append:records', 'append:committed'],
		verify: (judge) => verifyDisk(join(dir, 'data'), judge),
	})
})
