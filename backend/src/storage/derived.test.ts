/**
 * Derived data: right after any start, whatever became of its file or of the journal meanwhile.
 *
 * What is derived here are counts of people by team, kept by differences as counters are.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createTestDatabase } from '../../../tests/support/sqlite.ts'
import { id, openTestStore, type Person, person, type TestStore, turn } from '../../../tests/support/storage.ts'
import { type Derivation, openDerived } from './derived.ts'
import type { Store } from './store.ts'

/** Applying a change twice, or not at all, gives another count. */
const teams: Derivation = {
	name: 'teams',
	version: 1,
	create(db) {
		db.exec(
			'CREATE TABLE team(id TEXT PRIMARY KEY, name TEXT); CREATE TABLE count(name TEXT PRIMARY KEY, n INTEGER); CREATE VIRTUAL TABLE words USING fts5(word)',
		)
	},
	apply(db, changes) {
		const count = db.prepare('INSERT INTO count VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n')
		for (const { collection, id, record } of changes) {
			if (collection !== 'people') continue
			const before = db.prepare('SELECT name FROM team WHERE id = ?').get(id) as { name: string } | undefined
			if (before) count.run(before.name, -1)
			db.prepare('DELETE FROM team WHERE id = ?').run(id)
			if (record === null) continue
			const { team } = record as Person
			db.prepare('INSERT INTO team VALUES (?, ?)').run(id, team)
			count.run(team, 1)
			db.prepare('INSERT INTO words VALUES (?)').run(team)
		}
	},
}
/** Counts every change of people that it is told: each is told once. */
const changes = (version: number): Derivation => ({
	name: 'changes',
	version,
	create: (db) => db.exec('CREATE TABLE told(n INTEGER)'),
	apply(db, list) {
		for (const { collection } of list) if (collection === 'people') db.exec('INSERT INTO told VALUES (1)')
	},
})

const counts = (db: DatabaseSync) => {
	const rows = db.prepare('SELECT name, n FROM count WHERE n <> 0 ORDER BY name').all() as { name: string; n: number }[]
	return Object.fromEntries(rows.map(({ name, n }) => [name, n]))
}
const told = (db: DatabaseSync) => (db.prepare('SELECT count(*) AS n FROM told').get() as { n: number }).n

async function begin(t: TestContext) {
	const database = await createTestDatabase()
	const path = join(database.folder, 'derived.db')
	const failures: Error[] = []
	t.after(() => database.remove())
	return {
		database,
		path,
		failures,
		open: async () => openTestStore(await database.open()),
		derive: (store: TestStore, version = 1) =>
			openDerived(store as unknown as Store, path, [teams, changes(version)], (error) => failures.push(error)),
	}
}
const put = (store: TestStore, n: number, team: string) => store.write(null, (tx) => tx.put('people', person(n, { team })))

test('[S46] derived data follows every commit, and goes on after a start where it stood', async (t) => {
	const { open, derive, failures } = await begin(t)
	let store = await open()
	let derived = derive(store)
	await derived.ready
	for (let n = 0; n < 10; n++) await put(store, n, n < 7 ? 'red' : 'blue')
	await store.write(null, (tx) => tx.remove('people', id(0)))
	await put(store, 1, 'blue')
	assert.deepEqual(derived.read(counts), { blue: 4, red: 5 })
	derived.close()
	await put(store, 50, 'green')
	await store.close()
	store = await open()
	await put(store, 51, 'green')
	derived = derive(store)
	await put(store, 52, 'green')
	await derived.ready
	assert.deepEqual(derived.read(counts), { blue: 4, green: 3, red: 5 })
	assert.equal(derived.read(told), 15, 'each change once, none of them from the records')
	derived.close()
	assert.equal(derived.read(counts), null)
	await store.close()
	assert.deepEqual(failures, [])
})

test('[S46] opened in the midst of many writes, it takes each of them once', async (t) => {
	const { open, derive } = await begin(t)
	const store = await open()
	await put(store, 0, 'red')
	let derived = derive(store)
	await derived.ready
	for (let round = 0; round < 12; round++) {
		derived.close()
		const writes = Array.from({ length: 300 }, (_, n) => put(store, n, 'red'))
		// At any moment of their commits, acknowledgements and tellings.
		for (let i = 0; i < round; i++) await turn()
		derived = derive(store)
		await Promise.all([...writes, derived.ready])
		assert.deepEqual(derived.read(counts), { red: 300 })
		assert.equal(derived.read(told), 1 + 300 * (round + 1))
	}
	derived.close()
	await store.close()
})

test('[S47] derived data is built anew from records where its place in the journal is unknown', async (t) => {
	const { open, derive, path, failures, database } = await begin(t)
	let store = await open()
	for (let n = 0; n < 1_300; n += 100) {
		await store.write(null, async (tx) => {
			for (let i = n; i < n + 100; i++) await tx.put('people', person(i, { team: i % 2 ? 'odd' : 'even' }))
		})
	}
	const { seq, records } = await store.exportAt()
	const copy = await Array.fromAsync(records)
	const expected = { even: 650, odd: 650 }
	let version = 1
	let anew = 0
	const check = async (what: string, wanted: Record<string, number>, isNew = true) => {
		const derived = derive(store, version)
		await derived.ready
		assert.deepEqual(derived.read(counts), wanted, what)
		if (isNew)
			assert.equal(
				derived.read(told),
				Object.values(wanted).reduce((sum, n) => sum + n),
				what,
			)
		anew++
		derived.close()
	}
	await check('at first', expected)
	for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
	await check('its file was deleted', expected)
	writeFileSync(path, 'not a database, but long enough to be looked at '.repeat(200))
	await check('its file was damaged', expected)
	version = 2
	await check('it is made differently now', expected)
	await put(store, 0, 'odd')
	await put(store, 2, 'odd')
	await store.prune(new Date(Date.now() + 60_000))
	const pruned = { even: 648, odd: 652 }
	await check('the journal no longer reaches back so far', pruned)
	await put(store, 4, 'odd')
	await store.erase(null, [{ collection: 'people', record: person(4, { team: 'gone' }) }])
	await check('an entry since was erased', { even: 647, gone: 1, odd: 652 })
	await store.replaceAll({
		seq,
		records: (async function* () {
			yield* copy
		})(),
	})
	store = await open()
	await check('the database was restored', expected)
	await store.close()
	assert.deepEqual([failures, anew], [[], 7])
	assert.ok(existsSync(join(database.folder, 'derived.db')))
})

test('[S47] a defect of derived data stops nothing: it is told, and the next start builds it anew', async (t) => {
	const { open, derive, path, failures } = await begin(t)
	const store = await open()
	await put(store, 1, 'red')
	const broken: Derivation = {
		...teams,
		apply() {
			throw new Error('a defect')
		},
	}
	const failed: Error[] = []
	const derived = openDerived(store as unknown as Store, path, [broken], (error) => failed.push(error))
	await derived.ready
	assert.deepEqual([failed.map(({ message }) => message), derived.read(counts)], [['a defect'], null])
	await put(store, 2, 'red')
	derived.close()
	// A place where no file can be: here a folder stands in its way.
	for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
	mkdirSync(join(path, 'x'), { recursive: true })
	const nowhere = derive(store)
	await nowhere.ready
	assert.deepEqual([failures.length, nowhere.read(counts)], [1, null])
	nowhere.close()
	rmSync(path, { recursive: true })
	const again = derive(store)
	await again.ready
	assert.deepEqual(again.read(counts), { red: 2 })
	again.close()
	await store.close()
	assert.ok(readdirSync(join(path, '..')).includes('derived.db'))
})
