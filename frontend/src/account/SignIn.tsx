/**
 * Sign in. Says when the server ended a session, and what waits on this device for whom.
 */
import { Button, PasswordInput, TextInput } from '@mantine/core'
import { Link } from 'react-router'
import { api } from '../../../protocol/api.ts'
import { useSession, useSessionStore } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { Door } from './Door.tsx'
import classes from './door.module.css'

export function SignIn({ ended }: { ended: string | null }) {
	const { t } = useTexts()
	const store = useSessionStore()
	const { locked } = useSession()
	const waits = locked.filter((account) => account.waiting > 0)
	const form = useForm(api.signIn.input, { email: ended ?? waits[0]?.email ?? '', password: '' }, (values) => store.signIn(values))
	return (
		<Door
			title={t('signIn.title')}
			below={
				<>
					{t('signIn.new')} <Link to="/register">{t('signIn.register')}</Link>
					<br />
					<Link to="/forgotten">{t('signIn.forgotten')}</Link>
				</>
			}
		>
			{ended !== null && (
				<p className={classes.note} role="alert">
					{t('signIn.ended')}
				</p>
			)}
			{waits.map((account) => (
				<p key={account.email} className={classes.note}>
					{t('signIn.locked', { count: account.waiting, email: account.email })}
				</p>
			))}
			<form {...form.form} className={classes.form}>
				<Failure>{form.failure}</Failure>
				<TextInput {...form.field('email')} label={t('field.email')} type="email" autoComplete="username" inputMode="email" autoFocus />
				<PasswordInput
					{...form.field('password')}
					label={t('field.password')}
					autoComplete="current-password"
					visibilityToggleButtonProps={{ 'aria-label': t('field.showPassword') }}
				/>
				<Button type="submit" variant="filled" loading={form.busy} fullWidth>
					{t('signIn.do')}
				</Button>
			</form>
		</Door>
	)
}
