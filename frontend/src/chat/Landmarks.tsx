/**
 * What stands between the letters of a discussion: its opening prompt, days, the unread line, the ends of
 * what is loaded; and what is read out when others write.
 */
import { Button } from '@mantine/core'
import { IconArrowBackUp, IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import type { Discussion } from '../../../protocol/model.ts'
import type { Timeline } from '../client.ts'
import { useMe, usePeople } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf, shortName } from '../ui/names.ts'
import { Avatar, RoleBadge } from '../ui/pieces.tsx'
import { clockTime, dayName, dayOf, shortTime } from '../ui/times.ts'
import classes from './messages.module.css'
import { Words } from './Words.tsx'
import { unreadCount } from './words.ts'

/** What comes within this time is read out together. */
const gatheredMs = 1_200

interface MoreProps {
	which: 'older' | 'newer'
	/** It does not come by itself. */
	stopped: boolean
	onClick: (which: 'older' | 'newer') => void
}

export function More({ which, stopped, onClick }: MoreProps) {
	const { t } = useTexts()
	return (
		<div className={classes.older}>
			{stopped ? <Button onClick={() => onClick(which)}>{t(`messages.${which}Again`)}</Button> : t(`messages.${which}`)}
		</div>
	)
}

export function Day({ at, onDate }: { at: string; onDate: (day: string) => void }) {
	const { t, language } = useTexts()
	return (
		<div className={classes.day}>
			<button type="button" title={t('date.other')} onClick={() => onDate(dayOf(at))}>
				<time dateTime={at}>{dayName(at, language)}</time>
			</button>
		</div>
	)
}

export function UnreadLine({ count, since }: { count: number; since: string | null }) {
	const { t, language } = useTexts()
	const at = since && (dayOf(since) === dayOf(new Date().toISOString()) ? clockTime(since, language) : shortTime(since, language))
	return (
		// biome-ignore lint/a11y/useSemanticElements: a rule of HTML has no text
		<div className={classes.unread} role="separator" aria-label={t('messages.new', unreadCount(count))}>
			<span>{at ? t('messages.newSince', unreadCount(count, { at })) : t('messages.new', unreadCount(count))}</span>
		</div>
	)
}

export function Prompt({ discussion, empty, ready }: { discussion: Discussion; empty: boolean; ready: boolean }) {
	const { t } = useTexts()
	const people = usePeople()
	const lecturer = people.get(discussion.createdBy)
	return (
		<>
			<section className={classes.prompt} aria-label={t('about.prompt')}>
				{lecturer && (
					<div className={classes.promptBy}>
						<Avatar person={lecturer} size={24} />
						<bdi>{nameOf(lecturer, t)}</bdi>
						<RoleBadge role={lecturer.role} />
					</div>
				)}
				<p dir="auto">
					<Words text={discussion.prompt || discussion.title} />
				</p>
			</section>
			{empty && ready && <p className={classes.empty}>{discussion.status === 'open' ? t('messages.none') : t('messages.noneClosed')}</p>}
		</>
	)
}

/** Reads out what others write while the discussion is open: several at once as a number, so that nobody is talked over. */
export function Announcer({ timeline }: { timeline: Timeline }) {
	const { t } = useTexts()
	const me = useMe()
	const people = usePeople()
	const [text, setText] = useState('')
	const heard = useRef<number | null>(null)
	const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
	const { items, state } = timeline
	const present = useRef(items)
	present.current = items
	useEffect(() => {
		if (state !== 'ready') return
		const newest = items.findLast(({ message }) => message.rev > 0)?.message.seq ?? 0
		if (heard.current === null) heard.current = newest
		if (newest <= heard.current || timer.current !== undefined) return
		timer.current = setTimeout(() => {
			timer.current = undefined
			const from = heard.current ?? 0
			const fresh = []
			for (let at = present.current.length - 1; at >= 0; at--) {
				const message = present.current[at]?.message
				if (!message || message.seq <= from) break
				if (message.rev === 0) continue
				heard.current = Math.max(heard.current ?? 0, message.seq)
				if (message.author !== me.id && !message.removed) fresh.push(message)
			}
			const [last] = fresh
			const writer = last && people.get(last.author)
			if (fresh.length > 1) setText(t('messages.new', { count: fresh.length }))
			else if (last && writer)
				setText(
					t('messages.says', {
						name: shortName(nameOf(writer, t)),
						text: last.text || t('file.count', { count: last.attachments.length }),
					}),
				)
		}, gatheredMs)
	}, [items, state, me.id, people, t])
	useEffect(
		() => () => {
			clearTimeout(timer.current)
			timer.current = undefined
		},
		[],
	)
	return (
		<div className={classes.hidden} role="log" aria-live="polite" aria-relevant="additions text">
			{text}
		</div>
	)
}

interface WaysProps {
	/** Unread messages above what is in sight; null: none. */
	unread: number | null
	onUnread: () => void
	onBack: (() => void) | null
	/** New messages below, and whether the end is out of sight. */
	below: number
	far: boolean
	onEnd: () => void
}

/** The ways through a long page: to the first unread message, back to where one was, to the end. */
export function Ways({ unread, onUnread, onBack, below, far, onEnd }: WaysProps) {
	const { t } = useTexts()
	return (
		<>
			{unread !== null && (
				<Button
					className={classes.upPill as string}
					leftSection={<IconArrowUp size={16} stroke={2} aria-hidden="true" />}
					onClick={onUnread}
				>
					{t('messages.toUnread', unreadCount(unread))}
				</Button>
			)}
			<div className={classes.pills}>
				{onBack && (
					<Button leftSection={<IconArrowBackUp size={16} stroke={2} aria-hidden="true" />} onClick={onBack}>
						{t('messages.back')}
					</Button>
				)}
				{(below > 0 || far) && (
					<Button
						data-new={below > 0 || undefined}
						rightSection={<IconArrowDown size={16} stroke={2} aria-hidden="true" />}
						onClick={onEnd}
					>
						{below > 0 ? t('messages.new', unreadCount(below)) : t('messages.toEnd')}
					</Button>
				)}
			</div>
		</>
	)
}
