/**
 * The part of a discussion that a timeline shows, whatever somebody does and hears in between:
 * without a gap, nothing twice, and in the end what a fetch gives.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Change } from '../../../protocol/live.ts'
import { formatCursor, type Message, type Person } from '../../../protocol/model.ts'
import type { Call } from '../api.ts'
import { createRecords } from '../records.ts'
import { openTimeline } from './timeline.ts'

const lineage = 'a'.repeat(24)
const discussion = 'd'
const me: Person = { id: 'me', seq: 1, rev: 1, name: 'Sari', role: 'student', avatar: null }
const pageSize = 4

/** A server whose answers and frames wait until they are let through, in any order. */
function createWorld(written: number) {
	const messages: Message[] = []
	const frames: { change: Change; upTo: number }[] = []
	const answers: (() => void)[] = []
	let head = 0
	const timeOf = (seq: number) => new Date(1e12 + seq * 1_000).toISOString()

	function write(author = 'other') {
		const seq = ++head
		const message: Message = {
			...{ id: `m${seq}`, seq, rev: seq, createdAt: timeOf(seq), updatedAt: timeOf(seq), discussion, author, group: null },
			...{ text: `text ${seq}`, attachments: [], replyTo: null, writtenAt: timeOf(seq), editedAt: null, edits: 0 },
			...{ removed: null, returned: false },
		}
		messages.push(message)
		frames.push({ change: { put: 'messages', record: message }, upTo: head })
	}
	function remove(at: number) {
		const known = messages[at % messages.length]
		if (!known || known.removed) return
		const record = { ...known, rev: ++head, removed: { at: '', by: 'other' } }
		messages[messages.indexOf(known)] = record
		frames.push({ change: { put: 'messages', record }, upTo: head })
	}
	function page(input: { before?: string; after?: string; around?: number; from?: string }) {
		const at = (holds: (message: Message) => boolean) => {
			const found = messages.findIndex(holds)
			return found < 0 ? messages.length : found
		}
		let [start, end] = [Math.max(0, messages.length - pageSize), messages.length]
		if (input.before) {
			end = at(({ seq }) => seq >= Number(input.before))
			start = Math.max(0, end - pageSize)
		} else if (input.after || input.around !== undefined || input.from) {
			if (input.after) start = at(({ seq }) => seq > Number(input.after))
			else if (input.from) start = at(({ createdAt }) => createdAt >= (input.from as string))
			else start = Math.max(0, at(({ seq }) => seq >= (input.around as number)) - pageSize / 2)
			end = Math.min(messages.length, start + pageSize)
		}
		const some = messages.slice(start, end)
		return {
			...{ messages: some, quoted: [], users: [], cursor: formatCursor(lineage, head), kept: null, released: null },
			older: start > 0 ? String(some[0]?.seq ?? head + 1) : null,
			newer: end < messages.length ? String(some.at(-1)?.seq ?? 0) : null,
		}
	}
	for (let n = 0; n < written; n++) write()
	frames.length = 0

	const records = createRecords(() => {})
	records.reset(head)
	const call = ((name: string, input: object) => {
		const answer = name === 'listMessages' ? page(input) : { users: [], cursor: formatCursor(lineage, head) }
		return new Promise((resolve) => answers.push(() => resolve(answer)))
	}) as unknown as Call
	let readUpTo = 0
	const timeline = openTimeline(discussion, {
		...{ call, records, me: () => me, rows: () => [], isShown: () => true, keptSeq: () => 0 },
		...{ typing: () => [], here: () => ({ users: [], more: 0 }), unread: () => 0, attachments: () => [], transfers: () => [] },
		...{ isOffline: () => false, want: () => {}, failed: () => {}, changed: () => timeline?.touch() },
		readUpTo: () => readUpTo,
		accept(answer) {
			records.putPage(answer)
			return true
		},
	})
	const settle = () => new Promise((resolve) => setImmediate(resolve))
	return {
		...{ messages, timeline, write, remove, timeOf, settle },
		readUpTo(seq: number) {
			readUpTo = seq
		},
		head: () => head,
		hear(count: number) {
			for (const { change, upTo } of frames.splice(0, count)) records.apply([change], upTo)
			timeline.touch()
		},
		/** Lets one answer through; false: there is none under way. */
		answer(which: number): boolean {
			const [one] = answers.length > 0 ? answers.splice(which % answers.length, 1) : []
			one?.()
			return one !== undefined
		},
		/** Everybody looks elsewhere for the same discussion: all that was fetched counts no more. */
		rescope() {
			const scope = { groups: [], discussions: [discussion] }
			frames.push({ change: { scope: { gained: scope, lost: scope } }, upTo: ++head })
			// The stream brings it at its place; the client forgets at that moment.
			this.hear(Number.POSITIVE_INFINITY)
			timeline.forget()
			void timeline.load()
		},
		async quiet() {
			do await settle()
			while (this.answer(0))
			this.hear(Number.POSITIVE_INFINITY)
		},
		seqs: () => timeline.view().items.map(({ message }) => message.seq),
	}
}

type World = ReturnType<typeof createWorld>

/** What is shown is all that stands between its first and its last message. */
function noGap({ seqs, messages, timeline }: World) {
	const shown = seqs()
	const [from = 0, to = 0] = [shown[0], shown.at(-1)]
	const there = messages.map(({ seq }) => seq).filter((seq) => seq >= from && seq <= to)
	assert.deepEqual(shown, there)
	const { older, newer } = timeline.view()
	if (!older) assert.equal(from, messages[0]?.seq ?? 0, 'it begins with the first message')
	if (!newer) assert.equal(to, messages.at(-1)?.seq ?? 0, 'it ends with the last message')
}

const steps = fc.array(
	fc.oneof(
		...(
			['write', 'remove', 'hear', 'answer', 'answer', 'older', 'newer', 'seq', 'from', 'unread', 'end', 'rescope', 'settle'] as const
		).map((what) => fc.record({ what: fc.constant(what), at: fc.nat(60) })),
	),
	{ maxLength: 60, size: 'max' },
)

test('[W61] jumps, pages and live changes in any order leave one part without a gap, and in the end what a fetch gives', async () => {
	await fc.assert(
		fc.asyncProperty(fc.nat(30), steps, async (written, todo) => {
			const world = createWorld(written)
			const { timeline } = world
			void timeline.load()
			for (const { what, at } of todo) {
				const ignore = (going: Promise<unknown>) => void going.catch(() => {})
				if (what === 'write') world.write(at % 3 ? 'other' : 'me')
				else if (what === 'remove' && world.messages.length > 0) world.remove(at)
				else if (what === 'hear') world.hear(1 + (at % 5))
				else if (what === 'answer') world.answer(at)
				else if (what === 'older') ignore(timeline.loadOlder())
				else if (what === 'newer') ignore(timeline.loadNewer())
				else if (what === 'seq') ignore(timeline.goTo({ seq: at }))
				else if (what === 'from') ignore(timeline.goTo({ from: world.timeOf(at) }))
				else if (what === 'unread') {
					world.readUpTo(at)
					ignore(timeline.goTo('unread'))
				} else if (what === 'end') ignore(timeline.goTo('end'))
				else if (what === 'rescope') world.rescope()
				else await world.settle()
				const shown = world.seqs()
				assert.equal(new Set(shown).size, shown.length, 'nothing twice')
				assert.deepEqual(
					shown,
					shown.toSorted((a, b) => a - b),
				)
			}
			await world.quiet()
			if (!timeline.loaded()) void timeline.load()
			await world.quiet()
			noGap(world)
			for (let rounds = 0; timeline.view().newer; rounds++) {
				assert.ok(rounds < 40, 'it reaches the end')
				void timeline.loadNewer()
				await world.quiet()
				noGap(world)
			}
			world.write()
			await world.quiet()
			noGap(world)
			for (let rounds = 0; timeline.view().older; rounds++) {
				assert.ok(rounds < 40, 'it reaches the beginning')
				void timeline.loadOlder()
				await world.quiet()
				noGap(world)
			}
			assert.deepEqual(
				timeline.view().items.map(({ message }) => message),
				world.messages,
			)
		}),
		{ numRuns: 400 },
	)
})

test('[W61] going somewhere ends at the message that was meant, with what stands around it', async () => {
	const world = createWorld(40)
	const { timeline } = world
	async function go(place: Parameters<typeof timeline.goTo>[0]) {
		const going = timeline.goTo(place)
		await world.quiet()
		return going
	}
	assert.equal(await go({ seq: 20 }), 'm20')
	assert.deepEqual(world.seqs(), [18, 19, 20, 21])
	assert.deepEqual([timeline.view().older, timeline.view().newer], [true, true])
	world.write()
	world.hear(1)
	assert.deepEqual(world.seqs(), [18, 19, 20, 21], 'what comes live is not put below an earlier part')
	assert.equal(await go('end'), 'm41')
	assert.deepEqual(world.seqs(), [37, 38, 39, 40, 41])
	assert.equal(await go({ from: world.timeOf(30) }), 'm30')
	assert.equal(world.seqs()[0], 30)
	assert.equal(await go({ from: world.timeOf(99) }), 'm41', 'later than all there is: the end')
	world.readUpTo(10)
	assert.equal(await go('unread'), 'm11')
	assert.ok(world.seqs().includes(10))
	world.readUpTo(39)
	assert.equal(await go('unread'), 'm40')
	assert.equal(timeline.view().newer, false)
	world.readUpTo(41)
	await go({ seq: 5 })
	assert.equal(await go('unread'), null, 'nothing is unread: it stays where it is')
	assert.ok(world.seqs().includes(5))
})

test('[W28] more messages than a page that came live before it was opened do not go when older ones are fetched', async () => {
	const world = createWorld(10)
	for (let n = 0; n < 12; n++) world.write()
	world.hear(12)
	void world.timeline.load()
	await world.quiet()
	const before = world.seqs()
	assert.deepEqual(before.slice(0, 2), [11, 12])
	while (world.timeline.view().older) {
		void world.timeline.loadOlder()
		await world.quiet()
		assert.ok(before.every((seq) => world.seqs().includes(seq)))
	}
	assert.equal(world.seqs().length, 22)
})
