/**
 * What every row of the API table is made of: its shape, the closed list of errors, and what answers share.
 */
import { z } from 'zod'
import { Cursor, Id, limits, type Role } from './model.ts'

/** The closed list of error codes, each with its HTTP status. */
export const errorCodes = {
	invalid_input: 400,
	id_in_future: 400,
	group_needed: 400,
	/** It has neither words nor a file. */
	message_empty: 400,
	not_signed_in: 401,
	wrong_credentials: 401,
	account_pending: 403,
	account_rejected: 403,
	account_deactivated: 403,
	forbidden: 403,
	origin_refused: 403,
	not_found: 404,
	method_not_allowed: 405,
	id_taken: 409,
	email_taken: 409,
	/** A category with this name is there already. */
	name_taken: 409,
	group_archived: 409,
	/** The file is not known (any more), is another person's, or stands in another message. */
	upload_unknown: 409,
	already_set_up: 409,
	/** The operator restored a backup and chose that nothing comes back which was written after it. */
	returns_refused: 409,
	/** A backup or a proof is being made. */
	backup_busy: 409,
	discussion_closed: 409,
	message_removed: 409,
	last_admin: 409,
	cursor_unknown: 410,
	too_large: 413,
	unsupported_media: 415,
	/** A picture that can't be read, has too many pixels, or is not what it says. */
	picture_refused: 422,
	rate_limited: 429,
	too_many_sockets: 429,
	internal: 500,
	standby: 503,
	storage_unavailable: 503,
	outcome_unknown: 503,
	storage_full: 507,
} as const
export type ErrorCode = keyof typeof errorCodes

/** RFC 9457. `detail` is a sentence for people, `hint` the next step. */
export const Problem = z.object({
	type: z.string(),
	title: z.string(),
	status: z.int(),
	code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
	detail: z.string(),
	hint: z.string().optional(),
	/** For invalid_input: the fields, each with what is wrong. */
	fields: z.record(z.string(), z.string()).optional(),
	retryAfterSeconds: z.number().optional(),
})
export type Problem = z.infer<typeof Problem>

/** Where the reader stands: every page carries the cursor read before its query, and how far backups reach. */
export const standing = { cursor: Cursor, kept: Cursor.nullable(), released: Cursor.nullable() }
/** What a command answers beside its record: the place of its entry. */
export const done = { cursor: Cursor }
export const limit = z.coerce.number().int().min(1).max(limits.page).default(50)

/** `signedIn`: a session in any status; a role: an approved user of it. */
export type Who = 'anyone' | 'signedIn' | readonly Role[]
export const everybody = ['student', 'lecturer', 'admin'] as const
export const writers = ['student', 'lecturer'] as const
export const teachers = ['lecturer', 'admin'] as const

export interface Endpoint {
	method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
	path: string
	who: Who
	input: z.ZodObject
	output: z.ZodType
	/** Beside those that every endpoint may answer (see `commonErrors`). */
	errors: readonly ErrorCode[]
	/** `upload`: the body is the bytes of a file, and the input travels in the address. `file`: so does the answer. */
	body: 'json' | 'upload' | 'file'
}

/** What any endpoint may answer. */
export const commonErrors: readonly ErrorCode[] = [
	'invalid_input',
	'not_signed_in',
	'account_pending',
	'account_rejected',
	'account_deactivated',
	'forbidden',
	'origin_refused',
	'too_large',
	'unsupported_media',
	'rate_limited',
	'internal',
	'standby',
	'storage_unavailable',
	'outcome_unknown',
	'storage_full',
]

/** One row of the table. */
export function endpoint<I extends z.ZodObject, O extends z.ZodType>(entry: {
	method: Endpoint['method']
	path: string
	who: Who
	input: I
	output: O
	errors?: readonly ErrorCode[]
	body?: Endpoint['body']
}) {
	return { errors: [] as readonly ErrorCode[], body: 'json' as Endpoint['body'], ...entry }
}

/** Inputs that many share. */
export const nothing = z.strictObject({})
export const byId = z.strictObject({ id: Id })
