/**
 * Pages of a discussion: what a reader sees of it, fifty at a time.
 *
 * Promises that a page carries a cursor that was read before its messages, and shows each of
 * them in the form that the live stream sends. The newest page of a busy discussion comes from
 * memory; one that did not change is not sent again.
 */
import type { ParsedInput } from '../../../protocol/api.ts'
import { formatCursor } from '../../../protocol/model.ts'
import { leads, messageJsonFor, publicCard, type Reader, seesDiscussion, seesMessageIn, writableGroups } from '../access.ts'
import { notFound } from '../errors.ts'
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
export function openPages({ store }: Parts): Pick<Handlers, 'listMessages'> {
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

	/** A page from the store: goes through the discussion until enough of it is for the reader. */
	async function fetch(
		reader: Reader,
		discussion: DiscussionRecord,
		before: Position | null,
		after: Position | null,
		limit: number,
	): Promise<Page> {
		const forward = after !== null && before === null
		const messages: MessageRecord[] = []
		let from: Position | null = null
		let more = true
		for (let seen = 0; more && messages.length <= limit && seen < looked; ) {
			const step = Math.min(1_000, Math.max(limit + 1, 2 * seen))
			const found: MessageRecord[] = await store.find('messages', 'discussion', [discussion.id], {
				...(forward ? { after: from ?? after } : { before: from ?? before, after }),
				limit: step,
				order: forward ? 'ascending' : 'descending',
			})
			messages.push(...found.filter((message) => seesMessageIn(reader, message, discussion)))
			const last: MessageRecord | undefined = found.at(-1)
			if (last) from = { sort: null, seq: last.seq, id: last.id }
			more = found.length === step
			seen += found.length
		}
		const enough = messages.length > limit
		const page = messages.slice(0, limit)
		// Where the next page in this direction begins: after the last one shown, or after the last one looked at.
		const onward = enough ? formatPosition(page.at(-1)!) : more && from ? formatPosition(from) : null
		if (forward) return { messages: page, older: formatPosition(page[0] ?? after), newer: onward }
		page.reverse()
		return { messages: page, older: onward, newer: before ? formatPosition(page.at(-1) ?? before) : null }
	}

	return {
		async listMessages({ id, limit, ...places }: ParsedInput<'listMessages'>, { reader, ifNoneMatch }): Promise<Ready> {
			const discussion = await store.get('discussions', id)
			if (!discussion || !seesDiscussion(reader, discussion)) notFound('discussion')
			const before = parsePosition(places.before)
			const after = parsePosition(places.after)
			const { cursor } = standing(store)
			if (before || after) return { json: await render(reader, discussion, await fetch(reader, discussion, before, after, limit), cursor) }
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
	if (leads(reader, discussion)) return false
	return messages.some(
		({ author, group, removed }) =>
			removed?.by === id || (author === id && group !== null && !(reader.groups.has(group) && discussion.groups.includes(group))),
	)
}
