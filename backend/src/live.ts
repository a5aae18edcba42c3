/**
 * The live stream: what happens, to everybody who may know it, in the journal's order.
 *
 * Promises that a browser which follows `upTo` misses nothing that it may see and gets nothing
 * that it may not; acknowledgements never wait for it. What goes up the socket is never stored.
 */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { type WebSocket, WebSocketServer } from 'ws'
import { closeCodes, type Frame } from '../../protocol/live.ts'
import { formatCursor, limits, parseCursor } from '../../protocol/model.ts'
import { type Audience, leadersOf, learnersAnd, openTo, publicCard, type Reader, reaches } from './access.ts'
import {
	type Beside,
	type Fragment,
	fellowsOf,
	fragmentsOf,
	groupsBrought,
	heard,
	leadersIn,
	load,
	regrouped,
	regroupedFor,
	regroupedFragment,
	removalsOf,
	type Sight,
	scopeFragment,
	sightBefore,
} from './changes.ts'
import { isForeign, tokenIn } from './http.ts'
import { type Listener, openListeners, type Seat } from './listeners.ts'
import { type Parts, reachOf } from './parts.ts'
import { openPresence } from './presence.ts'
import type { DiscussionRecord, MembershipRecord, MessageRecord, SessionRecord, UserRecord } from './storage/collections.ts'
import type { Entry } from './storage/engine.ts'
import { CursorUnknown } from './storage/store.ts'

export interface Live {
	upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
	/** Tells everybody how far backups reach now. */
	tellKept(): void
	/** Ends every connection: the browsers come back when there is a server again. */
	close(): Promise<void>
}

/** Listeners whose own records changed in a fan-out: what they are now, and how they are told. */
type Scopes = Map<string, { reader: Reader; fragment: Fragment | null }>
type Seated = WebSocket & { seat?: Seat }

/**
 * After a fan-out at least this long, measured: it multiplies what a room can take. A long one rests twice as long, at most the second;
 * one of a single entry not at all: where little is said nobody waits.
 */
const restMs = { min: 5, max: 8 }
/** Farther behind, fetching anew is cheaper for both. */
const entriesCaughtUp = 5_000
/** A socket that answered none of so many pings is gone. */
const silentVisits = 3
const doubtCheckMs = 500
/** How long browsers may take to say goodbye. */
const goodbyeMs = 1_000
const text = { binary: false }
const nothing: ReadonlySet<string> = new Set()

export function openLive(parts: Parts, authenticate: (token: string) => Promise<{ reader: Reader; session: SessionRecord } | null>): Live {
	const { store, readers, config, log } = parts
	const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 4_096, clientTracking: false })
	const listeners = openListeners()
	const presence = openPresence(parts, listeners, drop)
	/**
	 * Groups that somebody was in before or after her last changes. What those changes did was read from the store as it
	 * stood at `until` or in the group after that, which may be ahead of the fan-out: entries up to there are
	 * judged by these groups too.
	 */
	const lately = new Map<string, { groups: Set<string>; until: number }>()
	let queue: Entry[] = []
	/** Everything up to here has been sent to those who joined. */
	let position = store.head.seq
	let running = false
	let scheduled = false
	let rested = { at: 0, ms: 0 }
	let closing = false

	const cursor = (seq: number) => formatCursor(store.head.lineage, seq)
	const say = (socket: WebSocket, frame: Frame) => socket.send(JSON.stringify(frame))

	/** Takes a socket out at once; what it has not read yet it gets by catching up. */
	function drop(seat: Seat, code: number, reason: string): void {
		leave(seat)
		seat.joined = false
		seat.socket.close(code, reason)
	}

	function leave(seat: Seat): void {
		listeners.leave(seat)
		presence.leave(seat)
	}

	// Shared by all sockets, so that one costs no closures.
	function onClose(this: Seated): void {
		if (this.seat) leave(this.seat)
	}
	function onPong(this: Seated): void {
		if (this.seat) this.seat.silent = 0
	}
	function onMessage(this: Seated, data: Buffer, isBinary: boolean): void {
		if (this.seat) void presence.hear(this.seat, data, isBinary).catch((error: unknown) => log.error({ err: error }, 'a frame failed'))
	}
	function onError(): void {
		// The close that follows says all there is to do.
	}

	async function accept(socket: Seated, signed: { reader: Reader; session: SessionRecord } | null, after: string | null): Promise<void> {
		socket.on('error', onError)
		if (!signed) return socket.close(closeCodes.ended, 'not_signed_in')
		const id = signed.reader.user.id
		let listener = listeners.get(id)
		if (listener && listener.seats.size >= limits.socketsPerUser) return socket.close(closeCodes.refused, 'too_many_sockets')
		if (!listener) {
			listener = listeners.add(signed.reader)
			listener.opening = settle(listener)
		}
		const seat: Seat = { socket, listener, session: signed.session.id, joined: false, upTo: -1, silent: 0, strikes: 0, looking: null }
		socket.seat = seat
		listener.seats.add(seat)
		socket.on('close', onClose)
		socket.on('pong', onPong)
		socket.on('message', onMessage)
		say(socket, { t: 'hello', now: new Date().toISOString(), ...reachOf(store) })
		await listener.opening
		const session = await store.get('sessions', seat.session)
		if (!session || listener.reader.user.status === 'deactivated') return drop(seat, closeCodes.ended, 'ended')
		await catchUp(seat, after)
	}

	/** Only now that she is registered does every later change reach her: what was read before may be old. */
	async function settle(listener: Listener): Promise<void> {
		const reader = await readers.get(listener.reader.user.id)
		if (reader && reader.user.rev > listener.reader.user.rev) listeners.become(listener, reader)
		listener.opening = null
	}

	// Catching up.

	async function catchUp(seat: Seat, after: string | null): Promise<void> {
		const place = after === null ? null : parseCursor(after)
		const { seq, lineage, pruned } = store.head
		if (after === null) seat.upTo = position
		else if (place?.lineage !== lineage) return resync(seat, 'lineage')
		else if (place.seq > seq) return resync(seat, 'ahead')
		else if (place.seq < pruned) return resync(seat, 'pruned')
		else if (seq - place.seq > entriesCaughtUp) return resync(seat, 'far')
		else seat.upTo = place.seq
		// Each round ends where the journal ended when it was read; meanwhile a fan-out may have gone past that.
		while (seat.upTo < position) {
			try {
				if (!(await sendSince(seat))) return resync(seat, 'scope')
			} catch (error) {
				if (error instanceof CursorUnknown) return resync(seat, 'pruned')
				throw error
			}
		}
		// Where nothing was missed, this is how the browser knows it.
		if (seat.upTo === (place?.seq ?? position)) say(seat.socket, { t: 'changes', changes: [], users: [], upTo: cursor(seat.upTo) })
		seat.joined = true
	}

	function resync(seat: Seat, reason: Extract<Frame, { t: 'resync' }>['reason']): void {
		say(seat.socket, { t: 'resync', reason, upTo: cursor(position) })
		seat.upTo = position
		seat.joined = true
	}

	/** Sends what changed since the seat's place, each record as it is now. False when her sight changed since. */
	async function sendSince(seat: Seat): Promise<boolean> {
		const since = seat.upTo
		let upTo = since
		const changed = new Map<string, Set<string>>()
		const removed: Fragment[] = []
		const { listener } = seat
		for await (const entry of store.entries({ after: since })) {
			upTo = entry.seq
			removed.push(...removalsOf(entry))
			for (const { collection, id, record } of entry.puts) {
				const moved = regrouped(entry, collection, record)
				if (moved && regroupedFor(listener.reader.groups, listener.reader, [sightBefore(moved)], moved)) return false
				const ids = changed.get(collection)
				if (ids) ids.add(id)
				else changed.set(collection, new Set([id]))
			}
		}
		const records: { collection: string; record: { id: string; rev: number } }[] = []
		for (const collection of heard) {
			for (const record of (await load(store, collection, changed.get(collection) ?? new Set())).values())
				records.push({ collection, record })
		}
		records.sort((a, b) => a.record.rev - b.record.rev)
		const messages = records.flatMap(({ collection, record }) => (collection === 'messages' ? [record as MessageRecord] : []))
		const discussions = await load(store, 'discussions', new Set(messages.map(({ discussion }) => discussion)))
		const people = records.flatMap(({ collection, record }) => (collection === 'users' ? [record as UserRecord] : []))
		const leaders = await leadersIn(store, changed.get('groups') ?? [])
		const fellows = await fellowsOf(parts, people, since)
		const topics = records.flatMap(({ collection, record }) => (collection === 'discussions' ? [record as DiscussionRecord] : []))
		const groups = await groupsBrought(store, topics, since)
		// Her scope is read last: nothing is awaited between it and the sending but cards.
		const { reader } = listener
		if (reader.user.scopeRev > since) return false
		const beside = { discussions, leaders, fellows, groups, reader: (user: string) => (user === reader.user.id ? reader : null) }
		const fragments = [...records.flatMap(({ collection, record }) => fragmentsOf(collection, record, beside)), ...removed]
		const own = fragments.filter(({ audience }) => reaches(audience, reader))
		const users = await load(store, 'users', new Set(own.flatMap(({ people }) => people)))
		if (listener.reader !== reader) return false
		if (seat.socket.readyState === seat.socket.OPEN) seat.socket.send(frameOf(own, users, reader, upTo))
		seat.upTo = upTo
		return true
	}

	function frameOf(fragments: readonly Fragment[], users: ReadonlyMap<string, UserRecord>, { user }: Reader, upTo: number): string {
		const people = new Set<string>()
		let changes = ''
		for (const fragment of fragments) {
			changes += changes === '' ? fragment.json : `,${fragment.json}`
			for (const person of fragment.people) people.add(person)
		}
		const cards: string[] = []
		for (const person of people) {
			const record = users.get(person)
			if (record) cards.push(JSON.stringify(publicCard(user.role, record)))
		}
		return `{"t":"changes","changes":[${changes}],"users":[${cards.join(',')}],"upTo":"${cursor(upTo)}"}`
	}

	// The fan-out.

	const stopListening = store.onCommit((entries) => {
		for (const entry of entries) queue.push(entry)
		schedule()
	})

	function schedule(): void {
		if (scheduled || running || closing) return
		scheduled = true
		const wait = rested.at + rested.ms - performance.now()
		if (wait > 0) setTimeout(() => void run(), wait)
		else setImmediate(() => void run())
	}

	async function run(): Promise<void> {
		scheduled = false
		running = true
		const entries = queue
		queue = []
		const began = performance.now()
		try {
			if (listeners.size > 0) await fanOut(entries)
			else position = entries.at(-1)!.seq
		} catch (error) {
			// Nobody may stay behind without knowing: they come back and catch up.
			log.error({ err: error }, 'the fan-out failed')
			position = entries.at(-1)!.seq
			for (const seat of listeners.seats()) drop(seat, closeCodes.slow, 'catch up')
		}
		const now = performance.now()
		rested = { at: now, ms: entries.length > 1 ? Math.min(restMs.max, Math.max(restMs.min, 2 * (now - began))) : 0 }
		running = false
		if (queue.length > 0) schedule()
	}

	async function fanOut(entries: readonly Entry[]): Promise<void> {
		const last = entries.at(-1)!.seq
		const needed = { discussions: new Set<string>(), users: new Set<string>() }
		const ended = new Set<string>()
		const born = new Set<string>()
		const moved = new Set<string>()
		const touched = new Map<string, Set<string>>()
		const groups = new Set<string>()
		const people: UserRecord[] = []
		const topics: DiscussionRecord[] = []
		for (const { puts, removes, seq } of entries) {
			for (const { collection, id, record } of puts) {
				if (collection === 'messages' && record) needed.discussions.add((record as MessageRecord).discussion)
				if (collection === 'groups' && record?.seq === seq) born.add(id)
				else if (collection === 'groups') groups.add(id)
				if (collection === 'users' && listeners.get(id)) moved.add(id)
				if (collection === 'users' && record) people.push(record as UserRecord)
				if (collection === 'discussions' && record) topics.push(record as DiscussionRecord)
				if (collection === 'memberships' && record) {
					const { user, group } = record as MembershipRecord
					touched.set(user, (touched.get(user) ?? new Set()).add(group))
				}
			}
			for (const { collection, id } of removes) if (collection === 'sessions') ended.add(id)
		}
		const discussions = await load(store, 'discussions', needed.discussions)
		const scopes: Scopes = new Map()
		for (const id of moved) {
			const before = listeners.get(id)?.reader
			const reader = await readers.get(id)
			if (!before || !reader) continue
			scopes.set(id, { reader, fragment: await scopeFragment(store, before, reader, touched.get(id) ?? nothing, born) })
			const groups = [...(lately.get(id)?.groups ?? []), ...before.groups.keys(), ...reader.groups.keys()]
			lately.set(id, { groups: new Set(groups), until: store.head.seq })
		}
		for (const [id, { reader }] of scopes) {
			const listener = listeners.get(id)
			if (listener && listener.reader.user.rev < reader.user.rev) listeners.become(listener, reader)
		}
		const beside = {
			discussions,
			leaders: await leadersIn(store, groups),
			fellows: await fellowsOf(parts, people, entries[0]!.seq - 1),
			groups: await groupsBrought(store, topics, entries[0]!.seq - 1),
			reader: (user: string) => listeners.get(user)?.reader ?? null,
		}
		const fragments = fragmentsOfEntries(entries, beside, scopes)
		for (const { people } of fragments) for (const person of people) needed.users.add(person)
		const users = await load(store, 'users', needed.users)

		// From here on nothing is awaited: whoever joins does so before or after the whole.
		if (ended.size > 0) endSessions(ended)
		deliver(fragments, users, last)
		position = last
		for (const { puts } of entries) for (const { collection, id } of puts) if (collection === 'discussions') presence.review(id)
		for (const id of scopes.keys()) for (const seat of listeners.get(id)?.seats ?? []) if (seat.looking) presence.review(seat.looking)
		for (const [id, { until }] of lately) if (until < last) lately.delete(id)
		for (const [id, { reader }] of scopes) {
			if (reader.user.status !== 'deactivated') continue
			for (const seat of [...(listeners.get(id)?.seats ?? [])]) drop(seat, closeCodes.ended, 'account_deactivated')
		}
	}

	/** Each record once, in its last form: an earlier one may show what nobody should see any more. */
	function fragmentsOfEntries(entries: readonly Entry[], beside: Beside, scopes: Scopes): Fragment[] {
		const fragments: Fragment[] = []
		const last = new Map<string, number>()
		/** Who saw discussions before each of their changes. */
		const steps = new Map<string, Sight[]>()
		for (const entry of entries) {
			for (const { collection, id, record } of entry.puts) {
				last.set(collection + id, entry.seq)
				const moved = regrouped(entry, collection, record)
				if (moved) steps.set(id, [...(steps.get(id) ?? []), sightBefore(moved)])
			}
		}
		for (const entry of entries) {
			for (const { collection, id, record } of entry.puts) {
				if (!record || last.get(collection + id) !== entry.seq) continue
				const scope = collection === 'users' ? scopes.get(id)?.fragment : null
				if (scope) fragments.push(scope)
				const moves = collection === 'discussions' ? steps.get(id) : undefined
				if (moves) fragments.push(...moveFragments(moves, record as DiscussionRecord))
				fragments.push(...fragmentsOf(collection, record, beside))
			}
			fragments.push(...removalsOf(entry))
		}
		return fragments
	}

	/** Tells everybody for whom a change of who sees a discussion made a difference. */
	function moveFragments(steps: readonly Sight[], discussion: DiscussionRecord): Fragment[] {
		const outcomes = new Map<string, { users: string[]; outcome: { lost: boolean; gained: boolean } }>()
		const all = [...steps, { groups: openTo(discussion), leaders: leadersOf(discussion) }]
		const candidates = listeners.of(
			learnersAnd(
				all.flatMap(({ groups }) => groups),
				all.flatMap(({ leaders }) => leaders),
			),
		)
		for (const id of lately.keys()) {
			const listener = listeners.get(id)
			if (listener) candidates.add(listener)
		}
		for (const { reader } of candidates) {
			const { id } = reader.user
			const outcome = regroupedFor(lately.get(id)?.groups ?? reader.groups, reader, steps, discussion)
			if (!outcome) continue
			const key = `${outcome.lost} ${outcome.gained}`
			const same = outcomes.get(key)
			if (same) same.users.push(id)
			else outcomes.set(key, { users: [id], outcome })
		}
		return [...outcomes.values()].map(({ users, outcome }) => regroupedFragment(discussion.id, users, outcome))
	}

	/** One write for each socket; those who get the same fragments share the same bytes. */
	function deliver(fragments: readonly Fragment[], users: ReadonlyMap<string, UserRecord>, upTo: number): void {
		const audiences = new Map<string, { audience: Audience; numbers: number[] }>()
		for (let i = 0; i < fragments.length; i++) {
			const { audience } = fragments[i]!
			const name = `${audience.keys.join()} ${audience.except}`
			const same = audiences.get(name)
			if (same) same.numbers.push(i)
			else audiences.set(name, { audience, numbers: [i] })
		}
		const groups = [...audiences.values()]
		const frames = new Map<string, Buffer>()
		for (const listener of listeners.reach(groups.map(({ audience }) => audience))) {
			const name = `${listener.reader.user.role} ${listener.due.join()}`
			let frame = frames.get(name)
			if (!frame) {
				const numbers = listener.due.flatMap((i) => groups[i]!.numbers).sort((a, b) => a - b)
				frame = Buffer.from(
					frameOf(
						numbers.map((i) => fragments[i]!),
						users,
						listener.reader,
						upTo,
					),
				)
				frames.set(name, frame)
			}
			listener.due = []
			for (const seat of listener.seats) send(seat, frame, upTo)
		}
	}

	function send(seat: Seat, frame: Buffer | string, upTo: number): void {
		if (!seat.joined || seat.upTo >= upTo) return
		const { socket } = seat
		if (socket.bufferedAmount > config.slowSocketBytes) drop(seat, closeCodes.slow, 'slow')
		else socket.send(frame, text)
		seat.upTo = upTo
	}

	function endSessions(ended: ReadonlySet<string>): void {
		for (const seat of listeners.seats()) if (ended.has(seat.session)) drop(seat, closeCodes.ended, 'ended')
	}

	// Everybody's turn, now and then: who is gone is noticed, who heard nothing learns where the server stands.
	const idle = setInterval(() => void visitAll(), config.idleSocketMs)

	// While it is not sure that this server still has the database, nobody listens here.
	const doubting = setInterval(() => {
		if (store.doubtful) for (const seat of listeners.seats()) drop(seat, closeCodes.goingAway, 'the database does not answer')
	}, doubtCheckMs)

	async function visitAll(): Promise<void> {
		let visited = 0
		for (const seat of listeners.seats()) {
			if (++seat.silent > silentVisits) seat.socket.terminate()
			else {
				seat.socket.ping()
				send(seat, `{"t":"changes","changes":[],"users":[],"upTo":"${cursor(position)}"}`, position)
			}
			if (++visited % 500 === 0) await nextTurn()
		}
	}

	return {
		upgrade(request, raw, head) {
			raw.on('error', onError)
			const url = URL.parse(request.url ?? '', 'http://server')
			if (closing || url?.pathname !== '/api/live') return refuse(raw, 404, 'Not Found')
			if (isForeign(request.headers, request.headers.host)) return refuse(raw, 403, 'Forbidden')
			if (store.doubtful) return refuse(raw, 503, 'Service Unavailable')
			const token = tokenIn(request)
			const after = url.searchParams.get('after')
			const found = token === null ? Promise.resolve(null) : authenticate(token)
			found
				.then((signed) => {
					raw.off('error', onError)
					server.handleUpgrade(request, raw, head, (socket) => {
						accept(socket, signed, after).catch((error: unknown) => {
							log.error({ err: error }, 'a socket could not be brought up to date')
							// Closing takes it out.
							socket.terminate()
						})
					})
				})
				.catch((error: unknown) => {
					log.error({ err: error }, 'a socket could not be opened')
					raw.destroy()
				})
		},
		tellKept() {
			const reach = reachOf(store)
			const seats = listeners.seats().filter(({ joined }) => joined)
			for (const { socket, upTo } of seats) say(socket, { t: 'changes', changes: [], users: [], upTo: cursor(upTo), ...reach })
		},
		async close() {
			closing = true
			stopListening()
			clearInterval(idle)
			clearInterval(doubting)
			presence.close()
			const seats = listeners.seats()
			const sockets = seats.map(({ socket }) => socket)
			for (const seat of seats) drop(seat, closeCodes.goingAway, 'the server stops')
			const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
			await Promise.race([closed, sleep(goodbyeMs, undefined, { ref: false })])
			for (const socket of sockets) socket.terminate()
		},
	}
}

function refuse(raw: Duplex, status: number, reason: string): void {
	raw.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
