/**
 * Who is in a discussion, as far as a reader sees them: its lecturers first, then the members of her
 * groups in it, by name.
 *
 * Promises each person once, also over pages, approved ones only, and a total that counts them all.
 */
import { inspects, leadersOf, leads, publicCard, type Reader, seesDiscussion, writableGroups } from '../access.ts'
import { fail, notFound } from '../errors.ts'
import { type Handlers, type Parts, standing } from '../parts.ts'
import type { DiscussionRecord, MembershipRecord, UserRecord } from '../storage/collections.ts'
import type { Position } from '../storage/engine.ts'
import type { Store } from '../storage/store.ts'

const readAtOnce = 1_000
/** More members of one discussion are not counted. */
const membersCounted = 10_000

interface Participant {
	/** Lecturers first. */
	rank: 0 | 1
	name: string
	user: UserRecord
}

const order = (a: Participant, b: Participant) =>
	a.rank - b.rank || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.user.id < b.user.id ? -1 : a.user.id > b.user.id ? 1 : 0)

/** As people look for it: without case and accents. */
const sortName = ({ name }: UserRecord) => name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

async function membersOf(store: Store, groups: readonly string[]): Promise<Set<string>> {
	const users = new Set<string>()
	for (const group of groups) {
		let after: Position | null = null
		for (let more = true; more && users.size < membersCounted; ) {
			const page: MembershipRecord[] = await store.find('memberships', 'group', [group], { after, limit: readAtOnce })
			for (const { user } of page) users.add(user)
			const last = page.at(-1)
			if (last) after = { sort: null, seq: last.seq, id: last.id }
			more = page.length === readAtOnce
		}
	}
	return users
}

async function participants(store: Store, reader: Reader, discussion: DiscussionRecord): Promise<Participant[]> {
	const leaders = new Set(leadersOf(discussion))
	const all = leads(reader, discussion) || inspects(reader, discussion)
	const members = await membersOf(store, all ? discussion.groups : writableGroups(reader, discussion))
	const users = await store.getMany('users', [...new Set([...leaders, ...members])])
	return users
		.flatMap((user) => {
			// A lecturer of a group sees the discussion only where she leads it, and nobody sees it who is no longer here.
			const takesPart = user?.status === 'approved' && (leaders.has(user.id) ? user.role === 'lecturer' : user.role === 'student')
			return takesPart ? [{ rank: leaders.has(user.id) ? 0 : 1, name: sortName(user), user } as const] : []
		})
		.sort(order)
}

/** The handler of who is in a discussion. */
export function openParticipants({ store }: Parts): Pick<Handlers, 'listParticipants'> {
	/** The place in the list that a page ended with. */
	async function placeOf(after: string): Promise<Participant> {
		const [, rank, id] = /^([01])\.([0-9a-f]{24})$/.exec(after) ?? []
		const user = id === undefined ? null : await store.get('users', id)
		if (!user) fail('invalid_input', 'This place in the list is not known.', { fields: { after: 'is not a position' } })
		return { rank: rank === '0' ? 0 : 1, name: sortName(user), user }
	}

	return {
		async listParticipants({ id, after, limit }, { reader }) {
			const place = standing(store)
			const discussion = await store.get('discussions', id)
			if (!discussion || !seesDiscussion(reader, discussion)) notFound('discussion')
			const from = after === undefined ? null : await placeOf(after)
			const all = await participants(store, reader, discussion)
			const begin = from ? all.findIndex((one) => order(one, from) > 0) : 0
			const page = begin < 0 ? [] : all.slice(begin, begin + limit)
			const last = page.at(-1)
			return {
				users: page.map(({ user }) => publicCard(reader.user.role, user)),
				next: last && begin + limit < all.length ? `${last.rank}.${last.user.id}` : null,
				total: all.length,
				...place,
			}
		},
	}
}
