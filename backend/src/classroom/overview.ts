/**
 * The overview: all discussions of a reader, newest first, with totals, what is unread, and the
 * newest message of each.
 *
 * Promises a page as a fresh look at the records would give it, with a cursor from before it.
 * What did not change since she asked last is not made again: memory for that is bounded, and
 * one that changed nowhere is not sent again.
 */
import type { Totals } from '../../../protocol/model.ts'
import { formatCursor } from '../../../protocol/model.ts'
import {
	leadersOf,
	leads,
	messageJsonFor,
	openTo,
	publicCard,
	publicDiscussion,
	publicRead,
	type Reader,
	seesDiscussion,
} from '../access.ts'
import { formatPosition, parsePosition } from '../ids.ts'
import type { Handlers, Parts, Ready } from '../parts.ts'
import type { DiscussionRecord, MessageRecord, ReadRecord, UserRecord } from '../storage/collections.ts'
import type { Entry, Position } from '../storage/engine.ts'
import type { Store } from '../storage/store.ts'

/** What is said in discussions, as the chat knows it. */
export interface Said {
	/** Null: not known at the moment. */
	totals(reader: Reader, discussion: DiscussionRecord): Totals | null
	unread(reader: Reader, discussion: DiscussionRecord, upTo: number): number | null
	newest(reader: Reader, discussion: DiscussionRecord): Promise<MessageRecord | null>
}

/** One discussion on a reader's page, as JSON. */
interface Piece {
	/** Made of everything up to here. */
	stamp: number
	discussion: string
	/** `"<id>":<value>`; empty: not known. */
	totals: string
	unread: string
	latest: string
	read: string
	people: readonly string[]
}

/** What was made for one reader. */
interface Shelf {
	reader: Reader
	/** What she read before this was not heard here. */
	since: number
	/** By `after` and `limit`. */
	lists: Map<string, { stamp: number; ids: readonly string[]; next: string | null }>
	pieces: Map<string, Piece>
	/** By discussion, when she last read there. */
	reads: Map<string, number>
}

/** Shelves and pieces of all readers together: some 2 KB each. */
const sizeKept = 20_000
const listsKept = 20
const changesKept = 20_000
/** For more discussions than these all of a reader's positions are read. */
const readsOneByOne = 5
const readsAtOnce = 1_000
const groupsAtOnce = 20

/** Knows the entry that last changed what is seen of a discussion; of those forgotten, a later one. */
function openStamps(store: Store, heard: (read: ReadRecord, seq: number) => void) {
	const changes = new Map<string, number>()
	const stamps = {
		/** The last entry that is known here. */
		seq: store.head.seq,
		/** The last entries that changed any person, and who sees which discussion. */
		people: store.head.seq,
		lists: store.head.seq,
		floor: store.head.seq,
		of: (discussion: string) => changes.get(discussion) ?? stamps.floor,
	}
	function touch(discussion: string, seq: number): void {
		changes.delete(discussion)
		changes.set(discussion, seq)
		if (changes.size <= changesKept) return
		const [oldest, last] = changes.entries().next().value!
		changes.delete(oldest)
		stamps.floor = Math.max(stamps.floor, last)
	}
	function note({ puts, seq }: Entry): void {
		for (const { collection, id, record } of puts) {
			if (collection === 'users') stamps.people = seq
			else if (collection === 'reads' && record) heard(record as ReadRecord, seq)
			else if (collection === 'messages' && record) touch((record as MessageRecord).discussion, seq)
			else if (collection === 'discussions') {
				touch(id, seq)
				if ((record as DiscussionRecord | null)?.scopeRev === seq) stamps.lists = seq
			}
		}
	}
	store.onCommit((entries) => {
		for (const entry of entries) note(entry)
		stamps.seq = entries.at(-1)!.seq
	})
	return stamps
}

/** The next discussions in an index, newest first, that the reader sees. */
async function listed(
	store: Store,
	index: string,
	key: string,
	wanted: (discussion: DiscussionRecord) => boolean,
	before: Position | null,
	limit: number,
) {
	const found: DiscussionRecord[] = []
	let from = before
	for (let more = true; more && found.length < limit; ) {
		const page: DiscussionRecord[] = await store.find('discussions', index, [key], { before: from, limit, order: 'descending' })
		found.push(...page.filter(wanted))
		const last = page.at(-1)
		if (last) from = { sort: null, seq: last.seq, id: last.id }
		more = page.length === limit
	}
	return found
}

/** The newest discussions that the reader sees, before a position. */
async function newestFirst(store: Store, reader: Reader, before: Position | null, limit: number): Promise<DiscussionRecord[]> {
	const { id, role } = reader.user
	const found = new Map<string, DiscussionRecord>()
	const places: [string, string][] =
		role === 'lecturer'
			? [
					['creator', id],
					['collaborator', id],
				]
			: [...reader.groups.keys()].map((group) => ['group', group])
	for (let i = 0; i < places.length; i += groupsAtOnce) {
		const wanted = (discussion: DiscussionRecord) => (role === 'lecturer' ? leads(reader, discussion) : openTo(discussion).length > 0)
		const lists = places.slice(i, i + groupsAtOnce).map(([index, key]) => listed(store, index, key, wanted, before, limit))
		for (const discussion of (await Promise.all(lists)).flat()) found.set(discussion.id, discussion)
	}
	return [...found.values()].sort((a, b) => b.seq - a.seq || (a.id < b.id ? 1 : -1)).slice(0, limit)
}

const written = new WeakMap<DiscussionRecord, string>()

/** The JSON of a discussion, made once for all who see it. */
function discussionJson(discussion: DiscussionRecord): string {
	let json = written.get(discussion)
	if (json === undefined) {
		json = JSON.stringify(publicDiscussion(discussion))
		written.set(discussion, json)
	}
	return json
}

/** The handler of the overview. */
export function openOverview({ store }: Parts, said: Said): Pick<Handlers, 'listDiscussions'> {
	/** Insertion order is order of last use. */
	const shelves = new Map<string, Shelf>()
	let size = 0
	const stamps = openStamps(store, ({ user, discussion }, seq) => shelves.get(user)?.reads.set(discussion, seq))

	function shelfOf(reader: Reader): Shelf {
		const { id } = reader.user
		let shelf = shelves.get(id)
		// Where her groups may be others now, nothing on it is hers any more.
		if (shelf && shelf.reader === reader) shelves.delete(id)
		else {
			if (shelf) drop(shelf)
			shelf = { reader, since: stamps.seq, lists: new Map(), pieces: new Map(), reads: new Map() }
			size++
		}
		shelves.set(id, shelf)
		while (size > sizeKept && shelves.size > 1) drop(shelves.values().next().value!)
		return shelf
	}

	function drop(shelf: Shelf): void {
		shelves.delete(shelf.reader.user.id)
		size -= 1 + shelf.pieces.size
	}

	async function listOf(shelf: Shelf, after: string | undefined, limit: number) {
		const name = `${after} ${limit}`
		const known = shelf.lists.get(name)
		if (known && known.stamp >= stamps.lists) return known
		const stamp = stamps.seq
		const found = await newestFirst(store, shelf.reader, parsePosition(after), limit + 1)
		const page = found.slice(0, limit)
		const list = { stamp, ids: page.map(({ id }) => id), next: found.length > limit ? formatPosition(page.at(-1)!) : null }
		// Pages of lists that are gone are asked for no more.
		for (const [name, { stamp }] of shelf.lists) if (stamp < stamps.lists || shelf.lists.size >= listsKept) shelf.lists.delete(name)
		shelf.lists.set(name, list)
		return list
	}

	const stampOf = (shelf: Shelf, id: string) => Math.max(stamps.of(id), shelf.reads.get(id) ?? 0)

	/** Makes what changed; gives the pieces of those that she (still) sees. */
	async function piecesOf(shelf: Shelf, ids: readonly string[]): Promise<Piece[]> {
		const stale = ids.filter((id) => (shelf.pieces.get(id)?.stamp ?? -1) < stampOf(shelf, id))
		const made = new Map<string, Piece | null>()
		if (stale.length > 0) {
			const { reader } = shelf
			const stamp = stamps.seq
			const discussions = await store.getMany('discussions', stale)
			const reads = await readsOf(reader, stale)
			await Promise.all(
				discussions.map(async (discussion) => {
					if (discussion && seesDiscussion(reader, discussion))
						made.set(discussion.id, await make(reader, discussion, reads.get(discussion.id), stamp))
				}),
			)
			for (const id of stale) keep(shelf, id, made.get(id))
		}
		return ids.flatMap((id) => made.get(id) ?? shelf.pieces.get(id) ?? [])
	}

	function keep(shelf: Shelf, id: string, piece: Piece | null | undefined): void {
		const before = shelf.pieces.size
		// What is not known yet is asked again.
		if (piece && piece.totals !== '' && piece.unread !== '') shelf.pieces.set(id, piece)
		else shelf.pieces.delete(id)
		if (shelves.get(shelf.reader.user.id) === shelf) size += shelf.pieces.size - before
	}

	async function readsOf({ user }: Reader, ids: readonly string[]): Promise<Map<string, ReadRecord>> {
		const reads: ReadRecord[] = []
		if (ids.length <= readsOneByOne) {
			for (const id of ids) reads.push(...(await store.find('reads', 'pair', [user.id, id], { limit: 1 })))
		} else {
			let after: Position | null = null
			for (let more = true; more; ) {
				const page: ReadRecord[] = await store.find('reads', 'user', [user.id], { after, limit: readsAtOnce })
				reads.push(...page)
				const last = page.at(-1)
				if (last) after = { sort: null, seq: last.seq, id: last.id }
				more = page.length === readsAtOnce
			}
		}
		return new Map(reads.map((read) => [read.discussion, read]))
	}

	async function make(reader: Reader, discussion: DiscussionRecord, read: ReadRecord | undefined, stamp: number): Promise<Piece> {
		const { id } = discussion
		const totals = said.totals(reader, discussion)
		const unread = said.unread(reader, discussion, read?.upTo ?? 0)
		const latest = await said.newest(reader, discussion)
		return {
			stamp,
			discussion: discussionJson(discussion),
			totals: totals ? `"${id}":${JSON.stringify(totals)}` : '',
			unread: unread === null ? '' : `"${id}":${unread}`,
			latest: latest ? messageJsonFor(reader, latest, discussion) : '',
			read: read ? JSON.stringify(publicRead(read)) : '',
			people: [...leadersOf(discussion), ...(latest ? [latest.author, ...(latest.removed ? [latest.removed.by] : [])] : [])],
		}
	}

	return {
		async listDiscussions({ after, limit }, { reader, ifNoneMatch }): Promise<Ready> {
			const cursor = formatCursor(store.head.lineage, stamps.seq)
			const shelf = shelfOf(reader)
			const list = await listOf(shelf, after, limit)
			const newest = Math.max(shelf.since, list.stamp, stamps.people, ...list.ids.map((id) => stampOf(shelf, id)))
			const etag = `"${store.head.lineage}:${newest}:${reader.user.id}:${reader.user.rev}"`
			if (ifNoneMatch === etag) return { json: null, etag }
			const pieces = await piecesOf(shelf, list.ids)
			const users = await store.getMany('users', [...new Set(pieces.flatMap(({ people }) => people))])
			const cards = users.flatMap((user: UserRecord | null) => (user ? [publicCard(reader.user.role, user)] : []))
			const all = (field: 'discussion' | 'totals' | 'unread' | 'latest' | 'read') =>
				pieces
					.map((piece) => piece[field])
					.filter((json) => json !== '')
					.join(',')
			const json =
				`{"discussions":[${all('discussion')}],"totals":{${all('totals')}},"unread":{${all('unread')}},"latest":[${all('latest')}],` +
				`"reads":[${all('read')}],"users":${JSON.stringify(cards)},"next":${list.next === null ? 'null' : `"${list.next}"`},` +
				`"cursor":"${cursor}","kept":null,"released":null}`
			const known = pieces.every(({ totals, unread }) => totals !== '' && unread !== '')
			return known ? { json, etag } : { json }
		},
	}
}
