/**
 * Where I am signed in: every session with its device, each to be ended, or all others at once.
 */
import { Button } from '@mantine/core'
import { useCallback, useEffect, useState } from 'react'
import type { Session } from '../../../protocol/model.ts'
import { useClient } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { Late } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { clockTime, date } from '../ui/times.ts'
import classes from './account.module.css'
import { deviceName } from './devices.ts'

/** `changes` counts what may have ended sessions elsewhere on the page. */
export function Devices({ changes }: { changes: number }) {
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

	// biome-ignore lint/correctness/useExhaustiveDependencies: looked at again after each of the changes
	useEffect(() => {
		void load()
		addEventListener('focus', load)
		return () => removeEventListener('focus', load)
	}, [load, changes])

	async function end(session: Session) {
		try {
			await client.call('endSession', { id: session.id })
			tell(t('devices.ended', { device: deviceName(session.device) ?? t('devices.unknown') }))
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
		await load()
	}

	async function endOthers() {
		try {
			const { ended } = await client.call('endOtherSessions', {})
			tell(t('devices.othersEnded', { count: ended }))
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
		await load()
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
					{sessions.length > 2 && (
						<li className={classes.line}>
							<Button onClick={endOthers}>{t('devices.endOthers')}</Button>
						</li>
					)}
				</ul>
			)}
		</section>
	)
}
