/**
 * Records as BSON documents (https://bsonspec.org), written and read without a parsed document in between: a copy of a
 * whole database spends its time on nothing else.
 *
 * Promises that a record comes back as it was given, its fields in their canonical order; what is written and read is
 * what the library would write and read. Leaves to the library what is rare. Knows no database.
 */
import assert from 'node:assert/strict'
import { BSON, type ObjectId } from 'bson'
import { type CollectionSpec, collections, type StoredRecord } from './collections.ts'

const TYPE = { double: 1, text: 2, document: 3, list: 4, id: 7, bool: 8, time: 9, null: 10, int: 16 }
/** Bytes of a value; of texts, documents and lists the length stands before them. */
const SIZES: Record<number, number> = { [TYPE.double]: 8, [TYPE.id]: 12, [TYPE.bool]: 1, [TYPE.time]: 8, [TYPE.null]: 0, [TYPE.int]: 4 }

const TIME_FORM = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
/** The most bytes that a UTF-16 unit takes in UTF-8. */
const UNIT_BYTES = 3

/** A record, or (`gone`) the tombstone of one: what was removed by `rev`, so that no late form brings it back. */
export interface Document {
	_id: ObjectId
	seq?: number
	rev: number
	gone?: true
	/** Per index the record's keys; where the index has a sort field, `{ key, sort }`. */
	_k?: Record<string, unknown>
	[field: string]: unknown
}

/** Whether this can be the id of a document. */
export const isId = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{24}$/.test(value)

/** The time, in ms, of a text that comes back as it is from a date; null for every other value. */
export function timeOf(value: unknown): number | null {
	if (typeof value !== 'string' || !TIME_FORM.test(value)) return null
	const number = (from: number, to: number) => {
		let sum = 0
		for (let i = from; i < to; i++) sum = 10 * sum + value.charCodeAt(i) - 48
		return sum
	}
	const [year, month, day] = [number(0, 4), number(5, 7), number(8, 10)]
	const [hour, minute, second] = [number(11, 13), number(14, 16), number(17, 19)]
	// `Date.UTC` takes small years for others, and what there is not for what follows it.
	if (year < 100 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return null
	const ms = Date.UTC(year, month - 1, day, hour, minute, second, number(20, 23))
	return day <= 28 || new Date(ms).getUTCDate() === day ? ms : null
}

// Writing.

/** Which fields hold ids and times; those of a field's own fields lie under it. */
type Kinds = Map<string, 'id' | 'time' | Kinds>

function kindsOf(spec: Pick<CollectionSpec, 'ids' | 'times'>): Kinds {
	const kinds: Kinds = new Map()
	const add = (path: string, kind: 'id' | 'time') => {
		const names = path.split('.')
		const last = names.pop()!
		let at = kinds
		for (const name of names) {
			const below = at.get(name) ?? new Map()
			assert(typeof below !== 'string', `${path} is within an id or a time.`)
			at.set(name, below)
			at = below
		}
		at.set(last, kind)
	}
	for (const path of spec.ids) add(path, 'id')
	for (const path of [...spec.times, 'createdAt', 'updatedAt']) add(path, 'time')
	return kinds
}

/** The documents of records of one collection, one after another, from their canonical JSON: ids are ObjectIds in them, times dates. */
export function writeBson(collection: string, lines: readonly string[]): Buffer {
	const kinds = kindsOf(collections[collection as keyof typeof collections])
	const writer = new Writer(lines.reduce((bytes, { length }) => bytes + length, 1024))
	for (const line of lines) writer.add(JSON.parse(line) as StoredRecord, kinds)
	return writer.take()
}

class Writer {
	#bytes: Buffer
	#at = 0

	/** `expected`: about so many bytes will come. */
	constructor(expected: number) {
		this.#bytes = Buffer.allocUnsafeSlow(expected)
	}

	add(record: StoredRecord, kinds: Kinds): void {
		const start = this.#begin()
		this.#head(TYPE.id, '_id')
		this.#id(record.id)
		this.#fields(record as unknown as Record<string, unknown>, kinds, 'id')
		this.#end(start)
	}

	take(): Buffer {
		return this.#bytes.subarray(0, this.#at)
	}

	#fields(fields: Record<string, unknown>, kinds: Kinds | undefined, except?: string): void {
		for (const name in fields) if (name !== except) this.#value(name, fields[name], kinds?.get(name))
	}

	#value(name: string, value: unknown, kind: 'id' | 'time' | Kinds | undefined): void {
		if (typeof value === 'string') {
			const time = kind === 'time' ? timeOf(value) : null
			if (kind === 'id' && isId(value)) {
				this.#head(TYPE.id, name)
				this.#id(value)
			} else if (time !== null) {
				this.#head(TYPE.time, name)
				const high = Math.floor(time / 2 ** 32)
				this.#at = this.#bytes.writeUInt32LE(time - high * 2 ** 32, this.#at)
				this.#at = this.#bytes.writeInt32LE(high, this.#at)
			} else {
				this.#head(TYPE.text, name)
				this.#text(value)
			}
		} else if (value === null) this.#head(TYPE.null, name)
		else if (typeof value === 'number') {
			const isInt = (value | 0) === value && !Object.is(value, -0)
			this.#head(isInt ? TYPE.int : TYPE.double, name)
			this.#at = isInt ? this.#bytes.writeInt32LE(value, this.#at) : this.#bytes.writeDoubleLE(value, this.#at)
		} else if (typeof value === 'boolean') {
			this.#head(TYPE.bool, name)
			this.#bytes[this.#at++] = value ? 1 : 0
		} else {
			this.#head(Array.isArray(value) ? TYPE.list : TYPE.document, name)
			const start = this.#begin()
			if (Array.isArray(value))
				for (let i = 0; i < value.length; i++) this.#value(String(i), value[i], typeof kind === 'string' ? kind : undefined)
			else this.#fields(value as Record<string, unknown>, typeof kind === 'object' ? kind : undefined)
			this.#end(start)
		}
	}

	/** Room for so many bytes and for what else a value may need. */
	#room(bytes: number): void {
		const needed = this.#at + bytes + 64
		if (needed <= this.#bytes.length) return
		const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length))
		this.#bytes.copy(larger, 0, 0, this.#at)
		this.#bytes = larger
	}

	#head(type: number, name: string): void {
		assert(!name.includes('\0'), 'A name in BSON ends with its first zero.')
		this.#room(name.length * UNIT_BYTES)
		this.#bytes[this.#at++] = type
		this.#at += this.#bytes.write(name, this.#at)
		this.#bytes[this.#at++] = 0
	}

	#text(text: string): void {
		this.#room(text.length * UNIT_BYTES)
		const length = this.#bytes.write(text, this.#at + 4)
		this.#bytes.writeInt32LE(length + 1, this.#at)
		this.#at += 4 + length
		this.#bytes[this.#at++] = 0
	}

	#id(id: string): void {
		this.#at += this.#bytes.write(id, this.#at, 'hex')
	}

	/** Leaves room for the length, and gives where. */
	#begin(): number {
		this.#room(0)
		this.#at += 4
		return this.#at - 4
	}

	#end(start: number): void {
		this.#room(0)
		this.#bytes[this.#at++] = 0
		this.#bytes.writeInt32LE(this.#at - start, start)
	}
}

// Reading.

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

/** The record of a document: fields in their canonical order, ids and times as text. */
export function recordOf(document: Document): StoredRecord {
	const record: Record<string, unknown> = {}
	const id = document._id.toHexString()
	let named = false
	for (const key in document) {
		if (key === '_id' || key === '_k') continue
		if (!named && key > 'id') {
			record.id = id
			named = true
		}
		record[key] = plain(document[key])
	}
	if (!named) record.id = id
	return record as unknown as StoredRecord
}

function plain(value: unknown): unknown {
	if (typeof value !== 'object' || value === null) return value
	// Of whichever copy of the library.
	if ((value as Partial<ObjectId>)._bsontype === 'ObjectId') return (value as ObjectId).toHexString()
	if (value instanceof Date) return value.toISOString()
	if (Array.isArray(value)) return value.map(plain)
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
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

/** Fields have few names. */
const names = new Map<number, string>()

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

const DAY_MS = 24 * 60 * 60 * 1_000
const twoDigits = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))
/** Records of one day lie side by side. */
let lastDay = { day: Number.NaN, text: '' }

/** As `toISOString` has it, which takes several times as long. */
function timeIn(ms: number): string {
	const day = Math.floor(ms / DAY_MS)
	if (day !== lastDay.day) lastDay = { day, text: new Date(day * DAY_MS).toISOString().slice(0, -13) }
	const rest = ms - day * DAY_MS
	const seconds = Math.floor(rest / 1_000)
	const minutes = Math.floor(seconds / 60)
	const [hour, minute, second] = [twoDigits[Math.floor(minutes / 60)], twoDigits[minutes % 60], twoDigits[seconds % 60]]
	const part = rest - seconds * 1_000
	return `${lastDay.text}${hour}:${minute}:${second}.${part < 100 ? '0' : ''}${part < 10 ? '0' : ''}${part}Z`
}
