/**
 * One discussion: its bar, its page of letters, the composer, and what it is about.
 */
import { ActionIcon, Button, NativeSelect, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconCalendar, IconInfoCircle, IconLock, IconMailQuestion, IconPhotoPlus } from '@tabler/icons-react'
import { type FormEvent, lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useParams, useSearchParams } from 'react-router'
import type { Discussion, Group, Person } from '../../../protocol/model.ts'
import { DiscussionTools } from '../classroom/DiscussionTools.tsx'
import { useClient, useMe, usePeople, useSnapshot, useTimeline } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { tell } from '../ui/notices.ts'
import { Bar, Empty, Late, PageTitle, usePhone } from '../ui/pieces.tsx'
import { dayOf, listOf } from '../ui/times.ts'
import { About } from './About.tsx'
import { Composer, type ComposerHandle } from './Composer.tsx'
import { Dialog } from './Dialog.tsx'
import classes from './discussion.module.css'
import { type ListHandle, MessageList } from './MessageList.tsx'
import { lastOfMine } from './rows.ts'
import { useDropping } from './useDropping.ts'
import { useFiles } from './useFiles.ts'
import type { Picture } from './Viewer.tsx'
import { putBack as bring, resume } from './writing.ts'

const Viewer = lazy(async () => ({ default: (await import('./Viewer.tsx')).Viewer }))

export function DiscussionScreen() {
	const { id = '' } = useParams()
	return <Room key={id} id={id} />
}

/** Which pictures are looked at: those of the page, or others. */
type Viewing = { upload: string; pictures: readonly Picture[] | null } | null

function Room({ id }: { id: string }) {
	const { t } = useTexts()
	const client = useClient()
	const me = useMe()
	const [search] = useSearchParams()
	const linked = search.get('m')
	const timeline = useTimeline(id)
	const { discussion, items, mayWriteTo } = timeline
	const composer = useRef<ComposerHandle>(null)
	const list = useRef<ListHandle>(null)
	const wide = useMediaQuery('(min-width: 1081px)', true, { getInitialValueInEffect: false })
	const files = useFiles(id)
	const [group, setGroup] = useState<string | null>(null)
	const [day, setDay] = useState<string | null>(null)
	const [viewing, setViewing] = useState<Viewing>(null)
	const mayWrite = discussion?.status === 'open' && mayWriteTo.length > 0
	useLooking(id)

	const reply = useCallback((message: string) => composer.current?.reply(message), [])
	const edit = useCallback((message: string, text: string) => composer.current?.edit(message, text), [])
	const { refresh } = files
	const putBack = useCallback(
		async (text: string) => {
			await refresh()
			if (composer.current) return composer.current.putBack(text)
			// Nothing can be written here now: the text becomes the draft.
			const draft = await client.draft(id)
			await client.saveDraft(id, bring(resume(draft, null), text))
			tell(t('refused.kept'))
		},
		[client, id, refresh, t],
	)
	const present = useRef(items)
	present.current = items
	const editLast = useCallback(() => {
		const mine = lastOfMine(present.current, me.id)
		if (mine) composer.current?.edit(mine.id, mine.message.text ?? '')
	}, [me.id])
	const toLetters = useCallback(() => list.current?.focus(), [])
	const toComposer = useCallback(() => composer.current?.focus(), [])
	const allGroups = useCallback(() => setGroup(null), [])
	const viewHere = useCallback((upload: string) => setViewing({ upload, pictures: null }), [])
	const viewOthers = useCallback((upload: string, pictures: readonly Picture[]) => setViewing({ upload, pictures }), [])
	const askDate = useCallback(() => setDay(dayOf(new Date().toISOString())), [])
	const usual = useMemo(() => items.findLast((item) => item.message.author === me.id)?.message.group, [items, me.id])
	const drop = useDropping(mayWrite ? files.add : null)

	if (timeline.state === 'not_found') return <NotHere />
	if (!discussion) return timeline.state === 'offline' ? <CannotLoad /> : <Loading />
	const about = <About id={id} onView={viewOthers} onDate={wide ? null : askDate} />
	return (
		<div className={classes.room}>
			<div className={classes.page} {...drop.events}>
				<Head discussion={discussion} groups={timeline.groups} wide={wide} group={group} onGroup={setGroup} onDate={setDay} about={about} />
				<MessageList
					ref={list}
					timeline={timeline}
					discussion={discussion}
					group={group}
					linked={linked}
					onReply={reply}
					onEdit={edit}
					onTakenBack={putBack}
					onView={viewHere}
					onDate={setDay}
					onAllGroups={allGroups}
					onLeave={toComposer}
				/>
				<p className={classes.typing} role="status">
					<Presence typing={timeline.typing} />
				</p>
				{mayWrite ? (
					<Composer
						ref={composer}
						discussion={discussion}
						groups={timeline.groups}
						mayWriteTo={mayWriteTo}
						usual={usual}
						looking={group}
						files={files}
						onEditLast={editLast}
						onLeave={toLetters}
					/>
				) : (
					<p className={classes.shut}>
						<IconLock size={18} stroke={1.75} aria-hidden="true" />
						{t(
							discussion.removed
								? 'discussion.removedText'
								: discussion.status === 'open'
									? me.role === 'admin'
										? 'discussion.inspected'
										: 'discussion.readOnly'
									: discussion.status === 'closed'
										? 'discussion.closedText'
										: 'discussion.archivedText',
						)}
					</p>
				)}
				{drop.over && <DropPlace />}
			</div>
			{wide && (
				<aside className={classes.side} aria-label={t('about.title')}>
					{about}
				</aside>
			)}
			{viewing && (
				<Suspense fallback={null}>
					<PictureViewer id={id} viewing={viewing} onView={setViewing} />
				</Suspense>
			)}
			{day !== null && <ToDate day={day} onClose={() => setDay(null)} onGo={(to) => list.current?.toDate(to)} />}
		</div>
	)
}

/** Tells the server that this discussion is open and seen. */
function useLooking(id: string) {
	const client = useClient()
	useEffect(() => {
		const look = () => client.look(document.visibilityState === 'visible' ? id : null)
		look()
		document.addEventListener('visibilitychange', look)
		return () => {
			document.removeEventListener('visibilitychange', look)
			client.look(null)
		}
	}, [client, id])
}

interface HeadProps {
	discussion: Discussion
	groups: Group[]
	wide: boolean
	group: string | null
	onGroup: (group: string | null) => void
	onDate: (day: string) => void
	about: React.ReactNode
}

function Head({ discussion, groups, wide, group, onGroup, onDate, about }: HeadProps) {
	const { t, language } = useTexts()
	const me = useMe()
	const people = usePeople()
	const phone = usePhone()
	const lecturer = people.get(discussion.createdBy)
	const names = groups.map(({ name }) => name)
	const choose = me.role === 'lecturer' && groups.length > 1 && (
		<NativeSelect
			size="xs"
			className={classes.groups as string}
			aria-label={t('look.at')}
			value={group ?? ''}
			onChange={(event) => onGroup(event.currentTarget.value || null)}
			data={[{ value: '', label: t('look.all') }, ...groups.map(({ id, name }) => ({ value: id, label: name }))]}
		/>
	)
	return (
		<>
			<Bar
				actions={
					<>
						{!phone && choose}
						{!phone && (
							<ActionIcon size={36} aria-label={t('date.go')} title={t('date.go')} onClick={() => onDate(dayOf(new Date().toISOString()))}>
								<IconCalendar size={20} stroke={1.75} />
							</ActionIcon>
						)}
						{!wide && <AboutButton>{about}</AboutButton>}
						<DiscussionTools discussion={discussion} />
					</>
				}
			>
				<PageTitle focus={false}>{discussion.title}</PageTitle>
				<p className={classes.sub}>
					<bdi>{listOf(names, language)}</bdi>
					{lecturer && (
						<>
							{' · '}
							<bdi>{nameOf(lecturer, t)}</bdi>
						</>
					)}
					{discussion.status !== 'open' && ` · ${t(`discussion.${discussion.status}`)}`}
				</p>
			</Bar>
			{phone && choose && <div className={classes.strip}>{choose}</div>}
		</>
	)
}

/** The line above the composer: who is writing, or that this device is offline. It always has its place. */
function Presence({ typing }: { typing: Person[] }) {
	const { t } = useTexts()
	const { connection, durable } = useSnapshot()
	if (connection === 'offline' && !durable) return t('offline.notDurable')
	if (connection === 'offline') return t('offline.line')
	const [first, second] = typing
	if (!first) return null
	if (typing.length === 1) return <bdi>{t('typing.one', { name: nameOf(first, t) })}</bdi>
	if (typing.length === 2 && second) return <bdi>{t('typing.two', { name: nameOf(first, t), other: nameOf(second, t) })}</bdi>
	return t('typing.many', { count: typing.length })
}

/** On a narrow screen: what stands beside the discussion on a wide one. */
function AboutButton({ children }: { children: React.ReactNode }) {
	const { t } = useTexts()
	const [open, setOpen] = useState(false)
	return (
		<>
			<ActionIcon size={36} aria-label={t('about.title')} title={t('about.title')} onClick={() => setOpen(true)}>
				<IconInfoCircle size={20} stroke={1.75} />
			</ActionIcon>
			{open && (
				<Dialog onClose={() => setOpen(false)} title={t('about.title')}>
					{children}
				</Dialog>
			)}
		</>
	)
}

/** The pictures of the page, as they are now, or those that were handed over. */
function PictureViewer({ id, viewing, onView }: { id: string; viewing: NonNullable<Viewing>; onView: (viewing: Viewing) => void }) {
	const { items } = useTimeline(id)
	const pictures = useMemo(
		() =>
			viewing.pictures ??
			items.flatMap(({ message }) =>
				message.removed ? [] : message.attachments.filter(({ kind }) => kind === 'image').map((upload) => ({ upload, message })),
			),
		[viewing.pictures, items],
	)
	const close = useCallback(() => onView(null), [onView])
	return <Viewer pictures={pictures} at={viewing.upload} onGo={(upload) => onView({ ...viewing, upload })} onClose={close} />
}

/** A date to go to. */
function ToDate({ day, onClose, onGo }: { day: string; onClose: () => void; onGo: (day: string) => void }) {
	const { t } = useTexts()
	const [to, setTo] = useState(day)
	function go(event: FormEvent) {
		event.preventDefault()
		onClose()
		if (to) onGo(to)
	}
	return (
		<Dialog onClose={onClose} title={t('date.go')} size={360}>
			<form className={classes.date} onSubmit={go}>
				<TextInput
					type="date"
					label={t('date.label')}
					description={t('date.what')}
					value={to}
					max={dayOf(new Date().toISOString())}
					required
					withAsterisk={false}
					data-autofocus
					onChange={(event) => setTo(event.currentTarget.value)}
				/>
				<Button type="submit" variant="filled">
					{t('date.show')}
				</Button>
			</form>
		</Dialog>
	)
}

function DropPlace() {
	const { t } = useTexts()
	return (
		<div className={classes.drop}>
			<p>
				<IconPhotoPlus size={24} stroke={1.75} aria-hidden="true" />
				{t('attach.drop')}
			</p>
		</div>
	)
}

function Loading() {
	const { t } = useTexts()
	return (
		<>
			<Bar>
				<PageTitle className={classes.hidden}>{t('loading')}</PageTitle>
			</Bar>
			<Late />
		</>
	)
}

function NotHere() {
	const { t } = useTexts()
	return (
		<>
			<Bar>
				<PageTitle>{t('notFound.title')}</PageTitle>
			</Bar>
			<Empty icon={<IconMailQuestion size={24} stroke={1.75} aria-hidden="true" />} title={t('discussion.notHere')}>
				{t('discussion.notHereText')}
			</Empty>
		</>
	)
}

function CannotLoad() {
	const { t } = useTexts()
	return (
		<>
			<Bar>
				<PageTitle>{t('unreachable.title')}</PageTitle>
			</Bar>
			<Empty title={t('unreachable.heading')}>{t('discussion.cannotLoad')}</Empty>
		</>
	)
}
