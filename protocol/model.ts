/**
 * What the wire carries: the limits of every field, and the records as people see them.
 *
 * Promises that a string which passed a schema here is well-formed Unicode in NFC, without
 * control characters, and no longer than its limit. Never says who may see what: that is
 * backend/src/access.ts.
 */
import { z } from 'zod'

/** Every limit of the product in one place. Characters are UTF-16 units after NFC. */
export const limits = {
	name: 120,
	email: 254,
	number: 40,
	password: { min: 8, max: 200 },
	groupName: 120,
	title: 200,
	prompt: 8_000,
	message: 10_000,
	reason: 500,
	query: 100,
	description: 500,
	categoryName: 80,
	tag: 30,
	tags: 10,
	groupsPerDiscussion: 20,
	collaborators: 10,
	/** Lecturers that a student says are hers. */
	lecturersChosen: 20,
	fileName: 200,
	attachments: 10,
	/** Of one uploaded file, and of a picture. */
	uploadBytes: 25 * 1024 * 1024,
	imagePixels: 50_000_000,
	avatarBytes: 4 * 1024 * 1024,
	/** Unread messages are counted up to here. */
	unreadCounted: 999,
	/** People or members that one command is about. */
	people: 100,
	page: 100,
	returnsPerBatch: 50,
	bodyBytes: 256 * 1024,
	sessionsPerUser: 50,
	socketsPerUser: 20,
} as const

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the point
const controls = { line: /[\u0000-\u001f\u007f-\u009f]/, lines: /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/ }

/** Text of `min` to `max` characters: NFC, trimmed, well-formed, no control characters but (with `lines`) tab and newline. */
export function text(max: number, options: { min?: number; lines?: boolean } = {}) {
	const forbidden = options.lines ? controls.lines : controls.line
	return z
		.string()
		.normalize('NFC')
		.trim()
		.min(options.min ?? 1)
		.max(max)
		.refine((value) => value.isWellFormed(), 'has half of a character pair')
		.refine((value) => !forbidden.test(value), 'has a control character')
}

/** An id: 24 hex digits, the first eight its time in seconds (an ObjectId). */
export const Id = z.string().regex(/^[0-9a-f]{24}$/, 'is not an id')
export const Time = z.iso.datetime({ precision: 3 })
/** `<lineage>:<seq>`: a place in a journal. */
export const Cursor = z.string().regex(/^[0-9a-f]{24}:\d{1,15}$/, 'is not a cursor')
export const Role = z.enum(['student', 'lecturer', 'admin'])
export const Status = z.enum(['pending', 'approved', 'rejected', 'deactivated'])
export const Email = z.string().normalize('NFC').trim().max(limits.email).pipe(z.email())
export const Password = z
	.string()
	.normalize('NFC')
	.min(limits.password.min)
	.max(limits.password.max)
	.refine((value) => value.isWellFormed(), 'has half of a character pair')

/** What every record has: `seq` is the entry that created it (order), `rev` the one that last wrote it (merging). */
const base = { id: Id, seq: z.int(), rev: z.int(), createdAt: Time, updatedAt: Time }

/**
 * A user as a reader sees her: everybody the first fields, lecturers also `number`, admins and she herself all.
 * One whose data was erased has `erased` and no name of her own.
 */
export const Person = z.object({
	id: Id,
	seq: z.int(),
	rev: z.int(),
	name: text(limits.name),
	role: Role,
	/** The upload with her picture. */
	avatar: Id.nullable(),
	erased: z.literal(true).optional(),
	number: text(limits.number).nullable().optional(),
	/** Of a student: her lecturers, as she chose them. */
	lecturers: z.array(Id).optional(),
	email: Email.optional(),
	status: Status.optional(),
	reason: text(limits.reason).nullable().optional(),
	createdAt: Time.optional(),
	decidedAt: Time.nullable().optional(),
})

export const Group = z.object({
	...base,
	name: text(limits.groupName),
	description: text(limits.description, { lines: true, min: 0 }),
	createdBy: Id,
	/** An archived group keeps its members and discussions, and gets no new ones. */
	status: z.enum(['active', 'archived']),
})

/** What discussions are sorted under. An archived one stays with its discussions, and gets no new ones. */
export const Category = z.object({ ...base, name: text(limits.categoryName), createdBy: Id, status: z.enum(['active', 'archived']) })

/** That a user belongs to a group: a student learns in it, a lecturer teaches it. */
export const Membership = z.object({ ...base, group: Id, user: Id })

export const DiscussionStatus = z.enum(['open', 'closed', 'archived'])

export const Discussion = z.object({
	...base,
	title: text(limits.title),
	prompt: text(limits.prompt, { lines: true, min: 0 }),
	createdBy: Id,
	groups: z.array(Id).min(1).max(limits.groupsPerDiscussion),
	category: Id.nullable(),
	tags: z.array(text(limits.tag)).max(limits.tags),
	/** Lecturers who lead it beside the one who started it. */
	collaborators: z.array(Id).max(limits.collaborators),
	/** The entry that last changed who may see it. */
	scopeRev: z.int(),
	/** A closed or archived one can be read and not written to; an archived one stands apart. */
	status: DiscussionStatus,
	/** While it is removed only its lecturers see it. */
	removed: z.object({ at: Time, by: Id }).nullable(),
})

/** A file that was sent: its type is told from its bytes, its name is its sender's. Never changes. */
export const Upload = z.object({
	id: Id,
	kind: z.enum(['image', 'audio', 'file']),
	name: text(limits.fileName),
	/** Media type. */
	type: z.string().max(100),
	sizeBytes: z.int(),
	/** Of a picture, as it is shown. */
	width: z.int().nullable(),
	height: z.int().nullable(),
})

export const Message = z.object({
	...base,
	discussion: Id,
	author: Id,
	/** Whom it is for: a group of the discussion, or null for all of them (lecturers only). */
	group: Id.nullable(),
	/** Null when it was removed and the reader may not put it back; empty only beside attachments. */
	text: text(limits.message, { lines: true, min: 0 }).nullable(),
	/** None when it was removed and the reader may not put it back. */
	attachments: z.array(Upload).max(limits.attachments),
	replyTo: Id.nullable(),
	/** The writer's device's time: a claim. */
	writtenAt: Time,
	/** When it was last edited, and how often. */
	editedAt: Time.nullable(),
	edits: z.int(),
	removed: z.object({ at: Time, by: Id }).nullable(),
	/** True when it came back from its writer's browser after a restore. */
	returned: z.boolean(),
})

/** An earlier text of a message, kept when it was edited. */
export const Edit = z.object({ ...base, message: Id, author: Id, text: text(limits.message, { lines: true, min: 0 }) })

/** How far somebody has read in a discussion: up to the message with this `seq`. Only for herself; it never goes back. */
export const Read = z.object({ ...base, user: Id, discussion: Id, upTo: z.int() })

/** That an admin looked into a discussion, from `createdAt` to `expiresAt`, and why. Never removed. */
export const Inspection = z.object({ ...base, discussion: Id, admin: Id, reason: text(limits.reason), expiresAt: Time })

/** How many messages there are, and how many of them were removed. */
export const Totals = z.object({ messages: z.int(), removed: z.int() })

export const Session = z.object({
	id: Id,
	createdAt: Time,
	/** What the browser calls itself, shortened. */
	device: z.string().max(200),
	current: z.boolean(),
	expiresAt: Time,
})

export type Role = z.infer<typeof Role>
export type Status = z.infer<typeof Status>
export type Person = z.infer<typeof Person>
export type Group = z.infer<typeof Group>
export type Membership = z.infer<typeof Membership>
export type Category = z.infer<typeof Category>
export type Discussion = z.infer<typeof Discussion>
export type DiscussionStatus = z.infer<typeof DiscussionStatus>
export type Upload = z.infer<typeof Upload>
export type Read = z.infer<typeof Read>
export type Inspection = z.infer<typeof Inspection>
export type Message = z.infer<typeof Message>
export type Edit = z.infer<typeof Edit>
export type Totals = z.infer<typeof Totals>
export type Session = z.infer<typeof Session>

/** The collections that pages and the live stream carry, each with the shape a reader gets. */
export interface Published {
	users: Person
	groups: Group
	memberships: Membership
	categories: Category
	discussions: Discussion
	messages: Message
	reads: Read
}
export type PublishedName = keyof Published

/** A place in a journal, or null when it is not one. */
export function parseCursor(cursor: string): { lineage: string; seq: number } | null {
	const match = /^([0-9a-f]{24}):(\d{1,15})$/.exec(cursor)
	return match ? { lineage: match[1] as string, seq: Number(match[2]) } : null
}

/** A place in a journal as pages and the stream name it. */
export function formatCursor(lineage: string, seq: number): string {
	return `${lineage}:${seq}`
}
