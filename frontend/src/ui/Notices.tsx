/**
 * Shows the notices of notices.ts, read out politely.
 */
import { ActionIcon, Button } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useSyncExternalStore } from 'react'
import { createPortal } from 'react-dom'
import { useTexts } from './language.ts'
import classes from './notices.module.css'
import { dismiss, hold, type Notice, noticeStore, release, tellProblem } from './notices.ts'
import { errorSentence } from './problems.ts'

export function Notices() {
	const notices = useSyncExternalStore(noticeStore.subscribe, noticeStore.snapshot)
	const { t } = useTexts()
	// Over every dialog: what was done there can be undone there.
	return createPortal(
		<section className={classes.notices} aria-label={t('notices.label')}>
			<div role="status">
				{notices.map((notice) => (
					<NoticeCard key={notice.id} notice={notice} />
				))}
			</div>
		</section>,
		document.body,
	)
}

function NoticeCard({ notice }: { notice: Notice }) {
	const { t } = useTexts()
	const stay = () => hold(notice.id)
	const go = () => !notice.bad && release(notice.id)
	const undo = async () => {
		dismiss(notice.id)
		try {
			await notice.undo?.()
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}
	return (
		// biome-ignore lint/a11y/noStaticElementInteractions: pointing at it only keeps it from going
		<div className={classes.notice} data-bad={notice.bad || undefined} onPointerEnter={stay} onPointerLeave={go} onFocus={stay} onBlur={go}>
			<span dir="auto" className={classes.text}>
				{notice.text}
			</span>
			{notice.undo && (
				<Button size="compact-md" onClick={undo}>
					{t('notices.undo')}
				</Button>
			)}
			<ActionIcon aria-label={t('notices.close')} onClick={() => dismiss(notice.id)}>
				<IconX size={18} stroke={1.75} />
			</ActionIcon>
		</div>
	)
}
