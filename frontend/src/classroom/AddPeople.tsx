/**
 * The sheet in which people are put into a group: my students or everybody, found on the server or by a
 * pasted list, many at once. Who is in already is marked.
 */
import { Button, Checkbox, Modal, SegmentedControl, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { type ClipboardEvent, useState } from 'react'
import { type Group, limits, type Person } from '../../../protocol/model.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { tell } from '../ui/notices.ts'
import { Late, usePhone } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { listOf } from '../ui/times.ts'
import classes from './classroom.module.css'
import { PersonLine } from './PersonLine.tsx'
import { findListed, listedIn } from './pasted.ts'
import { usePeople } from './usePeople.ts'

interface Listed {
	people: Person[]
	missing: string[]
}

const listedMost = 200

export function AddPeople({ group, onClose }: { group: Group; onClose: () => void }) {
	const { t, language } = useTexts()
	const client = useClient()
	const phone = usePhone()
	const { me, memberships } = useSnapshot()
	const [mine, setMine] = useState(me.role === 'lecturer')
	const [query, setQuery] = useState('')
	const [chosen, setChosen] = useState<ReadonlyMap<string, Person>>(new Map())
	const [listed, setListed] = useState<Listed | 'looking' | null>(null)
	const [problem, setProblem] = useState<string | null>(null)
	const [busy, setBusy] = useState(false)
	const asking = listed === null && (mine || query.trim() !== '')
	const found = usePeople({ query, mine }, asking)
	const inside = new Set(memberships.filter((one) => one.group === group.id).map((one) => one.user))
	const shown = listed === 'looking' ? null : listed ? listed.people : found.people
	const free = shown?.filter(({ id }) => !inside.has(id)) ?? []
	const allChosen = free.length > 0 && free.every(({ id }) => chosen.has(id))

	function choose(people: Person[], take: boolean) {
		setChosen((now) => {
			const next = new Map(now)
			for (const person of people) {
				if (take) next.set(person.id, person)
				else next.delete(person.id)
			}
			return next
		})
	}

	async function onPaste(event: ClipboardEvent) {
		const entries = listedIn(event.clipboardData.getData('text'))
		if (entries.length < 2) return
		event.preventDefault()
		setQuery('')
		setProblem(null)
		setListed('looking')
		try {
			const { people, missing } = await findListed(client, entries.slice(0, listedMost))
			choose(
				people.filter(({ id }) => !inside.has(id)),
				true,
			)
			setListed({ people, missing: [...missing, ...entries.slice(listedMost)] })
		} catch (error) {
			setListed(null)
			setProblem(errorSentence(t, error))
		}
	}

	async function add() {
		const ids = [...chosen.keys()].filter((id) => !inside.has(id))
		if (ids.length === 0 || busy) return
		setBusy(true)
		setProblem(null)
		const added: string[] = []
		try {
			for (let at = 0; at < ids.length; at += limits.people) {
				const answer = await client.call('addMembers', { id: group.id, users: ids.slice(at, at + limits.people) })
				added.push(...answer.memberships.map(({ user }) => user))
			}
			onClose()
		} catch (error) {
			setBusy(false)
			setProblem(errorSentence(t, error))
		}
		if (added.length > 0)
			tell(t('group.added', { count: added.length, name: group.name }), async () => {
				for (const user of added) await client.call('removeMember', { id: group.id, user })
			})
	}

	const count = [...chosen.keys()].filter((id) => !inside.has(id)).length
	return (
		<Modal
			opened
			onClose={onClose}
			title={t('group.addTo', { name: group.name })}
			size={560}
			fullScreen={phone}
			closeButtonProps={{ 'aria-label': t('notices.close') }}
			classNames={{ content: classes.sheet as string, body: classes.sheetBody as string }}
		>
			<div className={classes.sheetTop}>
				{me.role === 'lecturer' && (
					<SegmentedControl
						fullWidth
						aria-label={t('group.addWhom')}
						value={mine ? 'mine' : 'all'}
						onChange={(value) => {
							setMine(value === 'mine')
							setListed(null)
						}}
						data={[
							{ value: 'mine', label: t('group.myStudents') },
							{ value: 'all', label: t('group.everybody') },
						]}
					/>
				)}
				<TextInput
					data-autofocus
					label={t('group.search')}
					description={t('group.searchHint')}
					value={query}
					onChange={(event) => {
						setQuery(event.currentTarget.value)
						setListed(null)
					}}
					onPaste={onPaste}
					leftSection={<IconSearch size={18} stroke={1.75} aria-hidden="true" />}
					maxLength={limits.query}
					dir="auto"
					autoComplete="off"
				/>
				<Failure>{problem ?? found.problem}</Failure>
			</div>
			<div className={classes.sheetList}>
				{listed && listed !== 'looking' && listed.missing.length > 0 && (
					<p className={classes.missing}>
						{t('group.listMissing', { count: listed.missing.length })} <bdi>{listOf(listed.missing, language)}</bdi>
					</p>
				)}
				{!asking && listed === null && <p className={classes.dim}>{t('group.typeFirst')}</p>}
				{shown === null && (asking || listed === 'looking') && !found.problem && <Late />}
				{shown?.length === 0 && (
					<p className={classes.dim}>{mine && !query.trim() && !listed ? t('group.noStudents') : t('group.nobody')}</p>
				)}
				{free.length > 1 && (
					<Checkbox
						className={classes.all as string}
						classNames={{ body: classes.pick as string }}
						color="var(--green)"
						iconColor="var(--on-green)"
						checked={allChosen}
						indeterminate={!allChosen && free.some(({ id }) => chosen.has(id))}
						onChange={() => choose(free, !allChosen)}
						label={t('group.chooseAll', { count: free.length })}
					/>
				)}
				{shown && shown.length > 0 && (
					<ul className={classes.found} aria-label={t('group.found')}>
						{shown.map((person) => (
							<li key={person.id}>
								{inside.has(person.id) ? (
									<div className={classes.line}>
										<PersonLine person={person} />
										<span className={classes.dim}>{t('group.inside')}</span>
									</div>
								) : (
									<Checkbox
										classNames={{ body: classes.pick as string, labelWrapper: classes.pickLabel as string, label: classes.line as string }}
										color="var(--green)"
										iconColor="var(--on-green)"
										checked={chosen.has(person.id)}
										onChange={(event) => choose([person], event.currentTarget.checked)}
										label={<PersonLine person={person} />}
									/>
								)}
							</li>
						))}
					</ul>
				)}
				{listed === null && found.loadMore && (
					<Button fullWidth onClick={found.loadMore}>
						{t('group.more')}
					</Button>
				)}
			</div>
			<div className={classes.sheetEnd}>
				<Button variant="filled" fullWidth disabled={count === 0} loading={busy} onClick={add}>
					{count === 0 ? t('group.chooseFirst') : t('group.addCount', { count })}
				</Button>
			</div>
			<span className={classes.hidden} role="status">
				{shown ? t('group.foundCount', { count: shown.length }) : ''}
			</span>
		</Modal>
	)
}
