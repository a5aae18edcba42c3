/**
 * One line of the admin's list: to be selected, opened, and where she waits, decided about at once.
 */
import { Button, Checkbox } from '@mantine/core'
import { memo } from 'react'
import { Link } from 'react-router'
import type { Person, Status } from '../../../protocol/model.ts'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { Avatar, Email } from '../ui/pieces.tsx'
import { date } from '../ui/times.ts'
import classes from './people.module.css'

interface Props {
	person: Person
	me: boolean
	selected: boolean
	onSelect(id: string, range: boolean): void
	onDecide(person: Person, status: 'approved' | 'rejected'): void
}

/** What was decided last, and when. */
export function useDecision() {
	const { t, language } = useTexts()
	return ({ status, createdAt, decidedAt }: Person): string | null => {
		if (status === 'pending') return createdAt ? t('people.asked', { date: date(createdAt, language) }) : null
		return status && decidedAt ? t(`people.${status as Exclude<Status, 'pending'>}On`, { date: date(decidedAt, language) }) : null
	}
}

export const PersonRow = memo(function PersonRow({ person, me, selected, onSelect, onDecide }: Props) {
	const { t } = useTexts()
	const decision = useDecision()
	const name = nameOf(person, t)
	return (
		<div className={classes.person} data-selected={selected || undefined}>
			{/* biome-ignore lint/a11y/noLabelWithoutControl: the checkbox in it is one */}
			<label className={classes.check}>
				<Checkbox
					checked={selected}
					disabled={me || person.erased === true}
					aria-label={t('people.select', { name })}
					// A click, since only that knows of Shift; with the space bar too.
					onClick={(event) => onSelect(person.id, event.shiftKey)}
					onChange={() => {}}
				/>
			</label>
			<Avatar person={person} size={40} />
			<div className={classes.who}>
				<div>
					<Link to={`/people/${person.id}`} className={classes.name as string}>
						<bdi>{name}</bdi>
					</Link>
					{me && <span className={classes.you}> {t('you')}</span>}
				</div>
				<div className={classes.dim}>
					{[t(`role.${person.role}`), person.number].filter(Boolean).join(' · ')}
					{person.email && (
						<>
							{' · '}
							<Email address={person.email} />
						</>
					)}
				</div>
				<div className={classes.dim}>{decision(person)}</div>
				{person.status !== 'pending' && person.reason && (
					<div className={classes.reason} dir="auto">
						{person.reason}
					</div>
				)}
			</div>
			{!person.erased && (person.status === 'pending' || person.status === 'rejected') && (
				<div className={classes.actions}>
					<Button aria-label={t('people.approveLabel', { name })} onClick={() => onDecide(person, 'approved')}>
						{t('people.approve')}
					</Button>
					{person.status === 'pending' && (
						<Button aria-label={t('people.rejectLabel', { name })} onClick={() => onDecide(person, 'rejected')}>
							{t('people.reject')}
						</Button>
					)}
				</div>
			)}
		</div>
	)
})
