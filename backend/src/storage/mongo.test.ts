/**
 * The MongoDB engine: the contract of every engine, and what is special to this one.
 *
 * Needs a MongoDB server. Every test has a database of its own.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type Db, MongoClient, ObjectId } from 'mongodb'
import { createMongoDatabase, lookInto, openMongo, testAddress } from '../../../tests/support/mongo.ts'
import { openMongoProxy } from '../../../tests/support/mongo-proxy.ts'
import { everything, id, note, openTestStore, outcome, person, specs, type TestStore, verifyAll } from '../../../tests/support/storage.ts'
import type { Document } from './bson.ts'
import { type Engine, Fenced, OutcomeUnknown, StorageUnavailable } from './engine.ts'
import { parseAddress } from './mongo-connection.ts'
import { findMongo } from './mongo-database.ts'
import { putInPlace } from './mongo-documents.ts'
import { HighestIds } from './mongo-ids.ts'
import { storeContract } from './store.contract.ts'

storeContract('MongoDB', createMongoDatabase)

const putNote = (store: TestStore, n: number, more = {}) => store.write(null, (tx) => tx.put('notes', note(n, more)))

/** A database, and two clients that know it. */
async function rawDatabase(t: TestContext): Promise<[Db, Db]> {
	const uri = testAddress()
	const clients = [0, 1].map(() => new MongoClient(uri, { writeConcern: { w: 'majority', journal: true } }))
	t.after(async () => {
		await clients[0]!.db().dropDatabase()
		for (const client of clients) await client.close()
	})
	return [clients[0]!.db(), clients[1]!.db()]
}

/** A store whose way to the database can be broken. */
async function onBrokenRoad(t: TestContext, times = { commandMs: 2_000, readMs: 5_000 }) {
	const name = `ec_${randomBytes(6).toString('hex')}`
	const road = await openMongoProxy(process.env.TEST_MONGODB_URI!)
	const direct = testAddress(name)
	const store = await openTestStore(await openMongo(road.address(name), { times }), { writeTimeoutMs: 20_000 })
	t.after(async () => {
		road.delay(0)
		road.down = false
		await store.close()
		await verifyAll(await openMongo(direct))
		await lookInto(direct, (db) => db.dropDatabase())
		await road.close()
	})
	return { road, direct, store }
}

const slots = (db: Db, lineage: string) => db.collection<{ _id: number; kind: string; last: number }>(`journal_${lineage}`)

test('[S60] of two forms of one record that is not there yet the newer one stays, however they race', async (t) => {
	const [one, two] = await rawDatabase(t)
	const form = (n: number, rev: number): Document => ({ _id: new ObjectId(id(n)), seq: 1, rev, text: `form ${rev}` })
	const rounds = 150
	const at = (db: Db) => db.collection<Document>('notes')
	await one.createCollection('notes')
	for (let n = 0; n < rounds; n++) {
		// Each thinks that it is not there, or that it is, as after a lost answer.
		const older = n % 2 ? putInPlace(at(one), [form(n, 5)], []) : putInPlace(at(one), [], [form(n, 5)])
		const newer = n % 3 ? putInPlace(at(two), [], [form(n, 9)]) : putInPlace(at(two), [form(n, 9)], [])
		await Promise.all([older, newer])
	}
	const found = await at(one).find().toArray()
	assert.equal(found.length, rounds)
	assert.deepEqual([...new Set(found.map(({ rev }) => rev))], [9])
})

test('[S60] a form that arrives after a later removal brings nothing back', async (t) => {
	const { road, direct, store } = await onBrokenRoad(t)
	await putNote(store, 1, { text: 'before' })
	for (const n of [1, 2]) {
		const caught = road.keepBack(n === 1 ? 'update' : 'insert', 'notes', `Late ${n}`)
		const write = putNote(store, n, { text: `Late ${n}` })
		const arrive = await caught
		// It was given up and done again on another connection; then the record goes, and then the first one arrives.
		await write
		await store.write(null, (tx) => tx.remove('notes', id(n)))
		await arrive()
		assert.equal(await store.get('notes', id(n)), null)
		const stored = await lookInto(direct, (db) => db.collection<Document>('notes').findOne({ _id: new ObjectId(id(n)) }))
		assert.deepEqual([stored?.gone, stored?.text], [true, undefined])
	}
})

test('[S61] an answer that was lost after the work was done is decided by doing it again: nothing is lost or doubled', async (t) => {
	const { road, store } = await onBrokenRoad(t)
	await putNote(store, 0)
	for (const [n, words] of [
		[1, ['insert', 'journal_']],
		[2, ['insert', 'notes']],
		[3, ['update', 'notes']],
	] as const) {
		if (n === 3) await putNote(store, n)
		const lost = road.loseAnswerTo(...words)
		const { rev } = await putNote(store, n, { text: `After ${n}` })
		await lost
		assert.equal((await store.get('notes', id(n)))?.text, `After ${n}`)
		assert.equal(store.head.seq, rev)
	}
	assert.equal((await everything(store)).size, 4)
})

test('[S61] a group that arrives long after it was given up and sent again is there once', async (t) => {
	const { road, store, direct } = await onBrokenRoad(t)
	const caught = road.keepBack('insert', 'journal_')
	const write = putNote(store, 1)
	const arrive = await caught
	await write
	await arrive()
	await putNote(store, 2)
	const kinds = await lookInto(direct, (db) => slots(db, store.head.lineage).find().sort({ _id: 1 }).toArray())
	assert.deepEqual(
		kinds.map(({ _id, kind }) => [_id, kind]),
		[
			[0, 'begin'],
			[1, 'term'],
			[2, 'group'],
			[3, 'group'],
		],
	)
})

test('[S61] a group that is taken while the one before it is applied again has its turn', async (t) => {
	const { road, store } = await onBrokenRoad(t)
	await putNote(store, 0)
	road.delay(10)
	for (let round = 1; round <= 2; round++) {
		const lost = road.loseAnswerTo('insert', 'notes')
		const chains = [1, 2, 3].map(async (chain) => {
			for (let n = 0; n < 6; n++) await putNote(store, 1_000 * round + 100 * chain + n)
		})
		await Promise.all([lost, ...chains])
	}
	assert.equal((await everything(store)).size, 1 + 2 * 3 * 6)
})

test('[S62] on a road that is slow and breaks again and again every write is there once, in its order', async (t) => {
	const { road, store } = await onBrokenRoad(t)
	let stop = false
	const written: number[] = []
	const writing = Array.from({ length: 8 }, async (_, writer) => {
		for (let n = 0; !stop; n++) {
			const number = writer * 1_000 + n
			await putNote(store, number)
			written.push(number)
		}
	})
	for (let round = 0; round < 12 || written.length <= 50; round++) {
		road.delay(round % 3 === 2 ? 15 : 0)
		await new Promise((resolve) => setTimeout(resolve, 60 + 17 * round))
		if (round % 4 === 3) {
			road.down = true
			await new Promise((resolve) => setTimeout(resolve, 120))
			road.down = false
		} else road.cut()
	}
	road.delay(0)
	stop = true
	await Promise.all(writing)
	const stored = await everything(store)
	assert.deepEqual([...stored.keys()].sort(), written.map((n) => `notes ${id(n)}`).sort())
})

test('[S63] while the server is away writers wait, then are told; what is known is still read, and all goes on by itself', async (t) => {
	const { road, store } = await onBrokenRoad(t, { commandMs: 400, readMs: 3_000 })
	await putNote(store, 1)
	road.down = true
	assert.equal((await store.get('notes', id(1)))?.text, 'Note 1', 'what is in memory')
	await assert.rejects(store.find('notes', 'topic', ['a'], { limit: 5 }), (error) => {
		assert.ok(error instanceof StorageUnavailable)
		return /can not be reached/.test(error.message) && /MONGODB_URI/.test(error.hint ?? '')
	})
	const waiting = putNote(store, 2)
	await new Promise((resolve) => setTimeout(resolve, 700))
	road.down = false
	assert.equal((await waiting).seq, 2)
	assert.equal(store.stopped, null)
})

test('[S64] a process that was taken over commits nothing into the past, also where the journal was pruned', async (t) => {
	const database = await createMongoDatabase()
	t.after(() => database.remove())
	const older = await openTestStore(await database.open())
	await putNote(older, 1)
	const newer = await openTestStore(await database.open())
	for (let n = 2; n <= 9; n++) await putNote(newer, n)
	await newer.prune(new Date(Date.now() + 60_000))
	assert.equal(newer.head.pruned, 8)
	await assert.rejects(putNote(older, 100), Fenced)
	await older.close()
	// The same after a restore has ended the lineage that it knows.
	const { seq, records } = await newer.exportAt()
	const rows = await Array.fromAsync(records)
	const late = await openTestStore(await database.open())
	await assert.rejects(putNote(newer, 101), Fenced)
	const last = await openTestStore(await database.open())
	await last.replaceAll({
		seq,
		records: (async function* () {
			yield* rows
		})(),
	})
	const restored = await openTestStore(await database.open())
	await putNote(restored, 200)
	await assert.rejects(putNote(late, 102), Fenced)
	assert.deepEqual([...(await everything(restored)).keys()].sort(), [...range(1, 10), 200].map((n) => `notes ${id(n)}`).sort())
	for (const store of [newer, late, restored]) await store.close()
})

test('[S64] whoever is taken over hears of it by the heartbeat, also while nobody writes', async (t) => {
	const database = await createMongoDatabase({ silenceMs: 500 })
	t.after(() => database.remove())
	const older = await openTestStore(await database.open())
	const heard = new Promise<Error>((resolve) => older.onStopped(resolve))
	const newer = await openTestStore(await database.open())
	assert.ok((await heard) instanceof Fenced)
	assert.ok(older.stopped instanceof Fenced)
	await older.close()
	await newer.close()
})

test('[S65] while the heartbeat fails the store says that it is in doubt, and no longer once it succeeds', async (t) => {
	const name = `ec_${randomBytes(6).toString('hex')}`
	const road = await openMongoProxy(process.env.TEST_MONGODB_URI!)
	const times = { commandMs: 300, readMs: 300, silenceMs: 1_000 }
	const store = await openTestStore(await openMongo(road.address(name), { times }))
	t.after(async () => {
		await store.close()
		await lookInto(testAddress(name), (db) => db.dropDatabase())
		await road.close()
	})
	const until = async (doubtful: boolean) => {
		while (store.doubtful !== doubtful) await new Promise((resolve) => setTimeout(resolve, 20))
	}
	assert.equal(store.doubtful, false)
	road.down = true
	await until(true)
	road.down = false
	await until(false)
	await putNote(store, 1)
})

test('[S66] an export in the middle of an apply, by a process that only reads, is whole at its seq and changes nothing', async (t) => {
	const { road, direct, store } = await onBrokenRoad(t, { commandMs: 30_000, readMs: 5_000 })
	await store.write(null, async (tx) => {
		await tx.put('people', person(1, { name: 'Before' }))
		await tx.put('notes', note(1, { text: 'Before' }))
		await tx.put('notes', note(2))
	})
	// People are in place, notes are not yet: the entry is committed, and half of it is to be seen.
	const caught = road.keepBack('update', 'notes')
	const write = store.write(null, async (tx) => {
		await tx.put('people', person(1, { name: 'After' }))
		await tx.put('notes', note(1, { text: 'After' }))
		await tx.remove('notes', id(2))
		await tx.put('notes', note(3, { text: 'After' }))
	})
	await caught
	road.down = true
	const half = await lookInto(direct, (db) => db.collection<Document>('notes').findOne({ _id: new ObjectId(id(1)) }))
	assert.equal(half?.text, 'Before')
	const copy = await readOnly(direct)
	const { seq, records } = await (await openTestStore(copy)).exportAt()
	const rows = new Map(
		(await Array.fromAsync(records)).map(({ collection, record }) => [`${collection} ${Number.parseInt(record.id, 16)}`, record]),
	)
	assert.equal(seq, 2)
	assert.deepEqual([...rows.keys()], ['people 1', 'notes 1', 'notes 3'])
	const texts = [...rows.values()].map((record) => (record as { name?: string }).name ?? (record as unknown as { text: string }).text)
	assert.deepEqual(texts, ['After', 'After', 'After'])
	const still = await lookInto(direct, (db) => db.collection<Document>('notes').findOne({ _id: new ObjectId(id(1)) }))
	assert.equal(still?.text, 'Before', 'who only reads applies nothing')
	await copy.close()
	road.down = false
	await write
})

test('[S66] a copy by a process that only reads is whole while another writes, restores included', async (t) => {
	const database = await createMongoDatabase()
	t.after(() => database.remove())
	const store = await openTestStore(await database.open())
	for (let n = 0; n < 900; n += 100) {
		await store.write(null, async (tx) => {
			for (let i = n; i < n + 100; i++) await tx.put('notes', note(i, { text: '0' }))
		})
	}
	let stop = false
	const writing = (async () => {
		for (let i = 1; !stop; i++) {
			await store.write(null, async (tx) => {
				for (const n of [0, 450, 899]) await tx.put('notes', note(n, { text: String(i) }))
				await tx.remove('notes', id(5_000 + i - 1))
				await tx.put('notes', note(5_000 + i, { text: String(i) }))
			})
		}
	})()
	for (let round = 0; round < 4; round++) {
		const copy = await readOnly(database.uri)
		const { seq, records } = await (await openTestStore(copy)).exportAt()
		const rows = (await Array.fromAsync(records)).map(({ record }) => record as unknown as { id: string; rev: number; text: string })
		const writes = seq - 9
		const texts = [0, 450, 899].map((n) => rows.find((record) => record.id === id(n))?.text)
		assert.deepEqual(texts, [writes, writes, writes].map(String))
		assert.equal(rows.length, 900 + (writes > 0 ? 1 : 0))
		assert.equal(Math.max(...rows.map(({ rev }) => rev)), seq)
		await copy.close()
	}
	stop = true
	await writing
	await store.close()
})

test('[S67] a server that went back in time is noticed, and nothing is written into the gap', async (t) => {
	const { road, direct, store } = await onBrokenRoad(t)
	for (const n of [1, 2, 3]) await putNote(store, n)
	// As a machine that was set back to an older snapshot.
	const { lineage } = store.head
	const lost = await lookInto(direct, async (db) => {
		const last = await slots(db, lineage).findOne({ last: 3, kind: 'group' })
		await slots(db, lineage).deleteOne({ _id: last!._id })
		return last!
	})
	road.cut()
	const caught = road.loseAnswerTo('insert', 'journal_')
	const write = outcome(putNote(store, 4))
	await caught
	assert.ok((await write) instanceof OutcomeUnknown)
	assert.match(String((store.stopped as Error).cause), /lost entries/)
	await assert.rejects(openMongo(direct), /lost entries|missing/)
	await lookInto(direct, (db) => slots(db, lineage).insertOne(lost))
})

test('[S68] an id is called absent only where it is, however many there are', async (t) => {
	const [db] = await rawDatabase(t)
	const collection = db.collection<Document>('notes')
	const ids = new HighestIds()
	const there = range(1, 12_001).map((n) => 2 * n)
	await collection.insertMany(there.map((n) => ({ _id: new ObjectId(id(n)), rev: 1 })))
	while (!ids.absent(id(30_001), collection)) await new Promise((resolve) => setTimeout(resolve, 5))
	const wrong = () => there.filter((n) => ids.absent(id(n), collection))
	assert.deepEqual(wrong(), [])
	assert.ok(!ids.absent(id(4_001), collection), 'below what it looked at it knows nothing')
	assert.ok(ids.absent(id(4_003), collection))
	assert.ok(!ids.absent('no id', collection))
	for (const n of range(20_000, 300_000)) {
		ids.add(id(n))
		there.push(n)
	}
	assert.deepEqual(wrong(), [])
	assert.ok(ids.absent(id(300_001), collection))
	assert.ok(!ids.absent(id(4_003), collection), 'what was forgotten is not known any more')
})

async function readOnly(uri: string): Promise<Engine> {
	const times = { commandMs: 10_000, readMs: 5_000, silenceMs: 15_000 }
	return (await findMongo({ address: parseAddress(uri, false), specs, times, folder: '/tmp' })).openReadOnly()
}

function range(from: number, to: number): number[] {
	return Array.from({ length: to - from }, (_, i) => from + i)
}
