/**
 * The store against a map in memory: random steps, conflicts, failures, takeovers, restores and reopenings.
 *
 * `storeModel` is called once for each engine. A failure prints its seed and path: run again with MODEL_SEED and MODEL_PATH. MODEL_RUNS says how
 * many runs there are at most; MODEL_SECONDS how long they may take together.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
	everything,
	Gate,
	id,
	openTestStore,
	outcome,
	settle,
	type TestDatabase,
	type TestRecords,
	type TestStore,
	turn,
	verifyAll,
} from '../../../tests/support/storage.ts'
import type { StoredRecord } from './collections.ts'
import { Fenced, OutcomeUnknown, StorageFull, StorageUnavailable } from './engine.ts'
import { type Tx, UniqueTaken } from './store.ts'

type Name = 'people' | 'notes' | 'tickets'
type Fields = Record<string, unknown>
type Operation =
	| { op: 'put'; collection: Name; n: number; fields: Fields; lenient: boolean }
	| { op: 'remove'; collection: Name; n: number }
	| { op: 'get'; collection: Name; n: number }
	| { op: 'find'; collection: Name; index: string; key: string; limit: number }
	| { op: 'turn' }
	| { op: 'throw' }
type Step = Operation[]
/** What happens to the k-th group of a batch. */
type Fault = { kind: 'none' | 'hold' | 'full' | 'lost' | 'unanswered'; group: number }
type Row = { collection: string; record: StoredRecord }

class OnPurpose extends Error {}

// The model: the same steps on a map.

const uniqueOf: Record<Name, (fields: Fields) => unknown> = {
	people: ({ mail }) => (mail === null ? null : String(mail).toLowerCase()),
	notes: ({ topic, slot }) => (slot === null ? null : `${topic}/${slot}`),
	tickets: ({ holder }) => holder,
}
const indexName: Record<Name, string> = { people: 'mail', notes: 'place', tickets: 'holder' }

const finds: Record<string, (fields: Fields, key: string) => boolean> = {
	team: ({ team }, key) => team === key,
	words: ({ name }, key) =>
		String(name)
			.toLowerCase()
			.split(' ')
			.some((word) => word.startsWith(key)),
	topic: ({ topic }, key) => topic === key,
	tag: ({ tags }, key) => (tags as string[]).includes(key),
	tagRank: ({ tags }, key) => (tags as string[]).includes(key),
}
const sorted = new Set(['team', 'tagRank'])

type Form = StoredRecord & Fields
class Model {
	records = new Map<string, Form>()
	seq = 0

	/** What the step gives, and what it leaves when it does not throw. */
	run(step: Step): { value: unknown[]; after: Map<string, Form>; wrote: boolean } | { error: string } {
		const after = new Map(this.records)
		let wrote = false
		const value: unknown[] = []
		for (const operation of step) {
			if (operation.op === 'throw') return { error: 'OnPurpose' }
			if (operation.op === 'turn') continue
			if (operation.op === 'find') {
				value.push(this.find(operation, after).map((record) => record.id))
				continue
			}
			const key = `${operation.collection} ${id(operation.n)}`
			const prior = after.get(key)
			if (operation.op === 'get') value.push(prior ?? null)
			else if (operation.op === 'remove') {
				after.delete(key)
				if (this.records.has(key)) wrote = true
			} else {
				const unique = uniqueOf[operation.collection](operation.fields)
				const holder = [...after].find(
					([other, record]) =>
						other !== key &&
						other.startsWith(`${operation.collection} `) &&
						unique !== null &&
						uniqueOf[operation.collection](record) === unique,
				)
				if (holder && !operation.lenient) return { error: 'UniqueTaken' }
				if (holder) value.push(`${indexName[operation.collection]} taken by ${holder[1].id}`)
				else {
					const seq = prior?.seq ?? this.seq + 1
					after.set(key, { ...operation.fields, id: id(operation.n), seq, rev: this.seq + 1, createdAt: '', updatedAt: '' })
				}
			}
		}
		for (const [key, record] of after) if (this.records.get(key) !== record) wrote = true
		return { value, after, wrote }
	}

	find({ collection, index, key, limit }: { collection: Name; index: string; key: string; limit: number }, records = this.records): Form[] {
		const rank = (record: Form) => (sorted.has(index) ? Number(record.rank) : 0)
		return [...records]
			.filter(([name, record]) => name.startsWith(`${collection} `) && finds[index]!(record, key))
			.map(([, record]) => record)
			.sort((a, b) => rank(a) - rank(b) || a.seq - b.seq || (a.id < b.id ? -1 : 1))
			.slice(0, limit)
	}

	take(after: Map<string, Form>): void {
		this.records = after
		this.seq++
	}
}

/** A record as the model knows it: without times. */
const timeless = (record: StoredRecord | null) => record && { ...record, createdAt: '', updatedAt: '' }

// The same on the store.

async function runStep(tx: Tx<TestRecords>, step: Step): Promise<unknown[]> {
	const value: unknown[] = []
	for (const operation of step) {
		if (operation.op === 'turn') await turn()
		else if (operation.op === 'throw') throw new OnPurpose()
		else if (operation.op === 'get') value.push(timeless(await tx.get(operation.collection, id(operation.n))))
		else if (operation.op === 'remove') await tx.remove(operation.collection, id(operation.n))
		else if (operation.op === 'find') {
			const found = await tx.find(operation.collection, operation.index, [operation.key], { limit: operation.limit })
			value.push(found.map((record) => record.id))
		} else {
			try {
				await tx.put(operation.collection, { ...operation.fields, id: id(operation.n) } as never)
			} catch (error) {
				if (!(error instanceof UniqueTaken) || !operation.lenient) throw error
				value.push(`${error.index} taken by ${error.holder}`)
			}
		}
	}
	return value
}

/** The real thing: a store on a database, opened again whenever it has stopped. */
class Real {
	readonly database: TestDatabase
	readonly copies: { seq: number; rows: Row[]; model: Map<string, Form> }[] = []
	gate!: Gate
	store!: TestStore
	heard!: number[]

	constructor(database: TestDatabase) {
		this.database = database
	}

	async open(): Promise<void> {
		this.gate = new Gate(await this.database.open())
		this.store = await openTestStore(this.gate, { cachedRecords: 6 })
		this.heard = []
		this.store.onCommit((entries) => this.heard.push(...entries.map(({ seq }) => seq)))
	}

	async reopen(): Promise<void> {
		await this.store.close()
		await verifyAll(await this.database.open())
		await this.open()
	}

	async compare(model: Model): Promise<void> {
		const all = await everything(this.store)
		assert.deepEqual(new Map([...all].map(([key, record]) => [key, timeless(record)])), model.records)
		assert.equal(this.store.head.seq, model.seq)
		for (const [key, record] of model.records) {
			const [collection, recordId] = key.split(' ') as [Name, string]
			assert.deepEqual(timeless(await this.store.get(collection, recordId)), record)
		}
	}
}

type Command = fc.AsyncCommand<Model, Real>
const always = { check: () => true }

class Batch implements Command {
	readonly check = always.check
	readonly steps: { step: Step; turns: number }[]
	readonly fault: Fault
	constructor(steps: { step: Step; turns: number }[], fault: Fault) {
		this.steps = steps
		this.fault = fault
	}

	async run(model: Model, real: Real): Promise<void> {
		const { gate, store } = real
		const start = store.head.seq
		const { promise: allAsked, resolve: asked } = Promise.withResolvers<void>()
		let groups = 0
		const meets = (kinds: Fault['kind'][]) => kinds.includes(this.fault.kind) && groups === this.fault.group
		gate.before = async () => {
			groups++
			if (meets(['hold', 'full', 'lost', 'unanswered'])) await allAsked
			if (meets(['full'])) throw new StorageFull('on purpose')
			if (meets(['lost'])) throw new OutcomeUnknown('on purpose')
		}
		gate.after = () => {
			if (meets(['unanswered'])) throw new OutcomeUnknown('on purpose')
		}
		const results: Promise<unknown>[] = []
		const seen: (StoredRecord | null)[] = []
		for (const { step, turns } of this.steps) {
			results.push(store.write(null, (tx) => runStep(tx, step)).catch((error: Error) => error))
			for (let i = 0; i < turns; i++) await turn()
			seen.push(await store.get('people', id(turns)))
		}
		await settle()
		asked()
		const forms = new Map<string, Form>()
		const remember = () => {
			for (const [key, record] of model.records) forms.set(`${key} ${record.rev}`, record)
		}
		remember()
		for (const [i, promise] of results.entries()) {
			const result = await promise
			const expected = model.run(this.steps[i]!.step)
			if (result instanceof StorageFull) {
				// What it was built on may have failed with it, so the model can't tell whether it wrote; only whether it could.
				const writes = this.steps[i]!.step.some(({ op }) => op === 'put' || op === 'remove')
				assert.ok(this.fault.kind === 'full' && writes, 'only who writes finds the disk full')
			} else if (result instanceof OutcomeUnknown) {
				assert.ok(this.fault.kind === 'lost' || this.fault.kind === 'unanswered')
				if (this.fault.kind === 'unanswered' && 'after' in expected && expected.wrote) model.take(expected.after)
			} else if (result instanceof StorageUnavailable) {
				assert.ok(store.stopped, 'only a store that has stopped refuses')
			} else if ('error' in expected) {
				assert.equal((result as Error).constructor.name, expected.error)
			} else {
				assert.deepEqual(result, expected.value)
				if (expected.wrote) model.take(expected.after)
			}
			remember()
		}
		for (const record of seen) {
			if (record) assert.deepEqual(timeless(record), forms.get(`people ${record.id} ${record.rev}`), 'readers see what was committed')
		}
		gate.before = gate.after = () => {}
		await settle()
		if (store.stopped) await real.reopen()
		else
			assert.deepEqual(
				real.heard.filter((seq) => seq > start),
				Array.from({ length: model.seq - start }, (_, i) => start + i + 1),
			)
		await real.compare(model)
	}

	toString(): string {
		return `batch ${JSON.stringify(this.fault)} ${JSON.stringify(this.steps)}`
	}
}

/** A command without arguments of its own. */
function command(name: string, run: (model: Model, real: Real) => Promise<void>, check: (model: Readonly<Model>) => boolean = () => true) {
	return fc.nat().map(
		(choice): Command => ({
			check,
			run: (model, real) => run(Object.assign(model, { choice }), real),
			toString: () => `${name}(${choice})`,
		}),
	)
}

const commands = [
	command('reopen', async (model, real) => {
		await real.reopen()
		await real.compare(model)
	}),
	command('takeover', async (model, real) => {
		const { store: older } = real
		await real.open()
		const attempts = [0, 1].map((n) =>
			outcome(older.write(null, (tx) => tx.put('people', { id: id(n), name: 'Late', mail: null, team: null }))),
		)
		for (const attempt of await Promise.all(attempts)) assert.ok(attempt instanceof Fenced, String(attempt))
		await older.close()
		await real.compare(model)
	}),
	command('copy', async (model, real) => {
		const { seq, records } = await real.store.exportAt()
		real.copies.push({ seq, rows: await Array.fromAsync(records), model: model.records })
	}),
	command('restore', async (model, real) => {
		const copy = real.copies[(model as Model & { choice: number }).choice % (real.copies.length || 1)]
		if (!copy) return
		await real.store.replaceAll({
			seq: copy.seq,
			records: (async function* () {
				yield* copy.rows
			})(),
		})
		model.records = new Map([...copy.model].filter(([key]) => !key.startsWith('tickets ')))
		model.seq = copy.seq
		await real.open()
		assert.deepEqual([real.store.head.seq, real.store.head.pruned], [copy.seq, copy.seq])
		await real.compare(model)
	}),
	command('prune', async (_model, real) => {
		await real.store.prune(new Date(Date.now() + 60_000))
		const left = await Array.fromAsync(real.store.entries({ after: real.store.head.pruned }))
		assert.ok(left.length > 0 || real.store.head.pruned === real.store.head.seq)
	}),
	command('erase', async (model, real) => {
		const n = (model as Model & { choice: number }).choice % 6
		const fields = { name: 'Erased', mail: null, team: null, rank: 0 }
		await real.store.erase(null, [{ collection: 'people', record: { id: id(n), ...fields } as never }])
		const step = model.run([{ op: 'put', collection: 'people', n, fields, lenient: false }])
		if ('after' in step) model.take(step.after)
		for await (const { seq, puts } of real.store.entries({ after: real.store.head.pruned })) {
			for (const put of puts) if (put.collection === 'people' && put.id === id(n)) assert.equal(put.record === null, seq < model.seq)
		}
		await real.compare(model)
	}),
	command('look', async (model, real) => {
		for (const [collection, index, key] of lookups) {
			const found = await real.store.find(collection, index, [key], { limit: 4 })
			assert.deepEqual(found.map(timeless), model.find({ collection, index, key, limit: 4 }))
			const [first] = found
			if (!first) continue
			const sort = sorted.has(index) ? Number((first as unknown as Fields).rank) : null
			const rest = await real.store.find(collection, index, [key], { limit: 9, after: { sort, seq: first.seq, id: first.id } })
			assert.deepEqual(rest.map(timeless), model.find({ collection, index, key, limit: 10 }).slice(1))
			const before = { sort, seq: first.seq, id: first.id }
			assert.deepEqual(await real.store.find(collection, index, [key], { limit: 9, before, order: 'descending' }), [])
		}
	}),
]

const lookups: [Name, string, string][] = [
	['people', 'team', 'red'],
	['people', 'words', 'si'],
	['notes', 'topic', 'a'],
	['notes', 'tag', 'x'],
	['notes', 'tagRank', 'y'],
]

// What is random.

const number = fc.nat({ max: 5 })
const rank = fc.integer({ min: -2, max: 2 })
const put = fc
	.oneof(
		fc.record({
			collection: fc.constant<Name>('people'),
			fields: fc.record({
				name: fc.constantFrom('Siti', 'Budi Siregar', 'Eva'),
				mail: fc.constantFrom(null, 'a@x.id', 'A@x.id', 'b@x.id', 'c@x.id'),
				team: fc.constantFrom(null, 'red', 'blue'),
				rank,
			}),
		}),
		fc.record({
			collection: fc.constant<Name>('notes'),
			fields: fc.record({
				topic: fc.constantFrom('a', 'b'),
				slot: fc.constantFrom(null, '1', '2'),
				tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
				rank,
				text: fc.string({ maxLength: 5, unit: 'grapheme' }),
			}),
		}),
		fc.record({ collection: fc.constant<Name>('tickets'), fields: fc.record({ holder: fc.constantFrom('a', 'b', 'c') }) }),
	)
	.chain(({ collection, fields }) =>
		fc.record({
			op: fc.constant('put' as const),
			collection: fc.constant(collection),
			n: number,
			fields: fc.constant(fields as Fields),
			lenient: fc.boolean(),
		}),
	)
const collection = fc.constantFrom<Name>('people', 'notes', 'tickets')
const operation: fc.Arbitrary<Operation> = fc.oneof(
	{ weight: 8, arbitrary: put },
	{ weight: 3, arbitrary: fc.record({ op: fc.constant('remove' as const), collection, n: number }) },
	{ weight: 2, arbitrary: fc.record({ op: fc.constant('get' as const), collection, n: number }) },
	{
		weight: 2,
		arbitrary: fc.tuple(fc.constantFrom(...lookups), fc.integer({ min: 1, max: 4 })).map(([[collection, index, key], limit]) => {
			return { op: 'find' as const, collection, index, key, limit }
		}),
	},
	{ weight: 1, arbitrary: fc.constant({ op: 'turn' as const }) },
	{ weight: 1, arbitrary: fc.constant({ op: 'throw' as const }) },
)
const batch = fc
	.tuple(
		fc.array(fc.record({ step: fc.array(operation, { maxLength: 5 }), turns: fc.nat({ max: 3 }) }), { minLength: 1, maxLength: 12 }),
		fc.record({
			kind: fc.constantFrom<Fault['kind']>('none', 'none', 'hold', 'hold', 'full', 'full', 'lost', 'unanswered'),
			group: fc.integer({ min: 1, max: 3 }),
		}),
	)
	.map(([steps, fault]) => new Batch(steps, fault))

/** Compares for at most so many seconds; `create` makes an empty database. */
export function storeModel(name: string, create: () => Promise<TestDatabase>, seconds: number): void {
	test(`[S28] ${name}: whatever follows on what, the store does what a map in memory does`, async () => {
		const { MODEL_SEED, MODEL_PATH, MODEL_RUNS = '200', MODEL_SECONDS = String(seconds) } = process.env
		let runs = 0
		await fc.assert(
			fc.asyncProperty(fc.commands([batch, batch, batch, ...commands], { maxCommands: 14, size: 'max' }), async (list) => {
				runs++
				const real = new Real(await create())
				await real.open()
				try {
					await fc.asyncModelRun(() => ({ model: new Model(), real }), list)
					await real.store.close()
					await verifyAll(await real.database.open())
					await real.database.check()
				} finally {
					real.gate.open()
					await real.store.close()
					await real.database.remove()
				}
			}),
			{
				numRuns: Number(MODEL_RUNS),
				interruptAfterTimeLimit: Number(MODEL_SECONDS) * 1_000,
				endOnFailure: MODEL_PATH !== undefined,
				...(MODEL_SEED ? { seed: Number(MODEL_SEED) } : {}),
				...(MODEL_PATH ? { path: MODEL_PATH } : {}),
			},
		)
		console.log(`${runs} runs against the model`)
		assert.ok(runs >= 3)
	})
}
