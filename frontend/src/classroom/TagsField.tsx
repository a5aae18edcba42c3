/**
 * The tags of a discussion: short words, each a pill that goes away when it is pressed.
 */
import { TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { type KeyboardEvent, useId, useState } from 'react'
import { limits } from '../../../protocol/model.ts'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import classes from './form.module.css'
import { withTags } from './formDraft.ts'

interface TagsProps {
	value: string[]
	onChange: (tags: string[]) => void
	problem: string | undefined
}

export function TagsField({ value, onChange, problem }: TagsProps) {
	const { t } = useTexts()
	const { discussions } = useSnapshot()
	const [typed, setTyped] = useState('')
	const [wrong, setWrong] = useState<string | null>(null)
	const field = useId()
	const list = useId()
	const known = [...new Set(discussions.flatMap(({ discussion }) => discussion.tags))].filter((tag) => !value.includes(tag))

	function add(text: string) {
		const tags = withTags(value, text)
		if (tags.length > limits.tags) return setWrong(t('form.tagsTooMany', { count: limits.tags }))
		if (tags.some((tag) => tag.length > limits.tag)) return setWrong(t('form.tagTooLong', { count: limits.tag }))
		setTyped('')
		setWrong(null)
		if (tags.length > value.length) onChange(tags)
	}

	function type(text: string) {
		setWrong(null)
		setTyped(text)
		if (/[,;]/.test(text)) add(text)
	}

	function onKey(event: KeyboardEvent) {
		if (event.nativeEvent.isComposing) return
		if (event.key === 'Enter') {
			// Never sends the form: a comma may have ended the tag already.
			event.preventDefault()
			if (typed.trim()) add(typed)
		}
		if (event.key === 'Backspace' && typed === '' && value.length > 0) onChange(value.slice(0, -1))
	}

	return (
		<div className={classes.stack}>
			<TextInput
				id={field}
				label={t('form.tags')}
				description={t('form.tagsHint')}
				value={typed}
				onChange={(event) => type(event.currentTarget.value)}
				onKeyDown={onKey}
				onBlur={() => typed.trim() && add(typed)}
				error={wrong ?? problem}
				list={list}
				dir="auto"
				autoComplete="off"
				enterKeyHint="done"
			/>
			<datalist id={list}>
				{known.slice(0, 50).map((tag) => (
					<option key={tag} value={tag} />
				))}
			</datalist>
			{value.length > 0 && (
				<ul className={classes.pills} aria-label={t('form.tags')}>
					{value.map((tag) => (
						<li key={tag}>
							<button
								type="button"
								className={classes.pill}
								aria-label={t('form.tagRemove', { name: tag })}
								onClick={() => {
									onChange(value.filter((one) => one !== tag))
									document.getElementById(field)?.focus()
								}}
							>
								<bdi>{tag}</bdi>
								<IconX size={14} stroke={2} aria-hidden="true" />
							</button>
						</li>
					))}
				</ul>
			)}
		</div>
	)
}
