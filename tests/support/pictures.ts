/**
 * Pictures for tests, drawn here: photographs with all that phones write into them, and others.
 */
import { crc32, deflateSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'

/** What must never come out again. */
export const secrets = ['Secret Person', 'secret comment', 'Secret Place', 'secret-trailer']

const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="${secrets[2]}"/></rdf:RDF></x:xmpmeta>`

/** A picture whose corners differ, so that every turn shows. */
export function drawing(width = 96, height = 64): Sharp {
	const svg = (colour: string, x: number, y: number) => ({
		input: { create: { width: width / 2, height: height / 2, channels: 3 as const, background: colour } },
		left: x,
		top: y,
	})
	return sharp({ create: { width, height, channels: 3, background: '#ffffff' } }).composite([
		svg('#d02020', 0, 0),
		svg('#20a020', width / 2, 0),
		svg('#2030d0', 0, height / 2),
	])
}

/** A photograph as a phone takes it: with its owner's name, the place and the way it was held. */
export async function photo(format: 'jpeg' | 'png' | 'webp' = 'jpeg', orientation = 1, size?: [number, number]): Promise<Buffer> {
	const plain = await drawing(...(size ?? []))
		.png()
		.toBuffer()
	return sharp(plain)
		.withExif({
			IFD0: { Artist: secrets[0]!, ...(orientation !== 1 && { Orientation: String(orientation) }) },
			IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100', GPSLongitudeRef: 'W', GPSLongitude: '0/1 7/1 4366/100' },
		})
		.withXmp(xmp)
		.withMetadata(orientation === 1 ? {} : { orientation })
		.toFormat(format, { quality: 95 })
		.toBuffer()
}

/** Noise: as large a file as a photograph of so many pixels, and never the same. */
export async function noise(width: number, height: number, quality = 90): Promise<Buffer> {
	return sharp({ create: { width, height, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma: 40 } } })
		.withExif({ IFD0: { Artist: secrets[0]! } })
		.jpeg({ quality })
		.toBuffer()
}

/** Some frames that follow each other. */
export async function animation(format: 'gif' | 'webp', frames = 3): Promise<Buffer> {
	const pages = await Promise.all(
		Array.from({ length: frames }, (_, n) =>
			sharp({ create: { width: 40, height: 30, channels: 3, background: { r: 80 * n, g: 40, b: 200 - 60 * n } } })
				.png()
				.toBuffer(),
		),
	)
	return sharp(pages, { join: { animated: true } })
		.toFormat(format, format === 'gif' ? { delay: [80, 80, 80], loop: 0 } : { delay: [80, 80, 80] })
		.toBuffer()
}

/** What a picture shows, as plain pixels. */
export async function pixels(bytes: Buffer): Promise<{ width: number; height: number; data: Buffer }> {
	const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true })
	return { width: info.width, height: info.height, data }
}

/** How much two pictures differ, in steps of 255 per colour; as far as can be when their sizes do. */
export async function difference(one: Buffer, other: Buffer): Promise<number> {
	const [a, b] = [await pixels(one), await pixels(other)]
	if (a.width !== b.width || a.height !== b.height) return 255
	let sum = 0
	for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i]! - b.data[i]!)
	return sum / a.data.length
}

/** A black PNG of so many pixels a side, in few bytes. */
export function bomb(side: number): Buffer {
	const part = (name: string, data: Buffer) => {
		const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
		const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
		length.writeUInt32BE(data.length)
		sum.writeUInt32BE(crc32(body))
		return Buffer.concat([length, body, sum])
	}
	const header = Buffer.alloc(13)
	header.writeUInt32BE(side, 0)
	header.writeUInt32BE(side, 4)
	header[8] = 1
	const rows = deflateSync(Buffer.alloc(side * (1 + Math.ceil(side / 8))), { level: 9 })
	return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), part('IHDR', header), part('IDAT', rows), part('IEND', Buffer.alloc(0))])
}
