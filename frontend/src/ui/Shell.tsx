/**
 * The frame of every screen for people who are in: the rail (discussions, places, who I am, how
 * safe my words are) and one page beside it; on a phone one of the two.
 */
import { ActionIcon, Button } from '@mantine/core'
import { IconArchive, IconCompass, IconMessages, IconPencil, IconTags, IconUserCheck, IconUsers } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Link, NavLink, useMatch } from 'react-router'
import { usePeopleCounts } from './counts.ts'
import { useSnapshot } from './data.tsx'
import { useTexts } from './language.ts'
import { Me } from './Me.tsx'
import { Bar, Empty, PageTitle, usePhone } from './pieces.tsx'
import { Safe } from './Safe.tsx'
import { Shortcuts } from './Shortcuts.tsx'
import classes from './shell.module.css'

export function Shell({ list, children }: { list: ReactNode; children: ReactNode }) {
	const { t } = useTexts()
	const phone = usePhone()
	const home = useMatch('/') !== null
	const rail = <Rail list={list} heading={phone} />
	return (
		<div className={classes.app}>
			<a className={classes.skip} href="#main">
				{t('skip')}
			</a>
			{!phone && (
				<aside className={classes.rail} aria-label={t('rail.label')}>
					{rail}
				</aside>
			)}
			<main id="main" tabIndex={-1} className={phone && home ? classes.rail : classes.main}>
				{phone && home ? rail : children}
			</main>
			<Shortcuts />
		</div>
	)
}

function Rail({ list, heading }: { list: ReactNode; heading: boolean }) {
	const { t } = useTexts()
	const { me } = useSnapshot()
	return (
		<>
			<header className={classes.railHeader}>
				{heading ? (
					<PageTitle className={classes.brand}>English Chat</PageTitle>
				) : (
					<Link to="/" className={classes.brand}>
						English Chat
					</Link>
				)}
				{me.role === 'lecturer' && (
					<ActionIcon component={Link} to="/new" size={36} aria-label={t('discussion.start')} title={t('discussion.start')}>
						<IconPencil size={19} stroke={1.75} />
					</ActionIcon>
				)}
			</header>
			<nav className={classes.places} aria-label={t('rail.places')}>
				{me.role === 'admin' && (
					<NavLink to="/people" className={classes.place as string}>
						<IconUserCheck size={18} stroke={1.75} aria-hidden="true" />
						{t('people.title')}
						<WaitingCount />
					</NavLink>
				)}
				{me.role === 'admin' && (
					<NavLink to="/discussions" className={classes.place as string}>
						<IconMessages size={18} stroke={1.75} aria-hidden="true" />
						{t('inspect.title')}
					</NavLink>
				)}
				{me.role === 'admin' && (
					<NavLink to="/backups" className={classes.place as string}>
						<IconArchive size={18} stroke={1.75} aria-hidden="true" />
						{t('backups.title')}
					</NavLink>
				)}
				<NavLink to="/groups" className={classes.place as string}>
					<IconUsers size={18} stroke={1.75} aria-hidden="true" />
					{me.role === 'student' ? t('groups.mine') : t('groups.title')}
				</NavLink>
				{me.role !== 'student' && (
					<NavLink to="/categories" className={classes.place as string}>
						<IconTags size={18} stroke={1.75} aria-hidden="true" />
						{t('categories.title')}
					</NavLink>
				)}
			</nav>
			<div className={classes.list}>{list}</div>
			<footer className={classes.railFooter}>
				<Me />
				<Safe />
			</footer>
		</>
	)
}

/** How many people wait for the admin. */
function WaitingCount() {
	const { t } = useTexts()
	const count = usePeopleCounts()?.pending ?? 0
	if (count === 0) return null
	return (
		<span className={classes.count}>
			{count}
			<span className={classes.hidden}> {t('people.waitingCount', { count })}</span>
		</span>
	)
}

export function NotFound() {
	const { t } = useTexts()
	return (
		<>
			<Bar>
				<PageTitle>{t('notFound.title')}</PageTitle>
			</Bar>
			<Empty
				icon={<IconCompass size={24} stroke={1.75} />}
				title={t('notFound.heading')}
				action={
					<Button component={Link} to="/" variant="filled">
						{t('notFound.home')}
					</Button>
				}
			>
				{t('notFound.text')}
			</Empty>
		</>
	)
}
