/**
 * The page of a discussion: a virtual list of its rows, and the ways through it.
 *
 * Promises: it opens at the first unread message, else at the end; at the end it stays at the end,
 * elsewhere it keeps its place, also when pages come in above and below; only what was really in
 * sight counts as read; keys walk from letter to letter.
 */
import {
	type KeyboardEvent,
	memo,
	type Ref,
	useCallback,
	useEffect,
	useImperativeHandle,
	useLayoutEffect,
	useMemo,
	useRef,
	useState,
} from 'react'
import { VList, type VListHandle } from 'virtua'
import type { Discussion } from '../../../protocol/model.ts'
import type { Timeline } from '../client.ts'
import { useClient, useMe } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { tellProblem } from '../ui/notices.ts'
import { Late } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { EarlierTexts } from './EarlierTexts.tsx'
import { Announcer, Day, More, Prompt, UnreadLine, Ways } from './Landmarks.tsx'
import { MessageLetter } from './MessageLetter.tsx'
import classes from './messages.module.css'
import { createRows, forGroup, type Line, newSince, nextRows, type Row, readUpTo, walk } from './rows.ts'
import { useArrival } from './useArrival.ts'
import { usePages } from './usePages.ts'

/** As near to the end as this counts as being there. */
const nearPx = 48
const framesToFocus = 30
/** How long the letter that was gone to is marked. */
const markedMs = 4_000

export interface ListHandle {
	/** Goes to a message, from wherever. */
	show(place: { seq: number }): void
	toDate(day: string): void
	/** To the letter that the keys are at. */
	focus(): void
}

interface Props {
	ref: Ref<ListHandle>
	timeline: Timeline
	discussion: Discussion
	/** The group that is looked at; null: all. */
	group: string | null
	/** The message that the address names. */
	linked: string | null
	onReply: (message: string) => void
	onEdit: (message: string, text: string) => void
	onTakenBack: (text: string) => void
	onView: (upload: string) => void
	onDate: (day: string) => void
	/** A message is gone to that the chosen group does not show. */
	onAllGroups: () => void
	onLeave: () => void
}

/** Where the list is about to go: a row, once it is there. */
interface Goal {
	key: string
	align: 'start' | 'center' | 'end' | 'nearest'
	mark: boolean
}

export const MessageList = memo(function MessageList(props: Props) {
	const { ref, timeline, discussion, group, linked, onReply, onEdit, onTakenBack, onView, onDate, onAllGroups, onLeave } = props
	const { t } = useTexts()
	const client = useClient()
	const me = useMe()
	const list = useRef<VListHandle>(null)
	const scroller = useRef<HTMLElement>(null)

	const [line, setLine] = useState<Line | null>(null)
	const [makeRows] = useState(() => createRows())
	const items = useMemo(() => (group === null ? timeline.items : forGroup(timeline.items, group)), [timeline.items, group])
	const hidden = useMemo(() => {
		const here = new Set(items)
		return items === timeline.items ? [] : timeline.items.filter((item) => !here.has(item))
	}, [timeline.items, items])
	const { older, newer } = timeline
	const now = useMemo(() => makeRows({ items, older, newer }, line), [makeRows, items, older, newer, line])

	// What is rendered follows what there is, in steps in which the list can keep its place.
	const [shown, setShown] = useState({ rows: now, life: 0 })
	const { rows, shift, replaced } = nextRows(shown.rows, now)
	const life = shown.life + (replaced ? 1 : 0)
	useLayoutEffect(() => {
		if (rows !== shown.rows) setShown({ rows, life })
	}, [rows, life, shown])
	const last = rows.at(-1)
	const present = useRef({ rows, timeline, hidden })
	present.current = { rows, timeline, hidden }

	const atEnd = useRef(true)
	const [seen, setSeen] = useState<string | null>(null)
	/** `far`: the end is out of sight; `line`: where the unread line is. */
	const [view, setView] = useState({ far: false, line: 'seen' as 'above' | 'seen' })
	const [goal, setGoal] = useState<Goal | null>(null)
	/** On the way to a goal: a page that came in above would stop the list where it is, so none is fetched before it rests. */
	const going = useRef(false)
	const aim = useCallback((next: Goal) => {
		going.current = true
		setGoal(next)
	}, [])
	const [marked, setMarked] = useState<string | null>(null)
	const [back, setBack] = useState<number | null>(null)
	/** The first letter in sight. */
	const anchor = useRef<number | null>(null)
	const fresh = useMemo(() => newSince(rows, seen, me.id).length, [rows, seen, me.id])
	const below = Math.max(fresh, seen === null ? 0 : timeline.unread)

	/** What is in sight is read, while the page is. */
	const upTo = useRef(-1)
	/** Before it has opened somewhere, nothing is in sight. */
	const isOpen = useRef(false)
	const look = useCallback(() => {
		const handle = list.current
		if (!handle || !isOpen.current || document.visibilityState !== 'visible') return
		const { rows, timeline, hidden } = present.current
		const [top, bottom] = [handle.scrollOffset, handle.scrollOffset + handle.viewportSize]
		const topAt = handle.findItemIndex(top)
		let at = handle.findItemIndex(bottom - 1)
		const offset = handle.getItemOffset(at)
		if (offset + handle.getItemSize(at) > bottom + 4 && offset > top + handle.viewportSize / 2) at--
		const first = rows.find((row, index) => index >= topAt && row.kind === 'message')
		anchor.current = first?.kind === 'message' ? first.item.message.seq : null
		const lineAt = rows.findIndex((row) => row.kind === 'unread')
		// Without a line all of it is new, and begins at the top.
		const lineSeen = lineAt >= 0 ? lineAt >= topAt && lineAt <= at : topAt === 0 && !timeline.older
		if (lineSeen) setView((was) => (was.line === 'seen' ? was : { ...was, line: 'seen' }))
		const far = timeline.newer || bottom < handle.scrollSize - handle.viewportSize / 2
		setView((was) => (was.far === far ? was : { ...was, far }))
		if (me.role === 'admin' || timeline.readUpTo === null) return
		upTo.current = Math.max(upTo.current, timeline.readUpTo)
		const read = readUpTo(rows, at, hidden, upTo.current, me.id)
		if (read === null) return
		upTo.current = read
		client.markRead(discussion.id, read)
	}, [client, discussion.id, me])
	const frame = useRef(0)
	const lookSoon = useCallback(() => {
		cancelAnimationFrame(frame.current)
		frame.current = requestAnimationFrame(look)
	}, [look])

	const { arrive, isGoing } = useArrival(list, scroller, present, () => onScroll(list.current?.scrollOffset ?? 0))
	const scrollToEnd = useCallback(() => {
		atEnd.current = true
		setSeen(null)
		setBack(null)
		const last = present.current.rows.at(-1)
		if (last) arrive(last.key, 'end')
	}, [arrive])

	const [active, setActive] = useState<string | null>(null)
	const focusing = useRef(0)
	/** Focuses a letter as soon as the list has laid it out: before that it can't take the focus. */
	const focusRow = useCallback((key: string | null) => {
		setActive(key)
		let left = framesToFocus
		const tryAgain = () => {
			const article = scroller.current?.querySelector<HTMLElement>(`[data-message="${key}"]`)
			article?.focus({ preventScroll: true })
			if (left-- > 0 && document.activeElement !== article) focusing.current = requestAnimationFrame(tryAgain)
		}
		cancelAnimationFrame(focusing.current)
		tryAgain()
	}, [])

	const { load, arrived, ask, stopped, fetchNear } = usePages(list, discussion.id, timeline, group, lookSoon)
	/** Goes to a place, loaded or not, and remembers where one was. */
	const jumps = useRef(0)
	const goTo = useCallback(
		async (place: { seq: number } | { from: string } | 'unread' | 'end', how: Partial<Goal> & { remember?: boolean } = {}) => {
			const jump = ++jumps.current
			const from = anchor.current
			try {
				const message = await client.goTo(discussion.id, place)
				// A page that comes in above on the way would move what is gone to.
				await arrived()
				// Somebody who asks again means the other place.
				if (jump !== jumps.current) return
				if (place === 'end' || message === null) return scrollToEnd()
				atEnd.current = false
				aim({ key: place === 'unread' ? 'unread' : message, align: 'center', mark: true, ...how })
				if (how.remember) setBack(from)
			} catch (error) {
				tellProblem(errorSentence(t, error))
			}
		},
		[client, discussion.id, arrived, scrollToEnd, t, aim],
	)

	const goToLinked = useCallback(
		async (message: string) => {
			try {
				const { seq } = (await client.call('getMessage', { id: message })).message
				await goTo({ seq })
				return true
			} catch (error) {
				tellProblem(errorSentence(t, error))
				return false
			}
		},
		[client, goTo, t],
	)

	// Where it opens: at the linked message, else at the first unread one, else at the end.
	const [open, setOpen] = useState(false)
	const opening = useRef(false)
	useEffect(() => {
		if (opening.current || timeline.state !== 'ready') return
		opening.current = true
		const begin = async () => {
			const found = linked !== null && (await goToLinked(linked))
			const first = found ? null : await client.goTo(discussion.id, 'unread').catch(() => null)
			const { unread, readUpTo: after } = client.timeline(discussion.id)
			if (after !== null && unread > 0) {
				setLine({ after, count: unread, me: me.id })
				setView({ far: false, line: 'above' })
			}
			if (first !== null) {
				atEnd.current = false
				aim({ key: 'unread', align: 'start', mark: false })
			}
			isOpen.current = true
			setOpen(true)
			lookSoon()
		}
		void begin()
	}, [timeline.state, discussion.id, linked, client, goToLinked, lookSoon, me.id, aim])
	const [followed, setFollowed] = useState(linked)
	useEffect(() => {
		if (!open || followed === linked) return
		setFollowed(linked)
		if (linked !== null) void goToLinked(linked)
	}, [open, followed, linked, goToLinked])

	// biome-ignore lint/correctness/useExhaustiveDependencies: when rows or the goal have changed
	useLayoutEffect(() => {
		lookSoon()
		if (!goal) return
		let at = rows.findIndex((row) => row.key === goal.key)
		// Everything is new: the line would stand above the first message, and the prompt comes before.
		if (at < 0 && goal.key === 'unread' && !older) at = 0
		// The first unread one is the first of what is loaded: the line shows with the page above it.
		if (at < 0 && goal.key === 'unread') load('older')
		if (at < 0) {
			if (timeline.items.some(({ id }) => id === goal.key)) onAllGroups()
			return
		}
		const row = rows[at] as Row
		arrive(row.key, goal.align)
		setSeen(last?.key ?? null)
		if (goal.mark && row.kind === 'message') {
			setMarked(row.key)
			focusRow(row.key)
		}
		setGoal(null)
	}, [rows, goal])
	useEffect(() => {
		if (marked === null) return
		const timer = setTimeout(() => setMarked(null), markedMs)
		return () => clearTimeout(timer)
	}, [marked])

	// My own new message is always gone to; the end stays in sight where it is.
	const newest = last?.kind === 'message' ? last : undefined
	const mine = newest !== undefined && newest.item.message.author === me.id && newest.item.message.rev === 0
	// biome-ignore lint/correctness/useExhaustiveDependencies: when the last row is another one
	useLayoutEffect(() => {
		if (mine) arrive(newest.key, 'end')
		else if (atEnd.current) list.current?.scrollToIndex(rows.length - 1, { align: 'end' })
		if (!mine) return
		atEnd.current = true
		setSeen(null)
	}, [last?.key])
	const sent = timeline.items.at(-1)
	const sentFarAway = newer && sent?.message.author === me.id && sent.message.rev === 0 ? sent.id : null
	useEffect(() => {
		if (sentFarAway !== null) void goTo('end')
	}, [sentFarAway, goTo])

	// Another group: the same place, among its messages.
	const [looked, setLooked] = useState(group)
	useLayoutEffect(() => {
		if (looked === group) return
		setLooked(group)
		const near = rows.find((row) => row.kind === 'message' && anchor.current !== null && row.item.message.seq >= anchor.current)
		if (atEnd.current || !near) scrollToEnd()
		else aim({ key: near.key, align: 'start', mark: false })
	}, [group, looked, rows, scrollToEnd, aim])

	function onScroll(offset: number) {
		const handle = list.current
		if (!handle) return
		const end = !newer && offset + handle.viewportSize >= handle.scrollSize - nearPx
		// On the way to a place it may only look like the end, before all are measured: to be kept there would be to miss what is new.
		if (end !== atEnd.current && !isGoing.current) {
			atEnd.current = end
			setSeen(end ? null : (last?.key ?? null))
			if (end) setBack(null)
		}
		if (open && !going.current) fetchNear()
		lookSoon()
	}

	function onScrollEnd() {
		going.current = goal !== null
		if (open && !going.current) fetchNear()
	}

	// Events of scrolling come late on a busy device: before rows come in, the list must know where it is, or it would jump back.
	useEffect(() => client.subscribe(() => scroller.current?.firstElementChild?.dispatchEvent(new Event('scroll'))), [client])

	// Composer and letters change their height; the end stays in sight.
	function onResize() {
		if (atEnd.current) list.current?.scrollToIndex(rows.length - 1, { align: 'end' })
		lookSoon()
	}

	// Whoever comes back to this window finds the line where she left.
	useEffect(() => {
		function visible() {
			const { unread } = present.current.timeline
			if (document.visibilityState === 'visible' && unread > 0 && upTo.current >= 0 && opening.current) {
				setLine({ after: upTo.current, count: unread, me: me.id })
				setView((was) => ({ ...was, line: 'above' }))
				if (atEnd.current) aim({ key: 'unread', align: 'nearest', mark: false })
			}
			lookSoon()
		}
		document.addEventListener('visibilitychange', visible)
		return () => {
			document.removeEventListener('visibilitychange', visible)
			cancelAnimationFrame(frame.current)
		}
	}, [me.id, lookSoon, aim])

	// One letter at a time is a tab stop; keys move it.
	const current = rows.findLastIndex((row) => row.kind === 'message' && row.key === active)
	const stop = current >= 0 ? current : rows.findLastIndex((row) => row.kind === 'message')
	function onKeyDown(event: KeyboardEvent) {
		const at = event.target
		if (!(at instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
		const article = at.closest<HTMLElement>('article')
		if (!article && at !== scroller.current?.firstElementChild) return
		const row = rows[stop]
		const item = row?.kind === 'message' ? row.item : null
		const onLetter = at.tagName !== 'BUTTON' && at.tagName !== 'A'
		const to = onLetter || event.key === 'j' || event.key === 'k' ? walk(rows, stop, event.key) : null
		if (to !== null) {
			list.current?.scrollToIndex(to, { align: 'nearest' })
			focusRow(rows[to]?.key ?? null)
		} else if (event.key === 'End' && onLetter) {
			void goTo('end').then(() => focusRow(present.current.rows.findLast((row) => row.kind === 'message')?.key ?? null))
		} else if (event.key === 'u' && line) void goTo('unread', { align: 'start', mark: false, remember: true })
		else if (event.key === 'r' && item && timeline.mayWriteTo.length > 0 && !item.message.removed) onReply(item.id)
		else if (event.key === 'e' && item?.message.author === me.id && item.message.text !== null && !item.message.removed)
			onEdit(item.id, item.message.text)
		else if (event.key === 'Escape') onLeave()
		else return
		event.preventDefault()
	}

	const show = useCallback(
		(message: string) => {
			const item = present.current.timeline.items.find(({ id }) => id === message)
			const quoted = item ?? present.current.timeline.items.find((one) => one.quoted?.id === message)
			const seq = item?.message.seq ?? quoted?.quoted?.seq
			if (seq !== undefined) void goTo({ seq }, { remember: true })
		},
		[goTo],
	)
	useImperativeHandle(ref, () => ({
		show: ({ seq }) => void goTo({ seq }, { remember: true }),
		toDate: (day) => void goTo({ from: new Date(`${day}T00:00`).toISOString() }, { align: 'start', remember: true }),
		focus: () => {
			list.current?.scrollToIndex(stop, { align: 'nearest' })
			focusRow(rows[stop]?.key ?? null)
		},
	}))

	const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set())
	const unfold = useCallback((message: string) => setUnfolded((was) => new Set(was).add(message)), [])
	const [history, setHistory] = useState<string | null>(null)
	const ofHistory = history === null ? undefined : timeline.items.find((item) => item.id === history)
	const ready = open || timeline.state !== 'ready'

	return (
		<section
			ref={scroller}
			className={classes.frame}
			aria-label={t('messages.label')}
			onKeyDown={onKeyDown}
			data-ready={ready || undefined}
		>
			<VList
				key={life}
				ref={list}
				className={classes.list}
				data={rows}
				shift={shift}
				bufferSize={400}
				keepMounted={stop >= 0 ? [stop] : []}
				onScroll={onScroll}
				onScrollEnd={onScrollEnd}
				onResize={onResize}
				tabIndex={-1}
			>
				{(row: Row, index: number) => (
					<div key={row.key} className={classes.row} data-row={row.key} data-last={index === rows.length - 1 || undefined}>
						{(row.kind === 'older' || row.kind === 'newer') && <More which={row.kind} stopped={stopped} onClick={ask} />}
						{row.kind === 'prompt' && (
							<Prompt discussion={discussion} empty={timeline.items.length === 0} ready={timeline.state === 'ready'} />
						)}
						{row.kind === 'day' && <Day at={row.at} onDate={onDate} />}
						{row.kind === 'unread' && <UnreadLine count={row.count} since={row.since} />}
						{row.kind === 'message' && (
							<MessageLetter
								item={row.item}
								first={row.first}
								stop={index === stop}
								open={row.key === active}
								marked={row.key === marked}
								unfolded={unfolded.has(row.key)}
								discussion={discussion}
								groups={timeline.groups}
								mayWrite={timeline.mayWriteTo.length > 0}
								onOpen={setActive}
								onReply={onReply}
								onEdit={onEdit}
								onTakenBack={onTakenBack}
								onShow={show}
								onHistory={setHistory}
								onUnfold={unfold}
								onView={onView}
							/>
						)}
					</div>
				)}
			</VList>
			{!ready && (
				<div className={classes.opening}>
					<Late />
				</div>
			)}
			{open && (
				<Ways
					unread={line && view.line === 'above' ? line.count : null}
					onUnread={() => void goTo('unread', { align: 'start', mark: false, remember: true })}
					onBack={back === null ? null : () => void goTo({ seq: back }, { align: 'start', mark: false }).then(() => setBack(null))}
					below={below}
					far={view.far}
					onEnd={() => (newer ? void goTo('end') : scrollToEnd())}
				/>
			)}
			<Announcer timeline={timeline} />
			{ofHistory && <EarlierTexts message={ofHistory.message} onClose={() => setHistory(null)} />}
		</section>
	)
})
