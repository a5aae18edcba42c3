/**
 * The rows of the API table about what is written: messages, files, and what comes back after a restore.
 */
import { z } from 'zod'
import { StartDiscussion } from './classroom.ts'
import { byId, done, endpoint, everybody, limit, Problem, standing, writers } from './endpoint.ts'
import { Cursor, Edit, Id, limits, Message, Person, Time, text, Upload } from './model.ts'

const SendMessage = z.strictObject({
	id: Id,
	discussion: Id,
	/** Null: for all groups (lecturers). Absent: the writer's only group in the discussion. */
	group: Id.nullable().optional(),
	/** Empty only beside files. */
	text: text(limits.message, { lines: true, min: 0 }),
	/** Uploads of the writer, in the order in which they are shown. */
	uploads: z.array(Id).max(limits.attachments).default([]),
	replyTo: Id.nullable().default(null),
	writtenAt: Time,
})
const EditMessage = z.strictObject({ id: Id, edit: Id, text: text(limits.message, { lines: true, min: 0 }) })
const SetRemoved = z.strictObject({ id: Id, removed: z.boolean() })

/** What proves after a restore that a message had been stored: see `sendMessage`. */
export const Receipt = z.strictObject({ createdAt: Time, mac: z.string().regex(/^[\w-]{43}$/) })
export type Receipt = z.infer<typeof Receipt>

/** The commands that the outbox holds, by name. */
export const commands = {
	startDiscussion: StartDiscussion,
	sendMessage: SendMessage,
	editMessage: EditMessage,
	setRemoved: SetRemoved,
} as const
export type CommandName = keyof typeof commands

const Returned = z.discriminatedUnion('command', [
	z.strictObject({ command: z.literal('startDiscussion'), input: StartDiscussion }),
	z.strictObject({ command: z.literal('sendMessage'), input: SendMessage, receipt: Receipt.optional() }),
	z.strictObject({ command: z.literal('editMessage'), input: EditMessage }),
	z.strictObject({ command: z.literal('setRemoved'), input: SetRemoved }),
])

export const chat = {
	/**
	 * A page of what the reader sees, oldest first. One of: `before` or `after`, positions from an earlier page; `around`, the
	 * `seq` of a message (or where it would stand) in the middle of the page; `from`, the first message since that time at the
	 * beginning of it. None: the newest.
	 */
	listMessages: endpoint({
		method: 'GET',
		path: '/api/discussions/:id/messages',
		who: everybody,
		input: z.strictObject({
			id: Id,
			before: z.string().max(60).optional(),
			after: z.string().max(60).optional(),
			around: z.coerce.number().int().min(0).optional(),
			from: Time.optional(),
			limit,
		}),
		output: z.object({
			messages: z.array(Message),
			/** Replied-to messages outside of the page that the reader sees. */
			quoted: z.array(Message),
			users: z.array(Person),
			/** Positions of the next older and newer page; null: there is none. */
			older: z.string().nullable(),
			newer: z.string().nullable(),
			...standing,
		}),
		errors: ['not_found'],
	}),
	getMessage: endpoint({
		method: 'GET',
		path: '/api/messages/:id',
		who: everybody,
		input: byId,
		output: z.object({ message: Message, users: z.array(Person), ...standing }),
		errors: ['not_found'],
	}),
	sendMessage: endpoint({
		method: 'POST',
		path: '/api/messages',
		who: writers,
		input: SendMessage,
		output: z.object({ message: Message, receipt: Receipt, ...done }),
		errors: ['id_taken', 'id_in_future', 'not_found', 'group_needed', 'discussion_closed', 'message_empty', 'upload_unknown'],
	}),
	/** `edit` is the id, made by the browser, of the record that keeps the earlier text. */
	editMessage: endpoint({
		method: 'PATCH',
		path: '/api/messages/:id',
		who: writers,
		input: EditMessage,
		output: z.object({ message: Message, ...done }),
		errors: ['id_taken', 'id_in_future', 'not_found', 'discussion_closed', 'message_removed', 'message_empty'],
	}),
	setRemoved: endpoint({
		method: 'PUT',
		path: '/api/messages/:id/removed',
		who: writers,
		input: SetRemoved,
		output: z.object({ message: Message, ...done }),
		errors: ['not_found', 'discussion_closed'],
	}),
	listEdits: endpoint({
		method: 'GET',
		path: '/api/messages/:id/edits',
		who: writers,
		input: byId,
		output: z.object({ edits: z.array(Edit), ...standing }),
		errors: ['not_found'],
	}),
	/**
	 * Sends a file: the body is its bytes (`application/octet-stream`, with its length). Answered when it is durable. `avatar`
	 * takes pictures only. The same id with the same bytes gives the same upload.
	 */
	sendFile: endpoint({
		method: 'POST',
		path: '/api/uploads/:id',
		who: 'signedIn',
		body: 'upload',
		input: z.strictObject({ id: Id, name: text(limits.fileName), purpose: z.enum(['message', 'avatar']).default('message') }),
		output: z.object({ upload: Upload, ...done }),
		errors: ['id_taken', 'id_in_future', 'picture_refused'],
	}),
	/** The bytes of an upload, for who sees a message or avatar that names it, and its owner. Ranges and ETags work. */
	getFile: endpoint({
		method: 'GET',
		path: '/api/files/:id',
		who: 'signedIn',
		body: 'file',
		input: z.strictObject({ id: Id, download: z.stringbool().default(false) }),
		output: z.unknown(),
		errors: ['not_found'],
	}),
	/** A picture, made smaller (WebP): `small` at most 640, `large` at most 1,600 pixels a side. */
	getThumbnail: endpoint({
		method: 'GET',
		path: '/api/files/:id/:size',
		who: 'signedIn',
		body: 'file',
		input: z.strictObject({ id: Id, size: z.enum(['small', 'large']) }),
		output: z.unknown(),
		errors: ['not_found'],
	}),
	/** After a restore: commands that the browser still holds, offered again in their order, outside the rate limit. */
	offerAgain: endpoint({
		method: 'POST',
		path: '/api/returns',
		who: writers,
		input: z.strictObject({ commands: z.array(Returned).min(1).max(limits.returnsPerBatch) }),
		output: z.object({
			/** One for each command: `waiting` when its discussion or message is not known (yet). */
			results: z.array(
				z.object({
					outcome: z.enum(['done', 'waiting', 'refused']),
					cursor: Cursor.optional(),
					receipt: Receipt.optional(),
					message: Message.optional(),
					problem: Problem.optional(),
				}),
			),
		}),
	}),
}

/** One command of the outbox, as offered again. */
export type Returned = z.input<typeof Returned>
