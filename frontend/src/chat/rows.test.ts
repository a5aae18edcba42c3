/**
 * Letters, days and places in the list of messages.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message, Person } from '../../../protocol/model.ts'
import type { TimelineItem } from '../client.ts'
import { createRows, grewAbove, lastOfMine, newSince, type Row, writersOf } from './rows.ts'

let made = 0
function item(author: string, at: string, more: Partial<Message> = {}): TimelineItem {
	const id = `m${++made}`
	const message: Message = {
		...{ id, seq: made, rev: made, createdAt: at, updatedAt: at, discussion: 'd', author, group: 'g', text: 'text' },
		...{ replyTo: null, writtenAt: at, editedAt: null, edits: 0, removed: null, returned: false },
		...more,
	}
	return { id, message, safety: null, storedAt: null, problem: null, command: null, quoted: null }
}
const rowsOf = (timeline: { items: TimelineItem[]; older: boolean }) => createRows('Asia/Jakarta')(timeline)
const shape = (items: TimelineItem[], older = false) =>
	rowsOf({ items, older }).map((row) => (row.kind === 'message' ? (row.first ? 'first' : 'next') : row.kind))

test('[W45] what one person writes within five minutes is one letter', () => {
	const items = [
		item('citra', '2026-11-23T02:04:00.000Z'),
		item('citra', '2026-11-23T02:06:00.000Z'),
		item('citra', '2026-11-23T02:09:00.001Z'),
		item('budi', '2026-11-23T02:09:10.000Z'),
		item('citra', '2026-11-23T02:09:20.000Z'),
		item('citra', '2026-11-23T02:09:30.000Z', { group: null }),
	]
	assert.deepEqual(shape(items), ['prompt', 'day', 'first', 'next', 'first', 'first', 'first', 'first'])
})

test('[W45] a new day of the reader begins with its name and a new letter', () => {
	const items = [item('citra', '2026-11-23T16:59:00.000Z'), item('citra', '2026-11-23T17:01:00.000Z')]
	assert.deepEqual(shape(items), ['prompt', 'day', 'first', 'day', 'first'])
	assert.deepEqual(shape([], false), ['prompt'])
	assert.deepEqual(shape(items, true)[0], 'older')
})

test('[W45] a clock that went back begins a new letter, and loses none', () => {
	const items = [item('citra', '2026-11-23T02:04:00.000Z'), item('citra', '2026-11-23T02:03:00.000Z')]
	assert.deepEqual(shape(items), ['prompt', 'day', 'first', 'first'])
})

test('[W45] rows made on from earlier ones are the same as rows made anew', () => {
	const make = createRows('Asia/Jakarta')
	const all = Array.from({ length: 60 }, (_, n) =>
		item(['a', 'b'][Math.floor(n / 7) % 2] as string, new Date(Date.UTC(2026, 10, 22, 14) + n * 130_000).toISOString()),
	)
	const keep = all.slice(20)
	const steps: { items: TimelineItem[]; older: boolean }[] = [
		{ items: [], older: false },
		{ items: keep.slice(0, 5), older: true },
		{ items: keep.slice(0, 20), older: true },
		{ items: [...keep.slice(0, 9), ...keep.slice(10, 20)], older: true },
		{ items: keep.map((one, n) => (n === 12 ? { ...one } : one)), older: true },
		{ items: all, older: true },
		{ items: all, older: false },
		{ items: all.slice(0, 3), older: false },
	]
	let before: Row[] = []
	for (const step of steps) {
		const rows = make(step)
		assert.deepEqual(rows, rowsOf(step))
		assert.notEqual(rows, before)
		before = rows
	}
})

test('[W49] rows that came in above are told from rows that came in below', () => {
	const old = [item('a', '2026-11-22T02:04:00.000Z'), item('b', '2026-11-22T02:05:00.000Z')]
	const now = [item('c', '2026-11-23T02:04:00.000Z')]
	const before = rowsOf({ items: now, older: true })
	assert.equal(grewAbove(before, rowsOf({ items: [...old, ...now], older: false })), true)
	assert.equal(grewAbove(before, rowsOf({ items: [...now, item('d', '2026-11-23T02:05:00.000Z')], older: true })), false)
	assert.equal(grewAbove(before, before), false)
	assert.equal(grewAbove(rowsOf({ items: [], older: false }), before), false)
})

test('[W49] new messages are those of others below the last one seen', () => {
	const items = ['me', 'a', 'me', 'b'].map((author) => item(author, '2026-11-23T02:04:00.000Z'))
	const rows = rowsOf({ items, older: false })
	const ids = (lastSeen: string | null) => newSince(rows, lastSeen, 'me').map(({ id }) => id)
	assert.deepEqual(ids(items[0]?.id as string), [items[1]?.id, items[3]?.id])
	assert.deepEqual(ids(items[3]?.id as string), [])
	assert.deepEqual(ids(null), [])
	assert.deepEqual(ids('gone'), [])
})

test('[W46] ArrowUp finds my last message that can be edited', () => {
	const removed = { at: '2026-11-23T02:05:00.000Z', by: 'me' }
	const items = [
		item('me', '2026-11-23T02:04:00.000Z'),
		item('me', '2026-11-23T02:05:00.000Z', { removed }),
		item('a', '2026-11-23T02:06:00.000Z'),
	]
	const refused = { ...item('me', '2026-11-23T02:07:00.000Z'), safety: 'refused' as const }
	assert.equal(lastOfMine([...items, refused], 'me')?.id, items[0]?.id)
	assert.equal(lastOfMine([], 'me'), undefined)
})

test('[W45] who wrote here stands once, the latest first', () => {
	const people = new Map(['a', 'b'].map((id) => [id, { id, seq: 1, rev: 1, name: id, role: 'student' } as Person]))
	const items = ['a', 'b', 'a', 'unknown'].map((author) => item(author, '2026-11-23T02:04:00.000Z'))
	assert.deepEqual(
		writersOf(items, people).map(({ id }) => id),
		['a', 'b'],
	)
})
