/**
 * What people are called on every screen, in short too, and the colour behind their initials.
 *
 * Pure. Knows that a name may be one word, begin with a title, or be written in any script.
 */
import type { Person } from '../../../protocol/model.ts'
import type { Texts } from './language.ts'
import { avatarColors } from './theme.ts'

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** The words of a name without titles such as "Dr." (unless it has nothing else). */
function words(name: string): string[] {
	const all = name.split(/\s+/).filter(Boolean)
	const own = all.filter((word) => !word.endsWith('.'))
	return own.length > 0 ? own : all
}

/** What everybody calls her: her name, or that she is gone when her data was erased. */
export function nameOf(person: Pick<Person, 'name' | 'erased'>, t: Texts): string {
	return person.erased ? t('person.erased') : person.name
}

/** One or two letters: SR for Dr. Siti Rahmawati. */
export function initials(name: string): string {
	const own = words(name)
	const chosen = own.length > 1 ? [own[0], own.at(-1)] : [own[0]]
	return chosen
		.map((word) => {
			// The Arabic article is not what a family name begins with.
			const bare = (word ?? '').replace(/^ال(?=.)/, '')
			return graphemes.segment(bare)[Symbol.iterator]().next().value?.segment ?? ''
		})
		.join('')
		.toUpperCase()
}

/** What a quote calls her: Citra, or Dr. Siti. */
export function shortName(name: string): string {
	const all = name.split(/\s+/).filter(Boolean)
	const first = all.findIndex((word) => !word.endsWith('.'))
	return first < 0 ? name : all.slice(0, first + 1).join(' ')
}

/** Always the same for one person. */
export function avatarColor(id: string): string {
	let sum = 0
	for (let at = 0; at < id.length; at++) sum = (sum * 31 + id.charCodeAt(at)) >>> 0
	return avatarColors[sum % avatarColors.length] as string
}
