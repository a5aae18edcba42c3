/**
 * The links in a text. Pure.
 *
 * Promises that only http, https and mailto become links, that what is shown can't hide where a link
 * goes (no invisible or direction-changing characters, the real host beside one that looks like
 * another), and that the parts joined are the text.
 */
import { tokenize } from 'linkifyjs'

export type Part =
	| { kind: 'text'; text: string }
	/** `host`: the real one, where the text does not say it plainly. */
	| { kind: 'link'; text: string; href: string; host: string | null }

/** Characters that can't be seen or that change the direction of what follows. */
const hiding = /\u034f|[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu

/** A text in parts, for people to read. */
export function partsOf(text: string): Part[] {
	// Most messages have no link: nothing is parsed for them.
	if (!/[.:@]/.test(text)) return [{ kind: 'text', text }]
	const parts: Part[] = []
	for (const token of tokenize(text)) {
		const part = token.isLink ? asLink(token.v, token.t) : null
		const last = parts.at(-1)
		if (part) parts.push(part)
		else if (last?.kind === 'text') last.text += token.v
		else parts.push({ kind: 'text', text: token.v })
	}
	return parts
}

function asLink(value: string, type: string): Part | null {
	if (type === 'email') return { kind: 'link', text: value.replace(hiding, ''), href: `mailto:${value.replace(hiding, '')}`, host: null }
	const clean = value.replace(hiding, '')
	const href = /^[a-z][a-z0-9+.-]*:/i.test(clean) && !/^[^/]*\.[^/:]+:\d/.test(clean) ? clean : `https://${clean}`
	if (!URL.canParse(href)) return null
	const url = new URL(href)
	if (url.protocol === 'mailto:') return { kind: 'link', text: clean, href: url.href, host: null }
	if (url.protocol !== 'http:' && url.protocol !== 'https:') return null
	const said = clean.replace(/^https?:\/\//i, '').toLowerCase()
	const plain = said === url.host || said.startsWith(`${url.host}/`) || said.startsWith(`${url.host}?`) || said.startsWith(`${url.host}#`)
	return { kind: 'link', text: clean, href: url.href, host: plain ? null : url.host }
}
