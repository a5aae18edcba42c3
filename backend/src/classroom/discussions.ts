/**
 * Discussions: a lecturer opens one for her groups, changes it, closes it.
 *
 * Promises that a change of its groups is said in the record (`scopeRev`, `groupsBefore`), so
 * that everybody whose sight changed can be told. Never removes a discussion.
 */

import type { ParsedInput } from '../../../protocol/api.ts'
import type { Totals } from '../../../protocol/model.ts'
import {
	isIn,
	leads,
	publicCard,
	publicDiscussion,
	publicGroup,
	type Reader,
	refuseCaller,
	refuseChanged,
	seesDiscussion,
	seesGroup,
} from '../access.ts'
import { fail, notFound } from '../errors.ts'
import { bodyHash, formatPosition, parsePosition, refuseFutureId, sameOrTaken } from '../ids.ts'
import { type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { DiscussionRecord, UserRecord } from '../storage/collections.ts'
import type { Store, Tx } from '../storage/store.ts'

/** Within a step: refuses groups that are not hers. */
async function refuseGroups(tx: Tx, reader: Reader, groups: readonly string[]): Promise<void> {
	for (const group of groups) if (!(await isIn(tx, reader, group))) notFound('group')
}

/** The step that starts a discussion; also for one that comes back after a restore. */
export function startStep(input: ParsedInput<'startDiscussion'>, reader: Reader, wait: number) {
	const { id, title, prompt } = input
	const { user } = reader
	const groups = [...new Set(input.groups)]
	const body = bodyHash(title, prompt, groups)
	return async (tx: Tx): Promise<{ discussion: DiscussionRecord; cursor: string | null }> => {
		const known = await tx.get('discussions', id)
		if (known) return { discussion: sameOrTaken(known, known.createdBy, user.id, body), cursor: null }
		if (wait > 0) tooOften(wait)
		refuseFutureId(id)
		refuseCaller(['lecturer'], user)
		await refuseChanged(tx, reader)
		await refuseGroups(tx, reader, groups)
		const draft = {
			id,
			title,
			prompt,
			groups,
			createdBy: user.id,
			status: 'open',
			scopeRev: tx.seq,
			groupsBefore: [],
			bodyHash: body,
		} as const
		return { discussion: await tx.put('discussions', { ...draft, groupsBefore: [] }), cursor: placeOf(tx) }
	}
}

async function cards(store: Store, { user }: Reader, ids: readonly string[]) {
	const users = await store.getMany('users', [...new Set(ids)])
	return users.filter((one): one is UserRecord => one !== null).map((one) => publicCard(user.role, one))
}

/** The newest discussions that the reader sees, before a position. */
async function newest(store: Store, reader: Reader, after: string | undefined, limit: number): Promise<DiscussionRecord[]> {
	const options = { before: parsePosition(after), limit, order: 'descending' } as const
	if (reader.user.role === 'lecturer') return store.find('discussions', 'creator', [reader.user.id], options)
	const lists = await Promise.all([...reader.groups.keys()].map((group) => store.find('discussions', 'group', [group], options)))
	const found = new Map(lists.flat().map((discussion) => [discussion.id, discussion]))
	return [...found.values()].sort((a, b) => b.seq - a.seq || (a.id < b.id ? 1 : -1)).slice(0, limit)
}

/** The handlers of discussions; `count` tells how many messages of one a reader sees, where that is known. */
export function openDiscussions(
	{ store, rates }: Parts,
	count: (reader: Reader, discussion: DiscussionRecord) => Totals | null,
): Pick<Handlers, 'listDiscussions' | 'getDiscussion' | 'startDiscussion' | 'editDiscussion'> {
	return {
		async listDiscussions({ after, limit }, { reader }) {
			const place = standing(store)
			const found = await newest(store, reader, after, limit + 1)
			const page = found.slice(0, limit)
			return {
				discussions: page.map(publicDiscussion),
				totals: Object.fromEntries(
					page.flatMap((discussion) => {
						const totals = count(reader, discussion)
						return totals ? [[discussion.id, totals]] : []
					}),
				),
				users: await cards(
					store,
					reader,
					page.map(({ createdBy }) => createdBy),
				),
				next: found.length > limit ? formatPosition(page.at(-1)!) : null,
				...place,
			}
		},
		async getDiscussion({ id }, { reader }) {
			const place = standing(store)
			const discussion = await store.get('discussions', id)
			if (!discussion || !seesDiscussion(reader, discussion)) notFound('discussion')
			const groups = await store.getMany('groups', discussion.groups)
			return {
				discussion: publicDiscussion(discussion),
				groups: groups.filter((group) => group !== null && seesGroup(reader, group)).map((group) => publicGroup(group!)),
				users: await cards(store, reader, [discussion.createdBy]),
				...place,
			}
		},
		async startDiscussion(input, { reader }) {
			const before = standing(store).cursor
			const { discussion, cursor } = await store.write(reader.user.id, startStep(input, reader, rates.commands.take(reader.user.id)))
			return { discussion: publicDiscussion(discussion), cursor: cursor ?? before }
		},
		async editDiscussion({ id, groups, ...changes }, { reader }) {
			const wait = rates.commands.take(reader.user.id)
			if (wait > 0) tooOften(wait)
			return store.write(reader.user.id, async (tx) => {
				await refuseChanged(tx, reader)
				const discussion = await tx.get('discussions', id)
				if (!discussion || !seesDiscussion(reader, discussion)) notFound('discussion')
				if (!leads(reader, discussion)) fail('forbidden', 'Only the lecturer of this discussion can change it.')
				const next = { ...discussion }
				if (changes.title !== undefined) next.title = changes.title
				if (changes.prompt !== undefined) next.prompt = changes.prompt
				if (changes.status !== undefined) next.status = changes.status
				const wanted = groups && [...new Set(groups)]
				if (wanted && (wanted.length !== discussion.groups.length || wanted.some((group) => !discussion.groups.includes(group)))) {
					await refuseGroups(
						tx,
						reader,
						wanted.filter((group) => !discussion.groups.includes(group)),
					)
					Object.assign(next, { groups: wanted, groupsBefore: discussion.groups, scopeRev: tx.seq })
				}
				return { discussion: publicDiscussion(await tx.put('discussions', next)), cursor: placeOf(tx) }
			})
		},
	}
}
