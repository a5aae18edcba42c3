/**
 * The discussions I see, newest activity first, closed ones apart.
 */
import { NavLink } from 'react-router'
import type { Message, Person } from '../../../protocol/model.ts'
import type { Snapshot } from '../client.ts'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { shortName } from '../ui/names.ts'
import { Late, usePhone } from '../ui/pieces.tsx'
import { shortTime } from '../ui/times.ts'
import classes from './list.module.css'
import { WhatNow } from './NothingOpen.tsx'

export function DiscussionList() {
	const { t } = useTexts()
	const phone = usePhone()
	const { discussions, discussionsState } = useSnapshot()
	if (discussions.length === 0) {
		if (discussionsState === 'loading') return <Late />
		return phone ? <WhatNow /> : <p className={classes.none}>{t('list.none')}</p>
	}
	return (
		<nav aria-label={t('list.title')}>
			<Section title={t('list.title')} discussions={discussions.filter(({ discussion }) => discussion.status === 'open')} />
			<Section title={t('list.closed')} discussions={discussions.filter(({ discussion }) => discussion.status === 'closed')} />
		</nav>
	)
}

function Section({ title, discussions }: { title: string; discussions: Snapshot['discussions'] }) {
	const { t, language } = useTexts()
	const { me, people } = useSnapshot()
	if (discussions.length === 0) return null
	return (
		<>
			<h2 className={classes.heading}>{title}</h2>
			<ul className={classes.topics}>
				{discussions.map(({ discussion, last, totals }) => (
					<li key={discussion.id}>
						<NavLink
							to={`/d/${discussion.id}`}
							className={classes.topic as string}
							data-closed={discussion.status === 'closed' || undefined}
						>
							<span className={classes.row}>
								<bdi className={classes.title}>{discussion.title}</bdi>
								<time className={classes.time} dateTime={last?.createdAt ?? discussion.createdAt}>
									{shortTime(last?.createdAt ?? discussion.createdAt, language)}
								</time>
							</span>
							<span className={classes.last} dir="auto">
								{discussion.status === 'closed' && totals
									? t(totals.removed > 0 ? 'list.totalsRemoved' : 'list.totals', { count: totals.messages, removed: totals.removed })
									: last
										? `${who(last, people, me.id) ?? t('you')}: ${last.removed || last.text === null ? t('message.removed') : last.text}`
										: discussion.prompt || t('list.empty')}
							</span>
						</NavLink>
					</li>
				))}
			</ul>
		</>
	)
}

/** Null: me. */
function who(message: Message, people: ReadonlyMap<string, Person>, me: string): string | null {
	if (message.author === me) return null
	const writer = people.get(message.author)
	return writer ? shortName(writer.name) : '…'
}
