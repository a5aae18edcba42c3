/**
 * Register as a student or lecturer; afterwards she waits for an admin.
 */
import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { Link } from 'react-router'
import { api } from '../../../protocol/api.ts'
import { useSessionStore } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { Door } from './Door.tsx'
import classes from './door.module.css'
import { LecturersField } from './LecturersField.tsx'
import { NewPassword } from './NewPassword.tsx'

const empty = { role: 'student' as 'student' | 'lecturer', name: '', number: '', lecturers: [] as string[], email: '', password: '' }

export default function Register() {
	const { t } = useTexts()
	const store = useSessionStore()
	const form = useForm(
		api.register.input,
		empty,
		(values) => store.register({ ...values, lecturers: values.role === 'student' ? values.lecturers : [] }),
		{ email_taken: { beside: 'email' } },
	)
	const { role, name, number, email } = form.values
	const student = role === 'student'
	return (
		<Door
			title={t('register.title')}
			intro={t('register.intro')}
			below={
				<>
					{t('register.known')} <Link to="/sign-in">{t('signIn.do')}</Link>
				</>
			}
		>
			<form {...form.form} className={classes.form}>
				<Failure>{form.failure}</Failure>
				<fieldset className={classes.roles}>
					<legend>{t('register.role')}</legend>
					<SegmentedControl
						fullWidth
						aria-label={t('register.role')}
						value={role}
						onChange={(value) => form.set('role', value as typeof role)}
						data={[
							{ value: 'student', label: t('role.student') },
							{ value: 'lecturer', label: t('role.lecturer') },
						]}
					/>
				</fieldset>
				<TextInput {...form.field('name')} label={t('field.name')} description={t('field.nameHint')} autoComplete="name" dir="auto" />
				<TextInput
					{...form.field('number')}
					label={student ? t('field.studentNumber') : t('field.staffNumber')}
					description={t('field.numberHint')}
					autoComplete="off"
				/>
				{student && (
					<LecturersField
						value={form.values.lecturers}
						onChange={(value) => form.set('lecturers', value)}
						error={form.problem('lecturers')}
					/>
				)}
				<TextInput
					{...form.field('email')}
					label={t('field.email')}
					description={t('field.emailHint')}
					type="email"
					autoComplete="username"
					inputMode="email"
				/>
				<NewPassword {...form.field('password')} own={[name, number, email]} />
				<Button type="submit" variant="filled" loading={form.busy} fullWidth>
					{t('register.do')}
				</Button>
			</form>
		</Door>
	)
}
