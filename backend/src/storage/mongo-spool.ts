/**
 * Where an export from MongoDB waits: what was read while it changed, and what the journal says happened meanwhile.
 *
 * Promises that what comes out is every record once, as it stood after the last entry that was merged in, in the order
 * of `(seq, id)`, in little memory. The file has no name: it goes with the process.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { StoredRecord } from './collections.ts'

export class Spool {
	readonly #db = new DatabaseSync('')
	readonly #read = new Map<string, StatementSync>()
	readonly #merged = new Map<string, StatementSync>()

	/** `folder` has room for a copy of the database. */
	constructor(folder: string, collections: readonly string[]) {
		this.#db.exec(`PRAGMA temp_store_directory='${folder.replaceAll("'", "''")}'; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN`)
		for (const name of collections) {
			this.#db.exec(`
				CREATE TABLE "r_${name}"(seq INTEGER, id TEXT, doc TEXT, PRIMARY KEY (seq, id)) WITHOUT ROWID;
				CREATE TABLE "m_${name}"(id TEXT PRIMARY KEY, seq INTEGER, doc TEXT) WITHOUT ROWID;
			`)
			this.#read.set(name, this.#db.prepare(`REPLACE INTO "r_${name}" VALUES (?, ?, ?)`))
			this.#merged.set(name, this.#db.prepare(`REPLACE INTO "m_${name}" VALUES (?, ?, ?)`))
		}
	}

	/** Takes what was found in the database. */
	add(collection: string, record: StoredRecord): void {
		this.#read.get(collection)!.run(record.seq, record.id, JSON.stringify(record))
	}

	/** Takes what an entry did: it counts, whatever was found. Null: removed. Entries come in their order. */
	merge(collection: string, id: string, record: StoredRecord | null): void {
		this.#merged.get(collection)?.run(id, record?.seq ?? null, record && JSON.stringify(record))
	}

	/** Everything, collection by collection; then the spool is gone. */
	async *records(): AsyncGenerator<{ collection: string; record: StoredRecord }> {
		try {
			for (const collection of this.#read.keys()) {
				this.#db.exec(`CREATE INDEX "o_${collection}" ON "m_${collection}"(seq, id)`)
				const rows = this.#db.prepare(`
					SELECT seq, id, doc FROM "r_${collection}" AS r WHERE NOT EXISTS (SELECT 1 FROM "m_${collection}" AS m WHERE m.id = r.id)
					UNION ALL SELECT seq, id, doc FROM "m_${collection}" WHERE doc IS NOT NULL
					ORDER BY seq, id`)
				let sinceTurn = 0
				for (const { doc } of rows.iterate() as Iterable<{ doc: string }>) {
					yield { collection, record: JSON.parse(doc) }
					if (++sinceTurn % 500 === 0) await new Promise(setImmediate)
				}
			}
		} finally {
			this.close()
		}
	}

	close(): void {
		if (this.#db.isOpen) this.#db.close()
	}
}
