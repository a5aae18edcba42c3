/**
 * How many messages a discussion has for a reader: counted once, by group and author, as derived data.
 *
 * Promises totals that count records and name the removed ones, as a count in the database would.
 */

import type { Totals } from '../../../protocol/model.ts'
import { type Reader, seesMessageIn } from '../access.ts'
import type { DiscussionRecord, MessageRecord } from '../storage/collections.ts'
import type { Derivation, Derived } from '../storage/derived.ts'

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

/** How many messages of a discussion that she sees the reader sees. Null while they are being counted anew. */
export function totalsFor(derived: Derived, reader: Reader, discussion: DiscussionRecord): Totals | null {
	return derived.read((db) => {
		const rows = db.prepare('SELECT audience, author, messages, removed FROM counters WHERE discussion = ?').all(discussion.id)
		const totals = { messages: 0, removed: 0 }
		for (const { audience, author, messages, removed } of rows as unknown as ({ audience: string; author: string } & Totals)[]) {
			if (!seesMessageIn(reader, { author, group: audience || null }, discussion)) continue
			totals.messages += messages
			totals.removed += removed
		}
		return totals
	})
}
