/**
 * The pages of a discussion that come in above and below what its list shows, before one gets there.
 *
 * Promises one page at a time, that none is forgotten which had to wait for another, and that none is
 * asked for again by itself after a failure.
 */
import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'
import type { VListHandle } from 'virtua'
import type { Timeline } from '../client.ts'
import { useClient } from '../ui/data.tsx'

/** Pages are fetched when this little is left. */
const aheadPx = 800
/** Where only one group is looked at: so many pages are fetched by themselves until somebody asks for more. */
const pagesUnasked = 20

type Side = 'older' | 'newer'

/** `group`: the one that is looked at; `onLoaded`: a page is there, or will not come. */
export function usePages(
	list: RefObject<VListHandle | null>,
	discussion: string,
	timeline: Timeline,
	group: string | null,
	onLoaded: () => void,
) {
	const client = useClient()
	const present = useRef(timeline)
	present.current = timeline
	/** The page that is on its way. */
	const loading = useRef<Promise<void> | null>(null)
	const unasked = useRef(0)
	/** One was not to be had, or they were enough: the next ones are asked for. */
	const [stopped, setStopped] = useState(false)
	const { state, older, newer, items } = timeline

	const load = useCallback(
		(which: Side) => {
			if (loading.current || !present.current[which]) return
			loading.current = (which === 'older' ? client.loadOlder(discussion) : client.loadNewer(discussion))
				.then(
					() => setStopped(false),
					() => setStopped(true),
				)
				.finally(() => {
					loading.current = null
					onLoaded()
				})
		},
		[client, discussion, onLoaded],
	)
	/** When the page that is on its way is there. */
	const arrived = useCallback(() => loading.current, [])
	const ask = useCallback(
		(which: Side) => {
			unasked.current = 0
			load(which)
		},
		[load],
	)

	const isFilled = () => list.current !== null && list.current.scrollSize > list.current.viewportSize + aheadPx
	/** Fetches the page beside the end that is near: while one scrolls, and at rest, since at the very end nothing scrolls any more. */
	function fetchNear() {
		if (!list.current || stopped || loading.current || state !== 'ready') return
		const { scrollOffset, viewportSize, scrollSize } = list.current
		const atEnd = scrollOffset + viewportSize >= scrollSize - aheadPx
		const which = older && scrollOffset < aheadPx ? 'older' : newer && atEnd ? 'newer' : null
		if (which === null) return
		if (isFilled()) unasked.current = 0
		else if (group !== null && ++unasked.current > pagesUnasked) return setStopped(true)
		load(which)
	}
	// A page that does not fill the screen can't be scrolled: the next one is fetched at once.
	// biome-ignore lint/correctness/useExhaustiveDependencies: whenever another page is there
	useEffect(() => {
		if (!isFilled()) fetchNear()
	}, [load, stopped, state, items, group])

	return { load, arrived, ask, stopped, fetchNear }
}
