/**
 * Who I am, and the way to my account, language, theme and out.
 *
 * Promises that signing out asks when something was written that only this device has.
 */
import { Button, Menu, Modal, UnstyledButton } from '@mantine/core'
import { IconKeyboard, IconLanguage, IconLogout, IconMoon, IconSun, IconUser } from '@tabler/icons-react'
import { useState } from 'react'
import { Link } from 'react-router'
import { useClient, useSnapshot } from './data.tsx'
import { chooseLanguage, languages, useTexts } from './language.ts'
import classes from './me.module.css'
import { tellProblem } from './notices.ts'
import { Avatar, useScheme } from './pieces.tsx'
import { errorSentence } from './problems.ts'
import { showShortcuts } from './Shortcuts.tsx'
import { listOf } from './times.ts'

export function Me() {
	const { t, language } = useTexts()
	const { me, groups } = useSnapshot()
	const { scheme, setScheme } = useScheme()
	const signOut = useSignOut()
	const other = language === 'en' ? 'id' : 'en'
	const dark = scheme === 'dark' || (scheme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
	const about =
		me.role === 'student' && groups.length > 0
			? [
					t('role.student'),
					listOf(
						groups.map((group) => group.name),
						language,
					),
				]
			: [t(`role.${me.role}`)]
	return (
		<>
			<Menu position="top-start" width={240} withinPortal={false}>
				<Menu.Target>
					<UnstyledButton className={classes.me} aria-label={t('me.label', { name: me.name })}>
						<Avatar person={me} />
						<span className={classes.text}>
							<span className={classes.name}>
								<bdi>{me.name}</bdi>
							</span>
							<span className={classes.about}>{about.join(' · ')}</span>
						</span>
					</UnstyledButton>
				</Menu.Target>
				<Menu.Dropdown>
					<Menu.Item component={Link} to="/account" leftSection={<IconUser size={18} stroke={1.75} />}>
						{t('account.title')}
					</Menu.Item>
					<Menu.Item lang={other} leftSection={<IconLanguage size={18} stroke={1.75} />} onClick={() => chooseLanguage(other)}>
						{languages[other]}
					</Menu.Item>
					<Menu.Item
						leftSection={dark ? <IconSun size={18} stroke={1.75} /> : <IconMoon size={18} stroke={1.75} />}
						onClick={() => setScheme(dark ? 'light' : 'dark')}
					>
						{dark ? t('theme.useLight') : t('theme.useDark')}
					</Menu.Item>
					<Menu.Item
						leftSection={<IconKeyboard size={18} stroke={1.75} />}
						rightSection={<kbd className={classes.key}>?</kbd>}
						onClick={() => showShortcuts(true)}
					>
						{t('keys.title')}
					</Menu.Item>
					<Menu.Divider />
					<Menu.Item leftSection={<IconLogout size={18} stroke={1.75} />} onClick={signOut.start}>
						{t('signOut.do')}
					</Menu.Item>
				</Menu.Dropdown>
			</Menu>
			{signOut.question}
		</>
	)
}

/** Signs out; when something waits it asks first, saying how much and what would become of it. */
export function useSignOut() {
	const { t } = useTexts()
	const client = useClient()
	const { waiting, refused } = useSnapshot()
	const [asking, setAsking] = useState(false)
	const count = Math.max(1, waiting + refused)

	async function out(force: boolean) {
		try {
			const done = await client.signOut(force ? { force } : {})
			setAsking(!done)
		} catch (error) {
			setAsking(false)
			tellProblem(errorSentence(t, error))
		}
	}

	return {
		start: () => out(false),
		question: (
			<Modal
				opened={asking}
				onClose={() => setAsking(false)}
				title={t('signOut.ask', { count })}
				closeButtonProps={{ 'aria-label': t('notices.close') }}
			>
				<p className={classes.question}>{t('signOut.what', { count })}</p>
				<div className={classes.answers}>
					<Button color="red" onClick={() => out(true)}>
						{t('signOut.force')}
					</Button>
					<Button variant="filled" data-autofocus onClick={() => setAsking(false)}>
						{t('signOut.stay')}
					</Button>
				</div>
			</Modal>
		),
	}
}
