/**
 * Pictures made smaller, kept in the data folder: made when first asked for, or when there is time.
 *
 * Promises one making of each at a time, whole files only, and that the folder may be deleted at
 * any moment. Never touches an upload.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, opendir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeThumbnail, type ThumbnailSize } from './pictures.ts'
import type { Turns } from './turns.ts'

export interface Thumbnails {
	/** The small picture of the file at `path`, whose bytes have this digest. Throws where it can't be decoded. */
	get(path: string, sha256: string, size: ThumbnailSize): Promise<Buffer>
	/** Makes it when there is time. */
	later(path: string, sha256: string, size: ThumbnailSize): void
	/** Forgets those of a file that is gone. */
	forget(sha256: string): Promise<void>
}

const partial = /\.partial-/

/** Opens the folder, and removes what an earlier process left half. */
export async function openThumbnails(folder: string, turns: Turns): Promise<Thumbnails> {
	await removePartials(folder)
	const making = new Map<string, Promise<Buffer>>()
	const placeOf = (sha256: string, size: ThumbnailSize) => join(folder, sha256.slice(0, 2), `${sha256}-${size}.webp`)

	async function make(path: string, place: string, size: ThumbnailSize): Promise<Buffer> {
		const bytes = await makeThumbnail(path, size)
		// Where it can't be kept it is made again.
		await keep(place, bytes).catch(() => {})
		return bytes
	}

	async function keep(place: string, bytes: Buffer): Promise<void> {
		const beside = `${place}.partial-${randomBytes(6).toString('hex')}`
		await mkdir(dirname(place), { recursive: true })
		try {
			const file = await open(beside, 'wx', 0o640)
			try {
				await file.writeFile(bytes)
				await file.datasync()
			} finally {
				await file.close()
			}
			await rename(beside, place)
		} catch (error) {
			await rm(beside, { force: true }).catch(() => {})
			throw error
		}
	}

	async function get(path: string, sha256: string, size: ThumbnailSize): Promise<Buffer> {
		const place = placeOf(sha256, size)
		const known = making.get(place)
		if (known) return known
		const work = (async () => (await readFile(place).catch(() => null)) ?? turns.now(() => make(path, place, size)))()
		making.set(place, work)
		try {
			return await work
		} finally {
			making.delete(place)
		}
	}

	return {
		get,
		later(path, sha256, size) {
			turns.later(async () => {
				const place = placeOf(sha256, size)
				if (making.has(place) || (await readFile(place).catch(() => null))) return
				const work = make(path, place, size)
				making.set(place, work)
				await work.finally(() => making.delete(place))
			})
		},
		async forget(sha256) {
			for (const size of ['small', 'large'] as const) await rm(placeOf(sha256, size), { force: true })
		},
	}
}

async function removePartials(folder: string): Promise<void> {
	await mkdir(folder, { recursive: true })
	for await (const entry of await opendir(folder, { recursive: true })) {
		if (entry.isFile() && partial.test(entry.name)) await rm(join(entry.parentPath, entry.name), { force: true })
	}
}
