/**
 * Records straight from BSON, against the library's way over parsed documents.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Binary, BSON, Decimal128, Long, ObjectId } from 'mongodb'
import { birthIn, recordIn } from './mongo-bson.ts'
import { type Document, recordOf } from './mongo-documents.ts'

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
