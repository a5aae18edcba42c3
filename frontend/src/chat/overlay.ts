/**
 * What my commands will make of messages and discussions once the server has them.
 *
 * Promises only to look like the record that will come; plain functions on plain data.
 */
import type { Discussion, Message, Upload } from '../../../protocol/model.ts'
import type { Safety, TimelineItem } from '../client.ts'
import type { Row } from './database.ts'

/** Beside a waiting message, which has no place yet. */
export const notYet = Number.MAX_SAFE_INTEGER

/** What the commands that wait would make of a message. */
export function overlay(item: TimelineItem, rows: readonly Row[], me: string): TimelineItem {
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

/** How far a command has come, as its message shows it. */
export function progressOf(row: Row): { safety: Safety; storedAt: string | null } {
	if (row.state !== 'stored') return { safety: row.state === 'waiting' ? 'device' : 'refused', storedAt: null }
	return { safety: 'stored', storedAt: row.storedAt === null ? null : new Date(row.storedAt).toISOString() }
}

/** A message that waits to be sent. */
export function asMessage({ input, target }: Row & { command: 'sendMessage' }, me: string, attachments: Upload[]): Message {
	const { discussion, group = null, text, replyTo, writtenAt } = input
	return {
		...{ id: target, seq: notYet, rev: 0, createdAt: writtenAt, updatedAt: writtenAt },
		...{ discussion, author: me, group, text, attachments, replyTo, writtenAt },
		...{ editedAt: null, edits: 0, removed: null, returned: false },
	}
}

/** A discussion that waits to be started. */
export function asDiscussion({ input, target }: Row & { command: 'startDiscussion' }, me: string): Discussion {
	const at = timeOfId(target)
	const { title, prompt, groups, category = null, tags = [], collaborators = [] } = input
	return {
		...{ id: target, seq: notYet, rev: 0, createdAt: at, updatedAt: at },
		...{ title, prompt, createdBy: me, groups, category, tags, collaborators },
		...{ scopeRev: 0, status: 'open', removed: null },
	}
}

const timeOfId = (id: string) => new Date(Number.parseInt(id.slice(0, 8), 16) * 1000).toISOString()
