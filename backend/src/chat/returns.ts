/**
 * What comes back after a restore: commands that browsers still hold, offered again.
 *
 * Promises that a message with a valid receipt returns, with its first time, whatever is closed
 * now; that everything else is decided as if it were new; and that each command stands alone.
 */
import type { Output, ParsedInput } from '../../../protocol/api.ts'
import { mayPutBack, publicMessage, type Reader, seesDiscussion, seesMessage } from '../access.ts'
import { Failure, fail, problemOf } from '../errors.ts'
import { type Handlers, type Parts, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { Tx } from '../storage/store.ts'
import type { Receipts } from './receipts.ts'
import { editStep, type Proof, removeStep, sendStep, sentHash, type Written } from './steps.ts'

type Command = ParsedInput<'offerAgain'>['commands'][number]
type Result = Output<'offerAgain'>['results'][number]

/** The step that starts a discussion, as the classroom has it. */
type StartStep = (input: ParsedInput<'startDiscussion'>, reader: Reader, wait: number) => (tx: Tx) => Promise<{ cursor: string | null }>

/** Whether the database has what this command did. */
async function isDone(tx: Tx, { command, input }: Command): Promise<boolean> {
	if (command === 'startDiscussion') return (await tx.get('discussions', input.id)) !== null
	if (command === 'editMessage') return (await tx.get('edits', input.edit)) !== null
	const message = await tx.get('messages', input.id)
	return message !== null && (command === 'sendMessage' || (message.removed !== null) === input.removed)
}

/** The handler of what comes back; `startStep` is how a discussion is started. `refused`: the operator wants nothing back. */
export function openReturns(
	{ store, rates }: Parts,
	receipts: Receipts,
	startStep: StartStep,
	refused: boolean,
): Pick<Handlers, 'offerAgain'> {
	/** What the receipt proves; where the writer left the group open, it tells for which one the message was. */
	async function proofOf(tx: Tx, command: Command, author: string): Promise<Proof | null> {
		if (command.command !== 'sendMessage' || !command.receipt) return null
		const { input, receipt } = command
		const groups = input.group !== undefined ? [input.group] : [null, ...((await tx.get('discussions', input.discussion))?.groups ?? [])]
		const message = { id: input.id, author, discussion: input.discussion, bodyHash: sentHash(input) }
		const group = groups.find((group) => receipts.proves(receipt, { ...message, group }))
		return group === undefined ? null : { createdAt: receipt.createdAt, group }
	}

	/** Whether what the command is about is not there yet, or not for her. */
	async function waits(tx: Tx, command: Command, proof: Proof | null, reader: Reader): Promise<boolean> {
		if (command.command === 'startDiscussion') return false
		const { input } = command
		if (command.command === 'sendMessage') {
			if (await tx.get('messages', input.id)) return false
			const discussion = await tx.get('discussions', command.input.discussion)
			if (!discussion) return true
			// Their bytes are in the browser that offers the message: it sends them first.
			for (const upload of command.input.uploads) if (!(await tx.get('uploads', upload))) return true
			if (proof) return false
			if (!seesDiscussion(reader, discussion)) return true
			return command.input.replyTo !== null && !(await tx.get('messages', command.input.replyTo))
		}
		const message = await tx.get('messages', input.id)
		if (!message) return true
		return message.author !== reader.user.id && !seesMessage(reader, message, (await tx.get('discussions', message.discussion))!)
	}

	function stepOf(command: Command, proof: Proof | null, reader: Reader): (tx: Tx) => Promise<Written | { cursor: string | null }> {
		if (command.command === 'startDiscussion') return startStep(command.input, reader, 0)
		if (command.command === 'sendMessage') return sendStep(command.input, reader, 0, proof)
		return command.command === 'editMessage' ? editStep(command.input, reader, 0) : removeStep(command.input, reader, 0)
	}

	async function offer(command: Command, reader: Reader): Promise<Result> {
		const before = standing(store).cursor
		try {
			const written = await store.write(reader.user.id, async (tx) => {
				if (refused && !(await isDone(tx, command))) {
					fail('returns_refused', 'The school went back to an earlier state, and what was written later is not taken again.', {
						hint: 'Its text stays on this device: copy it, or write it anew.',
					})
				}
				const proof = await proofOf(tx, command, reader.user.id)
				return (await waits(tx, command, proof, reader)) ? null : stepOf(command, proof, reader)(tx)
			})
			if (!written) return { outcome: 'waiting' }
			const result: Result = { outcome: 'done', cursor: written.cursor ?? before }
			if (!('message' in written)) return result
			const { message, discussion } = written
			result.message = publicMessage(message, mayPutBack(reader, message, discussion))
			if (command.command === 'sendMessage') result.receipt = receipts.of(message)
			return result
		} catch (error) {
			if (error instanceof Failure) return { outcome: 'refused', problem: problemOf(error) }
			throw error
		}
	}

	return {
		async offerAgain({ commands }, { reader }) {
			const wait = rates.returns.take(reader.user.id)
			if (wait > 0) tooOften(wait)
			// All at once: the store takes steps in the order in which they are given to it.
			return { results: await Promise.all(commands.map((command) => offer(command, reader))) }
		},
	}
}
