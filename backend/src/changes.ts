/**
 * What journal entries mean to those who listen: each change as JSON, and whom it reaches.
 *
 * Promises the same forms as pages show, one fragment for each audience, in journal order; used
 * by the fan-out and by catch-up alike. Never sends anything.
 */
import type { Change, ScopeItems } from '../../protocol/live.ts'
import type { PublishedName } from '../../protocol/model.ts'
import {
	type Audience,
	categoryAudience,
	discussionAudience,
	erasedAudience,
	fellowsAudience,
	groupAudience,
	leadersOf,
	leads,
	learnersAnd,
	membershipAudience,
	messageAudiences,
	messageJson,
	onlyFor,
	publicCard,
	publicCategory,
	publicDiscussion,
	publicGroup,
	publicMembership,
	publicRead,
	publicUser,
	type Reader,
	removedMembershipAudience,
	seesDiscussion,
	userAudience,
	writableGroups,
} from './access.ts'
import type { Parts } from './parts.ts'
import type {
	CategoryRecord,
	DiscussionRecord,
	GroupRecord,
	MembershipRecord,
	MessageRecord,
	ReadRecord,
	UserRecord,
} from './storage/collections.ts'
import type { Entry } from './storage/engine.ts'
import type { Store } from './storage/store.ts'

/** One change for one audience. */
export interface Fragment {
	json: string
	audience: Audience
	/** Users whose cards must come with it. */
	people: readonly string[]
}

/** Records that fragments need beside the changed ones. */
export interface Beside {
	discussions: ReadonlyMap<string, DiscussionRecord>
	/** A writer as a reader, where she listens. */
	reader(user: string): Reader | null
	/** The lecturers of the discussions of a group that changed. */
	leaders: ReadonlyMap<string, readonly string[]>
	/** In which groups, and beside which lecturers, people meet somebody whose card changed. */
	fellows: ReadonlyMap<string, Sight>
	/** The groups of discussions that may have come to other lecturers. */
	groups: ReadonlyMap<string, GroupRecord>
}

/** The collections that are heard, in no order. */
export const heard = ['users', 'groups', 'memberships', 'categories', 'discussions', 'messages', 'reads'] as const

const groupsLedAlong = 1_000
const discussionsMoved = 1_000

/** The lecturers of the discussions of these groups. */
export async function leadersIn(store: Store, groups: Iterable<string>): Promise<Map<string, readonly string[]>> {
	const found = new Map<string, readonly string[]>()
	for (const group of groups) {
		const discussions = await store.find('discussions', 'group', [group], { limit: groupsLedAlong, order: 'descending' })
		found.set(group, [...new Set(discussions.flatMap(leadersOf))])
	}
	return found
}

/** Who meets these people, of each whose card changed after the entry `since`: in her groups, and in the discussions that she leads. */
export async function fellowsOf(
	{ store, readers }: Pick<Parts, 'store' | 'readers'>,
	users: Iterable<UserRecord>,
	since: number,
): Promise<Map<string, Sight>> {
	const found = new Map<string, Sight>()
	for (const { id, role, cardRev } of users) {
		const own = cardRev > since ? (await readers.get(id))?.groups : undefined
		if (!own) continue
		const led = role === 'lecturer' ? await ledBy(store, id) : []
		const groups = new Set([...own.keys(), ...led.flatMap(({ groups }) => groups)])
		const leaders = [...(await leadersIn(store, own.keys())).values(), ...led.map(leadersOf)]
		found.set(id, { groups: [...groups], leaders: [...new Set(leaders.flat())] })
	}
	return found
}

/** The newest discussions that somebody leads. */
async function ledBy(store: Store, user: string): Promise<DiscussionRecord[]> {
	const lists = (['creator', 'collaborator'] as const).map((index) =>
		store.find('discussions', index, [user], { limit: discussionsMoved, order: 'descending' }),
	)
	return (await Promise.all(lists)).flat()
}

/** The groups of those discussions of which it changed after the entry `since` who sees them. */
export function groupsBrought(store: Store, discussions: Iterable<DiscussionRecord>, since: number): Promise<Map<string, GroupRecord>> {
	return load(store, 'groups', new Set([...discussions].flatMap(({ groups, scopeRev }) => (scopeRev > since ? groups : []))))
}

/** Reads records by id into a map. */
export async function load<C extends PublishedName>(
	store: Store,
	collection: C,
	ids: ReadonlySet<string>,
): Promise<Map<string, NonNullable<Awaited<ReturnType<typeof store.get<C>>>>>> {
	const found = ids.size > 0 ? await store.getMany(collection, [...ids]) : []
	return new Map(found.flatMap((record) => (record ? [[record.id, record] as const] : []))) as never
}

const asJson = (change: Change) => JSON.stringify(change)

/** A record that was put, for each audience that sees it. Other collections are nobody's to hear. */
export function fragmentsOf(collection: string, record: object, { discussions, reader, leaders, fellows, groups }: Beside): Fragment[] {
	switch (collection) {
		case 'messages': {
			const message = record as MessageRecord
			const discussion = discussions.get(message.discussion)
			if (!discussion) return []
			const people = message.removed ? [message.author, message.removed.by] : [message.author]
			return messageAudiences(message, discussion, reader(message.author)).map(({ audience, full }) => ({
				json: `{"put":"messages","record":${messageJson(message, full)}}`,
				audience,
				people,
			}))
		}
		case 'users': {
			const user = record as UserRecord
			const sight = fellows.get(user.id)
			const cards = sight ? (['student', 'lecturer'] as const) : []
			return [
				{ json: asJson({ put: 'users', record: publicUser(user) }), audience: userAudience(user), people: [] },
				...cards.map((kind) => ({
					json: asJson({ put: 'users', record: publicCard(kind, user) }),
					audience: fellowsAudience(kind, user.id, sight!),
					people: [],
				})),
				...(user.erasedAt === null
					? []
					: [{ json: asJson({ put: 'users', record: publicCard('lecturer', user) }), audience: erasedAudience(), people: [] }]),
			]
		}
		case 'groups': {
			const group = record as GroupRecord
			return [
				{
					json: asJson({ put: 'groups', record: publicGroup(group) }),
					audience: groupAudience(group, leaders.get(group.id) ?? []),
					people: [],
				},
			]
		}
		case 'memberships': {
			const membership = record as MembershipRecord
			const json = asJson({ put: 'memberships', record: publicMembership(membership) })
			return [{ json, audience: membershipAudience(membership), people: [membership.user] }]
		}
		case 'discussions': {
			const discussion = record as DiscussionRecord
			const json = asJson({ put: 'discussions', record: publicDiscussion(discussion) })
			// Its lecturers see groups of one another through it: where it may be new to them, so are those.
			const brought = discussion.groups.flatMap((id) => groups.get(id) ?? [])
			return [
				...brought.map((group) => ({
					json: asJson({ put: 'groups', record: publicGroup(group) }),
					audience: learnersAnd([], leadersOf(discussion)),
					people: [],
				})),
				{ json, audience: discussionAudience(discussion), people: leadersOf(discussion) },
			]
		}
		case 'categories': {
			const category = record as CategoryRecord
			return [{ json: asJson({ put: 'categories', record: publicCategory(category) }), audience: categoryAudience(), people: [] }]
		}
		case 'reads': {
			const read = record as ReadRecord
			return [{ json: asJson({ put: 'reads', record: publicRead(read) }), audience: onlyFor([read.user]), people: [] }]
		}
		default:
			return []
	}
}

/** The memberships that an entry removed. The members' own records, put by the same entry, name them. */
export function removalsOf(entry: Entry): Fragment[] {
	const gone = entry.removes.filter(({ collection }) => collection === 'memberships')
	if (gone.length === 0) return []
	const members = entry.puts.filter(({ collection }) => collection === 'users').map(({ id }) => id)
	const audience = removedMembershipAudience(members)
	return gone.map(({ id }) => ({ json: asJson({ remove: 'memberships', id, rev: entry.seq }), audience, people: [] }))
}

/** Who saw a discussion: the students of these groups, and these lecturers. */
export interface Sight {
	groups: readonly string[]
	leaders: readonly string[]
}

/** The discussion, when this entry changed who sees it. */
export function regrouped(entry: Entry, collection: string, record: object | null): DiscussionRecord | null {
	if (collection !== 'discussions' || !record) return null
	const discussion = record as DiscussionRecord
	return discussion.scopeRev === entry.seq && discussion.seq !== entry.seq ? discussion : null
}

/** Who saw it before that. */
export function sightBefore({ groupsBefore, leadersBefore }: DiscussionRecord): Sight {
	return { groups: groupsBefore, leaders: leadersBefore }
}

/**
 * What changes of who sees a discussion do to somebody: whether she saw it at any time, and sees it now; null: nothing.
 * `held`: the groups she is in, or was where she changed at the same time. `steps`: who saw it before each change.
 */
export function regroupedFor(
	held: { has(group: string): boolean },
	now: Reader,
	steps: readonly Sight[],
	discussion: DiscussionRecord,
): { lost: boolean; gained: boolean } | null {
	const { role, id } = now.user
	if (role === 'lecturer') {
		const gained = leads(now, discussion)
		const then = steps.map(({ leaders }) => leaders.includes(id))
		return then.every((led) => led === gained) ? null : { lost: then.includes(true), gained }
	}
	if (role !== 'student') return null
	const own = now.approved ? writableGroups(now, discussion) : []
	const then = steps.map(({ groups }) => groups.filter((group) => held.has(group)))
	// What she fetched in between may show any of the steps: only where they are all the same nothing happened.
	if (then.every((groups) => groups.length === own.length && groups.every((group) => own.includes(group)))) return null
	return { lost: then.some((groups) => groups.length > 0), gained: own.length > 0 }
}

/** That these people lost a discussion, gained it, or (both) must fetch it anew. */
export function regroupedFragment(discussion: string, users: readonly string[], outcome: { lost: boolean; gained: boolean }): Fragment {
	const items = (yes: boolean): ScopeItems => ({ groups: [], discussions: yes ? [discussion] : [] })
	return { json: asJson({ scope: { gained: items(outcome.gained), lost: items(outcome.lost) } }), audience: onlyFor(users), people: [] }
}

/**
 * What a reader gained and lost when her status or memberships changed; null: nothing. `touched`: groups she came
 * into meanwhile, also those she left again. `born`: groups that come as ordinary puts.
 */
export async function scopeFragment(
	store: Store,
	before: Reader,
	now: Reader,
	touched: ReadonlySet<string>,
	born: ReadonlySet<string>,
): Promise<Fragment | null> {
	const all = new Set([...before.groups.keys(), ...now.groups.keys(), ...touched])
	// Who left a group and came back has another membership; who was away altogether has the same, but a later `scopeRev`.
	const differing = [...all].filter((group) => touched.has(group) || before.groups.get(group) !== now.groups.get(group))
	const away = before.user.scopeRev !== now.user.scopeRev && differing.length === 0
	const changed = away ? [...all] : differing
	const lost = changed.filter((group) => before.groups.has(group) || touched.has(group))
	const gained = changed.filter((group) => now.groups.has(group) && !born.has(group))
	const lists =
		now.user.role === 'student'
			? changed.map((group) => store.find('discussions', 'group', [group], { limit: discussionsMoved }))
			: away || before.approved !== now.approved
				? (['creator', 'collaborator'] as const).map((index) =>
						store.find('discussions', index, [now.user.id], { limit: discussionsMoved }),
					)
				: []
	const moved = new Map((await Promise.all(lists)).flat().map((discussion) => [discussion.id, discussion]))
	// A discussion seen before and after shows other messages now: it is forgotten and fetched again.
	const idsOf = (wanted: (discussion: DiscussionRecord) => boolean) => [...moved.values()].filter(wanted).map(({ id }) => id)
	const seen = (discussion: DiscussionRecord) => seesDiscussion(before, discussion) || discussion.groups.some((group) => touched.has(group))
	const scope = {
		gained: { groups: gained, discussions: idsOf((one) => seesDiscussion(now, one)) },
		lost: { groups: lost, discussions: idsOf(seen) },
	}
	if (lost.length + gained.length + scope.gained.discussions.length + scope.lost.discussions.length === 0) return null
	return { json: asJson({ scope }), audience: onlyFor([now.user.id]), people: [] }
}
