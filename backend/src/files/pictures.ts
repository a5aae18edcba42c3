/**
 * What needs a picture to be decoded: checking it, turning it upright, making it smaller.
 *
 * Promises that nothing is decoded that has more pixels than allowed, and that the work happens
 * off the event loop, on one thread each. The only file that knows the picture library.
 */
import sharp from 'sharp'
import { limits } from '../../../protocol/model.ts'
import { refusedPicture, unreadablePicture } from './receive.ts'
import type { Described, PictureFormat } from './strip.ts'

sharp.cache(false)
sharp.concurrency(1)
// Only the formats that are taken in; no file can ask for another reader.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
	operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].flatMap((name) => [`VipsForeignLoad${name}File`, `VipsForeignLoad${name}Buffer`]),
})

const opened = (path: string, animated = false) => sharp(path, { limitInputPixels: limits.imagePixels, failOn: 'none', animated })

export type ThumbnailSize = 'small' | 'large'
const sides: Record<ThumbnailSize, number> = { small: 640, large: 1_600 }

/** Refuses a picture with too many pixels. */
export function refusePixels({ width, height }: Pick<Described, 'width' | 'height'>): void {
	if (width * height <= limits.imagePixels) return
	const millions = (pixels: number) => Math.round(pixels / 1_000_000).toLocaleString('en')
	throw refusedPicture(
		`This picture has ${millions(width * height)} million pixels; at most ${millions(limits.imagePixels)} million can be taken.`,
		'Make it smaller and try again.',
	)
}

/** Refuses a picture that the library can't open or that is not what it says. Reads its header only. */
export async function checkPicture(path: string, { width, height, format }: Described & { format: PictureFormat }): Promise<void> {
	const found = await opened(path)
		.metadata()
		.catch(() => null)
	if (found?.format !== format || found.width !== width || found.height !== height) throw unreadablePicture()
}

// The library mirrors first, then turns.
const turns: Record<number, { angle: number; mirror?: 'flip' | 'flop' }> = {
	2: { angle: 0, mirror: 'flop' },
	3: { angle: 180 },
	4: { angle: 0, mirror: 'flip' },
	5: { angle: 90, mirror: 'flip' },
	6: { angle: 90 },
	7: { angle: 270, mirror: 'flip' },
	8: { angle: 270 },
}

/** Writes the picture of `from` upright into `to`. Gives its new size. */
export async function turnUpright(
	from: string,
	to: string,
	{ format, orientation }: Described & { format: PictureFormat },
): Promise<{ width: number; height: number }> {
	const { angle, mirror } = turns[orientation]!
	let picture = opened(from).keepIccProfile().rotate(angle)
	if (mirror) picture = picture[mirror]()
	const encoded =
		format === 'jpeg'
			? picture.jpeg({ quality: 92, chromaSubsampling: '4:4:4' })
			: format === 'webp'
				? picture.webp({ quality: 92 })
				: picture.png()
	return encoded.toFile(to).catch((error: NodeJS.ErrnoException) => {
		throw diskIsFull(error) ? Object.assign(error, { code: 'ENOSPC' }) : unreadablePicture()
	})
}

/** Writes an AVIF picture, whose metadata can't be cut out, as WebP into `to`. Gives its size. */
export async function convertPicture(from: string, to: string): Promise<{ width: number; height: number }> {
	const found = await opened(from)
		.metadata()
		.catch(() => null)
	if (!found) throw unreadablePicture()
	refusePixels(found)
	return opened(from)
		.webp({ quality: 90 })
		.toFile(to)
		.catch((error: NodeJS.ErrnoException) => {
			throw diskIsFull(error) ? Object.assign(error, { code: 'ENOSPC' }) : unreadablePicture()
		})
}

const diskIsFull = (error: Error) => /no space left|ENOSPC|write error|unable to write/i.test(error.message)

/** A picture made smaller, as WebP; an animated one as its first frame. Throws where it can't be decoded. */
export async function makeThumbnail(path: string, size: ThumbnailSize): Promise<Buffer> {
	const side = sides[size]
	return opened(path)
		.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
		.webp({ quality: size === 'small' ? 76 : 82, effort: 2 })
		.toBuffer()
}
