/**
 * What can be done with the selected people, over the end of the list.
 */
import { ActionIcon, Button } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import type { Person, Status } from '../../../protocol/model.ts'
import { useTexts } from '../ui/language.ts'
import classes from './people.module.css'

export type Decision = 'approved' | 'rejected' | 'deactivated'

const possible: Record<Status, readonly Decision[]> = {
	pending: ['approved', 'rejected'],
	approved: ['deactivated'],
	rejected: ['approved'],
	deactivated: ['approved'],
}

interface Props {
	people: readonly Person[]
	status: Status
	busy: boolean
	onDecide(decision: Decision): void
	onNone(): void
}

export function Selected({ people, status, busy, onDecide, onNone }: Props) {
	const { t } = useTexts()
	return (
		<section className={classes.selected} aria-label={t('people.selectedLabel')}>
			<ActionIcon aria-label={t('people.selectNone')} onClick={onNone} size={38}>
				<IconX size={18} stroke={1.75} aria-hidden="true" />
			</ActionIcon>
			<span role="status" className={classes.selectedCount}>
				{t('people.selected', { count: people.length })}
			</span>
			{possible[status].map((decision, at) => (
				<Button
					key={decision}
					variant={at === 0 && decision === 'approved' ? 'filled' : 'default'}
					loading={busy}
					onClick={() => onDecide(decision)}
				>
					{t(`people.${decision}Selected`)}
				</Button>
			))}
		</section>
	)
}
