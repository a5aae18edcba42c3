/**
 * An empty embedded database in a folder of its own, as the contract and the model take it.
 *
 * Never takes the writer lock: the tests open it twice on purpose.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createSqlite, openSqlite } from '../../backend/src/storage/sqlite.ts'
import { specs, type TestDatabase } from './storage.ts'

/** Makes one; `folder` is where it lies. */
export async function createTestDatabase(): Promise<TestDatabase & { folder: string }> {
	const folder = mkdtempSync(join(tmpdir(), 'english-chat-store-'))
	await createSqlite(folder, specs, 1)
	const files = () => readdirSync(folder).map((name) => join(folder, name))
	return {
		folder,
		open: () => openSqlite(folder, specs),
		async holds(text) {
			return files().some((file) => readFileSync(file).includes(text))
		},
		async check() {
			for (const file of files().filter((name) => name.endsWith('.db'))) {
				const db = new DatabaseSync(file)
				assert.deepEqual({ ...db.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
				db.close()
			}
		},
		async remove() {
			rmSync(folder, { recursive: true })
		},
	}
}
