/**
 * Pictures in the browser: how large one is, and a smaller copy of it.
 *
 * Promises that the page goes on meanwhile (decoding, scaling and encoding happen beside it, one
 * picture at a time), that the direction a camera noted is kept, and that a file which is no
 * picture is said to be none instead of failing.
 */
import { renamed, type Size, smallerSize } from './fileFacts.ts'

const quality = 0.85

/** The size of a picture as it is shown; null: the browser can't show it. Decodes no pixels. */
export async function measure(bytes: Blob): Promise<Size | null> {
	const url = URL.createObjectURL(bytes)
	try {
		const image = new Image()
		return await new Promise((resolve) => {
			image.onload = () => resolve(image.naturalWidth > 0 ? { width: image.naturalWidth, height: image.naturalHeight } : null)
			image.onerror = () => resolve(null)
			image.src = url
		})
	} finally {
		URL.revokeObjectURL(url)
	}
}

export interface Smaller extends Size {
	bytes: Blob
	name: string
}

let last: Promise<unknown> = Promise.resolve()

/** A smaller copy; null when this browser can't make one, or none that is smaller. */
export function shrink(file: Blob & { name: string }, size: Size): Promise<Smaller | null> {
	// One after another: a large photo takes 200 MB while it is decoded.
	const mine = last.then(() => shrinkNow(file, size).catch(() => null))
	last = mine
	return mine
}

async function shrinkNow(file: Blob & { name: string }, size: Size): Promise<Smaller | null> {
	const { width, height } = smallerSize(size)
	const bitmap = await createImageBitmap(file, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' })
	try {
		const canvas = document.createElement('canvas')
		canvas.width = width
		canvas.height = height
		const context = canvas.getContext('2d')
		if (!context) return null
		// Browsers that do not resize while they decode are told the size here.
		context.drawImage(bitmap, 0, 0, width, height)
		const type = file.type === 'image/jpeg' ? 'image/jpeg' : 'image/webp'
		const bytes = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, quality))
		canvas.width = 0
		if (!bytes || bytes.size >= file.size) return null
		return { bytes, width, height, name: renamed(file.name, bytes.type) }
	} finally {
		bitmap.close()
	}
}
