/**
 * What admins decide about people: who is let in, who is not, who is what.
 *
 * Promises that there is always an approved admin left, whatever is decided at the same moment,
 * that deciding the same again changes nothing, and that nobody who was erased comes back.
 */
import type { Problem } from '../../../protocol/api.ts'
import type { Status } from '../../../protocol/model.ts'
import { publicUser, type Reader, refuseChanged } from '../access.ts'
import { Failure, fail, notFound, problemOf } from '../errors.ts'
import { type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { UserRecord } from '../storage/collections.ts'
import type { Tx } from '../storage/store.ts'
import { endSessionsOf } from './sessions.ts'

/** Memberships that one entry removes at the most. */
const leftAtOnce = 400

/** Within a step: refuses to take away the last approved admin. */
export async function refuseLastAdmin(tx: Tx, user: UserRecord): Promise<void> {
	if (user.role !== 'admin' || user.status !== 'approved') return
	const admins = await tx.find('users', 'role', ['admin', 'approved'], { limit: 2 })
	if (admins.length < 2) fail('last_admin', 'This is the only admin.', { hint: 'Make another person an admin first.' })
}

/** Within a step that puts her record: takes her out of her groups. False when there are more of them than one entry can take. */
export async function leaveGroups(tx: Tx, user: string, left = new Set<string>()): Promise<boolean> {
	const memberships = await tx.find('memberships', 'user', [user], { limit: leftAtOnce + 1 })
	for (const { id, group } of memberships.slice(0, leftAtOnce)) {
		await tx.remove('memberships', id)
		left.add(group)
	}
	return memberships.length <= leftAtOnce
}

/** The handlers of decisions. */
export function openDecisions({ store, rates }: Parts): Pick<Handlers, 'decide' | 'setStatus' | 'setRole'> {
	function limitRate({ user }: Reader): void {
		const wait = rates.commands.take(user.id)
		if (wait > 0) tooOften(wait)
	}

	async function personIn(tx: Tx, id: string): Promise<UserRecord> {
		const user = await tx.get('users', id)
		if (!user) notFound('person')
		if (user.erasedAt !== null) fail('not_found', 'This person was erased.')
		return user
	}

	/** Within a step: decides about one person; whether that changed anything. */
	async function decideOne(tx: Tx, by: string, id: string, status: Status, reason: string | null) {
		const user = await personIn(tx, id)
		if (user.status === status && user.reason === reason) return { user, changed: false }
		if (status !== 'approved') await refuseLastAdmin(tx, user)
		const decided = status === 'pending' ? { decidedBy: null, decidedAt: null } : { decidedBy: by, decidedAt: tx.at }
		const scopeRev = user.status === status ? user.scopeRev : tx.seq
		return { user: await tx.put('users', { ...user, status, reason, ...decided, scopeRev }), changed: true }
	}

	return {
		async setStatus({ id, status, reason }, { reader }) {
			limitRate(reader)
			const before = standing(store).cursor
			return store.write(reader.user.id, async (tx) => {
				await refuseChanged(tx, reader)
				const { user, changed } = await decideOne(tx, reader.user.id, id, status, reason)
				return { user: publicUser(user), cursor: changed ? placeOf(tx) : before }
			})
		},
		async decide({ ids, status, reason }, { reader }) {
			limitRate(reader)
			const before = standing(store).cursor
			return store.write(reader.user.id, async (tx) => {
				await refuseChanged(tx, reader)
				const users: UserRecord[] = []
				const refused: { id: string; problem: Problem }[] = []
				let changes = false
				for (const id of new Set(ids)) {
					try {
						const { user, changed } = await decideOne(tx, reader.user.id, id, status, reason)
						users.push(user)
						changes ||= changed
					} catch (error) {
						if (!(error instanceof Failure)) throw error
						refused.push({ id, problem: problemOf(error) })
					}
				}
				return { users: users.map(publicUser), refused, cursor: changes ? placeOf(tx) : before }
			})
		},
		async setRole({ id, role }, { reader }) {
			limitRate(reader)
			const before = standing(store).cursor
			const left = new Set<string>()
			for (;;) {
				const done = await store.write(reader.user.id, async (tx) => {
					await refuseChanged(tx, reader)
					const user = await personIn(tx, id)
					if (user.status !== 'approved') fail('not_found', 'Only who is approved can become something else.', { hint: 'Approve first.' })
					if (user.role === role) return { user: publicUser(user), left: [...left], cursor: before }
					await refuseLastAdmin(tx, user)
					// An admin is in no group.
					if (role === 'admin' && !(await leaveGroups(tx, id, left))) {
						await tx.put('users', { ...user, scopeRev: tx.seq })
						return null
					}
					await endSessionsOf(tx, id, null)
					const lecturers = role === 'student' ? user.lecturers : []
					const changed = await tx.put('users', { ...user, role, lecturers, scopeRev: tx.seq, cardRev: tx.seq })
					return { user: publicUser(changed), left: [...left], cursor: placeOf(tx) }
				})
				if (done) return done
			}
		},
	}
}
