/**
 * One discussion as its reader sees it: the server's messages, and over them what her own
 * outbox is still about to do.
 *
 * Promises that a message is there once, from the moment it was sent: as a waiting command,
 * as a record, or as a command just stored whose record is on its way. It shows one part
 * without a gap: the end, which it always knows, or an earlier one. Snapshots are immutable,
 * and an item keeps its identity until something in it changes.
 */
import type { Output } from '../../../protocol/api.ts'
import { type Discussion, type Group, type Message, type Person, parseCursor, type Upload } from '../../../protocol/model.ts'
import type { Call } from '../api.ts'
import { ApiError, type Client, type Safety, type Timeline, type TimelineItem, type Transfer, Unreachable } from '../client.ts'
import { oneAtATime } from '../once.ts'
import { indexOfPosition, type Position, type Records } from '../records.ts'
import type { Row } from './database.ts'
import { asDiscussion, asMessage, overlay, progressOf } from './overlay.ts'
import { after, before, covers, endPart, growDown, growUp, joined, type Page, type Part, partOf } from './window.ts'

/** What a timeline is made of. */
export interface TimelineSources {
	me(): Person
	call: Call
	records: Records
	rows(): readonly Row[]
	isShown(row: Row): boolean
	/** Backups have everything up to this entry of the present journal. */
	keptSeq(): number
	typing(): readonly Person[]
	here(): { users: readonly Person[]; more: number }
	/** Where the unread line stands. */
	readUpTo(): number | null
	unread(): number
	/** Files of a waiting message. */
	attachments(uploads: readonly string[]): Upload[]
	transfers(uploads: readonly string[]): readonly Transfer[]
	isOffline(): boolean
	/** Merges an answer; false: it belongs to another journal and was not used. */
	accept(page: { cursor: string }): boolean
	/** A message replied to is not here. */
	want(message: string): void
	changed(): void
	/** Could not be fetched: try again later. */
	failed(): void
}

/** The newest page with what stands around it, fetched and not yet shown. */
export interface NewestPage {
	head: Output<'getDiscussion'>
	page: Output<'listMessages'>
}

export interface OpenTimeline {
	view(): Timeline
	/** Something below has changed: the next `view` is made anew. */
	touch(): void
	/** Fetches the newest page and shows it. */
	load(): Promise<void>
	loaded(): boolean
	/** Nothing that was fetched counts any more. */
	forget(): void
	loadOlder(): Promise<void>
	loadNewer(): Promise<void>
	goTo: (place: Parameters<Client['goTo']>[1]) => ReturnType<Client['goTo']>
	/** Whether all messages of the entries from `start` to `end` (null: to the end) are known. */
	knows(start: number, end: number | null): boolean
	/** For a resync, which shows everything at one moment. */
	fetchNewest(): Promise<NewestPage | null>
	showNewest(newest: NewestPage | null): void
}

const none: readonly never[] = []
/** So often everything may be forgotten while somebody waits to go somewhere. */
const triesToGo = 3

interface Made {
	message: Message
	quoted: Message | null
	rows: readonly Row[]
	safety: Safety | null
	transfers: readonly Transfer[]
	item: TimelineItem
}

/** Opens the timeline of a discussion; nothing is loaded before it is asked for. */
export function openTimeline(discussion: string, sources: TimelineSources): OpenTimeline {
	const { call, records } = sources
	let state: 'loading' | 'ready' | 'not_found' = 'loading'
	/** Counts how often everything was forgotten. */
	let generation = 1
	let loading: { generation: number; done: Promise<void> } | null = null
	/** The end of the discussion; null while nothing is loaded. */
	let end: Part | null = null
	/** The earlier part that is shown instead. */
	let away: Part | null = null
	let jumps = 0

	let made = new Map<string, Made>()
	let settled: TimelineItem[] = []
	let builtFrom = { edits: -1, rows: none as readonly Row[], keptSeq: 0, from: before(0), to: null as Position | null }
	let current: Timeline | null = null
	let stale = true

	/** From here on the stream has brought everything. */
	const since = () => before(records.sinceOf(discussion) + 1)
	const shown = (): Part => away ?? end ?? { from: since(), to: null, above: null, below: null }

	function touch() {
		stale = true
	}

	async function fetchNewest(): Promise<NewestPage | null> {
		try {
			const [head, page] = await Promise.all([call('getDiscussion', { id: discussion }), call('listMessages', { id: discussion })])
			return { head, page }
		} catch (error) {
			if (error instanceof ApiError && error.problem.code === 'not_found') return null
			throw error
		}
	}

	function showNewest(newest: NewestPage | null) {
		if (newest && !(sources.accept(newest.head) && sources.accept(newest.page))) return
		end = newest ? endPart(newest.page, since()) : null
		away = null
		state = newest ? 'ready' : 'not_found'
		sources.changed()
	}

	function load(): Promise<void> {
		if (loading?.generation === generation) return loading.done
		const mine = generation
		const run = async () => {
			try {
				const newest = await fetchNewest()
				if (mine === generation) showNewest(newest)
			} catch {
				if (mine === generation) sources.failed()
			} finally {
				if (loading?.generation === mine) loading = null
			}
		}
		loading = { generation: mine, done: Promise.resolve() }
		loading.done = run()
		return loading.done
	}

	/** Shows this part, as one with the end where it reaches it. */
	function show(part: Part) {
		const whole = end && joined(part, end)
		if (whole) end = whole
		away = whole ? null : part
		sources.changed()
	}

	/** Fetches the page beside the shown part and adds it, unless something else is shown by then. */
	async function grow(side: 'above' | 'below', add: (part: Part, page: Page) => Part) {
		const place = shown()[side]
		if (place === null) return
		const mine = generation
		const page = await call('listMessages', { id: discussion, ...(side === 'above' ? { before: place } : { after: place }) })
		if (mine !== generation || shown()[side] !== place || !sources.accept(page)) return
		show(add(shown(), page))
	}
	const loadOlder = oneAtATime(() => grow('above', growUp))
	const loadNewer = oneAtATime(() => grow('below', growDown))

	async function goTo(place: Parameters<OpenTimeline['goTo']>[0]): Promise<string | null> {
		const jump = ++jumps
		for (let tries = 0; tries < triesToGo; tries++) {
			if (!end && place !== 'end' && state !== 'not_found') await load()
			if (jump !== jumps) return null
			const from = place === 'unread' ? sources.readUpTo() : null
			if (place === 'end') return goToEnd()
			if (state === 'not_found' || (place === 'unread' && from === null)) return null
			if (!end) throw new Unreachable('the discussion could not be fetched')
			if (place === 'unread') {
				if (covers(end, before(from! + 1), null) && !firstUnread(from!)) return null
			}
			const seq = place === 'unread' ? from! + 1 : 'seq' in place ? place.seq : null
			const target = seq === null ? undefined : messageAt(seq)
			const near = seq === null ? null : [shown(), end].find((part) => covers(part, target ?? before(seq), target ?? before(seq + 1)))
			if (near) {
				show(near)
				return found(place, from, seq!)
			}
			const mine = generation
			const where = seq === null ? { from: (place as { from: string }).from } : { around: seq }
			const page = await call('listMessages', { id: discussion, ...where })
			if (jump !== jumps) return null
			if (mine !== generation || !sources.accept(page)) continue
			const part = partOf(page)
			if (!part) return goToEnd()
			const opening = page.messages[0]
			const known = seq === null && opening && [shown(), end].find((one) => covers(one, opening))
			show(known || part)
			return seq === null ? (opening?.id ?? null) : found(place, from, seq)
		}
		throw new Unreachable('the discussion changed all the time')
	}

	function goToEnd(): string | null {
		away = null
		sources.changed()
		return build().at(-1)?.id ?? null
	}

	/** The first message of another person after this entry, as far as they are known. */
	function firstUnread(upTo: number): Message | undefined {
		const { messages } = records.messagesOf(discussion)
		const me = sources.me().id
		for (let at = indexOfPosition(messages, before(upTo + 1)); at < messages.length; at++) {
			const message = messages[at]!
			if (message.author !== me && !message.removed) return message
		}
		return undefined
	}

	function messageAt(seq: number): Message | undefined {
		const { messages } = records.messagesOf(discussion)
		const message = messages[indexOfPosition(messages, before(seq))]
		return message?.seq === seq ? message : undefined
	}

	/** The message to go to in the part that is shown now: where there is none, the nearest. */
	function found(place: unknown, readUpTo: number | null, seq: number): string | null {
		const unread = place === 'unread' ? firstUnread(readUpTo!) : undefined
		if (unread && covers(shown(), unread)) return unread.id
		const { messages } = records.messagesOf(discussion)
		const { to } = shown()
		const last = messages[(to === null ? messages.length : indexOfPosition(messages, after(to))) - 1]
		const next = messages[indexOfPosition(messages, before(seq))]
		return (next && covers(shown(), next) ? next : last)?.id ?? null
	}

	function forget() {
		generation++
		jumps++
		state = 'loading'
		end = null
		away = null
		sources.changed()
	}

	/** My commands about this discussion that the records do not show yet. */
	function pending() {
		const sends: (Row & { command: 'sendMessage' })[] = []
		const about = new Map<string, Row[]>()
		for (const row of sources.rows()) {
			if (sources.isShown(row)) continue
			if (row.command === 'sendMessage') {
				if (row.input.discussion === discussion && !records.get('messages', row.target)) sends.push(row)
			} else if (row.command !== 'startDiscussion') about.set(row.target, [...(about.get(row.target) ?? []), row])
		}
		return { sends, about }
	}

	function item(
		message: Message,
		rows: readonly Row[],
		base: Safety | null,
		storedAt: string | null,
		transfers: readonly Transfer[] = none,
	): TimelineItem {
		const quoted =
			message.replyTo === null ? null : (records.get('messages', message.replyTo) ?? made.get(message.replyTo)?.item.message ?? null)
		if (message.replyTo !== null && !quoted) sources.want(message.replyTo)
		const known = made.get(message.id)
		if (
			known &&
			sameMessage(known.message, message) &&
			known.quoted === quoted &&
			known.safety === base &&
			known.transfers === transfers &&
			sameList(known.rows, rows)
		) {
			return known.item
		}
		const bare = { id: message.id, message, safety: base, storedAt, problem: null, command: null, quoted, transfers }
		const result = overlay(bare, rows, sources.me().id)
		made.set(message.id, { message, quoted, rows, safety: base, transfers, item: result })
		return result
	}

	function stored(message: Message, rows: readonly Row[]): TimelineItem {
		const mine = message.author === sources.me().id
		return item(message, rows, mine ? (message.rev <= sources.keptSeq() ? 'kept' : 'stored') : null, mine ? message.updatedAt : null)
	}

	/** All items; where messages were only added at the end, only those are made. */
	function build(): TimelineItem[] {
		const { messages, edits } = records.messagesOf(discussion)
		const { sends, about } = pending()
		const [rows, keptSeq] = [sources.rows(), sources.keptSeq()]
		const { from, to } = shown()
		const sameWindow = samePlace(builtFrom.from, from) && samePlace(builtFrom.to, to)
		const added = sameWindow && builtFrom.edits === edits && builtFrom.rows === rows && builtFrom.keptSeq === keptSeq
		const start = indexOfPosition(messages, from)
		if (!added) settled = []
		const stop = to === null ? messages.length : indexOfPosition(messages, after(to))
		const fresh = messages.slice(start + settled.length, stop).map((message) => stored(message, about.get(message.id) ?? none))
		if (fresh.length > 0) settled = settled.concat(fresh)
		builtFrom = { edits, rows, keptSeq, from, to }
		// What waits stands at the end, wherever that is.
		if (to !== null) return settled
		const waiting = sends.map((row) => {
			const { safety, storedAt } = progressOf(row)
			const { uploads = none } = row.input
			const message = asMessage(row, sources.me().id, uploads.length > 0 ? sources.attachments(uploads) : [])
			const transfers = row.state === 'stored' ? none : sources.transfers(uploads)
			return item(message, [row, ...(about.get(row.target) ?? [])], safety, storedAt, transfers)
		})
		const items = settled.concat(waiting)
		if (made.size > 2 * items.length + 100) made = new Map(items.map(({ id }) => [id, made.get(id) as Made]))
		return items
	}

	function view(): Timeline {
		if (!stale && current) return current
		stale = false
		const start = sources.rows().find((row) => row.command === 'startDiscussion' && row.target === discussion)
		const record = records.get('discussions', discussion)
		const me = sources.me()
		const own = start?.command === 'startDiscussion' && !record ? asDiscussion(start, me.id) : null
		const topic = record ?? (own && current?.discussion?.id === own.id && current.discussion.rev === 0 ? current.discussion : own)
		const groups = (topic?.groups ?? []).map((id) => records.get('groups', id)).filter((group) => group !== undefined)
		const here = sources.here()
		const next: Timeline = {
			discussion: topic,
			groups: keepList(current?.groups, groups),
			items: keepList(current?.items, build()),
			older: shown().above !== null || (!end && !own && state !== 'not_found'),
			newer: shown().to !== null,
			readUpTo: sources.readUpTo(),
			unread: sources.unread(),
			here: keepList(current?.here, [...here.users]),
			hereMore: here.more,
			state: own ? 'ready' : state === 'loading' && sources.isOffline() ? 'offline' : state,
			typing: keepList(current?.typing, [...sources.typing()]),
			mayWriteTo: keepList(current?.mayWriteTo, topic ? writableGroups(topic, groups, me) : []),
		}
		const same = current && (Object.keys(next) as (keyof Timeline)[]).every((key) => next[key] === current?.[key])
		if (!same) current = next
		return current as Timeline
	}

	/** Whether all of these entries' messages lie in a part that is known. */
	function knows(start: number, stop: number | null): boolean {
		return [end, away].some((part) => part && covers(part, before(start), stop === null ? null : before(stop + 1)))
	}

	return { view, touch, load, loaded: () => end !== null, forget, loadOlder, loadNewer, goTo, knows, fetchNewest, showNewest }
}

/** Groups that the reader may write to; a lecturer may also write to all of them. */
function writableGroups(discussion: Discussion, groups: Group[], me: Person): (string | null)[] {
	if (discussion.status !== 'open' || discussion.removed || me.role === 'admin') return []
	return me.role === 'lecturer' ? [null, ...discussion.groups] : groups.map((group) => group.id)
}

/** Whether `cursor` lies in this journal, and where; -1 when it does not. */
export function seqIn(lineage: string | null, cursor: string | null): number {
	const place = cursor === null ? null : parseCursor(cursor)
	return place && place.lineage === lineage ? place.seq : -1
}

const samePlace = (a: Position | null, b: Position | null) => a === b || (a !== null && b !== null && a.seq === b.seq && a.id === b.id)

const sameMessage = (a: Message, b: Message) => a === b || (a.rev === 0 && b.rev === 0 && a.id === b.id)

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
	return a === b || (a.length === b.length && a.every((element, at) => element === b[at]))
}

/** The list before where the new one says the same. */
export function keepList<T, L extends readonly T[]>(before: L | undefined, next: L): L {
	return before && sameList(before, next) ? before : next
}
