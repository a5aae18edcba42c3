/**
 * What MongoDB's own tools make of a backup, from either engine.
 *
 * Needs MongoDB's tools. Needs a MongoDB server. Their exit codes are not believed: what arrived is counted.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { contentOf, makeSchool, writeMessages } from '../../../tests/support/backups.ts'
import { lookInto, testAddress } from '../../../tests/support/mongo.ts'
import { findMongoTools } from '../../../tests/support/mongo-tools.ts'
import { makeFolder } from '../../../tests/support/server.ts'
import { foldersIn, storeOptions } from '../config.ts'
import type { StoredRecord } from '../storage/collections.ts'
import { openStore } from '../storage/open.ts'
import { createBackup } from './create.ts'

for (const engine of ['sqlite', 'mongodb'] as const) {
	test(`[B11] ${engine}: the real mongorestore loads a backup whole, and the app opens what it loaded`, async (t) => {
		const school = await makeSchool(t, { engine })
		// More than one range, and so more than one gzip member.
		await school.open(async (store) => {
			for (let n = 20; n < 720; n += 100) await writeMessages(store, n, n + 100, 'word '.repeat(1_800))
		})
		const { config } = school
		const { path, manifest } = (await createBackup({ config, reason: 'manual', drill: false })).backup
		const messages = manifest.collections.find(({ name }) => name === 'messages')!
		assert.ok(messages.ranges.length > 1)

		const uri = testAddress()
		t.after(() => lookInto(uri, (db) => db.dropDatabase()))
		const { pathname, href } = new URL(uri)
		const rename = [`--nsFrom=${manifest.database}.*`, `--nsTo=${pathname.slice(1)}.*`]
		const server = href.replace(pathname, '/')
		const tool = (name: string, args: string[], input?: Buffer) =>
			execFileSync(join(findMongoTools()!, name), args, { stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'], input, maxBuffer: 2 ** 28 })
		tool('mongorestore', ['--gzip', `--uri=${server}`, ...rename, `--dir=${join(path, 'database')}`])
		await lookInto(uri, async (db) => {
			for (const { name, records } of manifest.collections) assert.equal(await db.collection(name).countDocuments(), records, name)
			const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name)
			assert.deepEqual(names.sort(), manifest.collections.map(({ name }) => name).sort())
		})

		const store = await openStore({ ...storeOptions({ ...config, folders: foldersIn(makeFolder(t)) }), mongodb: { uri, silenceMs: 1_000 } })
		try {
			const [found, content] = [await contentOf(store), await school.content()]
			assert.equal(found.size, content.size)
			// Which form they have is not said in a dump: they are brought up to date once more, and so written anew.
			const bare = ({ rev, updatedAt, ...rest }: StoredRecord) => rest
			for (const [key, record] of content) assert.deepEqual(bare(found.get(key)!), bare(record), key)
			await writeMessages(store, 0, 1, 'People go on')
		} finally {
			await store.close()
		}

		for (const { file, records } of manifest.collections) {
			const dump = join(path, 'database', manifest.database)
			assert.ok(readdirSync(dump).includes(file))
			const bson = gunzipSync(readFileSync(join(dump, file)))
			const lines = tool('bsondump', [], bson).toString().split('\n').filter(Boolean)
			assert.equal(lines.length, records, file)
		}
	})
}
