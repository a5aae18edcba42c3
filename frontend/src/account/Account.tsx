/**
 * My account: who I am here, language and theme, and the devices where I am signed in.
 */
import { Button, SegmentedControl } from '@mantine/core'
import { useCallback, useEffect, useState } from 'react'
import type { Session } from '../../../protocol/model.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { chooseLanguage, type Language, languages, useTexts } from '../ui/language.ts'
import { useSignOut } from '../ui/Me.tsx'
import { tell, tellProblem } from '../ui/notices.ts'
import { Avatar, Late, Page, RoleBadge, useScheme } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { clockTime, date } from '../ui/times.ts'
import classes from './account.module.css'
import { deviceName } from './devices.ts'

export default function Account() {
	const { t, language } = useTexts()
	const { me } = useSnapshot()
	const { scheme, setScheme } = useScheme()
	const signOut = useSignOut()
	return (
		<Page title={t('account.title')}>
			<section className={classes.card}>
				<div className={classes.who}>
					<Avatar person={me} size={48} />
					<div className={classes.grow}>
						<div className={classes.name}>
							<bdi>{me.name}</bdi> <RoleBadge role={me.role} />
						</div>
						<div className={classes.dim}>{me.email}</div>
						{me.number && <div className={classes.dim}>{me.number}</div>}
					</div>
					<Button onClick={signOut.start}>{t('signOut.do')}</Button>
				</div>
			</section>
			<section className={classes.section} aria-labelledby="look">
				<h2 id="look">{t('account.look')}</h2>
				<div className={classes.card}>
					<div className={classes.line}>
						<span id="language">{t('account.language')}</span>
						<SegmentedControl
							aria-labelledby="language"
							value={language}
							onChange={(value) => chooseLanguage(value as Language)}
							data={Object.entries(languages).map(([value, label]) => ({ value, label }))}
						/>
					</div>
					<div className={classes.line}>
						<span id="theme">{t('theme.label')}</span>
						<SegmentedControl
							aria-labelledby="theme"
							value={scheme}
							onChange={(value) => setScheme(value as typeof scheme)}
							data={[
								{ value: 'light', label: t('theme.light') },
								{ value: 'dark', label: t('theme.dark') },
								{ value: 'auto', label: t('theme.auto') },
							]}
						/>
					</div>
				</div>
			</section>
			<Devices />
			{signOut.question}
		</Page>
	)
}

function Devices() {
	const { t, language } = useTexts()
	const client = useClient()
	const [sessions, setSessions] = useState<Session[] | null>(null)
	const [problem, setProblem] = useState<string | null>(null)

	const load = useCallback(async () => {
		try {
			setSessions((await client.call('listSessions', {})).sessions)
			setProblem(null)
		} catch (error) {
			setProblem(errorSentence(t, error))
		}
	}, [client, t])

	useEffect(() => {
		void load()
	}, [load])

	async function end(session: Session) {
		try {
			await client.call('endSession', { id: session.id })
			tell(t('devices.ended', { device: deviceName(session.device) ?? t('devices.unknown') }))
			await load()
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}

	return (
		<section className={classes.section} aria-labelledby="devices">
			<h2 id="devices">{t('devices.title')}</h2>
			<p className={classes.dim}>{t('devices.intro')}</p>
			{problem && (
				<p className={classes.dim}>
					{problem}{' '}
					<Button size="compact-md" onClick={load}>
						{t('again')}
					</Button>
				</p>
			)}
			{!sessions && !problem && <Late />}
			{sessions && (
				<ul className={classes.card}>
					{sessions.map((session) => (
						<li key={session.id} className={classes.line}>
							<div className={classes.grow}>
								<div>{deviceName(session.device) ?? t('devices.unknown')}</div>
								<div className={classes.dim}>
									{t('devices.since', { date: `${date(session.createdAt, language)}, ${clockTime(session.createdAt, language)}` })}
								</div>
							</div>
							{session.current ? (
								<span className={classes.here}>{t('devices.here')}</span>
							) : (
								<Button
									onClick={() => end(session)}
									aria-label={t('devices.endLabel', {
										device: deviceName(session.device) ?? t('devices.unknown'),
										date: date(session.createdAt, language),
									})}
								>
									{t('devices.end')}
								</Button>
							)}
						</li>
					))}
				</ul>
			)}
		</section>
	)
}
