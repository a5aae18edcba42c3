/**
 * What this browser knows of the server's records, in memory.
 *
 * Promises that pages and live changes, in whatever order they come, end in the same state:
 * the higher `rev` wins, what was removed or went out of sight stays away from older pages.
 * Never decides what the reader may see, and keeps nothing on the device.
 */
import type { Change, ScopeItems } from '../../protocol/live.ts'
import { type Discussion, type Message, type Published, type PublishedName, parseCursor } from '../../protocol/model.ts'

/** A place in a list of messages. */
export interface Position {
	seq: number
	id: string
}

/** What has changed since the last `takeChanges`. */
export interface RecordChanges {
	names: Set<PublishedName>
	/** Messages that were put, as they are now. */
	messages: Message[]
	/** Each of them with what was known of it before, in order. `leap`: it came by a page, and there may have been others in between. */
	moves: { before: Message | undefined; now: Message; leap: boolean }[]
	/** Ids that were not known before. */
	born: Set<string>
}

/** The messages of one discussion in the order of everybody. */
export interface MessageList {
	readonly messages: readonly Message[]
	/** Counts every change but those that only added at the end. */
	readonly edits: number
}

export type Records = ReturnType<typeof createRecords>

/** The fields in which answers carry records. */
const carriers: Readonly<Record<string, PublishedName>> = {
	me: 'users',
	user: 'users',
	users: 'users',
	group: 'groups',
	groups: 'groups',
	membership: 'memberships',
	memberships: 'memberships',
	category: 'categories',
	categories: 'categories',
	discussion: 'discussions',
	discussions: 'discussions',
	message: 'messages',
	messages: 'messages',
	latest: 'messages',
	quoted: 'messages',
	read: 'reads',
	reads: 'reads',
}

type Tables = { [N in PublishedName]: Map<string, Published[N]> }
const emptyTables = (): Tables => ({
	users: new Map(),
	groups: new Map(),
	memberships: new Map(),
	categories: new Map(),
	discussions: new Map(),
	messages: new Map(),
	reads: new Map(),
})
const emptyChanges = (): RecordChanges => ({ names: new Set(), messages: [], moves: [], born: new Set() })

/** Which of two places comes first. */
export const comparePositions = (a: Position, b: Position) => a.seq - b.seq || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** Where `position` is or would stand. */
export function indexOfPosition(list: readonly Position[], position: Position): number {
	let [low, high] = [0, list.length]
	while (low < high) {
		const middle = (low + high) >>> 1
		if (comparePositions(list[middle]!, position) < 0) low = middle + 1
		else high = middle
	}
	return low
}

/** `changed` is called at the first change after each `takeChanges`. */
export function createRecords(changed: () => void) {
	let tables = emptyTables()
	let lists = new Map<string, { messages: Message[]; edits: number }>()
	/** `rev` of each removal seen, by collection and id. */
	let removals = new Map<string, number>()
	/** The entry from which on the stream has brought all of a discussion (or group), where later than `since`. */
	let scoped = new Map<string, number>()
	let since = 0
	let changes = emptyChanges()
	let told = false

	function note(name: PublishedName) {
		changes.names.add(name)
		if (told) return
		told = true
		changed()
	}

	function listOf(discussion: string) {
		const list = lists.get(discussion) ?? { messages: [], edits: 0 }
		lists.set(discussion, list)
		return list
	}

	function put<N extends PublishedName>(name: N, record: Published[N], leap: boolean) {
		const table = tables[name] as Map<string, Published[N]>
		if ((removals.get(`${name} ${record.id}`) ?? -1) >= record.rev) return
		const known = table.get(record.id)
		const merged = known ? merge(name, known, record) : record
		if (merged === known) return
		table.set(record.id, merged)
		if (!known) changes.born.add(record.id)
		if (name === 'messages') {
			const message = merged as Message
			const list = listOf(message.discussion)
			const at = indexOfPosition(list.messages, message)
			if (at < list.messages.length) list.edits++
			list.messages.splice(at, known ? 1 : 0, message)
			changes.messages.push(message)
			changes.moves.push({ before: known as Message | undefined, now: message, leap })
		}
		note(name)
	}

	function drop(name: PublishedName, id: string) {
		const record = tables[name].get(id)
		if (!record) return
		tables[name].delete(id)
		if (name === 'messages') {
			const list = listOf((record as Message).discussion)
			list.messages.splice(indexOfPosition(list.messages, record as Message), 1)
			list.edits++
		}
		note(name)
	}

	/** The entry from which on the stream has brought everything of this discussion or group. */
	const sinceOf = (id: string) => Math.max(since, scoped.get(id) ?? 0)

	function scope(gained: ScopeItems, lost: ScopeItems, at: number) {
		for (const id of [...gained.groups, ...gained.discussions, ...lost.groups, ...lost.discussions]) scoped.set(id, at)
		for (const id of lost.groups) {
			drop('groups', id)
			for (const membership of tables.memberships.values()) if (membership.group === id) drop('memberships', membership.id)
		}
		for (const id of lost.discussions) {
			drop('discussions', id)
			for (const message of lists.get(id)?.messages ?? []) tables.messages.delete(message.id)
			const list = listOf(id)
			list.messages = []
			list.edits++
			note('messages')
		}
	}

	return {
		get: <N extends PublishedName>(name: N, id: string) => tables[name].get(id) as Published[N] | undefined,
		all: <N extends PublishedName>(name: N): ReadonlyMap<string, Published[N]> => tables[name] as Map<string, Published[N]>,
		messagesOf: (discussion: string): MessageList => listOf(discussion),
		sinceOf,

		/** Merges every record that an answer carries; `cursor` is where the server stood before it read them. */
		putPage(page: object) {
			const { cursor, ...rest } = page as { cursor?: string }
			const at = (cursor && parseCursor(cursor)?.seq) || 0
			/** Read before it went out of sight: the stream has said so since. */
			const stale = (id: string) => at < (scoped.get(id) ?? 0)
			for (const [field, value] of Object.entries(rest)) {
				const name = carriers[field]
				if (!name || !value) continue
				for (const record of Array.isArray(value) ? value : [value]) {
					if (!stale(record.discussion ?? record.group ?? record.id)) put(name, record, true)
				}
			}
		},

		/** The changes of one frame that ends at entry `upTo`. */
		apply(frame: readonly Change[], upTo: number) {
			for (const change of frame) {
				if ('put' in change) put(change.put, change.record as never, false)
				else if ('remove' in change) {
					const key = `${change.remove} ${change.id}`
					removals.set(key, Math.max(change.rev, removals.get(key) ?? 0))
					if ((tables[change.remove].get(change.id)?.rev ?? Infinity) <= change.rev) drop(change.remove, change.id)
				} else scope(change.scope.gained, change.scope.lost, upTo)
			}
		},

		/** Forgets everything; the stream is listened to from entry `at` on. */
		reset(at: number) {
			const edits = new Map([...lists].map(([id, list]) => [id, { messages: [], edits: list.edits + 1 }]))
			tables = emptyTables()
			lists = edits
			removals = new Map()
			scoped = new Map()
			since = at
			for (const name of Object.keys(tables) as PublishedName[]) note(name)
		},

		takeChanges(): RecordChanges {
			const taken = changes
			changes = emptyChanges()
			told = false
			return taken
		},
	}
}

/** The newer of two states of one record; `known` itself where nothing is new. */
function merge<N extends PublishedName>(name: N, known: Published[N], record: Published[N]): Published[N] {
	if (record.rev < known.rev) return known
	if (record.rev > known.rev) {
		// A person comes with as many fields as each place may show: those of an earlier, fuller answer stay.
		return name === 'users' ? { ...known, ...record } : record
	}
	// The same entry wrote both, so they differ only in what one of them withholds.
	const missing = Object.entries(record).filter(([field, value]) => isThere(value) && !isThere(known[field as keyof typeof known]))
	return missing.length > 0 ? { ...known, ...Object.fromEntries(missing) } : known
}

const isThere = (value: unknown) => value != null && !(Array.isArray(value) && value.length === 0)

/** Newest activity first, for the list of discussions. */
export function byActivity(
	a: { discussion: Discussion; last: Message | null },
	b: { discussion: Discussion; last: Message | null },
): number {
	const seq = (entry: typeof a) => Math.max(entry.discussion.seq, entry.last?.seq ?? 0)
	return seq(b) - seq(a) || (a.discussion.id < b.discussion.id ? 1 : -1)
}
