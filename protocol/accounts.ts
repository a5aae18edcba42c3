/**
 * The rows of the API table about accounts: the ways in, sessions, my account, people and approvals.
 */
import { z } from 'zod'
import { byId, done, endpoint, limit, nothing, Problem, standing, writers } from './endpoint.ts'
import { Email, Id, limits, Password, Person, Role, Session, Status, Time, text } from './model.ts'

export const accounts = {
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
			/** Student or staff number. */
			number: text(limits.number),
			/** Of a student: her lecturers. */
			lecturers: z.array(Id).max(limits.lecturersChosen).default([]),
			password: Password,
		}),
		output: z.object({ me: Person, ...done }),
		errors: ['email_taken'],
	}),
	/**
	 * Approved lecturers whose name has a word that begins so, for somebody who registers: no more than their names. `ids`,
	 * with commas between: these instead of a search.
	 */
	findLecturers: endpoint({
		method: 'GET',
		path: '/api/lecturers',
		who: 'anyone',
		input: z.strictObject({
			query: text(limits.query).optional(),
			ids: z
				.string()
				.max(limits.lecturersChosen * 25)
				.regex(/^[0-9a-f]{24}(,[0-9a-f]{24})*$/)
				.optional(),
			limit,
		}),
		output: z.object({ lecturers: z.array(z.object({ id: Id, name: z.string() })) }),
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
	/** Ends all sessions but this one. */
	endOtherSessions: endpoint({
		method: 'DELETE',
		path: '/api/sessions',
		who: 'signedIn',
		input: nothing,
		output: z.object({ ended: z.int() }),
	}),
	/** With a link that an admin copied: sets a new password, ends all sessions, and signs in. The link works once, for a day. */
	useHelpLink: endpoint({
		method: 'POST',
		path: '/api/help',
		who: 'anyone',
		input: z.strictObject({ token: z.string().max(100), password: Password }),
		output: z.object({ me: Person, ...done }),
		errors: ['wrong_credentials'],
	}),
	/** Who I am; the cursor from which the browser begins to listen. `now` is the server's clock. */
	me: endpoint({
		method: 'GET',
		path: '/api/me',
		who: 'signedIn',
		input: nothing,
		output: z.object({ me: Person, now: Time, ...standing }),
	}),
	/** My own name, number, lecturers (a student's) and picture (an upload of mine for an avatar, or null). */
	editMe: endpoint({
		method: 'PATCH',
		path: '/api/me',
		who: 'signedIn',
		input: z.strictObject({
			name: text(limits.name).optional(),
			number: text(limits.number).optional(),
			lecturers: z.array(Id).max(limits.lecturersChosen).optional(),
			avatar: Id.nullable().optional(),
		}),
		output: z.object({ me: Person, ...done }),
		errors: ['upload_unknown'],
	}),
	/** Ends all other sessions. */
	changePassword: endpoint({
		method: 'PUT',
		path: '/api/me/password',
		who: 'signedIn',
		input: z.strictObject({ current: z.string().max(limits.password.max), password: Password }),
		output: z.object({}),
		errors: ['wrong_credentials'],
	}),

	/** Found by the beginnings of words of name, e-mail address and number. `counts`: of everybody, by status. */
	listUsers: endpoint({
		method: 'GET',
		path: '/api/users',
		who: ['admin'],
		input: z.strictObject({
			status: Status.optional(),
			role: Role.optional(),
			query: text(limits.query).optional(),
			after: z.string().max(60).optional(),
			limit,
		}),
		output: z.object({
			users: z.array(Person),
			next: z.string().nullable(),
			counts: z.record(Status, z.int()),
			...standing,
		}),
	}),
	/** One decision for many: those whom it can't be made for are named, the others are decided in one step. */
	decide: endpoint({
		method: 'POST',
		path: '/api/users/decisions',
		who: ['admin'],
		input: z.strictObject({
			ids: z.array(Id).min(1).max(limits.people),
			status: Status,
			reason: text(limits.reason).nullable().default(null),
		}),
		output: z.object({ users: z.array(Person), refused: z.array(z.object({ id: Id, problem: Problem })), ...done }),
	}),
	/** Makes a lecturer an admin, or the other way round; ends her sessions. */
	setRole: endpoint({
		method: 'PUT',
		path: '/api/users/:id/role',
		who: ['admin'],
		input: z.strictObject({ id: Id, role: Role }),
		/** `left`: the groups that she was taken out of, since an admin is in none. */
		output: z.object({ user: Person, left: z.array(Id), ...done }),
		errors: ['not_found', 'last_admin'],
	}),
	/** A link with which this person sets a new password; an earlier one ends. */
	createHelpLink: endpoint({
		method: 'POST',
		path: '/api/users/:id/help',
		who: ['admin'],
		input: byId,
		output: z.object({ token: z.string(), expiresAt: Time }),
		errors: ['not_found'],
	}),
	/** Erases a person for good: name, address, number, picture and password; what she wrote stays, with `texts` not even that. */
	eraseUser: endpoint({
		method: 'DELETE',
		path: '/api/users/:id',
		who: ['admin'],
		input: z.strictObject({ id: Id, texts: z.stringbool().default(false) }),
		output: z.object({ user: Person, ...done }),
		errors: ['not_found', 'last_admin'],
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
}
