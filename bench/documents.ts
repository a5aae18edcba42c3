/**
 * What the bench writes: messages as the server stores them, of one length, with ids as browsers
 * make them.
 */
import { randomBytes } from 'node:crypto'
import type { MessageRecord } from '../backend/src/storage/collections.ts'
import type { Draft } from '../backend/src/storage/store.ts'
import { messageDraft as plainMessage } from '../tests/support/records.ts'

/** The length of every message's text. */
export const textLength = 128

const hex = () =>
	Math.floor(Math.random() * 0x1_0000_0000)
		.toString(16)
		.padStart(8, '0')

/** An id as browsers make it: time, then chance. */
export function nextId(seconds = Math.floor(Date.now() / 1000)): string {
	return seconds.toString(16).padStart(8, '0') + hex() + hex()
}

const common = `the of and to a in is it you that he was for on are with as his they be at one have this from or had by not but
what some we can out other were all there when up use your how said an each she which do their time if will way about many then them
would write like so these her long make thing see him two has look more day could go come did my sound no most number who over know
water than call first people may down side been now find any new work part take get place made live where after back little only`.split(
	/\s+/,
)
const syllables = 'an er in on at re es ti or al te co de ra is ro en st nt ha ou li ri me ne ve si la ma no pe di so ce ta'.split(' ')
const oneOf = (list: readonly string[]) => list[Math.floor(Math.random() * list.length)]!

/** `length` characters that a compressor finds about as hard as English: half of it common words, half made up. */
export function words(length = textLength): string {
	let text = ''
	while (text.length < length) text += `${Math.random() < 0.5 ? oneOf(common) : oneOf(syllables) + oneOf(syllables) + oneOf(syllables)} `
	return text
		.slice(0, length - 1)
		.trimEnd()
		.padEnd(length, '.')
}

const hashes = Array.from({ length: 20_000 }, () => randomBytes(32).toString('base64url'))

/** A message that is about to be put. */
export function messageDraft(discussion: string, author: string, group: string | null, id = nextId()): Draft<MessageRecord> {
	return plainMessage({ id, discussion, author, group, text: words(), bodyHash: oneOf(hashes) })
}
