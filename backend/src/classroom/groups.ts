/**
 * Groups (classes) and who is in them.
 *
 * Promises that every change of a membership moves the member's own record too (`scopeRev`),
 * from which everybody knows that her sight changed. Never removes a group.
 */
import { mayBeMember, mayManageGroup, publicCard, publicGroup, publicMembership, type Reader, refuseChanged, seesGroup } from '../access.ts'
import { fail, notFound } from '../errors.ts'
import { bodyHash, formatPosition, newId, parsePosition, refuseFutureId, sameOrTaken } from '../ids.ts'
import { type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { GroupRecord, UserRecord } from '../storage/collections.ts'
import type { Tx } from '../storage/store.ts'

const groupsListed = 1_000

/** Within a step: the group, if the reader may manage it. */
async function managed(tx: Tx, reader: Reader, id: string): Promise<GroupRecord> {
	await refuseChanged(tx, reader)
	const group = await tx.get('groups', id)
	if (!group || !(seesGroup(reader, group) || mayManageGroup(reader, group))) notFound('group')
	if (!mayManageGroup(reader, group)) fail('forbidden', 'Only who made this group or an admin can change it.')
	return group
}

/** The handlers of groups and their members. */
export function openGroups({
	store,
	rates,
}: Parts): Pick<Handlers, 'listGroups' | 'createGroup' | 'renameGroup' | 'listMembers' | 'addMember' | 'removeMember'> {
	const limitRate = ({ user }: Reader) => {
		const wait = rates.commands.take(user.id)
		if (wait > 0) tooOften(wait)
	}

	return {
		async listGroups(_input, { reader }) {
			const place = standing(store)
			const groups =
				reader.user.role === 'admin'
					? await store.find('groups', 'status', ['active'], { limit: groupsListed })
					: await store.getMany('groups', [...reader.groups.keys()])
			return { groups: groups.filter((group) => group !== null).map(publicGroup), ...place }
		},
		async createGroup({ id, name }, { reader }) {
			const { user } = reader
			const body = bodyHash(name)
			const before = standing(store).cursor
			const wait = rates.commands.take(user.id)
			return store.write(user.id, async (tx) => {
				const known = await tx.get('groups', id)
				if (known) return { group: publicGroup(sameOrTaken(known, known.createdBy, user.id, body)), cursor: before }
				if (wait > 0) tooOften(wait)
				refuseFutureId(id)
				await refuseChanged(tx, reader)
				const group = await tx.put('groups', { id, name, createdBy: user.id, status: 'active', bodyHash: body })
				// What her groups are is known from her record's `rev` on.
				await tx.put('users', (await tx.get('users', user.id))!)
				return { group: publicGroup(group), cursor: placeOf(tx) }
			})
		},
		async renameGroup({ id, name }, { reader }) {
			limitRate(reader)
			return store.write(reader.user.id, async (tx) => {
				const group = await managed(tx, reader, id)
				return { group: publicGroup(await tx.put('groups', { ...group, name })), cursor: placeOf(tx) }
			})
		},
		async listMembers({ id, after, limit }, { reader }) {
			const place = standing(store)
			const group = await store.get('groups', id)
			if (!group || !seesGroup(reader, group)) notFound('group')
			const found = await store.find('memberships', 'group', [id], { after: parsePosition(after), limit: limit + 1 })
			const memberships = found.slice(0, limit)
			const users = await store.getMany(
				'users',
				memberships.map(({ user }) => user),
			)
			return {
				memberships: memberships.map(publicMembership),
				users: users.filter((user) => user !== null).map((user) => publicCard(reader.user.role, user)),
				next: found.length > limit ? formatPosition(memberships.at(-1)!) : null,
				...place,
			}
		},
		async addMember({ id, user }, { reader }) {
			limitRate(reader)
			const before = standing(store).cursor
			return store.write(reader.user.id, async (tx) => {
				await managed(tx, reader, id)
				const member = await tx.get('users', user)
				if (!member || !mayBeMember(member)) notFound('person')
				const [known] = await tx.find('memberships', 'pair', [id, user], { limit: 1 })
				if (known) return { membership: publicMembership(known), cursor: before }
				const membership = await tx.put('memberships', { id: newId(), group: id, user })
				await moveScope(tx, member)
				return { membership: publicMembership(membership), cursor: placeOf(tx) }
			})
		},
		async removeMember({ id, user }, { reader }) {
			limitRate(reader)
			const before = standing(store).cursor
			return store.write(reader.user.id, async (tx) => {
				await managed(tx, reader, id)
				const member = await tx.get('users', user)
				if (!member) notFound('person')
				const [known] = await tx.find('memberships', 'pair', [id, user], { limit: 1 })
				if (!known) return { cursor: before }
				await tx.remove('memberships', known.id)
				await moveScope(tx, member)
				return { cursor: placeOf(tx) }
			})
		},
	}
}

/** Says in the member's record that what she sees changed with this entry. */
async function moveScope(tx: Tx, member: UserRecord): Promise<void> {
	await tx.put('users', { ...member, scopeRev: tx.seq })
}
