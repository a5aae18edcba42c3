/**
 * A school to be measured: 500 students and a lecturer, all signed in, written through the store
 * before the server starts.
 *
 * Its folder lies in bench/data (or BENCH_DIR): on a disk, since the cost of an fsync is half of
 * what is measured, and temporary folders are often memory.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { openStore } from '../backend/src/storage/open.ts'
import type { Store } from '../backend/src/storage/store.ts'
import { discussionDraft, groupDraft, userDraft } from '../tests/support/records.ts'
import { messageDraft, nextId, textLength, words } from './documents.ts'
import { idPlace, markPlace, request } from './load.ts'

export interface Member {
	id: string
	cookie: string
}

export interface School {
	/** As DATA_DIR names it. */
	folder: string
	lecturer: Member
	students: Member[]
	/** Everybody's group, and the discussions in it. */
	group: string
	discussions: string[]
	/** The group and the discussion of the first 300. */
	room: { group: string; discussion: string; members: Member[] }
}

const base = process.env.BENCH_DIR ?? join(import.meta.dirname, 'data')

const folders = new Set<string>()
process.on('exit', () => {
	for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A new empty folder on the disk that is measured. */
export async function newFolder(): Promise<string> {
	mkdirSync(base, { recursive: true })
	const folder = await mkdtemp(join(base, 'run-'))
	folders.add(folder)
	return folder
}

/** The store of a folder that no server has open; `mongodb`: the address of its database, where that is not in the folder. */
export function openFolder(folder: string, mongodb?: string): Promise<Store> {
	return openStore({ folder: join(folder, 'data'), backups: join(folder, 'backups'), ...(mongodb && { mongodb: { uri: mongodb } }) })
}

const now = new Date().toISOString()
const bodyHash = createHash('sha256').update('bench').digest('base64url')

async function enrol(store: Store, role: 'student' | 'lecturer', groups: string[], name: string): Promise<Member> {
	const [id, token] = [nextId(), randomBytes(32).toString('base64url')]
	await store.write(null, async (tx) => {
		await tx.put('users', userDraft({ id, name, role, decidedAt: now, scopeRev: tx.seq, cardRev: tx.seq, bodyHash }))
		const expiresAt = new Date(Date.now() + 29.9 * 24 * 3600_000).toISOString()
		const tokenHash = createHash('sha256').update(token).digest('base64url')
		await tx.put('sessions', { id: nextId(), user: id, tokenHash, device: 'bench', expiresAt })
		for (const group of groups) await tx.put('memberships', { id: nextId(), group, user: id })
	})
	return { id, cookie: `session=${token}` }
}

async function startDiscussion(store: Store, lecturer: Member, group: string, title: string): Promise<string> {
	const discussion = await store.write(lecturer.id, (tx) =>
		tx.put('discussions', discussionDraft({ id: nextId(), title, createdBy: lecturer.id, groups: [group], scopeRev: tx.seq, bodyHash })),
	)
	return discussion.id
}

/** Fills a new folder, and the new database where it has one. `count`: of everybody's discussions. */
export async function openSchool(folder: string, mongodb?: string, count = 20): Promise<School> {
	const store = await openFolder(folder, mongodb)
	const lecturer = await enrol(store, 'lecturer', [], 'Lecturer')
	const newGroup = (name: string) =>
		store.write(lecturer.id, (tx) => tx.put('groups', groupDraft({ id: nextId(), name, createdBy: lecturer.id, bodyHash })))
	const group = (await newGroup('Everybody')).id
	const inRoom = (await newGroup('Room')).id
	const students = await Promise.all(
		Array.from({ length: 500 }, (_, i) => enrol(store, 'student', i < 300 ? [group, inRoom] : [group], `Student ${i}`)),
	)
	const discussions: string[] = []
	for (let i = 0; i < count; i++) discussions.push(await startDiscussion(store, lecturer, group, `Discussion ${i}`))
	const room = { group: inRoom, discussion: await startDiscussion(store, lecturer, inRoom, 'Room'), members: students.slice(0, 300) }
	await store.close()
	return { folder, lecturer, students, group, discussions, room }
}

/** Adds messages to the discussions of a school, evenly. */
export async function addMessages(store: Store, school: School, count: number, discussions = school.discussions): Promise<void> {
	const senders = 400
	let left = count
	await Promise.all(
		Array.from({ length: senders }, async () => {
			while (left > 0) {
				const i = left--
				const author = school.students[i % school.students.length]!.id
				const message = messageDraft(discussions[i % discussions.length]!, author, school.group)
				await store.write(author, (tx) => tx.put('messages', message))
			}
		}),
	)
}

/** Each of these has read each discussion up to a place of her own, or (one of ten) not at all. */
export async function addReads(store: Store, readers: readonly Member[], discussions: readonly string[]): Promise<void> {
	const { seq } = store.head
	await Promise.all(
		readers.map(({ id }, i) =>
			store.write(id, async (tx) => {
				for (const [j, discussion] of discussions.entries()) {
					const place = (i * 31 + j * 17) % 10
					if (place > 0) await tx.put('reads', { id: nextId(), user: id, discussion, upTo: Math.floor((seq * place) / 10) })
				}
			}),
		),
	)
}

/** The request that posts a message; the generator fills in its id and mark. */
export function postMessage(member: Member, discussion: string, group: string): string {
	const text = `${markPlace} ${words(textLength - markPlace.length - 1)}`
	return request('POST', '/api/messages', {
		cookie: member.cookie,
		body: { id: idPlace, discussion, group, text, replyTo: null, writtenAt: now },
	})
}
