/**
 * An admin looks into a discussion that is not hers: she says why, reads for an hour, and it stays on record.
 *
 * Promises that whoever leads the discussion can see who looked, when and why. Never lets an admin
 * write, and shows a list of titles without one word of what was written.
 */
import { leads, publicCard, publicInspection, refuseChanged } from '../access.ts'
import { notFound } from '../errors.ts'
import { bodyHash, formatPosition, parsePosition, refuseFutureId, sameOrTaken } from '../ids.ts'
import { type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { DiscussionRecord, UserRecord } from '../storage/collections.ts'
import { foldWords } from '../storage/keys.ts'
import type { Store } from '../storage/store.ts'

const inspectionMs = 60 * 60 * 1000
const inspectionsListed = 100
const statuses = ['open', 'closed', 'archived'] as const

type Options = { before: ReturnType<typeof parsePosition>; limit: number; order: 'descending' }

/** The newest discussions whose title has a word that begins with each word of the query; without one, all. */
async function findDiscussions(store: Store, query: string | undefined, options: Options): Promise<DiscussionRecord[]> {
	const words = foldWords(query ?? '').sort((a, b) => b.length - a.length)
	if (words.length === 0) {
		const lists = await Promise.all(statuses.map((status) => store.find('discussions', 'status', [status], options)))
		return lists.flat().sort((a, b) => b.seq - a.seq || (a.id < b.id ? 1 : -1))
	}
	const found: DiscussionRecord[] = []
	for (let { before } = options; ; ) {
		const page = await store.find('discussions', 'words', [words[0]!], { ...options, before, limit: 200 })
		for (const discussion of page) {
			const own = foldWords(discussion.title)
			if (words.every((word) => own.some((title) => title.startsWith(word)))) found.push(discussion)
		}
		const last = page.at(-1)
		if (!last || page.length < 200 || found.length >= options.limit) return found
		before = { sort: null, seq: last.seq, id: last.id }
	}
}

/** The handlers of inspections. */
export function openInspections({ store, rates }: Parts): Pick<Handlers, 'listAllDiscussions' | 'inspect' | 'listInspections'> {
	const cards = async (role: UserRecord['role'], ids: readonly string[]) =>
		(await store.getMany('users', [...new Set(ids)])).flatMap((user) => (user ? [publicCard(role, user)] : []))

	return {
		async listAllDiscussions({ query, after, limit }, { reader }) {
			const place = standing(store)
			const found = await findDiscussions(store, query, { before: parsePosition(after), limit: limit + 1, order: 'descending' })
			const page = found.slice(0, limit)
			const creators = page.map(({ createdBy }) => createdBy)
			return {
				titles: page.map(({ id, title, createdAt, createdBy, groups, status, removed }) => ({
					...{ id, title, createdAt, createdBy, groups, status, removed },
				})),
				users: await cards(reader.user.role, creators),
				next: found.length > limit ? formatPosition(page.at(-1)!) : null,
				...place,
			}
		},
		async inspect({ id, discussion, reason }, { reader }) {
			const { user } = reader
			const before = standing(store).cursor
			const body = bodyHash(discussion, reason)
			const wait = rates.commands.take(user.id)
			return store.write(user.id, async (tx) => {
				const known = await tx.get('inspections', id)
				if (known) return { inspection: publicInspection(sameOrTaken(known, known.admin, user.id, body)), cursor: before }
				if (wait > 0) tooOften(wait)
				refuseFutureId(id)
				await refuseChanged(tx, reader)
				if (!(await tx.get('discussions', discussion))) notFound('discussion')
				const expiresAt = new Date(Date.parse(tx.at) + inspectionMs).toISOString()
				const inspection = await tx.put('inspections', { id, discussion, admin: user.id, reason, expiresAt, bodyHash: body })
				// What she sees is known from her record's `rev` on.
				await tx.put('users', (await tx.get('users', user.id))!)
				return { inspection: publicInspection(inspection), cursor: placeOf(tx) }
			})
		},
		async listInspections({ id }, { reader }) {
			const place = standing(store)
			const discussion = await store.get('discussions', id)
			if (!discussion || !(leads(reader, discussion) || reader.user.role === 'admin')) notFound('discussion')
			const found = await store.find('inspections', 'discussion', [id], { limit: inspectionsListed, order: 'descending' })
			const admins = found.map(({ admin }) => admin)
			return { inspections: found.map(publicInspection), users: await cards(reader.user.role, admins), ...place }
		},
	}
}
