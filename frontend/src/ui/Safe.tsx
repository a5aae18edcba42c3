/**
 * How safe what I wrote is, in three words: all stored, some on this device, offline, refused.
 */
import { useSnapshot } from './data.tsx'
import { useTexts } from './language.ts'
import classes from './safe.module.css'

export function Safe() {
	const { t } = useTexts()
	const { connection, waiting, refused, me } = useSnapshot()
	const offline = connection === 'offline' || connection === 'ended'
	const state = refused > 0 ? 'refused' : waiting > 0 ? 'waiting' : offline ? 'offline' : 'stored'
	const text =
		state === 'refused'
			? t('safe.refused', { count: refused })
			: state === 'waiting'
				? t('safe.waiting', { count: waiting })
				: state === 'offline'
					? t('safe.offline')
					: me.role === 'admin'
						? t('safe.connected')
						: t('safe.stored')
	const why =
		state === 'stored'
			? t('safe.storedWhy')
			: state === 'waiting' && !offline
				? t('safe.waitingWhy')
				: state === 'refused'
					? t('safe.refusedWhy')
					: t('safe.offlineWhy')
	return (
		<span className={classes.safe} role="status" title={why}>
			<i className={classes.dot} data-state={state} aria-hidden="true" />
			<span className={classes.text}>{text}</span>
		</span>
	)
}
