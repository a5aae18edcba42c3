/**
 * People and approvals: who waits, who is in, who is not; searched on the server, selected one by one or
 * many at once, live. Every decision can be undone.
 */
import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core'
import { IconCheck, IconSearch, IconUserCheck } from '@tabler/icons-react'
import { type ComponentPropsWithRef, type KeyboardEvent, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import type { Person, Role, Status } from '../../../protocol/model.ts'
import { usePeopleCounts } from '../ui/counts.ts'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { Bar, Empty, Late, PageTitle } from '../ui/pieces.tsx'
import { PersonPanel } from './PersonPanel.tsx'
import { PersonRow } from './PersonRow.tsx'
import classes from './people.module.css'
import { select } from './people.ts'
import { Reason } from './Reason.tsx'
import { Selected } from './Selected.tsx'
import { useDecide } from './useDecide.ts'
import { usePeople } from './usePeople.ts'

const statuses = ['pending', 'approved', 'rejected', 'deactivated'] as const
/** So near to the end of what is there, in pixels, the next page is fetched. */
const nearEnd = 800

export default function People() {
	const { t } = useTexts()
	const { id } = useParams()
	const { me, people } = useSnapshot()
	const navigate = useNavigate()
	const [status, setStatus] = useState<Status>('pending')
	const [role, setRole] = useState<Role | null>(null)
	const [query, setQuery] = useState('')
	const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
	const [rejecting, setRejecting] = useState<readonly Person[] | null>(null)
	const anchor = useRef<string | null>(null)
	const list = usePeople({ status, role, query: query.trim() })
	const { decide, busy } = useDecide()
	const { shown } = list

	const selectable = useMemo(
		() => shown.filter((person) => person.id !== me.id && !person.erased).map((person) => person.id),
		[shown, me.id],
	)
	// Whoever was decided about meanwhile, here or by another admin, is not among them any more.
	const chosen = useMemo(
		() => [...selected].map((one) => people.get(one)).filter((person): person is Person => person?.status === status),
		[selected, people, status],
	)
	const all = selectable.length > 0 && selectable.every((one) => selected.has(one))
	const some = chosen.length > 0

	const onSelect = useCallback(
		(one: string, range: boolean) => {
			const from = anchor.current
			anchor.current = one
			setSelected((now) => select(now, selectable, one, from, range))
		},
		[selectable],
	)
	const onDecide = useCallback(
		(person: Person, decision: 'approved' | 'rejected') => {
			if (decision === 'rejected') setRejecting([person])
			else void decide([person], decision)
		},
		[decide],
	)

	/** Whoever is decided about is not selected any more, also when it is undone. */
	async function decideMany(about: readonly Person[], decision: 'approved' | 'rejected' | 'deactivated', reason: string | null = null) {
		const done = await decide(about, decision, reason)
		setSelected((now) => new Set([...now].filter((one) => !done.some((person) => person.id === one))))
	}

	function show(next: Status) {
		setStatus(next)
		selectNone()
	}

	function selectNone() {
		setSelected(new Set())
		anchor.current = null
	}

	return (
		<>
			<Bar>
				<PageTitle>{t('people.title')}</PageTitle>
			</Bar>
			<div className={classes.head}>
				<div className={classes.column}>
					<Tabs status={status} onChange={show} />
					<div className={classes.filter}>
						<TextInput
							className={classes.search as string}
							aria-label={t('people.search')}
							placeholder={t('people.search')}
							type="search"
							value={query}
							onChange={(event) => setQuery(event.currentTarget.value)}
							leftSection={<IconSearch size={18} stroke={1.75} aria-hidden="true" />}
							maxLength={100}
							autoComplete="off"
						/>
						<NativeSelect
							aria-label={t('people.role')}
							value={role ?? ''}
							data={[
								{ value: '', label: t('people.allRoles') },
								...(['student', 'lecturer', 'admin'] as const).map((value) => ({ value, label: t(`role.${value}`) })),
							]}
							onChange={(event) => setRole((event.currentTarget.value || null) as Role | null)}
						/>
					</div>
					<Checkbox
						className={classes.all as string}
						label={t('people.selectAll', { count: selectable.length })}
						checked={all}
						indeterminate={some && !all}
						disabled={selectable.length === 0}
						onChange={() => (all ? selectNone() : setSelected(new Set([...selected, ...selectable])))}
					/>
				</div>
			</div>
			<List
				key={`${status} ${role} ${query.trim()}`}
				label={t(`people.${status}`)}
				people={shown}
				onEnd={list.loadMore}
				onEscape={selectNone}
				room={some}
				row={(person) => (
					<PersonRow person={person} me={person.id === me.id} selected={selected.has(person.id)} onSelect={onSelect} onDecide={onDecide} />
				)}
				end={
					<>
						{list.problem && (
							<p className={classes.problem} role="alert">
								{list.problem}{' '}
								<Button size="compact-md" onClick={list.more ? list.loadMore : list.again}>
									{t('again')}
								</Button>
							</p>
						)}
						{list.more && !list.problem && (
							<Button fullWidth mt="md" onClick={list.loadMore}>
								{t('people.showMore')}
							</Button>
						)}
						{shown.length === 0 && !list.problem && list.state === 'loading' && <Late />}
						{shown.length === 0 && !list.problem && list.state === 'ready' && !list.more && (
							<NobodyHere status={status} searched={query.trim() !== '' || role !== null} />
						)}
					</>
				}
			/>
			{some && (
				<Selected
					people={chosen}
					status={status}
					busy={busy}
					onDecide={(decision) => (decision === 'rejected' ? setRejecting(chosen) : void decideMany(chosen, decision))}
					onNone={selectNone}
				/>
			)}
			<Reason
				opened={rejecting !== null}
				title={
					rejecting?.length === 1
						? t('people.rejectTitle', { name: nameOf(rejecting[0]!, t) })
						: t('people.rejectMany', { count: rejecting?.length ?? 0 })
				}
				onClose={() => setRejecting(null)}
				onReject={(reason) => void decideMany(rejecting ?? [], 'rejected', reason)}
			/>
			<PersonPanel
				person={(id && people.get(id)) || null}
				onClose={() => navigate('/people')}
				onReject={(person) => setRejecting([person])}
			/>
		</>
	)
}

/** Who is in which status, with how many there are. */
function Tabs({ status, onChange }: { status: Status; onChange: (status: Status) => void }) {
	const { t, language } = useTexts()
	const counts = usePeopleCounts()
	return (
		<fieldset className={classes.tabs} aria-label={t('people.status')}>
			{statuses.map((one) => (
				<button key={one} type="button" className={classes.tab} aria-pressed={one === status} onClick={() => onChange(one)}>
					{t(`people.${one}`)}
					<span className={classes.count} data-new={(one === 'pending' && (counts?.pending ?? 0) > 0) || undefined}>
						{counts ? (counts[one] ?? 0).toLocaleString(language) : ''}
					</span>
				</button>
			))}
		</fieldset>
	)
}

function Lines(props: ComponentPropsWithRef<'ul'>) {
	return <ul {...props} className={classes.people} />
}

interface ListProps {
	label: string
	people: Person[]
	row(person: Person): ReactNode
	end: ReactNode
	/** Leaves room below for what lies over it. */
	room: boolean
	onEnd(): void
	onEscape(): void
}

/** Only what is in sight is on the page: there may be thousands. */
function List({ label, people, row, end, room, onEnd, onEscape }: ListProps) {
	const scroller = useRef<HTMLDivElement>(null)
	const rows = useRef<VirtualizerHandle>(null)
	function look() {
		const at = scroller.current
		if (at && at.scrollTop + at.clientHeight > at.scrollHeight - nearEnd) onEnd()
	}
	// biome-ignore lint/correctness/useExhaustiveDependencies: where the rows don't fill the page nobody scrolls
	useEffect(look, [people.length])

	/** Up and down go from line to line. */
	function onKeyDown(event: KeyboardEvent) {
		if (event.key === 'Escape') return onEscape()
		const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
		const line = event.target instanceof Element ? event.target.closest('li') : null
		if (step === 0 || !line) return
		event.preventDefault()
		const lines = [...(line.parentElement?.querySelectorAll('li') ?? [])]
		const next = lines[lines.indexOf(line) + step]?.querySelector<HTMLElement>('input:not(:disabled), a')
		next?.focus()
		next?.scrollIntoView({ block: 'nearest' })
	}

	return (
		// biome-ignore lint/a11y/noStaticElementInteractions: the keys of the lines in it
		<div ref={scroller} className={classes.scroll} onKeyDown={onKeyDown} onScroll={look} data-room={room || undefined}>
			<section className={classes.column} aria-label={label}>
				{people.length > 0 && (
					<Virtualizer ref={rows} data={people} scrollRef={scroller} as={Lines} item="li" itemSize={88} bufferSize={400}>
						{(person) => <div key={person.id}>{row(person)}</div>}
					</Virtualizer>
				)}
				{end}
			</section>
		</div>
	)
}

function NobodyHere({ status, searched }: { status: Status; searched: boolean }) {
	const { t } = useTexts()
	if (searched) return <Empty title={t('people.noMatch')}>{t('people.noMatchText')}</Empty>
	if (status === 'pending')
		return (
			<Empty icon={<IconCheck size={24} stroke={1.75} aria-hidden="true" />} title={t('people.nobodyWaits')}>
				{t('people.nobodyWaitsText')}
			</Empty>
		)
	return <Empty icon={<IconUserCheck size={24} stroke={1.75} aria-hidden="true" />} title={t('people.nobody')} />
}
