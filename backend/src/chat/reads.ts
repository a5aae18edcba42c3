/**
 * How far somebody has read: one record for each reader and discussion, heard by all her devices.
 *
 * Promises that a position only moves forward and never beyond what she sees, and that a call
 * which moves nothing writes nothing.
 */
import { publicRead, type Reader, refuseChanged, seesDiscussion, seesMessageIn, seesStill } from '../access.ts'
import { notFound } from '../errors.ts'
import { newId } from '../ids.ts'
import { type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { DiscussionRecord, MessageRecord } from '../storage/collections.ts'
import type { Derived } from '../storage/derived.ts'
import type { Position } from '../storage/engine.ts'
import type { Store } from '../storage/store.ts'
import { newestFor, unreadFor } from './counters.ts'

/** How many messages are looked at for one that she sees, while they are being counted anew. */
const looked = 2_000

/** The newest message that a reader who sees the discussion sees there. */
export async function newestMessage(
	store: Store,
	derived: Derived,
	reader: Reader,
	discussion: DiscussionRecord,
): Promise<MessageRecord | null> {
	const known = newestFor(derived, reader, discussion)
	if (known) return known.id === null ? null : store.get('messages', known.id)
	let before: Position | null = null
	for (let seen = 0; seen < looked; ) {
		const limit = seen === 0 ? 20 : 500
		const page: MessageRecord[] = await store.find('messages', 'discussion', [discussion.id], { before, limit, order: 'descending' })
		const found = page.find((message) => seesMessageIn(reader, message, discussion))
		const last = page.at(-1)
		if (found || !last || page.length < limit) return found ?? null
		before = { sort: null, seq: last.seq, id: last.id }
		seen += page.length
	}
	return null
}

/** The handler of read positions. */
export function openReads({ store, rates }: Parts, derived: Derived): Pick<Handlers, 'setRead'> {
	return {
		async setRead({ id, upTo }, { reader }) {
			const user = reader.user.id
			const wait = rates.reads.take(user)
			if (wait > 0) tooOften(wait)
			const before = standing(store).cursor
			const discussion = await store.get('discussions', id)
			if (!discussion || !seesDiscussion(reader, discussion)) notFound('discussion')
			// Not even the place of a message for others is told.
			const reached = Math.min(upTo, (await newestMessage(store, derived, reader, discussion))?.seq ?? 0)
			const { read, cursor } = await store.write(user, async (tx) => {
				await refuseChanged(tx, reader)
				const now = await tx.get('discussions', id)
				if (!now || !seesDiscussion(reader, now) || !(await seesStill(tx, reader, now))) notFound('discussion')
				const [known] = await tx.find('reads', 'pair', [user, id], { limit: 1 })
				if (known && known.upTo >= reached) return { read: known, cursor: before }
				const next = known ? { ...known, upTo: reached } : { id: newId(), user, discussion: id, upTo: reached }
				return { read: await tx.put('reads', next), cursor: placeOf(tx) }
			})
			return { read: publicRead(read), unread: unreadFor(derived, reader, discussion, read.upTo), cursor }
		},
	}
}
