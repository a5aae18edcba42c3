/**
 * The database server itself killed with -9 under load, again and again, and frozen for longer than everything waits.
 *
 * Needs a MongoDB server that can be killed. CRASH_KILLS says how often (10; 50 in `npm run crash`).
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from '../../backend/src/storage/open.ts'
import type { Store } from '../../backend/src/storage/store.ts'
import { openMongo } from '../support/mongo.ts'
import { type MongoServer, startMongoServer } from '../support/mongo-server.ts'
import { makeFolder } from '../support/server.ts'
import { id, note, person, specs, type TestRecords, verifyAll } from '../support/storage.ts'

const kills = Math.min(50, Number(process.env.CRASH_KILLS ?? 10))

/** People who write pairs of records and, as an outbox does, write again under the same id until it is stored. */
class Writers {
	readonly stored = new Map<number, number>()
	readonly failures = new Map<string, number>()
	readonly #store: Store<TestRecords>
	readonly #writing: Promise<unknown>[]
	stop = false
	#abandoned = false

	/** They stop, and the store is closed, when the test ends, however it ends. */
	constructor(t: TestContext, store: Store<TestRecords>, count: number) {
		this.#store = store
		t.after(async () => {
			this.stop = true
			this.#abandoned = true
			await store.close()
		})
		this.#writing = Array.from({ length: count }, async (_, writer) => {
			for (let n = 0; !this.stop; n++) await this.#persist(writer * 100_000 + n)
		})
	}

	async #persist(n: number): Promise<void> {
		for (;;) {
			try {
				const rev = await this.#store.write(null, async (tx) => {
					const known = await tx.get('notes', id(n))
					if (known) return known.rev
					await tx.put('people', person(n, { mail: `${n}@x.id` }))
					return (await tx.put('notes', note(n))).rev
				})
				this.stored.set(n, rev)
				return
			} catch (error) {
				const { name } = error as Error
				assert.ok(['OutcomeUnknown', 'StorageUnavailable'].includes(name), (error as Error).stack)
				if (this.#abandoned) return
				this.failures.set(name, (this.failures.get(name) ?? 0) + 1)
				await sleep(20)
			}
		}
	}

	async end(): Promise<void> {
		this.stop = true
		await Promise.all(this.#writing)
	}
}

async function openOn(t: TestContext, server: MongoServer, times: { writeTimeoutMs: number; silenceMs: number }) {
	const url = new URL(server.uri)
	url.pathname = '/crash'
	const folder = makeFolder(t)
	const mongodb = { uri: url.href, silenceMs: times.silenceMs }
	const store = await openStore({
		folder,
		backups: folder,
		mongodb,
		specs: { ...specs, system: systemSpec },
		writeTimeoutMs: times.writeTimeoutMs,
	})
	return { store: store as unknown as Store<TestRecords>, uri: url.href }
}

const systemSpec = { indexes: {}, ids: [], times: [] }

/** Every acknowledged write is there exactly once, no half of a step, and the documents are the journal's replay. */
async function check(uri: string, { stored }: Writers): Promise<void> {
	const { records } = await verifyAll(await openMongo(uri, { specs: { ...specs, system: systemSpec } }), { ...specs, system: systemSpec })
	const notes = [...records.keys()].filter((key) => key.startsWith('notes '))
	for (const [n, rev] of stored) {
		assert.equal(records.get(`notes ${id(n)}`)?.rev, rev, `${n} was acknowledged`)
		assert.ok(records.has(`people ${id(n)}`), 'no half of a step')
	}
	assert.equal(notes.length, stored.size)
}

test('[S70] the database server is killed under load again and again: nothing acknowledged is lost or doubled, and all goes on by itself', async (t) => {
	const server = await startMongoServer(t)
	const { store, uri } = await openOn(t, server, { writeTimeoutMs: 15_000, silenceMs: 60_000 })
	const writers = new Writers(t, store, 20)
	for (let kill = 0; kill < kills; kill++) {
		await sleep(150 + ((kill * 7_919) % 400))
		await server.kill()
		const before = writers.stored.size
		await server.start()
		while (writers.stored.size <= before + 5) {
			assert.equal(store.stopped, null)
			await sleep(10)
		}
	}
	await writers.end()
	assert.equal(store.stopped, null)
	await store.close()
	await check(uri, writers)
	t.diagnostic(
		`${kills} kills of the server, ${writers.stored.size} writes acknowledged, each there once; ${JSON.stringify(Object.fromEntries(writers.failures))}`,
	)
})

test('[S71] the database server is frozen for longer than everything waits: writers are told, nothing is answered in doubt, and a thaw is enough', async (t) => {
	const server = await startMongoServer(t)
	const { store, uri } = await openOn(t, server, { writeTimeoutMs: 1_500, silenceMs: 1_500 })
	const writers = new Writers(t, store, 10)
	while (writers.stored.size < 50) await sleep(10)
	await server.freeze()
	while (!store.doubtful) await sleep(20)
	while (!writers.failures.has('OutcomeUnknown') || !writers.failures.has('StorageUnavailable')) await sleep(20)
	await sleep(6_000)
	const before = writers.stored.size
	await server.thaw()
	while (writers.stored.size < before + 50) {
		assert.equal(store.stopped, null)
		await sleep(10)
	}
	while (store.doubtful) await sleep(20)
	await writers.end()
	assert.equal(store.stopped, null)
	await store.close()
	await check(uri, writers)
})
