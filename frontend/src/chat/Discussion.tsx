/**
 * One discussion: its bar, its page of letters, the composer, and what it is about.
 */
import { ActionIcon, Menu, Modal } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconDots, IconInfoCircle, IconLock, IconLockOpen, IconMailQuestion, IconPencil } from '@tabler/icons-react'
import { useCallback, useRef, useState } from 'react'
import { Link, useParams } from 'react-router'
import type { Discussion, Person } from '../../../protocol/model.ts'
import { useClient, useSnapshot, useTimeline } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { Bar, Empty, Late, PageTitle } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { listOf } from '../ui/times.ts'
import { About } from './About.tsx'
import { Composer, type ComposerHandle } from './Composer.tsx'
import classes from './discussion.module.css'
import { MessageList } from './MessageList.tsx'
import { lastOfMine } from './rows.ts'
import { putBack as bring, resume } from './writing.ts'

export function DiscussionScreen() {
	const { id = '' } = useParams()
	return <Room key={id} id={id} />
}

function Room({ id }: { id: string }) {
	const { t, language } = useTexts()
	const client = useClient()
	const { me, people } = useSnapshot()
	const timeline = useTimeline(id)
	const { discussion, groups, items } = timeline
	const composer = useRef<ComposerHandle>(null)
	const wide = useMediaQuery('(min-width: 1081px)', true, { getInitialValueInEffect: false })
	const reply = useCallback((message: string) => composer.current?.reply(message), [])
	const edit = useCallback((message: string, text: string) => composer.current?.edit(message, text), [])
	const putBack = useCallback(
		async (text: string) => {
			if (composer.current) return composer.current.putBack(text)
			// Nothing can be written here now: the text becomes the draft.
			const draft = await client.draft(id)
			await client.saveDraft(id, bring(resume(draft, null), text))
			tell(t('refused.kept'))
		},
		[client, id, t],
	)
	const editLast = useCallback(() => {
		const mine = lastOfMine(items, me.id)
		if (mine?.message.text) composer.current?.edit(mine.id, mine.message.text)
	}, [items, me.id])

	if (timeline.state === 'not_found') return <NotHere />
	if (!discussion) return timeline.state === 'offline' ? <CannotLoad /> : <Loading />
	const lecturer = people.get(discussion.createdBy)
	return (
		<div className={classes.room}>
			<div className={classes.page}>
				<Bar
					actions={
						<>
							{!wide && <AboutButton id={id} />}
							{discussion.createdBy === me.id && <Tools discussion={discussion} />}
						</>
					}
				>
					<PageTitle focus={false}>{discussion.title}</PageTitle>
					<p className={classes.sub}>
						<bdi>
							{listOf(
								groups.map((group) => group.name),
								language,
							)}
						</bdi>
						{lecturer && (
							<>
								{' · '}
								<bdi>{lecturer.name}</bdi>
							</>
						)}
						{discussion.status === 'closed' && ` · ${t('discussion.closed')}`}
					</p>
				</Bar>
				<MessageList timeline={timeline} discussion={discussion} onReply={reply} onEdit={edit} onTakenBack={putBack} />
				<p className={classes.typing} role="status">
					<Presence typing={timeline.typing} />
				</p>
				{discussion.status === 'closed' || timeline.mayWriteTo.length === 0 ? (
					<p className={classes.shut}>
						<IconLock size={18} stroke={1.75} aria-hidden="true" />
						{discussion.status === 'closed' ? t('discussion.closedText') : t('discussion.readOnly')}
					</p>
				) : (
					<Composer ref={composer} timeline={timeline} discussion={discussion} onEditLast={editLast} />
				)}
			</div>
			{wide && (
				<aside className={classes.side} aria-label={t('about.title')}>
					<About timeline={timeline} />
				</aside>
			)}
		</div>
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
	if (typing.length === 1) return <bdi>{t('typing.one', { name: first.name })}</bdi>
	if (typing.length === 2 && second) return <bdi>{t('typing.two', { name: first.name, other: second.name })}</bdi>
	return t('typing.many', { count: typing.length })
}

/** On a narrow screen: what stands beside the discussion on a wide one. */
function AboutButton({ id }: { id: string }) {
	const { t } = useTexts()
	const [open, setOpen] = useState(false)
	const timeline = useTimeline(id)
	return (
		<>
			<ActionIcon size={36} aria-label={t('about.title')} title={t('about.title')} onClick={() => setOpen(true)}>
				<IconInfoCircle size={20} stroke={1.75} />
			</ActionIcon>
			<Modal opened={open} onClose={() => setOpen(false)} title={t('about.title')} closeButtonProps={{ 'aria-label': t('notices.close') }}>
				<About timeline={timeline} />
			</Modal>
		</>
	)
}

/** What its lecturer can do with a discussion. */
function Tools({ discussion }: { discussion: Discussion }) {
	const { t } = useTexts()
	const client = useClient()
	const open = discussion.status === 'open'
	const set = (status: 'open' | 'closed') => client.call('editDiscussion', { id: discussion.id, status })
	async function toggle() {
		try {
			await set(open ? 'closed' : 'open')
			tell(open ? t('discussion.nowClosed') : t('discussion.nowOpen'), () => set(discussion.status))
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}
	return (
		<Menu position="bottom-end" width={220} withinPortal={false}>
			<Menu.Target>
				<ActionIcon size={36} aria-label={t('discussion.tools')} title={t('discussion.tools')}>
					<IconDots size={20} stroke={1.75} />
				</ActionIcon>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Item component={Link} to={`/d/${discussion.id}/edit`} leftSection={<IconPencil size={18} stroke={1.75} />}>
					{t('discussion.edit')}
				</Menu.Item>
				<Menu.Item leftSection={open ? <IconLock size={18} stroke={1.75} /> : <IconLockOpen size={18} stroke={1.75} />} onClick={toggle}>
					{open ? t('discussion.close') : t('discussion.reopen')}
				</Menu.Item>
			</Menu.Dropdown>
		</Menu>
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
			<Empty icon={<IconMailQuestion size={24} stroke={1.75} />} title={t('discussion.notHere')}>
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
