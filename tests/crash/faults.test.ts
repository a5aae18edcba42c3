/**
 * Every single write and fsync of short scenes fails once: nothing acknowledged is lost, and the process says so.
 *
 * Needs a C compiler. The scenes: a first start with writes one by one and together, an erasure and
 * a pruning, a restore. The next start is another process's, with a whole disk.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { armFault, type Fault, faultEnv, readFaults } from '../support/fault.ts'
import { makeFolder } from '../support/server.ts'
import type { Order } from '../support/worker.ts'
import { judge, startWorker, type TestWorker } from '../support/workers.ts'

/** One playing of a scene: what the process said, and what therefore must be there. */
class Play {
	readonly #tell: TestWorker['tell']
	readonly #folder: string
	readonly acknowledged = new Map<number, string>()
	/** Pairs that may be there or not. */
	readonly unknown = new Set<number>()
	/** What failed, as the process said it. */
	readonly failures: string[] = []

	constructor({ tell }: TestWorker, folder: string) {
		this.#tell = tell
		this.#folder = folder
	}

	/** The value, or how it failed. */
	async order(order: Order): Promise<{ done: unknown } | { failed: string; message: string }> {
		const answer = await this.#tell(order)
		assert.ok(answer, 'The process died.')
		if ('failed' in answer) this.failures.push(`${order.op}: ${answer.failed}: ${answer.message}`)
		return answer
	}

	/** A start that fails says so and changes nothing: the next one works, since only one call fails. */
	async open(): Promise<void> {
		const order = { op: 'open', folder: this.#folder } as const
		if ('failed' in (await this.order(order))) assert.ok('done' in (await this.order(order)), 'The next start works.')
	}

	/** After a failure the store goes on, or has stopped: then it says so, still reads, refuses, and the next start goes on. */
	async recover(): Promise<void> {
		const stopped = await this.order({ op: 'stopped' })
		if ('done' in stopped && stopped.done === null) return
		assert.ok('done' in (await this.order({ op: 'read', n: 1 })), 'Reading goes on.')
		const refused = await this.order({ op: 'pair', n: 500, text: 'refused' })
		assert.ok('failed' in refused && refused.failed === 'StorageUnavailable', JSON.stringify(refused))
		await this.order({ op: 'close' })
		await this.open()
	}

	async #settle(n: number, text: string, failed: string | null): Promise<void> {
		if (failed !== null) {
			if (failed === 'OutcomeUnknown') this.unknown.add(n)
			await this.recover()
			// The same once more, as an outbox does.
			assert.ok('done' in (await this.order({ op: 'pair', n, text })), `It works again after ${this.failures.join('; ')}`)
		}
		this.acknowledged.set(n, text)
		this.unknown.delete(n)
	}

	async pair(n: number, text: string): Promise<void> {
		const answer = await this.order({ op: 'pair', n, text })
		await this.#settle(n, text, 'failed' in answer ? answer.failed : null)
	}

	async pairs(from: number, to: number, text = 'many'): Promise<void> {
		const answer = await this.order({ op: 'pairs', from, to, text })
		assert.ok('done' in answer)
		for (const [i, result] of (answer.done as string[]).entries()) {
			if (result !== 'done') this.failures.push(`pairs: ${result}`)
			await this.#settle(from + i, text, result === 'done' ? null : result)
		}
	}

	/** What is not a step of its own: done again after a failure. */
	async persist(order: Order): Promise<void> {
		if ('done' in (await this.order(order))) return
		await this.recover()
		assert.ok('done' in (await this.order(order)), `It works again after ${this.failures.join('; ')}`)
	}
}

interface Scene {
	name: string
	/** What it is played with; without: every operation. */
	only?: Fault['op']
	/** So many failures may go unnoticed: those of copying the log when the database is closed. */
	unnoticed?: number
	/** Done before any disk is broken, on a folder that each playing gets a copy of. */
	prepare: boolean
	play(play: Play): Promise<void>
}

const scenes: Scene[] = [
	{
		name: 'a first start and writes',
		prepare: false,
		async play(play) {
			await play.open()
			await play.pair(1, 'one')
			await play.pairs(2, 6)
			await play.pair(1, 'one again')
		},
	},
	{
		name: 'an erasure and a pruning',
		prepare: true,
		async play(play) {
			await play.open()
			await play.persist({ op: 'erase', n: 1 })
			await play.persist({ op: 'prune' })
			await play.pair(10, 'ten')
		},
	},
	{
		name: 'a log that is copied into the database',
		only: 'fsync',
		unnoticed: 3,
		prepare: true,
		async play(play) {
			await play.open()
			await play.pairs(20, 90, 'x'.repeat(30_000))
			await play.pairs(90, 160, 'y'.repeat(30_000))
			await play.pair(10, 'ten')
		},
	},
	{
		name: 'a restore',
		prepare: true,
		async play(play) {
			await play.open()
			await play.order({ op: 'copy' })
			await play.order({ op: 'replace' })
			// Restored, or perhaps restored: then the store is closed. Else all is as it was, and goes on.
			const stopped = await play.order({ op: 'stopped' })
			if ('done' in stopped && stopped.done !== null) {
				await play.order({ op: 'close' })
				await play.open()
			}
			await play.pair(10, 'ten')
		},
	},
]

async function failEach(t: TestContext, fault: Fault): Promise<void> {
	const prepared = join(makeFolder(t), 'prepared')
	const first = startWorker(t)
	await first.tell({ op: 'open', folder: prepared })
	await first.tell({ op: 'pairs', from: 1, to: 4, text: 'before' })
	await first.tell({ op: 'close' })
	first.process.stdin!.end()
	const played = scenes.filter(({ only }) => only === undefined || only === fault.op)
	await Promise.all(played.map((scene) => failIn(t, scene, prepared, fault)))
}

async function failIn(t: TestContext, scene: Scene, prepared: string, fault: Fault): Promise<void> {
	const root = makeFolder(t)
	const control = join(makeFolder(t), 'control')
	const worker = startWorker(t, await faultEnv({ ...fault, path: root, control }))
	// Once it answers it has begun, and counts.
	await worker.tell({ op: 'stopped' })

	/** Plays with the n-th call failing; 0: none. */
	const play = async (n: number): Promise<{ calls: number; showed: boolean }> => {
		const folder = join(root, String(n))
		if (scene.prepare) cpSync(prepared, folder, { recursive: true })
		else mkdirSync(folder)
		const { seen } = await readFaults(control)
		await armFault(control, n === 0 ? 0 : seen + n)
		const played = new Play(worker, folder)
		const where = () => `${scene.name}, ${fault.op} ${n}, ${fault.errno}: ${played.failures.join('; ')}`
		if (scene.prepare) for (const pair of [1, 2, 3]) played.acknowledged.set(pair, 'before')
		try {
			await scene.play(played)
			await played.order({ op: 'close' })
			await armFault(control, 0)
			const found = await judge(folder)
			assert.ok(found)
			for (const [pair, text] of played.acknowledged) assert.equal(found.pairs.get(pair), text)
			for (const pair of found.pairs.keys()) assert.ok(played.acknowledged.has(pair) || played.unknown.has(pair), `${pair} was refused.`)
			if (scene.name.startsWith('an erasure')) {
				for (const name of readdirSync(folder)) assert.ok(!readFileSync(join(folder, name)).includes('1@x.id'), 'nothing erased is left')
			}
		} catch (error) {
			throw new Error(`${where()}: ${(error as Error).message}`, { cause: error })
		}
		rmSync(folder, { recursive: true })
		return { calls: (await readFaults(control)).seen - seen, showed: played.failures.length > 0 }
	}

	const { calls, showed } = await play(0)
	assert.equal(showed, false)
	let count = 0
	for (let n = 1; n <= calls; n++) if ((await play(n)).showed) count++
	const { failed } = await readFaults(control)
	t.diagnostic(`${scene.name}: ${calls} calls of ${fault.op} failed with ${fault.errno}, ${count} of them showed`)
	assert.ok(failed >= calls - 2, `${failed} of ${calls} failed`)
	assert.ok(count >= (scene.unnoticed === undefined ? calls / 3 : calls - scene.unnoticed), `${count} of ${calls} showed`)
	worker.process.stdin!.end()
}

test('[S44] whichever fsync fails, nothing acknowledged is lost', (t) => failEach(t, { op: 'fsync', errno: 'EIO' }))
test('[S44] whichever write fails, nothing acknowledged is lost', (t) => failEach(t, { op: 'write', errno: 'EIO' }))
test('[S45] whichever write finds the disk full, nothing acknowledged is lost, and the next write works', (t) =>
	failEach(t, { op: 'write', errno: 'ENOSPC' }))
