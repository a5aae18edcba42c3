/**
 * The steps that write messages: send, edit, remove and put back.
 *
 * Promises that a command which was stored before gives the current record whatever is allowed
 * now, and that a step may run again. Used by the commands themselves and by those that come
 * back after a restore.
 */
import type { ParsedInput } from '../../../protocol/api.ts'
import {
	isIn,
	leads,
	mayPutBack,
	mayRemove,
	type Reader,
	refuseChanged,
	seesMessage,
	seesMessageIn,
	seesStill,
	writableGroups,
} from '../access.ts'
import { fail, notFound } from '../errors.ts'
import { bodyHash, refuseFutureId, sameOrTaken } from '../ids.ts'
import { placeOf } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { DiscussionRecord, MessageRecord } from '../storage/collections.ts'
import type { Tx } from '../storage/store.ts'

/** What a step gives: the message as it stands; `cursor` null when nothing had to be written. */
export interface Written {
	message: MessageRecord
	discussion: DiscussionRecord
	cursor: string | null
}
type Step = (tx: Tx) => Promise<Written>

/** What a valid receipt proves. */
export interface Proof {
	createdAt: string
	group: string | null
}

/** The digest of what the writer sent, as it stands in the record and in the receipt. */
export function sentHash({ discussion, group, text, replyTo, writtenAt, uploads }: ParsedInput<'sendMessage'>): string {
	return uploads.length === 0
		? bodyHash(discussion, group, text, replyTo, writtenAt)
		: bodyHash(discussion, group, text, replyTo, writtenAt, uploads)
}

/** `wait`: seconds until she may send again; it stops only what was not stored before. */
export function sendStep(input: ParsedInput<'sendMessage'>, reader: Reader, wait: number, proof: Proof | null = null): Step {
	const { id, text, replyTo, writtenAt } = input
	const author = reader.user.id
	const body = sentHash(input)
	return async (tx) => {
		const known = await tx.get('messages', id)
		if (known) return { message: sameOrTaken(known, known.author, author, body), discussion: await discussionOf(tx, known), cursor: null }
		if (wait > 0) tooOften(wait)
		if (text === '' && input.uploads.length === 0) fail('message_empty', 'This message has neither words nor a file.')
		await refuseChanged(tx, reader)
		const discussion = await tx.get('discussions', input.discussion)
		if (!discussion) notFound('discussion')
		if (!proof) refuseFutureId(id)
		const group = proof ? proof.group : await groupFor(tx, reader, discussion, input.group)
		if (!proof) {
			refuseClosed(discussion)
			const quoted = replyTo === null ? null : await tx.get('messages', replyTo)
			if (replyTo !== null && (quoted?.discussion !== discussion.id || !seesMessageIn(reader, quoted, discussion))) notFound('message')
		}
		const message = await tx.put('messages', {
			id,
			discussion: discussion.id,
			author,
			group,
			text,
			...(await attach(tx, input.uploads, author)),
			replyTo,
			writtenAt,
			editedAt: null,
			edits: 0,
			removed: null,
			returned: proof !== null,
			bodyHash: body,
			...(proof && { createdAt: proof.createdAt }),
		})
		return { message, discussion, cursor: placeOf(tx) }
	}
}

/** What a message keeps of its files. Only the writer's own, sent for a message, and none that stands in another one. */
async function attach(tx: Tx, uploads: string[], author: string): Promise<Pick<MessageRecord, 'uploads' | 'attachments' | 'hasFiles'>> {
	const attachments: MessageRecord['attachments'] = []
	for (const [index, id] of uploads.entries()) {
		const upload = await tx.get('uploads', id)
		const mine = upload?.owner === author && upload.purpose === 'message' && upload.file !== null && uploads.indexOf(id) === index
		if (!mine || (await tx.find('messages', 'upload', [id], { limit: 1 })).length > 0) {
			fail('upload_unknown', 'A file of this message is not known, or stands in another one.', { hint: 'Attach it once more.' })
		}
		const { kind, name, type, sizeBytes, width, height } = upload
		attachments.push({ kind, name, type, sizeBytes, width, height })
	}
	return { uploads, attachments, hasFiles: uploads.length > 0 || null }
}

/** Whom it is for: refuses groups that she may not write to. */
async function groupFor(tx: Tx, reader: Reader, discussion: DiscussionRecord, wanted: string | null | undefined): Promise<string | null> {
	if (leads(reader, discussion)) {
		if (wanted !== undefined && wanted !== null && !discussion.groups.includes(wanted)) notFound('group')
		return wanted ?? null
	}
	const own: string[] = []
	for (const group of writableGroups(reader, discussion)) if (await isIn(tx, reader, group)) own.push(group)
	if (own.length === 0) notFound('discussion')
	if (wanted === null) fail('forbidden', 'Only the lecturer writes to all groups.')
	if (wanted !== undefined) return own.includes(wanted) ? wanted : notFound('group')
	if (own.length > 1) fail('group_needed', 'You are in several groups of this discussion.', { hint: 'Choose for which one this is.' })
	return own[0]!
}

export function editStep({ id, edit, text }: ParsedInput<'editMessage'>, reader: Reader, wait: number): Step {
	const author = reader.user.id
	const body = bodyHash(id, text)
	return async (tx) => {
		const known = await tx.get('edits', edit)
		if (known) {
			sameOrTaken(known, known.author, author, body)
			const message = (await tx.get('messages', known.message))!
			return { message, discussion: await discussionOf(tx, message), cursor: null }
		}
		if (wait > 0) tooOften(wait)
		refuseFutureId(edit)
		const { message, discussion } = await visible(tx, reader, id)
		if (message.author !== author) fail('forbidden', 'Only its writer can edit a message.')
		if (message.removed) fail('message_removed', 'This message was removed.', { hint: 'Put it back first.' })
		if (text === '' && message.uploads.length === 0) fail('message_empty', 'This message would have neither words nor a file.')
		refuseClosed(discussion)
		await tx.put('edits', { id: edit, message: id, author, text: message.text, bodyHash: body })
		const edited = await tx.put('messages', { ...message, text, editedAt: tx.at, edits: message.edits + 1 })
		return { message: edited, discussion, cursor: placeOf(tx) }
	}
}

export function removeStep({ id, removed }: ParsedInput<'setRemoved'>, reader: Reader, wait: number): Step {
	return async (tx) => {
		const { message, discussion } = await visible(tx, reader, id)
		if (removed && !mayRemove(reader, message, discussion)) fail('forbidden', 'Only its writer or the lecturer can remove a message.')
		if ((message.removed !== null) === removed) return { message, discussion, cursor: null }
		if (!removed && !mayPutBack(reader, message, discussion))
			fail('forbidden', 'Only who removed it or the lecturer can put a message back.')
		if (wait > 0) tooOften(wait)
		refuseClosed(discussion)
		const next = { ...message, removed: removed ? { at: tx.at, by: reader.user.id } : null }
		return { message: await tx.put('messages', next), discussion, cursor: placeOf(tx) }
	}
}

/** Within a step: a message that the reader sees, with its discussion. */
async function visible(tx: Tx, reader: Reader, id: string) {
	await refuseChanged(tx, reader)
	const message = await tx.get('messages', id)
	if (!message) notFound('message')
	const discussion = await discussionOf(tx, message)
	if (!seesMessage(reader, message, discussion) || !(await seesStill(tx, reader, discussion))) notFound('message')
	return { message, discussion }
}

async function discussionOf(tx: Tx, { discussion }: MessageRecord): Promise<DiscussionRecord> {
	return (await tx.get('discussions', discussion))!
}

function refuseClosed({ status, removed }: DiscussionRecord): void {
	if (status !== 'open' || removed) fail('discussion_closed', 'This discussion is closed.', { hint: 'It can still be read.' })
}
