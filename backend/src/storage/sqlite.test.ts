/**
 * The embedded engine: the contract of every engine, and what is special to this one.
 *
 * Every test has a folder of its own.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { specs, type TestDatabase } from '../../../tests/support/storage.ts'
import { createSqlite, openSqlite } from './sqlite.ts'
import { storeContract } from './store.contract.ts'

async function create(): Promise<TestDatabase> {
	const folder = mkdtempSync(join(tmpdir(), 'english-chat-store-'))
	await createSqlite(folder, specs, 1)
	const files = () => readdirSync(folder).map((name) => join(folder, name))
	return {
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

storeContract('SQLite', create)
