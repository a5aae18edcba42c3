/**
 * Which lecturers are mine: searched while typing, chosen by finger, mouse or keyboard, shown as pills.
 *
 * Choosing nobody is fine. Promises that a chosen one stays until she is taken away, whatever is searched.
 */
import '@mantine/core/styles/Popover.layer.css'
import '@mantine/core/styles/Combobox.layer.css'
import { Combobox, TextInput, useCombobox } from '@mantine/core'
import { IconSearch, IconX } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { limits } from '../../../protocol/model.ts'
import { useTexts } from '../ui/language.ts'
import { errorSentence } from '../ui/problems.ts'
import classes from './lecturers.module.css'
import { findLecturers, type Lecturer, useLecturers } from './lecturers.ts'

interface Props {
	value: readonly string[]
	onChange(value: string[]): void
	error?: string | undefined
}

export function LecturersField({ value, onChange, error }: Props) {
	const { t } = useTexts()
	const [query, setQuery] = useState('')
	const field = useRef<HTMLInputElement>(null)
	const pills = useRef<HTMLUListElement>(null)
	const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() })
	const search = useSearch(query.trim(), combobox.dropdownOpened)
	const chosen = useLecturers(value)
	const full = value.length >= limits.lecturersChosen
	const offered = search.found.filter(({ id }) => !value.includes(id))

	function add(id: string) {
		if (full || value.includes(id)) return
		onChange([...value, id])
		setQuery('')
		combobox.resetSelectedOption()
	}

	function remove(id: string) {
		const at = value.indexOf(id)
		onChange(value.filter((one) => one !== id))
		// The focus stays at the pills while there are any.
		const next = pills.current?.querySelectorAll('button')[at === value.length - 1 ? at - 1 : at + 1]
		;(next ?? field.current)?.focus()
	}

	return (
		<div>
			<Combobox store={combobox} onOptionSubmit={add} withinPortal={false} position="bottom" middlewares={{ flip: false }}>
				<Combobox.Target withExpandedAttribute autoComplete="off">
					<TextInput
						ref={field}
						name="lecturers"
						label={t('lecturers.label')}
						description={full ? t('lecturers.full', { limit: limits.lecturersChosen }) : t('lecturers.hint')}
						placeholder={t('lecturers.search')}
						error={error}
						value={query}
						disabled={full}
						maxLength={limits.query}
						dir="auto"
						leftSection={<IconSearch size={18} stroke={1.75} aria-hidden="true" />}
						onChange={(event) => {
							setQuery(event.currentTarget.value)
							combobox.openDropdown()
							combobox.resetSelectedOption()
						}}
						onClick={() => combobox.openDropdown()}
						onBlur={() => combobox.closeDropdown()}
						onKeyDown={(event) => {
							// Enter chooses; it does not send a half-filled form.
							if (event.key === 'Enter' && (combobox.dropdownOpened || query)) event.preventDefault()
							if (event.key === 'Backspace' && query === '' && value.length > 0) onChange(value.slice(0, -1))
						}}
					/>
				</Combobox.Target>
				<Combobox.Dropdown className={classes.dropdown as string}>
					{offered.length > 0 ? (
						<Combobox.Options aria-label={t('lecturers.label')} className={classes.options as string}>
							{offered.map((lecturer) => (
								<Combobox.Option key={lecturer.id} value={lecturer.id} className={classes.option as string}>
									<bdi>{lecturer.name}</bdi>
								</Combobox.Option>
							))}
						</Combobox.Options>
					) : (
						<p className={classes.empty}>
							{search.problem ??
								(search.state === 'loading' ? t('loading') : search.found.length > 0 ? t('lecturers.allChosen') : t('lecturers.none'))}
						</p>
					)}
				</Combobox.Dropdown>
			</Combobox>
			<span role="status" className={classes.hidden}>
				{combobox.dropdownOpened && search.state === 'ready' && t('lecturers.found', { count: offered.length })}
			</span>
			{chosen.length > 0 && (
				<ul className={classes.pills} aria-label={t('lecturers.chosen')} ref={pills}>
					{chosen.map(({ id, name }) => (
						<li key={id} className={classes.pill}>
							<bdi>{name ?? (name === null ? t('lecturers.gone') : '…')}</bdi>
							<button type="button" onClick={() => remove(id)} aria-label={t('lecturers.remove', { name: name ?? t('lecturers.gone') })}>
								<IconX size={15} stroke={2} aria-hidden="true" />
							</button>
						</li>
					))}
				</ul>
			)}
		</div>
	)
}

/** What is found for a query, a moment after typing ends. */
function useSearch(query: string, open: boolean) {
	const { t } = useTexts()
	const [found, setFound] = useState<Lecturer[]>([])
	const [state, setState] = useState<'loading' | 'ready'>('loading')
	const [problem, setProblem] = useState<string | null>(null)
	useEffect(() => {
		if (!open) return
		let left = false
		setState('loading')
		const timer = setTimeout(
			() =>
				findLecturers(query).then(
					(lecturers) => {
						if (left) return
						setFound(lecturers)
						setProblem(null)
						setState('ready')
					},
					(error) => {
						if (left) return
						setFound([])
						setProblem(errorSentence(t, error))
						setState('ready')
					},
				),
			query ? 150 : 0,
		)
		return () => {
			left = true
			clearTimeout(timer)
		}
	}, [query, open, t])
	return { found, state, problem }
}
