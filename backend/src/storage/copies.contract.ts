/**
 * What store and engine promise about copies, restores, erasure, pruning and fences.
 *
 * Part of store.contract.ts; runs on any engine.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
	type Begin,
	everything,
	id,
	note,
	numbers,
	openTestStore,
	outcome,
	person,
	settle,
	type TestStore,
	turn,
	watch,
} from '../../../tests/support/storage.ts'
import type { StoredRecord } from './collections.ts'
import { Fenced, StorageUnavailable } from './engine.ts'
import { CursorUnknown, UniqueTaken } from './store.ts'

type Row = { collection: string; record: StoredRecord }

/** Runs the contract of copies and failures on an engine. */
export function copiesContract(name: string, begin: Begin): void {
	const putNote = (store: TestStore, n: number, more = {}) => store.write(null, (tx) => tx.put('notes', note(n, more)))

	async function* listed(rows: readonly Row[]): AsyncGenerator<Row> {
		yield* rows
	}
	async function copyOf(store: TestStore): Promise<{ seq: number; rows: Row[] }> {
		const { seq, records } = await store.exportAt()
		return { seq, rows: await Array.fromAsync(records) }
	}

	test(`[S14] ${name}: an export is everything at exactly one seq, while writes go on`, async (t) => {
		const { store } = await begin(t)
		for (let n = 0; n < 1_200; n += 100) {
			await store.write(null, async (tx) => {
				for (let i = n; i < n + 100; i++) await tx.put('notes', note(i, { text: '0' }))
			})
		}
		let stop = false
		const writing = (async () => {
			for (let i = 1; !stop; i++) {
				await store.write(null, async (tx) => {
					for (const n of [0, 600, 1_199]) await tx.put('notes', note(n, { text: String(i) }))
					await tx.remove('notes', id(5_000 + i - 1))
					await tx.put('notes', note(5_000 + i, { text: String(i) }))
				})
				await turn()
			}
		})()
		for (let round = 0; round < 3; round++) {
			const { lineage, seq, records } = await store.exportAt()
			assert.equal(lineage, store.head.lineage)
			const copy: Row[] = []
			for await (const row of records) {
				if (copy.push(row) % 300 === 0) for (const from = store.head.seq; store.head.seq < from + 2; ) await turn()
			}
			assert.ok(store.head.seq > seq, 'writes went on')
			const writes = seq - 12
			const texts = [0, 600, 1_199].map((n) => copy.find(({ record }) => record.id === id(n))?.record as unknown as { text: string })
			assert.deepEqual(
				texts.map(({ text }) => text),
				[String(writes), String(writes), String(writes)],
			)
			assert.equal(copy.length, 1_200 + (writes > 0 ? 1 : 0))
			assert.equal(Math.max(...copy.map(({ record }) => record.rev)), seq)
			const places = copy.map(({ record }) => [record.seq, Number.parseInt(record.id, 16)] as const)
			assert.deepEqual(
				places,
				places.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]),
			)
		}
		stop = true
		await writing
	})

	test(`[S15] ${name}: a restore puts everything in place at once, under a new lineage that counts on`, async (t) => {
		const { store, database } = await begin(t)
		await store.write(null, async (tx) => {
			await tx.put('people', person(1, { mail: 'a@x.id', name: 'Before' }))
			for (const n of [3, 1, 2]) await tx.put('notes', note(n, { tags: ['t'] }))
			await tx.put('tickets', { id: id(1), holder: 'x' })
		})
		await putNote(store, 2, { text: 'Edited' })
		const copy = await copyOf(store)
		const { lineage } = store.head
		await store.write(null, (tx) => tx.put('people', person(1, { name: 'Later' })))
		await putNote(store, 9)
		const heard: (Error | null)[] = []
		store.onStopped((reason) => heard.push(reason))
		await store.replaceAll({ seq: copy.seq, records: listed(copy.rows) })
		assert.ok(heard[0] instanceof StorageUnavailable && heard.length === 1 && store.stopped)
		await assert.rejects(putNote(store, 10), StorageUnavailable)

		const again = await openTestStore(await database.open())
		assert.notEqual(again.head.lineage, lineage)
		assert.deepEqual([again.head.seq, again.head.pruned], [2, 2])
		assert.equal((await again.get('people', id(1)))?.name, 'Before')
		assert.deepEqual(
			await copyOf(again).then(({ rows }) => rows),
			copy.rows.filter(({ collection }) => collection !== 'tickets'),
		)
		assert.deepEqual(numbers(await again.find('notes', 'tag', ['t'], { limit: 9 })), [1, 3], 'the edited note has no tag')
		await assert.rejects(Array.fromAsync(again.entries({ after: 1 })), CursorUnknown)
		assert.deepEqual(await Array.fromAsync(again.entries({ after: 2 })), [])
		await assert.rejects(
			again.write(null, (tx) => tx.put('people', person(2, { mail: 'A@x.id' }))),
			UniqueTaken,
		)
		await again.write(null, (tx) => tx.put('tickets', { id: id(2), holder: 'x' }))
		const four = await putNote(again, 4)
		assert.deepEqual([four.seq, numbers(await again.find('notes', 'topic', ['a'], { limit: 9 }))], [4, [1, 2, 3, 4]])
		await again.close()
	})

	test(`[S16] ${name}: a restore of what is not whole leaves everything as it was, and usable`, async (t) => {
		const { store } = await begin(t)
		await store.write(null, async (tx) => {
			for (const n of [1, 2]) await tx.put('people', person(n, { mail: `${n}@x.id` }))
			for (const n of [1, 2]) await tx.put('notes', note(n))
		})
		const { seq, rows } = await copyOf(store)
		const { lineage } = store.head
		const change = (n: number, record: object) => rows.map((row, i) => (i === n ? { ...row, record: { ...row.record, ...record } } : row))
		const sources: [RegExp, AsyncIterable<Row>][] = [
			[/have one mail/, listed(change(1, { mail: '1@X.id' }))],
			[/come by \(seq, id\)/, listed([rows[1]!, rows[0]!, rows[2]!])],
			[/come by \(seq, id\)/, listed([rows[0]!, rows[0]!])],
			[/in their order/, listed([rows[2]!, rows[0]!])],
			[/newer than the copy/, listed(change(3, { rev: seq + 1 }))],
			[/newer than the copy/, listed(change(3, { seq: seq + 1, rev: seq + 1 }))],
			[/no collection nothing/, listed([{ ...rows[0]!, collection: 'nothing' }])],
			[/is not an id/, listed(change(0, { id: 'x' }))],
			[
				/broken/,
				(async function* () {
					yield* rows
					throw new Error('The source is broken.')
				})(),
			],
		]
		for (const [reason, records] of sources) {
			await assert.rejects(store.replaceAll({ seq, records }), reason)
			assert.equal(store.stopped, null)
			await putNote(store, 3, { text: reason.source })
			assert.equal((await store.get('notes', id(3)))?.text, reason.source)
		}
		assert.deepEqual([store.head.lineage, store.head.seq], [lineage, 1 + sources.length])
	})

	test(`[S17] ${name}: an erased payload is gone from records, journal and disk, and the chain is whole`, async (t) => {
		const { store, database } = await begin(t)
		const secrets = ['Lorem-secret-one', 'Lorem-secret-two', 'Lorem-secret-three']
		await store.write(null, async (tx) => {
			await tx.put('notes', note(1, { text: secrets[0]!, tags: ['Tag-secret'] }))
			await tx.put('notes', note(2, { text: 'Public' }))
		})
		await putNote(store, 1, { text: secrets[1]! })
		await store.write(null, (tx) => tx.put('people', person(1, { name: 'Name-secret', mail: 'mail-secret@x.id' })))
		await store.write(null, (tx) => tx.put('people', person(2, { name: 'Longname-secret '.repeat(3_000), mail: null })))
		await putNote(store, 1, { text: secrets[2]! })
		// What was removed is erased as well: what takes its place is said.
		await store.write(null, (tx) => tx.remove('people', id(2)))
		await store.erase('u', [
			{ collection: 'notes', record: note(1, { text: '' }) },
			{ collection: 'people', record: person(1, { name: '' }) },
			{ collection: 'people', record: person(2, { name: '' }) },
		])
		assert.deepEqual([(await store.get('notes', id(1)))?.text, (await store.get('people', id(1)))?.mail], ['', null])
		const entries = await Array.fromAsync(store.entries({ after: 0 }))
		const payloads = entries.flatMap(({ seq, puts }) =>
			puts.map(({ record, salt, digest }) => [seq, record !== null, salt !== null, digest.length]),
		)
		assert.deepEqual(payloads, [
			[1, false, false, 43],
			[1, true, true, 43],
			[2, false, false, 43],
			[3, false, false, 43],
			[4, false, false, 43],
			[5, false, false, 43],
			[7, true, true, 43],
			[7, true, true, 43],
			[7, true, true, 43],
		])
		assert.equal(entries[6]?.by, 'u')
		await store.write(null, (tx) => tx.put('people', person(3, { mail: 'mail-secret@x.id' })))
		await store.write(null, (tx) => tx.put('people', person(3, { mail: 'public@x.id' })))
		await store.erase(null, [{ collection: 'people', record: person(3, { mail: 'public@x.id' }) }])
		await store.close()
		assert.equal(await database.holds('Public'), true)
		for (const secret of [...secrets, 'Tag-secret', 'Name-secret', 'name-secret', 'mail-secret', 'Longname', 'longname']) {
			assert.equal(await database.holds(secret), false, secret)
		}
	})

	test(`[S17] ${name}: erasure is not reported as done while an export still holds the old state`, async (t) => {
		const { store, database } = await begin(t)
		await putNote(store, 1, { text: 'Lorem-secret' })
		for (let n = 10; n < 700; n += 100) {
			await store.write(null, async (tx) => {
				for (let i = n; i < n + 100; i++) await tx.put('notes', note(i))
			})
		}
		const { records } = await store.exportAt()
		const copying = records[Symbol.asyncIterator]()
		await copying.next()
		const erasing = store.erase(null, [{ collection: 'notes', record: note(1, { text: '' }) }])
		await settle()
		await putNote(store, 2)
		const state = watch(erasing)
		if (state.settled) assert.equal(await database.holds('Lorem-secret'), false)
		for (let next = await copying.next(); !next.done; next = await copying.next()) await turn()
		await erasing
		await store.close()
		assert.equal(await database.holds('Lorem-secret'), false)
	})

	test(`[S18] ${name}: pruning forgets what is older, never the newest group`, async (t) => {
		const clock = t.mock.timers
		clock.enable({ apis: ['Date'], now: Date.parse('2031-05-01T00:00:00.000Z') })
		const { store, database } = await begin(t)
		for (let n = 1; n <= 6; n++) {
			clock.setTime(Date.parse(`2031-05-0${n}T00:00:00.000Z`))
			await Promise.all([putNote(store, 2 * n), putNote(store, 2 * n + 1)])
		}
		const reading = store.entries({ after: 0, limit: 100 })[Symbol.asyncIterator]()
		assert.equal((await reading.next()).value?.seq, 1)
		await store.prune(new Date('2031-05-01T00:00:00.000Z'))
		assert.equal(store.head.pruned, 0)
		await store.prune(new Date('2031-05-04T00:00:00.000Z'))
		assert.equal(store.head.pruned, 6)
		assert.deepEqual(
			(await Array.fromAsync(store.entries({ after: 6 }))).map(({ seq }) => seq),
			[7, 8, 9, 10, 11, 12],
		)
		await assert.rejects(
			Array.fromAsync(store.entries({ after: 5 })),
			(error) => error instanceof CursorUnknown && error.reason === 'pruned',
		)
		await store.prune(new Date('2040-01-01T00:00:00.000Z'))
		assert.equal(store.head.pruned, 10)
		await store.prune(new Date('2041-01-01T00:00:00.000Z'))
		assert.equal(store.head.pruned, 10)
		assert.equal((await everything(store)).size, 12, 'records stay')
		await putNote(store, 1)
		await store.close()
		const again = await openTestStore(await database.open())
		assert.deepEqual([again.head.seq, again.head.pruned], [13, 10])
		await again.close()
	})

	test(`[S18] ${name}: who reads the journal while it is pruned gets every entry or an error, never a gap`, async (t) => {
		const { store, gate } = await begin(t)
		for (let n = 1; n <= 1_100; n++) void putNote(store, n)
		await putNote(store, 5_000)
		let last = 0
		const { promise, resolve: go } = Promise.withResolvers<void>()
		let reads = 0
		gate.afterRead = () => (++reads === 2 ? promise : undefined)
		const reading = (async () => {
			for await (const { seq } of store.entries({ after: 0 })) {
				assert.equal(seq, ++last)
				if (last === 1) {
					// Below the core's knowledge, as if the journal were pruned between two of its looks.
					await gate.prune(new Date(Date.now() + 60_000).toISOString())
				}
			}
		})()
		await settle()
		go()
		const result = await outcome(reading)
		assert.ok(last === 1_101 ? result === 'done' : result instanceof CursorUnknown && result.reason === 'pruned', String(result))
		await store.prune(new Date(0))
	})

	test(`[S19] ${name}: the older of two writers is fenced, and nothing of its group is visible`, async (t) => {
		const { store, database } = await begin(t)
		await putNote(store, 1)
		const newer = await openTestStore(await database.open())
		const heard: Error[] = []
		store.onStopped((reason) => heard.push(reason))
		const results = await Promise.all([outcome(putNote(store, 2)), outcome(putNote(store, 3))])
		assert.ok(results.every((result) => result instanceof Fenced))
		assert.ok(heard.length === 1 && heard[0] instanceof Fenced && store.stopped instanceof Fenced)
		await assert.rejects(putNote(store, 4), Fenced)
		assert.deepEqual(await newer.getMany('notes', [id(2), id(3), id(4)]), [null, null, null])
		assert.equal((await putNote(newer, 5)).seq, 2)
		await newer.close()
	})

	test(`[S19] ${name}: also pruning and erasing are fenced, and stop the store`, async (t) => {
		const { store, database } = await begin(t)
		for (const n of [1, 2, 3]) await putNote(store, n)
		const newer = await openTestStore(await database.open())
		await assert.rejects(store.prune(new Date(Date.now() + 60_000)), Fenced)
		assert.ok(store.stopped instanceof Fenced)
		await assert.rejects(store.prune(new Date(Date.now() + 60_000)), Fenced)
		await assert.rejects(store.erase(null, [{ collection: 'notes', record: note(1) }]), Fenced)
		assert.equal((await Array.fromAsync(newer.entries({ after: 0 }))).length, 3)
		await newer.close()
	})
}
