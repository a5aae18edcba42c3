/**
 * The earlier texts of an edited message, newest first: for its writer and her lecturers.
 */
import { useEffect, useState } from 'react'
import type { Edit, Message } from '../../../protocol/model.ts'
import { useClient } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { Late } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { exactTime } from '../ui/times.ts'
import { Dialog } from './Dialog.tsx'
import classes from './messages.module.css'

export function EarlierTexts({ message, onClose }: { message: Message; onClose: () => void }) {
	const { t, language } = useTexts()
	const client = useClient()
	const [edits, setEdits] = useState<Edit[] | null>(null)
	const [problem, setProblem] = useState<string | null>(null)

	useEffect(() => {
		let gone = false
		client.call('listEdits', { id: message.id }).then(
			(answer) => !gone && setEdits(answer.edits.toSorted((a, b) => b.seq - a.seq)),
			(error) => !gone && setProblem(errorSentence(t, error)),
		)
		return () => {
			gone = true
		}
	}, [client, message.id, t])

	return (
		<Dialog onClose={onClose} title={t('earlier.title')}>
			<ol className={classes.earlier} reversed>
				<li>
					<span className={classes.time}>{t('earlier.now')}</span>
					<p dir="auto">{message.text}</p>
				</li>
				{edits?.map((edit) => (
					<li key={edit.id}>
						<time className={classes.time} dateTime={edit.createdAt}>
							{t('earlier.until', { at: exactTime(edit.createdAt, language) })}
						</time>
						<p dir="auto">{edit.text}</p>
					</li>
				))}
			</ol>
			{problem && <p>{problem}</p>}
			{!edits && !problem && <Late />}
		</Dialog>
	)
}
