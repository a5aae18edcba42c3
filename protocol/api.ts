/**
 * The HTTP API as a table: name, method, path, input, output, who may call, error codes.
 *
 * The server registers its routes from it and the browser calls from it. `input` is one flat
 * object: what the path names travels in the path, the rest in the query (GET, DELETE) or the
 * JSON body. Every 2xx of a command means: durable on the server's disk.
 */
import { z } from 'zod'
import {
	Cursor,
	Discussion,
	Edit,
	Email,
	Group,
	Id,
	limits,
	Membership,
	Message,
	Password,
	Person,
	type Role,
	Session,
	Status,
	Time,
	Totals,
	text,
} from './model.ts'

/** The closed list of error codes, each with its HTTP status. */
export const errorCodes = {
	invalid_input: 400,
	id_in_future: 400,
	group_needed: 400,
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
	already_set_up: 409,
	discussion_closed: 409,
	message_removed: 409,
	last_admin: 409,
	cursor_unknown: 410,
	too_large: 413,
	unsupported_media: 415,
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
const standing = { cursor: Cursor, kept: Cursor.nullable(), released: Cursor.nullable() }
/** What a command answers beside its record: the place of its entry. */
const done = { cursor: Cursor }
const limit = z.coerce.number().int().min(1).max(limits.page).default(50)

/** `signedIn`: a session in any status; a role: an approved user of it. */
export type Who = 'anyone' | 'signedIn' | readonly Role[]
const everybody = ['student', 'lecturer', 'admin'] as const
const writers = ['student', 'lecturer'] as const
const teachers = ['lecturer', 'admin'] as const

export interface Endpoint {
	method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
	path: string
	who: Who
	input: z.ZodObject
	output: z.ZodType
	/** Beside those that every endpoint may answer (see `commonErrors`). */
	errors: readonly ErrorCode[]
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

function endpoint<I extends z.ZodObject, O extends z.ZodType>(entry: {
	method: Endpoint['method']
	path: string
	who: Who
	input: I
	output: O
	errors?: readonly ErrorCode[]
}) {
	return { errors: [] as readonly ErrorCode[], ...entry }
}

const nothing = z.strictObject({})
const byId = z.strictObject({ id: Id })

const StartDiscussion = z.strictObject({
	id: Id,
	title: text(limits.title),
	prompt: text(limits.prompt, { lines: true, min: 0 }),
	groups: z.array(Id).min(1).max(limits.groupsPerDiscussion),
})
const SendMessage = z.strictObject({
	id: Id,
	discussion: Id,
	/** Null: for all groups (lecturers). Absent: the writer's only group in the discussion. */
	group: Id.nullable().optional(),
	text: text(limits.message, { lines: true }),
	replyTo: Id.nullable().default(null),
	writtenAt: Time,
})
const EditMessage = z.strictObject({ id: Id, edit: Id, text: text(limits.message, { lines: true }) })
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

export const api = {
	/** What a stranger may know: whether the first admin exists. */
	status: endpoint({ method: 'GET', path: '/api/status', who: 'anyone', input: nothing, output: z.object({ setUp: z.boolean() }) }),
	/** Makes the first admin with the one-time link's token, and signs her in. */
	setUp: endpoint({
		method: 'POST',
		path: '/api/setup',
		who: 'anyone',
		input: z.strictObject({ token: z.string().max(100), name: text(limits.name), email: Email, password: Password }),
		output: z.object({ me: Person, ...done }),
		errors: ['already_set_up', 'wrong_credentials', 'email_taken'],
	}),
	/** Idempotent by e-mail: the same person with the same password gets the current record. Signs in. */
	register: endpoint({
		method: 'POST',
		path: '/api/registrations',
		who: 'anyone',
		input: z.strictObject({
			role: z.enum(writers),
			name: text(limits.name),
			email: Email,
			number: text(limits.number).nullable().default(null),
			password: Password,
		}),
		output: z.object({ me: Person, ...done }),
		errors: ['email_taken'],
	}),
	signIn: endpoint({
		method: 'POST',
		path: '/api/sessions',
		who: 'anyone',
		input: z.strictObject({ email: Email, password: z.string().max(limits.password.max) }),
		output: z.object({ me: Person, ...done }),
		errors: ['wrong_credentials'],
	}),
	signOut: endpoint({ method: 'DELETE', path: '/api/sessions/current', who: 'signedIn', input: nothing, output: z.object({}) }),
	listSessions: endpoint({
		method: 'GET',
		path: '/api/sessions',
		who: 'signedIn',
		input: nothing,
		output: z.object({ sessions: z.array(Session) }),
	}),
	endSession: endpoint({
		method: 'DELETE',
		path: '/api/sessions/:id',
		who: 'signedIn',
		input: byId,
		output: z.object({}),
		errors: ['not_found'],
	}),
	/** Who I am; the cursor from which the browser begins to listen. `now` is the server's clock. */
	me: endpoint({
		method: 'GET',
		path: '/api/me',
		who: 'signedIn',
		input: nothing,
		output: z.object({ me: Person, now: Time, ...standing }),
	}),

	listUsers: endpoint({
		method: 'GET',
		path: '/api/users',
		who: ['admin'],
		input: z.strictObject({ status: Status.optional(), query: text(limits.query).optional(), after: z.string().max(60).optional(), limit }),
		output: z.object({ users: z.array(Person), next: z.string().nullable(), ...standing }),
	}),
	/** Approve, reject (with a reason), deactivate; `pending` lets her wait again: it undoes a decision. */
	setStatus: endpoint({
		method: 'PUT',
		path: '/api/users/:id/status',
		who: ['admin'],
		input: z.strictObject({
			id: Id,
			status: Status,
			reason: text(limits.reason).nullable().default(null),
		}),
		output: z.object({ user: Person, ...done }),
		errors: ['not_found', 'last_admin'],
	}),
	/** Approved students and lecturers whose name has a word that begins so, to be put into groups. */
	findPeople: endpoint({
		method: 'GET',
		path: '/api/people',
		who: teachers,
		input: z.strictObject({ query: text(limits.query), limit }),
		output: z.object({ users: z.array(Person), ...standing }),
	}),

	listGroups: endpoint({
		method: 'GET',
		path: '/api/groups',
		who: everybody,
		input: nothing,
		output: z.object({ groups: z.array(Group), ...standing }),
	}),
	createGroup: endpoint({
		method: 'POST',
		path: '/api/groups',
		who: teachers,
		input: z.strictObject({ id: Id, name: text(limits.groupName) }),
		output: z.object({ group: Group, ...done }),
		errors: ['id_taken', 'id_in_future'],
	}),
	renameGroup: endpoint({
		method: 'PATCH',
		path: '/api/groups/:id',
		who: teachers,
		input: z.strictObject({ id: Id, name: text(limits.groupName) }),
		output: z.object({ group: Group, ...done }),
		errors: ['not_found'],
	}),
	listMembers: endpoint({
		method: 'GET',
		path: '/api/groups/:id/members',
		who: teachers,
		input: z.strictObject({ id: Id, after: z.string().max(60).optional(), limit }),
		output: z.object({ memberships: z.array(Membership), users: z.array(Person), next: z.string().nullable(), ...standing }),
		errors: ['not_found'],
	}),
	addMember: endpoint({
		method: 'PUT',
		path: '/api/groups/:id/members/:user',
		who: teachers,
		input: z.strictObject({ id: Id, user: Id }),
		output: z.object({ membership: Membership, ...done }),
		errors: ['not_found'],
	}),
	removeMember: endpoint({
		method: 'DELETE',
		path: '/api/groups/:id/members/:user',
		who: teachers,
		input: z.strictObject({ id: Id, user: Id }),
		output: z.object(done),
		errors: ['not_found'],
	}),

	/** All that the reader sees, newest first. `totals`: how many messages of each she sees; none while they are being counted anew. */
	listDiscussions: endpoint({
		method: 'GET',
		path: '/api/discussions',
		who: writers,
		input: z.strictObject({ after: z.string().max(60).optional(), limit }),
		output: z.object({
			discussions: z.array(Discussion),
			totals: z.record(Id, Totals),
			users: z.array(Person),
			next: z.string().nullable(),
			...standing,
		}),
	}),
	getDiscussion: endpoint({
		method: 'GET',
		path: '/api/discussions/:id',
		who: writers,
		input: byId,
		output: z.object({ discussion: Discussion, groups: z.array(Group), users: z.array(Person), ...standing }),
		errors: ['not_found'],
	}),
	startDiscussion: endpoint({
		method: 'POST',
		path: '/api/discussions',
		who: ['lecturer'],
		input: StartDiscussion,
		output: z.object({ discussion: Discussion, ...done }),
		errors: ['id_taken', 'id_in_future', 'not_found'],
	}),
	editDiscussion: endpoint({
		method: 'PATCH',
		path: '/api/discussions/:id',
		who: ['lecturer'],
		input: z.strictObject({
			id: Id,
			title: text(limits.title).optional(),
			prompt: text(limits.prompt, { lines: true, min: 0 }).optional(),
			groups: z.array(Id).min(1).max(limits.groupsPerDiscussion).optional(),
			status: z.enum(['open', 'closed']).optional(),
		}),
		output: z.object({ discussion: Discussion, ...done }),
		errors: ['not_found'],
	}),

	/** A page of what the reader sees, oldest first. `before` and `after` are positions from an earlier page; none: the newest. */
	listMessages: endpoint({
		method: 'GET',
		path: '/api/discussions/:id/messages',
		who: writers,
		input: z.strictObject({ id: Id, before: z.string().max(60).optional(), after: z.string().max(60).optional(), limit }),
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
		who: writers,
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
		errors: ['id_taken', 'id_in_future', 'not_found', 'group_needed', 'discussion_closed'],
	}),
	/** `edit` is the id, made by the browser, of the record that keeps the earlier text. */
	editMessage: endpoint({
		method: 'PATCH',
		path: '/api/messages/:id',
		who: writers,
		input: EditMessage,
		output: z.object({ message: Message, ...done }),
		errors: ['id_taken', 'id_in_future', 'not_found', 'discussion_closed', 'message_removed'],
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
} satisfies Record<string, Endpoint>

export type Api = typeof api
export type ApiName = keyof Api
/** What a caller writes (before defaults), and what comes back. */
export type Input<N extends ApiName> = z.input<Api[N]['input']>
export type ParsedInput<N extends ApiName> = z.output<Api[N]['input']>
export type Output<N extends ApiName> = z.output<Api[N]['output']>
/** One command of the outbox, as offered again. */
export type Returned = z.input<typeof Returned>
