/**
 * Ids that the server makes, and what ids and positions tell.
 *
 * Promises 24 hex digits, the first eight the time in seconds, so that new ids stand together
 * in every index; and that positions are opaque to everybody else.
 */
import { createHash, hash, randomBytes } from 'node:crypto'
import { fail } from './errors.ts'
import type { Position } from './storage/engine.ts'

const aheadMs = 24 * 60 * 60 * 1000

/** A new id. */
export function newId(): string {
	const seconds = Math.floor(Date.now() / 1000)
	return seconds.toString(16).padStart(8, '0') + randomBytes(8).toString('hex')
}

/** Refuses an id whose time is more than a day ahead of the server's clock. */
export function refuseFutureId(id: string): void {
	if (Number.parseInt(id.slice(0, 8), 16) * 1000 > Date.now() + aheadMs) {
		fail('id_in_future', 'The clock of this device is more than a day ahead.', { hint: 'Set its date and time, then try again.' })
	}
}

/** What a known id gives: the record when the same author sent the same body, else nothing of it. */
export function sameOrTaken<R extends { bodyHash: string }>(record: R, author: string, by: string, body: string): R {
	if (author !== by || record.bodyHash !== body) fail('id_taken', 'This id belongs to something else.')
	return record
}

/** The id of the `system` record of this name. */
export function systemId(name: string): string {
	return createHash('sha256').update(name).digest('hex').slice(0, 24)
}

/** The digest of the body that created a record: what it said, without its id. */
export function bodyHash(...body: readonly (string | null | undefined | readonly string[])[]): string {
	return hash('sha256', JSON.stringify(body.map((value) => (value === undefined ? [] : value))), 'base64url')
}

/** A place in a list, as pages name it. */
export function formatPosition({ seq, id }: { seq: number; id: string }): string {
	return `${seq}.${id}`
}

/** Reads what `formatPosition` wrote. */
export function parsePosition(text: string | undefined): Position | null {
	if (text === undefined) return null
	const match = /^(\d{1,15})\.([0-9a-f]{24})$/.exec(text)
	if (!match) fail('invalid_input', 'This place in the list is not known.', { fields: { after: 'is not a position' } })
	return { sort: null, seq: Number(match[1]), id: match[2]! }
}
