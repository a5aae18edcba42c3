/**
 * The rows of a discussion's page: opening prompt, day separators, the unread line, and messages grouped
 * into letters.
 *
 * Pure: from a timeline to what the list renders, in its order. Rows have keys that stay the same
 * when older and newer pages arrive, so that the reader's place can be kept.
 */
import type { Message, Person } from '../../../protocol/model.ts'
import type { Timeline, TimelineItem } from '../client.ts'
import { dayOf } from '../ui/times.ts'

export type Row =
	| { kind: 'older'; key: 'older' }
	| { kind: 'prompt'; key: 'prompt' }
	| { kind: 'day'; key: string; at: string }
	/** `since`: when what stands above it was written, where that is known. */
	| { kind: 'unread'; key: 'unread'; count: number; since: string | null }
	/** `first`: the writer's name, time and audience stand above it. */
	| { kind: 'message'; key: string; item: TimelineItem; first: boolean }
	| { kind: 'newer'; key: 'newer' }

/** Where the unread line stands: above the first message of somebody else after this `seq`. */
export interface Line {
	after: number
	count: number
	me: string
}

/** What one person writes for the same readers within this time is one letter. */
export const letterMs = 5 * 60_000

/** What the rows of one message depend on, beside the message. */
interface Step {
	item: TimelineItem
	/** How many rows stand above those of the message. */
	rows: number
	day: string
	/** The first message of the letter that it is in. */
	letter: Message
	/** The unread line stands above it, or above one before it. */
	lined: boolean
}

/**
 * Makes rows again and again for one discussion: a message that comes in at the end costs its own
 * row, however many are loaded above.
 */
export function createRows(timeZone?: string): (timeline: Pick<Timeline, 'items' | 'older' | 'newer'>, line?: Line | null) => Row[] {
	let rows: Row[] = []
	let steps: Step[] = []
	let drawn: Line | null = null
	const dayAt = daysIn(timeZone)
	return ({ items, older, newer }, line = null) => {
		const top: Row = older ? { kind: 'older', key: 'older' } : { kind: 'prompt', key: 'prompt' }
		const goesOn = rows[0]?.key === top.key && line === drawn
		let same = 0
		if (goesOn) while (same < steps.length && steps[same]?.item === items[same]) same++
		rows = goesOn ? rows.slice(0, steps[same]?.rows ?? rows.length) : [top]
		steps = steps.slice(0, same)
		drawn = line
		for (const item of items.slice(same)) {
			const { message } = item
			const before = steps.at(-1)
			const above = rows.length
			const day = dayAt(message.createdAt)
			if (day !== before?.day) rows.push({ kind: 'day', key: `day ${day} ${item.id}`, at: message.createdAt })
			const lined = before?.lined === true || (line !== null && message.seq > line.after && message.author !== line.me)
			const below = lined && !before?.lined
			// Above the very first message it would say nothing, and above the first loaded one it may be untrue.
			if (below && line && before && (!older || (items[0]?.message.seq ?? 0) <= line.after))
				rows.push({ kind: 'unread', key: 'unread', count: line.count, since: before?.item.message.createdAt ?? null })
			const first = below || day !== before?.day || !sameLetter(before.letter, message)
			rows.push({ kind: 'message', key: item.id, item, first })
			steps.push({ item, rows: above, day, letter: first ? message : before.letter, lined })
		}
		return newer ? [...rows, { kind: 'newer', key: 'newer' }] : rows
	}
}

/** The day of a time; asks Intl once a quarter of an hour, since no zone begins its day within one. */
function daysIn(timeZone?: string): (at: string) => string {
	const known = new Map<number, string>()
	return (at) => {
		const quarter = Math.floor(Date.parse(at) / 900_000)
		let day = known.get(quarter)
		if (day === undefined) {
			day = dayOf(at, timeZone)
			known.set(quarter, day)
		}
		return day
	}
}

function sameLetter(first: Message, next: Message): boolean {
	const apartMs = Date.parse(next.createdAt) - Date.parse(first.createdAt)
	return first.author === next.author && first.group === next.group && apartMs >= 0 && apartMs <= letterMs
}

export interface NextRows {
	rows: Row[]
	/** They grew above: the list keeps its place from its end. */
	shift: boolean
	/** Nothing of what was there is there any more: the list begins anew. */
	replaced: boolean
}

/**
 * What the list shows next on its way from the rows that it shows to the present ones. It can keep its
 * place while rows come in at one end; where they came in at both, that takes two steps.
 */
export function nextRows(shown: Row[], now: Row[]): NextRows {
	const same = { rows: now, shift: false, replaced: false }
	const first = shown.find((row) => row.kind === 'message')
	if (shown === now || !first) return same
	const [was, is] = [shown.indexOf(first), now.findIndex((row) => row.key === first.key)]
	const last = shown.findLast((row) => row.kind === 'message') ?? first
	if (is < 0) return { ...same, replaced: !now.some((row) => row.kind === 'message' && row.key === last.key) && hasMessages(now) }
	if (is <= was) return same
	const end = now.findLastIndex((row) => row.key === last.key)
	const ended = shown.lastIndexOf(last)
	// What stood between stays in one piece: only then did the rows grow above by as many as there are more.
	if (end - is !== ended - was) return same
	if (now.length - end === shown.length - ended) return { ...same, shift: true }
	return { ...same, rows: [...now.slice(0, end + 1), ...shown.slice(ended + 1)], shift: true }
}

const hasMessages = (rows: Row[]) => rows.some((row) => row.kind === 'message')

/** What is looked at when one group is chosen: what is for it, and what is for all. */
export function forGroup(items: readonly TimelineItem[], group: string | null): TimelineItem[] {
	return items.filter(({ message }) => group === null || message.group === null || message.group === group)
}

/**
 * Up to where everything was seen, when the row at `at` is the last one in sight: nothing that is hidden
 * (by the choice of a group) counts as read. Null: nothing new.
 */
export function readUpTo(rows: Row[], at: number, hidden: readonly TimelineItem[], before: number, me: string): number | null {
	const last = rows.findLastIndex((row, index) => index <= at && row.kind === 'message' && row.item.message.rev > 0)
	const row = rows[last]
	if (row?.kind !== 'message') return null
	const unseen = hidden.find(({ message }) => message.seq > before && message.author !== me)
	const upTo = Math.min(row.item.message.seq, unseen ? unseen.message.seq - 1 : Number.MAX_SAFE_INTEGER)
	return upTo > before ? upTo : null
}

/** Messages of other people below the one last seen; all of none when that one is gone. */
export function newSince(rows: Row[], lastSeen: string | null, me: string): TimelineItem[] {
	const at = rows.findLastIndex((row) => row.key === lastSeen)
	if (at < 0) return []
	return rows.slice(at + 1).flatMap((row) => (row.kind === 'message' && row.item.message.author !== me ? [row.item] : []))
}

/** The row of a message that a key goes to from another one; null for other keys and at the ends. */
export function walk(rows: Row[], from: number, key: string): number | null {
	const isMessage = (row: Row) => row.kind === 'message'
	if (key === 'Home') return orNull(rows.findIndex(isMessage))
	const step = key === 'ArrowUp' || key === 'k' ? -1 : key === 'ArrowDown' || key === 'j' ? 1 : 0
	if (step === 0) return null
	for (let at = from + step; at >= 0 && at < rows.length; at += step) if (rows[at]?.kind === 'message') return at
	return null
}

const orNull = (at: number) => (at < 0 ? null : at)

/** My last message that may be edited: what ArrowUp in an empty composer opens. */
export function lastOfMine(items: TimelineItem[], me: string): TimelineItem | undefined {
	return items.findLast(
		(item) => item.message.author === me && !item.message.removed && item.message.text !== null && item.safety !== 'refused',
	)
}

/** How far back it is looked for who wrote. */
const looked = 500

/** Who wrote lately, the latest first. */
export function writersOf(items: TimelineItem[], people: ReadonlyMap<string, Person>): Person[] {
	const ids = new Set(
		items
			.slice(-looked)
			.map((item) => item.message.author)
			.reverse(),
	)
	return [...ids].flatMap((id) => people.get(id) ?? [])
}
