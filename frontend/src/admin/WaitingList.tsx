/**
 * Who waits for the admin, in the rail: where an admin's day begins.
 */
import { Link } from 'react-router'
import { usePeopleCounts, waitingShown } from '../ui/counts.ts'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { Avatar } from '../ui/pieces.tsx'
import { shortTime } from '../ui/times.ts'
import { listPeople } from './people.ts'
import classes from './waiting.module.css'

export function WaitingList() {
	const { t, language } = useTexts()
	const { people } = useSnapshot()
	const counts = usePeopleCounts()
	const waiting = listPeople(people.values(), { status: 'pending', role: null, query: '' })
	const shown = waiting.slice(0, waitingShown)
	const more = Math.max(counts?.pending ?? 0, waiting.length) - shown.length
	if (!counts) return null
	return (
		<nav aria-labelledby="waiting">
			<h2 id="waiting" className={classes.title}>
				{t('waitingList.title')}
			</h2>
			{shown.length === 0 && <p className={classes.none}>{t('waitingList.none')}</p>}
			<ul className={classes.list}>
				{shown.map((person) => (
					<li key={person.id}>
						<Link to={`/people/${person.id}`} className={classes.person as string}>
							<Avatar person={person} size={32} />
							<span className={classes.text}>
								<bdi className={classes.name}>{nameOf(person, t)}</bdi>
								<span className={classes.dim}>{t(`role.${person.role}`)}</span>
							</span>
							{person.createdAt && (
								<time dateTime={person.createdAt} className={classes.dim}>
									{shortTime(person.createdAt, language)}
								</time>
							)}
						</Link>
					</li>
				))}
			</ul>
			{more > 0 && (
				<Link to="/people" className={classes.more as string}>
					{t('waitingList.more', { count: more })}
				</Link>
			)}
		</nav>
	)
}
