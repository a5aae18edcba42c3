/**
 * Where an export from MongoDB waits: what was read while it changed, and what the journal says happened meanwhile.
 *
 * Promises that what comes out is every record once, as it stood after the last entry that was merged in, in the order
 * of `(seq, id)`, in 20 bytes of memory a record. The file has no name: it goes with the process.
 */
import { rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { birthIn, recordIn } from './bson.ts'
import type { StoredRecord } from './collections.ts'
import { StorageFull } from './engine.ts'

/** What is read ahead where records lie one after another. */
const AHEAD_BYTES = 512 * 1024

/** Where the documents of a collection lie in the file. */
class Places {
	count = 0
	seqs = new Float64Array(1_024)
	offsets = new Float64Array(1_024)
	sizes = new Uint32Array(1_024)

	push(seq: number, offset: number, size: number): void {
		if (this.count === this.seqs.length) {
			this.seqs = grown(this.seqs, new Float64Array(2 * this.count))
			this.offsets = grown(this.offsets, new Float64Array(2 * this.count))
			this.sizes = grown(this.sizes, new Uint32Array(2 * this.count))
		}
		this.seqs[this.count] = seq
		this.offsets[this.count] = offset
		this.sizes[this.count++] = size
	}

	/** In the order of birth; null where they lie so, as mostly. */
	inOrder(): Uint32Array | null {
		let sorted = true
		for (let i = 1; i < this.count && sorted; i++) sorted = this.seqs[i]! >= this.seqs[i - 1]!
		return sorted ? null : Uint32Array.from({ length: this.count }, (_, i) => i).sort((a, b) => this.seqs[a]! - this.seqs[b]!)
	}
}

function grown<T extends Float64Array | Uint32Array>(from: T, to: T): T {
	to.set(from)
	return to
}

export class Spool {
	readonly #file: FileHandle
	readonly #collections: readonly string[]
	readonly #places = new Map<string, Places>()
	/** By collection and id: what entries did, -1 for a removal. Its places are those of `#merged`. */
	readonly #touched = new Map<string, number>()
	readonly #merged = new Places()
	#end = 0
	#buffer = Buffer.alloc(0)
	#window = { bytes: this.#buffer, offset: 0 }

	private constructor(file: FileHandle, collections: readonly string[]) {
		this.#file = file
		this.#collections = collections
	}

	/** `folder` has room for a copy of the database. */
	static async open(folder: string, collections: readonly string[]): Promise<Spool> {
		const path = join(folder, `.spool-${process.pid}-${performance.now()}`)
		const file = await open(path, 'wx+', 0o600)
		rmSync(path)
		return new Spool(file, collections)
	}

	/** Begins a collection, anew where it was begun before. */
	begin(collection: string): void {
		this.#places.set(collection, new Places())
	}

	/** Takes documents that were found in the database, as BSON. */
	async add(collection: string, documents: readonly Buffer[]): Promise<void> {
		const places = this.#places.get(collection)!
		let end = this.#end
		for (const document of documents) {
			const seq = birthIn(document)
			if (seq !== null) places.push(seq, end, document.length)
			end += document.length
		}
		await this.#write(documents, end)
	}

	/** Takes what an entry did: it counts, whatever was found. Null: removed. Entries come in their order. */
	async merge(collection: string, id: string, record: StoredRecord | null): Promise<void> {
		if (!this.#places.has(collection)) return
		this.#touched.set(`${collection} ${id}`, record ? this.#merged.count : -1)
		if (!record) return
		const bytes = Buffer.from(JSON.stringify(record))
		this.#merged.push(record.seq, this.#end, bytes.length)
		await this.#write([bytes], this.#end + bytes.length)
	}

	/** Everything, collection by collection; then the spool is gone, and `done` is called. */
	async *records(done: () => void): AsyncGenerator<{ collection: string; record: StoredRecord }> {
		// One generator does it all: for each record, another one around it would cost as much as reading it.
		try {
			for (const collection of this.#collections) {
				const found = this.#places.get(collection)!
				const order = found.inOrder()
				const changed = this.#changed(collection)
				let born: StoredRecord[] = []
				for (let at = 0, next = 0, read = 1; at < found.count || next < changed.length; read++) {
					const own = order ? order[at]! : at
					const isFound = at < found.count && !(this.#merged.seqs[changed[next]!]! < found.seqs[own]!)
					const places = isFound ? found : this.#merged
					const place = isFound ? own : changed[next]!
					if (isFound) at++
					else next++
					const there = this.#bytes(places.offsets[place]!, places.sizes[place]!)
					const bytes = there instanceof Promise ? await there : there
					const record: StoredRecord = isFound ? recordIn(bytes) : JSON.parse(bytes.toString())
					if (born.length > 0 && born[0]!.seq !== record.seq) {
						for (const record of byId(born)) yield { collection, record }
						born = []
					}
					if (!isFound || this.#touched.size === 0 || !this.#touched.has(`${collection} ${record.id}`)) born.push(record)
					if (read % 500 === 0) await new Promise(setImmediate)
				}
				for (const record of byId(born)) yield { collection, record }
			}
		} finally {
			done()
			await this.close()
		}
	}

	/** What entries put, in the order of birth. */
	#changed(collection: string): number[] {
		const { seqs } = this.#merged
		const own = [...this.#touched].filter(([key, place]) => place >= 0 && key.startsWith(`${collection} `)).map(([, place]) => place)
		return own.sort((a, b) => seqs[a]! - seqs[b]!)
	}

	close(): Promise<void> {
		return this.#file.close()
	}

	/** Not a promise where the bytes are there already. */
	#bytes(offset: number, size: number): Buffer | Promise<Buffer> {
		const { bytes, offset: start } = this.#window
		if (offset >= start && offset + size <= start + bytes.length) return bytes.subarray(offset - start, offset - start + size)
		return this.#load(offset, size)
	}

	async #load(offset: number, size: number): Promise<Buffer> {
		const wanted = offset >= this.#window.offset ? Math.max(size, AHEAD_BYTES) : size
		// What was read before is not needed any more: one buffer serves all.
		if (this.#buffer.length < wanted) this.#buffer = Buffer.allocUnsafeSlow(wanted)
		const { bytesRead } = await this.#file.read(this.#buffer, 0, wanted, offset)
		this.#window = { bytes: this.#buffer.subarray(0, bytesRead), offset }
		return this.#buffer.subarray(0, size)
	}

	/** Writes up to the place `end`. */
	async #write(parts: readonly Buffer[], end: number): Promise<void> {
		try {
			const { bytesWritten } = await this.#file.writev(parts)
			this.#end += bytesWritten
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
			throw new StorageFull('There is no room for the copy.', { cause: error })
		}
		// As much as there was room for.
		if (this.#end !== end) throw new StorageFull('There is no room for the copy.')
	}
}

/** What one entry brought forth. */
function byId(records: StoredRecord[]): StoredRecord[] {
	return records.length < 2 ? records : records.sort((a, b) => (a.id < b.id ? -1 : 1))
}
