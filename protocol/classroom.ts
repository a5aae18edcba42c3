/**
 * The rows of the API table about the classroom: who is in which group, categories, discussions.
 */
import { z } from 'zod'
import { byId, done, endpoint, everybody, limit, nothing, standing, teachers, writers } from './endpoint.ts'
import {
	Category,
	Discussion,
	DiscussionStatus,
	Group,
	Id,
	Inspection,
	limits,
	Membership,
	Message,
	Person,
	Read,
	Totals,
	text,
} from './model.ts'

export const StartDiscussion = z.strictObject({
	id: Id,
	title: text(limits.title),
	prompt: text(limits.prompt, { lines: true, min: 0 }),
	groups: z.array(Id).min(1).max(limits.groupsPerDiscussion),
	category: Id.nullable().default(null),
	tags: z.array(text(limits.tag)).max(limits.tags).default([]),
	collaborators: z.array(Id).max(limits.collaborators).default([]),
})

export const classroom = {
	/**
	 * Approved students and lecturers whose name or number has a word that begins so, to be put into groups. `mine`: students
	 * who chose this lecturer, also without a query. `role`: only these.
	 */
	findPeople: endpoint({
		method: 'GET',
		path: '/api/people',
		who: teachers,
		input: z.strictObject({
			query: text(limits.query).optional(),
			mine: z.stringbool().default(false),
			role: z.enum(writers).optional(),
			after: z.string().max(60).optional(),
			limit,
		}),
		output: z.object({ users: z.array(Person), next: z.string().nullable(), ...standing }),
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
		input: z.strictObject({
			id: Id,
			name: text(limits.groupName),
			description: text(limits.description, { lines: true, min: 0 }).default(''),
		}),
		output: z.object({ group: Group, ...done }),
		errors: ['id_taken', 'id_in_future'],
	}),
	editGroup: endpoint({
		method: 'PATCH',
		path: '/api/groups/:id',
		who: teachers,
		input: z.strictObject({
			id: Id,
			name: text(limits.groupName).optional(),
			description: text(limits.description, { lines: true, min: 0 }).optional(),
			status: z.enum(['active', 'archived']).optional(),
		}),
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
		errors: ['not_found', 'group_archived'],
	}),
	/** Many at once, in one step; those who can't be members are left out. */
	addMembers: endpoint({
		method: 'POST',
		path: '/api/groups/:id/members',
		who: teachers,
		input: z.strictObject({ id: Id, users: z.array(Id).min(1).max(limits.people) }),
		output: z.object({ memberships: z.array(Membership), users: z.array(Person), ...done }),
		errors: ['not_found', 'group_archived'],
	}),
	removeMember: endpoint({
		method: 'DELETE',
		path: '/api/groups/:id/members/:user',
		who: teachers,
		input: z.strictObject({ id: Id, user: Id }),
		output: z.object(done),
		errors: ['not_found'],
	}),

	listCategories: endpoint({
		method: 'GET',
		path: '/api/categories',
		who: everybody,
		input: nothing,
		output: z.object({ categories: z.array(Category), ...standing }),
	}),
	createCategory: endpoint({
		method: 'POST',
		path: '/api/categories',
		who: teachers,
		input: z.strictObject({ id: Id, name: text(limits.categoryName) }),
		output: z.object({ category: Category, ...done }),
		errors: ['id_taken', 'id_in_future', 'name_taken'],
	}),
	/** By who made it, or an admin. */
	editCategory: endpoint({
		method: 'PATCH',
		path: '/api/categories/:id',
		who: teachers,
		input: z.strictObject({ id: Id, name: text(limits.categoryName).optional(), status: z.enum(['active', 'archived']).optional() }),
		output: z.object({ category: Category, ...done }),
		errors: ['not_found', 'name_taken'],
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
			/** How many messages of others came after what she read, where that is known: at most `limits.unreadCounted`. */
			unread: z.record(Id, z.int()),
			/** The newest message of each that she sees. */
			latest: z.array(Message),
			reads: z.array(Read),
			users: z.array(Person),
			next: z.string().nullable(),
			...standing,
		}),
	}),
	getDiscussion: endpoint({
		method: 'GET',
		path: '/api/discussions/:id',
		who: everybody,
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
		errors: ['id_taken', 'id_in_future', 'not_found', 'group_archived'],
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
			category: Id.nullable().optional(),
			tags: z.array(text(limits.tag)).max(limits.tags).optional(),
			collaborators: z.array(Id).max(limits.collaborators).optional(),
			status: DiscussionStatus.optional(),
			removed: z.boolean().optional(),
		}),
		output: z.object({ discussion: Discussion, ...done }),
		errors: ['not_found', 'group_archived'],
	}),
	/** Every discussion by its title, newest first, for who looks after the school; found by the beginnings of its words. */
	listAllDiscussions: endpoint({
		method: 'GET',
		path: '/api/admin/discussions',
		who: ['admin'],
		input: z.strictObject({ query: text(limits.query).optional(), after: z.string().max(60).optional(), limit }),
		output: z.object({
			/** Not whole discussions. */
			titles: z.array(
				Discussion.pick({ id: true, title: true, createdAt: true, createdBy: true, groups: true, status: true, removed: true }),
			),
			users: z.array(Person),
			next: z.string().nullable(),
			...standing,
		}),
	}),
	/** Lets an admin read a discussion for an hour. Who looked, when and why stays on record, for its lecturers too. */
	inspect: endpoint({
		method: 'POST',
		path: '/api/discussions/:discussion/inspections',
		who: ['admin'],
		input: z.strictObject({ id: Id, discussion: Id, reason: text(limits.reason) }),
		output: z.object({ inspection: Inspection, ...done }),
		errors: ['not_found', 'id_taken', 'id_in_future'],
	}),
	/** Which admins looked into a discussion, the latest first. */
	listInspections: endpoint({
		method: 'GET',
		path: '/api/discussions/:id/inspections',
		who: teachers,
		input: byId,
		output: z.object({ inspections: z.array(Inspection), users: z.array(Person), ...standing }),
		errors: ['not_found'],
	}),
	/** Who may read and write in it, as far as the reader sees them: its lecturers first, then the members of her groups in it. */
	listParticipants: endpoint({
		method: 'GET',
		path: '/api/discussions/:id/people',
		who: everybody,
		input: z.strictObject({ id: Id, after: z.string().max(60).optional(), limit }),
		output: z.object({ users: z.array(Person), next: z.string().nullable(), total: z.int(), ...standing }),
		errors: ['not_found'],
	}),
	/** Messages with files that the reader sees, newest first. */
	listFiles: endpoint({
		method: 'GET',
		path: '/api/discussions/:id/files',
		who: everybody,
		input: z.strictObject({ id: Id, before: z.string().max(60).optional(), limit }),
		output: z.object({ messages: z.array(Message), users: z.array(Person), older: z.string().nullable(), ...standing }),
		errors: ['not_found'],
	}),
	/** I have read up to the message with this `seq`; an earlier one changes nothing. `unread`: what is left. */
	setRead: endpoint({
		method: 'PUT',
		path: '/api/discussions/:id/read',
		who: writers,
		input: z.strictObject({ id: Id, upTo: z.int().min(0) }),
		output: z.object({ read: Read, unread: z.int().nullable(), ...done }),
		errors: ['not_found'],
	}),
}
