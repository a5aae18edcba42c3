/**
 * What comes up the sockets: that somebody types, and which discussion is open in a window.
 *
 * Promises that both show only among those who would see what she writes, and that a crowded
 * discussion costs a bounded frame at most once a second. Nothing of it is stored.
 */
import { closeCodes, type Frame, hereShown, Upward } from '../../protocol/live.ts'
import { inspects, leads, publicCard, type Reader, reaches, seesDiscussion, typingAudience, writableGroups } from './access.ts'
import type { Listeners, Seat } from './listeners.ts'
import type { Parts } from './parts.ts'
import type { DiscussionRecord } from './storage/collections.ts'

export interface Presence {
	/** A frame that a browser sent. */
	hear(seat: Seat, data: Buffer, isBinary: boolean): Promise<void>
	/** The socket is gone. */
	leave(seat: Seat): void
	/** Who sees this discussion may have changed. */
	review(discussion: string): void
	close(): void
}

const strikesAllowed = 5
const tellEveryMs = 1_000

/** `drop` puts somebody out who goes on saying what is no frame. */
export function openPresence(
	{ store, rates, log }: Parts,
	listeners: Listeners,
	drop: (seat: Seat, code: number, reason: string) => void,
): Presence {
	/** Windows by the discussion that is open in them. */
	const windows = new Map<string, Set<Seat>>()
	/** Discussions whose windows are told soon. */
	const telling = new Map<string, NodeJS.Timeout>()
	/** What each window was told last. */
	const told = new WeakMap<Seat, string>()

	async function hear(seat: Seat, data: Buffer, isBinary: boolean): Promise<void> {
		const frame = isBinary ? null : Upward.safeParse(parse(data))
		if (!frame?.success) {
			if (++seat.strikes > strikesAllowed) return drop(seat, closeCodes.refused, 'not_a_frame')
			return say(seat, { t: 'error', code: 'invalid_input', detail: 'Only typing and looking can be said here.' })
		}
		if (frame.data.t === 'typing') await type(seat, frame.data.discussion)
		else look(seat, frame.data.discussion)
	}

	async function type(seat: Seat, id: string): Promise<void> {
		const { reader } = seat.listener
		if (rates.typing.take(reader.user.id) > 0) return
		const discussion = await store.get('discussions', id)
		if (discussion?.status !== 'open' || discussion.removed || !takesPart(reader, discussion)) return
		const frames = new Map<string, string>()
		for (const { reader: other, seats } of listeners.of(typingAudience(reader, discussion))) {
			const { role } = other.user
			const typing = frames.get(role) ?? JSON.stringify({ t: 'typing', discussion: discussion.id, user: publicCard(role, reader.user) })
			frames.set(role, typing)
			// Worth nothing to a reader who is behind.
			for (const { joined, socket } of seats) if (joined && socket.bufferedAmount === 0) socket.send(typing)
		}
	}

	/** Her window stands there from now on, and counts for as long as she takes part: that may begin and end meanwhile. */
	function look(seat: Seat, id: string | null): void {
		// Not seen to go is worse than seen too late: leaving is never too often.
		leave(seat)
		if (id === null || rates.looking.take(seat.listener.reader.user.id) > 0 || !seat.listener.seats.has(seat)) return
		seat.looking = id
		const here = windows.get(id) ?? new Set()
		windows.set(id, here.add(seat))
		tellSoon(id)
	}

	function leave(seat: Seat): void {
		const id = seat.looking
		if (id === null) return
		seat.looking = null
		told.delete(seat)
		const here = windows.get(id)
		here?.delete(seat)
		if (here?.size === 0) windows.delete(id)
		else tellSoon(id)
	}

	function tellSoon(id: string): void {
		if (telling.has(id)) return
		const timer = setTimeout(() => {
			telling.delete(id)
			tellAll(id).catch((error: unknown) => log.error({ err: error }, 'who is here could not be told'))
		}, tellEveryMs).unref()
		telling.set(id, timer)
	}

	async function tellAll(id: string): Promise<void> {
		const discussion = await store.get('discussions', id)
		const here = windows.get(id)
		if (!discussion || !here) return
		const people = new Map<string, Reader>()
		for (const seat of here) {
			const { reader } = seat.listener
			if (takesPart(reader, discussion)) people.set(reader.user.id, reader)
			else told.delete(seat)
		}
		/** Those who see the same people get the same list, each without herself. */
		const lists = new Map<string, { first: Reader[]; rest: number; json: string | null }>()
		for (const seat of here) {
			const { reader } = seat.listener
			const { id: me, role } = reader.user
			if (!people.has(me)) continue
			const name = leads(reader, discussion) ? 'leads' : writableGroups(reader, discussion).join()
			let list = lists.get(name)
			if (!list) {
				const seen = seenBy(reader, people.values(), discussion)
				list = { first: seen.slice(0, hereShown), rest: seen.length, json: null }
				lists.set(name, list)
			}
			const frame = (others: readonly Reader[]) => {
				const users = others.map(({ user }) => publicCard(role, user))
				return JSON.stringify({ t: 'here', discussion: id, users, more: list.rest - 1 - users.length } satisfies Frame)
			}
			const others = list.first.filter(({ user }) => user.id !== me)
			// Only those at the beginning of a long list miss themselves in it.
			if (others.length === list.first.length) list.json ??= frame(others)
			const json = others.length === list.first.length ? list.json! : frame(others)
			// What happens among others shows nowhere else, not even as a frame without news.
			if (told.get(seat) === json) continue
			if (seat.socket.bufferedAmount > 0) tellSoon(id)
			else if (seat.socket.readyState === seat.socket.OPEN) {
				seat.socket.send(json)
				told.set(seat, json)
			}
		}
	}

	function say(seat: Seat, frame: Frame): void {
		if (seat.socket.readyState === seat.socket.OPEN) seat.socket.send(JSON.stringify(frame))
	}

	return {
		hear,
		leave,
		review(discussion) {
			if (windows.has(discussion)) tellSoon(discussion)
		},
		close() {
			for (const timer of telling.values()) clearTimeout(timer)
		},
	}
}

/** Whether she belongs to the discussion; an admin who inspects it is not noticed there. */
function takesPart(reader: Reader, discussion: DiscussionRecord): boolean {
	return seesDiscussion(reader, discussion) && !inspects(reader, discussion)
}

/** Those of the people whose presence shows to this reader (she herself may be among them). */
function seenBy(reader: Reader, people: Iterable<Reader>, discussion: DiscussionRecord): Reader[] {
	return [...people].filter((other) => reaches({ ...typingAudience(other, discussion), except: null }, reader))
}

function parse(data: Buffer): unknown {
	try {
		return JSON.parse(data.toString())
	} catch {
		return null
	}
}
