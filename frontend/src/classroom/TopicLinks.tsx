/**
 * The discussions of one group as plain links, those that can be written in first.
 */
import { Link } from 'react-router'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import classes from './classroom.module.css'
import { Unread } from './TopicLine.tsx'

export function TopicLinks({ group }: { group: string }) {
	const { t } = useTexts()
	const { discussions } = useSnapshot()
	const ranks = { open: 0, closed: 1, archived: 2 }
	const own = discussions
		.filter(({ discussion }) => discussion.groups.includes(group) && !discussion.removed)
		.toSorted((a, b) => ranks[a.discussion.status] - ranks[b.discussion.status])
	if (own.length === 0) return <p className={classes.dim}>{t('group.noDiscussions')}</p>
	return (
		<ul className={classes.cards}>
			{own.map(({ discussion, unread }) => (
				<li key={discussion.id}>
					<Link to={`/d/${discussion.id}`} className={classes.line}>
						<bdi className={classes.name}>{discussion.title}</bdi>
						{discussion.status !== 'open' && <span className={classes.dim}>{t(`list.${discussion.status}`)}</span>}
						{unread > 0 && <Unread count={unread} />}
					</Link>
				</li>
			))}
		</ul>
	)
}
