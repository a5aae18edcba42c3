/**
 * One person as an admin sees her: what is known, what was decided, and what can be done.
 */
import '@mantine/core/styles/Drawer.layer.css'
import { Button, Drawer } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { Person } from '../../../protocol/model.ts'
import { useLecturers } from '../account/lecturers.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { Avatar, Email, RoleBadge, usePhone } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { date } from '../ui/times.ts'
import { Erase } from './Erase.tsx'
import { HelpWithSignIn } from './HelpWithSignIn.tsx'
import { useDecision } from './PersonRow.tsx'
import classes from './panel.module.css'
import { useDecide } from './useDecide.ts'

interface Props {
	person: Person | null
	onClose(): void
	onReject(person: Person): void
}

export function PersonPanel({ person, onClose, onReject }: Props) {
	const { t } = useTexts()
	const phone = usePhone()
	// She stays in sight while the panel goes.
	const [last, setLast] = useState(person)
	if (person && person !== last) setLast(person)
	return (
		<Drawer
			opened={person !== null}
			onClose={onClose}
			position={phone ? 'bottom' : 'right'}
			size={phone ? '92dvh' : 440}
			title={t('person.title')}
			closeButtonProps={{ 'aria-label': t('notices.close') }}
			// Another dialog may lie over this one: then a bare header would be a second banner of the page.
			attributes={{ header: { role: 'presentation' } }}
			transitionProps={{ duration: 150 }}
			classNames={{
				content: classes.sheet as string,
				body: classes.body as string,
				header: classes.header as string,
				title: classes.title as string,
			}}
		>
			{last && <Known key={last.id} person={last} onReject={onReject} />}
		</Drawer>
	)
}

function Known({ person, onReject }: { person: Person; onReject: (person: Person) => void }) {
	const { t, language } = useTexts()
	const { me } = useSnapshot()
	const decision = useDecision()
	const lecturers = useLecturers(person.lecturers ?? [])
	return (
		<>
			<div className={classes.who}>
				<Avatar person={person} size={64} />
				<div className={classes.grow}>
					<h3 className={classes.name}>
						<bdi>{nameOf(person, t)}</bdi> <RoleBadge role={person.role} />
					</h3>
					<div className={classes.dim}>{t(`standing.${person.status ?? 'pending'}`)}</div>
				</div>
			</div>
			{person.reason && (
				<blockquote className={classes.reason} dir="auto">
					{person.reason}
				</blockquote>
			)}
			{!person.erased && (
				<dl className={classes.facts}>
					<dt>{t('field.email')}</dt>
					<dd>{person.email && <Email address={person.email} />}</dd>
					<dt>{person.role === 'student' ? t('field.studentNumber') : t('field.staffNumber')}</dt>
					<dd>{person.number ?? '–'}</dd>
					{person.role === 'student' && (
						<>
							<dt>{t('person.lecturers')}</dt>
							<dd>
								{lecturers.length === 0 && t('person.noLecturers')}
								{lecturers.map(({ id, name }) => (
									<div key={id}>
										<bdi>{name ?? (name === null ? t('lecturers.gone') : '…')}</bdi>
									</div>
								))}
							</dd>
						</>
					)}
					{person.createdAt && (
						<>
							<dt>{t('person.since')}</dt>
							<dd>{date(person.createdAt, language)}</dd>
						</>
					)}
					{person.status !== 'pending' && person.decidedAt && (
						<>
							<dt>{t('person.decided')}</dt>
							<dd>{decision(person)}</dd>
						</>
					)}
				</dl>
			)}
			{person.erased ? (
				<p className={classes.dim}>{t('person.erasedText')}</p>
			) : person.id === me.id ? (
				<ItsYou />
			) : (
				<Actions person={person} onReject={onReject} />
			)}
		</>
	)
}

function Actions({ person, onReject }: { person: Person; onReject: (person: Person) => void }) {
	const { t } = useTexts()
	const { decide, busy } = useDecide()
	return (
		<>
			<section className={classes.section}>
				<div className={classes.answers}>
					{person.status !== 'approved' && (
						<Button variant="filled" disabled={busy} onClick={() => decide([person], 'approved')}>
							{t('people.approve')}
						</Button>
					)}
					{person.status === 'pending' && (
						<Button disabled={busy} onClick={() => onReject(person)}>
							{t('people.reject')}
						</Button>
					)}
					{person.status === 'approved' && (
						<Button disabled={busy} onClick={() => decide([person], 'deactivated')}>
							{t('people.deactivate')}
						</Button>
					)}
					<RoleButton person={person} />
				</div>
				{person.status === 'approved' && <p className={classes.dim}>{t('person.deactivateHint')}</p>}
			</section>
			<HelpWithSignIn person={person} />
			<Erase person={person} />
		</>
	)
}

/** A lecturer becomes an admin, or the other way round. */
function RoleButton({ person }: { person: Person }) {
	const { t } = useTexts()
	const client = useClient()
	const [busy, setBusy] = useState(false)
	if (person.role === 'student' || person.status !== 'approved') return null
	const before = person.role
	const next = before === 'admin' ? 'lecturer' : 'admin'

	async function change() {
		setBusy(true)
		try {
			// An admin is in no group: the way back leads into them again.
			const { left } = await client.call('setRole', { id: person.id, role: next })
			const name = nameOf(person, t)
			tell(next === 'admin' ? t('person.nowAdmin', { name }) : t('person.nowLecturer', { name }), async () => {
				await client.call('setRole', { id: person.id, role: before })
				for (const group of left) await client.call('addMember', { id: group, user: person.id })
			})
		} catch (error) {
			tellProblem(errorSentence(t, error))
		} finally {
			setBusy(false)
		}
	}

	return (
		<Button disabled={busy} onClick={change}>
			{next === 'admin' ? t('person.makeAdmin') : t('person.makeLecturer')}
		</Button>
	)
}

/** Nobody changes what she herself may do here: so two admins can't both be gone, and the only one can't at all. */
function ItsYou() {
	const { t } = useTexts()
	const client = useClient()
	const { people } = useSnapshot()
	const [only, setOnly] = useState(false)
	const known = [...people.values()].filter((one) => one.role === 'admin' && one.status === 'approved').length
	// biome-ignore lint/correctness/useExhaustiveDependencies: asked again when another admin comes or goes
	useEffect(() => {
		let gone = false
		client.call('listUsers', { role: 'admin', status: 'approved', limit: 2 }).then(
			({ users }) => !gone && setOnly(users.length < 2),
			// Best effort: the other sentence is true as well.
			() => {},
		)
		return () => {
			gone = true
		}
	}, [client, known])
	return <p className={classes.note}>{only ? t('person.onlyAdmin') : t('person.itsYou')}</p>
}
