/**
 * The discussions as they stand in the rail: by category, then closed, archived and removed ones, and
 * what is left of them when somebody types a few words.
 *
 * Pure. Within a section the order is the given one: newest activity first.
 */
import type { Category } from '../../../protocol/model.ts'
import type { Snapshot } from '../client.ts'
import type { Language } from '../ui/language.ts'

export type Topic = Snapshot['discussions'][number]

export interface Section {
	/** What its folding is remembered under. */
	key: string
	kind: 'category' | 'uncategorized' | 'closed' | 'archived' | 'removed'
	/** Of a category; empty for the others. */
	name: string
	topics: Topic[]
	/** In all of it. */
	unread: number
}

export interface Looking {
	language: Language
	/** Words that begin so are looked for in title, tags and category. */
	query: string
	/** Only discussions for this group. */
	group: string | null
}

/** The sections that have something in them, in their order. */
export function sectionsOf(topics: readonly Topic[], categories: readonly Category[], { language, query, group }: Looking): Section[] {
	const named = new Map(categories.map((category) => [category.id, category]))
	const asked = wordsOf(query)
	const sections = new Map<string, Section>()
	for (const topic of topics) {
		const { discussion } = topic
		const category = discussion.category === null ? undefined : named.get(discussion.category)
		if (group !== null && !discussion.groups.includes(group)) continue
		if (!fits(asked, [discussion.title, ...discussion.tags, category?.name ?? ''])) continue
		const kind = kindOf(topic, category)
		const key = kind === 'category' ? (category as Category).id : kind
		const name = kind === 'category' ? (category as Category).name : ''
		const section = sections.get(key) ?? { key, kind, name, topics: [], unread: 0 }
		section.topics.push(topic)
		section.unread += topic.unread
		sections.set(key, section)
	}
	const order = collator(language)
	return [...sections.values()].sort(
		(a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || order.compare(a.name, b.name) || (a.key < b.key ? -1 : 1),
	)
}

const kinds: Section['kind'][] = ['category', 'uncategorized', 'closed', 'archived', 'removed']

function kindOf({ discussion }: Topic, category: Category | undefined): Section['kind'] {
	if (discussion.removed) return 'removed'
	if (discussion.status !== 'open') return discussion.status
	return category ? 'category' : 'uncategorized'
}

/** Names as people sort them in this language: English 2 before English 10. */
export function collator(language: Language): Intl.Collator {
	return new Intl.Collator(language, { numeric: true })
}

/** Groups or categories by their names. */
export function byName<T extends { name: string; seq: number }>(things: readonly T[], language: Language): T[] {
	const order = collator(language)
	return things.toSorted((a, b) => order.compare(a.name, b.name) || a.seq - b.seq)
}

/** The words of a text without case and accents. */
export function wordsOf(text: string): string[] {
	return (
		text
			.normalize('NFKD')
			.replace(/\p{M}/gu, '')
			.toLowerCase()
			.match(/[\p{L}\p{N}]+/gu) ?? []
	)
}

/** Whether every asked word begins a word of these texts. */
export function fits(asked: readonly string[], texts: readonly string[]): boolean {
	if (asked.length === 0) return true
	const words = wordsOf(texts.join(' '))
	return asked.every((one) => words.some((word) => word.startsWith(one)))
}

/** More than 99 is many. */
export function unreadText(count: number): string {
	return count > 99 ? '99+' : String(count)
}
