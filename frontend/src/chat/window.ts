/**
 * Which part of a discussion is known without a gap: what pages say about it, as plain data.
 *
 * Promises that a part only grows by pages that touch it, and that two parts become one only
 * where they overlap. Knows positions and never what stands at them.
 */
import type { Output } from '../../../protocol/api.ts'
import { comparePositions, type Position } from '../records.ts'

/** All messages from one place to another are known. */
export interface Part {
	from: Position
	/** Null: to the end, where the stream goes on. */
	to: Position | null
	/** What to ask for the pages beside it; null: there is none. */
	above: string | null
	below: string | null
}

export type Page = Pick<Output<'listMessages'>, 'messages' | 'older' | 'newer'>

/** Before every message. */
export const first: Position = { seq: 0, id: '' }

/** A place before all messages of this entry. */
export const before = (seq: number): Position => ({ seq, id: '' })

/** Just behind this place. */
export const after = ({ seq, id }: Position): Position => ({ seq, id: `${id} ` })

const earlier = (a: Position, b: Position) => (comparePositions(a, b) <= 0 ? a : b)
const later = (a: Position, b: Position) => (comparePositions(a, b) >= 0 ? a : b)

/** The end of a discussion: its newest page, and all that the stream has brought from `since` on. */
export function endPart({ messages, older }: Page, since: Position): Part {
	const from = older === null ? first : earlier(messages[0] ?? since, since)
	return { from, to: null, above: older, below: null }
}

/** What a page somewhere shows; null where it is empty and says nothing about a place. */
export function partOf({ messages, older, newer }: Page): Part | null {
	const [oldest, newest] = [messages[0], messages.at(-1)]
	if (!oldest || !newest) return older === null && newer === null ? { from: first, to: null, above: null, below: null } : null
	return { from: older === null ? first : oldest, to: newer === null ? null : newest, above: older, below: newer }
}

/** The part with the page above it. */
export function growUp(part: Part, { messages, older }: Page): Part {
	return { ...part, from: older === null ? first : earlier(messages[0] ?? part.from, part.from), above: older }
}

/** The part with the page below it. */
export function growDown(part: Part, { messages, newer }: Page): Part {
	if (part.to === null) return part
	return { ...part, to: newer === null ? null : later(messages.at(-1) ?? part.to, part.to), below: newer }
}

/** Both as one where the first reaches the end; else null. */
export function joined(part: Part, end: Part): Part | null {
	if (part.to !== null && comparePositions(part.to, end.from) < 0) return null
	const upper = comparePositions(part.from, end.from) <= 0 ? part : end
	return { from: upper.from, above: upper.above, to: null, below: null }
}

/** Whether everything from one entry (or place) to another lies in the part. */
export function covers({ from, to }: Part, start: Position, end: Position | null = start): boolean {
	if (comparePositions(from, start) > 0) return false
	return to === null || (end !== null && comparePositions(end, to) <= 0)
}
