/**
 * What store and engine promise about closing, listening, and everything that goes wrong.
 *
 * Part of store.contract.ts; runs on any engine. What a full or broken disk does is in tests/crash.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
	type Begin,
	Gate,
	id,
	note,
	openTestStore,
	outcome,
	person,
	settle,
	type TestStore,
	turn,
	watch,
} from '../../../tests/support/storage.ts'
import { type Entry, OutcomeUnknown, StorageFull, StorageUnavailable } from './engine.ts'

/** Runs the contract of closing and failures on an engine. */
export function failuresContract(name: string, begin: Begin): void {
	const putNote = (store: TestStore, n: number, more = {}) => store.write(null, (tx) => tx.put('notes', note(n, more)))

	test(`[S20] ${name}: closing takes no more writes and waits for those that were taken`, async (t) => {
		let closed = 0
		const { store, gate, database } = await begin(t, { onClosed: () => closed++ })
		const release = gate.hold()
		const first = putNote(store, 1)
		await settle()
		const heard: number[] = []
		store.onCommit((entries) => heard.push(...entries.map(({ seq }) => seq)))
		const slow = store.write(null, async (tx) => {
			for (let i = 0; i < 10; i++) await turn()
			await tx.put('notes', note(2))
		})
		const more = Array.from({ length: 50 }, (_, n) => putNote(store, 3 + n))
		const closing = store.close()
		const twice = store.close()
		const states = [closing, twice].map(watch)
		await assert.rejects(putNote(store, 99), StorageUnavailable)
		await assert.rejects(store.replaceAll({ seq: 1, records: (async function* () {})() }), StorageUnavailable)
		await settle()
		assert.deepEqual(
			states.map(({ settled }) => settled),
			[false, false],
		)
		release()
		await Promise.all([first, slow, ...more, closing, twice, store.close()])
		assert.deepEqual([heard.length, closed], [52, 1])
		const again = await openTestStore(await database.open())
		assert.equal(again.head.seq, 52)
		await again.close()
	})

	test(`[S21] ${name}: a step that takes too long is given up, and can change nothing afterwards`, async (t) => {
		const { store } = await begin(t, { stepTimeoutMs: 50, writeTimeoutMs: 200 })
		const late: unknown[] = []
		const { promise, resolve: wake } = Promise.withResolvers<void>()
		const stuck = store.write(null, async (tx) => {
			await tx.put('notes', note(1))
			await promise
			for (const action of [() => tx.put('notes', note(2)), () => tx.remove('notes', id(1)), () => tx.get('notes', id(1))]) {
				late.push(await outcome(action()))
			}
		})
		const next = putNote(store, 3)
		await assert.rejects(stuck, /took too long/)
		await next
		wake()
		await settle()
		assert.equal(late.length, 3)
		for (const error of late) assert.match(String(error), /step has ended/)
		// A put that was not awaited ends with its step, and says so.
		let forgotten: Promise<unknown> = Promise.resolve()
		await store.write(null, async (tx) => {
			forgotten = outcome(tx.put('people', person(9, { mail: 'a@x.id' })))
		})
		assert.match(String(await forgotten), /step has ended/)
		await store.write(null, (tx) => tx.put('people', person(8, { mail: 'a@x.id' })))
		assert.deepEqual([await store.get('notes', id(1)), await store.get('people', id(9)), store.head.seq], [null, null, 2])
	})

	test(`[S22] ${name}: while the database does not answer, writers are told, and the group stays first in line`, async (t) => {
		const { store, gate } = await begin(t, { writeTimeoutMs: 100 })
		const release = gate.hold()
		const heard: Entry[] = []
		store.onCommit((entries) => heard.push(...entries))
		const inFlight = outcome(putNote(store, 1))
		await settle()
		const forming = outcome(store.write(null, async (tx) => assert.equal((await tx.get('notes', id(1)))?.text, 'Note 1')))
		assert.ok((await inFlight) instanceof OutcomeUnknown)
		assert.ok((await forming) instanceof StorageUnavailable)
		const waiting = Promise.all([putNote(store, 2), putNote(store, 3)])
		await settle()
		assert.equal(store.head.seq, 0)
		release()
		assert.deepEqual(
			(await waiting).map(({ seq }) => seq),
			[2, 3],
		)
		assert.deepEqual(
			heard.map(({ seq }) => seq),
			[1, 2, 3],
		)
		assert.equal((await store.get('notes', id(1)))?.text, 'Note 1')
	})

	test(`[S22] ${name}: a group that was waited for too long and then failed leaves nothing`, async (t) => {
		const { store, gate } = await begin(t, { writeTimeoutMs: 60 })
		const { promise, resolve: fail } = Promise.withResolvers<void>()
		gate.before = async () => {
			await promise
			gate.before = () => {}
			throw new StorageFull('on purpose')
		}
		assert.ok((await outcome(store.write(null, (tx) => tx.put('people', person(1, { mail: 'a@x.id' }))))) instanceof OutcomeUnknown)
		const next = store.write(null, (tx) => tx.put('people', person(2, { mail: 'b@x.id' })))
		await settle()
		fail()
		assert.equal((await next).seq, 1)
		await store.write(null, (tx) => tx.put('people', person(3, { mail: 'a@x.id' })))
		assert.equal(await store.get('people', id(1)), null)
	})

	test(`[S23] ${name}: the queue of waiting steps is bounded, and groups are`, async (t) => {
		const { store, gate } = await begin(t)
		const release = gate.hold()
		const first = putNote(store, 0)
		await settle()
		const writes = Array.from({ length: 21_000 }, (_, n) => outcome(n % 10 === 0 ? putNote(store, n) : store.write(null, async () => n)))
		const refused = await Promise.race([writes.at(-1), settle()])
		assert.ok(refused instanceof StorageUnavailable)
		release()
		await first
		const results = await Promise.all(writes)
		const done = results.filter((result) => result === 'done').length
		assert.ok(done >= 20_000 && done < 21_000)
		for (const { entries, lines } of gate.groups) {
			assert.ok(entries.reduce((sum, { puts, removes }) => sum + puts.length + removes.length, 0) <= 1_000)
			assert.ok(lines.join('').length < 8 * 1024 * 1024)
		}
		const big = await Promise.all(Array.from({ length: 12 }, (_, n) => outcome(putNote(store, n, { text: 'x'.repeat(1_000_000) }))))
		assert.ok(big.every((result) => result === 'done'))
		assert.ok(gate.groups.every(({ lines }) => lines.join('').length < 8 * 1024 * 1024))
	})

	test(`[S24] ${name}: listeners hear each group once, in order, after it was acknowledged`, async (t) => {
		const { store, gate } = await begin(t)
		const acknowledged = new Set<number>()
		const heard: number[][] = []
		const stop = store.onCommit((entries) => {
			heard.push(entries.map(({ seq }) => seq))
			assert.equal(store.head.seq >= entries.at(-1)!.seq, true)
		})
		const early: boolean[] = []
		store.onCommit((entries) => queueMicrotask(() => early.push(...entries.map(({ seq }) => !acknowledged.has(seq)))))
		for (let round = 0; round < 5; round++) {
			const many = Array.from({ length: 120 }, (_, n) => putNote(store, n).then(({ rev }) => acknowledged.add(rev)))
			await Promise.all(many)
		}
		await store.write(null, async () => 'nothing')
		await settle()
		assert.deepEqual(
			heard.flat(),
			Array.from({ length: 600 }, (_, n) => n + 1),
		)
		assert.deepEqual(
			heard.map((seqs) => seqs.at(-1)),
			gate.groups.map(({ last }) => last),
		)
		assert.ok(early.every((wasEarly) => !wasEarly))
		stop()
		await putNote(store, 1)
		await settle()
		assert.equal(heard.flat().length, 600)
	})

	test(`[S24] ${name}: a listener that fails harms neither writers nor other listeners`, async (t) => {
		const { store } = await begin(t)
		const thrown: unknown[] = []
		const onUncaught = (error: unknown) => thrown.push(error)
		process.setUncaughtExceptionCaptureCallback(onUncaught)
		t.after(() => process.setUncaughtExceptionCaptureCallback(null))
		store.onCommit(() => {
			throw new Error('a defect')
		})
		const heard: number[] = []
		store.onCommit((entries) => heard.push(...entries.map(({ seq }) => seq)))
		await Promise.all(Array.from({ length: 40 }, (_, n) => putNote(store, n)))
		await putNote(store, 1)
		await settle()
		assert.equal(heard.length, 41)
		assert.ok(thrown.length >= 1 && thrown.every((error) => /a defect/.test(String(error))))
	})

	test(`[S26] ${name}: a full disk refuses writes, lets reading go on, and is over when there is space`, async (t) => {
		const { store, gate } = await begin(t)
		await putNote(store, 1)
		gate.before = () => {
			throw new StorageFull('on purpose')
		}
		for (let round = 0; round < 3; round++) {
			const results = await Promise.all([outcome(putNote(store, 2)), outcome(store.write(null, (tx) => tx.get('notes', id(1))))])
			assert.ok(results[0] instanceof StorageFull)
			assert.equal(results[1], 'done')
			assert.equal(await store.get('notes', id(2)), null)
			assert.deepEqual([store.head.seq, store.stopped], [1, null])
		}
		gate.before = () => {}
		assert.equal((await putNote(store, 3)).seq, 2)
	})

	test(`[S27] ${name}: a write that may or may not be durable stops the store, which says so, and is found or not by the next`, async (t) => {
		for (const durable of [false, true]) {
			await t.test(durable ? '[S27] it was durable' : '[S27] it was not', async (t) => {
				const { store, gate, database } = await begin(t)
				await putNote(store, 1)
				const broken = () => {
					throw new OutcomeUnknown('on purpose')
				}
				if (durable) gate.after = broken
				else gate.before = broken
				const heard: Error[] = []
				store.onStopped((reason) => heard.push(reason))
				const first = outcome(putNote(store, 2))
				await settle()
				const second = outcome(putNote(store, 3))
				assert.ok((await first) instanceof OutcomeUnknown)
				const later = await second
				assert.ok(later instanceof OutcomeUnknown || later instanceof StorageUnavailable)
				await assert.rejects(putNote(store, 4), StorageUnavailable)
				assert.ok(heard.length === 1 && store.stopped instanceof StorageUnavailable)
				assert.equal((await store.get('notes', id(1)))?.text, 'Note 1', 'reading goes on')
				gate.before = gate.after = () => {}
				await assert.rejects(putNote(store, 5), StorageUnavailable, 'for good')
				await store.close()
				const next = await openTestStore(new Gate(await database.open()))
				assert.equal((await next.get('notes', id(2)))?.rev, durable ? 2 : undefined)
				assert.deepEqual(await next.getMany('notes', [id(4), id(5)]), [null, null])
				await next.close()
			})
		}
	})
}
