/**
 * An empty MongoDB database of its own, as the contract and the model take it.
 *
 * TEST_MONGODB_URI names the server. Never waits for another writer: the tests open it twice on purpose.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { type Binary, BSON, type Db, MongoClient } from 'mongodb'
import type { CollectionSpec } from '../../backend/src/storage/collections.ts'
import { parseAddress } from '../../backend/src/storage/mongo-connection.ts'
import { findMongo } from '../../backend/src/storage/mongo-database.ts'
import type { MongoTimes } from '../../backend/src/storage/mongo-writer.ts'
import { type TestDatabase, specs as testSpecs } from './storage.ts'

export const testTimes: MongoTimes = { commandMs: 10_000, readMs: 7_500, silenceMs: 15_000 }

/** The address of a database on the server for tests; a new name without one. */
export function testAddress(name = `ec_${randomBytes(6).toString('hex')}`, server = process.env.TEST_MONGODB_URI): string {
	assert(server, 'TEST_MONGODB_URI is not set.')
	const url = new URL(server)
	url.pathname = `/${name}`
	return url.href
}

/** The databases that were handed out, by the folder of the server that has its data there. */
const databases = new Map<string, string>()

/**
 * The address of the database of a server with this folder, the same every time. Null where the engine under test is the
 * embedded one: TEST_ENGINE is `embedded` or not set.
 */
export function databaseOf(dir: string): string | null {
	const engine = process.env.TEST_ENGINE || 'embedded'
	assert(engine === 'embedded' || engine === 'mongodb', `TEST_ENGINE is "${engine}", but must be embedded or mongodb.`)
	if (engine === 'embedded') return null
	const uri = databases.get(dir) ?? testAddress()
	databases.set(dir, uri)
	return uri
}

/** Removes the databases that were handed out: of this folder, or all. Their servers are closed by then. */
export async function dropDatabases(dir?: string): Promise<void> {
	for (const [at, uri] of databases) {
		if (dir !== undefined && at !== dir) continue
		databases.delete(at)
		await lookInto(uri, (db) => db.dropDatabase())
	}
}

/** A look at a database beside the engine. */
export async function lookInto<T>(uri: string, look: (db: Db) => Promise<T>): Promise<T> {
	const client = new MongoClient(uri, { writeConcern: { w: 'majority', journal: true }, serverSelectionTimeoutMS: 5_000 })
	try {
		return await look(client.db())
	} finally {
		await client.close()
	}
}

/** Opens a database for writing, whoever else has it. */
export async function openMongo(
	uri: string,
	options: { specs?: Readonly<Record<string, CollectionSpec>>; folder?: string; times?: Partial<MongoTimes> } = {},
) {
	const { specs = testSpecs, folder = tmpdir(), times } = options
	const database = await findMongo({ address: parseAddress(uri, false), specs, folder, times: { ...testTimes, ...times } })
	try {
		for (;;) {
			if ((await database.head()) === null) await database.create(1)
			const engine = await database.open()
			if (engine) return engine
		}
	} catch (error) {
		await database.close()
		throw error
	}
}

/** Makes one; `uri` is where it is. */
export async function createMongoDatabase(times: Partial<MongoTimes> = {}): Promise<TestDatabase & { uri: string }> {
	const uri = testAddress()
	const folder = mkdtempSync(join(tmpdir(), 'english-chat-mongo-'))
	return {
		uri,
		open: () => openMongo(uri, { folder, times }),
		holds: (text) =>
			lookInto(uri, async (db) => {
				for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray()) {
					for await (const document of db.collection(name).find()) {
						if (Buffer.from(BSON.serialize(document)).includes(text)) return true
						const { body } = document as { body?: Binary }
						if (body && inflateRawSync(body.value() as Uint8Array).includes(text)) return true
					}
				}
				return false
			}),
		check: () => lookInto(uri, checkLayout),
		remove: async () => {
			await lookInto(uri, (db) => db.dropDatabase())
			rmSync(folder, { recursive: true })
		},
	}
}

/** What must hold of the documents beyond what the engine reads: types, slots without gaps, nothing left over. */
export async function checkLayout(db: Db): Promise<void> {
	const meta = await db.collection<{ _id: string; lineage: string; writer: null; applied: number }>('meta').findOne({ _id: 'store' })
	assert.ok(meta)
	assert.equal(meta.writer, null, 'Who closed it said goodbye.')
	const slots = await db
		.collection<{ _id: number; last: number }>(`journal_${meta.lineage}`)
		.find({}, { projection: { body: 0 } })
		.sort({ _id: 1 })
		.toArray()
	for (const [i, slot] of slots.entries()) assert.equal(slot._id, i, 'Slots follow each other.')
	assert.equal(meta.applied, slots.length - 1)
	for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray()) {
		assert.doesNotMatch(name, /^next_/)
		if (/^(meta|journal_)/.test(name)) continue
		for await (const document of db.collection(name).find()) {
			if (document.gone) assert.deepEqual(Object.keys(document).sort(), ['_id', 'gone', 'rev'])
			else {
				assert.ok(document.createdAt instanceof Date && document.updatedAt instanceof Date && document._k, JSON.stringify(document))
				assert.equal(document._id.constructor.name, 'ObjectId')
			}
		}
	}
}
