/**
 * Erasing a person: the one thing here that can't be undone, so her name has to be typed first.
 */
import { Button, Checkbox, Modal, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { Person } from '../../../protocol/model.ts'
import { useClient } from '../ui/data.tsx'
import { Failure } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { tell } from '../ui/notices.ts'
import { errorSentence } from '../ui/problems.ts'
import classes from './panel.module.css'
import { fold } from './people.ts'

export function Erase({ person }: { person: Person }) {
	const { t } = useTexts()
	const [opened, setOpened] = useState(false)
	const name = nameOf(person, t)
	return (
		<section className={classes.section} aria-labelledby="erase">
			<h4 id="erase">{t('erase.title')}</h4>
			<p className={classes.dim}>{t('erase.what')}</p>
			<Button color="red" onClick={() => setOpened(true)}>
				{t('erase.start')}
			</Button>
			<Modal
				opened={opened}
				onClose={() => setOpened(false)}
				title={t('erase.ask', { name })}
				closeButtonProps={{ 'aria-label': t('notices.close') }}
			>
				<EraseForm person={person} onDone={() => setOpened(false)} />
			</Modal>
		</section>
	)
}

function EraseForm({ person, onDone }: { person: Person; onDone: () => void }) {
	const { t } = useTexts()
	const client = useClient()
	const [typed, setTyped] = useState('')
	const [texts, setTexts] = useState(false)
	const [wrong, setWrong] = useState(false)
	const [busy, setBusy] = useState(false)
	const [failure, setFailure] = useState<string | null>(null)
	const plain = (text: string) => fold(text).replace(/\s+/g, ' ').trim()

	async function erase(event: FormEvent) {
		event.preventDefault()
		if (plain(typed) !== plain(person.name)) return setWrong(true)
		setBusy(true)
		setFailure(null)
		try {
			await client.call('eraseUser', { id: person.id, texts: texts ? 'true' : 'false' })
			tell(t('erase.done', { name: person.name }))
			onDone()
		} catch (error) {
			setFailure(errorSentence(t, error))
			setBusy(false)
		}
	}

	return (
		<form onSubmit={erase} className={classes.form} noValidate>
			<p className={classes.text}>{texts ? t('erase.goesAll') : t('erase.goes')}</p>
			<Checkbox checked={texts} onChange={(event) => setTexts(event.currentTarget.checked)} label={t('erase.texts')} />
			<TextInput
				label={t('erase.type')}
				description={<bdi>{person.name}</bdi>}
				value={typed}
				onChange={(event) => {
					setTyped(event.currentTarget.value)
					setWrong(false)
				}}
				error={wrong ? t('erase.wrong') : undefined}
				autoComplete="off"
				dir="auto"
				data-autofocus
			/>
			<Failure>{failure}</Failure>
			<div className={classes.answers}>
				<Button onClick={onDone}>{t('cancel')}</Button>
				<Button type="submit" color="red" loading={busy}>
					{t('erase.do')}
				</Button>
			</div>
		</form>
	)
}
