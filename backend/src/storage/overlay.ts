/**
 * Layers of changes that are not committed yet, over committed state.
 *
 * A step has a layer, the group that is forming has one, and the group that is being made
 * durable has one; the newest that knows a record is right. Never touches a database.
 */
import type { StoredRecord } from './collections.ts'
import type { GroupChange, Keys } from './engine.ts'

/** What a layer knows of one record: its newest form, or (`record` null) that it is gone. */
export interface Pending {
	record: StoredRecord | null
	/** The entry that put or removed it. */
	rev: number
	json: string | null
	keys: Keys
	/** Whether there was such a record before this layer, and whether this one was born in it. */
	existed: boolean
	born: boolean
	ordinal: number
}

export class Layer {
	readonly records = new Map<string, Map<string, Pending>>()
	/** Who holds a unique key: an id, or null when the key was freed. */
	readonly unique = new Map<string, string | null>()

	get(collection: string, id: string): Pending | undefined {
		return this.records.get(collection)?.get(id)
	}

	set(collection: string, id: string, pending: Pending): void {
		const ids = this.records.get(collection)
		if (ids) ids.set(id, pending)
		else this.records.set(collection, new Map([[id, pending]]))
	}

	/** Takes over the changes of a layer that lay above this one. */
	absorb(above: Layer): void {
		for (const [collection, ids] of above.records) {
			for (const [id, pending] of ids) {
				const below = this.get(collection, id)
				if (below) {
					pending.existed = below.existed
					if (!pending.born && pending.record) {
						pending.born = below.born
						pending.ordinal = below.ordinal
					}
				}
				this.set(collection, id, pending)
			}
		}
		for (const [key, holder] of above.unique) this.unique.set(key, holder)
	}

	/** What the layer does in the end, record by record. */
	changes(): GroupChange[] {
		const changes: GroupChange[] = []
		for (const [collection, ids] of this.records) {
			for (const [id, { record, rev, json, keys, existed, born, ordinal }] of ids) {
				if (record === null && !existed) continue
				changes.push({ collection, id, seq: record?.seq ?? 0, rev, ordinal, existed, born, json, keys })
			}
		}
		return changes
	}
}

/** The key of `Layer.unique`. */
export function uniqueKey(collection: string, index: string, key: string): string {
	return `${collection}\n${index}\n${key}`
}
