/**
 * Killed at every step of a commit and of a restore: what is there afterwards is the old or the new, whole.
 *
 * The places are named in the code (`failpoint`); the process dies there by kill -9.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { makeFolder } from '../support/server.ts'
import { judge, killInRestore, startWorker } from '../support/workers.ts'

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test('[S42] killed within a commit, a group is there as a whole or not at all', async (t) => {
	// Groups before: the installation's record, and two pairs.
	for (const [point, whole] of [
		['append:journal', false],
		['append:records', false],
		['append:committed', true],
	] as const) {
		const folder = makeFolder(t)
		const worker = startWorker(t, { FAILPOINT: `${point}:4` })
		await worker.tell({ op: 'open', folder })
		for (const n of [1, 2]) assert.ok('done' in (await worker.tell({ op: 'pair', n, text: 'first' }))!)
		assert.equal(await worker.tell({ op: 'pairs', from: 2, to: 9, text: 'many' }), null)
		assert.equal(await worker.exited, 'SIGKILL')
		const found = (await judge(folder))!
		assert.equal(found.pairs.get(1), 'first')
		if (whole) {
			assert.deepEqual([...found.pairs.keys()].sort(), range(1, 9), point)
			assert.ok(range(2, 9).every((n) => found.pairs.get(n) === 'many'))
		} else
			assert.deepEqual(
				[...found.pairs],
				[
					[1, 'first'],
					[2, 'first'],
				],
				point,
			)
		assert.equal(found.seq, whole ? 10 : 3)
	}
})

test('[S43] killed anywhere in a restore, all is as it was, or all is restored', async (t) => {
	const points = ['replace:built', 'replace:synced', 'replace:pointer-written', 'replace:pointed']
	const kill = async (where: string | number) => {
		const folder = makeFolder(t)
		// The first passes are those of the folder's first start.
		const at = typeof where === 'string' ? `${where}:2` : where
		const restored = await killInRestore(t, at, { open: { op: 'open', folder }, judge: async () => (await judge(folder))! })
		if (typeof where === 'string') assert.equal(restored, where === 'replace:pointed')
		assert.equal(readdirSync(folder).filter((name) => /\.db$|\.db\.next$/.test(name)).length, 1, 'nothing of the other is left')
	}
	await Promise.all(points.map(kill))
	await Promise.all([0, 4, 15, 50].map(kill))
})
