/**
 * One group: what it is called, its people, its discussions; renamed, filled and archived here.
 */
import { ActionIcon, Button, Menu, Textarea, TextInput } from '@mantine/core'
import { IconArchive, IconArchiveOff, IconDots, IconMailQuestion, IconPencil, IconSearch, IconUserPlus, IconX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useParams } from 'react-router'
import { api } from '../../../protocol/api.ts'
import { type Group, limits, type Person } from '../../../protocol/model.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { Empty, Late, Page, usePhone } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { AddPeople } from './AddPeople.tsx'
import classes from './classroom.module.css'
import { membersOf } from './members.ts'
import { fits, wordsOf } from './overview.ts'
import { PersonLine } from './PersonLine.tsx'
import { TopicLinks } from './TopicLinks.tsx'

export default function GroupScreen() {
	const { t } = useTexts()
	const { id = '' } = useParams()
	const { groups, me, discussionsState, connection } = useSnapshot()
	const group = groups.find((one) => one.id === id)
	const [editing, setEditing] = useState(false)
	const [adding, setAdding] = useState(false)
	const phone = usePhone()
	if (!group && discussionsState === 'loading' && connection !== 'offline')
		return (
			<Page title={t('loading')} back="/groups">
				<Late />
			</Page>
		)
	if (!group)
		return (
			<Page title={t('notFound.title')} back="/groups">
				<Empty icon={<IconMailQuestion size={24} stroke={1.75} aria-hidden="true" />} title={t('group.notHere')}>
					{t('group.notHereText')}
				</Empty>
			</Page>
		)
	const mine = me.role === 'admin' || group.createdBy === me.id
	const open = group.status === 'active'
	return (
		<Page
			key={id}
			title={group.name}
			back="/groups"
			actions={
				mine && (
					<>
						{open && (
							<Button
								variant="filled"
								leftSection={phone ? null : <IconUserPlus size={18} stroke={1.75} aria-hidden="true" />}
								onClick={() => setAdding(true)}
							>
								{t('group.add')}
							</Button>
						)}
						<GroupTools group={group} onEdit={() => setEditing(true)} />
					</>
				)
			}
		>
			{editing ? (
				<Describe group={group} onDone={() => setEditing(false)} />
			) : (
				group.description && (
					<p className={classes.description} dir="auto">
						{group.description}
					</p>
				)
			)}
			{!open && <Archived group={group} mine={mine} />}
			{!mine && <p className={classes.intro}>{t('group.notYours')}</p>}
			<Members group={group} mine={mine} />
			{me.role === 'lecturer' && (
				<section aria-labelledby="discussions" className={classes.below}>
					<h2 id="discussions" className={classes.heading}>
						{t('group.discussions')}
					</h2>
					<TopicLinks group={group.id} />
				</section>
			)}
			{adding && <AddPeople group={group} onClose={() => setAdding(false)} />}
		</Page>
	)
}

function GroupTools({ group, onEdit }: { group: Group; onEdit: () => void }) {
	const { t } = useTexts()
	const archive = useArchiving(group)
	const open = group.status === 'active'
	return (
		<Menu position="bottom-end" width={240} withinPortal={false}>
			<Menu.Target>
				<ActionIcon size={36} aria-label={t('group.tools')} title={t('group.tools')}>
					<IconDots size={20} stroke={1.75} aria-hidden="true" />
				</ActionIcon>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Item leftSection={<IconPencil size={18} stroke={1.75} aria-hidden="true" />} onClick={onEdit}>
					{t('group.rename')}
				</Menu.Item>
				<Menu.Item
					leftSection={
						open ? (
							<IconArchive size={18} stroke={1.75} aria-hidden="true" />
						) : (
							<IconArchiveOff size={18} stroke={1.75} aria-hidden="true" />
						)
					}
					onClick={archive}
				>
					{open ? t('group.archive') : t('group.unarchive')}
				</Menu.Item>
			</Menu.Dropdown>
		</Menu>
	)
}

/** Archives a group, or takes it back into use. */
function useArchiving({ id, name, status }: Group) {
	const { t } = useTexts()
	const client = useClient()
	return async () => {
		const next = status === 'active' ? 'archived' : 'active'
		try {
			await client.call('editGroup', { id, status: next })
			tell(t(next === 'archived' ? 'group.nowArchived' : 'group.nowActive', { name }), () => client.call('editGroup', { id, status }))
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}
}

function Archived({ group, mine }: { group: Group; mine: boolean }) {
	const { t } = useTexts()
	const archive = useArchiving(group)
	return (
		<div className={classes.notice}>
			<span>{t('group.archivedText')}</span>
			{mine && (
				<Button size="compact-md" onClick={archive}>
					{t('group.unarchive')}
				</Button>
			)}
		</div>
	)
}

function Describe({ group, onDone }: { group: Group; onDone: () => void }) {
	const { t } = useTexts()
	const client = useClient()
	const before = { name: group.name, description: group.description }
	const form = useForm(api.editGroup.input.pick({ name: true, description: true }).required(), before, async (values) => {
		if (values.name !== before.name || values.description !== before.description) {
			const { group: now } = await client.call('editGroup', { id: group.id, ...values })
			tell(t('group.changed', { name: now.name }), () => client.call('editGroup', { id: group.id, ...before }))
		}
		onDone()
	})
	return (
		<form {...form.form} className={classes.add} onKeyDown={(event) => event.key === 'Escape' && onDone()}>
			<Failure>{form.failure}</Failure>
			<TextInput {...form.field('name')} label={t('group.name')} dir="auto" autoFocus autoComplete="off" />
			<Textarea {...form.field('description')} label={t('group.description')} dir="auto" autosize minRows={2} maxRows={8} />
			<div className={classes.addRow}>
				<Button type="submit" variant="filled" loading={form.busy}>
					{t('save')}
				</Button>
				<Button onClick={onDone}>{t('cancel')}</Button>
			</div>
		</form>
	)
}

/** Above so many there is a field to find somebody. */
const few = 12

function Members({ group, mine }: { group: Group; mine: boolean }) {
	const { t, language } = useTexts()
	const client = useClient()
	const { memberships, people, connection } = useSnapshot()
	const [loaded, setLoaded] = useState(false)
	const [problem, setProblem] = useState<string | null>(null)
	const [query, setQuery] = useState('')
	const online = connection === 'online'
	const members = membersOf(group.id, memberships, people, language)
	const asked = wordsOf(query)
	const shown = members.filter(({ name, number }) => fits(asked, [name, number ?? '']))

	// After a time without a connection they may have been forgotten.
	useEffect(() => {
		if (!online) return
		let gone = false
		async function load() {
			let after: string | null | undefined
			do {
				const page = await client.call('listMembers', { id: group.id, limit: 100, ...(after ? { after } : {}) })
				after = page.next
			} while (after && !gone)
			if (!gone) setLoaded(true)
		}
		setProblem(null)
		load().catch((error) => !gone && setProblem(errorSentence(t, error)))
		return () => {
			gone = true
		}
	}, [client, group.id, online, t])

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
			{members.length === 0 && loaded && <p className={classes.dim}>{mine ? t('group.empty') : t('group.emptyNotYours')}</p>}
			{members.length > few && (
				<TextInput
					aria-label={t('group.find')}
					placeholder={t('group.find')}
					value={query}
					onChange={(event) => setQuery(event.currentTarget.value)}
					leftSection={<IconSearch size={18} stroke={1.75} aria-hidden="true" />}
					className={classes.filter as string}
					maxLength={limits.query}
					dir="auto"
					autoComplete="off"
				/>
			)}
			{members.length > 0 && shown.length === 0 && <p className={classes.dim}>{t('group.nobodyHere')}</p>}
			{shown.length > 0 && (
				<ul className={classes.cards} aria-labelledby="members">
					{shown.map((person) => (
						<li key={person.id} className={classes.line}>
							<PersonLine person={person} />
							{mine && (
								<ActionIcon
									size={36}
									aria-label={t('group.removePerson', { name: person.name })}
									title={t('group.remove')}
									onClick={() => remove(person)}
								>
									<IconX size={18} stroke={1.75} aria-hidden="true" />
								</ActionIcon>
							)}
						</li>
					))}
				</ul>
			)}
		</section>
	)
}
