/**
 * Records straight from BSON: a copy of a whole database spends its time on nothing else.
 *
 * Promises the same record as `recordOf` of the parsed document (https://bsonspec.org); leaves to the library what is
 * rare. Never writes BSON.
 */
import { BSON } from 'mongodb'
import type { StoredRecord } from './collections.ts'
import { type Document, recordOf } from './mongo-documents.ts'

const TYPE = { double: 1, text: 2, document: 3, list: 4, id: 7, bool: 8, time: 9, null: 10, int: 16 }
/** Bytes of a value; of texts, documents and lists the length stands before them. */
const SIZES: Record<number, number> = { [TYPE.double]: 8, [TYPE.id]: 12, [TYPE.bool]: 1, [TYPE.time]: 8, [TYPE.null]: 0, [TYPE.int]: 4 }

class Rare extends Error {}

/** The `seq` of a record's document; null for a tombstone, which has none. */
export function birthIn(bytes: Buffer): number | null {
	for (let at = 4; bytes[at] !== 0; ) {
		const type = bytes[at]!
		const end = bytes.indexOf(0, at + 1)
		const size = sizeOf(bytes, type, end + 1)
		if (size === null) return (BSON.deserialize(bytes) as Document).seq ?? null
		// The name is `seq`.
		if (end === at + 4 && bytes[at + 1] === 115 && bytes[at + 2] === 101 && bytes[at + 3] === 113) {
			return type === TYPE.int ? bytes.readInt32LE(end + 1) : bytes.readDoubleLE(end + 1)
		}
		at = end + 1 + size
	}
	return null
}

function sizeOf(bytes: Buffer, type: number, at: number): number | null {
	if (type === TYPE.text) return 4 + bytes.readInt32LE(at)
	if (type === TYPE.document || type === TYPE.list) return bytes.readInt32LE(at)
	return SIZES[type] ?? null
}

/** The record of a document that is not a tombstone. */
export function recordIn(bytes: Buffer): StoredRecord {
	try {
		const record: Record<string, unknown> = {}
		const id = bytes.toString('hex', 9, 21)
		let named = false
		walk(bytes, 21, bytes.readInt32LE(0) - 1, (name, value) => {
			if (!named && name > 'id') {
				record.id = id
				named = true
			}
			if (name !== '_k') record[name] = value
		})
		if (!named) record.id = id
		return record as unknown as StoredRecord
	} catch (error) {
		if (error instanceof Rare) return recordOf(BSON.deserialize(bytes) as Document)
		throw error
	}
}

function walk(bytes: Buffer, from: number, to: number, take: (name: string, value: unknown) => void): void {
	for (let at = from; at < to; ) {
		const type = bytes[at]!
		const end = bytes.indexOf(0, at + 1)
		const start = end + 1
		const size = sizeOf(bytes, type, start)
		if (size === null) throw new Rare()
		const name = nameIn(bytes, at + 1, end)
		take(name, name === '_k' ? null : valueIn(bytes, type, start, size))
		at = start + size
	}
}

function valueIn(bytes: Buffer, type: number, at: number, size: number): unknown {
	switch (type) {
		case TYPE.text:
			return bytes.toString('utf8', at + 4, at + size - 1)
		case TYPE.id:
			return bytes.toString('hex', at, at + 12)
		case TYPE.time:
			return timeIn(bytes.readInt32LE(at + 4) * 0x1_0000_0000 + bytes.readUInt32LE(at))
		case TYPE.int:
			return bytes.readInt32LE(at)
		case TYPE.null:
			return null
		case TYPE.bool:
			return bytes[at] === 1
		case TYPE.double:
			return bytes.readDoubleLE(at)
		case TYPE.list: {
			const list: unknown[] = []
			walk(bytes, at + 4, at + size - 1, (_, value) => list.push(value))
			return list
		}
		default: {
			const fields: Record<string, unknown> = {}
			walk(bytes, at + 4, at + size - 1, (name, value) => {
				fields[name] = value
			})
			return fields
		}
	}
}

/** Fields have few names, and one record's times are mostly one time. */
const names = new Map<number, string>()
let lastTime = { ms: Number.NaN, text: '' }

function nameIn(bytes: Buffer, from: number, to: number): string {
	let hash = to - from
	for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
	const known = names.get(hash)
	if (known !== undefined && isName(bytes, from, to, known)) return known
	const name = bytes.toString('utf8', from, to)
	if (names.size < 1_000) names.set(hash, name)
	return name
}

function isName(bytes: Buffer, from: number, to: number, name: string): boolean {
	if (name.length !== to - from) return false
	for (let i = from; i < to; i++) if (bytes[i] !== name.charCodeAt(i - from)) return false
	return true
}

function timeIn(ms: number): string {
	if (lastTime.ms !== ms) lastTime = { ms, text: new Date(ms).toISOString() }
	return lastTime.text
}
