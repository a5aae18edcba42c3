/**
 * Entries as bytes: canonical JSON, digests, the hash chain, and the check of a whole journal.
 *
 * Promises that a record has one canonical form (RFC 8785: sorted keys, ECMAScript numbers and
 * strings), which is at once what is stored, journaled and hashed; and that erasing a payload
 * leaves the chain verifiable, while its digest gives nothing away (16 random bytes go with it).
 */
import assert from 'node:assert/strict'
import { hash, randomFillSync } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { StoredRecord } from './collections.ts'
import type { Entry, EntryGroup, EntryPut } from './engine.ts'

/** The hash before the first entry of a lineage. */
export const GENESIS = hash('sha256', 'English Chat journal', 'base64url')

/** JSON with sorted keys (RFC 8785). The value must be JSON-able: no undefined in lists, no NaN. */
export function canonical(value: unknown): string {
	return JSON.stringify(sorted(value))
}

/** With sorted keys. What is nested is always a copy: who gave it may still change it. */
function sorted(value: unknown, nested = false): unknown {
	if (typeof value !== 'object' || value === null) return value
	if (Array.isArray(value)) return value.map((item) => sorted(item, true))
	const source = value as Record<string, unknown>
	const keys = Object.keys(source)
	let plain = true
	for (let i = 0; i < keys.length && plain; i++) {
		const item = source[keys[i]!]
		plain = (i === 0 || keys[i - 1]! < keys[i]!) && (typeof item !== 'object' || item === null)
	}
	if (plain) return nested ? { ...source } : value
	const target: Record<string, unknown> = {}
	for (const key of keys.sort()) target[key] = sorted(source[key], true)
	return target
}

/** A record with sorted keys, and its canonical JSON. */
export function canonicalRecord<T extends StoredRecord>(record: T): [record: T, json: string] {
	const copy = sorted(record) as T
	return [copy, JSON.stringify(copy)]
}

const pool = Buffer.alloc(16 * 4096)
let poolUsed = pool.length

function newSalt(): string {
	if (poolUsed === pool.length) {
		randomFillSync(pool)
		poolUsed = 0
	}
	poolUsed += 16
	return pool.toString('base64url', poolUsed - 16, poolUsed)
}

function digest(salt: string, json: string): string {
	return hash('sha256', salt + json, 'base64url')
}

/** Makes the journal's part of a put from a record and its canonical JSON. */
export function entryPut(collection: string, record: StoredRecord, json: string): EntryPut {
	const salt = newSalt()
	return { collection, id: record.id, record, salt, digest: digest(salt, json) }
}

function chain(previous: string, entry: Omit<Entry, 'hash'>): string {
	const { lineage, seq, term, at, by, schema } = entry
	const puts = entry.puts.map((put) => [put.collection, put.id, put.digest])
	const removes = entry.removes.map((remove) => [remove.collection, remove.id])
	return hash('sha256', previous + JSON.stringify([lineage, seq, term, at, by, schema, puts, removes]), 'base64url')
}

/** Seals an entry: its hash follows from the previous one's. */
export function sealEntry(previous: string, entry: Omit<Entry, 'hash'>): Entry {
	return { ...entry, hash: chain(previous, entry) }
}

/** One line of a group: canonical JSON without lineage, term and schema, the records' JSON taken as it is. */
export function entryLine(entry: Entry, json: readonly string[]): string {
	const puts = entry.puts.map((put, i) => {
		const record = put.record === null ? 'null' : json[i]
		const salt = put.salt === null ? 'null' : `"${put.salt}"`
		return `{"collection":"${put.collection}","digest":"${put.digest}","id":"${put.id}","record":${record},"salt":${salt}}`
	})
	const removes = entry.removes.length ? canonical(entry.removes) : '[]'
	const by = entry.by === null ? 'null' : `"${entry.by}"`
	return `{"at":"${entry.at}","by":${by},"hash":"${entry.hash}","puts":[${puts.join(',')}],"removes":${removes},"seq":${entry.seq}}`
}

/** Reads the lines of a group back. Throws where they are not what `entryLine` wrote. */
export function parseLines(group: Pick<EntryGroup, 'lineage' | 'term' | 'schema'>, body: string): Entry[] {
	const { lineage, term, schema } = group
	return body.split('\n').map((line) => {
		const { at, by, hash, puts, removes, seq } = JSON.parse(line)
		assert(Number.isInteger(seq) && typeof hash === 'string' && Array.isArray(puts), 'A journal line is damaged.')
		return { lineage, seq, term, at, by, schema, puts, removes, hash }
	})
}

/** The lines of a group as they are kept: compressed, since they say again what the records say. */
export const packLines = (body: string): Uint8Array => deflateRawSync(body, { level: 1 })
export const unpackLines = (packed: Uint8Array): string => inflateRawSync(packed).toString()

/** Whether the lines of a group name any of these records. */
export function namesAny(body: string, ids: ReadonlySet<string>): boolean {
	for (const [, id] of body.matchAll(/"([0-9a-f]{24})"/g)) if (ids.has(id!)) return true
	return false
}

/** Blanks the payloads of the entries' puts that `erased` names, and makes their lines anew. */
export function eraseLines(
	group: Pick<EntryGroup, 'lineage' | 'term' | 'schema'>,
	body: string,
	erased: (put: EntryPut, seq: number) => boolean,
): string {
	return parseLines(group, body)
		.map((entry) => {
			for (const put of entry.puts) if (erased(put, entry.seq)) Object.assign(put, { record: null, salt: null })
			return entryLine(
				entry,
				entry.puts.map((put) => canonical(put.record)),
			)
		})
		.join('\n')
}

/**
 * Checks entries that follow each other: numbers without gap, the chain of hashes, the digest of every
 * payload that is still there. Throws at the first that is wrong; returns the last hash.
 */
export async function verifyEntries(
	entries: AsyncIterable<Entry> | Iterable<Entry>,
	start: { seq: number; hash: string },
): Promise<string> {
	let { seq, hash: previous } = start
	for await (const entry of entries) {
		assert.equal(entry.seq, seq + 1, `The journal has a gap after entry ${seq}.`)
		assert.equal(chain(previous, entry), entry.hash, `The hash of entry ${entry.seq} does not follow from the one before.`)
		for (const put of entry.puts) {
			if (put.record === null || put.salt === null) continue
			assert.equal(digest(put.salt, canonical(put.record)), put.digest, `A record in entry ${entry.seq} is not what was written.`)
		}
		seq = entry.seq
		previous = entry.hash
	}
	return previous
}
