/**
 * Who I am here, to be put right by myself: name, number and, for a student, her lecturers. Saving says so and can be undone.
 */
import { Button, TextInput } from '@mantine/core'
import { api, type Input } from '../../../protocol/api.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { tell } from '../ui/notices.ts'
import classes from './account.module.css'
import { LecturersField } from './LecturersField.tsx'

export function MyDetails({ onDone }: { onDone?: () => void }) {
	const { t } = useTexts()
	const client = useClient()
	const { me } = useSnapshot()
	const saved = { name: me.name, number: me.number ?? '', lecturers: me.lecturers ?? [] }
	const student = me.role === 'student'
	// The first admin has no number, and needs none.
	const numbered = me.role !== 'admin' || saved.number !== ''
	const schema = api.editMe.input.pick({ name: true, number: true, lecturers: true })
	const form = useForm(numbered ? schema.required({ number: true }) : schema.omit({ number: true }).loose(), saved, async (values) => {
		const changed = changes(values)
		if (Object.keys(changed).length > 0) {
			const before = Object.fromEntries(Object.keys(changed).map((field) => [field, saved[field as keyof typeof saved]]))
			await client.call('editMe', changed)
			tell(t('details.saved'), async () => {
				await client.call('editMe', before)
				for (const [field, value] of Object.entries(before)) form.set(field as 'name', value as string)
			})
		}
		onDone?.()
	})

	function changes({ name, number, lecturers }: typeof saved): Input<'editMe'> {
		return {
			...(name.trim() !== saved.name && { name }),
			...(numbered && number.trim() !== saved.number && { number }),
			...(student && lecturers.join() !== saved.lecturers.join() && { lecturers }),
		}
	}

	const same = Object.keys(changes(form.values)).length === 0
	return (
		<form {...form.form} className={classes.form}>
			<Failure>{form.failure}</Failure>
			<TextInput {...form.field('name')} label={t('field.name')} description={t('field.nameHint')} autoComplete="name" dir="auto" />
			{numbered && (
				<TextInput
					{...form.field('number')}
					label={student ? t('field.studentNumber') : t('field.staffNumber')}
					description={t('field.numberHint')}
					autoComplete="off"
				/>
			)}
			{student && (
				<LecturersField
					value={form.values.lecturers}
					onChange={(value) => form.set('lecturers', value)}
					error={form.problem('lecturers')}
				/>
			)}
			<div className={classes.answers}>
				<Button type="submit" variant="filled" loading={form.busy} disabled={same && !onDone}>
					{t('save')}
				</Button>
				{onDone && <Button onClick={onDone}>{t('cancel')}</Button>}
			</div>
		</form>
	)
}
