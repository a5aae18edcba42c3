/**
 * Whole databases on MongoDB, and what mongorestore loads.
 *
 * Needs a MongoDB server.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BSON } from 'mongodb'
import { lookInto, testAddress } from '../../../tests/support/mongo.ts'
import { writeBson } from './bson.ts'
import { collections } from './collections.ts'
import { openStore } from './open.ts'
import { snapshotsContract } from './snapshots.contract.ts'

const names = (uri: string) =>
	lookInto(uri, async (db) => (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort())

snapshotsContract('MongoDB', (t) => {
	const uri = testAddress()
	t.after(() => lookInto(uri, (db) => db.dropDatabase()))
	return { mongodb: { uri }, look: () => names(uri) }
})

test('[S86] what mongorestore loaded opens in a lineage of its own, and only as a whole', async (t) => {
	const uri = testAddress()
	const folder = mkdtempSync(join(tmpdir(), 'english-chat-loaded-'))
	const opened: { close(): Promise<void> }[] = []
	t.after(async () => {
		for (const store of opened) await store.close()
		rmSync(folder, { recursive: true })
		await lookInto(uri, (db) => db.dropDatabase())
	})
	const options = { folder, backups: join(folder, 'backups'), mongodb: { uri } }
	const kept = Object.entries(collections).filter(([, { volatile }]) => !volatile)
	const time = '2026-01-02T03:04:05.678Z'
	const born = { seq: 1, rev: 1, createdAt: time, updatedAt: time }
	const records = {
		system: { id: `${'0'.repeat(23)}1`, ...born, name: 'installation', value: 'e'.repeat(24) },
		users: { id: 'b'.repeat(24), ...born, seq: 2, rev: 41, name: 'Ayu Lestari', email: 'Ayu@Example.org', lecturers: ['c'.repeat(24)] },
	}
	await lookInto(uri, async (db) => {
		for (const [name] of kept) if (name !== 'messages') await db.createCollection(name)
		for (const [name, record] of Object.entries(records)) {
			const sorted = Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
			await db.collection(name).insertOne(BSON.deserialize(writeBson(name, [JSON.stringify(sorted)])))
		}
	})
	await assert.rejects(openStore(options), /Only a part of a database was loaded.*messages is missing/)
	await lookInto(uri, (db) => db.createCollection('messages'))
	await lookInto(uri, (db) => db.createCollection('homework'))
	await assert.rejects(openStore(options), /holds other things/)
	await lookInto(uri, (db) => db.dropCollection('homework'))

	const store = await openStore(options)
	opened.push(store)
	assert.ok(store.head.seq > 41)
	assert.equal((await store.get('system', records.system.id))?.value, 'e'.repeat(24))
	const [found] = await store.find('users', 'email', ['ayu@example.org'], { limit: 1 })
	assert.deepEqual([found?.name, found?.avatar], ['Ayu Lestari', null])
	const { lineage } = store.head
	await store.close()

	// Loaded once more in its place: the same installation goes on in another lineage.
	await lookInto(uri, async (db) => {
		for (const name of await names(uri)) if (!(name in collections)) await db.dropCollection(name)
	})
	const again = await openStore(options)
	opened.push(again)
	assert.notEqual(again.head.lineage, lineage)
})
