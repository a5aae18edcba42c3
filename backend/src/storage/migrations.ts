/**
 * How older records become today's: numbered changes of form, each safe to apply twice.
 *
 * Promises that records of any older schema are upgraded as they are read or replayed, and
 * rewritten once at start, after a copy of the whole database was made and read back.
 */
import assert from 'node:assert/strict'
import type { StoredRecord } from './collections.ts'
import type { Store } from './store.ts'

export interface Migration {
	/** The schema that records have afterwards. */
	to: number
	/** Per collection: the record in its new form. Must leave a record that has it as it is. */
	upgrade: Readonly<Record<string, (record: StoredRecord) => StoredRecord>>
}

/** A record that has these fields, each as it has it or else as given here. */
const withDefaults = (defaults: object) => (record: StoredRecord) => ({ ...defaults, ...record })

/** In order; the last one's `to` is the schema that this program writes. */
export const migrations: readonly Migration[] = [
	{
		// Pictures, lecturers and erasure of people; categories, collaborators and removal of discussions; files of messages.
		to: 2,
		upgrade: {
			users: withDefaults({ avatar: null, lecturers: [], erasedAt: null, cardRev: 0 }),
			groups: withDefaults({ description: '' }),
			discussions: withDefaults({ category: null, tags: [], collaborators: [], removed: null, leadersBefore: [] }),
			messages: withDefaults({ uploads: [], attachments: [], hasFiles: null }),
		},
	},
]

/** The schema after all of these. */
export function schemaOf(list: readonly Migration[]): number {
	return list.at(-1)?.to ?? 1
}

/** Brings a record from an older schema to the newest. */
export function upgrader(list: readonly Migration[]) {
	return (collection: string, record: StoredRecord, schema: number): StoredRecord =>
		list.reduce((form, { to, upgrade }) => (to > schema && upgrade[collection] ? upgrade[collection](form) : form), record)
}

/** Records of one step: the longest messages there are must fit into a group. */
const MOST = 50

/**
 * Rewrites every record of the collections that changed, in journaled steps of the old schema: killed
 * anywhere, the next start does it again. The caller then writes the first entry of the new schema.
 */
export async function rewriteRecords(store: Store<Record<string, StoredRecord>>, list: readonly Migration[], from: number): Promise<void> {
	const changed = new Set(list.filter(({ to }) => to > from).flatMap(({ upgrade }) => Object.keys(upgrade)))
	let batch: { collection: string; id: string }[] = []
	const write = async () => {
		const ids = batch
		batch = []
		await store.write(null, async (tx) => {
			for (const { collection, id } of ids) {
				const record = await tx.get(collection, id)
				assert(record, `A record of ${collection} went away during the migration.`)
				await tx.put(collection, record)
			}
		})
	}
	const { records } = await store.exportAt()
	for await (const { collection, record } of records) {
		if (!changed.has(collection)) continue
		batch.push({ collection, id: record.id })
		if (batch.length === MOST) await write()
	}
	if (batch.length > 0) await write()
}
