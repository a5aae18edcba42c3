/**
 * Everybody's account in memory, as far as lists and counts need it: who, in which status and role.
 *
 * Promises what is true of the store at or after the moment of the question, kept by its commits and
 * read from it once, at the first question. Derived: holds nothing that is not in the records.
 */
import type { Role, Status } from '../../../protocol/model.ts'
import { mayCollaborate } from '../access.ts'
import type { UserRecord } from '../storage/collections.ts'
import type { Entry, Position } from '../storage/engine.ts'
import { compareText, foldWords } from '../storage/keys.ts'
import type { Store } from '../storage/store.ts'

/** What is known of an account. */
export interface Row {
	readonly id: string
	readonly seq: number
	readonly rev: number
	readonly status: Status
	readonly role: Role
}

/** A lecturer as strangers see her, with the words by which she is found. */
export interface Named {
	id: string
	name: string
	words: readonly string[]
}

export interface Directory {
	/** How many accounts there are of each status. */
	counts(): Promise<Record<Status, number>>
	/** The accounts after a place for which `wanted` is true, in their order; whether there are more. */
	page(wanted: (row: Row) => boolean, after: Position | null, limit: number): Promise<{ users: UserRecord[]; more: boolean }>
	/** The approved lecturers, by their names. */
	lecturers(): Promise<readonly Named[]>
}

const statuses: readonly Status[] = ['pending', 'approved', 'rejected', 'deactivated']
const readAtOnce = 1_000

const isBefore = (a: Pick<Row, 'seq' | 'id'>, b: Pick<Row, 'seq' | 'id'>) => a.seq < b.seq || (a.seq === b.seq && a.id < b.id)

/** Opens the directory; it reads nothing before it is asked. */
export function openDirectory(store: Store): Directory {
	let rows = new Map<string, Row>()
	/** The same, in the order of the accounts. */
	let order: Row[] = []
	let counts: Record<Status, number> | null = null
	let loading: Promise<void> | null = null
	/** The last entry that was told. */
	let upTo = store.head.seq
	const waiting: (() => void)[] = []
	/** Counts what may have changed the lecturers' names. */
	let version = 0
	let named: { version: number; list: readonly Named[] } | null = null

	const wake = () => {
		for (const resolve of waiting.splice(0)) resolve()
	}
	store.onStopped(wake)
	store.onCommit((entries: readonly Entry[]) => {
		for (const { puts } of entries) {
			for (const { collection, record } of puts) if (collection === 'users' && record) take(record as UserRecord)
		}
		upTo = Math.max(upTo, entries.at(-1)!.seq)
		wake()
	})

	function take({ id, seq, rev, status, role }: UserRecord): void {
		if (!loading) return
		const known = rows.get(id)
		if (known && known.rev >= rev) return
		const row = { id, seq, rev, status, role }
		rows.set(id, row)
		if (role === 'lecturer' || known?.role === 'lecturer') version++
		if (!counts) return
		if (known) counts[known.status]--
		counts[status]++
		const at = placeOf(row)
		order.splice(at, known ? 1 : 0, row)
	}

	/** Where a place is or would be. */
	function placeOf(place: Pick<Row, 'seq' | 'id'>): number {
		let [low, high] = [0, order.length]
		while (low < high) {
			const middle = (low + high) >>> 1
			if (isBefore(order[middle]!, place)) low = middle + 1
			else high = middle
		}
		return low
	}

	/** Who changes her status while the lists are read may be in none of them; but that is heard. */
	async function load(): Promise<void> {
		for (const status of statuses) {
			for (let after: Position | null = null; ; ) {
				const users: Readonly<UserRecord>[] = await store.find('users', 'status', [status], { after, limit: readAtOnce })
				for (const user of users) take(user)
				const last = users.at(-1)
				if (!last || users.length < readAtOnce) break
				after = { sort: null, seq: last.seq, id: last.id }
			}
		}
		order = [...rows.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1))
		counts = { pending: 0, approved: 0, rejected: 0, deactivated: 0 }
		for (const { status } of order) counts[status]++
	}

	/** Waits until all that is committed now is in. */
	async function current(): Promise<void> {
		const { seq } = store.head
		loading ??= load().catch((error: unknown) => {
			rows = new Map()
			loading = null
			throw error
		})
		await loading
		// A commit can be read a moment before it is told.
		while (upTo < seq && !store.stopped) await new Promise<void>((resolve) => waiting.push(resolve))
	}

	async function recordsOf(ids: readonly string[]): Promise<UserRecord[]> {
		const found: UserRecord[] = []
		for (let i = 0; i < ids.length; i += readAtOnce) {
			for (const user of await store.getMany('users', ids.slice(i, i + readAtOnce))) if (user) found.push(user)
		}
		return found
	}

	return {
		async counts() {
			await current()
			return { ...counts! }
		},
		async page(wanted, after, limit) {
			await current()
			const ids: string[] = []
			let at = after ? placeOf(after) : 0
			if (after && order[at]?.id === after.id) at++
			for (; at < order.length && ids.length <= limit; at++) if (wanted(order[at]!)) ids.push(order[at]!.id)
			return { users: await recordsOf(ids.slice(0, limit)), more: ids.length > limit }
		},
		async lecturers() {
			await current()
			if (named?.version === version) return named.list
			const then = version
			const ids = order.filter(mayCollaborate as (row: Row) => boolean).map(({ id }) => id)
			const list = (await recordsOf(ids))
				.filter(mayCollaborate)
				.map(({ id, name }) => ({ id, name, words: foldWords(name) }))
				.sort((a, b) => compareText(a.words.join(' '), b.words.join(' ')) || compareText(a.id, b.id))
			named = { version: then, list }
			return list
		},
	}
}
