/**
 * People as others look for them: admins all of them, lecturers those for their groups, strangers
 * the lecturers' names.
 *
 * Promises that pages together show everybody who is meant, each once. Never shows more of a person
 * than access.ts gives the reader.
 */
import { type Kind, mayBeMember, publicCard, publicUser } from '../access.ts'
import { formatPosition, parsePosition } from '../ids.ts'
import { type Handlers, type Parts, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { UserRecord } from '../storage/collections.ts'
import type { Position } from '../storage/engine.ts'
import { foldWords } from '../storage/keys.ts'
import type { Store } from '../storage/store.ts'
import type { Directory } from './directory.ts'

/** How many records one request looks at, at the most: the next one goes on from there. */
const looked = 20_000
const readAtOnce = 200

type Source = [index: string, key: string]
/** The people of one page, and the place after which there may be more; null: there are none. */
interface Page {
	users: UserRecord[]
	next: string | null
}

/** Everybody in any of these lists after a place, in the order of the accounts, each once. */
async function* merged(store: Store, sources: readonly Source[], after: Position | null): AsyncGenerator<UserRecord> {
	const lists = sources.map(([index, key]) => ({ index, key, after, waiting: [] as UserRecord[], ended: false }))
	const refill = async (list: (typeof lists)[number]) => {
		if (list.waiting.length > 0 || list.ended) return
		list.waiting = await store.find('users', list.index, [list.key], { after: list.after, limit: readAtOnce })
		list.ended = list.waiting.length < readAtOnce
		const last = list.waiting.at(-1)
		if (last) list.after = { sort: null, seq: last.seq, id: last.id }
	}
	for (;;) {
		await Promise.all(lists.map(refill))
		let first: UserRecord | null = null
		for (const { waiting } of lists) {
			const user = waiting[0]
			if (user && (!first || user.seq < first.seq || (user.seq === first.seq && user.id < first.id))) first = user
		}
		if (!first) return
		for (const { waiting } of lists) if (waiting[0]?.id === first.id) waiting.shift()
		yield first
	}
}

async function pick(users: AsyncIterable<UserRecord>, limit: number, wanted: (user: UserRecord) => boolean): Promise<Page> {
	const found: UserRecord[] = []
	let seen = 0
	for await (const user of users) {
		if (wanted(user) && found.push(user) > limit) return { users: found.slice(0, limit), next: formatPosition(found[limit - 1]!) }
		if (++seen === looked) return { users: found, next: formatPosition(user) }
	}
	return { users: found, next: null }
}

/** Whether each word of a query begins a word of these texts. */
function matcher(query: string, textsOf: (user: UserRecord) => readonly (string | null)[]) {
	// The longest word is in the fewest names: the others are looked for among those.
	const words = foldWords(query).sort((a, b) => b.length - a.length)
	return {
		rarest: words[0],
		matches(user: UserRecord): boolean {
			const own = textsOf(user).flatMap((text) => (text === null ? [] : foldWords(text)))
			return words.length > 0 && words.every((word) => own.some((one) => one.startsWith(word)))
		},
	}
}

/** The handlers for lists of people. */
export function openPeople({ store, rates }: Parts, directory: Directory): Pick<Handlers, 'listUsers' | 'findPeople' | 'findLecturers'> {
	async function find(
		query: string,
		indexes: Record<string, keyof UserRecord>,
		after: Position | null,
		limit: number,
		wanted: (user: UserRecord) => boolean,
	): Promise<Page> {
		const { rarest, matches } = matcher(query, (user) => Object.values(indexes).map((field) => user[field] as string | null))
		if (rarest === undefined) return { users: [], next: null }
		const sources = Object.keys(indexes).map((index): Source => [index, rarest])
		return pick(merged(store, sources, after), limit, (user) => wanted(user) && matches(user))
	}

	async function list(
		wanted: (user: Pick<UserRecord, 'status' | 'role'>) => boolean,
		after: Position | null,
		limit: number,
	): Promise<Page> {
		const { users, more } = await directory.page(wanted, after, limit)
		return { users: users.filter(wanted), next: more ? formatPosition(users.at(-1)!) : null }
	}

	return {
		async listUsers({ status, role, query, after, limit }) {
			const place = standing(store)
			const from = parsePosition(after)
			const wanted = (user: Pick<UserRecord, 'status' | 'role'>) =>
				(status === undefined || user.status === status) && (role === undefined || user.role === role)
			const indexes = { words: 'name', emailWords: 'email', numberWords: 'number' } as const
			const { users, next } = await (query === undefined ? list(wanted, from, limit) : find(query, indexes, from, limit, wanted))
			return { users: users.map(publicUser), next, counts: await directory.counts(), ...place }
		},
		async findPeople({ query, mine, role, after, limit }, { reader }) {
			const place = standing(store)
			const from = parsePosition(after)
			const wanted = (user: Pick<UserRecord, 'status' | 'role'>) =>
				mayBeMember(user as UserRecord) && (role === undefined || user.role === role)
			const indexes = { words: 'name', numberWords: 'number' } as const
			let page: Page
			if (mine) {
				const { matches } = matcher(query ?? '', ({ name, number }) => [name, number])
				const students = merged(store, [['lecturer', reader.user.id]], from)
				page = await pick(students, limit, (user) => wanted(user) && (query === undefined || matches(user)))
			} else page = await (query === undefined ? list(wanted, from, limit) : find(query, indexes, from, limit, wanted))
			return { users: page.users.map((user) => publicCard(reader.user.role as Kind, user)), next: page.next, ...place }
		},
		async findLecturers({ query, ids, limit }, { address }) {
			const wait = rates.lookups.take(address)
			if (wait > 0) tooOften(wait)
			const words = query === undefined ? [] : foldWords(query)
			const asked = ids === undefined ? null : new Set(ids.split(','))
			const found = query !== undefined && words.length === 0 ? [] : await directory.lecturers()
			return {
				lecturers: found
					.filter((one) => asked?.has(one.id) ?? words.every((word) => one.words.some((own) => own.startsWith(word))))
					.slice(0, limit)
					.map(({ id, name }) => ({ id, name })),
			}
		},
	}
}
