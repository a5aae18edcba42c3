/**
 * What was typed and not sent, one draft per discussion, saved as it is typed.
 *
 * Promises that the last text given is the one written, and that at most one write of a
 * discussion is under way, however fast somebody types.
 */
import type { Draft } from '../client.ts'
import type { UserDatabase } from './database.ts'

export interface Drafts {
	/** Null when there is nothing. */
	find(discussion: string): Promise<Draft | null>
	/** Resolves when this draft, or a later one, is on the device. An empty text without staged files deletes. */
	save(discussion: string, draft: Draft): Promise<void>
	/** What is typed from now on is written only once `sending` has ended: until then the draft on the device is what is being sent. */
	hold(discussion: string, sending: Promise<unknown>): void
	/** This text was sent: its draft is not needed any more. */
	sent(discussion: string, text: string): Promise<void>
}

/** Opens a user's drafts; one with staged files and no text counts too. */
export function openDrafts(database: UserDatabase, hasStaged: (discussion: string) => Promise<boolean>): Drafts {
	const newest = new Map<string, Draft>()
	const writing = new Map<string, Promise<void>>()
	const held = new Map<string, Promise<unknown>>()

	async function write(discussion: string) {
		try {
			await held.get(discussion)
			for (let draft = newest.get(discussion); draft; draft = newest.get(discussion)) {
				const { text, replyTo, editing } = draft
				if (text || (replyTo && (await hasStaged(discussion)))) await database.drafts.put({ discussion, text, replyTo, editing })
				else await database.drafts.delete(discussion)
				if (newest.get(discussion) === draft) newest.delete(discussion)
			}
		} finally {
			writing.delete(discussion)
		}
	}

	async function find(discussion: string): Promise<Draft | null> {
		const draft = newest.get(discussion) ?? (await database.drafts.get(discussion))
		if (!draft?.text && !(await hasStaged(discussion))) return null
		const { text = '', replyTo = null, editing = null } = draft ?? {}
		return { text, replyTo, editing }
	}

	function save(discussion: string, draft: Draft) {
		newest.set(discussion, draft)
		const run = writing.get(discussion) ?? write(discussion)
		writing.set(discussion, run)
		return run
	}

	return {
		find,
		save,
		hold(discussion, sending) {
			const ended = sending.then(
				() => {},
				() => {},
			)
			held.set(discussion, ended)
			void ended.then(() => held.get(discussion) === ended && held.delete(discussion))
		},
		async sent(discussion, text) {
			const draft = newest.get(discussion) ?? (await database.drafts.get(discussion))
			if (draft && draft.text.trim() === text) await save(discussion, { text: '', replyTo: null, editing: null })
		},
	}
}
