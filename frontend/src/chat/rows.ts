/**
 * The rows of a discussion's page: opening prompt, day separators, and messages grouped into letters.
 *
 * Pure: from a timeline to what the list renders, in its order. Rows have keys that stay the same
 * when older pages arrive, so that the reader's place can be kept.
 */
import type { Message, Person } from '../../../protocol/model.ts'
import type { Timeline, TimelineItem } from '../client.ts'
import { dayOf } from '../ui/times.ts'

export type Row =
	| { kind: 'older'; key: 'older' }
	| { kind: 'prompt'; key: 'prompt' }
	| { kind: 'day'; key: string; at: string }
	/** `first`: the writer's name, time and audience stand above it. */
	| { kind: 'message'; key: string; item: TimelineItem; first: boolean }

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
}

/**
 * Makes rows again and again for one discussion: a message that comes in at the end costs its own
 * row, however many are loaded above.
 */
export function createRows(timeZone?: string): (timeline: Pick<Timeline, 'items' | 'older'>) => Row[] {
	let rows: Row[] = []
	let steps: Step[] = []
	const dayAt = daysIn(timeZone)
	return ({ items, older }) => {
		const top: Row = older ? { kind: 'older', key: 'older' } : { kind: 'prompt', key: 'prompt' }
		let same = 0
		if (rows[0]?.key === top.key) while (same < steps.length && steps[same]?.item === items[same]) same++
		rows = rows[0]?.key === top.key ? rows.slice(0, steps[same]?.rows ?? rows.length) : [top]
		steps = steps.slice(0, same)
		for (const item of items.slice(same)) {
			const { message } = item
			const before = steps.at(-1)
			const above = rows.length
			const day = dayAt(message.createdAt)
			if (day !== before?.day) rows.push({ kind: 'day', key: `day ${day} ${item.id}`, at: message.createdAt })
			const first = day !== before?.day || !sameLetter(before.letter, message)
			rows.push({ kind: 'message', key: item.id, item, first })
			steps.push({ item, rows: above, day, letter: first ? message : before.letter })
		}
		return rows
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

/** Whether rows came in above the first message while the last stayed: the list then keeps the place from its end. */
export function grewAbove(before: Row[], after: Row[]): boolean {
	const was = before.find((row) => row.kind === 'message')
	const is = after.find((row) => row.kind === 'message')
	return (
		was !== undefined && is !== undefined && was.key !== is.key && before.at(-1)?.key === after.at(-1)?.key && after.length > before.length
	)
}

/** Messages of other people below the one last seen; all of none when that one is gone. */
export function newSince(rows: Row[], lastSeen: string | null, me: string): TimelineItem[] {
	const at = rows.findLastIndex((row) => row.key === lastSeen)
	if (at < 0) return []
	return rows.slice(at + 1).flatMap((row) => (row.kind === 'message' && row.item.message.author !== me ? [row.item] : []))
}

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
