/**
 * The first start: whoever holds the one-time link from the server's terminal becomes the first admin.
 */
import { Button, TextInput } from '@mantine/core'
import { Link, useLocation } from 'react-router'
import { api } from '../../../protocol/api.ts'
import { useSession, useSessionStore } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { Door } from './Door.tsx'
import classes from './door.module.css'
import { NewPassword } from './NewPassword.tsx'

export default function SetUp() {
	const { t } = useTexts()
	const store = useSessionStore()
	const { setUp } = useSession()
	const token = useLocation().hash.slice(1)
	const form = useForm(api.setUp.input, { token, name: '', email: '', password: '' }, (values) => store.setUp({ ...values, token }), {
		wrong_credentials: 'setUp.wrongLink',
	})
	if (setUp)
		return (
			<Door title={t('setUp.doneTitle')} intro={t('setUp.done')}>
				<Button component={Link} to="/sign-in" variant="filled" fullWidth>
					{t('signIn.do')}
				</Button>
			</Door>
		)
	if (!token) return <Door title={t('setUp.linkTitle')}>{t('setUp.link')}</Door>
	return (
		<Door title={t('setUp.title')} intro={t('setUp.intro')}>
			<form {...form.form} className={classes.form}>
				<Failure>{form.failure}</Failure>
				<TextInput
					{...form.field('name')}
					label={t('field.name')}
					description={t('field.nameHint')}
					autoComplete="name"
					dir="auto"
					autoFocus
				/>
				<TextInput {...form.field('email')} label={t('field.email')} type="email" autoComplete="username" inputMode="email" />
				<NewPassword {...form.field('password')} own={[form.values.name, form.values.email]} />
				<Button type="submit" variant="filled" loading={form.busy} fullWidth>
					{t('setUp.do')}
				</Button>
			</form>
		</Door>
	)
}
