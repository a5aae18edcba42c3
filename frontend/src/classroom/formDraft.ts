/**
 * What stands in the form of a discussion: its values, what of them was changed, and these changes as a
 * draft on this device.
 *
 * Pure. A draft holds only what differs, so that what others changed meanwhile stays theirs.
 */
import { z } from 'zod'
import type { Discussion } from '../../../protocol/model.ts'

export interface FormValues extends Record<string, unknown> {
	title: string
	prompt: string
	groups: string[]
	category: string | null
	tags: string[]
	collaborators: string[]
}

const fields = ['title', 'prompt', 'groups', 'category', 'tags', 'collaborators'] as const
type Field = (typeof fields)[number]

/** An unfinished form, as it is typed: not checked but for its types. */
const Unfinished = z.object({
	title: z.string(),
	prompt: z.string(),
	groups: z.array(z.string()),
	category: z.string().nullable(),
	tags: z.array(z.string()),
	collaborators: z.array(z.string()),
})

/** The values of a discussion as it is. */
export function valuesOf({ title, prompt, groups, category, tags, collaborators }: Discussion): FormValues {
	return { title, prompt, groups, category, tags, collaborators }
}

/** The fields that differ from `before`; the order of groups and collaborators means nothing. */
export function changesOf(before: FormValues, now: FormValues): Partial<FormValues> {
	const sorted = (field: Field, value: unknown) => (Array.isArray(value) && field !== 'tags' ? value.toSorted() : value)
	const same = (field: Field) => JSON.stringify(sorted(field, before[field])) === JSON.stringify(sorted(field, now[field]))
	return Object.fromEntries(fields.filter((field) => !same(field)).map((field) => [field, now[field]]))
}

/** Where a form's draft is kept, beside the drafts of messages. */
export function draftKey(discussion: string | null): string {
	return `form ${discussion ?? 'new'}`
}

/** The text of a draft; empty when nothing was changed. */
export function writeDraft(changes: Partial<FormValues>): string {
	return Object.keys(changes).length > 0 ? JSON.stringify(changes) : ''
}

/** The changes of a draft; null when there is none, or it can't be read. */
export function readDraft(text: string | undefined): Partial<FormValues> | null {
	if (!text) return null
	try {
		return Unfinished.partial().parse(JSON.parse(text)) as Partial<FormValues>
	} catch {
		return null
	}
}

/** The tags with what was typed: several at once where there are commas or lines; one that is there already is not added again. */
export function withTags(tags: readonly string[], typed: string): string[] {
	const all = [...tags]
	for (const part of typed.split(/[,;\n]/)) {
		const tag = part
			.normalize('NFC')
			.replace(/\s+/g, ' ')
			.replace(/^[\s#]+/, '')
			.trim()
		if (tag && !all.some((one) => one.toLowerCase() === tag.toLowerCase())) all.push(tag)
	}
	return all
}
