/**
 * Bytes going out: ranges, what the browser has already, and headers that let it run nothing.
 *
 * Promises that only what types.ts calls harmless is shown in place. Asks nobody whether the
 * reader may have it: that was decided before.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import type { Bytes } from '../parts.ts'
import { disposition } from './names.ts'
import { isInline } from './types.ts'

/** What is served. */
export interface Served {
	name: string
	type: string
	etag: string
	download: boolean
}

/** One range of bytes, both ends among them; null: all of it; `none`: no such bytes. */
export function rangeOf(header: string | undefined, sizeBytes: number): { start: number; end: number } | null | 'none' {
	const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
	if (!match || (match[1] === '' && match[2] === '')) return null
	const [first, last] = [match[1]!, match[2]!]
	const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
	const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
	if (first !== '' && last !== '' && Number(last) < Number(first)) return null
	return start >= sizeBytes || start > end ? 'none' : { start, end }
}

/** The headers of a file. Only for this reader, and never to be asked for again: the bytes of an id do not change. */
function headersOf({ name, type, etag, download }: Served): Record<string, string> {
	const shown = isInline(type) && !download
	return {
		// What is not shown in place is named nothing that a browser could run.
		'content-type': isInline(type) ? type : 'application/octet-stream',
		'content-disposition': disposition(shown ? 'inline' : 'attachment', name),
		'content-security-policy': "default-src 'none'; sandbox",
		'cross-origin-resource-policy': 'same-origin',
		'cache-control': 'private, max-age=2592000, immutable',
		vary: 'Cookie',
		'accept-ranges': 'bytes',
		etag,
	}
}

function has(etag: string, header: string | undefined): boolean {
	return header !== undefined && (header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag))
}

/** An answer with bytes that are in memory. */
export function serveBuffer(bytes: Buffer, served: Served, asked: IncomingHttpHeaders): Bytes {
	const headers = headersOf(served)
	if (has(served.etag, asked['if-none-match'])) return { status: 304, headers, stream: null }
	return { status: 200, headers: { ...headers, 'accept-ranges': 'none' }, stream: bytes }
}

/** An answer with the bytes of a file; null where it is missing or not as long as it should be. */
export async function serveFile(path: string, sizeBytes: number, served: Served, asked: IncomingHttpHeaders): Promise<Bytes | null> {
	const headers = headersOf(served)
	const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return null
		throw error
	})
	if (!handle) return null
	let streaming = false
	try {
		if ((await handle.stat()).size !== sizeBytes) return null
		if (has(served.etag, asked['if-none-match'])) return { status: 304, headers, stream: null }
		// A part of what the browser has an older form of is of no use to it.
		const current = asked['if-range'] === undefined || asked['if-range'] === served.etag
		const range = current ? rangeOf(asked.range, sizeBytes) : null
		if (range === 'none') {
			return { status: 416, headers: { ...headers, 'content-range': `bytes */${sizeBytes}`, 'cache-control': 'no-store' }, stream: null }
		}
		streaming = true
		const stream = handle.createReadStream({ ...range, highWaterMark: 256 * 1024 })
		if (!range) return { status: 200, headers: { ...headers, 'content-length': String(sizeBytes) }, stream }
		const { start, end } = range
		const part = { 'content-range': `bytes ${start}-${end}/${sizeBytes}`, 'content-length': String(end - start + 1) }
		return { status: 206, headers: { ...headers, ...part }, stream }
	} finally {
		if (!streaming) await close(handle)
	}
}

const close = (handle: FileHandle) => handle.close()
