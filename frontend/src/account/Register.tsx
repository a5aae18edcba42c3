/**
 * Register as a student or lecturer; afterwards she waits for an admin.
 */
import { Button, PasswordInput, SegmentedControl, TextInput } from '@mantine/core'
import { Link } from 'react-router'
import { api, type Input } from '../../../protocol/api.ts'
import { useSessionStore } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { Door } from './Door.tsx'
import classes from './door.module.css'

export default function Register() {
	const { t } = useTexts()
	const store = useSessionStore()
	const form = useForm(
		api.register.input,
		{ role: 'student', name: '', email: '', number: null, password: '' } as Input<'register'> & {},
		(values) => store.register({ ...values, number: values.number?.trim() || null }),
	)
	const student = form.values.role === 'student'
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
						value={form.values.role}
						onChange={(role) => form.set('role', role as 'student' | 'lecturer')}
						data={[
							{ value: 'student', label: t('role.student') },
							{ value: 'lecturer', label: t('role.lecturer') },
						]}
					/>
				</fieldset>
				<TextInput {...form.field('name')} label={t('field.name')} description={t('field.nameHint')} autoComplete="name" dir="auto" />
				<TextInput {...form.field('number')} label={student ? t('field.studentNumber') : t('field.staffNumber')} autoComplete="off" />
				<TextInput {...form.field('email')} label={t('field.email')} type="email" autoComplete="username" inputMode="email" />
				<PasswordInput
					{...form.field('password')}
					label={t('field.password')}
					description={t('field.passwordHint')}
					autoComplete="new-password"
					visibilityToggleButtonProps={{ 'aria-label': t('field.showPassword') }}
				/>
				<Button type="submit" variant="filled" loading={form.busy} fullWidth>
					{t('register.do')}
				</Button>
			</form>
		</Door>
	)
}
