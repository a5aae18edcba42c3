/**
 * BSON documents from a stream of bytes, as mongodump writes them one after another.
 *
 * Promises whole documents that can be read, or an error that says what is wrong; never holds more than one document
 * and one chunk. Format: https://bsonspec.org, mongo-tools (common/db/bson_stream.go).
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { BSON } from 'bson'

const DOCUMENT_BYTES = 16 * 1024 * 1024
/** Stands for the four bytes between the parts of an archive. */
export const TERMINATOR = null

/** The bytes of a file, unpacked where they are packed. Throws with what is wrong with it, in words. */
export async function* bytesOf(path: string, packed: boolean, signal: AbortSignal): AsyncGenerator<Buffer> {
	const source = createReadStream(path, { highWaterMark: 256 * 1024 })
	try {
		if (!packed) return yield* source
		const unpacking = createGunzip({ chunkSize: 256 * 1024 })
		// What goes wrong here goes wrong below.
		pipeline(source, unpacking, { signal }).catch(() => {})
		yield* unpacking
	} catch (error) {
		signal.throwIfAborted()
		throw inWords(error)
	} finally {
		source.destroy()
	}
}

function inWords(error: unknown): unknown {
	const { code = '' } = error as NodeJS.ErrnoException
	if (code === 'Z_BUF_ERROR') return new Error('it is cut', { cause: error })
	if (code.startsWith('Z_')) return new Error("it can't be unpacked", { cause: error })
	if (/^E[A-Z]+$/.test(code)) return new Error(`it can't be read (${code})`, { cause: error })
	return error
}

/** Batches of whole documents; `TERMINATOR` between them only where it is an archive. */
export function itemsIn(chunks: AsyncIterable<Buffer>, archive: true): AsyncGenerator<(Buffer | typeof TERMINATOR)[]>
export function itemsIn(chunks: AsyncIterable<Buffer>, archive?: false): AsyncGenerator<Buffer[]>
export async function* itemsIn(chunks: AsyncIterable<Buffer>, archive = false): AsyncGenerator<(Buffer | typeof TERMINATOR)[]> {
	let parts: Buffer[] = []
	let held = 0
	let needed = 4
	for await (const chunk of chunks) {
		parts.push(chunk)
		held += chunk.length
		if (held < needed) continue
		const bytes = parts.length === 1 ? chunk : Buffer.concat(parts)
		const items: (Buffer | typeof TERMINATOR)[] = []
		let at = 0
		needed = 4
		while (at + 4 <= bytes.length) {
			const size = bytes.readInt32LE(at)
			if (archive && size === -1) {
				items.push(TERMINATOR)
				at += 4
				continue
			}
			if (size < 5 || size > DOCUMENT_BYTES) throw new Error('a document has a size that can not be')
			if (at + size > bytes.length) {
				needed = size
				break
			}
			if (bytes[at + size - 1] !== 0) throw new Error('a document does not end where it should')
			items.push(bytes.subarray(at, at + size))
			at += size
		}
		parts = at < bytes.length ? [bytes.subarray(at)] : []
		held = bytes.length - at
		yield items
	}
	if (held > 0) throw new Error('its last document is cut')
}

/** What a document says. `exact`: long numbers as they are. Throws where it can't be read. */
export function parseDocument(bytes: Buffer, exact = false): Record<string, unknown> {
	try {
		return BSON.deserialize(bytes, { useBigInt64: exact })
	} catch (error) {
		throw new Error('a document can not be read', { cause: error })
	}
}

/** Whether it says in words what is wrong with what was read: no defect of the program. */
export const isFinding = (error: unknown): error is Error => error instanceof Error && error.constructor === Error
