/**
 * Picked files on this device: staged for the next message of a discussion, or going with one
 * that is in the outbox; and the addresses from which the page shows them.
 *
 * Promises that a staged file is on the disk, that bytes which the server may not have are
 * never dropped, and that an address stays good until the page is closed. Never sends.
 */
import { limits, type Upload } from '../../../protocol/model.ts'
import type { StagedFile } from '../client.ts'
import { type Clock, makeId } from '../ids.ts'
import type { FileRow, UserDatabase } from './database.ts'

export interface Picked {
	bytes: Blob
	name: string
	width: number | null
	height: number | null
}

export interface Files {
	stage(discussion: string, file: Picked): Promise<StagedFile>
	staged(discussion: string): Promise<StagedFile[]>
	unstage(discussion: string, id: string): Promise<void>
	hasStaged(discussion: string): Promise<boolean>
	urlOf(id: string): string | null
	/** Files as a message will name them, as far as they are known: `learn` makes them known. */
	attachments(ids: readonly string[]): Upload[]
	learn(ids: readonly string[]): Promise<void>
	/** Those of these that the journal does not have, with their bytes, in order; those without bytes are left out. */
	unsent(ids: readonly string[], lineage: string): Promise<FileRow[]>
	bytesOf(id: string): Promise<Blob | null>
	noteSent(id: string, lineage: string): Promise<void>
	/** The server did not know them after all. */
	noteUnsent(ids: readonly string[]): Promise<void>
	/** Within a transaction on `files`: those that are staged go with a message, and are named; or none of its go any more. */
	attach(ids: readonly string[], message: string): Promise<string[]>
	giveBack(message: string): Promise<void>
	/** Within a transaction on `files` and `bytes`: new ids for those that the journal does not have, by the old ones. */
	renew(ids: readonly string[], lineage: string): Promise<Map<string, string>>
	/** Deletes what belongs to messages that have left the outbox, and the bytes of the oldest stored where they are too many. */
	sweep(): Promise<void>
	close(): void
}

/** Bytes that the server has already are held up to here, in case that a restore loses them. */
const heldBytes = 200 * 1024 * 1024

/** Opens the files of a user. `changed` runs when more of them is known. */
export function openFiles(database: UserDatabase, clock: Clock, changed: () => void, heldAtMostBytes = heldBytes): Files {
	const { files, bytes } = database
	const known = new Map<string, FileRow>()
	const urls = new Map<string, string>()
	/** Not on this device. */
	const absent = new Set<string>()
	let closed = false

	function show(id: string, blob: Blob) {
		if (!closed && !urls.has(id)) urls.set(id, URL.createObjectURL(blob))
	}

	async function bytesOf(id: string): Promise<Blob | null> {
		const [file, row] = await Promise.all([files.get(id), bytes.get(id)])
		if (!row) return null
		return row.bytes instanceof Blob ? row.bytes : new Blob([row.bytes], { type: file?.type ?? '' })
	}

	async function learn(ids: readonly string[]) {
		const strange = ids.filter((id) => !absent.has(id) && !(known.has(id) && urls.has(id)))
		for (const id of strange) absent.add(id)
		for (const id of strange) {
			const [row, blob] = await Promise.all([files.get(id), bytesOf(id)])
			if (!row) continue
			absent.delete(id)
			known.set(id, row)
			if (blob) show(id, blob)
			else absent.add(id)
			changed()
		}
	}

	const stagedRows = (discussion: string) => files.where('discussion').equals(discussion).and(isStaged).sortBy('order')

	function asStaged({ id, name, type, sizeBytes, width, height }: FileRow): StagedFile {
		return { id, name, type, sizeBytes, width, height, url: urls.get(id) ?? '' }
	}

	return {
		async stage(discussion, { bytes: picked, name, width, height }) {
			const id = makeId(clock)
			const type = picked.type || 'application/octet-stream'
			const row = {
				...{ id, discussion, message: '', name: fileNameOf(name), type, sizeBytes: picked.size, width, height },
				...{ order: Date.now(), sentIn: '', held: true },
			}
			const put = (stored: Blob | ArrayBuffer) =>
				database.transaction('rw', files, bytes, async () => {
					const last = (await stagedRows(discussion)).at(-1)
					row.order = Math.max(row.order, (last?.order ?? 0) + 1)
					await bytes.put({ id, bytes: stored })
					await files.put(row)
				})
			// What the picker gave may change or go away: these bytes are meant.
			const copied = await picked.arrayBuffer()
			const blob = new Blob([copied], { type })
			// Some browsers keep no blobs.
			await put(blob).catch((error: unknown) => (isUncloneable(error) ? put(copied) : Promise.reject(error)))
			known.set(id, row)
			// What was stored lies on the disk; what was picked may lie in memory.
			show(id, (await bytesOf(id)) ?? blob)
			return asStaged(row)
		},
		async staged(discussion) {
			const rows = await stagedRows(discussion)
			await learn(rows.map(({ id }) => id))
			return rows.map(asStaged)
		},
		async unstage(discussion, id) {
			const gone = await database.transaction('rw', files, bytes, async () => {
				const row = await files.get(id)
				if (!row || row.discussion !== discussion || !isStaged(row)) return false
				await Promise.all([files.delete(id), bytes.delete(id)])
				return true
			})
			if (gone) forgetUrl(id)
		},
		hasStaged: async (discussion) => (await files.where('discussion').equals(discussion).and(isStaged).count()) > 0,
		urlOf: (id) => urls.get(id) ?? null,
		attachments: (ids) => ids.map((id) => known.get(id)).flatMap((row) => (row ? [asUpload(row)] : [])),
		learn,
		async unsent(ids, lineage) {
			const rows = await files.bulkGet([...ids])
			return rows.filter((row): row is FileRow => row?.held === true && row.sentIn !== lineage)
		},
		bytesOf,
		noteSent: async (id, lineage) => void (await files.update(id, { sentIn: lineage })),
		noteUnsent: async (ids) => void (await files.where('id').anyOf(ids).modify({ sentIn: '' })),
		async attach(ids, message) {
			const staged = (await files.bulkGet([...ids])).filter((row) => row !== undefined && isStaged(row))
			await files.bulkPut(staged.map((row) => ({ ...row!, message })))
			return staged.map((row) => row!.id)
		},
		giveBack: async (message) => void (await files.where('message').equals(message).modify({ message: '' })),
		async renew(ids, lineage) {
			const renewed = new Map<string, string>()
			for (const row of await files.bulkGet([...ids])) {
				const stored = row && row.sentIn !== lineage ? await bytes.get(row.id) : undefined
				if (!row || !stored) continue
				const id = makeId(clock)
				const moved = { ...row, id, sentIn: '' }
				await Promise.all([files.delete(row.id), bytes.delete(row.id)])
				await Promise.all([files.put(moved), bytes.put({ ...stored, id })])
				renewed.set(row.id, id)
				known.set(id, moved)
				const url = urls.get(row.id)
				if (url) urls.set(id, url)
			}
			return renewed
		},
		sweep: () =>
			database.transaction('rw', files, bytes, database.outbox, async () => {
				const rows = await files.filter((row) => !isStaged(row)).toArray()
				if (rows.length === 0) return
				const commands = await database.outbox
					.where('target')
					.anyOf([...new Set(rows.map(({ message }) => message))])
					.and((row) => row.command === 'sendMessage')
					.toArray()
				const storedAt = new Map(
					commands.map((row) => [row.target, row.state === 'stored' ? (row.storedAt ?? 0) : Number.POSITIVE_INFINITY]),
				)
				const left = rows.filter(({ message }) => !storedAt.has(message)).map(({ id }) => id)
				await Promise.all([files.bulkDelete(left), bytes.bulkDelete(left)])
				const stored = rows.filter(({ message, held }) => held && Number.isFinite(storedAt.get(message) ?? Number.NaN))
				stored.sort((a, b) => storedAt.get(b.message)! - storedAt.get(a.message)! || b.order - a.order)
				let sum = 0
				const tooMany = stored.flatMap(({ id, sizeBytes }) => {
					sum += sizeBytes
					return sum > heldAtMostBytes ? [id] : []
				})
				await bytes.bulkDelete(tooMany)
				await files.where('id').anyOf(tooMany).modify({ held: false })
			}),
		close() {
			closed = true
			for (const url of new Set(urls.values())) URL.revokeObjectURL(url)
			urls.clear()
		},
	}

	function forgetUrl(id: string) {
		const url = urls.get(id)
		if (url) URL.revokeObjectURL(url)
		urls.delete(id)
		known.delete(id)
	}
}

const isStaged = (row: FileRow) => row.message === ''

const isUncloneable = (error: unknown) => error instanceof Error && /DataClone|DataError|UnknownError/.test(error.name)

function asUpload({ id, name, type, sizeBytes, width, height }: FileRow): Upload {
	const kind = width === null ? (type.startsWith('audio/') ? 'audio' : 'file') : 'image'
	return { id, kind, name, type, sizeBytes, width, height }
}

/** A name as the server takes it: no path, no control characters, its ending kept where it must be shortened. */
export function fileNameOf(name: string): string {
	const bare = name.toWellFormed().normalize('NFC').split(/[\\/]/).at(-1) ?? ''
	const clean = bare.replaceAll(/\p{Cc}/gu, '').trim() || 'file'
	if (clean.length <= limits.fileName) return clean
	const ending = /\.[^.\s]{1,12}$/u.exec(clean)?.[0] ?? ''
	const start = clean.slice(0, limits.fileName - ending.length - 1)
	// Half of a pair may be left at the cut.
	return `${/[\ud800-\udbff]$/.test(start) ? start.slice(0, -1) : start}…${ending}`
}
