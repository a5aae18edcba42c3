/**
 * A student's groups: what each is called, who leads its discussions, and these discussions.
 */
import { IconUsers } from '@tabler/icons-react'
import type { Group } from '../../../protocol/model.ts'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { Avatar, Empty, Late, Page } from '../ui/pieces.tsx'
import classes from './classroom.module.css'
import { leadersIn } from './members.ts'
import { byName } from './overview.ts'
import { TopicLinks } from './TopicLinks.tsx'

export function MyGroups() {
	const { t, language } = useTexts()
	const { groups, discussionsState } = useSnapshot()
	const sorted = byName(groups, language)
	const active = sorted.filter(({ status }) => status === 'active')
	const archived = sorted.filter(({ status }) => status === 'archived')
	return (
		<Page title={t('groups.mine')} intro={t('groups.introStudent')}>
			{groups.length === 0 && discussionsState === 'loading' && <Late />}
			{groups.length === 0 && discussionsState === 'ready' && (
				<Empty icon={<IconUsers size={24} stroke={1.75} aria-hidden="true" />} title={t('groups.noneStudent')}>
					{t('groups.noneStudentText')}
				</Empty>
			)}
			{active.map((group) => (
				<GroupCard key={group.id} group={group} />
			))}
			{archived.length > 0 && (
				<details className={classes.archive} open={active.length === 0}>
					<summary>
						{t('groups.archived')} <span className={classes.dim}>{archived.length}</span>
					</summary>
					{archived.map((group) => (
						<GroupCard key={group.id} group={group} />
					))}
				</details>
			)}
		</Page>
	)
}

function GroupCard({ group }: { group: Group }) {
	const { t, language } = useTexts()
	const { discussions, people } = useSnapshot()
	const lecturers = leadersIn(group, discussions, people, language)
	return (
		<section className={classes.group} aria-labelledby={`group-${group.id}`}>
			<h2 id={`group-${group.id}`} className={classes.groupName} dir="auto">
				{group.name}
			</h2>
			{group.description && (
				<p className={classes.description} dir="auto">
					{group.description}
				</p>
			)}
			{lecturers.length > 0 && (
				<>
					<h3 className={classes.label}>{t('groups.lecturers')}</h3>
					<ul className={classes.faces}>
						{lecturers.map((person) => (
							<li key={person.id}>
								<Avatar person={person} size={28} />
								<bdi>{person.name}</bdi>
							</li>
						))}
					</ul>
				</>
			)}
			<h3 className={classes.label}>{t('group.discussions')}</h3>
			<TopicLinks group={group.id} />
		</section>
	)
}
