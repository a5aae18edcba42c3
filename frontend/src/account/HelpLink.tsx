/**
 * Where a sign-in link from an admin leads: a new password, and one is in.
 *
 * Works also where somebody is signed in already; then it says whose place is taken.
 */
import { Button } from '@mantine/core'
import { Link, useLocation, useNavigate } from 'react-router'
import { api } from '../../../protocol/api.ts'
import { useSession, useSessionStore } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { tell } from '../ui/notices.ts'
import { Door } from './Door.tsx'
import classes from './door.module.css'
import { NewPassword } from './NewPassword.tsx'

export default function HelpLink() {
	const { t } = useTexts()
	const store = useSessionStore()
	const { client } = useSession()
	const navigate = useNavigate()
	const token = useLocation().hash.slice(1)
	const form = useForm(
		api.useHelpLink.input,
		{ token, password: '' },
		async (values) => {
			await store.signInByLink({ ...values, token })
			tell(t('help.done'))
			navigate('/', { replace: true })
		},
		{ wrong_credentials: 'help.wrongLink' },
	)
	if (!token)
		return (
			<Door title={t('help.noLinkTitle')} intro={t('help.noLink')}>
				<Button component={Link} to="/" fullWidth>
					{t('notFound.home')}
				</Button>
			</Door>
		)
	const me = client?.snapshot().me
	return (
		<Door title={t('help.title')} intro={t('help.intro')}>
			{me && <p className={classes.note}>{t('help.signedIn', { name: nameOf(me, t) })}</p>}
			<form {...form.form} className={classes.form}>
				<Failure>{form.failure}</Failure>
				<NewPassword {...form.field('password')} label={t('field.newPassword')} autoFocus />
				<Button type="submit" variant="filled" loading={form.busy} fullWidth>
					{t('help.do')}
				</Button>
			</form>
		</Door>
	)
}
