/**
 * Whole databases on the embedded engine, and records as BSON.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collections } from './collections.ts'
import { canonical } from './journal.ts'
import { fromBson, toBson } from './mongo-dump.ts'
import { snapshotsContract } from './snapshots.contract.ts'

snapshotsContract('SQLite', () => ({}))

test('[S85] a record comes back from its BSON as it was', () => {
	const record = {
		...{ id: 'a'.repeat(24), seq: 3, rev: 2 ** 40, createdAt: '2026-01-02T03:04:05.678Z', updatedAt: '+012026-01-02T03:04:05.678Z' },
		...{
			Author: '0'.repeat(24),
			a: [],
			b: [null, true, 1.5, -7, 'é\u0000\u{1f600}', { z: 1, y: [{}] }],
			discussion: 'b'.repeat(24),
			ids: 'x',
		},
		...{ removed: { at: '2026-01-02T03:04:05.678Z', by: 'c'.repeat(24) }, text: '', zero: 0 },
	}
	for (const collection in collections) {
		const json = canonical(record)
		assert.equal(JSON.stringify(fromBson(Buffer.from(toBson(collection, json)))), json, collection)
	}
})
