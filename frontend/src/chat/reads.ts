/**
 * How far I have read, and how many messages of others come after that.
 *
 * Promises counts that follow what is heard from the first overview on, from messages where
 * they are all known and else from the server's count; positions that never go back, told to
 * the server now and then and again after a failure. Never waits for the network.
 */
import type { Output } from '../../../protocol/api.ts'
import { limits, type Message, parseCursor, type Read } from '../../../protocol/model.ts'
import type { Call } from '../api.ts'
import { ApiError } from '../client.ts'
import { oneAtATime } from '../once.ts'
import { indexOfPosition, type RecordChanges, type Records } from '../records.ts'
import { before } from './window.ts'

export interface Reads {
	/** Messages of others after what I have read. */
	unreadOf(discussion: string): number
	/** Where the unread line stands: my position when I began to look; null: not known. */
	lineOf(discussion: string): number | null
	/** I have seen the message of this entry. */
	mark(discussion: string, seq: number): void
	look(discussion: string | null): void
	/** The counts of a page of the overview. */
	noteList(page: Pick<Output<'listDiscussions'>, 'discussions' | 'unread' | 'latest' | 'cursor'>): void
	/** Whether the server has said all counts; it may be counting anew. */
	isCounted(): boolean
	note(changes: RecordChanges): void
	/** Who sees it changed: its count is worth nothing. */
	forget(discussion: string): void
	/** Everything is fetched anew; `anew`: and from another journal. */
	reset(anew: boolean): void
	/** Tells the server now what it was not told yet. */
	tell(): void
	close(): void
}

export interface ReadsSources {
	call: Call
	records: Records
	me(): string
	isOnline(): boolean
	/** Whether all messages of the entries from `start` to `end` (null: to the end) are known. */
	knows(discussion: string, start: number, end: number | null): boolean
	accept(answer: { cursor: string }): boolean
	changed(): void
	/** Shorter in tests. */
	tellMs?: number
}

/** So many were unread after entry `upTo`, as far as entry `at`. */
interface Base {
	count: number
	upTo: number
	at: number
}

/** Opens what is known about reading: nothing, at first. */
export function openReads(sources: ReadsSources): Reads {
	const { call, records, tellMs = 3_000 } = sources
	const bases = new Map<string, Base>()
	/** Seen here, and perhaps not told yet. */
	const marked = new Map<string, number>()
	/** Whose count must be asked for. */
	const doubtful = new Set<string>()
	const counted = new Map<string, { after: number; edits: number; length: number; count: number }>()
	let visit: { discussion: string; line: number | null } | null = null
	let timer: ReturnType<typeof setTimeout> | undefined
	let readsOf = new Map<string, Read>()
	let closed = false

	const counts = (message: Message) => message.author !== sources.me() && !message.removed
	const toldUpTo = (discussion: string) => readsOf.get(discussion)?.upTo ?? 0

	function isKnown(discussion: string): boolean {
		if (readsOf.has(discussion) || bases.has(discussion)) return true
		// Started since this browser listens.
		const record = records.get('discussions', discussion)
		return record !== undefined && record.seq > records.sinceOf(discussion) && records.sinceOf(discussion) > 0
	}

	const position = (discussion: string) => Math.max(toldUpTo(discussion), marked.get(discussion) ?? 0)

	/** Messages of others after entry `seq`, of those that are here. */
	function countAfter(discussion: string, seq: number): number {
		const { messages, edits } = records.messagesOf(discussion)
		const known = counted.get(discussion)
		const isSame = known?.after === seq && known.edits === edits && known.length <= messages.length
		let count = isSame ? known.count : 0
		for (let at = isSame ? known.length : indexOfPosition(messages, before(seq + 1)); at < messages.length; at++) {
			if (counts(messages[at]!)) count++
		}
		counted.set(discussion, { after: seq, edits, length: messages.length, count })
		return count
	}

	function unreadOf(discussion: string): number {
		const upTo = position(discussion)
		const { messages } = records.messagesOf(discussion)
		if ((messages.at(-1)?.seq ?? 0) <= upTo) return 0
		if (sources.knows(discussion, upTo + 1, null)) return Math.min(limits.unreadCounted, countAfter(discussion, upTo))
		const base = baseOf(discussion)
		const since = base?.at ?? records.sinceOf(discussion)
		return Math.min(limits.unreadCounted, (base?.count ?? 0) + countAfter(discussion, Math.max(upTo, since)))
	}

	/** The server's count, less what was read since. */
	function baseOf(discussion: string): Base | undefined {
		const base = bases.get(discussion)
		const upTo = position(discussion)
		if (!base || upTo <= base.upTo) return base
		const start = base.upTo
		base.upTo = upTo
		if (upTo >= base.at) base.count = 0
		else {
			const { messages } = records.messagesOf(discussion)
			const read = messages.slice(indexOfPosition(messages, before(start + 1)), indexOfPosition(messages, before(upTo + 1)))
			// Only of whole stretches is it known how many there were; a count that has reached its limit says nothing.
			const isExact = base.count < limits.unreadCounted && sources.knows(discussion, start + 1, upTo)
			if (!isExact) doubt(discussion)
			base.count = Math.max(0, base.count - read.filter(counts).length)
		}
		return base
	}

	function note(changes: RecordChanges) {
		for (const { before: earlier, now, leap } of changes.moves) {
			const base = bases.get(now.discussion)
			if (!base || !isChangedSince(now, base)) continue
			if (earlier) base.count = within(base.count + Number(counts(now)) - Number(counts(earlier)))
			else guess(base, now)
			if (earlier && leap) doubt(now.discussion)
		}
		// Only then: what was read is counted by what messages are now.
		if (changes.names.has('reads')) {
			reread()
			for (const discussion of bases.keys()) baseOf(discussion)
		}
	}

	const isChangedSince = ({ seq, rev }: Message, { upTo, at }: Base) => seq <= at && seq > upTo && rev > at
	const within = (count: number) => Math.max(0, Math.min(limits.unreadCounted, count))

	/** It changed after it was counted, or not: what it was then is not known here. */
	function guess(base: Base, message: Message) {
		if (message.author === sources.me()) return
		// Most likely its last change was its only one.
		const isEdit = !message.removed && message.editedAt === message.updatedAt
		if (!isEdit) base.count = within(base.count + (message.removed ? -1 : 1))
		doubt(message.discussion)
	}

	/** A count of the server's; what is newer may have been heard before it. */
	function setBase(discussion: string, base: Base) {
		bases.set(discussion, base)
		const { messages } = records.messagesOf(discussion)
		for (let at = indexOfPosition(messages, before(base.upTo + 1)); at < messages.length && messages[at]!.seq <= base.at; at++) {
			if (isChangedSince(messages[at]!, base)) guess(base, messages[at]!)
		}
	}

	function reread() {
		const me = sources.me()
		readsOf = new Map()
		for (const read of records.all('reads').values()) if (read.user === me) readsOf.set(read.discussion, read)
	}

	function doubt(discussion: string) {
		doubtful.add(discussion)
		later()
	}

	function later() {
		if (!closed) timer ??= setTimeout(tell, tellMs)
	}

	const toTell = () => new Set([...doubtful, ...[...marked].filter(([id, seq]) => seq > toldUpTo(id)).map(([id]) => id)])

	const tellAll = oneAtATime(async () => {
		for (const discussion of toTell()) {
			if (!sources.isOnline()) return
			const upTo = position(discussion)
			try {
				const answer = await call('setRead', { id: discussion, upTo })
				doubtful.delete(discussion)
				if (!sources.accept(answer)) return
				const at = parseCursor(answer.cursor)?.seq ?? 0
				if (answer.unread !== null) setBase(discussion, { count: answer.unread, upTo: answer.read.upTo, at })
				reread()
				sources.changed()
			} catch (error) {
				const isFinal = error instanceof ApiError && error.problem.status < 500 && error.problem.status !== 429
				if (!isFinal) return later()
				doubtful.delete(discussion)
				marked.delete(discussion)
			}
		}
	})

	function tell() {
		clearTimeout(timer)
		timer = undefined
		if (!closed && sources.isOnline() && toTell().size > 0) void tellAll()
	}

	const page = typeof window === 'undefined' ? null : window
	page?.addEventListener('pagehide', tell)

	return {
		unreadOf,
		lineOf(discussion) {
			if (visit?.discussion !== discussion) return isKnown(discussion) ? position(discussion) : null
			// What was seen in this visit does not move its line.
			if (visit.line === null && isKnown(discussion)) visit.line = toldUpTo(discussion)
			return visit.line
		},
		mark(discussion, seq) {
			const newest = records.messagesOf(discussion).messages.at(-1)?.seq ?? 0
			const seen = Math.min(seq, newest)
			if (seen <= position(discussion)) return
			marked.set(discussion, seen)
			later()
			sources.changed()
		},
		look(discussion) {
			if (visit?.discussion === discussion) return
			if (visit) tell()
			visit = discussion === null ? null : { discussion, line: isKnown(discussion) ? position(discussion) : null }
			sources.changed()
		},
		noteList({ discussions, unread, latest, cursor }) {
			const place = parseCursor(cursor)?.seq ?? 0
			// What came between the cursor and the count is counted as well.
			const newest = new Map(latest.map((message) => [message.discussion, message.seq]))
			reread()
			for (const { id } of discussions) {
				const count = unread[id]
				const at = Math.max(place, newest.get(id) ?? 0)
				if (count === undefined && bases.has(id)) continue
				setBase(id, { count: count ?? 0, upTo: toldUpTo(id), at: count === undefined ? 0 : at })
			}
		},
		isCounted: () => [...bases.values()].every(({ at }) => at > 0),
		note,
		forget(discussion) {
			bases.delete(discussion)
			counted.delete(discussion)
		},
		reset(anew) {
			bases.clear()
			counted.clear()
			doubtful.clear()
			readsOf = new Map()
			if (!anew) return
			marked.clear()
			if (visit) visit.line = null
		},
		tell,
		close() {
			clearTimeout(timer)
			closed = true
			page?.removeEventListener('pagehide', tell)
		},
	}
}
