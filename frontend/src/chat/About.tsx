/**
 * Beside the discussion: its prompt once that is out of sight, who wrote here, what the ticks mean.
 */
import { IconCheck, IconChecks, IconClock } from '@tabler/icons-react'
import type { Timeline } from '../client.ts'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { Avatar, RoleBadge } from '../ui/pieces.tsx'
import classes from './about.module.css'
import { writersOf } from './rows.ts'

const shown = 8

export function About({ timeline }: { timeline: Timeline }) {
	const { t } = useTexts()
	const { people, me } = useSnapshot()
	const writers = writersOf(timeline.items, people)
	return (
		<div className={classes.about}>
			{timeline.older && timeline.discussion?.prompt && (
				<section>
					<h2>{t('about.prompt')}</h2>
					<p className={classes.prompt} dir="auto">
						{timeline.discussion.prompt}
					</p>
				</section>
			)}
			{writers.length > 0 && (
				<section>
					<h2>{t('about.writers')}</h2>
					<ul>
						{writers.slice(0, shown).map((person) => (
							<li key={person.id} className={classes.person}>
								<Avatar person={person} size={28} />
								<span className={classes.name}>
									<bdi>{person.id === me.id ? t('you') : person.name}</bdi>
									{timeline.typing.some((typing) => typing.id === person.id) && (
										<span className={classes.typing}>{t('about.writing')}</span>
									)}
								</span>
								{person.id !== me.id && <RoleBadge role={person.role} />}
							</li>
						))}
					</ul>
					{writers.length > shown && <p className={classes.more}>{t('about.more', { count: writers.length - shown })}</p>}
				</section>
			)}
			<section>
				<h2>{t('ticks.title')}</h2>
				<ul className={classes.ticks}>
					<li>
						<IconClock size={15} stroke={1.75} aria-hidden="true" />
						{t('ticks.device')}
					</li>
					<li>
						<IconCheck size={15} stroke={1.75} aria-hidden="true" />
						{t('ticks.stored')}
					</li>
					<li>
						<IconChecks size={15} stroke={1.75} aria-hidden="true" className={classes.kept} />
						{t('ticks.kept')}
					</li>
				</ul>
			</section>
		</div>
	)
}
