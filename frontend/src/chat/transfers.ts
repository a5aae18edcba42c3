/**
 * Files on their way to the server, with how far each has come.
 *
 * Promises that files of a message go one after another, in order, each under the id that it
 * got when it was picked, and none that the journal is known to have. Tries each once: the
 * outbox decides when to try again.
 */
import type { Upload } from '../api.ts'
import type { Transfer } from '../client.ts'
import type { Files } from './staged.ts'

export interface Transfers {
	/** Sends those of these files that the journal does not have; resolves with how many they were. Throws as calls do. */
	send(uploads: readonly string[], lineage: string, signal: AbortSignal): Promise<number>
	/** The state of each; the same list until one changes. */
	of(uploads: readonly string[]): readonly Transfer[]
}

/** `changed` runs when a file has come further. */
export function openTransfers(files: Files, upload: Upload, changed: () => void): Transfers {
	const states = new Map<string, Transfer>()
	const lists = new Map<string, readonly Transfer[]>()

	function set(transfer: Transfer) {
		states.set(transfer.id, transfer)
		changed()
	}

	return {
		async send(uploads, lineage, signal) {
			const unsent = await files.unsent(uploads, lineage)
			const left = new Set(unsent.map(({ id }) => id))
			const idle = { sentBytes: 0, sizeBytes: 0 }
			for (const id of uploads) if (!left.has(id)) set({ ...(states.get(id) ?? { ...idle, id }), state: 'sent' })
			for (const { id, name, sizeBytes } of unsent) {
				const bytes = await files.bytesOf(id)
				if (!bytes || signal.aborted) continue
				set({ id, state: 'sending', sentBytes: 0, sizeBytes })
				try {
					const onProgress = (sentBytes: number) => set({ id, state: 'sending', sentBytes: Math.min(sentBytes, sizeBytes), sizeBytes })
					await upload({ id, name, purpose: 'message' }, bytes, { signal, onProgress })
				} catch (error) {
					set({ id, state: signal.aborted ? 'waiting' : 'failed', sentBytes: 0, sizeBytes })
					throw error
				}
				await files.noteSent(id, lineage)
				set({ id, state: 'sent', sentBytes: sizeBytes, sizeBytes })
			}
			return unsent.length
		},
		of(uploads) {
			const sizes = new Map(files.attachments(uploads).map(({ id, sizeBytes }) => [id, sizeBytes]))
			const next = uploads.map((id) => states.get(id) ?? waiting(id, sizes.get(id) ?? 0))
			const name = uploads.join()
			const before = lists.get(name)
			if (before?.every((one, at) => isSame(one, next[at]!))) return before
			lists.set(name, next)
			return next
		},
	}
}

const waiting = (id: string, sizeBytes: number): Transfer => ({ id, state: 'waiting', sentBytes: 0, sizeBytes })

const isSame = (a: Transfer, b: Transfer) =>
	a === b || (a.id === b.id && a.state === b.state && a.sentBytes === b.sentBytes && a.sizeBytes === b.sizeBytes)
