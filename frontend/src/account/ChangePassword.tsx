/**
 * A new password for me. All my other devices are signed out with it.
 */
import { Button, PasswordInput } from '@mantine/core'
import { useState } from 'react'
import { api } from '../../../protocol/api.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { tell } from '../ui/notices.ts'
import classes from './account.module.css'
import { NewPassword } from './NewPassword.tsx'

/** `onChanged`: other sessions have ended. */
export function ChangePassword({ onChanged }: { onChanged: () => void }) {
	const { t } = useTexts()
	const [round, setRound] = useState(0)
	return (
		<section className={classes.section} aria-labelledby="password">
			<h2 id="password">{t('password.title')}</h2>
			<p className={classes.dim}>{t('password.intro')}</p>
			<div className={classes.card}>
				<PasswordForm
					key={round}
					onDone={() => {
						setRound(round + 1)
						tell(t('password.changed'))
						onChanged()
					}}
				/>
			</div>
		</section>
	)
}

function PasswordForm({ onDone }: { onDone: () => void }) {
	const { t } = useTexts()
	const client = useClient()
	const { me } = useSnapshot()
	const form = useForm(
		api.changePassword.input.required(),
		{ current: '', password: '' },
		async (values) => {
			await client.call('changePassword', values)
			onDone()
		},
		{ wrong_credentials: { beside: 'current', text: 'password.wrong' } },
	)
	return (
		<form {...form.form} className={classes.form}>
			{/* So that the browser's keeper of passwords knows whose it is. */}
			<input type="text" name="username" autoComplete="username" value={me.email ?? ''} readOnly hidden />
			<Failure>{form.failure}</Failure>
			<PasswordInput
				{...form.field('current')}
				label={t('password.current')}
				autoComplete="current-password"
				visibilityToggleButtonProps={{ 'aria-label': t('field.showPassword') }}
			/>
			<NewPassword {...form.field('password')} label={t('field.newPassword')} own={[me.name, me.email ?? '', me.number ?? '']} />
			<div className={classes.answers}>
				<Button type="submit" variant="filled" loading={form.busy} disabled={!form.values.current && !form.values.password}>
					{t('password.do')}
				</Button>
			</div>
		</form>
	)
}
