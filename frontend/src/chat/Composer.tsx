/**
 * Where one writes: text that is saved as it is typed, what it answers or corrects, whom it is for.
 *
 * Promises that what is typed is lost by nothing: not by reloading, sending while more is typed,
 * editing in between, or a device that can't save.
 */
import { ActionIcon, Button, NativeSelect, Textarea } from '@mantine/core'
import { IconCornerUpLeft, IconPencil, IconX } from '@tabler/icons-react'
import { type KeyboardEvent, type Ref, useCallback, useEffect, useImperativeHandle, useRef, useState } from 'react'
import type { Discussion } from '../../../protocol/model.ts'
import { limits } from '../../../protocol/model.ts'
import type { Timeline } from '../client.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { shortName } from '../ui/names.ts'
import { tellProblem } from '../ui/notices.ts'
import { useTouch } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import classes from './composer.module.css'
import { countWords } from './words.ts'
import { cancel, edit, end, keyMeans, nothing, putBack, reply, resume, type Writing } from './writing.ts'

export interface ComposerHandle {
	reply(message: string): void
	edit(message: string, text: string): void
	putBack(text: string): void
}

interface Props {
	ref: Ref<ComposerHandle>
	timeline: Timeline
	discussion: Discussion
	onEditLast: () => void
}

export function Composer({ ref, timeline, discussion, onEditLast }: Props) {
	const { t } = useTexts()
	const client = useClient()
	const touch = useTouch()
	const field = useRef<HTMLTextAreaElement>(null)
	const { writing, ready, saved, write } = useWriting(discussion.id)
	const audience = useAudience(timeline)
	const [asked, setAsked] = useState(false)
	const tooMany = writing.text.length - limits.message
	const sendable = writing.text.trim() !== '' && tooMany <= 0

	/** Changes the writing from outside of the field, and goes there. */
	function goOn(change: (now: Writing) => Writing) {
		write(change)
		requestAnimationFrame(() => field.current?.focus())
	}
	useImperativeHandle(ref, () => ({
		reply: (message) => goOn((now) => reply(now, message)),
		edit: (message, text) => goOn((now) => edit(now, message, text)),
		putBack: (text) => goOn((now) => putBack(now, text)),
	}))
	useEffect(() => {
		if (ready && !touch) field.current?.focus({ preventScroll: true })
	}, [ready, touch])

	async function send() {
		if (!sendable || !ready) return
		if (!writing.editing && audience.needed && audience.chosen === undefined) return setAsked(true)
		setAsked(false)
		const { text, replyTo, editing } = writing
		// At once, so that what is typed while it is being saved belongs to the next message.
		const done = write(end)
		try {
			if (editing) await client.edit(editing, text)
			else await client.send({ discussion: discussion.id, group: audience.group, text, replyTo })
			done()
		} catch (error) {
			write((now) => (editing ? edit(now, editing, text) : putBack(now, text)))
			tellProblem(errorSentence(t, error))
		}
	}

	function onKeyDown(event: KeyboardEvent) {
		const meaning = keyMeans({ ...pick(event), isComposing: event.nativeEvent.isComposing }, writing, touch)
		if (!meaning) return
		event.preventDefault()
		if (meaning === 'send') void send()
		else if (meaning === 'cancel') write(cancel)
		else onEditLast()
	}

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
				<Regarding writing={writing} timeline={timeline} onCancel={() => goOn(cancel)} />
				<Textarea
					ref={field}
					variant="unstyled"
					autosize
					minRows={1}
					maxRows={9}
					dir="auto"
					aria-label={writing.editing ? t('composer.editing') : t('composer.text')}
					placeholder={t('composer.placeholder')}
					value={writing.text}
					readOnly={!ready}
					onChange={(event) => {
						const text = event.currentTarget.value
						write((now) => ({ ...now, text }))
						if (text) client.typing(discussion.id)
					}}
					onKeyDown={onKeyDown}
					classNames={{ input: classes.text as string }}
				/>
				<div className={classes.row}>
					{audience.needed && !writing.editing && (
						<NativeSelect
							size="xs"
							aria-label={t('composer.to')}
							error={asked && audience.chosen === undefined}
							value={audience.chosen === undefined ? '' : (audience.chosen ?? 'all')}
							onChange={(event) => audience.choose(event.currentTarget.value)}
							data={[
								...(audience.chosen === undefined ? [{ value: '', label: t('composer.choose') }] : []),
								...timeline.mayWriteTo.map((group) => ({
									value: group ?? 'all',
									label: group === null ? t('composer.all') : (timeline.groups.find((one) => one.id === group)?.name ?? group),
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
						) : (
							<Count text={writing.text} saved={saved} />
						)}
					</span>
					<Button
						type="submit"
						variant="filled"
						aria-disabled={!sendable}
						data-quiet={!sendable || undefined}
						className={classes.send as string}
					>
						{writing.editing ? t('composer.save') : t('composer.send')}
					</Button>
				</div>
			</div>
		</form>
	)
}

function pick({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent) {
	return { key, shiftKey, ctrlKey, metaKey, altKey }
}

function Count({ text, saved }: { text: string; saved: boolean }) {
	const { t } = useTexts()
	if (text.trim() === '') return null
	const words = t('composer.words', { count: countWords(text) })
	return saved ? `${t('composer.saved')} · ${words}` : words
}

/** What is answered or corrected, and the way out of it. */
function Regarding({ writing, timeline, onCancel }: { writing: Writing; timeline: Timeline; onCancel: () => void }) {
	const { t } = useTexts()
	const { people, me } = useSnapshot()
	const id = writing.editing ?? writing.replyTo
	if (!id) return null
	const message = timeline.items.find((item) => item.id === id)?.message
	const name = message && (message.author === me.id ? t('you') : shortName(people.get(message.author)?.name ?? ''))
	return (
		<div className={classes.regarding}>
			{writing.editing ? (
				<IconPencil size={16} stroke={1.75} aria-hidden="true" />
			) : (
				<IconCornerUpLeft size={16} stroke={1.75} aria-hidden="true" />
			)}
			<span className={classes.what} dir="auto">
				{writing.editing ? (
					t('composer.editing')
				) : (
					<>
						{t('composer.replying')} <bdi>{name}</bdi>: <bdi>{message?.text}</bdi>
					</>
				)}
			</span>
			<ActionIcon size={30} aria-label={writing.editing ? t('composer.leaveEdit') : t('composer.leaveReply')} onClick={onCancel}>
				<IconX size={16} stroke={1.75} />
			</ActionIcon>
		</div>
	)
}

/** The text, from this device and saved to it as it is typed. */
function useWriting(discussion: string) {
	const { t } = useTexts()
	const client = useClient()
	const [writing, setWriting] = useState<Writing>(nothing)
	const [ready, setReady] = useState(false)
	const [saved, setSaved] = useState(false)
	const latest = useRef(writing)
	const aside = `${discussion}:aside`

	useEffect(() => {
		let gone = false
		Promise.all([client.draft(discussion), client.draft(aside)])
			.then(([draft, set]) => {
				if (gone) return
				latest.current = resume(draft, set)
				setWriting(latest.current)
				setSaved(draft !== null)
			})
			.catch((error) => tellProblem(errorSentence(t, error)))
			.finally(() => !gone && setReady(true))
		return () => {
			gone = true
		}
	}, [client, discussion, aside, t])

	const save = useCallback(
		async (next: Writing, before: Writing) => {
			try {
				await client.saveDraft(discussion, { text: next.text, replyTo: next.replyTo, editing: next.editing })
				if (next.aside !== before.aside)
					await client.saveDraft(aside, { text: next.aside?.text ?? '', replyTo: next.aside?.replyTo ?? null, editing: null })
				if (latest.current === next) setSaved(true)
			} catch (error) {
				tellProblem(errorSentence(t, error))
			}
		},
		[client, discussion, aside, t],
	)

	/** Changes the writing. After sending, `end` is saved only once the message is safe: call what is returned. */
	const write = useCallback(
		(change: (now: Writing) => Writing) => {
			const before = latest.current
			const next = change(before)
			latest.current = next
			setWriting(next)
			setSaved(false)
			if (change !== end) void save(next, before)
			return () => void save(latest.current, before)
		},
		[save],
	)
	return { writing, ready, saved, write }
}

/** Whom a new message is for: asked when there are several, and remembered from my last message here. */
function useAudience(timeline: Timeline) {
	const { me } = useSnapshot()
	const options = timeline.mayWriteTo
	const [choice, setChoice] = useState<string | null>()
	const needed = options.length > 1 && timeline.groups.length > 1
	const mine = timeline.items.findLast((item) => item.message.author === me.id)?.message.group
	const usual = mine !== undefined && options.includes(mine) ? mine : options.includes(null) ? null : undefined
	const chosen = choice !== undefined && options.includes(choice) ? choice : usual
	return {
		needed,
		chosen,
		group: needed ? chosen : options[0],
		choose: (value: string) => setChoice(value === 'all' ? null : value),
	}
}
