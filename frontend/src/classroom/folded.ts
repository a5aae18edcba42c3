/**
 * Which sections of the rail are folded, remembered on this device.
 *
 * Promises that a browser that keeps nothing still folds for as long as the page is open.
 */
import { useState } from 'react'

const storedUnder = 'folded'
const remembered = 200

/** What somebody folded (true) or unfolded (false), newest last. */
type Choices = Readonly<Record<string, boolean>>

let choices: Choices | null = null

function read(): Choices {
	try {
		const stored = JSON.parse(localStorage.getItem(storedUnder) ?? '{}')
		return typeof stored === 'object' && stored !== null ? stored : {}
	} catch {
		return {}
	}
}

function write(next: Choices) {
	choices = next
	try {
		localStorage.setItem(storedUnder, JSON.stringify(next))
	} catch {
		// Then it holds until the page is closed.
	}
}

/** The choices with one more; the oldest are forgotten. */
export function withChoice(before: Choices, key: string, folded: boolean): Choices {
	const { [key]: _, ...others } = before
	return Object.fromEntries([...Object.entries(others).slice(1 - remembered), [key, folded]])
}

/** Whether a section is folded, and its switch. */
export function useFolded() {
	choices ??= read()
	const [now, setNow] = useState<Choices>(choices)
	return {
		isFolded: (key: string, usually: boolean) => now[key] ?? usually,
		fold(key: string, folded: boolean) {
			write(withChoice(choices ?? {}, key, folded))
			setNow(choices as Choices)
		},
	}
}
