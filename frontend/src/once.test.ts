/**
 * One piece of work at a time.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneAtATime } from './once.ts'

test('[W3] work asked for while it runs is done once more, never twice at the same time', async () => {
	let running = 0
	let runs = 0
	let stock = 0
	const seen: number[] = []
	const work = oneAtATime(async () => {
		assert.equal(++running, 1)
		const found = stock
		await new Promise((resolve) => setTimeout(resolve, 5))
		seen.push(found)
		running--
		if (++runs === 2) throw new Error('one run may fail')
	})
	const all = []
	for (let n = 1; n <= 20; n++) {
		stock = n
		all.push(work().catch(() => {}))
		if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 3))
	}
	await Promise.all(all)
	assert.ok(runs < 20)
	assert.equal(seen.at(-1), 20)
	stock = 21
	await work()
	assert.equal(seen.at(-1), 21)
})
