/**
 * Pages and live changes in any order end in the state that a fresh fetch gives, checked against
 * a small model of the server: one reader, whose sight changes while pages are under way.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Change } from '../../protocol/live.ts'
import { type Discussion, formatCursor, type Membership, type Message, type Person } from '../../protocol/model.ts'
import { createRecords, type Records } from './records.ts'

const lineage = 'a'.repeat(24)
const discussions = ['d1', 'd2', 'd3']

const base = (id: string, seq: number) => ({ id, seq, rev: seq, createdAt: '', updatedAt: '' })
const message = (id: string, discussion: string, seq: number, more: Partial<Message> = {}): Message => ({
	...base(id, seq),
	...{ discussion, author: 'u', group: 'g1', text: `${id} at ${seq}`, attachments: [], replyTo: null, writtenAt: '' },
	...{ editedAt: null, edits: 0, removed: null, returned: false, ...more },
})

interface Page {
	cursor: string
	discussions: Discussion[]
	messages: Message[]
	memberships: Membership[]
}

/** The server as one reader sees it: `sight` says which group's messages she sees in each discussion. */
function createServer() {
	let seq = 0
	const messages = new Map<string, Message>()
	const memberships = new Map<string, Membership>()
	const sight = new Map<string, string | null>(discussions.map((id) => [id, 'g1']))
	const stream: { seq: number; change: Change }[] = []
	const sees = (m: Message) => sight.get(m.discussion) === m.group
	const tell = (change: Change) => stream.push({ seq, change })
	const discussion = (id: string): Discussion => ({
		...base(id, 0),
		...{ title: '', prompt: '', createdBy: 'u', groups: [], category: null, tags: [], collaborators: [] },
		...{ scopeRev: 0, status: 'open', removed: null },
	})
	const put = (m: Message) => {
		messages.set(m.id, m)
		if (sees(m)) tell({ put: 'messages', record: m })
	}
	const any = <T>(map: Map<string, T>, at: number) => [...map.values()][at % Math.max(1, map.size)]
	return {
		stream,
		head: () => seq,
		send: (discussion: string, group: string) => put(message(`m${++seq}`, discussion, seq, { group })),
		edit(at: number) {
			const known = any(messages, at)
			if (known) put({ ...known, rev: ++seq, text: `${known.id} at ${seq}` })
		},
		join() {
			const membership = { ...base(`p${++seq}`, seq), group: 'g9', user: 'u' }
			memberships.set(membership.id, membership)
			tell({ put: 'memberships', record: membership })
		},
		leave(at: number) {
			const known = any(memberships, at)
			if (!known) return
			memberships.delete(known.id)
			tell({ remove: 'memberships', id: known.id, rev: ++seq })
		},
		look(id: string, group: string | null) {
			const before = sight.get(id) as string | null
			if (before === group) return
			seq++
			sight.set(id, group)
			const [gained, lost] = [group, before].map((seen) => ({ groups: [], discussions: seen === null ? [] : [id] }))
			tell({ scope: { gained, lost } as never })
		},
		read: (cursor: number): Page => ({
			cursor: formatCursor(lineage, cursor),
			discussions: discussions.filter((id) => sight.get(id) !== null).map(discussion),
			messages: [...messages.values()].filter(sees),
			memberships: [...memberships.values()],
		}),
	}
}

const state = (records: Records) => ({
	discussions: [...records.all('discussions').keys()].sort(),
	messages: [...records.all('messages').values()].sort((a, b) => a.seq - b.seq),
	memberships: [...records.all('memberships').keys()].sort(),
	lists: discussions.map((id) => records.messagesOf(id).messages.map((m) => m.id)),
})

const at = fc.nat(50)
const where = fc.constantFrom(...discussions)
const group = fc.constantFrom('g1', 'g2')
const step = fc.oneof(
	{ weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), where, group }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('edit' as const), at }) },
	fc.record({ do: fc.constant('join' as const) }),
	fc.record({ do: fc.constant('leave' as const), at }),
	fc.record({ do: fc.constant('look' as const), where, sight: fc.option(group) }),
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('ask' as const) }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), at }) },
	{ weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), at }) },
	{ weight: 4, arbitrary: fc.record({ do: fc.constant('frame' as const), at }) },
)

test('[W4] state by events equals state by fetch, however pages and changes interleave', () => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
			const server = createServer()
			const records = createRecords(() => {})
			records.reset(0)
			const fetches: { cursor: number; page: Page | null }[] = []
			const ask = () => fetches.push({ cursor: server.head(), page: null })
			const answer = (index: number) => {
				const [fetched] = fetches.splice(index, 1)
				if (fetched) records.putPage(fetched.page ?? server.read(fetched.cursor))
			}
			/** A frame of up to `count` changes; it ends where the last of them ends. */
			const frame = (count: number) => {
				const changes = server.stream.splice(0, count)
				const last = changes.at(-1)
				if (!last) return
				while (server.stream[0]?.seq === last.seq) changes.push(server.stream.shift() as typeof last)
				records.apply(
					changes.map(({ change }) => change),
					last.seq,
				)
				if (changes.some(({ change }) => 'scope' in change && change.scope.gained.discussions.length > 0)) ask()
			}
			ask()
			for (const one of steps) {
				if (one.do === 'send') server.send(one.where, one.group)
				else if (one.do === 'edit') server.edit(one.at)
				else if (one.do === 'join') server.join()
				else if (one.do === 'leave') server.leave(one.at)
				else if (one.do === 'look') server.look(one.where, one.sight)
				else if (one.do === 'ask') ask()
				else if (one.do === 'read') {
					const open = fetches.filter(({ page }) => !page)[one.at % Math.max(1, fetches.length)]
					if (open) open.page = server.read(open.cursor)
				} else if (one.do === 'answer') answer(one.at % Math.max(1, fetches.length))
				else frame(1 + (one.at % 5))
			}
			while (server.stream.length > 0) frame(3)
			while (fetches.length > 0) answer(fetches.length - 1)
			const fresh = createRecords(() => {})
			fresh.putPage(server.read(server.head()))
			assert.deepEqual(state(records), state(fresh))
		}),
		{ numRuns: 1_500 },
	)
})

test('[W4] of two answers with one rev the fuller stays, of two revs the newer', () => {
	const records = createRecords(() => {})
	const card: Person = { id: 'u', seq: 1, rev: 5, name: 'Sari', role: 'student', avatar: null }
	records.putPage({ user: { ...card, email: 's@example.org', status: 'pending' } })
	records.putPage({ users: [card] })
	assert.equal(records.get('users', 'u')?.email, 's@example.org')
	records.putPage({ users: [{ ...card, rev: 6, name: 'Sari W.' }] })
	assert.deepEqual([records.get('users', 'u')?.name, records.get('users', 'u')?.email], ['Sari W.', 's@example.org'])

	const removed = message('m', 'd1', 3, { rev: 9, removed: { at: '', by: 'x' } })
	records.putPage({ message: { ...removed, text: null } })
	records.putPage({ message: removed })
	records.putPage({ message: { ...removed, text: null } })
	assert.equal(records.get('messages', 'm')?.text, 'm at 3')
	records.putPage({ message: { ...removed, rev: 10, text: null } })
	assert.equal(records.get('messages', 'm')?.text, null)
})

test('[W5] a record keeps its identity, and nobody is told, while nothing in it is new', () => {
	let told = 0
	const records = createRecords(() => told++)
	const page = { messages: [message('m1', 'd1', 1), message('m2', 'd1', 2)] }
	records.putPage(page)
	records.takeChanges()
	const [before, edits] = [records.get('messages', 'm1'), records.messagesOf('d1').edits]
	records.putPage(structuredClone(page))
	assert.equal(told, 1)
	assert.equal(records.get('messages', 'm1'), before)
	records.apply([{ put: 'messages', record: message('m3', 'd1', 3) }], 3)
	assert.equal(records.messagesOf('d1').edits, edits, 'a message at the end is not a change of the others')
	records.putPage({ messages: [message('m0', 'd1', 0)] })
	assert.notEqual(records.messagesOf('d1').edits, edits)
	assert.deepEqual([...records.takeChanges().born], ['m3', 'm0'])
})
