/**
 * Records straight from and to BSON, against the library's way over parsed documents.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Binary, BSON, Decimal128, Long, ObjectId } from 'mongodb'
import { birthIn, type Document, recordIn, recordOf, writeBson } from './bson.ts'
import { collections } from './collections.ts'
import { canonical } from './journal.ts'
import { keysOf } from './keys.ts'
import { documentOf } from './mongo-documents.ts'

const id = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes))
const time = fc.date({ min: new Date('0000-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const rare = fc.oneof(
	fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
	fc.constant(Decimal128.fromString('1.50')),
	fc.constant(new Binary(Buffer.from('bytes'))),
	fc.constant(/a+/i),
)
const plain = fc.oneof(text, id, time, fc.integer(), fc.double({ noNaN: true }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null))
const value = fc.oneof(
	{ weight: 8, arbitrary: plain },
	{ weight: 2, arbitrary: fc.array(plain, { maxLength: 4 }) },
	{ weight: 2, arbitrary: fc.dictionary(fc.constantFrom('at', 'by', 'é', 'seq'), plain) },
	{ weight: 1, arbitrary: rare },
)
const name = fc.constantFrom('a', 'author', 'id2', 'i', 'ja', 'name', 'sea', 'séance', 'text', 'zz')
const fields = fc.dictionary(name, value, { maxKeys: 8 })

test('[S69] a record that is read straight from BSON is the record of the parsed document', () => {
	fc.assert(
		fc.property(id, fields, fc.nat({ max: 2 ** 40 }), fc.boolean(), (_id, fields, seq, gone) => {
			const sorted = Object.fromEntries(Object.entries({ ...fields, seq, rev: seq + 1 }).sort(([a], [b]) => (a < b ? -1 : 1)))
			const document = { _id, ...(gone ? { rev: seq, gone: true } : { ...sorted, _k: { words: ['x', 'y'], team: { key: 'k', sort: 3 } } }) }
			const bytes = Buffer.from(BSON.serialize(document))
			assert.equal(birthIn(bytes), gone ? null : seq)
			if (gone) return
			const expected = recordOf(BSON.deserialize(bytes) as Document)
			const record = recordIn(bytes)
			assert.deepEqual(record, expected)
			assert.deepEqual(Object.keys(record), Object.keys(expected), 'in the same order')
		}),
		{ numRuns: 2_000 },
	)
})

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
		const bson = writeBson(collection, [json])
		assert.equal(JSON.stringify(recordIn(bson)), json, collection)
		const { _k, ...bare } = documentOf({ ...collections[collection as keyof typeof collections], indexes: {} }, json, {})
		assert.deepEqual(bson, Buffer.from(BSON.serialize(bare)), 'and is what the library writes')
	}
})

const badTime = fc.constantFrom(
	'2024-02-29T00:00:00.000Z',
	'2025-02-29T00:00:00.000Z',
	'2026-01-02T24:00:00.000Z',
	'0099-01-01T00:00:00.000Z',
	'2026-02-30T00:00:00.000Z',
	'2026-13-01T00:00:00.000Z',
	'2026-01-02T03:04:05Z',
	'now',
)
const timeText = fc.oneof(
	time.map((date) => date.toISOString()),
	badTime,
)
const idText = fc.oneof(
	id.map((id) => id.toHexString()),
	text,
)
const json = fc.oneof(fc.jsonValue(), fc.string({ unit: 'grapheme', maxLength: 3_000 }), timeText, idText)

test('[S85] what is written as BSON is what the library writes, whatever stands in a record', () => {
	const one = fc.record({
		id: id.map((id) => id.toHexString()),
		discussion: fc.oneof(idText, json),
		attachments: fc.oneof(fc.array(idText), json),
		removed: fc.oneof(fc.record({ at: timeText, by: idText }), json),
		text: json,
		writtenAt: timeText,
		createdAt: timeText,
		updatedAt: fc.oneof(timeText, json),
	})
	fc.assert(
		fc.property(fc.array(one, { minLength: 1, maxLength: 5 }), (records) => {
			const lines = records.map((record) => canonical(record))
			const spec = { ...collections.messages, indexes: {} }
			const expected = lines.map((line) => {
				const { _k, ...bare } = documentOf(spec, line, keysOf(spec, JSON.parse(line)))
				return BSON.serialize(bare)
			})
			assert.deepEqual(writeBson('messages', lines), Buffer.concat(expected))
		}),
		{ numRuns: 1_000 },
	)
})
