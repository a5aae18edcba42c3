/**
 * People and approvals: who waits, who is in, who is not, with a search. Every decision can be undone.
 */
import { Button, Modal, NativeSelect, SegmentedControl, Textarea, TextInput } from '@mantine/core'
import { IconCheck, IconSearch, IconUserCheck } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { api } from '../../../protocol/api.ts'
import type { Person, Status } from '../../../protocol/model.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { Avatar, Empty, Late, Page, usePhone } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { date } from '../ui/times.ts'
import classes from './people.module.css'
import { listPeople } from './people.ts'

const statuses = ['pending', 'approved', 'rejected', 'deactivated'] as const

export default function People() {
	const { t } = useTexts()
	const [status, setStatus] = useState<Status>('pending')
	const [query, setQuery] = useState('')
	const phone = usePhone()
	const { people } = useSnapshot()
	const list = useList(status, query.trim())
	const shown = listPeople(people.values(), { status, query })
	const options = statuses.map((value) => ({ value, label: t(`people.${value}`) }))
	return (
		<Page title={t('people.title')}>
			<div className={classes.filter}>
				<TextInput
					className={classes.search as string}
					aria-label={t('people.search')}
					placeholder={t('people.search')}
					type="search"
					value={query}
					onChange={(event) => setQuery(event.currentTarget.value)}
					leftSection={<IconSearch size={18} stroke={1.75} />}
					maxLength={100}
					autoComplete="off"
				/>
				{phone ? (
					<NativeSelect
						aria-label={t('people.status')}
						value={status}
						data={options}
						onChange={(event) => setStatus(event.currentTarget.value as Status)}
					/>
				) : (
					<SegmentedControl
						aria-label={t('people.status')}
						value={status}
						data={options}
						onChange={(value) => setStatus(value as Status)}
					/>
				)}
			</div>
			<Failure>{list.problem}</Failure>
			{shown.length > 0 && (
				<ul className={classes.people} aria-label={t(`people.${status}`)}>
					{shown.map((person) => (
						<PersonRow key={person.id} person={person} />
					))}
				</ul>
			)}
			{list.more && (
				<Button fullWidth mt="md" onClick={list.loadMore}>
					{t('people.more')}
				</Button>
			)}
			{shown.length === 0 && list.state === 'loading' && <Late />}
			{shown.length === 0 && list.state === 'ready' && <NobodyHere status={status} searched={query.trim() !== ''} />}
		</Page>
	)
}

/** Fetches pages; what they bring stands in the snapshot, where the live stream keeps it up to date. */
function useList(status: Status, query: string) {
	const { t } = useTexts()
	const client = useClient()
	const [state, setState] = useState<'loading' | 'ready'>('loading')
	const [next, setNext] = useState<string | null>(null)
	const [problem, setProblem] = useState<string | null>(null)
	const input = { status, limit: 50, ...(query ? { query } : {}) }

	// biome-ignore lint/correctness/useExhaustiveDependencies: `input` is made of these
	useEffect(() => {
		let gone = false
		setState('loading')
		const timer = setTimeout(
			() => {
				client.call('listUsers', input).then(
					(page) => {
						if (gone) return
						setNext(page.next)
						setState('ready')
						setProblem(null)
					},
					(error) => !gone && setProblem(errorSentence(t, error)),
				)
			},
			query ? 150 : 0,
		)
		return () => {
			gone = true
			clearTimeout(timer)
		}
	}, [client, status, query, t])

	async function loadMore() {
		if (!next) return
		try {
			setNext((await client.call('listUsers', { ...input, after: next })).next)
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}
	return { state, problem, more: next !== null, loadMore }
}

function NobodyHere({ status, searched }: { status: Status; searched: boolean }) {
	const { t } = useTexts()
	if (searched) return <Empty title={t('people.noMatch')}>{t('people.noMatchText')}</Empty>
	if (status === 'pending')
		return (
			<Empty icon={<IconCheck size={24} stroke={1.75} />} title={t('people.nobodyWaits')}>
				{t('people.nobodyWaitsText')}
			</Empty>
		)
	return <Empty icon={<IconUserCheck size={24} stroke={1.75} />} title={t('people.nobody')} />
}

function PersonRow({ person }: { person: Person }) {
	const { t, language } = useTexts()
	const { me } = useSnapshot()
	const client = useClient()
	const [rejecting, setRejecting] = useState(false)
	const [busy, setBusy] = useState(false)
	const was = { status: person.status ?? 'pending', reason: person.reason ?? null }

	async function decide(status: 'approved' | 'rejected' | 'deactivated', reason: string | null = null) {
		setBusy(true)
		try {
			await client.call('setStatus', { id: person.id, status, reason })
			tell(t(`people.${status}Notice`, { name: person.name }), () => client.call('setStatus', { id: person.id, ...was }))
		} catch (error) {
			tellProblem(errorSentence(t, error))
		} finally {
			setBusy(false)
		}
	}

	return (
		<li className={classes.person}>
			<Avatar person={person} size={40} />
			<div className={classes.who}>
				<div>
					<bdi className={classes.name}>{person.name}</bdi>
				</div>
				<div className={classes.dim}>{[t(`role.${person.role}`), person.number, person.email].filter(Boolean).join(' · ')}</div>
				<div className={classes.dim}>
					{person.status === 'pending' && person.createdAt && t('people.asked', { date: date(person.createdAt, language) })}
					{person.status === 'approved' && person.decidedAt && t('people.approvedOn', { date: date(person.decidedAt, language) })}
					{person.status === 'rejected' && person.decidedAt && t('people.rejectedOn', { date: date(person.decidedAt, language) })}
					{person.status === 'deactivated' && person.decidedAt && t('people.deactivatedOn', { date: date(person.decidedAt, language) })}
				</div>
				{person.reason && (
					<div className={classes.reason} dir="auto">
						{person.reason}
					</div>
				)}
			</div>
			<div className={classes.actions}>
				{person.status !== 'approved' && (
					<Button
						variant={person.status === 'pending' ? 'filled' : 'default'}
						disabled={busy}
						aria-label={t('people.approveLabel', { name: person.name })}
						onClick={() => decide('approved')}
					>
						{t('people.approve')}
					</Button>
				)}
				{person.status === 'pending' && (
					<Button disabled={busy} aria-label={t('people.rejectLabel', { name: person.name })} onClick={() => setRejecting(true)}>
						{t('people.reject')}
					</Button>
				)}
				{person.status === 'approved' && person.id !== me.id && (
					<Button disabled={busy} aria-label={t('people.deactivateLabel', { name: person.name })} onClick={() => decide('deactivated')}>
						{t('people.deactivate')}
					</Button>
				)}
				{person.id === me.id && <span className={classes.dim}>{t('you')}</span>}
			</div>
			<Modal
				opened={rejecting}
				onClose={() => setRejecting(false)}
				title={t('people.rejectTitle', { name: person.name })}
				closeButtonProps={{ 'aria-label': t('notices.close') }}
			>
				<Reject
					onReject={async (reason) => {
						setRejecting(false)
						await decide('rejected', reason)
					}}
				/>
			</Modal>
		</li>
	)
}

function Reject({ onReject }: { onReject: (reason: string | null) => Promise<void> }) {
	const { t } = useTexts()
	const form = useForm(api.setStatus.input.pick({ reason: true }), { reason: null as string | null }, ({ reason }) =>
		onReject(reason?.trim() || null),
	)
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
