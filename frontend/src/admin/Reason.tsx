/**
 * Asks for the reason that a rejected person reads. It may stay empty.
 */
import { Button, Modal, Textarea } from '@mantine/core'
import { api } from '../../../protocol/api.ts'
import { useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import classes from './people.module.css'

interface Props {
	title: string
	opened: boolean
	onClose(): void
	onReject(reason: string | null): void
}

export function Reason({ title, opened, onClose, onReject }: Props) {
	const { t } = useTexts()
	return (
		<Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('notices.close') }}>
			<ReasonForm
				onReject={(reason) => {
					onClose()
					onReject(reason)
				}}
			/>
		</Modal>
	)
}

function ReasonForm({ onReject }: { onReject: (reason: string | null) => void }) {
	const { t } = useTexts()
	const form = useForm(api.decide.input.pick({ reason: true }), { reason: '' }, async ({ reason }) => onReject(reason.trim() || null))
	return (
		<form {...form.form} className={classes.form}>
			<Textarea
				{...form.field('reason')}
				data-autofocus
				label={t('people.reason')}
				description={t('people.reasonHint')}
				dir="auto"
				autosize
				minRows={3}
				maxRows={8}
			/>
			<Button type="submit" variant="filled" loading={form.busy}>
				{t('people.reject')}
			</Button>
		</form>
	)
}
