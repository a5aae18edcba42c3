/**
 * What journal entries mean to those who listen: each change as JSON, and whom it reaches.
 *
 * Promises the same forms as pages show, one fragment for each audience, in journal order; used
 * by the fan-out and by catch-up alike. Never sends anything.
 */
import type { Change, ScopeItems } from '../../protocol/live.ts'
import {
	type Audience,
	discussionAudience,
	groupAudience,
	membershipAudience,
	messageAudiences,
	messageJson,
	onlyFor,
	publicDiscussion,
	publicGroup,
	publicMembership,
	publicUser,
	type Reader,
	removedMembershipAudience,
	seesDiscussion,
	userAudience,
	writableGroups,
} from './access.ts'
import type { DiscussionRecord, GroupRecord, MembershipRecord, MessageRecord, UserRecord } from './storage/collections.ts'
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
}

/** Reads records by id into a map. */
export async function load<C extends 'discussions' | 'users' | 'messages' | 'groups' | 'memberships'>(
	store: Store,
	collection: C,
	ids: ReadonlySet<string>,
): Promise<Map<string, NonNullable<Awaited<ReturnType<typeof store.get<C>>>>>> {
	const found = ids.size > 0 ? await store.getMany(collection, [...ids]) : []
	return new Map(found.flatMap((record) => (record ? [[record.id, record] as const] : []))) as never
}

const asJson = (change: Change) => JSON.stringify(change)

/** A record that was put, for each audience that sees it. Other collections are nobody's to hear. */
export function fragmentsOf(collection: string, record: object, { discussions, reader }: Beside): Fragment[] {
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
			return [{ json: asJson({ put: 'users', record: publicUser(user) }), audience: userAudience(user), people: [] }]
		}
		case 'groups': {
			const group = record as GroupRecord
			return [{ json: asJson({ put: 'groups', record: publicGroup(group) }), audience: groupAudience(group), people: [] }]
		}
		case 'memberships': {
			const membership = record as MembershipRecord
			const json = asJson({ put: 'memberships', record: publicMembership(membership) })
			return [{ json, audience: membershipAudience(membership), people: [membership.user] }]
		}
		case 'discussions': {
			const discussion = record as DiscussionRecord
			const json = asJson({ put: 'discussions', record: publicDiscussion(discussion) })
			return [{ json, audience: discussionAudience(discussion), people: [discussion.createdBy] }]
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

/** The discussion, when this entry changed its groups. */
export function regrouped(entry: Entry, collection: string, record: object | null): DiscussionRecord | null {
	if (collection !== 'discussions' || !record) return null
	const discussion = record as DiscussionRecord
	return discussion.scopeRev === entry.seq && discussion.seq !== entry.seq ? discussion : null
}

/**
 * What changes of a discussion's groups do to somebody: whether she saw it at any time, and sees it now; null: nothing.
 * `held`: the groups she is in, or was where she changed at the same time. `steps`: its groups before each change.
 */
export function regroupedFor(
	held: { has(group: string): boolean },
	now: Reader,
	steps: readonly (readonly string[])[],
	discussion: DiscussionRecord,
): { lost: boolean; gained: boolean } | null {
	if (now.user.role !== 'student') return null
	const own = now.approved ? writableGroups(now, discussion) : []
	const then = steps.map((groups) => groups.filter((group) => held.has(group)))
	// What she fetched in between may show any of the steps: only where they are all the same nothing happened.
	if (then.every((groups) => groups.length === own.length && groups.every((group) => own.includes(group)))) return null
	return { lost: then.some((groups) => groups.length > 0), gained: own.length > 0 }
}

/** That these people lost a discussion, gained it, or (both) must fetch it anew. */
export function regroupedFragment(discussion: string, users: readonly string[], outcome: { lost: boolean; gained: boolean }): Fragment {
	const items = (yes: boolean): ScopeItems => ({ groups: [], discussions: yes ? [discussion] : [] })
	return { json: asJson({ scope: { gained: items(outcome.gained), lost: items(outcome.lost) } }), audience: onlyFor(users), people: [] }
}

const discussionsMoved = 1_000

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
				? [store.find('discussions', 'creator', [now.user.id], { limit: discussionsMoved })]
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
