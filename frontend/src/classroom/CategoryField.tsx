/**
 * The category of a discussion: one of those that there are, or a new one made in place.
 */
import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useId, useState } from 'react'
import { limits } from '../../../protocol/model.ts'
import { ApiError } from '../client.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { errorSentence } from '../ui/problems.ts'
import classes from './form.module.css'
import { byName } from './overview.ts'

const another = 'new'

export function CategoryField({ value, onChange }: { value: string | null; onChange: (category: string | null) => void }) {
	const { t, language } = useTexts()
	const { categories } = useSnapshot()
	const [making, setMaking] = useState(false)
	const select = useId()
	const shown = byName(
		categories.filter(({ id, status }) => status === 'active' || id === value),
		language,
	)

	function done(category: string | null) {
		setMaking(false)
		if (category) onChange(category)
		document.getElementById(select)?.focus()
	}

	return (
		<div className={classes.stack}>
			<NativeSelect
				id={select}
				label={t('form.category')}
				description={t('form.categoryHint')}
				value={making ? another : (value ?? '')}
				onChange={({ currentTarget }) => {
					setMaking(currentTarget.value === another)
					if (currentTarget.value !== another) onChange(currentTarget.value || null)
				}}
				data={[
					{ value: '', label: t('list.uncategorized') },
					...shown.map(({ id, name }) => ({ value: id, label: name })),
					{ value: another, label: t('form.categoryNew') },
				]}
			/>
			{making && <NewCategory onDone={done} />}
		</div>
	)
}

/** Not a form of its own: it stands inside of one. */
function NewCategory({ onDone }: { onDone: (category: string | null) => void }) {
	const { t } = useTexts()
	const client = useClient()
	const { categories } = useSnapshot()
	const [name, setName] = useState('')
	const [busy, setBusy] = useState(false)
	const [problem, setProblem] = useState<string | null>(null)

	async function make() {
		const wanted = name.normalize('NFC').trim()
		if (busy) return
		if (!wanted) return setProblem(t('wrong.required'))
		// One that is there already is what was meant.
		const there = categories.find((one) => one.name.toLowerCase() === wanted.toLowerCase())
		if (there?.status === 'active') return onDone(there.id)
		if (there) return setProblem(t('categories.takenArchived'))
		setBusy(true)
		try {
			const { category } = await client.call('createCategory', { id: client.newId(), name: wanted })
			onDone(category.id)
		} catch (error) {
			setBusy(false)
			setProblem(error instanceof ApiError && error.problem.code === 'name_taken' ? t('categories.taken') : errorSentence(t, error))
		}
	}

	return (
		<div className={classes.inline}>
			<TextInput
				label={t('categories.name')}
				value={name}
				onChange={(event) => {
					setName(event.currentTarget.value)
					setProblem(null)
				}}
				onKeyDown={(event) => {
					if (event.nativeEvent.isComposing) return
					if (event.key === 'Escape') onDone(null)
					if (event.key !== 'Enter') return
					event.preventDefault()
					void make()
				}}
				error={problem}
				maxLength={limits.categoryName}
				className={classes.grow as string}
				dir="auto"
				autoComplete="off"
				autoFocus
			/>
			<Button onClick={make} loading={busy}>
				{t('categories.create')}
			</Button>
			<Button onClick={() => onDone(null)}>{t('cancel')}</Button>
		</div>
	)
}
