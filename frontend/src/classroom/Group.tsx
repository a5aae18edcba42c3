/**
 * One group: its name, its people, and adding more by searching.
 */
import { ActionIcon, Button, TextInput } from '@mantine/core'
import { IconMailQuestion, IconPencil, IconSearch, IconUserPlus, IconX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useParams } from 'react-router'
import { api } from '../../../protocol/api.ts'
import type { Group, Person } from '../../../protocol/model.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { Avatar, Empty, Late, Page, RoleBadge } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import classes from './classroom.module.css'
import { membersOf } from './members.ts'

export default function GroupScreen() {
	const { t } = useTexts()
	const { id = '' } = useParams()
	const { groups, me } = useSnapshot()
	const group = groups.find((one) => one.id === id)
	const mine = me.role === 'admin' || group?.createdBy === me.id
	const [renaming, setRenaming] = useState(false)
	if (!group)
		return (
			<Page title={t('notFound.title')} back="/groups">
				<Empty icon={<IconMailQuestion size={24} stroke={1.75} />} title={t('group.notHere')}>
					{t('group.notHereText')}
				</Empty>
			</Page>
		)
	return (
		<Page
			key={id}
			title={group.name}
			back="/groups"
			actions={
				mine && (
					<Button leftSection={<IconPencil size={16} stroke={1.75} />} onClick={() => setRenaming(!renaming)} aria-expanded={renaming}>
						{t('group.rename')}
					</Button>
				)
			}
		>
			{renaming && <Rename group={group} onDone={() => setRenaming(false)} />}
			{mine ? <AddPeople group={group} /> : <p className={classes.intro}>{t('group.notYours')}</p>}
			<Members group={group} mine={mine} />
		</Page>
	)
}

function Rename({ group, onDone }: { group: Group; onDone: () => void }) {
	const { t } = useTexts()
	const client = useClient()
	const form = useForm(api.renameGroup.input.pick({ name: true }), { name: group.name }, async (values) => {
		if (values.name !== group.name) {
			await client.call('renameGroup', { id: group.id, ...values })
			tell(t('group.renamed', { name: values.name }), () => client.call('renameGroup', { id: group.id, name: group.name }))
		}
		onDone()
	})
	return (
		<form {...form.form} className={classes.add}>
			<Failure>{form.failure}</Failure>
			<div className={classes.addRow}>
				<TextInput
					{...form.field('name')}
					label={t('group.name')}
					dir="auto"
					className={classes.grow as string}
					data-autofocus
					autoFocus
					autoComplete="off"
				/>
				<Button type="submit" variant="filled" loading={form.busy}>
					{t('save')}
				</Button>
				<Button onClick={onDone}>{t('cancel')}</Button>
			</div>
		</form>
	)
}

/** Searches while typing; who is in already is shown as such. */
function AddPeople({ group }: { group: Group }) {
	const { t } = useTexts()
	const client = useClient()
	const { memberships } = useSnapshot()
	const [query, setQuery] = useState('')
	const [found, setFound] = useState<Person[] | null>(null)
	const [problem, setProblem] = useState<string | null>(null)
	const asked = query.trim()

	useEffect(() => {
		setProblem(null)
		if (!asked) return setFound(null)
		let gone = false
		const timer = setTimeout(() => {
			client.call('findPeople', { query: asked, limit: 20 }).then(
				(answer) => !gone && setFound(answer.users),
				(error) => !gone && setProblem(errorSentence(t, error)),
			)
		}, 150)
		return () => {
			gone = true
			clearTimeout(timer)
		}
	}, [asked, client, t])

	async function add(person: Person) {
		try {
			await client.call('addMember', { id: group.id, user: person.id })
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}

	const inside = new Set(memberships.filter((one) => one.group === group.id).map((one) => one.user))
	return (
		<search className={classes.add}>
			<TextInput
				label={t('group.add')}
				description={t('group.addHint')}
				type="search"
				value={query}
				onChange={(event) => setQuery(event.currentTarget.value)}
				leftSection={<IconSearch size={18} stroke={1.75} />}
				autoComplete="off"
				maxLength={100}
			/>
			{problem && <Failure>{problem}</Failure>}
			{found && asked && (
				<ul className={classes.found} aria-label={t('group.found')}>
					{found.length === 0 && <li className={classes.line}>{t('group.nobody')}</li>}
					{found.map((person) => (
						<li key={person.id} className={classes.line}>
							<PersonLine person={person} />
							{inside.has(person.id) ? (
								<span className={classes.dim}>{t('group.inside')}</span>
							) : (
								<Button
									size="compact-md"
									leftSection={<IconUserPlus size={16} stroke={1.75} />}
									aria-label={t('group.addPerson', { name: person.name })}
									onClick={() => add(person)}
								>
									{t('group.addDo')}
								</Button>
							)}
						</li>
					))}
				</ul>
			)}
			<span className={classes.hidden} role="status">
				{found && asked ? t('group.foundCount', { count: found.length }) : ''}
			</span>
		</search>
	)
}

function Members({ group, mine }: { group: Group; mine: boolean }) {
	const { t, language } = useTexts()
	const client = useClient()
	const { memberships, people } = useSnapshot()
	const [loaded, setLoaded] = useState(false)
	const [problem, setProblem] = useState<string | null>(null)
	const members = membersOf(group.id, memberships, people, language)

	useEffect(() => {
		let gone = false
		async function load() {
			let after: string | null | undefined
			do {
				const page = await client.call('listMembers', { id: group.id, limit: 100, ...(after ? { after } : {}) })
				after = page.next
			} while (after && !gone)
			setLoaded(true)
		}
		load().catch((error) => !gone && setProblem(errorSentence(t, error)))
		return () => {
			gone = true
		}
	}, [client, group.id, t])

	async function remove(person: Person) {
		try {
			await client.call('removeMember', { id: group.id, user: person.id })
			tell(t('group.removed', { name: person.name }), () => client.call('addMember', { id: group.id, user: person.id }))
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}

	return (
		<section aria-labelledby="members">
			<h2 id="members" className={classes.heading}>
				{t('group.members')} {members.length > 0 && <span className={classes.dim}>{members.length}</span>}
			</h2>
			{problem && members.length === 0 && <Failure>{problem}</Failure>}
			{members.length === 0 && !loaded && !problem && <Late />}
			{members.length === 0 && loaded && <p className={classes.dim}>{t('group.empty')}</p>}
			{members.length > 0 && (
				<ul className={classes.cards}>
					{members.map((person) => (
						<li key={person.id} className={classes.line}>
							<PersonLine person={person} />
							{mine && (
								<ActionIcon
									size={36}
									aria-label={t('group.removePerson', { name: person.name })}
									title={t('group.remove')}
									onClick={() => remove(person)}
								>
									<IconX size={18} stroke={1.75} />
								</ActionIcon>
							)}
						</li>
					))}
				</ul>
			)}
		</section>
	)
}

function PersonLine({ person }: { person: Person }) {
	return (
		<>
			<Avatar person={person} size={32} />
			<span className={classes.person}>
				<bdi className={classes.name}>{person.name}</bdi>
				{person.number && <span className={classes.dim}>{person.number}</span>}
			</span>
			<RoleBadge role={person.role} />
		</>
	)
}
