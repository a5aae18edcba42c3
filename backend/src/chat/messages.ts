/**
 * The commands of a discussion, and single messages with their earlier texts.
 *
 * Promises that an answer shows a message as every page shows it to this reader, in the same
 * bytes, and that a sent message comes with its receipt. Pages are in pages.ts.
 */
import { mayPutBack, maySeeEdits, messageJsonFor, publicCard, publicEdit, publicMessage, type Reader, seesMessage } from '../access.ts'
import { fail, notFound } from '../errors.ts'
import { type Handlers, type Parts, standing } from '../parts.ts'
import type { Receipts } from './receipts.ts'
import { editStep, removeStep, sendStep, type Written } from './steps.ts'

const editsListed = 500

/** The handlers of single messages. */
export function openMessages(
	{ store, rates }: Parts,
	receipts: Receipts,
): Pick<Handlers, 'sendMessage' | 'editMessage' | 'setRemoved' | 'getMessage' | 'listEdits'> {
	/** A message that the reader sees, with its discussion. */
	async function visible(id: string, reader: Reader) {
		const message = await store.get('messages', id)
		const discussion = message && (await store.get('discussions', message.discussion))
		if (!message || !discussion || !seesMessage(reader, message, discussion)) notFound('message')
		return { message, discussion }
	}

	const answer = (reader: Reader, { message, discussion, cursor }: Written) => ({
		json: `{"message":${messageJsonFor(reader, message, discussion)},"cursor":"${cursor ?? standing(store).cursor}"}`,
	})

	return {
		async sendMessage(input, { reader }) {
			const id = reader.user.id
			const { message, discussion, cursor } = await store.write(id, sendStep(input, reader, rates.commands.take(id)))
			const json = messageJsonFor(reader, message, discussion)
			const { createdAt, mac } = receipts.of(message)
			return {
				json: `{"message":${json},"receipt":{"createdAt":"${createdAt}","mac":"${mac}"},"cursor":"${cursor ?? standing(store).cursor}"}`,
			}
		},
		async editMessage(input, { reader }) {
			const id = reader.user.id
			return answer(reader, await store.write(id, editStep(input, reader, rates.commands.take(id))))
		},
		async setRemoved(input, { reader }) {
			const id = reader.user.id
			return answer(reader, await store.write(id, removeStep(input, reader, rates.commands.take(id))))
		},
		async getMessage({ id }, { reader }) {
			const place = standing(store)
			const { message, discussion } = await visible(id, reader)
			const author = (await store.get('users', message.author))!
			const full = mayPutBack(reader, message, discussion)
			return { message: publicMessage(message, full), users: [publicCard(reader.user.role, author)], ...place }
		},
		async listEdits({ id }, { reader }) {
			const place = standing(store)
			const { message, discussion } = await visible(id, reader)
			if (!maySeeEdits(reader, message, discussion)) fail('forbidden', 'Earlier texts are for the writer and the lecturer.')
			const edits = await store.find('edits', 'message', [id], { limit: editsListed })
			return { edits: edits.map(publicEdit), ...place }
		},
	}
}
