/**
 * What is promised about whole databases: read beside their writer, replaced, loaded apart. Runs on any engine.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { collections, type StoredRecord } from './collections.ts'
import { StorageUnavailable } from './engine.ts'
import { canonical } from './journal.ts'
import { migrations, schemaOf } from './migrations.ts'
import { INSTALLATION, type OpenOptions, openStore } from './open.ts'
import { linesOf, PAGE_RECORDS } from './pages.ts'
import { openReading, openScratch, type Reading, replaceDatabase, type Source } from './snapshots.ts'
import type { Store } from './store.ts'

type Row = { collection: string; record: StoredRecord }
/** Says where a new database is, and how to break it. */
export type FindPlace = (t: TestContext) => Pick<OpenOptions, 'mongodb'> & { look?(): Promise<string[]> }

const id = (n: number) => n.toString(16).padStart(24, '0')
const schema = schemaOf(migrations)
const time = '2026-01-02T03:04:05.678Z'

/** A line a record. */
async function allOf(reading: Reading): Promise<string[]> {
	const lines: string[] = []
	for await (const page of reading.pages()) {
		const { collection, first, last, records } = page
		assert.ok(records <= PAGE_RECORDS)
		const jsons = linesOf(page)
		const seqs = jsons.map((json) => (JSON.parse(json) as StoredRecord).seq)
		assert.deepEqual([records, first, last], [jsons.length, seqs[0], seqs.at(-1)])
		for (const json of jsons) {
			if (!collections[collection as keyof typeof collections].volatile) lines.push(`${collection} ${json}`)
		}
	}
	return lines
}

/** An installation of `value` with one note more. */
function sourceOf(value: string, more: Row[] = [], seq = 9): Source {
	const own = { id: INSTALLATION, seq: 1, rev: 1, createdAt: time, updatedAt: time, name: 'installation', value }
	const rows: Row[] = [{ collection: 'system', record: own }, ...more]
	return {
		seq,
		schema,
		records: (async function* () {
			yield* rows
		})(),
	}
}

function note(n: number, seq: number): Row {
	const record = { id: id(n), seq, rev: seq, createdAt: time, updatedAt: time, name: `note ${n}`, value: 'é' }
	return { collection: 'system', record }
}

const put = (store: Store, n: number, value: string) => store.write(null, (tx) => tx.put('system', { id: id(n), name: `note ${n}`, value }))

export function snapshotsContract(name: string, find: FindPlace): void {
	function place(t: TestContext) {
		const folder = join(mkdtempSync(join(tmpdir(), 'english-chat-whole-')), 'data')
		t.after(() => rmSync(join(folder, '..'), { recursive: true }))
		const { look, ...found } = find(t)
		const options = { folder, backups: join(folder, '../backups'), ...found }
		return { ...options, look, open: (more: Partial<OpenOptions> = {}) => openStore({ ...options, ...more }) }
	}
	async function read(at: ReturnType<typeof place>): Promise<{ lines: string[]; reading: Reading }> {
		const reading = await openReading(at)
		try {
			return { lines: await allOf(reading), reading }
		} finally {
			await reading.close()
		}
	}

	test(`[S80] ${name}: everything is read at one seq while others write`, async (t) => {
		const at = place(t)
		const store = await at.open()
		t.after(() => store.close())
		await Promise.all(Array.from({ length: 700 }, (_, n) => put(store, 100 + n, '0')))
		let stop = false
		const writing = (async () => {
			for (let i = 1; !stop; i++) {
				await Promise.all([100, 500, 799, 1_000 + i].map((n) => put(store, n, String(i))))
				if (i % 3 === 0) await store.write(null, (tx) => tx.remove('system', id(1_000 + i)))
				await turn()
			}
		})()
		for (let round = 0; round < 3; round++) {
			const { lines, reading } = await read(at)
			assert.equal(reading.head.lineage, store.head.lineage)
			const { seq } = reading.head
			while (store.head.seq < seq + 5) await turn()
			const records = new Map<string, StoredRecord>()
			for await (const entry of store.entries({ after: 0, limit: seq })) {
				for (const { collection, id, record } of entry.puts) if (record) records.set(`${collection} ${id}`, record)
				for (const { collection, id } of entry.removes) records.delete(`${collection} ${id}`)
			}
			const expected = [...records].map(([key, record]) => `${key.split(' ')[0]} ${canonical(record)}`)
			assert.deepEqual(lines.toSorted(), expected.sort())
		}
		stop = true
		await writing
		assert.equal(store.stopped, null)
	})

	test(`[S81] ${name}: a whole, a missing and a broken database are replaced, all or nothing`, async (t) => {
		const at = place(t)
		const first = await replaceDatabase(at, sourceOf(id(77), [note(3, 2), note(2, 4)]))
		const { lines, reading } = await read(at)
		assert.equal(reading.installation, id(77))
		assert.equal(reading.head.lineage, first.lineage)
		assert.equal(reading.head.seq, 9)
		assert.equal(lines.length, 3)
		// Records of an older schema become today's.
		const user = { id: id(50), seq: 5, rev: 5, createdAt: time, updatedAt: time, name: 'Ayu', email: 'ayu@example.org' }
		const old = { ...sourceOf(id(77), [{ collection: 'users', record: user as never }]), schema: 1 }
		await replaceDatabase(at, old)
		const store = await at.open()
		assert.deepEqual((await store.get('users', id(50)))?.lecturers, [])
		assert.equal(await store.get('system', id(3)), null)
		await put(store, 9, 'later')
		assert.equal(store.head.seq, 10)
		await store.close()
		// One of which only files are there that can't be read.
		if (!at.mongodb) {
			for (const file of readdirSync(at.folder)) if (file.endsWith('.db')) writeFileSync(join(at.folder, file), 'broken'.repeat(2_000))
			await assert.rejects(at.open(), StorageUnavailable)
			await assert.rejects(read(at), (error: StorageUnavailable) => /restore/.test(error.hint ?? ''))
			await replaceDatabase(at, sourceOf(id(77), [note(3, 2)]))
			const again = await at.open()
			assert.equal((await again.get('system', id(3)))?.value, 'é')
			await again.close()
		}
	})

	test(`[S82] ${name}: what can not be loaded leaves everything as it was`, async (t) => {
		const at = place(t)
		await replaceDatabase(at, sourceOf(id(77), [note(3, 2)]))
		const before = (await read(at)).lines
		const twice = { ...note(4, 3), record: { ...note(4, 3).record, name: 'note 3' } as never }
		await assert.rejects(replaceDatabase(at, sourceOf(id(77), [note(3, 2), twice])), /Two records of system have one name/)
		await assert.rejects(replaceDatabase(at, sourceOf(id(77), [note(3, 20)])), /newer than the copy/)
		await assert.rejects(replaceDatabase(at, { ...sourceOf(id(77)), schema: schema + 1 }), /newer English Chat/)
		const cut: Source = {
			...sourceOf(id(77)),
			records: (async function* () {
				yield* sourceOf(id(77)).records
				throw new Error('cut')
			})(),
		}
		await assert.rejects(replaceDatabase(at, cut), /^Error: cut$/)
		assert.deepEqual((await read(at)).lines, before)
		const store = await at.open()
		await assert.rejects(replaceDatabase(at, sourceOf(id(77))), /A server has the data folder/)
		await put(store, 5, 'goes on')
		await store.close()
		assert.equal((await read(at)).lines.length, before.length + 1)
	})

	test(`[S83] ${name}: a copy of another installation brings its own note`, async (t) => {
		const at = place(t)
		await (await at.open()).close()
		const noted = () => JSON.parse(readFileSync(join(at.folder, 'installation.json'), 'utf8'))
		const { lineage, engine } = noted()
		const next = await replaceDatabase(at, sourceOf(id(78)))
		assert.deepEqual(noted(), { id: id(78), engine, lineage: next.lineage })
		assert.notEqual(next.lineage, lineage)
		const store = await at.open()
		assert.equal(store.head.lineage, next.lineage)
		await store.close()
	})

	test(`[S87] ${name}: pages end where they are asked to, and never within an entry`, async (t) => {
		const at = place(t)
		const store = await at.open()
		t.after(() => store.close())
		await Promise.all(Array.from({ length: 300 }, (_, n) => put(store, 100 + n, 'é')))
		await store.write(null, async (tx) => {
			for (let n = 400; n < 700; n++) await tx.put('system', { id: id(n), name: `note ${n}`, value: 'at once' })
		})
		await Promise.all(Array.from({ length: 10 }, (_, n) => put(store, 700 + n, 'late')))
		const { seq } = store.head
		/** A page: its entries and how many records, then all text. */
		const read = async (ends?: number[]) => {
			const reading = await openReading(at)
			const pages = await Array.fromAsync(reading.pages(ends && { system: ends }))
			await reading.close()
			const notes = pages.filter(({ collection }) => collection === 'system')
			return { shapes: notes.map(({ first, last, records }) => [first, last, records]), text: notes.flatMap(linesOf).join() }
		}
		const free = await read()
		const [first] = free.shapes[0]!
		// The entry with 300 records is the eleventh from the end.
		const many = seq - 10
		assert.deepEqual(free.shapes, [
			[first, first! + 99, 100],
			[first! + 100, first! + 199, 100],
			[first! + 200, first! + 299, 100],
			[many - 1, many, 301],
			[many + 1, seq, 10],
		])
		const asked = await read([first! + 9, many - 1, many + 3])
		assert.deepEqual(asked.shapes, [
			[first, first! + 9, 10],
			[first! + 10, many - 1, 291],
			[many, many + 3, 303],
			[many + 4, seq, 7],
		])
		assert.equal(asked.text, free.text)
		// Where nothing is left there is no page, and what comes before an end is not held up by it.
		await store.write(null, async (tx) => {
			for (let n = 400; n < 703; n++) await tx.remove('system', id(n))
		})
		assert.deepEqual((await read([many - 1, many + 3])).shapes, [
			[first, many - 1, 301],
			[many + 4, seq, 7],
		])
	})

	test(`[S84] ${name}: a copy is loaded apart, read back, and leaves nothing`, async (t) => {
		const at = place(t)
		const store = await at.open()
		t.after(() => store.close())
		await put(store, 9, 'here')
		const there = async () => [readdirSync(at.folder).sort(), await at.look?.()]
		const before = await there()
		const apart = join(at.folder, 'scratch')
		const scratch = await openScratch(at, sourceOf(id(79), [note(3, 2), note(2, 4)]), apart)
		const lines = await allOf(scratch)
		assert.equal(scratch.installation, id(79))
		assert.deepEqual(
			lines.map((line) => JSON.parse(line.slice(7)).id),
			[INSTALLATION, id(3), id(2)],
		)
		await scratch.close()
		assert.deepEqual(await there(), before)
		await assert.rejects(openScratch(at, sourceOf(id(79), [note(3, 20)]), apart), /newer than the copy/)
		assert.deepEqual(await there(), before)
		assert.equal((await store.get('system', id(9)))?.value, 'here')
	})
}
