/**
 * The discussions I see, by category, with what is new in them; found by a few words and by keys.
 */
import { NativeSelect, TextInput } from '@mantine/core'
import { IconChevronDown, IconSearch } from '@tabler/icons-react'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import { limits } from '../../../protocol/model.ts'
import { useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { usePhone } from '../ui/pieces.tsx'
import { useFolded } from './folded.ts'
import classes from './list.module.css'
import { WhatNow } from './NothingOpen.tsx'
import { byName, type Section, sectionsOf } from './overview.ts'
import { TopicLine, Unread } from './TopicLine.tsx'

export function DiscussionList() {
	const { t, language } = useTexts()
	const phone = usePhone()
	const { me, discussions, discussionsState, categories, groups } = useSnapshot()
	const [query, setQuery] = useState('')
	const [group, setGroup] = useState<string | null>(null)
	const { isFolded, fold } = useFolded()
	const field = useRef<HTMLInputElement>(null)
	const list = useRef<HTMLElement>(null)
	const choices = me.role === 'lecturer' ? byName(groupsIn(groups, discussions), language) : []
	const chosen = choices.length > 1 && choices.some(({ id }) => id === group) ? group : null
	const sections = useMemo(
		() => sectionsOf(discussions, categories, { language, query, group: chosen }),
		[discussions, categories, language, query, chosen],
	)
	useFindKey(field)

	if (discussions.length === 0) {
		if (discussionsState === 'loading') return <Skeletons />
		return phone ? <WhatNow /> : <p className={classes.none}>{t('list.none')}</p>
	}

	const asked = query.trim() !== ''
	const links = () => [...(list.current?.querySelectorAll<HTMLElement>('a[data-topic]') ?? [])]
	const found = sections.reduce((sum, { topics }) => sum + topics.length, 0)

	function onFieldKey(event: KeyboardEvent<HTMLInputElement>) {
		if (event.nativeEvent.isComposing) return
		if (event.key === 'ArrowDown') links()[0]?.focus()
		else if (event.key === 'Enter') links()[0]?.click()
		else if (event.key === 'Escape' && query) setQuery('')
		else return
		event.preventDefault()
	}

	function onListKey(event: KeyboardEvent<HTMLElement>) {
		const all = links()
		const at = all.indexOf(event.target as HTMLElement)
		if (at < 0 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
		if (event.key === 'ArrowDown') all[at + 1]?.focus()
		else if (event.key === 'ArrowUp') (all[at - 1] ?? field.current)?.focus()
		else if (event.key === 'Home') all[0]?.focus()
		else if (event.key === 'End') all.at(-1)?.focus()
		else return
		event.preventDefault()
	}

	return (
		<>
			<search className={classes.find}>
				<TextInput
					ref={field}
					aria-label={t('list.find')}
					aria-keyshortcuts="Control+K Meta+K"
					placeholder={t('list.find')}
					value={query}
					onChange={(event) => setQuery(event.currentTarget.value)}
					onKeyDown={onFieldKey}
					leftSection={<IconSearch size={18} stroke={1.75} aria-hidden="true" />}
					rightSection={phone || asked ? null : <kbd className={classes.key}>{findKey}</kbd>}
					rightSectionWidth={62}
					rightSectionPointerEvents="none"
					maxLength={limits.query}
					autoComplete="off"
					enterKeyHint="go"
					dir="auto"
				/>
				{choices.length > 1 && (
					<NativeSelect
						className={classes.group as string}
						variant="unstyled"
						aria-label={t('list.group')}
						value={chosen ?? ''}
						onChange={(event) => setGroup(event.currentTarget.value || null)}
						data={[{ value: '', label: t('list.allGroups') }, ...choices.map(({ id, name }) => ({ value: id, label: name }))]}
					/>
				)}
				<span className={classes.hidden} role="status">
					{asked ? t('list.found', { count: found }) : ''}
				</span>
			</search>
			<nav ref={list} aria-label={t('list.title')} onKeyDown={onListKey}>
				{found === 0 && <p className={classes.none}>{asked ? t('list.noMatch') : t('list.noneHere')}</p>}
				{sections.map((section) => {
					const folded = !asked && isFolded(section.key, section.kind === 'archived' || section.kind === 'removed')
					return (
						<TopicSection
							key={section.key}
							section={section}
							folded={folded}
							alone={!sections.some(({ kind }) => kind === 'category')}
							onFold={asked ? null : () => fold(section.key, !folded)}
						/>
					)
				})}
			</nav>
		</>
	)
}

/** `alone`: there are no categories, so that what stands in none of them is simply all. `onFold` null: it stays open. */
function TopicSection({
	section,
	folded,
	alone,
	onFold,
}: {
	section: Section
	folded: boolean
	alone: boolean
	onFold: (() => void) | null
}) {
	const { t } = useTexts()
	const { me, people } = useSnapshot()
	const { kind, name, topics, unread } = section
	const title = kind === 'category' ? name : kind === 'uncategorized' && alone ? t('list.title') : t(`list.${kind}`)
	return (
		<div>
			<h2 className={classes.heading}>
				<button type="button" aria-expanded={!folded} disabled={!onFold} onClick={onFold ?? undefined}>
					<bdi className={classes.headingText}>{title}</bdi>
					{folded && unread > 0 && <Unread count={unread} />}
					{folded && unread === 0 && <span className={classes.size}>{topics.length}</span>}
					{onFold && <IconChevronDown size={14} stroke={2} aria-hidden="true" />}
				</button>
			</h2>
			{!folded && (
				<ul className={classes.topics}>
					{topics.map((topic) => (
						<TopicLine
							key={topic.discussion.id}
							topic={topic}
							mine={topic.discussion.createdBy === me.id}
							writer={topic.last && topic.last.author !== me.id ? (people.get(topic.last.author)?.name ?? '…') : null}
						/>
					))}
				</ul>
			)}
		</div>
	)
}

/** What the list will look like, so that nothing jumps when it comes. */
function Skeletons() {
	const { t } = useTexts()
	return (
		<div className={classes.skeletons} role="status">
			<span className={classes.hidden}>{t('loading')}</span>
			{[72, 54, 86, 63, 78, 48].map((width) => (
				<div key={width} className={classes.skeleton} aria-hidden="true">
					<i style={{ width: `${width}%` }} />
					<i style={{ width: `${150 - width}%` }} />
				</div>
			))}
		</div>
	)
}

/** The groups that the listed discussions are for. */
function groupsIn<G extends { id: string }>(groups: readonly G[], discussions: readonly { discussion: { groups: string[] } }[]): G[] {
	const used = new Set(discussions.flatMap(({ discussion }) => discussion.groups))
	return groups.filter(({ id }) => used.has(id))
}

const findKey = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘ K' : 'Ctrl K'

/** Ctrl K or Cmd K goes to the field. */
function useFindKey(field: { current: HTMLInputElement | null }) {
	useEffect(() => {
		function onKey(event: globalThis.KeyboardEvent) {
			if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
			if (!field.current) return
			event.preventDefault()
			field.current.focus()
			field.current.select()
		}
		addEventListener('keydown', onKey)
		return () => removeEventListener('keydown', onKey)
	}, [field])
}
