/**
 * What somebody sees who is not approved: that she waits, or why she was not let in. Changes by itself.
 */
import { Button } from '@mantine/core'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { useSignOut } from '../ui/Me.tsx'
import { Avatar } from '../ui/pieces.tsx'
import { date } from '../ui/times.ts'
import { Door } from './Door.tsx'
import classes from './door.module.css'

export function Waiting() {
	const { t, language } = useTexts()
	const { me } = useSnapshot()
	const signOut = useSignOut()
	const status = me.status === 'rejected' || me.status === 'deactivated' ? me.status : 'pending'
	return (
		<Door title={t(`waiting.${status}`)}>
			<div className={classes.waits}>
				<Avatar person={me} />
				<div>
					<bdi>
						<b>{me.name}</b>
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
			<p role="status" style={{ marginTop: 0 }}>
				{t(`waiting.${status}Text`)}
			</p>
			<Button onClick={signOut.start}>{t('signOut.do')}</Button>
			{signOut.question}
		</Door>
	)
}
