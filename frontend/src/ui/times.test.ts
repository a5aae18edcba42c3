/**
 * Times as they are said, in a given zone and both languages.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockTime, date, dayName, dayOf, exactTime, listOf, shortTime } from './times.ts'

const at = '2026-11-23T02:04:09.000Z'
const jakarta = 'Asia/Jakarta'

test('[W47] a time is said in the reader’s zone and language', () => {
	assert.equal(clockTime(at, 'en', jakarta), '09:04')
	assert.equal(clockTime(at, 'id', jakarta), '09.04')
	assert.equal(clockTime(at, 'en', 'Europe/Warsaw'), '03:04')
	assert.match(exactTime(at, 'en', jakarta), /^23 November 2026.*09:04:09$/)
	assert.equal(date(at, 'id', jakarta), '23 November 2026')
	assert.equal(listOf(['English A', 'English B'], 'en'), 'English A, English B')
	assert.equal(listOf(['English A', 'English B'], 'id'), 'English A, English B')
})

test('[W47] a day is the reader’s day, with its year when it is another one', () => {
	const now = new Date('2026-12-01T00:00:00.000Z')
	assert.equal(dayOf('2026-11-22T17:30:00.000Z', jakarta), '2026-11-23')
	assert.equal(dayOf('2026-11-22T17:30:00.000Z', 'UTC'), '2026-11-22')
	assert.match(dayName(at, 'en', now, jakarta), /^Monday,? 23 November$/)
	assert.match(dayName(at, 'id', now, jakarta), /^Senin,? 23 November$/)
	assert.match(dayName('2025-11-23T02:04:09.000Z', 'en', now, jakarta), /2025$/)
})

test('[W47] a list says the time today, the day this year, the whole date before', () => {
	const now = new Date('2026-11-23T10:00:00.000Z')
	assert.equal(shortTime(at, 'en', now, jakarta), '09:04')
	assert.equal(shortTime('2026-11-20T02:04:09.000Z', 'en', now, jakarta), '20 Nov')
	assert.equal(shortTime('2025-11-20T02:04:09.000Z', 'en', now, jakarta), '20/11/2025')
})
