/**
 * What the composer holds: new text or an edit, what it answers, and the new text that an edit set aside.
 *
 * Pure. Promises that beginning, ending or leaving an edit, and taking a message back, lose nothing
 * that was typed.
 */
import type { Draft } from '../client.ts'

export interface Writing extends Draft {
	/** New text that was there when the edit began; it comes back when the edit ends. */
	aside: { text: string; replyTo: string | null } | null
}

export const nothing: Writing = { text: '', replyTo: null, editing: null, aside: null }

/** From what was saved on this device. */
export function resume(draft: Draft | null, aside: Draft | null): Writing {
	return { ...nothing, ...draft, aside: aside && { text: aside.text, replyTo: aside.replyTo } }
}

export function reply(writing: Writing, message: string): Writing {
	return writing.editing ? { ...end(writing), replyTo: message } : { ...writing, replyTo: message }
}

export function edit(writing: Writing, message: string, text: string): Writing {
	const aside = writing.editing ? writing.aside : writing.text ? { text: writing.text, replyTo: writing.replyTo } : null
	return { text, replyTo: null, editing: message, aside }
}

/** After sending, or when an edit is left: what was set aside comes back. */
export function end(writing: Writing): Writing {
	return writing.aside ? { ...nothing, ...writing.aside } : nothing
}

/** Escape: leaves the edit, else the reply (its text stays). */
export function cancel(writing: Writing): Writing {
	return writing.editing ? end(writing) : { ...writing, replyTo: null }
}

/** Text that comes back: a message taken back, or one that could not be saved. Before what was typed since. */
export function putBack(writing: Writing, text: string): Writing {
	if (writing.editing)
		return { ...writing, aside: { text: join(text, writing.aside?.text ?? ''), replyTo: writing.aside?.replyTo ?? null } }
	return { ...writing, text: join(text, writing.text) }
}

/** Puts something in at the caret, in place of what is selected. */
export function insert(writing: Writing, what: string, from: number, to: number): Writing {
	return { ...writing, text: writing.text.slice(0, from) + what + writing.text.slice(to) }
}

function join(first: string, second: string): string {
	return first && second ? `${first}\n${second}` : first + second
}

interface Key {
	key: string
	shiftKey: boolean
	ctrlKey: boolean
	metaKey: boolean
	altKey: boolean
	isComposing: boolean
}

/** What a key means in the composer. On a phone Enter is a new line; Ctrl or Cmd with Enter always sends. */
export function keyMeans(event: Key, writing: Writing, touch: boolean): 'send' | 'cancel' | 'leave' | 'editLast' | null {
	if (event.isComposing) return null
	const command = event.ctrlKey || event.metaKey
	if (event.key === 'Enter') return command || (!touch && !event.shiftKey && !event.altKey) ? 'send' : null
	if (event.key === 'Escape') return writing.editing || writing.replyTo ? 'cancel' : 'leave'
	if (event.key === 'ArrowUp')
		return writing.text === '' && !writing.editing && !command && !event.shiftKey && !event.altKey ? 'editLast' : null
	return null
}
