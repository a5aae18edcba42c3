/**
 * Ids by the server's clock, on devices whose own clock is wrong.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Id } from '../../protocol/model.ts'
import { createClock, makeId } from './ids.ts'

test('[W2] an id carries the server’s time, however wrong the device’s clock is', () => {
	const remembered: number[] = []
	const clock = createClock(0, (offset) => remembered.push(offset))
	const year = 365 * 24 * 60 * 60 * 1000
	clock.learn(new Date(Date.now() - year).toISOString())
	const seconds = Number.parseInt(makeId(clock).slice(0, 8), 16)
	assert.ok(Math.abs(seconds * 1000 - (Date.now() - year)) < 5_000)
	assert.equal(remembered.length, 1)
	// The next visit to this device begins with what was learnt.
	const later = createClock(remembered[0] as number, () => assert.fail('nothing new was learnt'))
	later.learn(new Date(Date.now() - year).toISOString())
	assert.ok(Math.abs(later.now() - (Date.now() - year)) < 5_000)
})

test('[W2] ids are well-formed and never the same', () => {
	const clock = createClock(0, () => {})
	const ids = Array.from({ length: 2_000 }, () => makeId(clock))
	assert.equal(new Set(ids).size, ids.length)
	for (const id of ids) assert.ok(Id.safeParse(id).success, id)
})
