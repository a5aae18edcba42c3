/**
 * What `mongodump --archive` writes: the documents of many collections in turns, each with a checksum at its end.
 *
 * Promises that every collection which the archive announces came to its end, whole and with its checksum, or an error
 * that says which did not. Format: mongo-tools, common/archive (prelude.go, multiplexer.go, parser.go).
 */
import { itemsIn, parseDocument, TERMINATOR } from './bson-stream.ts'

/** The first four bytes. */
export const MAGIC = Buffer.from('6de29981', 'hex')

export interface Namespace {
	database: string
	collection: string
}
export interface Batch extends Namespace {
	documents: Buffer[]
}

/** One collection on its way. */
interface Progressing {
	namespace: Namespace
	checksum: Crc64
	ended: boolean
}

/** Its documents. `announce` is told what is to come, before the first of them. */
export async function* readArchive(chunks: AsyncIterable<Buffer>, announce: (namespaces: Namespace[]) => void): AsyncGenerator<Batch> {
	const all = new Map<string, Progressing>()
	let state: 'header' | 'prelude' | 'between' | 'documents' | 'end' = 'header'
	let one: Progressing | null = null
	for await (const items of itemsIn(afterMagic(chunks), true)) {
		let documents: Buffer[] = []
		for (const item of items) {
			if (state === 'header') {
				if (item === TERMINATOR || typeof parseDocument(item).version !== 'string') throw new Error('it has no header')
				state = 'prelude'
			} else if (state === 'prelude') {
				if (item === TERMINATOR) {
					announce([...all.values()].map(({ namespace }) => namespace))
					state = 'between'
				} else {
					const namespace = namespaceIn(parseDocument(item))
					all.set(keyOf(namespace), { namespace, checksum: new Crc64(), ended: false })
				}
			} else if (state === 'between') {
				if (item === TERMINATOR) throw new Error('it has an end without a beginning')
				const header = parseDocument(item, true)
				one = all.get(keyOf(namespaceIn(header))) ?? null
				if (!one) throw new Error(`it does not announce ${keyOf(namespaceIn(header))}`)
				if (one.ended) throw new Error(`${keyOf(one.namespace)} goes on after its end`)
				if (header.EOF === true) {
					if (header.CRC !== one.checksum.value) throw new Error(`${keyOf(one.namespace)} is not what was dumped (its checksum differs)`)
					one.ended = true
				}
				state = header.EOF === true ? 'end' : 'documents'
			} else if (item === TERMINATOR) {
				if (documents.length > 0) yield { ...one!.namespace, documents }
				documents = []
				state = 'between'
			} else {
				if (state === 'end') throw new Error(`${keyOf(one!.namespace)} goes on after its end`)
				one!.checksum.add(item)
				documents.push(item)
			}
		}
		if (documents.length > 0) yield { ...one!.namespace, documents }
	}
	const open = [...all.values()].find(({ ended }) => !ended)
	if (state === 'header' || state === 'prelude') throw new Error('it is cut')
	if (open || state !== 'between') throw new Error(`it is cut: ${open ? keyOf(open.namespace) : 'its end'} is missing`)
}

const keyOf = ({ database, collection }: Namespace) => `${database}.${collection}`

function namespaceIn({ db, collection }: Record<string, unknown>): Namespace {
	if (typeof db !== 'string' || typeof collection !== 'string') throw new Error('it has a part that belongs to no collection')
	return { database: db, collection }
}

async function* afterMagic(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	let left = MAGIC.length
	for await (const chunk of chunks) {
		if (chunk.length > left) yield chunk.subarray(left)
		left = Math.max(0, left - chunk.length)
	}
}

const [HIGH, LOW] = [new Uint32Array(256), new Uint32Array(256)]
for (let byte = 0; byte < 256; byte++) {
	let [high, low] = [0, byte]
	for (let bit = 0; bit < 8; bit++) {
		const carry = low & 1
		low = (low >>> 1) | (high << 31)
		high >>>= 1
		if (carry) {
			high ^= 0xc96c5795
			low ^= 0xd7870f42
		}
	}
	HIGH[byte] = high
	LOW[byte] = low
}

/** CRC-64/XZ. */
export class Crc64 {
	#high = -1
	#low = -1

	add(bytes: Uint8Array): void {
		let [high, low] = [this.#high, this.#low]
		for (let i = 0; i < bytes.length; i++) {
			const at = (low ^ bytes[i]!) & 0xff
			low = ((low >>> 8) | (high << 24)) ^ LOW[at]!
			high = (high >>> 8) ^ HIGH[at]!
		}
		this.#high = high
		this.#low = low
	}

	/** Signed, as an archive has it. */
	get value(): bigint {
		return (BigInt(~this.#high) << 32n) | BigInt(~this.#low >>> 0)
	}
}
