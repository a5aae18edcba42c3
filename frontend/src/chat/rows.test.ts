/**
 * Letters, days and places in the list of messages.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message, Person } from '../../../protocol/model.ts'
import type { TimelineItem } from '../client.ts'
import { createRows, forGroup, type Line, lastOfMine, newSince, nextRows, type Row, readUpTo, walk, writersOf } from './rows.ts'

let made = 0
function item(author: string, at: string, more: Partial<Message> = {}): TimelineItem {
	const id = `m${++made}`
	const message: Message = {
		...{ id, seq: made, rev: made, createdAt: at, updatedAt: at, discussion: 'd', author, group: 'g', text: 'text', attachments: [] },
		...{ replyTo: null, writtenAt: at, editedAt: null, edits: 0, removed: null, returned: false },
		...more,
	}
	return { id, message, safety: null, storedAt: null, problem: null, command: null, quoted: null, transfers: [] }
}
const make = (): ReturnType<typeof createRows> => createRows('Asia/Jakarta')
const rowsOf = (timeline: { items: TimelineItem[]; older: boolean; newer?: boolean }, line: Line | null = null) =>
	make()({ newer: false, ...timeline }, line)
const shape = (items: TimelineItem[], older = false, line: Line | null = null) =>
	rowsOf({ items, older }, line).map((row) => (row.kind === 'message' ? (row.first ? 'first' : 'next') : row.kind))

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
	const go = make()
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
		const rows = go({ newer: false, ...step })
		assert.deepEqual(rows, rowsOf(step))
		assert.notEqual(rows, before)
		before = rows
	}
})

const many = (count: number) =>
	Array.from({ length: count }, (_, n) => item(`w${n % 3}`, new Date(Date.UTC(2026, 10, 22, 2) + n * 4 * 3600_000).toISOString()))

test('[W49] rows that came in above are told from rows that came in below', () => {
	const old = [item('a', '2026-11-22T02:04:00.000Z'), item('b', '2026-11-22T02:05:00.000Z')]
	const now = [item('c', '2026-11-23T02:04:00.000Z')]
	const before = rowsOf({ items: now, older: true })
	const grown = rowsOf({ items: [...old, ...now], older: false })
	assert.deepEqual(nextRows(before, grown), { rows: grown, shift: true, replaced: false })
	const below = rowsOf({ items: [...now, item('d', '2026-11-23T02:05:00.000Z')], older: true })
	assert.deepEqual(nextRows(before, below), { rows: below, shift: false, replaced: false })
	assert.equal(nextRows(before, before).shift, false)
	assert.equal(nextRows(rowsOf({ items: [], older: false }), before).shift, false)
	const elsewhere = rowsOf({ items: [item('z', '2026-10-01T02:04:00.000Z')], older: true, newer: true })
	assert.equal(nextRows(before, elsewhere).replaced, true)
})

test('[W96] rows that came in at both ends are shown in two steps, and in each the list can keep its place', () => {
	const all = many(40)
	for (const [from, to] of [
		[10, 20],
		[1, 39],
		[20, 21],
	] as const) {
		for (const newer of [true, false]) {
			const before = rowsOf({ items: all.slice(from, to), older: true, newer })
			const after = rowsOf({ items: all, older: false })
			const first = nextRows(before, after)
			assert.deepEqual([first.shift, first.replaced], [true, false])
			// Every message that was there has as many rows more above it as there are more in all.
			const shown = before.filter((row) => row.kind === 'message')
			const more = first.rows.length - before.length
			for (const row of shown) {
				const at = (rows: Row[]) => rows.findIndex(({ key }) => key === row.key)
				assert.equal(at(first.rows) - at(before), more)
			}
			const second = nextRows(first.rows, after)
			assert.deepEqual(second, { rows: after, shift: false, replaced: false })
		}
	}
})

test('[W95] the unread line stands once, above the first message of somebody else after what was read', () => {
	const items = [item('me', '2026-11-23T02:04:00.000Z'), item('a', '2026-11-23T02:05:00.000Z'), item('me', '2026-11-23T02:06:00.000Z')]
	const more = [item('a', '2026-11-23T02:07:00.000Z'), item('a', '2026-11-23T02:08:00.000Z')]
	const after = items[1]?.message.seq as number
	const line = { after, count: 2, me: 'me' }
	assert.deepEqual(shape([...items, ...more], false, line), ['prompt', 'day', 'first', 'first', 'first', 'unread', 'first', 'next'])
	const rows = rowsOf({ items: [...items, ...more], older: false }, line)
	assert.deepEqual(
		rows.find((row) => row.kind === 'unread'),
		{ kind: 'unread', key: 'unread', count: 2, since: '2026-11-23T02:06:00.000Z' },
	)
	// It stays when more comes in, and begins a letter in the middle of one.
	const go = make()
	go({ items: [...items, ...more.slice(0, 1)], older: false, newer: false }, line)
	assert.deepEqual(go({ items: [...items, ...more], older: false, newer: false }, line), rows)
	// Where what was read last is not loaded, nobody knows yet where it stands.
	assert.deepEqual(shape(more, true, { ...line, after: 0 }), ['older', 'day', 'first', 'next'])
	assert.deepEqual(shape([...items.slice(2), ...more], true, { ...line, after: 0 }), ['older', 'day', 'first', 'first', 'next'])
	assert.deepEqual(shape(more, false, { ...line, after: 0 }), ['prompt', 'day', 'first', 'next'])
})

test('[W97] nothing counts as read that a chosen group hides', () => {
	const items = ['a', 'b', 'a', 'b', 'a'].map((author, n) => item(author, '2026-11-23T02:04:00.000Z', { group: n % 2 ? 'h' : 'g' }))
	const seq = (at: number) => items[at]?.message.seq as number
	const chosen = forGroup(items, 'g')
	const hidden = items.filter((one) => !chosen.includes(one))
	assert.deepEqual(chosen, [items[0], items[2], items[4]])
	assert.equal(forGroup([...items, item('s', '2026-11-23T02:04:00.000Z', { group: null })], 'h').length, 3)
	const rows = rowsOf({ items: chosen, older: false })
	assert.equal(readUpTo(rows, rows.length - 1, [], -1, 'me'), seq(4))
	assert.equal(readUpTo(rows, rows.length - 1, hidden, -1, 'me'), seq(1) - 1)
	assert.equal(readUpTo(rows, rows.length - 1, hidden, seq(1), 'me'), seq(3) - 1)
	assert.equal(readUpTo(rows, rows.length - 1, hidden, -1, 'b'), seq(4))
	assert.equal(readUpTo(rows, 0, [], -1, 'me'), null)
	assert.equal(readUpTo(rows, rows.length - 1, [], seq(4), 'me'), null)
	// What only this device has is not read by reading it.
	const waiting = { ...item('me', '2026-11-23T02:05:00.000Z', { rev: 0, seq: Number.MAX_SAFE_INTEGER }) }
	const withWaiting = rowsOf({ items: [...items, waiting], older: false })
	assert.equal(readUpTo(withWaiting, withWaiting.length - 1, [], -1, 'me'), seq(4))
})

test('[W43] keys walk from message to message, over what stands between', () => {
	const rows = rowsOf({ items: many(4), older: true, newer: true })
	const messages = rows.flatMap((row, at) => (row.kind === 'message' ? [at] : []))
	assert.equal(walk(rows, messages[0] as number, 'ArrowDown'), messages[1])
	assert.equal(walk(rows, messages[1] as number, 'j'), messages[2])
	assert.equal(walk(rows, messages[1] as number, 'k'), messages[0])
	assert.equal(walk(rows, messages[0] as number, 'ArrowUp'), null)
	assert.equal(walk(rows, messages[3] as number, 'ArrowDown'), null)
	assert.equal(walk(rows, messages[3] as number, 'Home'), messages[0])
	assert.equal(walk(rows, messages[3] as number, 'x'), null)
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
