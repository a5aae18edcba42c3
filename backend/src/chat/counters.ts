/**
 * How many messages a discussion has for a reader, how many of them are unread, and which is the
 * newest: derived data, by group and author.
 *
 * Promises what a count of the records would give, in a few index ranges, however long the
 * discussion is; null while it is being counted anew.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { limits, type Totals } from '../../../protocol/model.ts'
import { leads, type Reader, seesMessageIn, writableGroups } from '../access.ts'
import type { DiscussionRecord, MessageRecord } from '../storage/collections.ts'
import type { Derivation, Derived } from '../storage/derived.ts'

/** An id, or null (for all groups), as 12 or no bytes: there is one row for each message. */
const bytes = (id: string | null) => (id === null ? new Uint8Array() : Buffer.from(id, 'hex'))

export const counters: Derivation = {
	name: 'counters',
	version: 2,
	create(db) {
		db.exec(`
			CREATE TABLE counters(discussion BLOB, audience BLOB, author BLOB, messages INTEGER, removed INTEGER, PRIMARY KEY (discussion, audience, author)) WITHOUT ROWID;
			CREATE TABLE said(discussion BLOB, audience BLOB, seq INTEGER, id BLOB, author BLOB, removed INTEGER, PRIMARY KEY (discussion, audience, seq, id)) WITHOUT ROWID;
		`)
	},
	apply(db, changes) {
		const sums = new Map<string, { record: MessageRecord } & Totals>()
		const add = statement(db, 'INSERT INTO said VALUES (?, ?, ?, ?, ?, ?)')
		const mark = statement(db, 'UPDATE said SET removed = ? WHERE discussion = ? AND audience = ? AND seq = ? AND id = ? AND removed <> ?')
		for (const { collection, id, record: changed, born } of changes) {
			if (collection !== 'messages' || changed === null) continue
			const record = changed as MessageRecord
			const key = `${record.discussion} ${record.group} ${record.author}`
			const sum = sums.get(key) ?? { record, messages: 0, removed: 0 }
			const removed = record.removed ? 1 : 0
			const [discussion, audience] = [bytes(record.discussion), bytes(record.group)]
			if (born) {
				add.run(discussion, audience, record.seq, bytes(id), bytes(record.author), removed)
				sum.messages++
				sum.removed += removed
			} else if (mark.run(removed, discussion, audience, record.seq, bytes(id), removed).changes === 1) sum.removed += removed ? 1 : -1
			else continue
			sums.set(key, sum)
		}
		const count = statement(
			db,
			`INSERT INTO counters VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, removed = removed + excluded.removed`,
		)
		for (const { record, messages, removed } of sums.values()) {
			count.run(bytes(record.discussion), bytes(record.group), bytes(record.author), messages, removed)
		}
	},
}

const prepared = new WeakMap<DatabaseSync, Map<string, StatementSync>>()

/** Statements are made once for each database. */
function statement(db: DatabaseSync, sql: string): StatementSync {
	const known = prepared.get(db) ?? new Map<string, StatementSync>()
	prepared.set(db, known)
	const made = known.get(sql) ?? db.prepare(sql)
	known.set(sql, made)
	return made
}

interface Row extends Totals {
	audience: Uint8Array
	author: Uint8Array
}

function rowsOf(db: DatabaseSync, { id }: DiscussionRecord): Row[] {
	return statement(db, 'SELECT audience, author, messages, removed FROM counters WHERE discussion = ?').all(bytes(id)) as unknown as Row[]
}

const hex = (id: Uint8Array) => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')

/** How many messages of a discussion that she sees the reader sees. Null while they are being counted anew. */
export function totalsFor(derived: Derived, reader: Reader, discussion: DiscussionRecord): Totals | null {
	return derived.read((db) => {
		const totals = { messages: 0, removed: 0 }
		for (const { audience, author, messages, removed } of rowsOf(db, discussion)) {
			if (!seesMessageIn(reader, { author: hex(author), group: hex(audience) || null }, discussion)) continue
			totals.messages += messages
			totals.removed += removed
		}
		return totals
	})
}

/** The audiences whose messages a reader who sees the discussion sees, whoever wrote them. */
function audiencesFor(db: DatabaseSync, reader: Reader, discussion: DiscussionRecord): Uint8Array[] {
	if (!leads(reader, discussion)) return [null, ...writableGroups(reader, discussion)].map(bytes)
	return statement(db, 'SELECT DISTINCT audience FROM counters WHERE discussion = ?')
		.all(bytes(discussion.id))
		.map(({ audience }) => audience as Uint8Array)
}

/**
 * How many messages of others that are not removed came after the entry `upTo`, for a reader who sees the discussion: at
 * most `limits.unreadCounted`. Null while they are being counted anew.
 */
export function unreadFor(derived: Derived, reader: Reader, discussion: DiscussionRecord, upTo: number): number | null {
	return derived.read((db) => {
		const count = statement(
			db,
			`SELECT count(*) AS n FROM (SELECT 1 FROM said
			WHERE discussion = ? AND audience = ? AND seq > ? AND removed = 0 AND author <> ? LIMIT ?)`,
		)
		const [id, me] = [bytes(discussion.id), bytes(reader.user.id)]
		let unread = 0
		for (const audience of audiencesFor(db, reader, discussion)) {
			unread += (count.get(id, audience, upTo, me, limits.unreadCounted - unread) as { n: number }).n
		}
		return unread
	})
}

/** The newest message that a reader who sees the discussion sees there; `id` null: there is none. Null while it is not known. */
export function newestFor(derived: Derived, reader: Reader, discussion: DiscussionRecord): { seq: number; id: string | null } | null {
	return derived.read((db) => {
		const me = bytes(reader.user.id)
		const audiences = audiencesFor(db, reader, discussion)
		const newest = statement(db, 'SELECT seq, id FROM said WHERE discussion = ? AND audience = ? ORDER BY seq DESC, id DESC LIMIT 1')
		const own = statement(
			db,
			'SELECT seq, id FROM said WHERE discussion = ? AND audience = ? AND author = ? ORDER BY seq DESC, id DESC LIMIT 1',
		)
		const found = audiences.map((audience) => newest.get(bytes(discussion.id), audience))
		// What she wrote herself she sees whatever her groups are now.
		const shown = new Set(audiences.map(hex))
		for (const { audience, author } of leads(reader, discussion) ? [] : rowsOf(db, discussion)) {
			if (!shown.has(hex(audience)) && Buffer.compare(author, me) === 0) found.push(own.get(bytes(discussion.id), audience, me))
		}
		let last: { seq: number; id: string | null } = { seq: 0, id: null }
		for (const row of found as ({ seq: number; id: Uint8Array } | undefined)[]) {
			if (row && (row.seq > last.seq || (row.seq === last.seq && hex(row.id) > (last.id ?? '')))) last = { seq: row.seq, id: hex(row.id) }
		}
		return last
	})
}
