/**
 * The server on MongoDB killed with -9: at random under load, and at every step of a commit and of a restore.
 *
 * Needs a MongoDB server. What is left is judged between a death and the next start.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { collections, type MessageRecord } from '../../backend/src/storage/collections.ts'
import { killAgainAndAgain } from '../support/killing.ts'
import { lookInto, openMongo, testAddress } from '../support/mongo.ts'
import { makeFolder } from '../support/server.ts'
import { verifyAll } from '../support/storage.ts'
import { workerSpecs } from '../support/worker.ts'
import { judgeEngine, killInRestore, startWorker } from '../support/workers.ts'

/** A database of the test's own. */
function database(t: TestContext): string {
	const uri = testAddress()
	t.after(() => lookInto(uri, (db) => db.dropDatabase()))
	return uri
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const judge = async (uri: string) => judgeEngine(await openMongo(uri, { specs: workerSpecs }))

test('[S41] killed at any moment, the server on MongoDB loses nothing that it acknowledged', async (t) => {
	const uri = database(t)
	await killAgainAndAgain(t, {
		dir: makeFolder(t),
		env: { MONGODB_URI: uri },
		points: ['append:slot', 'append:journal', 'append:records', 'append:committed'],
		async verify(judge) {
			const engine = await openMongo(uri, { specs: collections })
			const messages: MessageRecord[] = []
			for await (const { collection, record } of (await engine.export()).records) {
				if (collection === 'messages') messages.push(record as MessageRecord)
			}
			await verifyAll(engine, collections)
			const count = await lookInto(uri, (db) => db.collection('messages').countDocuments())
			assert.equal(count, messages.length)
			judge(messages)
		},
	})
})

test('[S42] killed within a commit on MongoDB, a group is there as a whole or not at all', async (t) => {
	// Groups before: the installation's record, and two pairs. Each pair is applied in two collections.
	const points: Record<string, boolean> = {
		'append:slot:4': false,
		'append:journal:4': true,
		'append:records:6': true,
		'append:records:7': true,
		'append:committed:4': true,
	}
	for (const [point, whole] of Object.entries(points)) {
		const [uri, folder] = [database(t), makeFolder(t)]
		const worker = startWorker(t, { FAILPOINT: point })
		await worker.tell({ op: 'open', folder, uri })
		for (const n of [1, 2]) assert.ok('done' in (await worker.tell({ op: 'pair', n, text: 'first' }))!)
		assert.equal(await worker.tell({ op: 'pairs', from: 2, to: 9, text: 'many' }), null, point)
		assert.equal(await worker.exited, 'SIGKILL')
		const { pairs, seq } = await judge(uri)
		assert.equal(pairs.get(1), 'first')
		assert.deepEqual([...pairs.keys()].sort(), range(1, whole ? 9 : 3), point)
		assert.ok(range(2, whole ? 9 : 3).every((n) => pairs.get(n) === (whole ? 'many' : 'first')))
		assert.equal(seq, whole ? 10 : 3)
	}
})

test('[S43] killed anywhere in a restore on MongoDB, all is as it was, or all is restored', async (t) => {
	const kill = async (where: string | number) => {
		const [uri, folder] = [database(t), makeFolder(t)]
		const restored = await killInRestore(t, where, { open: { op: 'open', folder, uri }, judge: () => judge(uri) })
		if (typeof where === 'string') assert.equal(restored, !/built|synced/.test(where), where)
		const names = await lookInto(uri, async (db) => (await db.listCollections().toArray()).map(({ name }) => name))
		assert.ok(!names.some((name) => name.startsWith('next_')), names.join())
		assert.equal(names.filter((name) => name.startsWith('journal_')).length, restored ? 2 : 1, names.join())
	}
	for (const where of [
		'replace:built',
		'replace:synced',
		'replace:pointed',
		'replace:renamed:1',
		'replace:renamed:3',
		'replace:finished',
	]) {
		await kill(where)
	}
	for (const ms of [0, 20, 60, 150]) await kill(ms)
})

test('[S64] a process that was paused in the middle of a commit and wakes up after a restore puts nothing into it', async (t) => {
	const uri = database(t)
	const open = { op: 'open', uri, silenceMs: 1_500 } as const
	const [restorer, writer] = [startWorker(t), startWorker(t, { FAILPOINT: 'append:journal:2', FAILPOINT_SIGNAL: 'SIGSTOP' })]
	const folder = makeFolder(t)
	assert.ok('done' in (await restorer.tell({ ...open, folder }))!)
	await restorer.tell({ op: 'pairs', from: 1, to: 10, text: 'then' })
	await restorer.tell({ op: 'copy' })
	await restorer.tell({ op: 'close' })
	assert.ok('done' in (await writer.tell({ ...open, folder: makeFolder(t) }))!)
	assert.ok('done' in (await writer.tell({ op: 'pair', n: 1, text: 'now' }))!)
	// Its group is in the journal and nowhere else.
	const late = writer.tell({ op: 'pairs', from: 5, to: 60, text: 'late' })
	assert.ok('done' in (await restorer.tell({ ...open, folder }))!)
	assert.equal(((await restorer.tell({ op: 'read', n: 5 })) as { done: unknown }).done, 'late', 'whoever takes over applies it')
	assert.ok('done' in (await restorer.tell({ op: 'replace' }))!)
	const next = startWorker(t)
	assert.ok('done' in (await next.tell({ ...open, folder }))!)
	writer.process.kill('SIGCONT')
	const results = ((await late) as { done: string[] }).done
	assert.ok(
		results.every((result) => ['Fenced', 'OutcomeUnknown'].includes(result)),
		String(results),
	)
	assert.ok('done' in (await next.tell({ op: 'pair', n: 9, text: 'after' }))!)
	for (const worker of [next, writer]) await worker.tell({ op: 'close' })
	const { pairs } = await judge(uri)
	assert.deepEqual(
		[...pairs.keys()].sort((a, b) => a - b),
		range(1, 10),
	)
	for (const [n, text] of pairs) assert.equal(text, n === 9 ? 'after' : 'then')
	for (const worker of [restorer, writer, next]) worker.process.stdin!.end()
})

test('[S35] what a first start on MongoDB left when it was killed is no database', async (t) => {
	for (const point of ['create:journal', 'create:meta', 'append:slot', 'append:journal', 'append:committed']) {
		const [uri, folder] = [database(t), makeFolder(t)]
		const worker = startWorker(t, { FAILPOINT: point })
		await worker.tell({ op: 'open', folder, uri })
		assert.equal(await worker.exited, 'SIGKILL', point)
		const next = startWorker(t)
		const opened = await next.tell({ op: 'open', folder, uri })
		assert.ok(opened && 'done' in opened, JSON.stringify(opened))
		await next.tell({ op: 'pair', n: 1, text: 'after' })
		await next.tell({ op: 'close' })
		next.process.stdin!.end()
		const journals = await lookInto(uri, async (db) =>
			(await db.listCollections().toArray()).filter(({ name }) => name.startsWith('journal_')),
		)
		assert.equal(journals.length, 1, point)
		assert.deepEqual([...(await judge(uri)).pairs], [[1, 'after']])
	}
})
