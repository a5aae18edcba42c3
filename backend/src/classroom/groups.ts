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
import type { GroupRecord, MembershipRecord, UserRecord } from '../storage/collections.ts'
import type { Tx } from '../storage/store.ts'

const groupsListed = 1_000

/** Refuses what would bring somebody or something new into an archived group. */
export function refuseArchived({ status }: GroupRecord): void {
	if (status === 'archived')
		fail('group_archived', 'This group is archived.', { hint: 'Whoever looks after it can take it back into use.' })
}

/** Within a step: the group, if the reader may manage it. */
async function managed(tx: Tx, reader: Reader, id: string): Promise<GroupRecord> {
	await refuseChanged(tx, reader)
	const group = await tx.get('groups', id)
	if (!group || !(seesGroup(reader, group) || mayManageGroup(reader, group))) notFound('group')
	if (!mayManageGroup(reader, group)) fail('forbidden', 'Only who made this group or an admin can change it.')
	return group
}

/** Within a step: puts people into a group, each once; those who are in it already keep their membership. */
async function enter(
	tx: Tx,
	group: GroupRecord,
	members: readonly UserRecord[],
): Promise<{ memberships: MembershipRecord[]; new: number }> {
	const memberships: MembershipRecord[] = []
	const newcomers: UserRecord[] = []
	for (const member of members) {
		const [known] = await tx.find('memberships', 'pair', [group.id, member.id], { limit: 1 })
		if (known) memberships.push(known)
		else newcomers.push(member)
	}
	if (newcomers.length > 0) refuseArchived(group)
	for (const member of newcomers) {
		memberships.push(await tx.put('memberships', { id: newId(), group: group.id, user: member.id }))
		await moveScope(tx, member)
	}
	return { memberships, new: newcomers.length }
}

/** Says in the member's record that what she sees changed with this entry. */
async function moveScope(tx: Tx, member: UserRecord): Promise<void> {
	await tx.put('users', { ...member, scopeRev: tx.seq })
}

type GroupHandlers = 'listGroups' | 'createGroup' | 'editGroup' | 'listMembers' | 'addMember' | 'addMembers' | 'removeMember'

/** The handlers of groups and their members. */
export function openGroups({ store, rates }: Parts): Pick<Handlers, GroupHandlers> {
	const limitRate = ({ user }: Reader) => {
		const wait = rates.commands.take(user.id)
		if (wait > 0) tooOften(wait)
	}

	return {
		async listGroups(_input, { reader }) {
			const place = standing(store)
			const statuses = ['active', 'archived'] as const
			const groups =
				reader.user.role === 'admin'
					? await Promise.all(
							statuses.map((status) => store.find('groups', 'status', [status], { limit: groupsListed, order: 'descending' })),
						)
					: [await store.getMany('groups', [...reader.groups.keys()])]
			return {
				groups: groups
					.flat()
					.filter((group) => group !== null)
					.map(publicGroup),
				...place,
			}
		},
		async createGroup({ id, name, description }, { reader }) {
			const { user } = reader
			const body = bodyHash(name, description)
			const before = standing(store).cursor
			const wait = rates.commands.take(user.id)
			return store.write(user.id, async (tx) => {
				const known = await tx.get('groups', id)
				if (known) return { group: publicGroup(sameOrTaken(known, known.createdBy, user.id, body)), cursor: before }
				if (wait > 0) tooOften(wait)
				refuseFutureId(id)
				await refuseChanged(tx, reader)
				const group = await tx.put('groups', { id, name, description, createdBy: user.id, status: 'active', bodyHash: body })
				// What her groups are is known from her record's `rev` on.
				await tx.put('users', (await tx.get('users', user.id))!)
				return { group: publicGroup(group), cursor: placeOf(tx) }
			})
		},
		async editGroup({ id, name, description, status }, { reader }) {
			limitRate(reader)
			const before = standing(store).cursor
			return store.write(reader.user.id, async (tx) => {
				const group = await managed(tx, reader, id)
				const next = {
					...group,
					name: name ?? group.name,
					description: description ?? group.description,
					status: status ?? group.status,
				}
				const same = next.name === group.name && next.description === group.description && next.status === group.status
				if (same) return { group: publicGroup(group), cursor: before }
				return { group: publicGroup(await tx.put('groups', next)), cursor: placeOf(tx) }
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
				const group = await managed(tx, reader, id)
				const member = await tx.get('users', user)
				if (!member || !mayBeMember(member)) notFound('person')
				const entered = await enter(tx, group, [member])
				return { membership: publicMembership(entered.memberships[0]!), cursor: entered.new > 0 ? placeOf(tx) : before }
			})
		},
		async addMembers({ id, users }, { reader }) {
			limitRate(reader)
			const before = standing(store).cursor
			return store.write(reader.user.id, async (tx) => {
				const group = await managed(tx, reader, id)
				const members: UserRecord[] = []
				for (const user of new Set(users)) {
					const member = await tx.get('users', user)
					if (member && mayBeMember(member)) members.push(member)
				}
				const entered = await enter(tx, group, members)
				return {
					memberships: entered.memberships.map(publicMembership),
					users: members.map((member) => publicCard(reader.user.role, member)),
					cursor: entered.new > 0 ? placeOf(tx) : before,
				}
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
