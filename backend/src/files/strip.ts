/**
 * Pictures without what they say of the person who took them: EXIF with its position, XMP, comments, texts.
 *
 * Promises that the picture itself stays as it is, byte for byte; that nothing is left which is not
 * needed to show it, also none of what stands after its end; and that its size and which way is up are
 * told. Only what is known to be needed is kept. Decodes nothing.
 */
import { type Feed, Malformed } from './feed.ts'

export type PictureFormat = 'jpeg' | 'png' | 'gif' | 'webp'

/** What a picture says of itself. */
export interface Described {
	width: number
	height: number
	/** As EXIF counts: 1 is upright, 2 to 8 turned or mirrored. */
	orientation: number
}

/** Which picture these first bytes begin; null: none that can be stripped. */
export function formatOf(head: Buffer): PictureFormat | null {
	if (head.length >= 3 && head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'jpeg'
	if (head.subarray(0, 8).equals(pngSignature)) return 'png'
	const name = head.toString('latin1', 0, 12)
	if (/^GIF8[79]a/.test(name)) return 'gif'
	return name.startsWith('RIFF') && name.endsWith('WEBP') && name.length === 12 ? 'webp' : null
}

const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex')

/** Lets a picture through without its metadata. Throws `Malformed`. What follows its end is left out. */
export async function strip(feed: Feed, format: PictureFormat): Promise<Described> {
	const described = await strippers[format](feed)
	if (described.width < 1 || described.height < 1) throw new Malformed('It has no size.')
	await feed.dropRest()
	return described
}

const strippers: Record<PictureFormat, (feed: Feed) => Promise<Described>> = { jpeg, png, gif, webp }

// JPEG: segments, and between them the coded picture.

async function jpeg(feed: Feed): Promise<Described> {
	const found: Described = { width: 0, height: 0, orientation: 1 }
	await feed.keep(2)
	for (;;) {
		const [prefix, marker] = (await feed.need(2)) as unknown as [number, number]
		if (prefix !== 0xff || marker === 0) throw new Malformed('A segment is missing.')
		if (marker === 0xff) {
			await feed.drop(1)
			continue
		}
		if (marker === 0xd9) {
			await feed.keep(2)
			return found
		}
		if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) throw new Malformed('A marker stands in a wrong place.')
		const length = 2 + (await feed.need(4)).readUInt16BE(2)
		if (length < 4) throw new Malformed('A segment is too short.')
		const segment = await feed.need(length)
		if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
			if (length < 9) throw new Malformed('The frame is too short.')
			found.height = segment.readUInt16BE(5)
			found.width = segment.readUInt16BE(7)
		}
		if (marker === 0xe1 && segment.toString('latin1', 4, 10) === 'Exif\0\0') found.orientation = orientationIn(segment.subarray(10))
		if (isNeeded(marker, segment)) await feed.keep(length)
		else await feed.drop(length)
		if (marker === 0xda) await keepScan(feed)
	}
}

/** Of the application segments: what the colours need. Comments: none. */
function isNeeded(marker: number, segment: Buffer): boolean {
	// With a small picture of its own it is longer.
	if (marker === 0xe0) return segment.length === 18 && segment.toString('latin1', 4, 9) === 'JFIF\0'
	if (marker === 0xe2) return segment.toString('latin1', 4, 16) === 'ICC_PROFILE\0'
	if (marker === 0xee) return segment.length === 16 && segment.toString('latin1', 4, 9) === 'Adobe'
	return !(marker >= 0xe1 && marker <= 0xef) && marker !== 0xfe
}

/** Keeps coded data up to the next real marker. */
async function keepScan(feed: Feed): Promise<void> {
	for (;;) {
		const bytes = await feed.here()
		if (bytes.length === 0) throw new Malformed('It ends too early.')
		let at = bytes.indexOf(0xff)
		for (; at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 2)) {
			const next = bytes[at + 1]!
			if (next !== 0 && (next < 0xd0 || next > 0xd7)) break
		}
		if (at < 0) await feed.keep(bytes.length)
		else if (at > 0) await feed.keep(at)
		if (at < 0) continue
		// At the end of what is here it is looked at again, with what follows.
		const [, next] = (await feed.need(2)) as unknown as [number, number]
		if (next !== 0 && (next < 0xd0 || next > 0xd7)) return
		await feed.keep(2)
	}
}

// PNG: chunks with names.

const pngNeeded = new Set('IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD pHYs hIST sPLT acTL fcTL fdAT'.split(' '))

async function png(feed: Feed): Promise<Described> {
	const found: Described = { width: 0, height: 0, orientation: 1 }
	await feed.keep(8)
	for (let first = true; ; first = false) {
		const head = await feed.need(8)
		const length = head.readUInt32BE(0)
		const name = head.toString('latin1', 4, 8)
		if (length > 0x7fffffff || !/^[A-Za-z]{4}$/.test(name) || first !== (name === 'IHDR')) throw new Malformed('A part is wrong.')
		if (name === 'IHDR') {
			if (length !== 13) throw new Malformed('The header is wrong.')
			const header = await feed.need(24)
			found.width = header.readUInt32BE(8)
			found.height = header.readUInt32BE(12)
		}
		if (name === 'eXIf' && length <= 0xffff) found.orientation = orientationIn((await feed.need(8 + length)).subarray(8))
		// What may not be left out begins with a capital.
		if (!pngNeeded.has(name) && /^[A-Z]/.test(name)) throw new Malformed('A part is not known.')
		if (pngNeeded.has(name)) await feed.keep(12 + length)
		else await feed.drop(12 + length)
		if (name === 'IEND') return found
	}
}

// GIF: blocks, each a row of pieces that says its own end.

async function gif(feed: Feed): Promise<Described> {
	const head = await feed.need(13)
	const found: Described = { width: head.readUInt16LE(6), height: head.readUInt16LE(8), orientation: 1 }
	await feed.keep(13 + tableBytes(head[10]!))
	let pictures = 0
	for (;;) {
		const [kind] = await feed.look(1)
		if (kind === 0x3b || (kind === undefined && pictures > 0)) {
			// Some programs forget the end.
			if (kind === undefined) await feed.replace(0, Buffer.from([0x3b]))
			else await feed.keep(1)
			if (pictures === 0) throw new Malformed('It has no picture.')
			return found
		}
		if (kind === 0x2c) {
			pictures++
			await feed.keep(10 + tableBytes((await feed.need(10))[9]!))
			await feed.keep(1)
			await pieces(feed, true)
		} else if (kind === 0x21) {
			const label = (await feed.need(2))[1]
			const loops = label === 0xff && /^.(NETSCAPE2\.0|ANIMEXTS1\.0)$/s.test((await feed.need(14)).toString('latin1', 2, 14))
			const needed = label === 0xf9 || loops
			if (needed) await feed.keep(2)
			else await feed.drop(2)
			await pieces(feed, needed)
		} else throw new Malformed('A block is not known.')
	}
}

const tableBytes = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0)

async function pieces(feed: Feed, needed: boolean): Promise<void> {
	for (let length = 1; length > 0; ) {
		length = (await feed.need(1))[0]!
		if (needed) await feed.keep(1 + length)
		else await feed.drop(1 + length)
	}
}

// WebP: chunks in a file that says its whole length at the beginning, which stays: what is left out is filled.

const webpNeeded = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'ICCP'])
const exifFlag = 0x08
const xmpFlag = 0x04

async function webp(feed: Feed): Promise<Described> {
	const found: Described = { width: 0, height: 0, orientation: 1 }
	let left = (await feed.need(12)).readUInt32LE(4) - 4
	await feed.keep(12)
	for (; left >= 8; ) {
		const head = await feed.need(8)
		const name = head.toString('latin1', 0, 4)
		const length = head.readUInt32LE(4)
		const whole = Math.min(left, 8 + length + (length % 2))
		if (8 + length > left) throw new Malformed('A part is longer than the file.')
		left -= whole
		if (name === 'VP8X' && length >= 10) {
			const part = Buffer.from(await feed.need(18))
			found.width = 1 + part.readUIntLE(12, 3)
			found.height = 1 + part.readUIntLE(15, 3)
			part[8]! &= ~(exifFlag | xmpFlag)
			await feed.replace(18, part)
			await feed.keep(whole - 18)
		} else if (webpNeeded.has(name)) {
			if (found.width === 0) Object.assign(found, webpSize(name, await feed.need(Math.min(whole, 18))))
			await feed.keep(whole)
		} else {
			if (name === 'EXIF' && length <= 0x10000) found.orientation = orientationIn((await feed.need(8 + length)).subarray(8))
			const empty = Buffer.alloc(8)
			empty.write('JUNK', 'latin1')
			empty.writeUInt32LE(length, 4)
			await feed.replace(8, empty)
			await blank(feed, whole - 8)
		}
	}
	if (left > 0) await feed.keep(left)
	return found
}

async function blank(feed: Feed, count: number): Promise<void> {
	for (let left = count; left > 0; ) {
		const step = Math.min(left, (await feed.here()).length || left)
		await feed.replace(step, Buffer.alloc(step))
		left -= step
	}
}

/** The size of a picture in a WebP file that has no header of its own. */
function webpSize(name: string, part: Buffer): { width: number; height: number } | null {
	if (name === 'VP8L' && part.length >= 13) {
		const bits = part.readUInt32LE(9)
		return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) }
	}
	if (name === 'VP8 ' && part.length >= 18) return { width: part.readUInt16LE(14) & 0x3fff, height: part.readUInt16LE(16) & 0x3fff }
	return null
}

// EXIF: which way is up.

/** Reads the one thing of EXIF that changes how a picture looks; 1 where it says nothing that can be understood. */
function orientationIn(exif: Buffer): number {
	const tiff = exif.toString('latin1', 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif
	const little = tiff.toString('latin1', 0, 2) === 'II'
	if (tiff.length < 8 || (!little && tiff.toString('latin1', 0, 2) !== 'MM')) return 1
	const short = (at: number) => (at + 2 > tiff.length ? 0 : little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at))
	const start = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4)
	const entries = short(start)
	for (let n = 0; n < entries; n++) {
		const at = start + 2 + 12 * n
		if (at + 12 > tiff.length) return 1
		const value = short(at + 8)
		if (short(at) === 0x0112) return value >= 1 && value <= 8 ? value : 1
	}
	return 1
}
