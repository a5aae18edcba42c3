/**
 * The page of a discussion: a virtual list of its rows.
 *
 * Promises: at the bottom it stays at the bottom; elsewhere it keeps its place, also when older
 * pages come in above; what is new below is told by a pill and read out; arrow keys walk from
 * letter to letter.
 */
import { Button } from '@mantine/core'
import { IconArrowDown } from '@tabler/icons-react'
import { type KeyboardEvent, memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { VList, type VListHandle } from 'virtua'
import type { Discussion } from '../../../protocol/model.ts'
import type { Timeline } from '../client.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { shortName } from '../ui/names.ts'
import { Avatar, RoleBadge } from '../ui/pieces.tsx'
import { dayName } from '../ui/times.ts'
import { EarlierTexts } from './EarlierTexts.tsx'
import { MessageLetter } from './MessageLetter.tsx'
import classes from './messages.module.css'
import { createRows, grewAbove, newSince, type Row } from './rows.ts'

/** As near to the end as this counts as being there. */
const nearPx = 48
/** Older messages are fetched when this little is left above. */
const aheadPx = 600

interface Props {
	timeline: Timeline
	discussion: Discussion
	onReply: (message: string) => void
	onEdit: (message: string, text: string) => void
	onTakenBack: (text: string) => void
}

export const MessageList = memo(function MessageList({ timeline, discussion, onReply, onEdit, onTakenBack }: Props) {
	const { t } = useTexts()
	const client = useClient()
	const { me } = useSnapshot()
	const list = useRef<VListHandle>(null)
	const scroller = useRef<HTMLElement>(null)
	const [makeRows] = useState(() => createRows())
	const rows = useMemo(() => makeRows(timeline), [makeRows, timeline])
	const last = rows.at(-1)

	// The rows of the last render, to tell rows that came in above from rows that came in below.
	const [before, setBefore] = useState(rows)
	const shift = before !== rows && grewAbove(before, rows)
	useLayoutEffect(() => setBefore(rows), [rows])

	const atEnd = useRef(true)
	const [seen, setSeen] = useState<string | null>(null)
	const fresh = useMemo(() => newSince(rows, seen, me.id), [rows, seen, me.id])

	const toEnd = useCallback(() => {
		atEnd.current = true
		setSeen(null)
		list.current?.scrollToIndex(Number.MAX_SAFE_INTEGER, { align: 'end' })
	}, [])

	// My own new message is always gone to.
	const mine = last?.kind === 'message' && last.item.message.author === me.id
	// biome-ignore lint/correctness/useExhaustiveDependencies: when the last row is another one
	useLayoutEffect(() => {
		if (atEnd.current || mine) list.current?.scrollToIndex(rows.length - 1, { align: 'end' })
		if (mine) {
			atEnd.current = true
			setSeen(null)
		}
	}, [last?.key])

	const loading = useRef(false)
	const [failed, setFailed] = useState(false)
	const loadOlder = useCallback(async () => {
		if (loading.current || !timeline.older) return
		loading.current = true
		try {
			await client.loadOlder(discussion.id)
			setFailed(false)
		} catch {
			setFailed(true)
		} finally {
			loading.current = false
		}
	}, [client, discussion.id, timeline.older])

	// A page that does not fill the screen can't be scrolled: the next one is fetched at once.
	useEffect(() => {
		const handle = list.current
		if (handle && !failed && timeline.state === 'ready' && handle.scrollSize <= handle.viewportSize + aheadPx) void loadOlder()
	}, [loadOlder, failed, timeline.state])

	function onScroll(offset: number) {
		const handle = list.current
		if (!handle) return
		const end = offset + handle.viewportSize >= handle.scrollSize - nearPx
		if (end !== atEnd.current) {
			atEnd.current = end
			setSeen(end ? null : (last?.key ?? null))
		}
		if (offset < aheadPx && !failed) void loadOlder()
	}

	// Composer and letters change their height; the end stays in sight.
	function onResize() {
		if (atEnd.current) list.current?.scrollToIndex(rows.length - 1, { align: 'end' })
	}

	// One letter at a time is a tab stop; arrows move it.
	const [active, setActive] = useState<string | null>(null)
	const current = rows.findLastIndex((row) => row.kind === 'message' && row.key === active)
	const stop = current >= 0 ? current : rows.findLastIndex((row) => row.kind === 'message')
	const walking = useRef(false)

	function onKeyDown(event: KeyboardEvent) {
		if (!(event.target instanceof HTMLElement) || event.target.tagName !== 'ARTICLE') return
		const to = walk(rows, stop, event.key)
		if (to === null) return
		event.preventDefault()
		walking.current = true
		setActive(rows[to]?.key ?? null)
		list.current?.scrollToIndex(to, { align: 'nearest' })
	}

	useEffect(() => {
		if (!walking.current) return
		walking.current = false
		scroller.current?.querySelector<HTMLElement>(`[data-message="${active}"]`)?.focus({ preventScroll: true })
	}, [active])

	const show = useCallback(
		(message: string) => {
			const at = rows.findIndex((row) => row.key === message)
			if (at < 0) return
			walking.current = true
			setActive(message)
			list.current?.scrollToIndex(at, { align: 'center' })
		},
		[rows],
	)

	const [history, setHistory] = useState<string | null>(null)
	const ofHistory = history === null ? undefined : timeline.items.find((item) => item.id === history)

	return (
		<section ref={scroller} className={classes.frame} aria-label={t('messages.label')} onKeyDown={onKeyDown}>
			<VList
				ref={list}
				className={classes.list}
				data={rows}
				shift={shift}
				bufferSize={400}
				keepMounted={stop >= 0 ? [stop] : []}
				onScroll={onScroll}
				onResize={onResize}
				tabIndex={-1}
			>
				{(row: Row, index: number) => (
					<div key={row.key} className={classes.row} data-last={index === rows.length - 1 || undefined}>
						{row.kind === 'older' && <Older failed={failed} onClick={loadOlder} />}
						{row.kind === 'prompt' && (
							<Prompt discussion={discussion} empty={timeline.items.length === 0} ready={timeline.state === 'ready'} />
						)}
						{row.kind === 'day' && <Day at={row.at} />}
						{row.kind === 'message' && (
							<MessageLetter
								item={row.item}
								first={row.first}
								stop={index === stop}
								open={row.key === active}
								discussion={discussion}
								groups={timeline.groups}
								onOpen={setActive}
								onReply={onReply}
								onEdit={onEdit}
								onTakenBack={onTakenBack}
								onShow={show}
								onHistory={setHistory}
							/>
						)}
					</div>
				)}
			</VList>
			{fresh.length > 0 && (
				<Button className={classes.pill as string} onClick={toEnd} rightSection={<IconArrowDown size={16} stroke={2} />}>
					{t('messages.new', { count: fresh.length })}
				</Button>
			)}
			<Announcer timeline={timeline} />
			{ofHistory && <EarlierTexts message={ofHistory.message} onClose={() => setHistory(null)} />}
		</section>
	)
})

/** The row an arrow key goes to; null for other keys and at the ends. */
function walk(rows: Row[], from: number, key: string): number | null {
	const step = key === 'ArrowUp' ? -1 : key === 'ArrowDown' ? 1 : 0
	if (key === 'Home') return rows.findIndex((row) => row.kind === 'message')
	if (key === 'End') return rows.findLastIndex((row) => row.kind === 'message')
	if (step === 0) return null
	for (let at = from + step; at >= 0 && at < rows.length; at += step) if (rows[at]?.kind === 'message') return at
	return null
}

function Older({ failed, onClick }: { failed: boolean; onClick: () => void }) {
	const { t } = useTexts()
	return <div className={classes.older}>{failed ? <Button onClick={onClick}>{t('messages.olderAgain')}</Button> : t('messages.older')}</div>
}

function Day({ at }: { at: string }) {
	const { language } = useTexts()
	return (
		<div className={classes.day}>
			<time dateTime={at}>{dayName(at, language)}</time>
		</div>
	)
}

function Prompt({ discussion, empty, ready }: { discussion: Discussion; empty: boolean; ready: boolean }) {
	const { t } = useTexts()
	const { people } = useSnapshot()
	const lecturer = people.get(discussion.createdBy)
	return (
		<>
			<section className={classes.prompt} aria-label={t('about.prompt')}>
				{lecturer && (
					<div className={classes.promptBy}>
						<Avatar person={lecturer} size={24} />
						<bdi>{lecturer.name}</bdi>
						<RoleBadge role={lecturer.role} />
					</div>
				)}
				<p dir="auto">{discussion.prompt || discussion.title}</p>
			</section>
			{empty && ready && <p className={classes.empty}>{discussion.status === 'open' ? t('messages.none') : t('messages.noneClosed')}</p>}
		</>
	)
}

/** Reads out what others write while the discussion is open. */
function Announcer({ timeline }: { timeline: Timeline }) {
	const { t } = useTexts()
	const { me, people } = useSnapshot()
	const known = useRef<string | null>(null)
	const [text, setText] = useState('')
	const last = timeline.items.at(-1)
	const ready = timeline.state === 'ready'
	// biome-ignore lint/correctness/useExhaustiveDependencies: once for every message that arrives at the end
	useEffect(() => {
		if (!ready) return
		const first = known.current === null
		known.current = last?.id ?? ''
		if (first || !last || last.message.author === me.id || !last.message.text) return
		setText(t('messages.says', { name: shortName(people.get(last.message.author)?.name ?? ''), text: last.message.text }))
	}, [last?.id, ready])
	return (
		<div className={classes.hidden} aria-live="polite">
			{text}
		</div>
	)
}
