/**
 * A file on its way in: from the request to a partial file, hashed and stripped as it comes.
 *
 * Promises bounded memory for any file; that what it gives was sent completely; and that after an
 * error no partial file is left. Gives it no name and writes no record.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { Failure } from '../errors.ts'
import { Feed, Malformed } from './feed.ts'
import { type Described, formatOf, type PictureFormat, strip } from './strip.ts'

/** What arrived, in a partial file. */
export interface Received {
	/** Of the bytes as they stand in the file. */
	sha256: string
	/** Of the bytes as they were sent: what tells whether it is the same file again. */
	sentDigest: string
	sizeBytes: number
	/** The first bytes, from which its type is told. */
	head: Buffer
	picture: (Described & { format: PictureFormat }) | null
}

const headBytes = 64 * 1024
/** Handed to the disk at once. */
const batchBytes = 256 * 1024
/** Taken from the network before it is asked for. */
const mostAheadBytes = 512 * 1024

/** A picture that can't be taken; `cause` says what is wrong with it, for the curious. */
export function refusedPicture(why: string, hint: string): Failure {
	return new Failure('picture_refused', why, { hint })
}

/** A picture that is broken. */
export function unreadablePicture(): Failure {
	return refusedPicture('This picture can’t be read.', 'It may be damaged. Open it in a picture program and save it anew.')
}

/** The digest and length of a file that stands on the disk. */
export async function digestOf(path: string): Promise<{ sha256: string; sizeBytes: number }> {
	const hash = createHash('sha256')
	let sizeBytes = 0
	for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
		hash.update(chunk as Buffer)
		sizeBytes += (chunk as Buffer).length
	}
	return { sha256: hash.digest('hex'), sizeBytes }
}

/** How a file is received. */
export interface Receiving {
	/** How long it is said to be. */
	sizeBytes: number
	/** Where to; nothing may be there. Null: it is only looked at. */
	path: string | null
	/** After how long a silence it is cut off. */
	silentMs: number
	/** May refuse it by its first bytes. */
	onHead(head: Buffer): void
}

/** Receives a file, and syncs it. */
export async function receive(stream: Readable, { sizeBytes, path, silentMs, onHead }: Receiving): Promise<Received> {
	const file = path === null ? null : openBatches(await open(path, 'wx', 0o640))
	const digests = openDigests()
	const chunks = incoming(stream, silentMs)
	try {
		const feed = new Feed(chunks, {
			keep(bytes, added = false) {
				digests.keep(bytes, added)
				return file?.write(bytes)
			},
			drop: digests.drop,
		})
		const head = Buffer.from(await feed.look(Math.min(headBytes, sizeBytes)))
		onHead(head)
		const format = formatOf(head)
		const described = format ? await strip(feed, format) : null
		await feed.keepRest()
		// The parser of the protocol sees to it; a proxy's mistake would show here.
		if (digests.takenBytes !== sizeBytes) throw new Failure('invalid_input', 'The file is not as long as it was said to be.')
		await file?.sync()
		return { ...digests.end(), head, picture: format && described ? { ...described, format } : null }
	} catch (error) {
		if (!(error instanceof Malformed)) throw error
		throw unreadablePicture()
	} finally {
		chunks.stop()
		await file?.close()
	}
}

/**
 * Digests of what is kept and of what was sent, in one pass: the second is made of what is kept, what is left out, and where.
 * For a file of which nothing is left out they are the same.
 */
function openDigests() {
	const kept = createHash('sha256')
	const dropped = createHash('sha256')
	const places = createHash('sha256')
	let keptBytes = 0
	let droppedBytes = 0
	let addedBytes = 0
	/** What is being left out at this place. */
	let run: { at: number; bytes: number } | null = null
	const endRun = () => {
		if (run) places.update(`${run.at} ${run.bytes};`)
		run = null
	}
	return {
		get takenBytes() {
			return keptBytes - addedBytes + droppedBytes
		},
		keep(bytes: Buffer, added: boolean) {
			endRun()
			if (added) addedBytes += bytes.length
			kept.update(bytes)
			keptBytes += bytes.length
		},
		drop(bytes: Buffer) {
			run ??= { at: keptBytes, bytes: 0 }
			run.bytes += bytes.length
			droppedBytes += bytes.length
			dropped.update(bytes)
		},
		end() {
			endRun()
			const sha256 = kept.digest('hex')
			const parts = [sha256, dropped.digest('hex'), places.digest('hex')]
			const sentDigest = droppedBytes + addedBytes === 0 ? sha256 : createHash('sha256').update(parts.join(' ')).digest('hex')
			return { sha256, sentDigest, sizeBytes: keptBytes }
		},
	}
}

/**
 * The bytes of a request, as they come, so many ahead of whoever takes them. One that stays silent is cut off; one that is not
 * taken to its end stays open for the answer.
 */
function incoming(stream: Readable, silentMs: number): AsyncIterator<Buffer> & { stop(): void } {
	const queue: Buffer[] = []
	let aheadBytes = 0
	let ended = false
	let failure: Failure | null = null
	let wake: (() => void) | null = null
	const tell = () => {
		wake?.()
		wake = null
	}
	const cut = (message: string) => {
		failure ??= new Failure('invalid_input', message, { hint: 'It is sent again.' })
		tell()
	}
	const silence = setTimeout(() => {
		cut('The file stopped coming.')
		stream.destroy()
	}, silentMs)
	const onData = (chunk: Buffer) => {
		queue.push(chunk)
		aheadBytes += chunk.length
		if (aheadBytes > mostAheadBytes) stream.pause()
		silence.refresh()
		tell()
	}
	const onEnd = () => {
		ended = true
		clearTimeout(silence)
		tell()
	}
	const onCut = () => ended || cut('The file was cut off on its way.')
	stream.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut)
	// It may have been cut before anybody listened.
	if (stream.destroyed) onCut()
	return {
		async next() {
			for (;;) {
				const value = queue.shift()
				if (value) {
					aheadBytes -= value.length
					if (aheadBytes <= mostAheadBytes / 2 && stream.isPaused()) stream.resume()
					return { value, done: false }
				}
				if (ended) return { value: undefined, done: true }
				if (failure) throw failure
				await new Promise<void>((resolve) => {
					wake = resolve
				})
			}
		},
		stop() {
			clearTimeout(silence)
			stream.off('data', onData).off('end', onEnd).off('close', onCut)
			queue.length = 0
		},
	}
}

/** Buffers to fill and write; kept, since making and clearing them away costs more than filling them. */
const spare: Buffer[] = []
const sparesKept = 32

/** Writes in large pieces, one of them on its way to the disk while the next is filled. */
function openBatches(handle: FileHandle) {
	let filling = spare.pop() ?? Buffer.allocUnsafeSlow(batchBytes)
	let resting = spare.pop() ?? Buffer.allocUnsafeSlow(batchBytes)
	let filledBytes = 0
	let writing: Promise<void> = Promise.resolve()
	const send = async () => {
		await writing
		writing = writeAll(handle, filling.subarray(0, filledBytes))
		// Its failure is met by whoever waits for it next.
		writing.catch(() => {})
		;[filling, resting] = [resting, filling]
		filledBytes = 0
	}
	const fill = (bytes: Buffer) => {
		const count = bytes.copy(filling, filledBytes)
		filledBytes += count
		return bytes.subarray(count)
	}
	async function writeLong(bytes: Buffer): Promise<void> {
		for (let left = bytes; left.length > 0; ) {
			await send()
			left = fill(left)
		}
	}
	return {
		write(bytes: Buffer): Promise<void> | void {
			const left = fill(bytes)
			if (left.length > 0) return writeLong(left)
		},
		async sync() {
			await send()
			await writing
			await handle.datasync()
		},
		async close() {
			await writing.catch(() => {})
			if (spare.length < sparesKept) spare.push(filling, resting)
			await handle.close()
		},
	}
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
	for (let left = bytes; left.length > 0; ) left = left.subarray((await handle.write(left)).bytesWritten)
}
