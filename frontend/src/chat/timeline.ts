/**
 * One discussion as its reader sees it: the server's messages, and over them what her own
 * outbox is still about to do.
 *
 * Promises that a message is there once, from the moment it was sent: as a waiting command,
 * as a record, or as a command just stored whose record is on its way. Snapshots are
 * immutable, and an item keeps its identity until something in it changes.
 */
import type { Output } from '../../../protocol/api.ts'
import { type Discussion, type Group, type Message, type Person, parseCursor } from '../../../protocol/model.ts'
import type { Call } from '../api.ts'
import { ApiError, type Safety, type Timeline, type TimelineItem } from '../client.ts'
import { oneAtATime } from '../once.ts'
import { comparePositions, indexOfPosition, type Position, type Records } from '../records.ts'
import type { Row } from './database.ts'

/** What a timeline is made of. */
export interface TimelineSources {
	me(): Person
	call: Call
	records: Records
	rows(): readonly Row[]
	isShown(row: Row): boolean
	/** Backups have everything up to this entry of the present journal. */
	keptSeq(): number
	typing(): Person[]
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
	/** For a resync, which shows everything at one moment. */
	fetchNewest(): Promise<NewestPage | null>
	showNewest(newest: NewestPage | null): void
}

/** Beside a waiting message, which has no place yet. */
const notYet = Number.MAX_SAFE_INTEGER
const none: readonly never[] = []
const first: Position = { seq: 0, id: '' }

interface Made {
	message: Message
	quoted: Message | null
	rows: readonly Row[]
	safety: Safety | null
	item: TimelineItem
}

/** Opens the timeline of a discussion; nothing is loaded before it is asked for. */
export function openTimeline(discussion: string, sources: TimelineSources): OpenTimeline {
	const { call, records } = sources
	let state: 'loading' | 'ready' | 'not_found' = 'loading'
	let isLoaded = false
	/** Counts how often everything was forgotten, and which of these is being loaded. */
	let generation = 1
	let loading = 0
	/** Where the page above begins; null: there is none. */
	let above: string | null = null
	/** From here on everything is known: by pages, or because the stream has brought it. */
	let from: Position = wholeSince()

	let made = new Map<string, Made>()
	let settled: TimelineItem[] = []
	let builtFrom = { edits: -1, rows: none as readonly Row[], keptSeq: 0, from }
	let current: Timeline | null = null
	let stale = true

	function wholeSince(): Position {
		return { seq: records.sinceOf(discussion) + 1, id: '' }
	}

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
		isLoaded = newest !== null
		state = newest ? 'ready' : 'not_found'
		above = newest?.page.older ?? null
		const oldest = newest?.page.messages[0]
		if (above === null) from = first
		else if (oldest && comparePositions(oldest, wholeSince()) < 0) from = oldest
		else from = wholeSince()
		sources.changed()
	}

	async function load() {
		if (loading === generation) return
		const mine = generation
		loading = mine
		try {
			const newest = await fetchNewest()
			if (mine === generation) showNewest(newest)
		} catch {
			if (mine === generation) sources.failed()
		} finally {
			if (loading === mine) loading = 0
		}
	}

	const loadOlder = oneAtATime(async () => {
		const before = above
		if (before === null) return
		const mine = generation
		const page = await call('listMessages', { id: discussion, before })
		// Meanwhile everything may have been forgotten: then this is not what is above the page that is shown.
		if (mine !== generation || !sources.accept(page)) return
		above = page.older
		from = above === null ? first : (page.messages[0] ?? from)
		sources.changed()
	})

	function forget() {
		generation++
		isLoaded = false
		state = 'loading'
		above = null
		from = wholeSince()
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

	function item(message: Message, rows: readonly Row[], base: Safety | null, storedAt: string | null): TimelineItem {
		const quoted =
			message.replyTo === null ? null : (records.get('messages', message.replyTo) ?? made.get(message.replyTo)?.item.message ?? null)
		if (message.replyTo !== null && !quoted) sources.want(message.replyTo)
		const before = made.get(message.id)
		if (
			before &&
			sameMessage(before.message, message) &&
			before.quoted === quoted &&
			before.safety === base &&
			sameList(before.rows, rows)
		) {
			return before.item
		}
		const result = overlay({ id: message.id, message, safety: base, storedAt, problem: null, command: null, quoted }, rows, sources.me().id)
		made.set(message.id, { message, quoted, rows, safety: base, item: result })
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
		const added = builtFrom.edits === edits && builtFrom.rows === rows && builtFrom.keptSeq === keptSeq && builtFrom.from === from
		const start = indexOfPosition(messages, from)
		if (!added) settled = []
		const fresh = messages.slice(start + settled.length).map((message) => stored(message, about.get(message.id) ?? none))
		if (fresh.length > 0) settled = settled.concat(fresh)
		builtFrom = { edits, rows, keptSeq, from }
		const waiting = sends.map((row) => {
			const { safety, storedAt } = progressOf(row)
			return item(asMessage(row, sources.me().id), [row, ...(about.get(row.target) ?? [])], safety, storedAt)
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
		const shown = record ?? (own && current?.discussion?.id === own.id && current.discussion.rev === 0 ? current.discussion : own)
		const groups = (shown?.groups ?? []).map((id) => records.get('groups', id)).filter((group) => group !== undefined)
		const next: Timeline = {
			discussion: shown,
			groups: keepList(current?.groups, groups),
			items: keepList(current?.items, build()),
			older: above !== null || (!isLoaded && !own && state !== 'not_found'),
			state: own ? 'ready' : state === 'loading' && sources.isOffline() ? 'offline' : state,
			typing: keepList(current?.typing, sources.typing()),
			mayWriteTo: keepList(current?.mayWriteTo, shown ? writableGroups(shown, groups, me) : []),
		}
		const same = current && (Object.keys(next) as (keyof Timeline)[]).every((key) => next[key] === current?.[key])
		if (!same) current = next
		return current as Timeline
	}

	return { view, touch, load, loaded: () => isLoaded, forget, loadOlder, fetchNewest, showNewest }
}

/** Groups that the reader may write to; a lecturer may also write to all of them. */
function writableGroups(discussion: Discussion, groups: Group[], me: Person): (string | null)[] {
	if (discussion.status === 'closed' || me.role === 'admin') return []
	return me.role === 'lecturer' ? [null, ...discussion.groups] : groups.map((group) => group.id)
}

/** What the commands that wait would make of a message. */
function overlay(item: TimelineItem, rows: readonly Row[], me: string): TimelineItem {
	let { message, safety, storedAt, problem, command } = item
	for (const row of rows) {
		if (row.command === 'editMessage') {
			message = { ...message, text: row.input.text, editedAt: timeOfId(row.input.edit), edits: message.edits + 1 }
		} else if (row.command === 'setRemoved' && row.state !== 'refused') {
			message = { ...message, removed: row.input.removed ? { at: message.updatedAt, by: me } : null }
		}
		if (row.state === 'refused') ({ problem, number: command } = row)
		if (safety !== 'refused') ({ safety, storedAt } = progressOf(row))
	}
	return { ...item, message, safety, storedAt, problem, command }
}

function progressOf(row: Row): { safety: Safety; storedAt: string | null } {
	if (row.state !== 'stored') return { safety: row.state === 'waiting' ? 'device' : 'refused', storedAt: null }
	return { safety: 'stored', storedAt: row.storedAt === null ? null : new Date(row.storedAt).toISOString() }
}

function asMessage({ input, target }: Row & { command: 'sendMessage' }, me: string): Message {
	const { discussion, group = null, text, replyTo, writtenAt } = input
	return {
		...{
			id: target,
			seq: notYet,
			rev: 0,
			createdAt: writtenAt,
			updatedAt: writtenAt,
			discussion,
			author: me,
			group,
			text,
			replyTo,
			writtenAt,
		},
		...{ editedAt: null, edits: 0, removed: null, returned: false },
	}
}

/** A discussion that waits to be started. */
export function asDiscussion({ input, target }: Row & { command: 'startDiscussion' }, me: string): Discussion {
	const at = timeOfId(target)
	const { title, prompt, groups } = input
	return {
		id: target,
		seq: notYet,
		rev: 0,
		createdAt: at,
		updatedAt: at,
		title,
		prompt,
		createdBy: me,
		groups,
		scopeRev: 0,
		status: 'open',
	}
}

const timeOfId = (id: string) => new Date(Number.parseInt(id.slice(0, 8), 16) * 1000).toISOString()

/** Whether `cursor` lies in this journal, and where; -1 when it does not. */
export function seqIn(lineage: string | null, cursor: string | null): number {
	const place = cursor === null ? null : parseCursor(cursor)
	return place && place.lineage === lineage ? place.seq : -1
}

const sameMessage = (a: Message, b: Message) => a === b || (a.rev === 0 && b.rev === 0 && a.id === b.id)

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
	return a === b || (a.length === b.length && a.every((element, at) => element === b[at]))
}

/** The list before where the new one says the same. */
export function keepList<T, L extends readonly T[]>(before: L | undefined, next: L): L {
	return before && sameList(before, next) ? before : next
}
