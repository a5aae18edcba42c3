/**
 * The database part of a backup: what `mongodump --gzip` would write, from either engine, in ranges that can be reused.
 *
 * Promises that what is written holds exactly the records of one reading, that a range which did not change is the
 * member of the backup before, checked, and that what is read back was hashed on the way. Knows nothing of folders
 * beside the one it is given. Format: mongo-tools (mongodump/metadata_dump.go, common/db/bson_stream.go); a gzip file
 * may have many members (RFC 1952, section 2.2).
 */
import { createHash, hash } from 'node:crypto'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzipSync } from 'node:zlib'
import { collections, type StoredRecord } from '../storage/collections.ts'
import type { Ends, Page } from '../storage/engine.ts'
import { linesOf } from '../storage/pages.ts'
import { escapeCollection, type Part, type Range } from './format.ts'
import { PacedFile } from './paced.ts'
import { countDocuments, hashOfText, unpacking } from './pack.ts'
import { openPackers, type Packers } from './packers.ts'
import type { Progress } from './progress.ts'
import { Trouble } from './trouble.ts'

/** Where records are read. */
export interface Readable {
	pages(ends: Ends): AsyncIterable<Page>
}

/** A range ends with the page that makes it so many records, or so much text. */
const RANGE = { records: 2_000, bytes: 1024 * 1024 }

const LINE_END = 10

const unzip = promisify(gunzip)
/** What is packed in these bytes. Throws where it is no gzip file, or has more than was said. */
const unpacked = (bytes: Buffer, sizeBytes: number) => unzip(bytes, unpacking(sizeBytes)) as Promise<Buffer>
const sha1 = (text: string) => hash('sha1', text, 'base64url')
const stem = (collection: string) => escapeCollection(collection, sha1)
/** What a restore carries over. */
const kept = Object.keys(collections).filter((name) => !collections[name as keyof typeof collections].volatile)

/** The dump that this one follows: ranges are taken from it where they are the same. */
export interface Previous {
	folder: string
	parts: readonly Part[]
}

export interface DumpOptions {
	/** Exists, and is empty. */
	folder: string
	previous: Previous | null
	/** Sees every record of the collection that it names. */
	watch: Readonly<Record<string, (json: string) => void>>
	progress: Progress
	signal: AbortSignal
}

/** Writes everything of a reading. The files are on the disk when it resolves; their names are not yet. `taken`: what is from the dump before. */
export async function writeDump(reading: Readable, options: DumpOptions): Promise<{ parts: Part[]; taken: ReadonlySet<Range> }> {
	const packers = openPackers()
	const parts = new Map<string, Part>()
	const taken = new Set<Range>()
	let writer: PartWriter | null = null
	let records = 0
	try {
		const begin = async (collection: string) => {
			const before = options.previous?.parts.find(({ name }) => name === collection)
			return PartWriter.open(options.folder, collection, packers, taken, before ? { folder: options.previous!.folder, part: before } : null)
		}
		for await (const page of reading.pages(endsOf(options.previous?.parts ?? [], -1))) {
			options.signal.throwIfAborted()
			const { collection } = page
			if (!kept.includes(collection)) continue
			if (writer?.collection !== collection) {
				if (writer) parts.set(writer.collection, await writer.finish())
				writer = await begin(collection)
			}
			const watch = options.watch[collection]
			if (watch) for (const json of linesOf(page)) watch(json)
			await writer.add(page)
			records += page.records
			options.progress({ doing: 'reading', done: records, total: null, unit: 'records' })
		}
		if (writer) parts.set(writer.collection, await writer.finish())
		for (const name of kept) {
			if (!parts.has(name)) {
				writer = await begin(name)
				parts.set(name, await writer.finish())
			}
			await writeWhole(join(options.folder, `${stem(name)}.metadata.json.gz`), gzipSync(metadataOf(name)))
		}
		return { parts: kept.map((name) => parts.get(name)!), taken }
	} finally {
		await writer?.abandon()
		await packers.close()
	}
}

/** Only the index that every collection has: ours are made anew where they are missing. */
function metadataOf(collectionName: string): string {
	const index = { v: { $numberInt: '2' }, key: { _id: { $numberInt: '1' } }, name: '_id_' }
	return JSON.stringify({ indexes: [index], collectionName, type: 'collection' })
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
	const file = await PacedFile.create(path)
	await file.write(bytes)
	await file.finish()
}

/** The same collection in the dump before. */
interface Before {
	part: Part
	file: FileHandle
}

/** One collection's file as it grows. */
class PartWriter {
	readonly collection: string
	readonly #file: PacedFile
	readonly #packers: Packers
	readonly #before: Before | null
	readonly #taken: Set<Range>
	readonly #ranges: Range[] = []
	/** Ranges on their way into the file, in order. */
	readonly #queue: Promise<() => Promise<void>>[] = []
	/** Up to here each page is a range as it was in the dump before; its last one may have been cut short by its end. */
	readonly #asBefore: number
	/** What the next range has so far, and how much that is. */
	#pages: Page[] = []
	#records = 0
	#bytes = 0

	private constructor(collection: string, file: PacedFile, packers: Packers, taken: Set<Range>, before: Before | null) {
		this.collection = collection
		this.#file = file
		this.#packers = packers
		this.#before = before
		this.#taken = taken
		this.#asBefore = before?.part.ranges.at(-2)?.last ?? -1
	}

	static async open(
		folder: string,
		name: string,
		packers: Packers,
		taken: Set<Range>,
		before: { folder: string; part: Part } | null,
	): Promise<PartWriter> {
		const file = await PacedFile.create(join(folder, `${stem(name)}.bson.gz`))
		// A dump that can't be read is of no use here, and no hindrance.
		const old = before && (await open(join(before.folder, before.part.file)).catch(() => null))
		return new PartWriter(name, file, packers, taken, old && { part: before.part, file: old })
	}

	async add(page: Page): Promise<void> {
		this.#pages.push(page)
		this.#records += page.records
		this.#bytes += page.text.length
		if (page.last <= this.#asBefore || this.#records >= RANGE.records || this.#bytes >= RANGE.bytes) await this.#cut()
	}

	async #cut(): Promise<void> {
		const [first, last, records] = [this.#pages[0]!.first, this.#pages.at(-1)!.last, this.#records]
		const text = joined(this.#pages)
		this.#pages = []
		this.#records = 0
		this.#bytes = 0
		const before = this.#before?.part.ranges.find((range) => range.first === first && range.records === records)
		const packing = async () => {
			const member = before ? await this.#memberOf(before) : null
			const { hash, packed } = await this.#packers.pack({ collection: this.collection, text, known: member && before!.hash })
			return async () => {
				const { sha256, bsonBytes } = packed ?? before!
				const bytes = packed?.member ?? member!
				const range = { first, last, records, offset: this.#file.sizeBytes, sizeBytes: bytes.length, sha256, hash, bsonBytes }
				await this.#file.write(bytes)
				if (!packed) this.#taken.add(range)
				this.#ranges.push(range)
			}
		}
		const packed = packing()
		packed.catch(() => {})
		this.#queue.push(packed)
		if (this.#queue.length >= this.#packers.width) await this.#writeNext()
	}

	/** The member as it lies in the dump before; null when it is not what it was. */
	async #memberOf({ offset, sizeBytes, sha256 }: Range): Promise<Buffer | null> {
		const bytes = await readAt(this.#before!.file, offset, sizeBytes).catch(() => null)
		return bytes && hash('sha256', bytes) === sha256 ? bytes : null
	}

	async #writeNext(): Promise<void> {
		const write = await this.#queue.shift()!
		await write()
	}

	async finish(): Promise<Part> {
		if (this.#pages.length > 0) await this.#cut()
		while (this.#queue.length > 0) await this.#writeNext()
		// An empty file is no gzip file.
		if (this.#ranges.length === 0) await this.#file.write(gzipSync(Buffer.alloc(0)))
		await this.#file.finish()
		await this.#before?.file.close()
		return partOf(this.collection, this.#file.sizeBytes, this.#ranges)
	}

	async abandon(): Promise<void> {
		await this.#file.abandon()
		await this.#before?.file.close().catch(() => {})
	}
}

/** The text of pages that follow one another. */
function joined(pages: readonly Page[]): Uint8Array<ArrayBuffer> {
	if (pages.length === 1) return pages[0]!.text
	const text = new Uint8Array(pages.reduce((sum, page) => sum + page.text.length + 1, -1)).fill(LINE_END)
	let at = 0
	for (const page of pages) {
		text.set(page.text, at)
		at += page.text.length + 1
	}
	return text
}

/** The entries with which the ranges of a dump end; of each collection's up to `count`, as in `slice`. */
function endsOf(parts: readonly Part[], count?: number): Ends {
	return Object.fromEntries(parts.map(({ name, ranges }) => [name, ranges.slice(0, count).map(({ last }) => last)]))
}

function partOf(name: string, sizeBytes: number, ranges: Range[]): Part {
	const records = ranges.reduce((sum, range) => sum + range.records, 0)
	return { name, file: `${stem(name)}.bson.gz`, records, hash: hashOf(ranges), sizeBytes, ranges }
}

/** The content hash of a collection, from those of its ranges. */
function hashOf(ranges: readonly Pick<Range, 'hash'>[]): string {
	const sum = createHash('sha256')
	for (const range of ranges) sum.update(range.hash)
	return sum.digest('hex')
}

async function readAt(file: FileHandle, offset: number, sizeBytes: number): Promise<Buffer<ArrayBuffer>> {
	// With bytes of its own: they go to a thread.
	const bytes = Buffer.allocUnsafeSlow(sizeBytes)
	for (let at = 0; at < sizeBytes; ) {
		const { bytesRead } = await file.read(bytes, at, sizeBytes - at, offset + at)
		if (bytesRead === 0) throw new Error(`it ends after ${offset + at} bytes`)
		at += bytesRead
	}
	return bytes
}

interface Member {
	part: Part
	range: Range
	bytes: Buffer<ArrayBuffer>
}

const wrongIn = (part: Part, why: string) => new Error(`${part.file}: ${why}`)

/** Every member of a dump in order, its bytes as they were written. Throws with what is wrong with which file. */
async function* membersOf(folder: string, parts: readonly Part[], signal: AbortSignal): AsyncGenerator<Member> {
	for (const part of parts) {
		const wrong = (why: string) => wrongIn(part, why)
		const file = await open(join(folder, part.file)).catch((error: NodeJS.ErrnoException) => {
			throw wrong(error.code === 'ENOENT' ? 'it is missing' : `${error.code}`)
		})
		try {
			const { size } = await file.stat()
			if (size !== part.sizeBytes) throw wrong(`it has ${size} bytes, not ${part.sizeBytes}`)
			const records = part.ranges.reduce((sum, range) => sum + range.records, 0)
			if (part.hash !== hashOf(part.ranges) || part.records !== records) throw wrong('the manifest contradicts itself')
			let end = 0
			for (const range of part.ranges) {
				signal.throwIfAborted()
				if (range.offset !== end) throw wrong('the manifest contradicts itself')
				end += range.sizeBytes
				const bytes = await readAt(file, range.offset, range.sizeBytes)
				if (hash('sha256', bytes) !== range.sha256) throw wrong(`bytes ${range.offset} to ${end} are not what was written`)
				// A gzip member ends with the length of what it holds.
				if (bytes.length < 4 || bytes.readUInt32LE(bytes.length - 4) !== range.bsonBytes)
					throw wrong('it holds something else than was written')
				yield { part, range, bytes }
			}
			if (part.ranges.length > 0 ? end !== size : !(await isNothing(await readAt(file, 0, size))))
				throw wrong('it holds more than its ranges')
		} finally {
			await file.close()
		}
	}
}

const isNothing = (member: Buffer) =>
	unpacked(member, 0).then(
		({ length }) => length === 0,
		() => false,
	)

/** What comes of each item in order, while so many more are worked on. */
async function* ahead<T, R>(items: AsyncIterable<T>, width: number, work: (item: T) => Promise<R>): AsyncGenerator<R> {
	const under: Promise<R>[] = []
	for await (const item of items) {
		const result = work(item)
		result.catch(() => {})
		under.push(result)
		if (under.length >= width) yield await under.shift()!
	}
	while (under.length > 0) yield await under.shift()!
}

/** Throws where the file that stands beside a collection's is not what it was. */
async function checkMetadata(folder: string, collection: string): Promise<void> {
	const name = `${stem(collection)}.metadata.json.gz`
	const bytes = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
		throw new Error(`${name}: ${error.code === 'ENOENT' ? 'it is missing' : error.code}`)
	})
	const written = metadataOf(collection)
	const text = (await unpacked(bytes, Buffer.byteLength(written)).catch(() => null))?.toString()
	// What follows the end would not be unpacked: its last bytes are the length.
	if (text !== written || bytes.readUInt32LE(bytes.length - 4) !== text.length) throw new Error(`${name}: it is not what was written`)
}

/** Members that are unpacked at once; the system's own threads do it. */
const UNPACKED_AT_ONCE = 4

/**
 * Reads all of a dump back: every byte is what was written. Gives what is wrong, at most one thing a file. `opens`: members
 * that are unpacked, too, and their documents counted; of the others that is known.
 */
export async function checkDump(
	folder: string,
	parts: readonly Part[],
	opens: (range: Range) => boolean,
	progress: Progress,
	signal: AbortSignal,
): Promise<string[]> {
	const findings: string[] = []
	const total = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
	let done = 0
	for (const part of parts) {
		try {
			await checkMetadata(folder, part.name)
			const read = ahead(membersOf(folder, [part], signal), UNPACKED_AT_ONCE, async ({ range, bytes }) => {
				if (opens(range)) await checkDocuments(part, range, bytes)
				return range
			})
			for await (const { offset } of read) progress({ doing: 'verifying', done: done + offset, total, unit: 'bytes' })
		} catch (error) {
			if (signal.aborted) throw signal.reason
			findings.push((error as Error).message)
		}
		done += part.sizeBytes
	}
	return findings
}

async function checkDocuments(part: Part, range: Range, bytes: Buffer): Promise<void> {
	const records = await unpacked(bytes, range.bsonBytes)
		.then(countDocuments)
		.catch((error) => {
			throw wrongIn(part, error.message)
		})
	if (records !== range.records) throw wrongIn(part, `it holds ${records} records, not ${range.records}`)
}

/**
 * All records of a dump in the order of exports, and their canonical JSON, each hashed as it passes. Throws `Trouble`
 * damaged, named after `name`, as soon as something is not what was backed up: so nothing may be done for good before
 * its end.
 */
export async function* readDump(
	{ name, folder, parts }: { name: string; folder: string; parts: readonly Part[] },
	signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<{ collection: string; record: StoredRecord; json: string }> {
	const packers = openPackers()
	try {
		const read = ahead(membersOf(folder, parts, signal), packers.width, async ({ part, range, bytes }) => {
			const found = await packers.unpack({ member: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), range })
			if ('wrong' in found) throw wrongIn(part, found.wrong)
			return { collection: part.name, text: found.text }
		})
		for await (const { collection, text } of read) {
			for (const json of text.split('\n')) yield { collection, record: JSON.parse(json), json }
		}
	} catch (error) {
		if (signal.aborted || (error as NodeJS.ErrnoException).code === 'ENOSPC') throw error
		throw new Trouble('damaged', { name, what: (error as Error).message }, { cause: error })
	} finally {
		await packers.close()
	}
}

/** Compares a database with a dump, range by range. Gives what is different, by collection. */
export async function compareWithDump(
	reading: Readable,
	parts: readonly Part[],
	progress: Progress,
	signal: AbortSignal,
): Promise<string[]> {
	const left = new Map(parts.map((part) => [part.name, { part, at: 0, records: 0 }]))
	const findings = new Set<string>()
	const total = parts.reduce((sum, { records }) => sum + records, 0)
	let done = 0
	for await (const { collection, records, text } of reading.pages(endsOf(parts))) {
		signal.throwIfAborted()
		const one = left.get(collection)
		if (!one) continue
		one.records += records
		const range = one.part.ranges[one.at++]
		if (range && hashOfText(text) !== range.hash) findings.add(collection)
		done += records
		progress({ doing: 'comparing', done, total, unit: 'records' })
	}
	for (const [name, { part, records }] of left) if (records !== part.records) findings.add(name)
	return [...findings].map((name) => {
		const { part, records } = left.get(name)!
		return `${name}: ${records} records, ${part.records} in the backup${records === part.records ? ', and not the same' : ''}`
	})
}
