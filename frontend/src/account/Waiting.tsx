/**
 * What somebody sees who is not approved: that she waits and may put her details right meanwhile, or why she was not let in.
 * Changes by itself.
 */
import { Button } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { useSignOut } from '../ui/Me.tsx'
import { nameOf } from '../ui/names.ts'
import { Avatar, Email, Late } from '../ui/pieces.tsx'
import { date } from '../ui/times.ts'
import { Door } from './Door.tsx'
import classes from './door.module.css'
import { useLecturers } from './lecturers.ts'

const MyDetails = lazy(() => import('./MyDetails.tsx').then(({ MyDetails }) => ({ default: MyDetails })))

export function Waiting() {
	const { t, language } = useTexts()
	const { me } = useSnapshot()
	const signOut = useSignOut()
	const [correcting, setCorrecting] = useState(false)
	const status = me.status === 'rejected' || me.status === 'deactivated' ? me.status : 'pending'
	return (
		<Door title={t(`waiting.${status}`)}>
			<div className={classes.waits}>
				<Avatar person={me} />
				<div className={classes.who}>
					<bdi>
						<b>{nameOf(me, t)}</b>
					</bdi>
					<div>
						{t(`role.${me.role}`)}
						{status === 'pending' && me.createdAt && ` · ${t('waiting.since', { date: date(me.createdAt, language) })}`}
					</div>
				</div>
			</div>
			{status !== 'pending' && me.reason && (
				<blockquote className={classes.reason} dir="auto">
					{me.reason}
				</blockquote>
			)}
			<p role="status" className={classes.what}>
				{t(`waiting.${status}Text`)}
			</p>
			{correcting && status !== 'deactivated' ? (
				<Suspense fallback={<Late />}>
					<MyDetails onDone={() => setCorrecting(false)} />
				</Suspense>
			) : (
				<>
					{status !== 'deactivated' && <Told />}
					<div className={classes.answers}>
						{status !== 'deactivated' && (
							<Button leftSection={<IconPencil size={16} stroke={1.75} aria-hidden="true" />} onClick={() => setCorrecting(true)}>
								{t('waiting.correct')}
							</Button>
						)}
						<Button onClick={signOut.start}>{t('signOut.do')}</Button>
					</div>
				</>
			)}
			{signOut.question}
		</Door>
	)
}

/** What the admin sees of her. */
function Told() {
	const { t } = useTexts()
	const { me } = useSnapshot()
	const lecturers = useLecturers(me.lecturers ?? [])
	return (
		<dl className={classes.told}>
			<dt>{t('field.email')}</dt>
			<dd>{me.email && <Email address={me.email} />}</dd>
			<dt>{me.role === 'student' ? t('field.studentNumber') : t('field.staffNumber')}</dt>
			<dd>{me.number ?? '–'}</dd>
			{me.role === 'student' && (
				<>
					<dt>{t('lecturers.label')}</dt>
					<dd>
						{lecturers.length === 0 && t('lecturers.noneChosen')}
						{lecturers.map(({ id, name }) => (
							<div key={id}>
								<bdi>{name ?? (name === null ? t('lecturers.gone') : '…')}</bdi>
							</div>
						))}
					</dd>
				</>
			)}
		</dl>
	)
}
