/**
 * What the bench writes: messages as the server stores them, of one length, with ids as browsers
 * make them.
 */
import { randomBytes } from 'node:crypto'
import type { MessageRecord } from '../backend/src/storage/collections.ts'
import type { Draft } from '../backend/src/storage/store.ts'

/** The length of every message's text. */
export const textLength = 128

const nonce = randomBytes(3).toString('hex')
let serial = 0

/** An id with a time prefix. */
export function nextId(seconds = Math.floor(Date.now() / 1000)): string {
	return seconds.toString(16).padStart(8, '0') + nonce + (++serial).toString(16).padStart(10, '0')
}

/** Words of `length` characters, different each time. */
export function words(length = textLength): string {
	return `${(++serial).toString(36)} is what I think about the second chapter, and here is a reason for it: `.repeat(3).slice(0, length)
}

const time = new Date().toISOString()
const hash = randomBytes(32).toString('base64url')

/** A message that is about to be put. */
export function messageDraft(discussion: string, author: string, group: string | null, id = nextId()): Draft<MessageRecord> {
	return {
		id,
		discussion,
		author,
		group,
		text: words(),
		replyTo: null,
		writtenAt: time,
		editedAt: null,
		edits: 0,
		removed: null,
		returned: false,
		bodyHash: hash,
	}
}
