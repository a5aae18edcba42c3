/**
 * Counts words, as a lecturer would, knows which texts are long, and says how much is unread. Pure.
 */
import { limits } from '../../../protocol/model.ts'

const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' })

/** The number of words; figures count, punctuation and emoji do not. Words joined by an apostrophe or hyphen are one. */
export function countWords(text: string): number {
	let count = 0
	let joined = false
	for (const part of segmenter.segment(text)) {
		if (part.isWordLike) {
			if (!joined) count += 1
			joined = false
		} else {
			joined = count > 0 && /^[-‐‑'’]$/.test(part.segment)
		}
	}
	return count
}

/** A line of a letter has about so many characters, and a text that is longer than so many lines is folded. */
const [lineLength, foldedLines, longLines] = [68, 20, 24]

/** Whether a text is so long that its end is folded away: by its words alone, so that nothing jumps. */
export function isLong(text: string): boolean {
	if (text.length < foldedLines) return false
	let lines = 0
	for (const line of text.split('\n')) lines += Math.max(1, Math.ceil(line.length / lineLength))
	return lines > longLines
}

/** A number of unread messages for a text: from where they are not counted on, with a plus. */
export function unreadCount<T extends Record<string, string>>(count: number, more: T = {} as T) {
	const said = count >= limits.unreadCounted ? `${count}+` : String(count)
	return { count, ...more, replace: { count: said, ...more } }
}
