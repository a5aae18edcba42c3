/**
 * What a file is, told from its bytes and never from its name.
 *
 * Promises that only what browsers show without running it is ever called inline.
 */
import { isUtf8 } from 'node:buffer'
import { fileTypeFromBuffer } from 'file-type'
import type { Upload } from '../../../protocol/model.ts'
import { refusedPicture } from './receive.ts'
import type { PictureFormat } from './strip.ts'

export interface Told {
	kind: Upload['kind']
	type: string
	/** Ending of the file in the uploads folder. */
	ending: string
}

/** The types of pictures that can be stripped. */
export const pictureTypes: Record<PictureFormat, Told> = {
	jpeg: { kind: 'image', type: 'image/jpeg', ending: 'jpg' },
	png: { kind: 'image', type: 'image/png', ending: 'png' },
	gif: { kind: 'image', type: 'image/gif', ending: 'gif' },
	webp: { kind: 'image', type: 'image/webp', ending: 'webp' },
}

/** What browsers play; recordings are told apart from films by their tracks. */
const audio: Record<string, Told> = {
	'audio/mpeg': { kind: 'audio', type: 'audio/mpeg', ending: 'mp3' },
	'audio/ogg': { kind: 'audio', type: 'audio/ogg', ending: 'ogg' },
	'audio/mp4': { kind: 'audio', type: 'audio/mp4', ending: 'm4a' },
	'audio/x-m4a': { kind: 'audio', type: 'audio/mp4', ending: 'm4a' },
	'audio/wav': { kind: 'audio', type: 'audio/wav', ending: 'wav' },
	'audio/aac': { kind: 'audio', type: 'audio/aac', ending: 'aac' },
	'audio/flac': { kind: 'audio', type: 'audio/flac', ending: 'flac' },
	'audio/webm': { kind: 'audio', type: 'audio/webm', ending: 'webm' },
}

/** Pictures in which nothing is hidden of who made them, kept as files. */
const plainPictures = new Set(['image/bmp', 'image/x-icon'])

const inline = new Set([...Object.values(pictureTypes), ...Object.values(audio)].map(({ type }) => type))

/** Whether browsers may show it in place. */
export function isInline(type: string): boolean {
	return inline.has(type)
}

/** Tells what is not one of the pictures above; refuses pictures whose metadata can't be taken out. */
export async function tellType(head: Buffer): Promise<Told> {
	const found = await fileTypeFromBuffer(head).catch(() => undefined)
	if (!found) {
		if (isText(head)) return { kind: 'file', type: 'text/plain', ending: 'txt' }
		return { kind: 'file', type: 'application/octet-stream', ending: 'bin' }
	}
	const type = found.mime.split(';', 1)[0]!
	const heard = audio[type === 'video/webm' && hasOnlySound(head) ? 'audio/webm' : type]
	if (heard) return heard
	if (type.startsWith('image/') && type !== 'image/avif' && !plainPictures.has(type)) {
		throw refusedPicture(
			`Pictures of this kind (${found.ext.toUpperCase()}) can’t be taken.`,
			'Save it as JPEG or PNG, then send it again.',
		)
	}
	return { kind: 'file', type: type.slice(0, 100), ending: /^[a-z0-9]{1,8}$/.test(found.ext) ? found.ext : 'bin' }
}

/** Valid UTF-8 without control characters of old; the last letter may be cut. */
function isText(head: Buffer): boolean {
	if (head.includes(0)) return false
	for (let cut = 0; cut <= 3 && cut <= head.length; cut++) if (isUtf8(head.subarray(0, head.length - cut))) return true
	return false
}

const soundTrack = Buffer.from('838102', 'hex')
const filmTrack = Buffer.from('838101', 'hex')

function hasOnlySound(head: Buffer): boolean {
	const tracks = head.subarray(0, 2_048)
	return tracks.includes(soundTrack) && !tracks.includes(filmTrack)
}
