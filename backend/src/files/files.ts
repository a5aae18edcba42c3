/**
 * Files that people send and open.
 *
 * Promises that an upload which was acknowledged is whole and durable before its record is; that
 * the same id with the same bytes is the same upload; and that bytes go only to who may see a
 * message or a picture that names them. What the bytes are is decided by types.ts and strip.ts.
 */
import { rm, unlink } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { ParsedInput } from '../../../protocol/api.ts'
import { limits } from '../../../protocol/model.ts'
import { publicUpload, type Reader, refuseStatus, seesFilesOf } from '../access.ts'
import { Failure, fail, notFound } from '../errors.ts'
import { refuseFutureId } from '../ids.ts'
import { type Bytes, type Handlers, type Parts, placeOf, type SignedCall, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { UploadRecord } from '../storage/collections.ts'
import type { Tx } from '../storage/store.ts'
import { diskFailure, openFolder, syncPath } from './folder.ts'
import { cleanName, renamed } from './names.ts'
import { checkPicture, convertPicture, refusePixels, turnUpright } from './pictures.ts'
import { digestOf, type Received, receive, refusedPicture } from './receive.ts'
import { type Served, serveBuffer, serveFile } from './serve.ts'
import { formatOf } from './strip.ts'
import { sweep, trashName } from './sweep.ts'
import { openThumbnails } from './thumbnails.ts'
import { openTurns } from './turns.ts'
import { pictureTypes, type Told, tellType } from './types.ts'

export interface Files {
	handlers: Pick<Handlers, 'sendFile' | 'getFile' | 'getThumbnail'>
	/** Moves files that nobody needs to the trash; gives their names. */
	sweep(): Promise<string[]>
	/** Deletes the bytes of an upload that is being erased for good, and all made of them, but where another upload has the same. */
	erase(upload: UploadRecord): Promise<void>
	/** Resolves when nothing is being done any more. */
	close(): Promise<void>
}

const sweepEveryMs = 6 * 60 * 60 * 1000
const dayMs = 24 * 60 * 60 * 1000
const missedKept = 1_000

type Send = ParsedInput<'sendFile'>
/** What is stored of a file beside whose it is. */
type Stored = Pick<UploadRecord, 'kind' | 'name' | 'type' | 'sizeBytes' | 'width' | 'height' | 'sha256' | 'sentDigest'>

/** Opens the uploads folder and the thumbnails. */
export async function openFiles({ store, rates, config, log }: Parts): Promise<Files> {
	const folder = await openFolder(config.folders.uploads)
	// Two at most, and one where there is little to share: signing in and the disk need threads, too.
	const turns = openTurns(Math.max(1, Math.min(2, availableParallelism() - 1)))
	const thumbnails = await openThumbnails(join(config.folders.data, 'thumbnails'), turns)
	const silentMs = config.silentUploadMs
	/** Uploads whose file was missing: said once. */
	const missed = new Set<string>()

	async function sendFile(input: Send, { reader, headers, receive: body }: SignedCall) {
		const known = await store.get('uploads', input.id)
		if (known && known.owner !== reader.user.id) taken()
		const sizeBytes = lengthOf(headers['content-length'], input.purpose)
		if (known) {
			const { sentDigest } = await receive(body(), { sizeBytes, path: null, silentMs, onHead() {} })
			return { upload: publicUpload(same(known, input, reader, sentDigest)), ...here() }
		}
		if (input.purpose === 'message') refuseStatus(reader.user)
		refuseFutureId(input.id)
		const wait = rates.uploads.take(reader.user.id)
		if (wait > 0) tooOften(wait)
		const letGo = await folder.reserve(sizeBytes)
		const [path, other] = [folder.partial(), folder.partial()]
		try {
			return await turns.busy(async () => {
				const onHead = (head: Buffer) => {
					if (input.purpose === 'avatar' && !formatOf(head) && !isAvif(head)) refuseNoPicture()
				}
				const received = await receive(body(), { sizeBytes, path, silentMs, onHead })
				const { stored, told, from } = await understand(received, input, path, other)
				const file = `${input.purpose === 'avatar' ? 'avatar' : told.kind}-${stored.sha256}.${told.ending}`
				const answer = await folder.hold(file, async () => {
					await folder.place(from, file)
					return store.write(reader.user.id, recordStep(input, reader, { ...stored, file }))
				})
				if (told.kind === 'image') thumbnails.later(join(folder.path, file), stored.sha256, 'small')
				return answer
			})
		} catch (error) {
			const failure = diskFailure(error)
			if (!failure) throw error
			log.error({ err: error }, 'a file could not be stored')
			throw failure
		} finally {
			letGo()
			for (const left of [path, other]) await unlink(left).catch(() => {})
		}
	}

	/** What a file is; one that must be written anew is in `from` then. */
	async function understand(
		{ head, picture, sentDigest, sha256, sizeBytes }: Received,
		{ name, purpose }: Send,
		path: string,
		other: string,
	): Promise<{ stored: Stored; told: Told; from: string }> {
		const clean = cleanName(name)
		const whole = { name: clean, sentDigest, sha256, sizeBytes, width: null, height: null }
		if (picture) {
			const told = pictureTypes[picture.format]
			refusePixels(picture)
			await checkPicture(path, picture)
			const { width, height } = picture
			if (picture.orientation === 1) return { stored: { ...whole, ...kindOf(told), width, height }, told, from: path }
			const upright = await turns.now(() => turnUpright(path, other, picture))
			await syncPath(other)
			return { stored: { ...whole, ...kindOf(told), ...upright, ...(await digestOf(other)) }, told, from: other }
		}
		if (isAvif(head)) {
			const told = pictureTypes.webp
			const converted = await turns.now(() => convertPicture(path, other))
			await syncPath(other)
			const changed = { ...converted, ...(await digestOf(other)), name: renamed(clean, 'webp') }
			return { stored: { ...whole, ...kindOf(told), ...changed }, told, from: other }
		}
		const told = await tellType(head)
		if (purpose === 'avatar') refuseNoPicture()
		return { stored: { ...whole, ...kindOf(told) }, told, from: path }
	}

	function recordStep(input: Send, reader: Reader, stored: Stored & { file: string }) {
		return async (tx: Tx) => {
			const known = await tx.get('uploads', input.id)
			if (known) return { upload: publicUpload(same(known, input, reader, stored.sentDigest)), cursor: standing(store).cursor }
			const user = await tx.get('users', reader.user.id)
			if (!user || user.status === 'deactivated' || input.purpose === 'message') refuseStatus(user ?? reader.user)
			const upload = await tx.put('uploads', { id: input.id, owner: reader.user.id, purpose: input.purpose, ...stored })
			return { upload: publicUpload(upload), cursor: placeOf(tx) }
		}
	}

	const here = () => ({ cursor: standing(store).cursor })

	/** An upload whose bytes the reader may have. */
	async function visible(id: string, reader: Reader): Promise<UploadRecord & { file: string }> {
		const upload = await store.get('uploads', id)
		if (!upload || upload.file === null || !(await maySee(upload, reader))) notFound('file')
		return upload as UploadRecord & { file: string }
	}

	async function maySee({ id, owner, purpose }: UploadRecord, reader: Reader): Promise<boolean> {
		if (owner === reader.user.id) return true
		if (!reader.approved) return false
		if (purpose === 'avatar') return (await store.find('users', 'avatar', [id], { limit: 1 })).length > 0
		const [message] = await store.find('messages', 'upload', [id], { limit: 1 })
		const discussion = message && (await store.get('discussions', message.discussion))
		return message !== undefined && discussion !== null && discussion !== undefined && seesFilesOf(reader, message, discussion)
	}

	/** Says once to the operator, and each time to the reader, that a file is gone or damaged. */
	function missing({ id, file }: UploadRecord): never {
		if (!missed.has(id)) {
			log.error({ upload: id, file }, 'an uploaded file is missing or damaged')
			if (missed.size < missedKept) missed.add(id)
		}
		fail('not_found', 'This file is missing on the server, or damaged.', {
			hint: 'Please tell whoever looks after the server: a backup may have it.',
		})
	}

	async function getFile({ id, download }: ParsedInput<'getFile'>, { reader, headers }: SignedCall): Promise<Bytes> {
		const upload = await visible(id, reader)
		const served: Served = { name: upload.name, type: upload.type, etag: `"${upload.sha256}"`, download }
		return (await serveFile(join(folder.path, upload.file), upload.sizeBytes, served, headers)) ?? missing(upload)
	}

	async function getThumbnail({ id, size }: ParsedInput<'getThumbnail'>, { reader, headers }: SignedCall): Promise<Bytes> {
		const upload = await visible(id, reader)
		if (upload.kind !== 'image') notFound('picture')
		const served = { name: renamed(upload.name, 'webp'), type: 'image/webp', etag: `"${upload.sha256}-${size}"`, download: false }
		const bytes = await thumbnails.get(join(folder.path, upload.file), upload.sha256, size).catch((error: unknown) => {
			log.debug({ err: error, upload: id }, 'no smaller picture could be made')
			return missing(upload)
		})
		return serveBuffer(bytes, served, headers)
	}

	const sweepNow = async () => {
		const swept = await sweep(store, folder, { afterMs: config.sweepAfterDays * dayMs, quietMs: config.sweepQuietDays * dayMs, log })
		for (const name of swept) await thumbnails.forget(/-([0-9a-f]{64})\./.exec(name)?.[1] ?? name)
		return swept
	}
	const sweeping = setInterval(() => {
		sweepNow().catch((error: unknown) => log.error({ err: error }, 'the uploads folder could not be swept'))
	}, sweepEveryMs).unref()

	return {
		handlers: { sendFile, getFile, getThumbnail },
		sweep: sweepNow,
		async erase({ id, file, sha256 }) {
			if (file === null) return
			await folder.hold(file, async () => {
				const named = await store.find('uploads', 'file', [file], { limit: 2 })
				if (named.some((other) => other.id !== id)) return
				for (const path of [join(folder.path, file), join(folder.path, trashName, file)]) await rm(path, { force: true })
				await thumbnails.forget(sha256)
			})
		},
		async close() {
			clearInterval(sweeping)
			await turns.close()
		},
	}
}

const kindOf = ({ kind, type }: Told) => ({ kind, type })

const isAvif = (head: Buffer) => /^ftypavi[fs]$/.test(head.toString('latin1', 4, 12))

/** How long the file is said to be; refused before its first byte where that is too much. */
function lengthOf(header: string | undefined, purpose: Send['purpose']): number {
	const most = purpose === 'avatar' ? limits.avatarBytes : limits.uploadBytes
	const sizeBytes = Number(header)
	if (header === undefined || !Number.isSafeInteger(sizeBytes)) fail('invalid_input', 'The request must say how long the file is.')
	if (sizeBytes === 0) fail('invalid_input', 'This file is empty.', { hint: 'Choose another one.' })
	if (sizeBytes > most) {
		fail('too_large', `This file is too large: at most ${most / 1024 / 1024} MB can be taken.`, {
			hint: 'Make it smaller, or share a link to it.',
		})
	}
	return sizeBytes
}

function refuseNoPicture(): never {
	throw refusedPicture('This is not a picture that can be shown.', 'Choose a JPEG, PNG, GIF or WebP picture.')
}

function taken(): never {
	throw new Failure('id_taken', 'This id belongs to something else.')
}

/** What a known id gives: the upload when the same person sent the same bytes for the same purpose. */
function same(known: UploadRecord, { purpose }: Send, reader: Reader, sentDigest: string): UploadRecord {
	if (known.owner !== reader.user.id || known.purpose !== purpose || known.sentDigest !== sentDigest) taken()
	return known
}
