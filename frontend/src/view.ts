/**
 * The snapshot that screens are given: everything but the timelines, as it is now.
 *
 * Promises the same object until something in it changed, and in a new one the same lists and
 * entries where those did not.
 */
import type { Person, Published, Totals } from '../../protocol/model.ts'
import type { Row } from './chat/database.ts'
import { asDiscussion } from './chat/overlay.ts'
import { keepList } from './chat/timeline.ts'
import type { Connection, Snapshot } from './client.ts'
import { byActivity, type Records } from './records.ts'

export interface ViewSources {
	records: Records
	totals: ReadonlyMap<string, Totals>
	me(): Person
	rows(): readonly Row[]
	unreadOf(discussion: string): number
	state(): { connection: Connection; durable: boolean; isListed: boolean }
}

/** `touch`: something may have changed. */
export function createView({ records, totals, me, rows, unreadOf, state }: ViewSources) {
	let current: Snapshot | null = null
	let stale = true
	let peopleBefore: ReadonlyMap<string, Person> = new Map()

	function people() {
		const now = records.all('users')
		if (now.size !== peopleBefore.size || [...now].some(([id, person]) => peopleBefore.get(id) !== person)) peopleBefore = new Map(now)
		return peopleBefore
	}

	function discussions(waiting: readonly Row[]): Snapshot['discussions'] {
		const before = new Map(current?.discussions.map((entry) => [entry.discussion.id, entry]))
		const starting = waiting.flatMap((row) =>
			row.command === 'startDiscussion' && !records.get('discussions', row.target) ? [asDiscussion(row, me().id)] : [],
		)
		const list = [...starting, ...records.all('discussions').values()].map((discussion) => {
			const { id } = discussion
			const last = records.messagesOf(id).messages.at(-1) ?? null
			const entry = { discussion, last, totals: totals.get(id) ?? null, unread: unreadOf(id) }
			const same = before.get(id)
			return same && sameEntry(same, entry) ? same : entry
		})
		return keepList(current?.discussions, list.sort(byActivity))
	}

	function snapshot(): Snapshot {
		if (!stale && current) return current
		stale = false
		const commands = rows()
		const { connection, durable, isListed } = state()
		const all = <N extends 'groups' | 'memberships' | 'categories'>(name: N) =>
			keepList(current?.[name] as Published[N][] | undefined, [...records.all(name).values()])
		current = {
			me: me(),
			...{ connection, durable },
			waiting: commands.filter((row) => row.state === 'waiting').length,
			refused: commands.filter((row) => row.state === 'refused').length,
			discussions: discussions(commands),
			discussionsState: isListed ? 'ready' : 'loading',
			groups: all('groups'),
			memberships: all('memberships'),
			categories: all('categories'),
			people: people(),
		}
		return current
	}

	return {
		snapshot,
		touch() {
			stale = true
		},
	}
}

function sameEntry(a: Snapshot['discussions'][number], b: Snapshot['discussions'][number]): boolean {
	return (
		a.last === b.last &&
		a.totals === b.totals &&
		a.unread === b.unread &&
		(a.discussion === b.discussion || (a.discussion.rev === 0 && b.discussion.rev === 0 && a.discussion.id === b.discussion.id))
	)
}
