/**
 * The lecturers who lead a discussion beside the one who started it; only she chooses them.
 */
import { TextInput } from '@mantine/core'
import { IconPlus, IconSearch, IconX } from '@tabler/icons-react'
import { useId, useState } from 'react'
import { limits } from '../../../protocol/model.ts'
import { useSnapshot } from '../ui/data.tsx'
import { Failure } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { Avatar } from '../ui/pieces.tsx'
import classes from './form.module.css'
import { usePeople } from './usePeople.ts'

interface CollaboratorsProps {
	value: string[]
	/** Null: somebody else’s to choose. */
	onChange: ((people: string[]) => void) | null
	/** Who started it: she leads it in any case. */
	creator: string
}

export function CollaboratorsField({ value, onChange, creator }: CollaboratorsProps) {
	const { t } = useTexts()
	const { people } = useSnapshot()
	const [query, setQuery] = useState('')
	const field = useId()
	const found = usePeople({ query, role: 'lecturer', mine: false }, onChange !== null && query.trim() !== '')
	const others = found.people?.filter(({ id }) => id !== creator && !value.includes(id)) ?? null
	const full = value.length >= limits.collaborators

	const shown = onChange ? value : [creator, ...value]
	const chips = shown.length > 0 && (
		<ul className={classes.pills} aria-label={t('form.leaders')}>
			{shown.map((id) => {
				const person = people.get(id)
				const name = person?.name ?? t('form.somebody')
				const face = person && <Avatar person={person} size={22} />
				return (
					<li key={id}>
						{onChange ? (
							<button
								type="button"
								className={classes.pill}
								aria-label={t('form.collaboratorRemove', { name })}
								onClick={() => {
									onChange(value.filter((one) => one !== id))
									document.getElementById(field)?.focus()
								}}
							>
								{face}
								<bdi>{name}</bdi>
								<IconX size={14} stroke={2} aria-hidden="true" />
							</button>
						) : (
							<span className={classes.pill}>
								{face}
								<bdi>{name}</bdi>
							</span>
						)}
					</li>
				)
			})}
		</ul>
	)
	if (!onChange)
		return (
			<div className={classes.stack}>
				<p className={classes.label}>{t('form.leaders')}</p>
				{chips}
				<p className={classes.dim}>{t('form.collaboratorsFixed')}</p>
			</div>
		)
	return (
		<div className={classes.stack}>
			<TextInput
				id={field}
				label={t('form.collaborators')}
				description={full ? t('form.collaboratorsFull', { count: limits.collaborators }) : t('form.collaboratorsHint')}
				value={query}
				onChange={(event) => setQuery(event.currentTarget.value)}
				onKeyDown={(event) => {
					if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
					// Never sends the form, however often it is pressed.
					event.preventDefault()
					const [first] = query.trim() ? (others ?? []) : []
					if (!first || full) return
					onChange([...value, first.id])
					setQuery('')
				}}
				leftSection={<IconSearch size={18} stroke={1.75} aria-hidden="true" />}
				disabled={full && query === ''}
				maxLength={limits.query}
				dir="auto"
				autoComplete="off"
			/>
			<Failure>{found.problem}</Failure>
			{others && query.trim() && !full && (
				<ul className={classes.options} aria-label={t('form.collaboratorsFound')}>
					{others.length === 0 && <li className={classes.dim}>{t('form.collaboratorsNobody')}</li>}
					{others.slice(0, 8).map((person) => (
						<li key={person.id}>
							<button
								type="button"
								className={classes.option}
								aria-label={t('form.collaboratorAdd', { name: person.name })}
								onClick={() => {
									onChange([...value, person.id])
									setQuery('')
									document.getElementById(field)?.focus()
								}}
							>
								<Avatar person={person} size={28} />
								<bdi>{person.name}</bdi>
								<IconPlus size={16} stroke={2} aria-hidden="true" />
							</button>
						</li>
					))}
				</ul>
			)}
			{chips}
		</div>
	)
}
