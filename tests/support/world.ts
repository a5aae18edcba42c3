/**
 * One discussion of 120 messages on a scripted server that pages, counts what is unread and tells
 * what is new, for tests of the client as screens see it.
 */
import type { TestContext } from 'node:test'
import { openUserDatabase } from '../../frontend/src/chat/database.ts'
import type { Client } from '../../frontend/src/client.ts'
import { createClock, makeId } from '../../frontend/src/ids.ts'
import { openClient } from '../../frontend/src/openClient.ts'
import type { Change, Frame } from '../../protocol/live.ts'
import type { Discussion, Message, Person, Read } from '../../protocol/model.ts'
import { openScripted, problem, type Script, until } from './scripted.ts'

export const clock = createClock(0, () => {})
export const at = '2026-01-02T03:04:05.000Z'
export const idOf = (n: number) => n.toString(16).padStart(24, '0')
export const discussion = idOf(1)
export const group = idOf(2)
export const teacher: Person = { id: idOf(3), seq: 1, rev: 1, name: 'Lena', role: 'lecturer', avatar: null }
export const base = (id: string, seq: number, rev = seq) => ({ id, seq, rev, createdAt: at, updatedAt: at })
export const topic = (id: string, seq: number): Discussion => ({
	...base(id, seq),
	...{ title: id, prompt: '', createdBy: teacher.id, groups: [group], category: null, tags: [], collaborators: [] },
	...{ scopeRev: seq, status: 'open', removed: null },
})

/** One discussion with messages of seq 1001 to 1120, of which a page holds ten. */
export async function openWorld(t: TestContext, changed: Script = {}) {
	const me: Person = { ...base(makeId(clock), 1), name: 'Sari', role: 'student', status: 'approved', email: 's@example.org', avatar: null }
	const world = { lineage: 'a'.repeat(24), head: 1_120, messages: [] as Message[], readUpTo: 1_120 }
	const message = (seq: number, more: Partial<Message> = {}): Message => ({
		...base(idOf(seq), seq),
		...{ discussion, author: teacher.id, group: null, text: `text ${seq}`, attachments: [], replyTo: null, writtenAt: at },
		...{ editedAt: null, edits: 0, removed: null, returned: false, ...more },
	})
	for (let seq = 1_001; seq <= 1_120; seq++) world.messages.push(message(seq))
	const standing = () => ({ cursor: `${world.lineage}:${world.head}`, kept: null, released: null })
	const read = (): Read => ({ ...base(idOf(7), 1, world.readUpTo), user: me.id, discussion, upTo: world.readUpTo })
	const unread = () => world.messages.filter(({ seq, author, removed }) => seq > world.readUpTo && author !== me.id && !removed).length
	const script: Script = {
		me: () => ({ me, now: new Date().toISOString(), ...standing() }),
		listCategories: () => ({ categories: [], ...standing() }),
		listGroups: () => ({ groups: [{ ...base(group, 2), name: 'Blue', createdBy: teacher.id }], ...standing() }),
		listDiscussions: ({ after }) => {
			const empty = { totals: {}, unread: {}, latest: [], reads: [], users: [teacher] }
			if (!after) return { ...empty, discussions: [topic(idOf(9), 950)], unread: { [idOf(9)]: 0 }, next: 'more', ...standing() }
			return {
				...empty,
				discussions: [topic(discussion, 900)],
				totals: { [discussion]: { messages: 120, removed: 1 } },
				unread: { [discussion]: unread() },
				latest: world.messages.slice(-1),
				reads: [read()],
				next: null,
				...standing(),
			}
		},
		setRead: ({ id, upTo }) => {
			if (upTo > world.readUpTo) {
				world.readUpTo = upTo
				world.head++
				frame([{ put: 'reads', record: read() }])
			}
			return id === discussion ? { read: read(), unread: unread(), ...standing() } : problem('not_found')
		},
		getDiscussion: ({ id }) =>
			id === discussion ? { discussion: topic(id, 900), groups: [], users: [teacher], ...standing() } : problem('not_found'),
		listMessages: ({ before, after, around, from }) => {
			const { messages: all } = world
			const first = (from ?? around) && all.findIndex(({ seq, writtenAt }) => (around ? seq >= Number(around) : writtenAt >= from))
			const end = before ? all.findIndex(({ seq }) => seq >= Number(before)) : all.length
			let start = Math.max(0, end - 10)
			if (after) start = all.findIndex(({ seq }) => seq >= Number(after)) + 1
			if (first !== undefined) start = Math.max(0, (first < 0 ? all.length : first) - (around ? 5 : 0))
			const messages = all.slice(start, before ? end : start + 10)
			const quoted = all.filter(({ id }) => messages.some(({ replyTo }) => replyTo === id))
			const older = start > 0 ? `${messages[0]?.seq ?? all.at(-1)?.seq}` : null
			const newer = start + messages.length < all.length ? `${messages.at(-1)?.seq}` : null
			return { messages, quoted, users: [teacher], older, newer, ...standing() }
		},
		...changed,
	}
	const server = await openScripted(script, (socket) => {
		socket.say({ t: 'hello', now: new Date().toISOString(), kept: null, released: null })
		if (socket.after?.startsWith(world.lineage)) frame([])
		else socket.say({ t: 'resync', reason: 'lineage', upTo: standing().cursor })
	})
	t.after(server.close)
	function frame(changes: Change[], kept?: string) {
		const said: Frame = { t: 'changes', changes, users: [teacher], upTo: standing().cursor, ...(kept ? { kept, released: kept } : {}) }
		for (const socket of server.sockets) socket.say(said)
	}
	/** Something new on the server, told to everybody. */
	function publish(more: Partial<Message> = {}): Message {
		const fresh = message(++world.head, more)
		world.messages.push(fresh)
		frame([{ put: 'messages', record: fresh }])
		return fresh
	}
	async function openTab(): Promise<Client> {
		const client = await openClient({
			...{ network: server.network, clock, me, start: null, retryMs: 10, tellMs: 30, database: await openUserDatabase(me.id) },
			onEnded: () => {},
			onSignedOut: async () => {},
		})
		t.after(client.close)
		return client
	}
	return { me, world, script, server, frame, publish, message, openTab }
}

export async function openReady(t: TestContext, script: Script = {}) {
	const opened = await openWorld(t, script)
	const client = await opened.openTab()
	await until('it is online', () => client.snapshot().connection === 'online')
	await until('all is there', () => client.timeline(discussion).state === 'ready' && client.snapshot().discussionsState === 'ready')
	return { ...opened, client }
}

export const texts = (client: Client) => client.timeline(discussion).items.map(({ message }) => message.text)
export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `text ${from + n}`)
