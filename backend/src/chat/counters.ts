/**
 * How many messages a discussion has for a reader: counted once, by group and author, as derived data.
 *
 * Promises totals that count records and name the removed ones, as a count in the database would.
 */
import type { MessageRecord } from '../storage/collections.ts'
import type { Derivation, Derived } from '../storage/derived.ts'

export interface Totals {
	messages: number
	/** Of which removed. */
	removed: number
}

export const counters: Derivation = {
	name: 'counters',
	version: 1,
	create(db) {
		db.exec(`
			CREATE TABLE counters(discussion TEXT, audience TEXT, author TEXT, messages INTEGER, removed INTEGER, PRIMARY KEY (discussion, audience, author)) WITHOUT ROWID;
			CREATE TABLE removed(id TEXT PRIMARY KEY) WITHOUT ROWID;
		`)
	},
	apply(db, changes) {
		const sums = new Map<string, { record: MessageRecord } & Totals>()
		const mark = db.prepare('INSERT OR IGNORE INTO removed VALUES (?)')
		const unmark = db.prepare('DELETE FROM removed WHERE id = ?')
		for (const { collection, id, record: changed, born } of changes) {
			if (collection !== 'messages' || changed === null) continue
			const record = changed as MessageRecord
			const key = `${record.discussion} ${record.group} ${record.author}`
			const sum = sums.get(key) ?? { record, messages: 0, removed: 0 }
			sums.set(key, sum)
			if (born) sum.messages++
			if (record.removed) sum.removed += Number(mark.run(id).changes)
			else if (!born) sum.removed -= Number(unmark.run(id).changes)
		}
		const add = db.prepare(`INSERT INTO counters VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, removed = removed + excluded.removed`)
		for (const { record, messages, removed } of sums.values()) {
			add.run(record.discussion, record.group ?? '', record.author, messages, removed)
		}
	},
}

/**
 * What a reader sees of each discussion: all of it (`groups` null), or what is for her groups, for all, or
 * by herself. Null while the counters are being rebuilt.
 */
export function totalsOf(derived: Derived, discussion: string, reader: { id: string; groups: readonly string[] | null }): Totals | null {
	return derived.read((db) => {
		const rows = db.prepare('SELECT audience, author, messages, removed FROM counters WHERE discussion = ?').all(discussion)
		const totals = { messages: 0, removed: 0 }
		for (const row of rows as unknown as ({ audience: string; author: string } & Totals)[]) {
			const visible = reader.groups === null || row.audience === '' || row.author === reader.id || reader.groups.includes(row.audience)
			if (!visible) continue
			totals.messages += row.messages
			totals.removed += row.removed
		}
		return totals
	})
}
