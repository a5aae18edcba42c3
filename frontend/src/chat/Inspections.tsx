/**
 * Which admins looked into a discussion, when and why: for its lecturers, and for admins themselves.
 */
import { useEffect, useState } from 'react'
import type { Output } from '../../../protocol/api.ts'
import { useClient, useMe } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { exactTime } from '../ui/times.ts'
import classes from './about.module.css'

export function Inspections({ id }: { id: string }) {
	const { t, language } = useTexts()
	const client = useClient()
	const { role } = useMe()
	const [page, setPage] = useState<Output<'listInspections'> | null>(null)
	useEffect(() => {
		if (role === 'student') return
		let gone = false
		// Beside everything else: where it can't be fetched it is not shown.
		client.call('listInspections', { id }).then(
			(found) => !gone && setPage(found),
			() => {},
		)
		return () => {
			gone = true
		}
	}, [client, id, role])
	if (!page || page.inspections.length === 0) return null
	const people = new Map(page.users.map((user) => [user.id, user]))
	return (
		<section>
			<h2>{t('about.inspections')}</h2>
			<ul>
				{page.inspections.map(({ id, admin, createdAt, reason }) => {
					const person = people.get(admin)
					return (
						<li key={id} className={classes.inspection}>
							<bdi>{person && nameOf(person, t)}</bdi> · {exactTime(createdAt, language)}
							<div dir="auto">{reason}</div>
						</li>
					)
				})}
			</ul>
		</section>
	)
}
