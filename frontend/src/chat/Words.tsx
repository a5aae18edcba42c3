/**
 * What somebody wrote, with its links, and long texts folded.
 *
 * Links open in a new window that knows nothing of this one; where a link looks like another place, its
 * real host stands behind it.
 */
import { type ReactNode, useMemo } from 'react'
import { useTexts } from '../ui/language.ts'
import { partsOf } from './links.ts'
import classes from './messages.module.css'
import { isLong } from './words.ts'

export function Words({ text }: { text: string }): ReactNode {
	const { t } = useTexts()
	const parts = useMemo(() => partsOf(text), [text])
	let offset = 0
	return parts.map((part) => {
		const key = offset
		offset += part.text.length
		if (part.kind === 'text') return part.text
		return (
			<a
				key={key}
				href={part.href}
				target="_blank"
				rel="noopener noreferrer nofollow"
				className={classes.link}
				title={t('link.opens', { address: part.href })}
			>
				<bdi dir="ltr">{part.text}</bdi>
				{part.host && (
					<bdi dir="ltr" className={classes.host}>
						{' '}
						({part.host})
					</bdi>
				)}
			</a>
		)
	})
}

interface Props {
	text: string
	unfolded: boolean
	onUnfold: () => void
	/** What stands behind the last word. */
	children?: ReactNode
}

/** A message's text. */
export function Text({ text, unfolded, onUnfold, children }: Props) {
	const { t } = useTexts()
	const folded = !unfolded && isLong(text)
	return (
		<>
			<p className={classes.text} dir="auto" data-folded={folded || undefined}>
				<Words text={text} />
				{!folded && children}
			</p>
			{folded && (
				<p className={classes.fold}>
					<button type="button" className={classes.unfold} onClick={onUnfold}>
						{t('message.all')}
					</button>
					{children}
				</p>
			)}
		</>
	)
}
