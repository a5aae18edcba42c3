/**
 * What the sample's class talks about: groups, categories, and the discussions with the sentences that they are made of.
 *
 * Every sentence stands alone, so that opinions, reasons and stories can follow each other in any order.
 */
import type { PictureKind } from './pictures.ts'
import { debates } from './topics-debate.ts'
import { stories } from './topics-stories.ts'

/** What stands in messages. */
export type SentKind = Extract<PictureKind, 'landscape' | 'chart' | 'note'>

export interface Topic {
	title: string
	prompt: string
	/** Indexes of groups, of the category, and of the lecturers who lead it: the first starts it. */
	groups: readonly number[]
	category: number
	lecturers: readonly number[]
	tags: readonly string[]
	closed?: true
	opinions: readonly string[]
	reasons: readonly string[]
	stories: readonly string[]
	/** A question, then what can be answered, apart by bars. */
	questions: readonly string[]
	/** In Indonesian. */
	pendapat: readonly string[]
	captions: readonly string[]
	pictures: readonly SentKind[]
	/** How many messages of a hundred bring a picture. */
	pictured: number
}

/** The classes. */
export const groups = [
	{ name: 'English 1A', description: 'First year, Monday and Thursday at 8:00. We speak more than we write.' },
	{ name: 'English 1B', description: 'First year, Tuesday and Friday at 10:00.' },
	{ name: 'Academic Writing 2', description: 'Second year. One text a week, and a friendly reader for each.' },
	{ name: 'Kelas Percakapan (malam)', description: 'Evening class for people who work. Bahasa Indonesia boleh, English even better. 🌙' },
] as const

/** What discussions are sorted under; each by the lecturer who made it. */
export const categories = [
	{ name: 'Speaking warm-ups', by: 0 },
	{ name: 'Debate', by: 1 },
	{ name: 'Reading circle', by: 1 },
	{ name: 'Writing workshop', by: 2 },
] as const

/** The eight discussions, the oldest first. */
export const topics: readonly Topic[] = [...stories, ...debates]
