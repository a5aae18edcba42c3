/**
 * Pages of a discussion: what a reader sees of it, fifty at a time.
 *
 * Promises that a page carries a cursor that was read before its messages, and shows each of
 * them in the form that the live stream sends. The newest page of a busy discussion comes from
 * memory; one that did not change is not sent again.
 */
import type { ParsedInput } from '../../../protocol/api.ts'
import { formatCursor } from '../../../protocol/model.ts'
import {
	inspects,
	leads,
	messageJsonFor,
	publicCard,
	publicMessage,
	type Reader,
	seesDiscussion,
	seesFilesOf,
	seesMessageIn,
	writableGroups,
} from '../access.ts'
import { fail, notFound } from '../errors.ts'
import { formatPosition, parsePosition } from '../ids.ts'
import { type Handlers, type Parts, type Ready, standing } from '../parts.ts'
import type { DiscussionRecord, MessageRecord } from '../storage/collections.ts'
import type { Position } from '../storage/engine.ts'
import { openTails, type Tail } from './tails.ts'

/** How many messages one page looks at, where most are for other groups. */
const looked = 2_000

interface Page {
	messages: MessageRecord[]
	older: string | null
	newer: string | null
}

/** The handler of pages. */
export function openPages({ store }: Parts): Pick<Handlers, 'listMessages' | 'listFiles'> {
	const tails = openTails(store)

	/** The newest page, made once for everybody who sees the same. */
	async function newest(reader: Reader, discussion: DiscussionRecord, limit: number): Promise<string | null> {
		const cursor = formatCursor(store.head.lineage, tails.seq)
		const tail = await tails.of(discussion.id)
		const make = async () => {
			const page = pageOf(reader, discussion, tail, limit)
			return page && render(reader, discussion, page, cursor)
		}
		if (isSpecial(reader, tail, discussion)) return make()
		const audience = `${limit} ${leads(reader, discussion) || writableGroups(reader, discussion).join(' ')}`
		const known = tail.pages.get(audience)
		if (known) return known
		const page = pageOf(reader, discussion, tail, limit)
		if (!page) return null
		const rendered = render(reader, discussion, page, cursor)
		tail.pages.set(audience, rendered)
		rendered.catch(() => tail.pages.delete(audience))
		return rendered
	}

	async function render(reader: Reader, discussion: DiscussionRecord, { messages, older, newer }: Page, cursor: string): Promise<string> {
		const shown = new Set(messages.map(({ id }) => id))
		const missing = new Set(messages.flatMap(({ replyTo }) => (replyTo !== null && !shown.has(replyTo) ? [replyTo] : [])))
		const found = missing.size > 0 ? await store.getMany('messages', [...missing]) : []
		const quoted = found.filter(
			(one) => one !== null && one.discussion === discussion.id && seesMessageIn(reader, one, discussion),
		) as MessageRecord[]
		const people = new Set([...messages, ...quoted].flatMap(({ author, removed }) => (removed ? [author, removed.by] : [author])))
		const users = await store.getMany('users', [...people])
		const cards = users.flatMap((user) => (user ? [publicCard(reader.user.role, user)] : []))
		const list = (records: MessageRecord[]) => records.map((message) => messageJsonFor(reader, message, discussion)).join(',')
		return `{"messages":[${list(messages)}],"quoted":[${list(quoted)}],"users":${JSON.stringify(cards)},"older":${text(older)},"newer":${text(newer)},"cursor":"${cursor}","kept":null,"released":null}`
	}

	/**
	 * Goes through an index from one place on, until there are enough messages that the reader is to get. `onward`: where to go
	 * on, after the last of them or the last one looked at; null: there is nothing more.
	 */
	async function walk(
		index: 'discussion' | 'files',
		discussion: DiscussionRecord,
		{ order, from, until = null, limit }: Walk,
		wanted: (message: MessageRecord) => boolean,
	): Promise<{ messages: MessageRecord[]; onward: string | null }> {
		const forward = order === 'ascending'
		const messages: MessageRecord[] = []
		let at = from
		let more = true
		for (let seen = 0; more && messages.length <= limit && seen < looked; ) {
			const step = Math.min(1_000, Math.max(limit + 1, 2 * seen))
			const found = await store.find('messages', index, index === 'files' ? [discussion.id, true] : [discussion.id], {
				...(forward ? { after: at, before: until } : { before: at, after: until }),
				limit: step,
				order,
			})
			messages.push(...found.filter(wanted))
			const last = found.at(-1)
			if (last) at = { sort: null, seq: last.seq, id: last.id }
			more = found.length === step
			seen += found.length
		}
		const page = messages.slice(0, limit)
		const onward = messages.length > limit ? page.at(-1)! : more ? at : null
		return { messages: page, onward: onward && formatPosition(onward) }
	}

	/** A page from the store. */
	async function fetch(
		reader: Reader,
		discussion: DiscussionRecord,
		before: Position | null,
		after: Position | null,
		limit: number,
	): Promise<Page> {
		const sees = (message: MessageRecord) => seesMessageIn(reader, message, discussion)
		if (after && !before) {
			const { messages, onward } = await walk('discussion', discussion, { order: 'ascending', from: after, limit }, sees)
			return { messages, older: formatPosition(messages[0] ?? after), newer: onward }
		}
		const { messages, onward } = await walk('discussion', discussion, { order: 'descending', from: before, until: after, limit }, sees)
		messages.reverse()
		return { messages, older: onward, newer: before ? formatPosition(messages.at(-1) ?? before) : null }
	}

	/** A page with `place` in its middle, as far as there are messages on both sides; or, where `begins`, at its beginning. */
	async function fetchAround(reader: Reader, discussion: DiscussionRecord, place: Position, limit: number, begins: boolean): Promise<Page> {
		const sees = (message: MessageRecord) => seesMessageIn(reader, message, discussion)
		const before = await walk('discussion', discussion, { order: 'descending', from: place, limit }, sees)
		// A look at one more than there are to be, on either side.
		const after = await walk('discussion', discussion, { order: 'ascending', from: justBefore(place), limit }, sees)
		const half = begins ? 0 : Math.floor(limit / 2)
		const newer = Math.min(after.messages.length, Math.max(limit - half, limit - before.messages.length))
		// Where nothing is newer it is the newest page.
		const older = begins && newer > 0 ? 0 : Math.min(before.messages.length, limit - newer)
		const messages = [...before.messages.slice(0, older).reverse(), ...after.messages.slice(0, newer)]
		const first = messages[0] ?? place
		const last = messages.at(-1) ?? place
		return {
			messages,
			older: older < before.messages.length ? formatPosition(older > 0 ? first : place) : before.onward,
			newer: newer < after.messages.length ? formatPosition(last) : after.onward,
		}
	}

	/**
	 * Where the first message since a time stands. Times only grow with the place, but for what came back after a restore with
	 * its first time: that is passed over.
	 */
	async function since(discussion: string, time: string): Promise<Position> {
		const firstAfter = async (seq: number): Promise<MessageRecord | undefined> => {
			for (let after = { sort: null, seq, id: lastId } as Position; ; ) {
				const found = await store.find('messages', 'discussion', [discussion], { after, limit: 10 })
				const own = found.find(({ returned }) => !returned)
				if (own || found.length < 10) return own
				const { seq: at, id } = found.at(-1)!
				after = { sort: null, seq: at, id }
			}
		}
		// Everything up to `low` is earlier, everything after `high` is not.
		let low = 0
		let high = store.head.seq
		while (low < high) {
			const middle = Math.floor((low + high) / 2)
			const next = await firstAfter(middle)
			if (next && next.createdAt < time) low = next.seq
			else high = middle
		}
		return { sort: null, seq: low + 1, id: firstId }
	}

	async function seen(id: string, reader: Reader): Promise<DiscussionRecord> {
		const discussion = await store.get('discussions', id)
		if (!discussion || !seesDiscussion(reader, discussion)) notFound('discussion')
		return discussion
	}

	return {
		async listFiles({ id, before, limit }, { reader }) {
			const place = standing(store)
			const discussion = await seen(id, reader)
			const walkFrom: Walk = { order: 'descending', from: parsePosition(before), limit }
			const { messages, onward } = await walk('files', discussion, walkFrom, (message) => seesFilesOf(reader, message, discussion))
			const users = await store.getMany('users', [
				...new Set(messages.flatMap(({ author, removed }) => (removed ? [author, removed.by] : [author]))),
			])
			return {
				messages: messages.map((message) => publicMessage(message, true)),
				users: users.flatMap((user) => (user ? [publicCard(reader.user.role, user)] : [])),
				older: onward,
				...place,
			}
		},
		async listMessages({ id, limit, ...places }: ParsedInput<'listMessages'>, { reader, ifNoneMatch }): Promise<Ready> {
			const discussion = await seen(id, reader)
			const given = Object.values(places).filter((value) => value !== undefined).length
			const { around, from } = places
			if (given > 1 && (around !== undefined || from !== undefined)) fail('invalid_input', 'Only one place can be asked for.')
			const before = parsePosition(places.before)
			const after = parsePosition(places.after)
			const { cursor } = standing(store)
			const answer = async (page: Promise<Page>): Promise<Ready> => ({ json: await render(reader, discussion, await page, cursor) })
			if (before || after) return answer(fetch(reader, discussion, before, after, limit))
			if (around !== undefined) {
				const place = { sort: null, seq: around, id: firstId }
				return answer(fetchAround(reader, discussion, place, limit, false))
			}
			if (from !== undefined) return answer(fetchAround(reader, discussion, await since(id, from), limit, true))
			// Taken before the messages are: it may say too old, never too new.
			const etag = `"${store.head.lineage}:${tails.changed(id)}:${reader.user.id}:${reader.user.rev}"`
			if (ifNoneMatch === etag) return { json: null, etag }
			const page =
				(await newest(reader, discussion, limit)) ??
				(await render(reader, discussion, await fetch(reader, discussion, null, null, limit), cursor))
			return { json: page, etag }
		},
	}
}

/** The least and the greatest id. */
const firstId = '0'.repeat(24)
const lastId = 'f'.repeat(24)

/** Between the entry of this place and the one before it. */
const justBefore = ({ seq }: Position): Position | null => (seq === 0 ? null : { sort: null, seq: seq - 1, id: lastId })

interface Walk {
	order: 'ascending' | 'descending'
	from: Position | null
	until?: Position | null
	limit: number
}

const text = (position: string | null) => (position === null ? 'null' : `"${position}"`)

/** The newest page out of a tail; null where the tail is too short to tell. */
function pageOf(reader: Reader, discussion: DiscussionRecord, { messages, whole }: Tail, limit: number): Page | null {
	const page: MessageRecord[] = []
	for (let i = messages.length - 1; i >= 0 && page.length <= limit; i--) {
		if (seesMessageIn(reader, messages[i]!, discussion)) page.push(messages[i]!)
	}
	if (page.length <= limit) return whole ? { messages: page.reverse(), older: null, newer: null } : null
	page.pop()
	page.reverse()
	return { messages: page, older: formatPosition(page[0]!), newer: null }
}

/** Whether a reader sees more of a tail than others in her groups: what she wrote for another group, or removed herself. */
function isSpecial(reader: Reader, { messages }: Tail, discussion: DiscussionRecord): boolean {
	const { id } = reader.user
	// Her page has no place beside those of people who belong here.
	if (inspects(reader, discussion)) return true
	if (leads(reader, discussion)) return false
	return messages.some(
		({ author, group, removed }) =>
			removed?.by === id || (author === id && group !== null && !(reader.groups.has(group) && discussion.groups.includes(group))),
	)
}
