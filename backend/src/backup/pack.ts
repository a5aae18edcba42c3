/**
 * The thread that turns records into one gzip member of a dump, and back.
 *
 * Promises that a member holds the documents of exactly the lines it was given, in their order, and that what is
 * unpacked are the lines that were packed. Imports no driver of a database: a thread is there at once.
 */
import { createHash, hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { gunzipSync, gzipSync } from 'node:zlib'
import { recordIn, writeBson } from '../storage/bson.ts'
import { linesOf } from '../storage/pages.ts'
import type { Range } from './format.ts'

/** `text`: canonical JSON of records, a line each, without a newline at its end. Its bytes travel to a thread, and are gone here. */
export interface PackRequest {
	op: 'pack'
	collection: string
	text: Uint8Array<ArrayBuffer>
	/** Content hash of a range that is packed already; null: there is none. */
	known: string | null
}
export interface Packed {
	/** Content hash of the range. */
	hash: string
	/** Null: it is the known one. */
	packed: { member: Uint8Array<ArrayBuffer>; sha256: string; bsonBytes: number } | null
}
export interface UnpackRequest {
	op: 'unpack'
	member: Uint8Array<ArrayBuffer>
	range: Pick<Range, 'bsonBytes' | 'records' | 'hash'>
}
/** `text` as it was packed; else what is wrong with the member. */
export type Unpacked = { text: string } | { wrong: string }

/** A higher one takes twice the time for a tenth of the bytes. */
const LEVEL = 1
/** More in one range is no dump of ours. */
const MEMBER_BYTES = 512 * 1024 * 1024
/** zlib hands out so much at a time: most members are one piece, packed or not. */
const PIECE = { packedBytes: 256 * 1024, mostBytes: 4 * 1024 * 1024 }

/** The content hash of a range. */
export function hashOfText(text: string | Uint8Array): string {
	return createHash('sha256').update(text).update('\n').digest('hex')
}

/** One gzip member with the documents of these records. */
export function pack({ collection, text, known }: PackRequest): Packed {
	const content = hashOfText(text)
	if (content === known) return { hash: content, packed: null }
	const bson = writeBson(collection, linesOf({ text }))
	const member = new Uint8Array(gzipSync(bson, { level: LEVEL, chunkSize: PIECE.packedBytes }))
	return { hash: content, packed: { member, sha256: hash('sha256', member), bsonBytes: bson.length } }
}

/** How what has so many bytes is unpacked: never into more. */
export const unpacking = (bsonBytes: number) => ({
	maxOutputLength: Math.min(Math.max(1, bsonBytes), MEMBER_BYTES),
	// With room left, or zlib makes another piece to see that nothing follows.
	chunkSize: Math.min(bsonBytes, PIECE.mostBytes) + 64,
})

function sizeAt(bson: Buffer, at: number): number {
	const size = at + 4 <= bson.length ? bson.readInt32LE(at) : 0
	if (size < 5 || at + size > bson.length || bson[at + size - 1] !== 0) throw new Error('a document is cut')
	return size
}

/** How many documents there are. Throws where it is no sequence of whole documents. */
export function countDocuments(bson: Buffer): number {
	let count = 0
	for (let at = 0; at < bson.length; at += sizeAt(bson, at)) count++
	return count
}

/** The lines of a member, when they are those that were backed up. */
export function unpack({ member, range }: UnpackRequest): Unpacked {
	try {
		const bson = gunzipSync(member, unpacking(range.bsonBytes))
		const lines: string[] = []
		for (let at = 0; at < bson.length; ) {
			const end = at + sizeAt(bson, at)
			lines.push(JSON.stringify(recordIn(bson.subarray(at, end))))
			at = end
		}
		const text = lines.join('\n')
		if (lines.length !== range.records || hashOfText(text) !== range.hash) return { wrong: 'its records are not those that were backed up' }
		return { text }
	} catch (error) {
		return { wrong: (error as Error).message }
	}
}

parentPort?.on('message', (request: PackRequest | UnpackRequest) => {
	if (request.op === 'unpack') parentPort!.postMessage(unpack(request))
	else {
		const answer = pack(request)
		parentPort!.postMessage(answer, answer.packed ? [answer.packed.member.buffer] : [])
	}
})
