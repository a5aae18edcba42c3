/**
 * What store and engine promise, as tests that run on any engine: here steps, uniqueness and the journal.
 *
 * `storeContract` is called once for each engine. Reading is in reading.contract.ts, copies in
 * copies.contract.ts, what goes wrong in failures.contract.ts. Every test ends with a check of all that is stored.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { id, note, numbers, outcome, person, settle, starter, type TestDatabase, turn, watch } from '../../../tests/support/storage.ts'
import { copiesContract } from './copies.contract.ts'
import { type Entry, StorageFull } from './engine.ts'
import { failuresContract } from './failures.contract.ts'
import { GENESIS, verifyEntries } from './journal.ts'
import { readingContract } from './reading.contract.ts'
import { CursorUnknown, UniqueTaken } from './store.ts'

/** Runs the whole contract on an engine; `create` makes an empty database. */
export function storeContract(name: string, create: () => Promise<TestDatabase>): void {
	const begin = starter(create)

	test(`[S1] ${name}: a step takes effect whole, and a step that throws leaves nothing`, async (t) => {
		const { store, gate } = await begin(t)
		await store.write('u', async (tx) => {
			await tx.put('people', person(1))
			await tx.put('notes', note(2))
		})
		assert.equal(store.head.seq, 1)
		const failed = store.write(null, async (tx) => {
			await tx.put('people', person(1, { name: 'Nobody' }))
			await tx.remove('notes', id(2))
			await tx.put('people', person(3, { mail: 'c@x.id' }))
			throw new Error('on purpose')
		})
		await assert.rejects(failed, /on purpose/)
		await assert.rejects(
			store.write(null, () => {
				throw new Error('before any promise')
			}),
			/before any promise/,
		)
		assert.equal(store.head.seq, 1)
		assert.equal((await store.get('people', id(1)))?.name, 'Person 1')
		assert.ok(await store.get('notes', id(2)))
		assert.equal(await store.get('people', id(3)), null)
		await store.write(null, (tx) => tx.put('people', person(4, { mail: 'C@x.id' })))
		assert.deepEqual(
			gate.groups.flatMap(({ entries }) => entries.map(({ seq, by, puts }) => [seq, by, puts.length])),
			[
				[1, 'u', 2],
				[2, null, 1],
			],
		)
	})

	test(`[S1] ${name}: a failed step between others of one group leaves them whole`, async (t) => {
		const { store, gate } = await begin(t)
		const release = gate.hold()
		const results = Promise.all(
			[1, 2, 3, 4, 5, 6].map((n) =>
				outcome(
					store.write(null, async (tx) => {
						await tx.put('people', person(n, { mail: n === 4 ? 'p3@x.id' : `p${n}@x.id` }))
						if (n === 2) throw new Error('on purpose')
					}),
				),
			),
		)
		await settle()
		release()
		assert.deepEqual(
			(await results).map((result) => (result instanceof Error ? result.name : result)),
			['done', 'Error', 'done', 'UniqueTaken', 'done', 'done'],
		)
		assert.deepEqual(numbers((await store.getMany('people', [1, 2, 3, 4, 5, 6].map(id))).filter((record) => record !== null)), [1, 3, 5, 6])
	})

	test(`[S2] ${name}: readers outside see what is committed, steps see all that went before`, async (t) => {
		const { store, gate } = await begin(t)
		await store.write(null, (tx) => tx.put('people', person(1, { team: 'a' })))
		const release = gate.hold()
		const inFlight = store.write(null, async (tx) => {
			await tx.put('people', person(1, { name: 'Second', team: 'b' }))
			await tx.put('people', person(2, { team: 'b' }))
			await tx.put('notes', note(9))
		})
		await settle()
		const forming = store.write(null, async (tx) => {
			assert.equal((await tx.get('people', id(1)))?.name, 'Second')
			assert.deepEqual(numbers(await tx.find('people', 'team', ['b'], { limit: 10 })), [1, 2])
			assert.deepEqual(numbers(await tx.find('people', 'team', ['a'], { limit: 10 })), [])
			await tx.remove('notes', id(9))
			assert.equal(await tx.get('notes', id(9)), null)
			await tx.put('people', person(2, { team: 'c' }))
			assert.deepEqual(numbers(await tx.find('people', 'team', ['b'], { limit: 10 })), [1])
			await tx.put('people', person(2, { team: 'b' }))
			await tx.put('people', person(3, { team: 'b' }))
		})
		await settle()
		const last = store.write(null, async (tx) => {
			assert.deepEqual(numbers(await tx.find('people', 'team', ['b'], { limit: 10 })), [1, 2, 3])
			assert.deepEqual(numbers(await tx.find('people', 'team', ['b'], { limit: 2 })), [1, 2])
			assert.deepEqual(numbers(await tx.find('people', 'words', ['pers'], { limit: 10 })), [2, 3])
			assert.equal(await tx.get('notes', id(9)), null)
			assert.equal((await tx.get('people', id(3)))?.seq, 3)
			return (await tx.get('people', id(2)))?.rev
		})
		await settle()
		assert.equal((await store.get('people', id(1)))?.name, 'Person 1')
		assert.deepEqual(numbers(await store.find('people', 'team', ['a'], { limit: 10 })), [1])
		assert.deepEqual(await store.getMany('people', [id(2), id(3)]), [null, null])
		assert.deepEqual(await store.find('people', 'team', ['b'], { limit: 10 }), [])
		assert.equal(store.head.seq, 1)
		release()
		await Promise.all([inFlight, forming])
		assert.equal(await last, 3)
		assert.deepEqual(numbers(await store.find('people', 'team', ['b'], { limit: 10 })), [1, 2, 3])
		assert.equal(await store.get('notes', id(9)), null)
	})

	test(`[S2] ${name}: what a caller does to an object that she gave or got changes nothing stored`, async (t) => {
		const { store } = await begin(t)
		const given = note(1, { tags: ['a'] })
		await store.write(null, async (tx) => {
			await tx.put('notes', given)
			given.tags.push('b')
			given.text = 'changed'
		})
		assert.deepEqual((await store.get('notes', id(1)))?.tags, ['a'])
		assert.equal((await store.get('notes', id(1)))?.text, 'Note 1')
	})

	test(`[S3] ${name}: steps take effect one after another, in the order in which they were asked for`, async (t) => {
		const { store } = await begin(t)
		let running = 0
		const seqs = await Promise.all(
			Array.from({ length: 700 }, (_, n) =>
				store.write(null, async (tx) => {
					const count = Number((await tx.get('people', id(1)))?.name ?? 0)
					await turnSometimes(n)
					await tx.put('people', person(1, { name: String(count + 1) }))
					// From its first change on a step is alone; before that it may be reading early.
					assert.equal(++running, 1)
					await turnSometimes(n)
					running--
					return [n, tx.seq, count]
				}),
			),
		)
		assert.deepEqual(
			seqs,
			Array.from({ length: 700 }, (_, n) => [n, n + 1, n]),
		)
		assert.equal((await store.get('people', id(1)))?.name, '700')
	})

	test(`[S4] ${name}: a write resolves when its entry is durable and readable`, async (t) => {
		const { store, gate } = await begin(t)
		const release = gate.hold()
		const write = store.write(null, (tx) => tx.put('people', person(1)))
		const state = watch(write)
		await settle()
		assert.deepEqual([state.settled, store.head.seq, await store.get('people', id(1))], [false, 0, null])
		release()
		const put = await write
		assert.deepEqual(await store.get('people', id(1)), put)
		assert.deepEqual([store.head.seq, (await gate.head()).seq], [1, 1])
	})

	test(`[S4] ${name}: a step that only looked, or failed, is answered when all that it saw is durable`, async (t) => {
		const { store, gate } = await begin(t)
		const before = store.write(null, async (tx) => (await tx.get('people', id(1))) === null)
		assert.equal(await before, true)
		const release = gate.hold()
		const write = store.write(null, (tx) => tx.put('people', person(1, { mail: 'a@x.id' })))
		const looked = store.write(null, async (tx) => (await tx.get('people', id(1)))?.name)
		await settle()
		const lookedLater = store.write(null, async (tx) => (await tx.get('people', id(1)))?.name)
		const taken = outcome(store.write(null, (tx) => tx.put('people', person(2, { mail: 'a@x.id' }))))
		const states = [write, looked, lookedLater, taken].map(watch)
		await settle()
		assert.deepEqual(
			states.map(({ settled }) => settled),
			[false, false, false, false],
		)
		release()
		assert.deepEqual([await looked, await lookedLater], ['Person 1', 'Person 1'])
		assert.ok((await taken) instanceof UniqueTaken)
		assert.equal(gate.groups.length, 1, 'who only looks makes no entry')
	})

	test(`[S5] ${name}: what was built on a group that failed runs again on what is really there, in its old order`, async (t) => {
		const { store, gate } = await begin(t)
		await store.write(null, (tx) => tx.put('people', person(1, { name: '' })))
		const append = async (letter: string) =>
			store.write(null, async (tx) => {
				const { name } = (await tx.get('people', id(1)))!
				await tx.put('people', person(1, { name: name + letter, mail: letter === 'a' ? 'a@x.id' : null }))
				return tx.seq
			})
		const { promise, resolve: fail } = Promise.withResolvers<void>()
		gate.before = async () => {
			await promise
			gate.before = () => {}
			throw new StorageFull('on purpose')
		}
		const first = outcome(append('a'))
		await settle()
		const looked = store.write(null, async (tx) => (await tx.get('people', id(1)))?.name)
		const second = append('b')
		const third = append('c')
		await settle()
		// The fourth is running when the group fails.
		const fourth = store.write(null, async (tx) => {
			const { name } = (await tx.get('people', id(1)))!
			fail()
			await settle()
			await tx.put('people', person(1, { name: `${name}d` }))
			return tx.seq
		})
		const fifth = append('e')
		assert.ok((await first) instanceof StorageFull)
		assert.equal(await looked, '')
		assert.deepEqual(await Promise.all([second, third, fourth, fifth]), [2, 3, 4, 5])
		assert.equal((await store.get('people', id(1)))?.name, 'bcde')
		await store.write(null, (tx) => tx.put('people', person(2, { mail: 'a@x.id' })))
	})

	test(`[S6] ${name}: a unique key has one holder, wherever the other put stands`, async (t) => {
		const { store, gate } = await begin(t)
		const put = (n: number, mail: string | null) => outcome(store.write(null, (tx) => tx.put('people', person(n, { mail }))))
		const takenBy = async (result: Promise<unknown>, holder: number) => {
			const error = await result
			assert.ok(error instanceof UniqueTaken, String(error))
			assert.deepEqual([error.collection, error.index, error.holder], ['people', 'mail', id(holder)])
		}
		assert.equal(await put(1, 'One@X.id'), 'done')
		await takenBy(put(2, 'oNE@x.ID'), 1)
		assert.equal(await put(1, 'one@x.id'), 'done', 'a record keeps its own key')
		const release = gate.hold()
		const two = put(2, 'two@x.id')
		await settle()
		const results = [put(3, 'two@x.id'), put(4, 'four@x.id'), put(5, 'four@x.id'), put(1, null), put(6, 'one@x.id'), put(7, 'one@x.id')]
		await settle()
		release()
		assert.equal(await two, 'done')
		await takenBy(results[0]!, 2)
		assert.equal(await results[1], 'done')
		await takenBy(results[2]!, 4)
		assert.equal(await results[3], 'done')
		assert.equal(await results[4], 'done', 'a key that was freed in the same group')
		await takenBy(results[5]!, 6)
		assert.deepEqual([await put(8, null), await put(9, null)], ['done', 'done'], 'absent values never collide')
		const composite = (n: number, topic: string, slot: string | null) =>
			outcome(store.write(null, (tx) => tx.put('notes', note(n, { topic, slot }))))
		assert.equal(await composite(1, 'a', 'x'), 'done')
		assert.equal(await composite(2, 'a', null), 'done')
		assert.equal(await composite(3, 'a', null), 'done')
		assert.equal(await composite(4, 'b', 'x'), 'done')
		assert.ok((await composite(5, 'a', 'x')) instanceof UniqueTaken)
	})

	test(`[S6] ${name}: within a step a key can be freed and taken, not swapped, and not taken twice at once`, async (t) => {
		const { store, gate } = await begin(t)
		await store.write(null, async (tx) => {
			await tx.put('people', person(1, { mail: 'a@x.id' }))
			await tx.put('people', person(2, { mail: 'b@x.id' }))
		})
		const freedAndTaken = () =>
			store.write(null, async (tx) => {
				await tx.remove('people', id(1))
				await tx.put('people', person(3, { mail: 'a@x.id' }))
				await tx.put('people', person(3, { mail: 'c@x.id' }))
				await tx.put('people', person(1, { mail: 'a@x.id' }))
				await tx.remove('people', id(3))
			})
		await freedAndTaken()
		const swap = async () => {
			const step = store.write(null, async (tx) => {
				await tx.put('people', person(1, { mail: 'b@x.id' }))
				await tx.put('people', person(2, { mail: 'a@x.id' }))
			})
			assert.ok((await outcome(step)) instanceof UniqueTaken)
		}
		await swap()
		const atOnce = () =>
			store.write(null, async (tx) => {
				const results = await Promise.allSettled([
					tx.put('people', person(4, { mail: 'd@x.id' })),
					tx.put('people', person(5, { mail: 'd@x.id' })),
					tx.put('people', person(6, { mail: 'e@x.id' })),
				])
				await tx.remove('people', id(4))
				return results.map(({ status }) => status)
			})
		// Which of two at once is first, the database says.
		const [four, five, six] = await atOnce()
		assert.deepEqual([[four, five].sort(), six], [['fulfilled', 'rejected'], 'fulfilled'])
		// Two puts of one record at once: one of them wins, and only its key is taken.
		await store.write(null, async (tx) => {
			await Promise.all([tx.put('people', person(7, { mail: 'f@x.id' })), tx.put('people', person(7, { mail: 'g@x.id' }))])
			const { mail } = (await tx.get('people', id(7)))!
			await tx.put('people', person(8, { mail: mail === 'g@x.id' ? 'f@x.id' : 'g@x.id' }))
		})
		await store.write(null, async (tx) => {
			await Promise.all([
				tx.put('people', person(7, { mail: 'h@x.id' })),
				tx.remove('people', id(7)),
				tx.put('people', person(8, { mail: 'i@x.id' })),
			])
			const seven = await tx.get('people', id(7))
			await tx.put('people', person(9, { mail: seven ? 'f@x.id' : 'h@x.id' }))
		})
		// All of it once more while the group before is not durable yet.
		const release = gate.hold()
		const before = store.write(null, (tx) => tx.put('people', person(1, { name: 'Again', mail: 'a@x.id' })))
		await settle()
		const later = [freedAndTaken(), swap()]
		await settle()
		release()
		await Promise.all([before, ...later])
		assert.equal((await store.get('people', id(1)))?.mail, 'a@x.id')
	})

	test(`[S7] ${name}: entries are numbered without gap and their time never goes back`, async (t) => {
		const clock = t.mock.timers
		clock.enable({ apis: ['Date'], now: Date.parse('2031-05-01T10:00:00.000Z') })
		const { store } = await begin(t)
		const given: number[] = []
		const put = (n: number) =>
			store.write(null, async (tx) => {
				assert.equal(tx.lineage, store.head.lineage)
				const record = await tx.put('people', person(n))
				assert.deepEqual([record.seq, record.createdAt], [tx.seq, tx.at])
				given.push(tx.seq)
			})
		await put(1)
		clock.setTime(Date.parse('2029-01-01T00:00:00.000Z'))
		await Promise.all([put(2), outcome(store.write(null, () => Promise.reject(new Error('no number')))), put(3)])
		clock.setTime(Date.parse('2031-05-01T10:00:01.000Z'))
		await put(4)
		assert.deepEqual(given, [1, 2, 3, 4])
		const entries = await Array.fromAsync(store.entries({ after: 0 }))
		assert.deepEqual(
			entries.map(({ seq, at }) => [seq, at.slice(11, 19)]),
			[
				[1, '10:00:00'],
				[2, '10:00:00'],
				[3, '10:00:00'],
				[4, '10:00:01'],
			],
		)
		assert.equal(store.head.at, entries.at(-1)?.at)
	})

	test(`[S8] ${name}: a record keeps its birth; rev and updatedAt follow its last entry`, async (t) => {
		const { store, gate } = await begin(t)
		const release = gate.hold()
		const put = (n: number, more = {}) => store.write(null, (tx) => tx.put('people', person(n, more)))
		const [a, b, c] = await Promise.all([
			put(1),
			put(1, { name: 'Two' }),
			put(1, { seq: 77, rev: 78, createdAt: 'never' }),
			settle().then(release),
		])
		assert.deepEqual([a.seq, b.seq, c.seq], [1, 1, 1])
		assert.deepEqual([a.rev, b.rev, c.rev], [1, 2, 3])
		assert.deepEqual([b.createdAt, c.createdAt], [a.createdAt, a.createdAt])
		assert.equal((await store.get('people', id(1)))?.name, 'Person 1')
		const own = await put(2, { createdAt: '2019-02-03T04:05:06.007Z' })
		assert.deepEqual([own.createdAt, own.updatedAt > own.createdAt], ['2019-02-03T04:05:06.007Z', true])
		await store.write(null, (tx) => tx.remove('people', id(1)))
		await store.write(null, (tx) => tx.remove('people', id(1)))
		const again = await put(1)
		assert.deepEqual([again.seq, again.rev], [6, 6], 'a remove of nothing makes no entry, and who comes back is born anew')
		await store.write(null, async (tx) => {
			await tx.remove('people', id(1))
			await tx.put('people', person(1))
			await tx.put('people', person(3))
			await tx.remove('people', id(3))
		})
		assert.equal((await store.get('people', id(1)))?.seq, 7)
		assert.deepEqual(
			(await Array.fromAsync(store.entries({ after: 6 }))).map(({ puts, removes }) => [puts.length, removes.length]),
			[[1, 0]],
		)
	})

	test(`[S9] ${name}: entries form a chain of hashes in which every change shows`, async (t) => {
		const { store } = await begin(t)
		for (let n = 1; n <= 4; n++) await store.write(id(99), (tx) => tx.put('notes', note(n, { text: 'Aäß😀\n"\\', tags: [n, 'x'] })))
		await store.write(null, (tx) => tx.remove('notes', id(2)))
		const entries = await Array.fromAsync(store.entries({ after: 0 }))
		const start = { seq: 0, hash: GENESIS }
		const end = await verifyEntries(entries, start)
		assert.equal(end, entries.at(-1)?.hash)
		const changes: ((copy: Entry[]) => unknown)[] = [
			(copy) => copy.splice(1, 1),
			(copy) => copy.reverse(),
			(copy) => Object.assign(copy[1]!, { at: '2020-01-01T00:00:00.000Z' }),
			(copy) => Object.assign(copy[1]!, { by: null }),
			(copy) => Object.assign(copy[1]!, { term: 99 }),
			(copy) => Object.assign(copy[1]!, { lineage: 'f'.repeat(24) }),
			(copy) => Object.assign(copy[1]!.puts[0]!.record!, { text: 'Another' }),
			(copy) => Object.assign(copy[1]!.puts[0]!, { id: id(7) }),
			(copy) => Object.assign(copy[1]!.puts[0]!, { digest: copy[2]!.puts[0]!.digest }),
			(copy) => Object.assign(copy[1]!.puts[0]!, { salt: copy[2]!.puts[0]!.salt }),
			(copy) => Object.assign(copy[4]!.removes[0]!, { id: id(1) }),
			(copy) => copy[4]!.removes.pop(),
		]
		for (const change of changes) {
			const copy = structuredClone(entries)
			change(copy)
			await assert.rejects(verifyEntries(copy, start), String(change))
		}
		const erased = structuredClone(entries)
		Object.assign(erased[1]!.puts[0]!, { record: null, salt: null })
		assert.equal(await verifyEntries(erased, start), end, 'an erased payload leaves the chain whole')
	})

	test(`[S10] ${name}: the journal is read from any entry that it holds, and up to the head`, async (t) => {
		const { store, gate } = await begin(t)
		for (let n = 1; n <= 5; n++) await Promise.all([1, 2, 3].map((m) => store.write(null, (tx) => tx.put('people', person(10 * n + m)))))
		const read = async (after: number, limit?: number) =>
			(await Array.fromAsync(store.entries(limit === undefined ? { after } : { after, limit }))).map(({ seq }) => seq)
		const all = Array.from({ length: 15 }, (_, n) => n + 1)
		for (let after = 0; after <= 15; after++) assert.deepEqual(await read(after), all.slice(after))
		assert.deepEqual([await read(4, 3), await read(4, 0), await read(14, 5)], [[5, 6, 7], [], [15]])
		await assert.rejects(read(16), (error) => error instanceof CursorUnknown && error.reason === 'ahead')
		// What is durable but not acknowledged yet is not the journal yet.
		const { promise, resolve: release } = Promise.withResolvers<void>()
		gate.after = () => promise
		const write = store.write(null, (tx) => tx.put('people', person(99)))
		while ((await gate.head()).seq < 16) await turn()
		assert.deepEqual([store.head.seq, await read(13)], [15, [14, 15]])
		release()
		await write
		assert.deepEqual(await read(15), [16])
	})

	readingContract(name, begin)
	copiesContract(name, begin)
	failuresContract(name, begin)
}

/** Awaits the event loop in some steps and only promises in the others. */
async function turnSometimes(n: number): Promise<void> {
	if (n % 50 === 0) await turn()
}
