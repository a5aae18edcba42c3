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

export function rowsOf(timeline: Pick<Timeline, 'items' | 'older'>, timeZone?: string): Row[] {
	const rows: Row[] = [timeline.older ? { kind: 'older', key: 'older' } : { kind: 'prompt', key: 'prompt' }]
	let day = ''
	let letter: Message | null = null
	for (const item of timeline.items) {
		const { message } = item
		const on = dayOf(message.createdAt, timeZone)
		if (on !== day) {
			rows.push({ kind: 'day', key: `day ${on} ${item.id}`, at: message.createdAt })
			day = on
			letter = null
		}
		const first = letter === null || !sameLetter(letter, message)
		if (first) letter = message
		rows.push({ kind: 'message', key: item.id, item, first })
	}
	return rows
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

/** Who wrote in what is loaded, the latest first. */
export function writersOf(items: TimelineItem[], people: ReadonlyMap<string, Person>): Person[] {
	const ids = new Set(items.map((item) => item.message.author).reverse())
	return [...ids].flatMap((id) => people.get(id) ?? [])
}
