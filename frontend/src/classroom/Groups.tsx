/**
 * The groups: a lecturer's and admin's to make and open, a student's to see.
 */
import { Button, Textarea, TextInput } from '@mantine/core'
import { IconChevronRight, IconSearch, IconUsers } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { api } from '../../../protocol/api.ts'
import { type Group, limits } from '../../../protocol/model.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { Empty, Late, Page } from '../ui/pieces.tsx'
import classes from './classroom.module.css'
import { MyGroups } from './MyGroups.tsx'
import { byName, fits, wordsOf } from './overview.ts'

export default function Groups() {
	const { me } = useSnapshot()
	return me.role === 'student' ? <MyGroups /> : <AllGroups />
}

/** Above so many there is a field to find one. */
const few = 8

function AllGroups() {
	const { t, language } = useTexts()
	const client = useClient()
	const { groups } = useSnapshot()
	const [loaded, setLoaded] = useState(false)
	const [query, setQuery] = useState('')
	const [making, setMaking] = useState(false)
	useEffect(() => {
		let gone = false
		// What is known is shown meanwhile, and without an answer.
		const done = () => !gone && setLoaded(true)
		client.call('listGroups', {}).then(done, done)
		return () => {
			gone = true
		}
	}, [client])
	const asked = wordsOf(query)
	const shown = byName(groups, language).filter((group) => fits(asked, [group.name, group.description]))
	const active = shown.filter(({ status }) => status === 'active')
	const archived = shown.filter(({ status }) => status === 'archived')
	const sizes = useSizes(active)
	return (
		<Page
			title={t('groups.title')}
			intro={t('groups.intro')}
			actions={
				groups.length > 0 &&
				!making && (
					<Button variant="filled" onClick={() => setMaking(true)}>
						{t('groups.new')}
					</Button>
				)
			}
		>
			{(making || (loaded && groups.length === 0)) && <NewGroup onCancel={making ? () => setMaking(false) : null} />}
			{groups.length > few && (
				<TextInput
					aria-label={t('groups.find')}
					placeholder={t('groups.find')}
					value={query}
					onChange={(event) => setQuery(event.currentTarget.value)}
					leftSection={<IconSearch size={18} stroke={1.75} aria-hidden="true" />}
					className={classes.filter as string}
					maxLength={limits.query}
					dir="auto"
					autoComplete="off"
				/>
			)}
			{groups.length === 0 && !loaded && <Late />}
			{groups.length === 0 && loaded && (
				<Empty icon={<IconUsers size={24} stroke={1.75} aria-hidden="true" />} title={t('groups.none')}>
					{t('groups.noneText')}
				</Empty>
			)}
			{groups.length > 0 && shown.length === 0 && <p className={classes.dim}>{t('groups.noMatch')}</p>}
			{active.length > 0 && <GroupCards groups={active} sizes={sizes} label={t('groups.title')} />}
			{archived.length > 0 && (
				<details className={classes.archive} open={active.length === 0 || asked.length > 0}>
					<summary>
						{t('groups.archived')} <span className={classes.dim}>{archived.length}</span>
					</summary>
					<GroupCards groups={archived} sizes={sizes} label={t('groups.archived')} />
				</details>
			)}
		</Page>
	)
}

function GroupCards({ groups, sizes, label }: { groups: Group[]; sizes: ReadonlyMap<string, number>; label: string }) {
	const { t } = useTexts()
	return (
		<ul className={classes.cards} aria-label={label}>
			{groups.map((group) => {
				const size = sizes.get(group.id)
				return (
					<li key={group.id}>
						<Link to={`/groups/${group.id}`} className={classes.line}>
							<span className={classes.person}>
								<bdi className={classes.name}>{group.name}</bdi>
								{group.description && (
									<span className={classes.oneLine} dir="auto">
										{group.description}
									</span>
								)}
							</span>
							<span className={classes.size}>{size === undefined ? '' : t('groups.size', { count: size })}</span>
							<IconChevronRight size={18} stroke={1.75} aria-hidden="true" />
						</Link>
					</li>
				)
			})}
		</ul>
	)
}

/** So many groups are counted by themselves; an admin of a large school opens one to see who is in it. */
const counted = 30

/** How many people are in each group, as far as all of its members are known. */
function useSizes(groups: Group[]): ReadonlyMap<string, number> {
	const client = useClient()
	const { memberships, connection } = useSnapshot()
	const [complete, setComplete] = useState<ReadonlySet<string>>(new Set())
	const wanted = groups
		.slice(0, counted)
		.map(({ id }) => id)
		.join(' ')
	const online = connection === 'online'
	useEffect(() => {
		setComplete(new Set())
		if (!online || !wanted) return
		let gone = false
		async function count() {
			for (const id of wanted.split(' ')) {
				if (gone) return
				const page = await client.call('listMembers', { id, limit: 100 })
				if (page.next === null && !gone) setComplete((now) => new Set(now).add(id))
			}
		}
		// Only a number: the list is as good without it.
		count().catch(() => {})
		return () => {
			gone = true
		}
	}, [client, wanted, online])
	const sizes = new Map([...complete].map((id) => [id, 0]))
	for (const { group } of memberships) if (complete.has(group)) sizes.set(group, (sizes.get(group) ?? 0) + 1)
	return sizes
}

/** `onCancel` null: there is nothing else to do here yet. */
function NewGroup({ onCancel }: { onCancel: (() => void) | null }) {
	const { t } = useTexts()
	const client = useClient()
	const go = useNavigate()
	const form = useForm(api.createGroup.input.omit({ id: true }), { name: '', description: '' }, async (values) => {
		const { group } = await client.call('createGroup', { id: client.newId(), ...values })
		await go(`/groups/${group.id}`)
	})
	return (
		<form {...form.form} className={classes.add} onKeyDown={(event) => event.key === 'Escape' && onCancel?.()}>
			<Failure>{form.failure}</Failure>
			<TextInput
				{...form.field('name')}
				label={t('groups.new')}
				placeholder={t('groups.example')}
				dir="auto"
				autoFocus={onCancel !== null}
				autoComplete="off"
			/>
			<Textarea {...form.field('description')} label={t('group.description')} dir="auto" autosize minRows={2} maxRows={8} />
			<div className={classes.addRow}>
				<Button type="submit" variant="filled" loading={form.busy}>
					{t('groups.create')}
				</Button>
				{onCancel && <Button onClick={onCancel}>{t('cancel')}</Button>}
			</div>
		</form>
	)
}
