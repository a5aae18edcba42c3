/**
 * Counts words, as a lecturer would. Pure.
 */
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
