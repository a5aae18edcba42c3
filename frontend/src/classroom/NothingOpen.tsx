/**
 * Beside the list, when no discussion is open: what to do next.
 */
import { Button } from '@mantine/core'
import { IconMessages } from '@tabler/icons-react'
import { Link } from 'react-router'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { Empty, Late, PageTitle } from '../ui/pieces.tsx'
import classes from './list.module.css'

export function NothingOpen() {
	const { t } = useTexts()
	return (
		<div className={classes.nothing}>
			<PageTitle className={classes.hidden}>{t('list.title')}</PageTitle>
			<WhatNow />
		</div>
	)
}

/** One sentence on what there is and one way on. */
export function WhatNow() {
	const { t } = useTexts()
	const { me, discussions, discussionsState, groups } = useSnapshot()
	const lecturer = me.role === 'lecturer'
	if (discussionsState === 'loading' && discussions.length === 0) return <Late />
	const some = discussions.length > 0
	const icon = <IconMessages size={24} stroke={1.75} aria-hidden="true" />
	return (
		<>
			{some && (
				<Empty icon={icon} title={t('nothing.choose')}>
					{t('nothing.chooseText')}
				</Empty>
			)}
			{!some && lecturer && groups.length === 0 && (
				<Empty
					icon={icon}
					title={t('nothing.welcome', { name: me.name })}
					action={<ButtonTo to="/groups">{t('nothing.makeGroup')}</ButtonTo>}
				>
					{t('nothing.groupFirst')}
				</Empty>
			)}
			{!some && lecturer && groups.length > 0 && (
				<Empty icon={icon} title={t('nothing.none')} action={<ButtonTo to="/new">{t('discussion.start')}</ButtonTo>}>
					{t('nothing.startOne')}
				</Empty>
			)}
			{!some && !lecturer && (
				<Empty icon={icon} title={t('nothing.none')}>
					{groups.length === 0 ? t('nothing.noGroup') : t('nothing.waitForOne')}
				</Empty>
			)}
		</>
	)
}

function ButtonTo({ to, children }: { to: string; children: string }) {
	return (
		<Button component={Link} to={to} variant="filled">
			{children}
		</Button>
	)
}
