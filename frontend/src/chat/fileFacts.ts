/**
 * Files as people meet them: names, sizes, how large a picture stands in a letter, and whether it had
 * better be made smaller before it is sent. Pure.
 */
import { limits } from '../../../protocol/model.ts'
import type { Language } from '../ui/language.ts'

/** From here on it is offered to make a picture smaller; from `largePixels` on that is chosen already. */
const offer = { pixels: 12_000_000, bytes: 5 * 1024 * 1024, largePixels: 20_000_000 }
/** The longer side of a picture that was made smaller. */
export const smallerSide = 2560
/** What a photo of that size takes, roughly, for each pixel. */
const bytesPerPixel = 0.26

export interface Size {
	width: number
	height: number
}

/** 1.2 MB, as the reader's language writes it. */
export function sizeText(bytes: number, language: Language): string {
	const units = ['byte', 'kilobyte', 'megabyte'] as const
	// As phones and Windows count, and as the limits are set: 25 MB is 25 times 1024 times 1024.
	const power = bytes < 1024 ? 0 : bytes < 1023.5 * 1024 ? 1 : 2
	const value = bytes / 1024 ** power
	return new Intl.NumberFormat(language === 'id' ? 'id-ID' : 'en-GB', {
		style: 'unit',
		unit: units[power] as string,
		unitDisplay: power === 0 ? 'long' : 'short',
		maximumFractionDigits: power === 2 && value < 100 ? 1 : 0,
	}).format(value)
}

/** The size of a picture that was made smaller; never larger than it was. */
export function smallerSize({ width, height }: Size): Size {
	const scale = Math.min(1, smallerSide / Math.max(width, height))
	return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** About what a picture takes when it was made smaller. */
export function smallerBytes(picture: Size & { sizeBytes: number }): number {
	const { width, height } = smallerSize(picture)
	return Math.min(picture.sizeBytes, Math.round(width * height * bytesPerPixel))
}

/**
 * Whether a picture can be made smaller, before it is sent. `must`: it can't be sent as it is. `usual`: what
 * is done where nothing was chosen on this device.
 */
export function smallerOffer(picture: Size & { sizeBytes: number; type: string }): { must: boolean; usual: boolean } | null {
	// Of a moving picture one frame would be left, and a drawing made of lines has no pixels.
	if (picture.type === 'image/gif' || picture.type === 'image/svg+xml') return null
	const pixels = picture.width * picture.height
	const must = pixels > limits.imagePixels || picture.sizeBytes > limits.uploadBytes
	if (!must && pixels <= offer.pixels && picture.sizeBytes <= offer.bytes) return null
	return { must, usual: must || pixels > offer.largePixels }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a name has none
const controls = /[\u0000-\u001f\u007f-\u009f]/g

/** A name that can be stored: one line, no longer than a name may be, with its ending. */
export function storableName(name: string): string {
	const clean = name.toWellFormed().normalize('NFC').replace(controls, ' ').trim()
	if (clean === '') return 'file'
	if (clean.length <= limits.fileName) return clean
	const ending = /\.[^.\s]{1,10}$/.exec(clean)?.[0] ?? ''
	let kept = clean.slice(0, limits.fileName - ending.length - 1)
	if (!kept.isWellFormed()) kept = kept.slice(0, -1)
	return `${kept}…${ending}`
}

/** The name of a picture in another format. */
export function renamed(name: string, type: string): string {
	const ending = type === 'image/jpeg' ? 'jpg' : (type.split('/')[1] ?? 'bin')
	if (type === 'image/jpeg' && /\.jpe?g$/i.test(name)) return name
	return `${name.replace(/\.[^.\s/\\]{1,10}$/, '')}.${ending}`
}

/** What stands on a card in place of a picture: PDF, DOCX, MP3. */
export function endingOf(name: string): string {
	return /\.([\p{L}\p{N}]{1,6})$/u.exec(name)?.[1]?.toUpperCase() ?? ''
}

/** Where a picture stands alone, it keeps its shape within this. */
const alone = { width: 360, height: 300, least: 88 }

/** The place of a picture that stands alone in a letter, known before it is there. */
export function placeOf(picture: { width: number | null; height: number | null }): Size {
	const { width, height } = picture.width && picture.height ? (picture as Size) : { width: 4000, height: 3000 }
	const scale = Math.min(1, alone.width / width, alone.height / height)
	return { width: Math.max(alone.least, Math.round(width * scale)), height: Math.max(alone.least, Math.round(height * scale)) }
}
