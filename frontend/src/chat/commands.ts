/**
 * What is known of a command of the outbox by looking at it alone.
 */
import type { Returned } from '../../../protocol/api.ts'
import type { NewRow, Row } from './database.ts'

const heldAtMostMs = 30 * 24 * 60 * 60 * 1000

/** How far a command has come that was just given. */
export const unsent = {
	state: 'waiting',
	seq: null,
	rev: null,
	storedAt: null,
	receipt: null,
	problem: null,
	seenRemoved: null,
	optional: false,
	tried: false,
} as const

/** The files of a message; an older version wrote none. */
export const uploadsOf = (row: NewRow): string[] => (row.command === 'sendMessage' ? (row.input.uploads ?? []) : [])

/** It was stored so long ago that it is held no more. */
export function isExpired(row: Row): boolean {
	return row.storedAt !== null && Date.now() - row.storedAt > heldAtMostMs
}

/** Its message was seen removed, or, for a removal, seen as something else than it said. */
export function isUndone(row: Row): boolean {
	return row.seenRemoved !== null && row.seenRemoved !== (row.command === 'setRemoved' ? row.input.removed : false)
}

/** Ids that must exist before the command can be done. */
export function refersTo(row: Row): string[] {
	if (row.command === 'startDiscussion') return row.input.groups
	if (row.command === 'sendMessage') return [row.input.discussion, ...(row.input.replyTo ? [row.input.replyTo] : [])]
	return [row.input.id]
}

/** The command as it is offered after a restore. */
export function returned(row: Row): Returned {
	const { command, input } = row
	return { command, input, ...(command === 'sendMessage' && row.receipt ? { receipt: row.receipt } : {}) } as Returned
}
