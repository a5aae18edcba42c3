/**
 * How easily a new password would be guessed: a hint while it is typed, never a wall.
 *
 * Pure, and knows no more than that its owner's own words, famous words and rows of keys are tried first.
 */
import { limits } from '../../../protocol/model.ts'

export type Strength = 'short' | 'own' | 'guessed' | 'fair' | 'good'

/** Tried first everywhere, and first here. */
const famous =
	/password|passw0rd|qwert|asdf|zxcv|letmein|welcome|iloveyou|admin|katasandi|rahasia|sayang|bismillah|indonesia|merdeka|doraemon|english|kampus|sekolah/g
const rows = ['abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', '01234567890']

/** What is left when each run of neighbours (abcd, 4321, aaaa) counts as two characters. */
function withoutRuns(text: string): string {
	const follows = (a: string, b: string) => a === b || rows.some((row) => row.includes(a + b) || row.includes(b + a))
	return [...text].filter((char, at, all) => at < 2 || !(follows(all[at - 1]!, char) && follows(all[at - 2]!, all[at - 1]!))).join('')
}

/** Null while nothing is typed. `own`: her name, address and number, which others know. */
export function strengthOf(password: string, own: readonly string[]): Strength | null {
	const typed = password.normalize('NFC')
	if (typed === '') return null
	if (typed.length < limits.password.min) return 'short'
	const folded = typed.toLowerCase()
	const words = own.flatMap((text) => text.toLowerCase().split(/[\s@._-]+/)).filter((word) => word.length >= 3)
	const strange = words.reduce((rest, word) => rest.replaceAll(word, ''), folded)
	if (strange.length < folded.length && strange.length < 6) return 'own'
	const left = withoutRuns(strange.replace(famous, ''))
	if (left.length < 5 || new Set(left).size < 4) return 'guessed'
	const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/, /[^\p{L}\d]/u].filter((kind) => kind.test(typed)).length
	return left.length >= 14 || (left.length >= 10 && kinds >= 3) ? 'good' : 'fair'
}
