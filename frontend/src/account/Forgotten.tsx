/**
 * What to do about a forgotten password: a person of the school helps, no mail is sent.
 */
import { Button } from '@mantine/core'
import { Link } from 'react-router'
import { useTexts } from '../ui/language.ts'
import { Door } from './Door.tsx'

export default function Forgotten() {
	const { t } = useTexts()
	return (
		<Door title={t('forgotten.title')} intro={t('forgotten.what')}>
			<Button component={Link} to="/sign-in" fullWidth>
				{t('forgotten.back')}
			</Button>
		</Door>
	)
}
