/**
 * The embedded engine: the contract of every engine, and what is special to this one.
 *
 * Every test has a folder of its own.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createTestDatabase } from '../../../tests/support/sqlite.ts'
import { id, note, openTestStore, person, settle, specs, verifyAll, watch } from '../../../tests/support/storage.ts'
import { StorageUnavailable } from './engine.ts'
import { unpackLines } from './journal.ts'
import { openSqlite, refuseOldSqlite } from './sqlite.ts'
import { configure } from './sqlite-schema.ts'
import { storeContract } from './store.contract.ts'

storeContract('SQLite', createTestDatabase)

test('[S17] nothing of what was erased is left in any page, after much was moved about', async (t) => {
	const database = await createTestDatabase()
	t.after(() => database.remove())
	let store = await openTestStore(await database.open())
	const count = 1_200
	// A fixed shuffle, so that pages are split and merged everywhere.
	const order = Array.from({ length: count }, (_, n) => (n * 577) % count)
	const mark = (n: number) => `mark${(n * 7_919 + 1_000_003).toString(36)}end`
	const gone = order.slice(0, 600)
	const put = (n: number, round: number) =>
		store.write(null, (tx) =>
			tx.put(
				'people',
				person(n, { name: mark(n) + ' word'.repeat((n * 13 * round) % 180), mail: `${mark(n)}@x.id`, team: `${mark(n)}${round}` }),
			),
		)
	for (const round of [1, 2, 3]) await Promise.all(order.filter((n) => n % round === 0).map((n) => put(n, round)))
	await store.close()
	// Compressed, the journal shows no marks: its bodies themselves must be gone.
	const file = readdirSync(database.folder).find((name) => name.endsWith('.db'))!
	const db = new DatabaseSync(join(database.folder, file))
	const bodies = (db.prepare('SELECT body FROM journal').all() as { body: Uint8Array }[])
		.filter(({ body }) => gone.some((n) => unpackLines(body).includes(mark(n))))
		.map(({ body }) => Buffer.from(body).subarray(0, 60))
	db.close()
	store = await openTestStore(await database.open())
	for (const n of [0, 200, 400]) {
		await store.erase(
			null,
			gone.slice(n, n + 200).map((n) => ({ collection: 'people' as const, record: person(n, { name: '' }) })),
		)
	}
	await store.close()
	const bytes = Buffer.concat(readdirSync(database.folder).map((name) => readFileSync(join(database.folder, name))))
	const text = bytes.toString('latin1')
	assert.deepEqual(
		gone.filter((n) => text.includes(mark(n))),
		[],
	)
	assert.ok(order.slice(600).every((n) => text.includes(mark(n))))
	assert.ok(bodies.length >= 3)
	assert.equal(bodies.filter((body) => bytes.includes(body)).length, 0)
	await verifyAll(await database.open())
})

test('[S17] erasing waits for an export that still reads the old state, and nobody waits for erasing', async (t) => {
	const database = await createTestDatabase()
	t.after(() => database.remove())
	const store = await openTestStore(await database.open())
	for (let n = 0; n < 1_000; n += 250) {
		await store.write(null, async (tx) => {
			for (let i = n; i < n + 250; i++) await tx.put('notes', note(i))
		})
	}
	const { records } = await store.exportAt()
	const copying = records[Symbol.asyncIterator]()
	await copying.next()
	const erasing = store.erase(null, [{ collection: 'notes', record: note(1, { text: '' }) }])
	const state = watch(erasing)
	for (let n = 0; n < 20; n++) await store.write(null, (tx) => tx.put('notes', note(2, { text: String(n) })))
	await settle()
	assert.equal(state.settled, false)
	let copied = 1
	while (!(await copying.next()).done) copied++
	assert.equal(copied, 1_000)
	await erasing
	await store.close()
})

test('[S29] the log does not grow without end: no read holds it, and it is cut back', async (t) => {
	const database = await createTestDatabase()
	t.after(() => database.remove())
	const store = await openTestStore(await database.open())
	const log = () =>
		Math.max(
			...readdirSync(database.folder)
				.filter((name) => name.endsWith('-wal'))
				.map((name) => statSync(join(database.folder, name)).size),
		)
	for (let round = 0; round < 25; round++) {
		await Promise.all(
			Array.from({ length: 20 }, (_, n) => store.write(null, (tx) => tx.put('notes', note(round * 20 + n, { text: 'x'.repeat(40_000) })))),
		)
		// A read that is left before its end.
		for await (const _ of store.entries({ after: 0 })) break
		await store.find('notes', 'topic', ['a'], { limit: 3 })
	}
	assert.ok(log() < 14 * 1024 * 1024, `${log()} bytes for 20 MB`)
	await store.close()
})

test('[S30] every connection waits for the disk, and a SQLite that corrupts is refused', async (t) => {
	const database = await createTestDatabase()
	t.after(() => database.remove())
	const [file] = readdirSync(database.folder).filter((name) => name.endsWith('.db'))
	for (const readOnly of [false, true]) {
		const db = new DatabaseSync(join(database.folder, file!), { readOnly })
		configure(db)
		assert.deepEqual({ ...db.prepare('PRAGMA synchronous').get() }, { synchronous: 2 })
		assert.deepEqual({ ...db.prepare('PRAGMA secure_delete').get() }, { secure_delete: 1 })
		db.close()
	}
	for (const version of ['3.40.1', '3.51.2', '3.51', '2.99.99']) assert.throws(() => refuseOldSqlite(version), StorageUnavailable)
	for (const version of ['3.51.3', '3.51.10', '3.52.0', '4.0.0', process.versions.sqlite!]) refuseOldSqlite(version)
})

test('[S31] a database that can not be opened is left as it is, and nothing keeps the process', async (t) => {
	const database = await createTestDatabase()
	t.after(() => database.remove())
	const store = await openTestStore(await database.open())
	await store.write(null, (tx) => tx.put('people', person(1)))
	await store.close()
	const [file] = readdirSync(database.folder).filter((name) => name.endsWith('.db'))
	const path = join(database.folder, file!)
	const whole = readFileSync(path)
	for (const damaged of [
		Buffer.alloc(0),
		Buffer.from('not a database at all, but long enough to look at: '.repeat(100)),
		Buffer.concat([whole.subarray(0, 4_096), Buffer.alloc(whole.length - 4_096, 7)]),
	]) {
		writeFileSync(path, damaged)
		await assert.rejects(openSqlite(database.folder, specs))
		assert.ok(readFileSync(path).equals(damaged))
	}
	rmSync(path)
	await assert.rejects(openSqlite(database.folder, specs), /missing/)
	writeFileSync(path, whole)
	const again = await openTestStore(await openSqlite(database.folder, specs))
	assert.equal((await again.get('people', id(1)))?.name, 'Person 1')
	await again.close()
})
