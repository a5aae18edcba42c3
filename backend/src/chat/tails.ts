/**
 * The newest messages of busy discussions, kept in memory, and when each discussion last changed.
 *
 * Promises that a tail is what the store would give up to `seq`, in order. Bounded, derived,
 * never written; knows nothing of who may see what.
 */
import type { MessageRecord } from '../storage/collections.ts'
import type { Entry } from '../storage/engine.ts'
import type { Store } from '../storage/store.ts'

/** A discussion's newest messages, oldest first. */
export interface Tail {
	messages: readonly MessageRecord[]
	/** The discussion has no older ones. */
	whole: boolean
	/** Pages made of it, by audience; a change makes a new, empty map. */
	pages: Map<string, Promise<string>>
}

export interface Tails {
	/** The last entry that the tails know. */
	readonly seq: number
	/** The entry (or a later one) that last changed anything a page of this discussion shows. */
	changed(discussion: string): number
	/** The tail; read from the store when it is asked for the first time. */
	of(discussion: string): Promise<Tail>
}

const tailLength = 120
const tailsKept = 100
const changesKept = 10_000

export function openTails(store: Store): Tails {
	/** Insertion order is order of last use. */
	const tails = new Map<string, { tail: Promise<Tail>; read: Tail | null; late: MessageRecord[] }>()
	const changes = new Map<string, number>()
	let seq = store.head.seq
	/** No discussion outside of `changes` changed after this. */
	let floor = seq
	/** The last entry that changed a person: names stand on every page. */
	let people = seq

	store.onCommit((entries) => {
		for (const entry of entries) note(entry)
		seq = entries.at(-1)!.seq
	})

	function note(entry: Entry): void {
		for (const { collection, id, record } of entry.puts) {
			if (collection === 'messages' && record) {
				const message = record as MessageRecord
				touch(message.discussion, entry.seq)
				const kept = tails.get(message.discussion)
				if (kept?.read) renew(kept.read, [message])
				else kept?.late.push(message)
			} else if (collection === 'discussions') {
				touch(id, entry.seq)
				const read = tails.get(id)?.read
				if (read) read.pages = new Map()
			} else if (collection === 'users') {
				people = entry.seq
				for (const { read } of tails.values()) if (read) read.pages = new Map()
			}
		}
	}

	function touch(discussion: string, at: number): void {
		changes.delete(discussion)
		changes.set(discussion, at)
		if (changes.size <= changesKept) return
		const [oldest, last] = changes.entries().next().value!
		changes.delete(oldest)
		floor = Math.max(floor, last)
	}

	function renew(tail: Tail, changed: readonly MessageRecord[]): void {
		const messages = [...tail.messages]
		for (const message of changed) {
			const at = messages.findLastIndex(({ id }) => id === message.id)
			if (at >= 0) {
				if (messages[at]!.rev < message.rev) messages[at] = message
			} else if (tail.whole || compare(message, messages[0]!) > 0) messages.push(message)
		}
		messages.sort(compare)
		if (messages.length > 2 * tailLength) {
			messages.splice(0, messages.length - tailLength)
			tail.whole = false
		}
		tail.messages = messages
		tail.pages = new Map()
	}

	async function read(discussion: string): Promise<Tail> {
		const found = await store.find('messages', 'discussion', [discussion], { limit: tailLength, order: 'descending' })
		return { messages: found.reverse(), whole: found.length < tailLength, pages: new Map() }
	}

	return {
		get seq() {
			return seq
		},
		changed: (discussion) => Math.max(changes.get(discussion) ?? floor, people),
		of(discussion) {
			const known = tails.get(discussion)
			if (known) {
				tails.delete(discussion)
				tails.set(discussion, known)
				return known.tail
			}
			const kept: { tail: Promise<Tail>; read: Tail | null; late: MessageRecord[] } = {
				read: null,
				late: [],
				tail: read(discussion).then(
					(tail) => {
						// What was committed while it was read.
						if (kept.late.length > 0) renew(tail, kept.late)
						kept.read = tail
						return tail
					},
					(error: unknown) => {
						tails.delete(discussion)
						throw error
					},
				),
			}
			tails.set(discussion, kept)
			if (tails.size > tailsKept) tails.delete(tails.keys().next().value!)
			return kept.tail
		},
	}
}

function compare(a: MessageRecord, b: MessageRecord): number {
	return a.seq - b.seq || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
