/**
 * One message as a letter: who, when, how safe, what it answers, and what can be done with it.
 *
 * Its tools show when it is pointed at, focused or tapped. Nothing here asks "are you sure?": what
 * was removed can be put back.
 */
import { ActionIcon, Button } from '@mantine/core'
import {
	IconAlertTriangle,
	IconArrowBackUp,
	IconCheck,
	IconChecks,
	IconClock,
	IconCornerUpLeft,
	IconHistory,
	IconLink,
	IconPencil,
	IconRefresh,
	IconTrash,
} from '@tabler/icons-react'
import { memo, type ReactNode } from 'react'
import type { Discussion, Group, Message } from '../../../protocol/model.ts'
import type { TimelineItem } from '../client.ts'
import { useClient, useMe, usePeople } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf, shortName } from '../ui/names.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { Avatar, RoleBadge } from '../ui/pieces.tsx'
import { errorSentence, problemSentence } from '../ui/problems.ts'
import { clockTime, exactTime } from '../ui/times.ts'
import { Attachments, OnTheWay } from './Attachments.tsx'
import { copyText } from './clipboard.ts'
import classes from './messages.module.css'
import { Text } from './Words.tsx'

interface Props {
	item: TimelineItem
	first: boolean
	/** The letter that Tab goes to. */
	stop: boolean
	open: boolean
	/** One has just come here. */
	marked: boolean
	unfolded: boolean
	discussion: Discussion
	groups: Group[]
	mayWrite: boolean
	onOpen: (message: string) => void
	onReply: (message: string) => void
	onEdit: (message: string, text: string) => void
	onTakenBack: (text: string) => void
	onShow: (message: string) => void
	onHistory: (message: string) => void
	onUnfold: (message: string) => void
	onView: (upload: string) => void
}

export const MessageLetter = memo(function MessageLetter(props: Props) {
	const { item, first, stop, open, marked, groups, mayWrite, onOpen } = props
	const { t, language } = useTexts()
	const me = useMe()
	const people = usePeople()
	const { message } = item
	const writer = people.get(message.author)
	const mine = message.author === me.id
	const name = mine ? t('you') : writer ? nameOf(writer, t) : t('message.unknownWriter')
	const group = message.group !== null && groups.length > 1 ? groups.find((one) => one.id === message.group) : undefined
	const time = (
		<time dateTime={message.createdAt} title={exactTime(message.createdAt, language)} className={classes.time}>
			{clockTime(message.createdAt, language)}
		</time>
	)
	return (
		// biome-ignore lint/a11y/useKeyWithClickEvents: a tap shows the tools, which the keyboard reaches by Tab
		<article
			className={classes.letter}
			data-message={item.id}
			data-first={first || undefined}
			data-mine={mine || undefined}
			data-open={open || undefined}
			data-marked={marked || undefined}
			tabIndex={stop ? 0 : -1}
			aria-label={t('message.by', { name, time: clockTime(message.createdAt, language) })}
			onFocus={() => onOpen(item.id)}
			onClick={() => onOpen(item.id)}
		>
			{first && writer ? <Avatar person={writer} /> : <span className={classes.gutter}>{!first && time}</span>}
			<div className={classes.body}>
				{first && (
					<div className={classes.head}>
						<bdi className={classes.who}>{name}</bdi>
						{writer && !mine && <RoleBadge role={writer.role} />}
						{time}
						{group && (
							<span className={classes.group}>
								{t('message.to')} <bdi>{group.name}</bdi>
							</span>
						)}
						{mine && !message.removed && <Safe item={item} words />}
						{message.returned && <span className={classes.group}>{t('message.returned')}</span>}
					</div>
				)}
				{message.replyTo && <Quote quoted={item.quoted} onShow={props.onShow} />}
				{message.removed ? <Removed message={message} mayPutBack={mayWrite} /> : <Written {...props} mine={mine} />}
				{item.problem && item.command !== null && <Refused {...props} command={item.command} />}
			</div>
			{!message.removed && item.safety !== 'refused' && <Tools {...props} mine={mine} />}
		</article>
	)
})

/** Its words, and its files. */
function Written({ item, first, mine, unfolded, onHistory, onUnfold, onTakenBack, onView }: Props & { mine: boolean }) {
	const { t, language } = useTexts()
	const me = useMe()
	const { message } = item
	const mayLook = mine || me.role !== 'student'
	const after: ReactNode = (
		<>
			{message.editedAt &&
				(mayLook && message.edits > 0 ? (
					<button type="button" className={classes.edited} title={exactTime(message.editedAt, language)} onClick={() => onHistory(item.id)}>
						{t('message.edited')}
					</button>
				) : (
					<span className={classes.edited} title={exactTime(message.editedAt, language)}>
						{t('message.edited')}
					</span>
				))}
			{mine && !first && <Safe item={item} words={item.safety === 'device' || item.safety === 'refused'} />}
		</>
	)
	return (
		<>
			{message.text ? (
				<Text text={message.text} unfolded={unfolded} onUnfold={() => onUnfold(item.id)}>
					{after}
				</Text>
			) : (
				message.attachments.length > 0 && (message.editedAt || (mine && !first)) && <p className={classes.text}>{after}</p>
			)}
			{message.attachments.length > 0 && <Attachments message={message} transfers={item.transfers} onView={onView} />}
			{item.transfers.length > 0 && item.safety === 'device' && <OnTheWay item={item} onTakenBack={onTakenBack} />}
		</>
	)
}

/** The state of my message, with its exact time on hover and for those who listen. */
function Safe({ item, words }: { item: TimelineItem; words: boolean }) {
	const { t, language } = useTexts()
	const { safety, storedAt } = item
	if (!safety) return null
	const at = storedAt ? exactTime(storedAt, language) : ''
	const said = safety === 'stored' || safety === 'kept' ? t(`safety.${safety}At`, { at }) : t(`safety.${safety}Long`)
	const Icon = { device: IconClock, stored: IconCheck, kept: IconChecks, refused: IconAlertTriangle }[safety]
	return (
		<span className={classes.safe} data-safety={safety} role="img" aria-label={said} title={said}>
			<Icon size={15} stroke={1.9} aria-hidden="true" />
			{words && <span>{t(`safety.${safety}`)}</span>}
		</span>
	)
}

function Quote({ quoted, onShow }: { quoted: Message | null; onShow: (message: string) => void }) {
	const { t } = useTexts()
	const people = usePeople()
	const me = useMe()
	if (!quoted) return <p className={classes.quote}>{t('quote.unknown')}</p>
	const writer = people.get(quoted.author)
	const name = quoted.author === me.id ? t('you') : writer ? shortName(nameOf(writer, t)) : t('message.unknownWriter')
	const text =
		quoted.removed || quoted.text === null ? t('message.removed') : quoted.text || t('file.count', { count: quoted.attachments.length })
	return (
		<button type="button" className={classes.quote} dir="auto" title={t('quote.go')} onClick={() => onShow(quoted.id)}>
			<span className={classes.hidden}>{t('quote.answers')} </span>
			<bdi>{name}</bdi>: <bdi>{text}</bdi>
		</button>
	)
}

function Removed({ message, mayPutBack }: { message: Message; mayPutBack: boolean }) {
	const { t, language } = useTexts()
	const me = useMe()
	const people = usePeople()
	const client = useClient()
	const removed = message.removed
	if (!removed) return null
	const byMe = removed.by === me.id
	const remover = people.get(removed.by)
	const text = byMe
		? t('message.removedByYou')
		: removed.by === message.author || !remover
			? t('message.removedByWriter')
			: t('message.removedBy', { name: nameOf(remover, t) })
	return (
		<p className={classes.removed}>
			<span title={exactTime(removed.at, language)}>{text}</span>
			{message.text !== null && mayPutBack && (
				<Button size="compact-md" onClick={() => client.setRemoved(message.id, false)}>
					{t('message.putBack')}
				</Button>
			)}
		</p>
	)
}

function Refused({ item, command, onTakenBack }: Props & { command: number }) {
	const { t } = useTexts()
	const client = useClient()
	async function takeBack() {
		const text = await client.takeBack(command)
		if (text !== null) onTakenBack(text)
	}
	if (!item.problem) return null
	return (
		<div className={classes.refused}>
			<IconAlertTriangle size={18} stroke={1.75} aria-hidden="true" />
			<span className={classes.why}>
				{t('refused.text')} {problemSentence(t, item.problem)}
			</span>
			<span className={classes.ways}>
				<Button
					size="compact-md"
					leftSection={<IconRefresh size={16} stroke={1.75} aria-hidden="true" />}
					onClick={() => client.retry(command)}
				>
					{t('refused.again')}
				</Button>
				<Button size="compact-md" leftSection={<IconArrowBackUp size={16} stroke={1.75} aria-hidden="true" />} onClick={takeBack}>
					{t('refused.takeBack')}
				</Button>
			</span>
		</div>
	)
}

function Tools({ item, mine, mayWrite, stop, discussion, onReply, onEdit, onHistory }: Props & { mine: boolean }) {
	const { t } = useTexts()
	const me = useMe()
	const client = useClient()
	const { message } = item
	const teaches = me.role === 'lecturer'
	const looks = (mine || me.role !== 'student') && message.edits > 0
	const tab = stop ? 0 : -1

	async function remove() {
		try {
			await client.setRemoved(item.id, true)
			tell(t('message.removedNotice'), () => client.setRemoved(item.id, false))
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}
	async function copyLink() {
		const link = `${location.origin}/d/${discussion.id}?m=${item.id}`
		tell((await copyText(link)) ? t('message.linkCopied') : link)
	}

	return (
		<div className={classes.tools}>
			{mayWrite && (
				<Tool tab={tab} label={t('message.reply')} icon={<IconCornerUpLeft size={18} stroke={1.75} />} onClick={() => onReply(item.id)} />
			)}
			{mayWrite && mine && message.text !== null && (
				<Tool
					tab={tab}
					label={t('message.edit')}
					icon={<IconPencil size={18} stroke={1.75} />}
					onClick={() => onEdit(item.id, message.text ?? '')}
				/>
			)}
			{looks && (
				<Tool tab={tab} label={t('message.earlier')} icon={<IconHistory size={18} stroke={1.75} />} onClick={() => onHistory(item.id)} />
			)}
			{message.rev > 0 && <Tool tab={tab} label={t('message.link')} icon={<IconLink size={18} stroke={1.75} />} onClick={copyLink} />}
			{mayWrite && (mine || teaches) && (
				<Tool tab={tab} label={t('message.remove')} icon={<IconTrash size={18} stroke={1.75} />} onClick={remove} />
			)}
		</div>
	)
}

function Tool({ tab, label, icon, onClick }: { tab: number; label: string; icon: ReactNode; onClick: () => void }) {
	return (
		<ActionIcon size={30} tabIndex={tab} aria-label={label} title={label} onClick={onClick}>
			{icon}
		</ActionIcon>
	)
}
