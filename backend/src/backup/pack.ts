/**
 * The thread that turns records into one gzip member of a dump, and back.
 *
 * Promises that the member holds the documents of exactly the lines it was given, in their order.
 */
import { hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { toBson } from '../storage/open.ts'

export interface PackRequest {
	collection: string
	/** Canonical JSON, a line each. */
	lines: string[]
}

export interface Packed {
	member: Uint8Array<ArrayBuffer>
	sha256: string
	bsonBytes: number
}

/** A higher one takes twice the time for a tenth of the bytes. */
const LEVEL = 1

/** One gzip member with the documents of these records. */
export function pack({ collection, lines }: PackRequest): Packed {
	const bson = Buffer.concat(lines.map((line) => toBson(collection, line)))
	const member = new Uint8Array(gzipSync(bson, { level: LEVEL }))
	return { member, sha256: hash('sha256', member), bsonBytes: bson.length }
}

parentPort?.on('message', (request: PackRequest) => {
	const packed = pack(request)
	parentPort!.postMessage(packed, [packed.member.buffer])
})
