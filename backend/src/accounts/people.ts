/**
 * People as admins and lecturers look after them: lists, approvals, names to put into groups.
 *
 * Promises that there is always an approved admin left. Never shows more of a person than
 * access.ts gives the reader.
 */
import type { Status } from '../../../protocol/model.ts'
import { mayBeMember, publicCard, publicUser, refuseChanged } from '../access.ts'
import { fail, notFound } from '../errors.ts'
import { formatPosition, parsePosition } from '../ids.ts'
import { type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { UserRecord } from '../storage/collections.ts'
import type { Position } from '../storage/engine.ts'
import { foldWords } from '../storage/keys.ts'
import type { Store } from '../storage/store.ts'

const statuses: readonly Status[] = ['pending', 'approved', 'rejected', 'deactivated']
/** How many records one search looks at, at the most. */
const looked = 2_000

/** People with a word that begins with each word of the query, in the order of their accounts. */
async function search(store: Store, query: string, after: Position | null, limit: number, wanted: (user: UserRecord) => boolean) {
	const words = foldWords(query).sort((a, b) => b.length - a.length)
	if (words.length === 0) return []
	const found = new Map<string, UserRecord>()
	let from = after
	for (let seen = 0; seen < looked; ) {
		const page = await store.find('users', 'words', [words[0]!], { after: from, limit: 200 })
		for (const user of page) {
			const own = foldWords(user.name)
			if (wanted(user) && words.every((word) => own.some((name) => name.startsWith(word)))) found.set(user.id, user)
		}
		const last = page.at(-1)
		if (!last || page.length < 200 || found.size >= limit) break
		from = { sort: null, seq: last.seq, id: last.id }
		seen += page.length
	}
	return [...found.values()].slice(0, limit)
}

/** The handlers for lists of people and approvals. */
export function openPeople({ store, rates }: Parts): Pick<Handlers, 'listUsers' | 'setStatus' | 'findPeople'> {
	return {
		async listUsers({ status, query, after, limit }) {
			const place = standing(store)
			const from = parsePosition(after)
			let users: UserRecord[]
			if (query !== undefined) users = await search(store, query, from, limit + 1, (user) => status === undefined || user.status === status)
			else {
				const lists = await Promise.all(
					statuses
						.filter((one) => status === undefined || one === status)
						.map((one) => store.find('users', 'status', [one], { after: from, limit: limit + 1 })),
				)
				users = lists.flat().sort((a, b) => a.seq - b.seq || (a.id < b.id ? -1 : 1))
			}
			const page = users.slice(0, limit)
			return { users: page.map(publicUser), next: users.length > limit ? formatPosition(page.at(-1)!) : null, ...place }
		},
		async setStatus({ id, status, reason }, { reader }) {
			const wait = rates.commands.take(reader.user.id)
			if (wait > 0) tooOften(wait)
			const before = standing(store).cursor
			return store.write(reader.user.id, async (tx) => {
				await refuseChanged(tx, reader)
				const user = await tx.get('users', id)
				if (!user) notFound('person')
				if (user.status === status && user.reason === reason) return { user: publicUser(user), cursor: before }
				if (user.role === 'admin' && user.status === 'approved' && status !== 'approved') {
					const admins = await tx.find('users', 'role', ['admin', 'approved'], { limit: 2 })
					if (admins.length < 2) fail('last_admin', 'This is the only admin.', { hint: 'Approve another admin first.' })
				}
				const scopeRev = user.status === status ? user.scopeRev : tx.seq
				const by = status === 'pending' ? { decidedBy: null, decidedAt: null } : { decidedBy: reader.user.id, decidedAt: tx.at }
				const decided = { status, reason, ...by, scopeRev }
				return { user: publicUser(await tx.put('users', { ...user, ...decided })), cursor: placeOf(tx) }
			})
		},
		async findPeople({ query, limit }, { reader }) {
			const place = standing(store)
			const users = await search(store, query, null, limit, mayBeMember)
			return { users: users.map((user) => publicCard(reader.user.role, user)), ...place }
		},
	}
}
