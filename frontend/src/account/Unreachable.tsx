/**
 * The server did not answer at the start. The session store keeps trying; this page only says so.
 */
import { IconCloudOff } from '@tabler/icons-react'
import { useTexts } from '../ui/language.ts'
import { Empty } from '../ui/pieces.tsx'
import { Door } from './Door.tsx'

export function Unreachable() {
	const { t } = useTexts()
	return (
		<Door title={t('unreachable.title')}>
			<Empty icon={<IconCloudOff size={24} stroke={1.75} />} title={t('unreachable.heading')}>
				{t('unreachable.text')}
			</Empty>
		</Door>
	)
}
