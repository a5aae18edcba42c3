/**
 * Starts tests/support/worker.ts, tells it what to do, and judges the folder that it leaves.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from '../../backend/src/storage/engine.ts'
import { openSqlite } from '../../backend/src/storage/sqlite.ts'
import { id, verifyAll } from './storage.ts'
import { type Answer, type Order, workerSpecs } from './worker.ts'

export interface TestWorker {
	process: ChildProcess
	/** What it answers; `null` when it died instead. */
	tell(order: Order): Promise<Answer | null>
	/** Resolves with the exit code, or the signal. */
	exited: Promise<number | string>
}

/** Starts one; killed with the test. */
export function startWorker(t: TestContext, env: Record<string, string> = {}): TestWorker {
	const child = spawn(process.execPath, [join(import.meta.dirname, 'worker.ts')], {
		env: { ...process.env, ...env },
		stdio: ['pipe', 'pipe', 'inherit'],
	})
	t.after(() => child.kill('SIGKILL'))
	child.stdin.on('error', () => {})
	const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	return {
		process: child,
		async tell(order) {
			child.stdin.write(`${JSON.stringify(order)}\n`)
			const { value, done } = await answers.next()
			return done ? null : JSON.parse(value)
		},
		exited: once(child, 'exit').then(([code, signal]) => code ?? signal),
	}
}

/**
 * Opens the folder as the next start would and checks everything in it. Gives the text of each pair; a pair
 * of which only half is there fails. Null: there is no database.
 */
export async function judge(folder: string): Promise<Judged | null> {
	if (!existsSync(join(folder, 'lineage'))) return null
	const judged = await judgeEngine(await openSqlite(folder, workerSpecs))
	for (const name of readdirSync(folder).filter((name) => /^chat-.*\.db$/.test(name))) {
		const db = new DatabaseSync(join(folder, name))
		assert.deepEqual({ ...db.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
		db.close()
	}
	return judged
}

/** What was found: the text of each pair. */
export interface Judged {
	pairs: Map<number, string>
	seq: number
	lineage: string
}

/** Checks everything that an engine has, and closes it. */
export async function judgeEngine(engine: Engine): Promise<Judged> {
	const { lineage, seq, records } = await verifyAll(engine, workerSpecs)
	const pairs = new Map<number, string>()
	for (const [key, record] of records) {
		const [collection, recordId] = key.split(' ')
		const n = Number.parseInt(recordId!, 16)
		if (collection === 'people') assert.ok(records.has(`notes ${id(n)}`), `Half of the step that wrote ${n} is missing.`)
		if (collection !== 'notes') continue
		const { text } = record as unknown as { text: string }
		const other = records.get(`people ${id(n)}`) as unknown as { name: string } | undefined
		assert.ok(other && (other.name === text || other.name === 'erased'), `Half of the step that wrote ${n} is missing.`)
		pairs.set(n, text)
	}
	return { pairs, seq, lineage }
}

/**
 * Kills a process in the middle of a restore, at a failpoint or after so many milliseconds, and starts the next one. All of it
 * must be there as it was, or all restored: which of the two.
 */
export async function killInRestore(
	t: TestContext,
	where: string | number,
	{ open, judge }: { open: Order & { op: 'open' }; judge: () => Promise<Judged> },
): Promise<boolean> {
	const worker = startWorker(t, typeof where === 'string' ? { FAILPOINT: where } : {})
	await worker.tell(open)
	await worker.tell({ op: 'pairs', from: 1, to: 30, text: 'then' })
	await worker.tell({ op: 'copy' })
	await worker.tell({ op: 'pairs', from: 20, to: 60, text: 'now' })
	const replacing = worker.tell({ op: 'replace' })
	if (typeof where === 'number') {
		await sleep(where)
		worker.process.kill('SIGKILL')
	}
	await replacing
	assert.equal(await worker.exited, 'SIGKILL', String(where))
	const next = startWorker(t)
	const opened = await next.tell(open)
	assert.ok(opened && 'done' in opened, JSON.stringify(opened))
	assert.ok('done' in (await next.tell({ op: 'pair', n: 99, text: 'after' }))!)
	await next.tell({ op: 'close' })
	next.process.stdin!.end()
	const { pairs, seq } = await judge()
	assert.equal(pairs.get(99), 'after')
	pairs.delete(99)
	const restored = pairs.size === 29
	assert.equal(pairs.size, restored ? 29 : 59, String(where))
	for (const [n, text] of pairs) assert.equal(text, !restored && n >= 20 ? 'now' : 'then')
	assert.equal(seq, restored ? 31 : 71)
	return restored
}
