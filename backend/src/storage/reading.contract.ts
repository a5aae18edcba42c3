/**
 * What store and engine promise about reading: order, positions, indexes, limits, and that nothing read is stale.
 *
 * Part of store.contract.ts; runs on any engine.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
	type Begin,
	Gate,
	id,
	type Note,
	note,
	numbers,
	openTestStore,
	outcome,
	type Person,
	person,
	settle,
} from '../../../tests/support/storage.ts'
import type { Position } from './engine.ts'

/** Runs the contract of reading on an engine. */
export function readingContract(name: string, begin: Begin): void {
	const at = (record: Person | Note, sort: string | number | null = null): Position => ({ sort, seq: record.seq, id: record.id })

	test(`[S11] ${name}: what one entry brings forth is in the order of ids`, async (t) => {
		const { store } = await begin(t)
		await store.write(null, async (tx) => {
			for (const n of [5, 2, 9, 1]) await tx.put('notes', note(n))
		})
		await store.write(null, async (tx) => {
			for (const n of [4, 3]) await tx.put('notes', note(n))
			await tx.put('notes', note(9, { text: 'Changed' }))
		})
		const all = await store.find('notes', 'topic', ['a'], { limit: 10 })
		assert.deepEqual(numbers(all), [1, 2, 5, 9, 3, 4])
		const down = await store.find('notes', 'topic', ['a'], { limit: 10, order: 'descending' })
		assert.deepEqual(numbers(down), [4, 3, 9, 5, 2, 1])
	})

	test(`[S11] ${name}: a list goes on from any position, also from one whose record is gone`, async (t) => {
		const { store } = await begin(t)
		for (const group of [[1, 2, 3], [4], [5, 6]]) {
			await store.write(null, async (tx) => {
				for (const n of group) await tx.put('notes', note(n))
				await tx.put('notes', note(100 + group[0]!, { topic: 'other' }))
			})
		}
		const places = (await store.find('notes', 'topic', ['a'], { limit: 10 })).map((record) => at(record))
		for (const gone of [[], [2], [1, 3], [4], [5, 6]]) {
			await store.write(null, async (tx) => {
				for (const n of gone) await tx.remove('notes', id(n))
			})
			const left = (await store.find('notes', 'topic', ['a'], { limit: 10 })).map((record) => at(record))
			assert.deepEqual(await store.find('notes', 'topic', ['a'], { limit: 10, order: 'descending' }).then(numbers), numbers(left).reverse())
			for (const place of places) {
				const later = left.filter((other) => other.seq > place.seq || (other.seq === place.seq && other.id > place.id))
				const earlier = left.filter((other) => other.seq < place.seq || (other.seq === place.seq && other.id < place.id))
				const find = (options: object) => store.find('notes', 'topic', ['a'], { limit: 10, ...options }).then(numbers)
				assert.deepEqual(await find({ after: place }), numbers(later))
				assert.deepEqual(await find({ before: place }), numbers(earlier))
				assert.deepEqual(await find({ after: place, order: 'descending' }), numbers(later).reverse())
				assert.deepEqual(await find({ before: place, order: 'descending', limit: 2 }), numbers(earlier).reverse().slice(0, 2))
				assert.deepEqual(await find({ after: places[0], before: place }), numbers(earlier.filter((other) => numbers([other])[0]! > 1)))
			}
		}
		const beyond = { sort: null, seq: 99_999_999, id: id(1) }
		assert.deepEqual(await store.find('notes', 'topic', ['a'], { limit: 10, after: beyond }), [])
		assert.equal((await store.find('notes', 'topic', ['other'], { limit: 10, before: beyond })).length, 3)
	})

	test(`[S11] ${name}: a sort field goes before birth, numbers before texts, texts by their UTF-8 bytes`, async (t) => {
		const { store, gate } = await begin(t)
		const ranks = [3, 'b', 1.5, '', -2, 'Z', '\u{1f600}', '\uffee', 'a', 3, 'ä', null, '10', 10]
		const sorted = [-2, 1.5, 3, 3, 10, '', null, '10', 'Z', 'a', 'b', 'ä', '\uffee', '\u{1f600}']
		await Promise.all(ranks.map((rank, n) => store.write(null, (tx) => tx.put('people', person(n + 1, { team: 'a', rank })))))
		await Promise.all(ranks.map((rank, n) => store.write(null, (tx) => tx.put('notes', note(n + 1, { tags: ['x', 'y'], rank })))))
		const people = await store.find('people', 'team', ['a'], { limit: 50 })
		// An absent value is an empty text, in the order of births.
		const expected = sorted.toSorted((a, b) => (!a && !b ? ranks.indexOf(a) - ranks.indexOf(b) : 0))
		assert.deepEqual(
			people.map(({ rank }) => rank),
			expected,
		)
		const notes = await store.find('notes', 'tagRank', ['x'], { limit: 50 })
		assert.deepEqual(numbers(notes), numbers(people))
		for (const [i, record] of people.entries()) {
			const after = (record: Person | Note) => ({ limit: 50, after: at(record, record.rank ?? null) })
			assert.deepEqual(numbers(await store.find('people', 'team', ['a'], after(record))), numbers(people.slice(i + 1)))
			assert.deepEqual(numbers(await store.find('notes', 'tagRank', ['y'], after(notes[i]!))), numbers(people.slice(i + 1)))
			const before = { limit: 3, before: at(record, record.rank ?? null), order: 'descending' } as const
			assert.deepEqual(numbers(await store.find('people', 'team', ['a'], before)), numbers(people.slice(Math.max(0, i - 3), i)).reverse())
		}
		// The same in steps, over the same records while they are not durable.
		const release = gate.hold()
		const again = store.write(null, async (tx) => {
			for (const record of people) await tx.put('people', { ...record, name: 'Again' })
		})
		await settle()
		const inStep = store.write(null, (tx) => tx.find('people', 'team', ['a'], { limit: 50 }))
		await settle()
		release()
		await again
		assert.deepEqual(numbers(await inStep), numbers(people))
	})

	test(`[S12] ${name}: indexes find folded addresses, beginnings of words, each value of a list once`, async (t) => {
		const { store } = await begin(t)
		const check = async (inStep: boolean) => {
			const find = async (collection: 'people' | 'notes', index: string, key: (string | number)[]) => {
				if (!inStep) return numbers(await store.find(collection, index, key, { limit: 50 }))
				return numbers(await store.write(null, (tx) => tx.find(collection, index, key, { limit: 50 })))
			}
			assert.deepEqual(await find('people', 'mail', ['ÉVA@x.ID']), [2])
			assert.deepEqual(await find('people', 'mail', ['eva@x.id']), [], 'accents make another address')
			assert.deepEqual(await find('people', 'words', ['é']), [2])
			assert.deepEqual(await find('people', 'words', ['SIT']), [1, 3])
			assert.deepEqual(await find('people', 'words', ['sit']), [1, 3], 'who has two such words is found once')
			assert.deepEqual(await find('people', 'words', ['sitix']), [])
			assert.deepEqual(await find('people', 'words', ['ł']), [4])
			assert.deepEqual(await find('people', 'words', ['l']), [4], 'a letter that Unicode does not take apart')
			assert.deepEqual(await find('people', 'words', ['한']), [4])
			assert.equal((await find('people', 'words', [''])).length, 4)
			assert.deepEqual(await find('people', 'teamName', ['red', 'S']), [1])
			assert.deepEqual(await find('people', 'teamName', ['red', '']), [1, 2])
			assert.deepEqual(await find('people', 'teamName', ['re', '']), [])
			assert.deepEqual(await find('notes', 'tag', ['a']), [1, 2])
			assert.deepEqual(await find('notes', 'tag', ['7']), [1, 3])
			assert.deepEqual(await find('notes', 'tag', [7]), [1, 3])
			assert.deepEqual(await find('notes', 'tag', ['b']), [])
		}
		const steps = [
			['people', person(1, { name: 'Siti Sitompul', team: 'red' })],
			['people', person(2, { name: 'Éva', mail: 'Éva@x.id', team: 'red' })],
			['people', person(3, { name: 'Ayu (siti) SITI' })],
			['people', person(4, { name: 'Łucja 한국' })],
			['notes', note(1, { tags: ['a', 'a', 7, '7'] })],
			['notes', note(2, { tags: ['b', 'a'] })],
			['notes', note(3, { tags: [7] })],
		] as const
		for (const [collection, record] of steps) await store.write(null, (tx) => tx.put(collection, record as never))
		await store.write(null, (tx) => tx.put('notes', note(2, { tags: ['a'] })))
		await check(false)
		await check(true)
	})

	test(`[S13] ${name}: a query or step that is not bounded or not declared is refused, and harms nothing`, async (t) => {
		const { store } = await begin(t)
		for (const limit of [0, -1, 1_001, Number.NaN]) await assert.rejects(store.find('notes', 'topic', ['a'], { limit }))
		await assert.rejects(store.find('notes', 'nothing', ['a'], { limit: 1 }), /index nothing/)
		await assert.rejects(store.find('notes', 'place', ['a'], { limit: 1 }), /every key field/)
		const refused: [RegExp, Parameters<typeof store.write>[1]][] = [
			[/no collection/, (tx) => tx.put('nothing' as 'notes', note(1))],
			[/index nothing/, (tx) => tx.find('notes', 'nothing', ['a'], { limit: 1 })],
			[/1 to 1000/, (tx) => tx.find('notes', 'topic', ['a'], { limit: 5_000 })],
			[/never removed/, (tx) => tx.remove('laws', id(1))],
			[/is not an id/, (tx) => tx.put('notes', { ...note(1), id: 'x"y' })],
			[/too large/, (tx) => tx.put('notes', note(1, { text: 'x'.repeat(9_000_000) }))],
			[
				/too large/,
				async (tx) => {
					for (let n = 1; n < 600; n++) await tx.put('notes', note(n))
				},
			],
		]
		for (const [reason, step] of refused) await assert.rejects(store.write(null, step), reason)
		assert.equal(store.head.seq, 0)
		await store.write(null, async (tx) => {
			for (let n = 1; n <= 500; n++) await tx.put('notes', note(n))
		})
		assert.equal((await store.find('notes', 'topic', ['a'], { limit: 1_000 })).length, 500)
		assert.equal((await store.getMany('notes', [id(1), 'x"y', id(9_999), id(1)])).filter(Boolean).length, 2)
	})

	test(`[S25] ${name}: no read brings back what was replaced or removed while it was under way`, async (t) => {
		const { store, database } = await begin(t)
		await store.write(null, async (tx) => {
			for (const n of [1, 2, 3, 4]) await tx.put('notes', note(n))
		})
		// A store that has read nothing yet, on the same database.
		await store.close()
		const cold = new Gate(await database.open())
		const fresh = await openTestStore(cold)
		const { promise, resolve: answer } = Promise.withResolvers<void>()
		cold.afterRead = () => promise
		const reads = [
			fresh.get('notes', id(1)),
			fresh.get('notes', id(2)),
			fresh.getMany('notes', [id(1), id(2), id(3)]),
			fresh.find('notes', 'topic', ['a'], { limit: 9 }),
		]
		await settle()
		// A blind step that reads nothing: only its puts pass, so the reads above stay under way.
		cold.afterRead = () => {}
		await fresh.write(null, async (tx) => {
			await tx.put('notes', note(1, { text: 'New' }))
			await tx.remove('notes', id(2))
		})
		answer()
		await Promise.all(reads)
		const now = await fresh.getMany('notes', [1, 2, 3, 4].map(id))
		assert.deepEqual(
			now.map((record) => record?.text ?? null),
			['New', null, 'Note 3', 'Note 4'],
		)
		assert.deepEqual([(await fresh.get('notes', id(1)))?.text, await fresh.get('notes', id(2))], ['New', null])
		const [seenText, seenGone] = await fresh.write(null, async (tx) => [(await tx.get('notes', id(1)))?.text, await tx.get('notes', id(2))])
		assert.deepEqual([seenText, seenGone], ['New', null])
		await fresh.close()
	})

	test(`[S25] ${name}: reads stay right when more is read and written than the cache holds`, async (t) => {
		const { store, gate } = await begin(t, { cachedRecords: 40 })
		const fill = async (text: string, from: number, to: number) => {
			for (let n = from; n < to; n += 20) {
				await store.write(null, async (tx) => {
					for (let i = n; i < Math.min(to, n + 20); i++) await tx.put('laws', { id: id(i), text })
				})
			}
		}
		await fill('First', 0, 120)
		// A read that began before two generations of others were written.
		const { promise, resolve: answer } = Promise.withResolvers<void>()
		let held = 0
		gate.afterRead = () => (held++ === 0 ? promise : undefined)
		const old = store.getMany('laws', [id(1)])
		await settle()
		assert.equal(held, 1)
		await fill('Second', 0, 5)
		await fill('Second', 5, 120)
		answer()
		await old
		for (const n of [0, 1, 2, 60, 119]) {
			assert.equal((await store.get('laws', id(n)))?.text, 'Second')
			assert.equal((await store.write(null, (tx) => tx.get('laws', id(n))))?.text, 'Second')
		}
		// Some are in the cache and are dropped from it while others are read.
		await store.get('laws', id(10))
		const { promise: wait, resolve: go } = Promise.withResolvers<void>()
		let first = true
		gate.afterRead = () => {
			if (!first) return
			first = false
			return wait
		}
		const both = store.getMany('laws', [id(10), id(60), id(11)])
		await settle()
		await fill('Third', 20, 120)
		go()
		assert.deepEqual(numbers(await both), [10, 60, 11])
		assert.ok(!((await outcome(store.get('laws', id(10)))) instanceof Error))
	})
}
