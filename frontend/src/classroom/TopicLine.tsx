/**
 * One discussion in the rail: its title, what is new in it, the last message, its time.
 *
 * Promises to be drawn again only when something in it changed: the list may be long.
 */
import { Button } from '@mantine/core'
import { memo } from 'react'
import { NavLink } from 'react-router'
import type { Message } from '../../../protocol/model.ts'
import { useClient } from '../ui/data.tsx'
import { type Texts, useTexts } from '../ui/language.ts'
import { shortName } from '../ui/names.ts'
import { shortTime } from '../ui/times.ts'
import { useDiscussionChanges } from './DiscussionTools.tsx'
import classes from './list.module.css'
import { type Topic, unreadText } from './overview.ts'

/** `writer`: of the last message; null: I wrote it, or there is none. `mine`: I started the discussion. */
export const TopicLine = memo(function TopicLine({ topic, writer, mine }: { topic: Topic; writer: string | null; mine: boolean }) {
	const { t, language } = useTexts()
	const { discussion, last, totals, unread } = topic
	const at = last?.createdAt ?? discussion.createdAt
	const shut = discussion.status !== 'open' || discussion.removed !== null
	return (
		<li className={classes.item}>
			<NavLink
				to={`/d/${discussion.id}`}
				className={classes.topic as string}
				data-topic
				data-shut={shut || undefined}
				data-unread={unread > 0 || undefined}
			>
				<span className={classes.row}>
					<bdi className={classes.title}>{discussion.title}</bdi>
					<time className={classes.time} dateTime={at}>
						{shortTime(at, language)}
					</time>
				</span>
				<span className={classes.row}>
					<span className={classes.last} dir="auto">
						{discussion.status === 'closed' && totals && unread === 0
							? t(totals.removed > 0 ? 'list.totalsRemoved' : 'list.totals', { count: totals.messages, removed: totals.removed })
							: last
								? `${writer === null ? t('you') : shortName(writer)}: ${whatItSays(t, last)}`
								: discussion.prompt || t('list.empty')}
					</span>
					{unread > 0 && <Unread count={unread} />}
				</span>
			</NavLink>
			{mine && discussion.removed && <PutBack discussion={discussion} />}
		</li>
	)
})

/** How much is new, in marker yellow. */
export function Unread({ count }: { count: number }) {
	const { t } = useTexts()
	return (
		<span className={classes.count}>
			<span aria-hidden="true">{unreadText(count)}</span>
			<span className={classes.hidden}>{t('list.unread', { count })}</span>
		</span>
	)
}

function PutBack({ discussion }: { discussion: Topic['discussion'] }) {
	const { t } = useTexts()
	const change = useDiscussionChanges(useClient())
	return (
		<Button size="compact-md" aria-label={t('list.putBackTitle', { title: discussion.title })} onClick={() => change.putBack(discussion)}>
			{t('list.putBack')}
		</Button>
	)
}

/** A message in one line; what it shows where it has no words. */
function whatItSays(t: Texts, { removed, text, attachments }: Message): string {
	if (removed || text === null) return t('message.removed')
	const [first] = attachments
	if (text || !first) return text
	if (attachments.every(({ kind }) => kind === 'image')) return t('list.photos', { count: attachments.length })
	if (attachments.length > 1) return t('list.files', { count: attachments.length })
	return first.kind === 'audio' ? t('list.recording') : t('list.file', { name: first.name })
}
