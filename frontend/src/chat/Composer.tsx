/**
 * Where one writes: text that is saved as it is typed, files that are saved as they are picked, what it
 * answers or corrects, whom it is for.
 *
 * Promises that what is typed is lost by nothing: not by reloading, sending while more is typed,
 * editing in between, or a device that can't save.
 */
import { ActionIcon, Button, NativeSelect, Textarea } from '@mantine/core'
import { IconCamera, IconCornerUpLeft, IconPaperclip, IconPencil, IconX } from '@tabler/icons-react'
import {
	type ClipboardEvent,
	type KeyboardEvent,
	memo,
	type Ref,
	useEffect,
	useImperativeHandle,
	useLayoutEffect,
	useRef,
	useState,
} from 'react'
import type { Discussion, Group } from '../../../protocol/model.ts'
import { limits } from '../../../protocol/model.ts'
import { useClient, useMe, usePeople, useTimeline } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf, shortName } from '../ui/names.ts'
import { tellProblem } from '../ui/notices.ts'
import { useTouch } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import classes from './composer.module.css'
import { EmojiButton } from './Emoji.tsx'
import { Picked } from './Picked.tsx'
import type { Files } from './useFiles.ts'
import { useAudience, useWriting } from './useWriting.ts'
import { countWords } from './words.ts'
import { cancel, edit, end, insert, keyMeans, putBack, reply, type Writing } from './writing.ts'

export interface ComposerHandle {
	reply(message: string): void
	edit(message: string, text: string): void
	putBack(text: string): void
	focus(): void
}

interface Props {
	ref: Ref<ComposerHandle>
	discussion: Discussion
	groups: Group[]
	mayWriteTo: (string | null)[]
	/** Whom my last message here was for. */
	usual: string | null | undefined
	/** The group that is looked at. */
	looking: string | null
	files: Files
	onEditLast: () => void
	/** Escape, where there is nothing to leave. */
	onLeave: () => void
}

export const Composer = memo(function Composer({ ref, discussion, groups, mayWriteTo, usual, looking, files, onEditLast, onLeave }: Props) {
	const { t } = useTexts()
	const client = useClient()
	const touch = useTouch()
	const field = useRef<HTMLTextAreaElement>(null)
	const { writing, ready, saved, write } = useWriting(discussion.id)
	const audience = useAudience({ mayWriteTo, groups: groups.length, usual, looking })
	const [asked, setAsked] = useState(false)
	const caret = useRef<number | null>(null)
	const tooMany = writing.text.length - limits.message
	const editing = writing.editing !== null
	const withFiles = editing ? hasFiles(client.timeline(discussion.id).items, writing.editing) : files.staged.length > 0
	const busy = !editing && files.picking.length > 0
	const complete = (writing.text.trim() !== '' || withFiles || busy) && tooMany <= 0
	/** It was sent while files were being looked at: it goes when they are there. */
	const [soon, setSoon] = useState(false)

	/** Changes the writing from outside of the field, and goes there. */
	function goOn(change: (now: Writing) => Writing) {
		write(change)
		requestAnimationFrame(() => field.current?.focus())
	}
	useImperativeHandle(ref, () => ({
		reply: (message) => goOn((now) => reply(now, message)),
		edit: (message, text) => goOn((now) => edit(now, message, text)),
		putBack: (text) => goOn((now) => putBack(now, text)),
		focus: () => field.current?.focus(),
	}))
	useEffect(() => {
		if (ready && !touch) field.current?.focus({ preventScroll: true })
	}, [ready, touch])

	async function send() {
		if (!complete || !ready) return
		if (busy) return setSoon(true)
		if (!editing && audience.needed && audience.chosen === undefined) return setAsked(true)
		setAsked(false)
		const { text, replyTo, editing: edited } = writing
		// At once, so that what is typed while it is being saved belongs to the next message.
		const done = write(end)
		files.forget()
		try {
			if (edited) await client.edit(edited, text)
			else await client.send({ discussion: discussion.id, group: audience.group, text, replyTo, files: files.staged.map(({ id }) => id) })
			done()
			await files.refresh()
		} catch (error) {
			write((now) => (edited ? edit(now, edited, text) : putBack(now, text)))
			tellProblem(errorSentence(t, error))
		}
	}

	// biome-ignore lint/correctness/useExhaustiveDependencies: when what it waits for is there
	useEffect(() => {
		if (!soon || busy) return
		setSoon(false)
		// Without one of its files it may not be what was meant.
		if (files.leftOut.length === 0) void send()
	}, [soon, busy])

	function onKeyDown(event: KeyboardEvent) {
		const meaning = keyMeans({ ...pick(event), isComposing: event.nativeEvent.isComposing }, writing, touch)
		if (!meaning) return
		event.preventDefault()
		if (meaning === 'send') void send()
		else if (meaning === 'cancel') write(cancel)
		else if (meaning === 'leave') onLeave()
		else onEditLast()
	}

	function onPaste(event: ClipboardEvent) {
		const pasted = [...event.clipboardData.files]
		// Office programs put a picture of a text beside the text: then the text is meant.
		if (pasted.length === 0 || editing || event.clipboardData.getData('text/plain') !== '') return
		event.preventDefault()
		files.add(pasted)
	}

	function addEmoji(emoji: string) {
		const element = field.current
		const [from, to] = [element?.selectionStart ?? writing.text.length, element?.selectionEnd ?? writing.text.length]
		caret.current = from + emoji.length
		write((now) => insert(now, emoji, from, to))
	}
	// biome-ignore lint/correctness/useExhaustiveDependencies: once the text that it belongs to is there
	useLayoutEffect(() => {
		if (caret.current === null) return
		field.current?.focus()
		field.current?.setSelectionRange(caret.current, caret.current)
		caret.current = null
	}, [writing.text])

	return (
		<form
			className={classes.composer}
			aria-label={t('composer.label')}
			onSubmit={(event) => {
				event.preventDefault()
				void send()
			}}
		>
			<div className={classes.card}>
				{(editing || writing.replyTo) && <Regarding writing={writing} discussion={discussion.id} onCancel={() => goOn(cancel)} />}
				{!editing && <Picked files={files} />}
				<Textarea
					ref={field}
					variant="unstyled"
					autosize
					minRows={1}
					maxRows={9}
					dir="auto"
					aria-label={editing ? t('composer.editing') : t('composer.text')}
					placeholder={t('composer.placeholder')}
					value={writing.text}
					readOnly={!ready}
					onChange={(event) => {
						const text = event.currentTarget.value
						setSoon(false)
						write((now) => ({ ...now, text }))
						if (text) client.typing(discussion.id)
					}}
					onKeyDown={onKeyDown}
					onPaste={onPaste}
					classNames={{ input: classes.text as string }}
				/>
				<div className={classes.row}>
					{!editing && <PickFiles touch={touch} onPick={files.add} />}
					<EmojiButton onPick={addEmoji} />
					{audience.needed && !editing && (
						<NativeSelect
							size="xs"
							aria-label={t('composer.to')}
							error={asked && audience.chosen === undefined}
							value={audience.chosen === undefined ? '' : (audience.chosen ?? 'all')}
							onChange={(event) => audience.choose(event.currentTarget.value)}
							data={[
								...(audience.chosen === undefined ? [{ value: '', label: t('composer.choose') }] : []),
								...mayWriteTo.map((group) => ({
									value: group ?? 'all',
									label: group === null ? t('composer.all') : (groups.find((one) => one.id === group)?.name ?? group),
								})),
							]}
							classNames={{ input: classes.to as string }}
						/>
					)}
					<span className={classes.hint} data-bad={tooMany > 0 || asked || undefined}>
						{tooMany > 0 ? (
							t('composer.tooMany', { count: tooMany })
						) : asked && audience.chosen === undefined ? (
							t('composer.chooseFirst')
						) : soon ? (
							t('composer.soon')
						) : (
							<Count text={writing.text} saved={saved} />
						)}
					</span>
					<Button
						type="submit"
						variant="filled"
						aria-disabled={!complete}
						data-quiet={!complete || undefined}
						className={classes.send as string}
					>
						{editing ? t('composer.save') : t('composer.send')}
					</Button>
				</div>
			</div>
		</form>
	)
})

function hasFiles(items: { id: string; message: { attachments: unknown[] } }[], message: string | null): boolean {
	return items.some(({ id, message: { attachments } }) => id === message && attachments.length > 0)
}

function pick({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent) {
	return { key, shiftKey, ctrlKey, metaKey, altKey }
}

/** The ways to files: any of them, and on a phone straight from the camera. */
function PickFiles({ touch, onPick }: { touch: boolean; onPick: (files: readonly File[]) => void }) {
	const { t } = useTexts()
	const any = useRef<HTMLInputElement>(null)
	const camera = useRef<HTMLInputElement>(null)
	const input = (of: typeof any, more: object) => (
		<input
			ref={of}
			type="file"
			hidden
			tabIndex={-1}
			{...more}
			onChange={(event) => {
				onPick([...(event.currentTarget.files ?? [])])
				// The same file may be picked again.
				event.currentTarget.value = ''
			}}
		/>
	)
	return (
		<>
			{input(any, { multiple: true, 'data-pick': 'files' })}
			<ActionIcon size={36} aria-label={t('attach.file')} title={t('attach.file')} onClick={() => any.current?.click()}>
				<IconPaperclip size={20} stroke={1.75} />
			</ActionIcon>
			{touch && (
				<>
					{input(camera, { accept: 'image/*', capture: 'environment', 'data-pick': 'camera' })}
					<ActionIcon size={36} aria-label={t('attach.camera')} title={t('attach.camera')} onClick={() => camera.current?.click()}>
						<IconCamera size={20} stroke={1.75} />
					</ActionIcon>
				</>
			)}
		</>
	)
}

function Count({ text, saved }: { text: string; saved: boolean }) {
	const { t } = useTexts()
	if (text.trim() === '') return null
	// A number stands with what it counts.
	const words = t('composer.words', { count: countWords(text) }).replaceAll(' ', '\u00a0')
	return saved ? `${t('composer.saved')} · ${words}` : words
}

/** What is answered or corrected, and the way out of it. */
function Regarding({ writing, discussion, onCancel }: { writing: Writing; discussion: string; onCancel: () => void }) {
	const { t } = useTexts()
	const me = useMe()
	const people = usePeople()
	const timeline = useTimeline(discussion)
	const id = writing.editing ?? writing.replyTo
	const message = timeline.items.find((item) => item.id === id)?.message ?? timeline.items.find((item) => item.quoted?.id === id)?.quoted
	const Icon = writing.editing ? IconPencil : IconCornerUpLeft
	const writer = message && people.get(message.author)
	const name = message?.author === me.id ? t('you') : writer ? shortName(nameOf(writer, t)) : t('message.unknownWriter')
	const text =
		message && (message.text || (message.removed ? t('message.removed') : t('file.count', { count: message.attachments.length })))
	return (
		<div className={classes.regarding}>
			<Icon size={16} stroke={1.75} aria-hidden="true" />
			<span className={classes.what}>
				{writing.editing ? (
					t('composer.editing')
				) : (
					<>
						{t('composer.replying')} <bdi>{name}</bdi>: <bdi>{text}</bdi>
					</>
				)}
			</span>
			<ActionIcon
				size={28}
				aria-label={writing.editing ? t('composer.leaveEdit') : t('composer.leaveReply')}
				title={writing.editing ? t('composer.leaveEdit') : t('composer.leaveReply')}
				onClick={onCancel}
			>
				<IconX size={16} stroke={1.75} />
			</ActionIcon>
		</div>
	)
}
