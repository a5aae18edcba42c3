/**
 * The pages of the admin's list: what they bring stands in the snapshot, where the live stream keeps it right.
 *
 * Fetches again when the records it counted on are gone (after a resync).
 */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Person } from '../../../protocol/model.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { errorSentence } from '../ui/problems.ts'
import { type Filter, type Loaded, listPeople } from './people.ts'

const pageSize = 50
/** Fewer than fill a screen: the next page is fetched without being asked for. */
const few = 12

interface Pages extends Loaded {
	filter: Filter
	next: string | null
}

export function usePeople(filter: Filter) {
	const { t } = useTexts()
	const client = useClient()
	const { people, connection } = useSnapshot()
	const [pages, setPages] = useState<Pages | null>(null)
	const [problem, setProblem] = useState<string | null>(null)
	const [round, setRound] = useState(0)
	const busy = useRef(false)
	const { status, role, query } = filter

	const fetch = useCallback(
		(after: string | null) =>
			client.call('listUsers', {
				limit: pageSize,
				...(status && { status }),
				...(role && { role }),
				...(query && { query }),
				...(after && { after }),
			}),
		[client, status, role, query],
	)

	// biome-ignore lint/correctness/useExhaustiveDependencies: once more for each round
	useEffect(() => {
		let gone = false
		busy.current = true
		const timer = setTimeout(
			() =>
				fetch(null)
					.then(
						(page) => {
							if (gone) return
							setPages({ filter: { status, role, query }, ...grown(null, page) })
							setProblem(null)
						},
						(error) => !gone && setProblem(errorSentence(t, error)),
					)
					.finally(() => {
						if (!gone) busy.current = false
					}),
			query ? 150 : 0,
		)
		return () => {
			gone = true
			busy.current = false
			clearTimeout(timer)
		}
	}, [fetch, round])

	const current = pages && pages.filter.status === status && pages.filter.role === role && pages.filter.query === query ? pages : null

	const loadMore = useCallback(async () => {
		if (busy.current || !current?.next) return
		busy.current = true
		try {
			const page = await fetch(current.next)
			setPages((now) => (now === current ? { filter: now.filter, ...grown(now, page) } : now))
			setProblem(null)
		} catch (error) {
			setProblem(errorSentence(t, error))
		} finally {
			busy.current = false
		}
	}, [current, fetch, t])

	const shown = useMemo(() => listPeople(people.values(), { status, role, query }, current), [people, status, role, query, current])

	useEffect(() => {
		if (current?.next && shown.length < few && !problem) void loadMore()
	}, [current, shown.length, problem, loadMore])

	// After a resync the records are gone, and the pages with them.
	const lost = current !== null && connection === 'online' && [...current.ids].some((id) => !people.has(id))
	useEffect(() => {
		if (!lost) return
		const timer = setTimeout(() => setRound((now) => now + 1), 500)
		return () => clearTimeout(timer)
	}, [lost])

	return {
		shown,
		state: current ? ('ready' as const) : ('loading' as const),
		more: current?.next != null,
		problem,
		loadMore,
		again: () => setRound((now) => now + 1),
	}
}

function grown(before: Pages | null, page: { users: Person[]; next: string | null }): Omit<Pages, 'filter'> {
	const ids = new Set(before?.ids)
	for (const { id } of page.users) ids.add(id)
	const last = page.users.reduce((high, { seq }) => Math.max(high, seq), before?.last ?? 0)
	return { ids, last, end: page.next === null, next: page.next }
}
