/**
 * Erasing a person for good: what is known of her goes from records and journal alike.
 *
 * Promises that her id stands in backups/erasures.ndjson before the erasure is reported done, so that
 * no restore brings her back: who is listed there is erased again before anybody is served. One cut short goes on
 * at the next start. Never erases what others wrote.
 */
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { publicUser, refuseChanged } from '../access.ts'
import { notFound } from '../errors.ts'
import { newId, systemId } from '../ids.ts'
import { type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { EditRecord, MessageRecord, Records, UploadRecord, UserRecord } from '../storage/collections.ts'
import { syncPath } from '../storage/durable-file.ts'
import type { Position } from '../storage/engine.ts'
import type { Draft, Store, Tx } from '../storage/store.ts'
import { leaveGroups, refuseLastAdmin } from './decisions.ts'
import { endSessionsOf } from './sessions.ts'

/** An erasure that was begun. `by`: the admin. */
interface Erasure {
	id: string
	at: string
	texts: boolean
	/** Null: the server, after a restore. */
	by: string | null
}

/** A line of the list. */
const Line = z.object({ id: z.string().regex(/^[0-9a-f]{24}$/), at: z.iso.datetime(), texts: z.boolean() })

function parsed(line: string): unknown {
	try {
		return JSON.parse(line)
	} catch {
		return null
	}
}

/** Ids of what she wrote. */
type Writings = Record<'messages' | 'edits', string[]>
type Target = Parameters<Store['erase']>[1][number]
const target = <C extends keyof Records>(collection: C, record: Draft<Records[C]>): Target => ({ collection, record })

const begunId = systemId('erasures')
/** Older than every backup. */
const OLD = new Date('2000-01-01T00:00:00Z')
/** Each call of `erase` walks over the whole journal; what one call takes is held in memory. */
const erasedAtOnce = 2_000
const removedAtOnce = 250
const readAtOnce = 500

/** `eraseFile` deletes the bytes of an upload. */
export async function openErasure(
	{ store, rates, config, log }: Parts,
	eraseFile: (upload: UploadRecord) => Promise<void>,
): Promise<Pick<Handlers, 'eraseUser'>> {
	const path = join(config.folders.backups, 'erasures.ndjson')
	/** One at a time: each walks over everything there is. */
	let turn: Promise<unknown> = Promise.resolve()
	function inTurn<T>(work: () => Promise<T>): Promise<T> {
		const done = turn.then(work)
		turn = done.catch(() => {})
		return done
	}

	async function begunIn(tx: Pick<Tx, 'get'>): Promise<Erasure[]> {
		const record = await tx.get('system', begunId)
		return record ? (JSON.parse(record.value) as Erasure[]) : []
	}

	const begunBut = async (tx: Tx, id: string) => (await begunIn(tx)).filter((one) => one.id !== id)

	const note = (tx: Tx, begun: readonly Erasure[]) =>
		begun.length === 0
			? tx.remove('system', begunId)
			: tx.put('system', { id: begunId, name: 'erasures', value: JSON.stringify(begun) }).then(() => {})

	/** Puts a line under the others, for good; a half one of a crash stays a line of its own. */
	async function list({ id, at, texts }: Erasure): Promise<void> {
		await mkdir(config.folders.backups, { recursive: true })
		const file = await open(path, 'a+')
		try {
			const { size } = await file.stat()
			const last = size > 0 ? (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString() : '\n'
			await file.write(`${last === '\n' ? '' : '\n'}${JSON.stringify({ id, at, texts })}\n`)
			// The newest entry of the folder is to be the newest backup.
			await file.utimes(OLD, OLD)
			await file.sync()
		} finally {
			await file.close()
		}
		syncPath(config.folders.backups)
	}

	async function remove(by: string | null, collection: 'credentials' | 'edits', ids: readonly string[]): Promise<void> {
		for (let i = 0; i < ids.length; i += removedAtOnce) {
			await store.write(by, async (tx) => {
				for (const id of ids.slice(i, i + removedAtOnce)) await tx.remove(collection, id)
			})
		}
	}

	/** What she wrote, found by a walk over everything: an index of writers would cost every message. */
	async function writingsOf(id: string): Promise<Writings> {
		const found: Writings = { messages: [], edits: [] }
		for await (const { collection, record } of (await store.exportAt()).records) {
			if ((collection === 'messages' || collection === 'edits') && (record as MessageRecord | EditRecord).author === id) {
				found[collection].push(record.id)
			}
		}
		return found
	}

	async function* uploadsOf(owner: string): AsyncGenerator<UploadRecord> {
		for (let after = null as Position | null; ; ) {
			const page = await store.find('uploads', 'owner', [owner], { after, limit: readAtOnce })
			yield* page
			const last = page.at(-1)
			if (!last || page.length < readAtOnce) return
			after = { sort: null, seq: last.seq, id: last.id }
		}
	}

	async function* recordsOf<C extends 'messages' | 'edits'>(collection: C, ids: readonly string[]): AsyncGenerator<Readonly<Records[C]>> {
		for (let i = 0; i < ids.length; i += readAtOnce) {
			for (const record of await store.getMany(collection, ids.slice(i, i + readAtOnce))) if (record) yield record
		}
	}

	/** All that is to be erased, each in the form that takes its place. */
	async function* targetsOf({ id, at, by, texts }: Erasure, { messages, edits }: Writings): AsyncGenerator<Target> {
		for await (const message of recordsOf('messages', messages)) yield target('messages', blankMessage(message, at, by))
		for await (const edit of recordsOf('edits', edits)) yield target('edits', { ...edit, text: '', bodyHash: '' })
		for await (const upload of uploadsOf(id)) {
			if (upload.file === null || !(texts || upload.purpose === 'avatar')) continue
			// First: the record says where the bytes are, for as long as there are some.
			await eraseFile(upload)
			yield target('uploads', blankUpload(upload))
		}
		yield target('users', (await store.get('users', id))!)
		const credential = await store.get('credentials', id)
		if (credential) yield target('credentials', { ...credential, password: '' })
	}

	/** All that comes after the first step; may be done again. */
	async function finish(erasure: Erasure): Promise<void> {
		const { id, by, texts } = erasure
		if (by !== null) await list(erasure)
		while (!(await store.write(by, (tx) => leave(tx, id))));
		const writings = texts ? await writingsOf(id) : { messages: [], edits: [] }
		let batch: Target[] = []
		for await (const one of targetsOf(erasure, writings)) {
			if (batch.push(one) < erasedAtOnce) continue
			await store.erase(by, batch)
			batch = []
		}
		if (batch.length > 0) await store.erase(by, batch)
		await remove(by, 'edits', writings.edits)
		await remove(by, 'credentials', [id])
		await store.write(by, async (tx) => note(tx, await begunBut(tx, id)))
	}

	/** Her groups, where they are more than the first step could take. */
	async function leave(tx: Tx, id: string): Promise<boolean> {
		const [membership] = await tx.find('memberships', 'user', [id], { limit: 1 })
		if (!membership) return true
		await tx.put('users', { ...(await tx.get('users', id))!, scopeRev: tx.seq })
		return leaveGroups(tx, id)
	}

	/** Who was erased, by id: when last, and whether with her texts. A line that a crash cut says nothing. */
	async function listed(): Promise<Map<string, Pick<Erasure, 'at' | 'texts'>>> {
		const found = new Map<string, Pick<Erasure, 'at' | 'texts'>>()
		const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
			if (error.code === 'ENOENT') return ''
			throw error
		})
		for (const line of text.split('\n')) {
			const { id, at, texts } = Line.safeParse(parsed(line)).data ?? { id: '', at: '', texts: false }
			const before = found.get(id)
			if (id) found.set(id, { at: before && before.at > at ? before.at : at, texts: texts || (before?.texts ?? false) })
		}
		return found
	}

	/** After a restore: the first step for each who is not erased as she was. */
	async function eraseAgain(): Promise<void> {
		for (const [id, { at, texts }] of await listed()) {
			await store.write(null, async (tx) => {
				const user = await tx.get('users', id)
				if (!user || (user.erasedAt !== null && user.erasedAt >= at)) return
				await begin(tx, user, { at, by: null })
				await note(tx, [...(await begunBut(tx, id)), { id, at, texts, by: null }])
			})
		}
	}

	/** From here on nobody sees who she was. */
	async function begin(tx: Tx, user: Readonly<UserRecord>, { at, by }: Pick<Erasure, 'at' | 'by'>): Promise<void> {
		await tx.put('users', { ...user, ...nobody(tx, by), erasedAt: at, email: `erased-${newId()}@erased.invalid` })
		await endSessionsOf(tx, user.id, null)
		await tx.remove('helpLinks', user.id)
		await leaveGroups(tx, user.id)
	}

	async function resume(): Promise<void> {
		for (const erasure of await begunIn(store)) await inTurn(() => finish(erasure))
	}
	await eraseAgain()
	void resume().catch((error: unknown) => log.error({ err: error }, 'an erasure could not be finished; it goes on at the next start'))

	return {
		async eraseUser({ id, texts }, { reader }) {
			const wait = rates.commands.take(reader.user.id)
			if (wait > 0) tooOften(wait)
			const by = reader.user.id
			const before = standing(store).cursor
			return inTurn(async () => {
				const { erasure, cursor } = await store.write(by, async (tx) => {
					await refuseChanged(tx, reader)
					const user = await tx.get('users', id)
					if (!user) notFound('person')
					const begun = await begunIn(tx)
					if (user.erasedAt === null) {
						await refuseLastAdmin(tx, user)
						await begin(tx, user, { at: tx.at, by })
					} else if (texts) await tx.put('users', { ...user, erasedAt: tx.at })
					else if (!begun.some((one) => one.id === id)) return { erasure: null, cursor: before }
					const erasure = { id, at: tx.at, texts: texts || begun.some((one) => one.id === id && one.texts), by }
					await note(tx, [...begun.filter((one) => one.id !== id), erasure])
					return { erasure, cursor: placeOf(tx) }
				})
				if (erasure) await finish(erasure)
				return { user: publicUser((await store.get('users', id))!), cursor: erasure ? standing(store).cursor : cursor }
			})
		},
	}
}

/** What is left of a person. */
function nobody(tx: Tx, by: string | null): Partial<UserRecord> {
	return {
		...{ name: 'Erased', number: null, avatar: null, lecturers: [], reason: null, bodyHash: '' },
		...{ status: 'deactivated', decidedBy: by, decidedAt: tx.at, scopeRev: tx.seq, cardRev: tx.seq },
	}
}

function blankMessage(message: MessageRecord, at: string, by: string | null): Draft<Records['messages']> {
	const gone = { text: '', uploads: [], attachments: [], hasFiles: null, bodyHash: '' }
	return { ...message, ...gone, edits: 0, editedAt: null, removed: { at, by: by ?? message.author } }
}

/** Nothing names it any more, and it names no file. */
function blankUpload(upload: UploadRecord): Draft<Records['uploads']> {
	return { ...upload, name: 'erased', file: null, sha256: '', sentDigest: '', sizeBytes: 0 }
}
