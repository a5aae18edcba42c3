/**
 * Discussions: a lecturer opens one for her groups, changes it, closes it, removes it and puts it back.
 *
 * Promises that every change of who sees it is said in the record (`scopeRev`, `groupsBefore`,
 * `leadersBefore`), so that everybody whose sight changed can be told. Never deletes a discussion.
 */
import type { ParsedInput } from '../../../protocol/api.ts'
import {
	isIn,
	leadersOf,
	leads,
	mayCollaborate,
	openTo,
	publicCard,
	publicDiscussion,
	publicGroup,
	type Reader,
	refuseCaller,
	refuseChanged,
	seesDiscussion,
	seesGroupOf,
} from '../access.ts'
import { fail, notFound } from '../errors.ts'
import { bodyHash, refuseFutureId, sameOrTaken } from '../ids.ts'
import { type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { DiscussionRecord } from '../storage/collections.ts'
import type { Tx } from '../storage/store.ts'
import { refuseArchived } from './groups.ts'

/** Within a step: refuses groups that are not hers, or archived. */
async function refuseGroups(tx: Tx, reader: Reader, groups: readonly string[]): Promise<void> {
	for (const id of groups) {
		const group = await tx.get('groups', id)
		if (!group || !(await isIn(tx, reader, id))) notFound('group')
		refuseArchived(group)
	}
}

/** Within a step: whether a discussion may come under this category. */
async function takesDiscussions(tx: Tx, category: string): Promise<boolean> {
	return (await tx.get('categories', category))?.status === 'active'
}

/** Within a step: who of these may lead it along, beside its creator. */
async function colleagues(tx: Tx, creator: string, users: readonly string[]): Promise<string[]> {
	const found: string[] = []
	for (const id of new Set(users)) {
		const user = id === creator ? null : await tx.get('users', id)
		if (user && mayCollaborate(user)) found.push(id)
	}
	return found
}

/** Each tag once, whatever its case and width. */
function eachOnce(tags: readonly string[]): string[] {
	return [...new Map([...tags].reverse().map((tag) => [tag.normalize('NFKC').toLowerCase(), tag])).values()].reverse()
}

const isSame = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((one, i) => one === b[i])
const isSameSet = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((one) => b.includes(one))

/**
 * The step that starts a discussion. `returned`: one that comes back after a restore, which may have lost its
 * category and collaborators: it does without them.
 */
export function startStep(input: ParsedInput<'startDiscussion'>, reader: Reader, wait: number, returned = false) {
	const { id, title, prompt } = input
	const { user } = reader
	const groups = [...new Set(input.groups)]
	const body = bodyHash(title, prompt, groups, input.category, input.tags, input.collaborators)
	return async (tx: Tx): Promise<{ discussion: DiscussionRecord; cursor: string | null }> => {
		const known = await tx.get('discussions', id)
		if (known) return { discussion: sameOrTaken(known, known.createdBy, user.id, body), cursor: null }
		if (wait > 0) tooOften(wait)
		refuseFutureId(id)
		refuseCaller(['lecturer'], user)
		await refuseChanged(tx, reader)
		await refuseGroups(tx, reader, groups)
		const collaborators = await colleagues(tx, user.id, input.collaborators)
		if (!returned && input.collaborators.some((one) => one !== user.id && !collaborators.includes(one))) notFound('person')
		const category = input.category !== null && (await takesDiscussions(tx, input.category)) ? input.category : null
		if (!returned && category !== input.category) notFound('category')
		const discussion = await tx.put('discussions', {
			id,
			title,
			prompt,
			groups,
			createdBy: user.id,
			category,
			tags: eachOnce(input.tags),
			collaborators,
			status: 'open',
			removed: null,
			scopeRev: tx.seq,
			groupsBefore: [],
			leadersBefore: [],
			bodyHash: body,
		})
		return { discussion, cursor: placeOf(tx) }
	}
}

/** Within a step: the discussion as it is to be. Refuses what she may not change. */
async function changed(
	tx: Tx,
	reader: Reader,
	discussion: DiscussionRecord,
	changes: Omit<ParsedInput<'editDiscussion'>, 'id'>,
): Promise<DiscussionRecord> {
	const next = { ...discussion }
	const isCreator = discussion.createdBy === reader.user.id
	if (changes.title !== undefined) next.title = changes.title
	if (changes.prompt !== undefined) next.prompt = changes.prompt
	if (changes.status !== undefined) next.status = changes.status
	if (changes.tags !== undefined) next.tags = eachOnce(changes.tags)
	if (changes.category !== undefined && changes.category !== discussion.category) {
		if (changes.category !== null && !(await takesDiscussions(tx, changes.category))) notFound('category')
		next.category = changes.category
	}
	const groups = changes.groups && [...new Set(changes.groups)]
	if (groups && !isSameSet(groups, discussion.groups)) {
		const added = groups.filter((group) => !discussion.groups.includes(group))
		await refuseGroups(tx, reader, added)
		next.groups = groups
	}
	const collaborators = changes.collaborators && [...new Set(changes.collaborators)].filter((one) => one !== discussion.createdBy)
	if (collaborators && !isSameSet(collaborators, discussion.collaborators)) {
		if (!isCreator) fail('forbidden', 'Only who started this discussion chooses with whom to lead it.')
		const added = collaborators.filter((one) => !discussion.collaborators.includes(one))
		if ((await colleagues(tx, discussion.createdBy, added)).length < added.length) notFound('person')
		next.collaborators = collaborators
	}
	if (changes.removed !== undefined && changes.removed !== (discussion.removed !== null)) {
		if (!isCreator) fail('forbidden', 'Only who started this discussion can remove it or put it back.')
		next.removed = changes.removed ? { at: tx.at, by: reader.user.id } : null
	}
	return next
}

/** Whether who sees it is not the same any more. */
function isScopeMoved(before: DiscussionRecord, next: DiscussionRecord): boolean {
	return !isSameSet(openTo(before), openTo(next)) || !isSameSet(leadersOf(before), leadersOf(next))
}

function isEqual(a: DiscussionRecord, b: DiscussionRecord): boolean {
	const plain = ['title', 'prompt', 'status', 'category', 'removed'] as const
	return (
		plain.every((field) => a[field] === b[field]) &&
		(['groups', 'tags', 'collaborators'] as const).every((field) => isSame(a[field], b[field]))
	)
}

/** The handlers of single discussions. */
export function openDiscussions({ store, rates }: Parts): Pick<Handlers, 'getDiscussion' | 'startDiscussion' | 'editDiscussion'> {
	return {
		async getDiscussion({ id }, { reader }) {
			const place = standing(store)
			const discussion = await store.get('discussions', id)
			if (!discussion || !seesDiscussion(reader, discussion)) notFound('discussion')
			const groups = await store.getMany('groups', discussion.groups)
			const users = await store.getMany('users', leadersOf(discussion))
			return {
				discussion: publicDiscussion(discussion),
				groups: groups.flatMap((group) => (group && seesGroupOf(reader, group, discussion) ? [publicGroup(group)] : [])),
				users: users.flatMap((user) => (user ? [publicCard(reader.user.role, user)] : [])),
				...place,
			}
		},
		async startDiscussion(input, { reader }) {
			const before = standing(store).cursor
			const { discussion, cursor } = await store.write(reader.user.id, startStep(input, reader, rates.commands.take(reader.user.id)))
			return { discussion: publicDiscussion(discussion), cursor: cursor ?? before }
		},
		async editDiscussion({ id, ...changes }, { reader }) {
			const wait = rates.commands.take(reader.user.id)
			if (wait > 0) tooOften(wait)
			const before = standing(store).cursor
			return store.write(reader.user.id, async (tx) => {
				await refuseChanged(tx, reader)
				const discussion = await tx.get('discussions', id)
				if (!discussion || !seesDiscussion(reader, discussion)) notFound('discussion')
				if (!leads(reader, discussion)) fail('forbidden', 'Only the lecturers of this discussion can change it.')
				const next = await changed(tx, reader, discussion, changes)
				if (isEqual(next, discussion)) return { discussion: publicDiscussion(discussion), cursor: before }
				if (isScopeMoved(discussion, next)) {
					Object.assign(next, { scopeRev: tx.seq, groupsBefore: [...openTo(discussion)], leadersBefore: leadersOf(discussion) })
				}
				return { discussion: publicDiscussion(await tx.put('discussions', next)), cursor: placeOf(tx) }
			})
		},
	}
}
