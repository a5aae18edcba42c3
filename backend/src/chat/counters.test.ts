/**
 * Counters and the derived data under them: kept up, caught up, rebuilt, and equal to a count.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { limits } from '../../../protocol/model.ts'
import { discussionDraft, messageDraft } from '../../../tests/support/records.ts'
import { type Reader, readerOf } from '../access.ts'
import type { DiscussionRecord, UserRecord } from '../storage/collections.ts'
import { type Derived, openDerived } from '../storage/derived.ts'
import { openStore } from '../storage/open.ts'
import type { Store } from '../storage/store.ts'
import { counters, newestFor, totalsFor, unreadFor } from './counters.ts'
import { newestMessage } from './reads.ts'

const id = (n: number) => n.toString(16).padStart(24, '0')
const discussion = id(1)
const [groupA, groupB, alice, bob] = [id(11), id(12), id(21), id(22)]

function folder(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'english-chat-'))
	t.after(() => rmSync(path, { recursive: true, force: true }))
	return path
}

const open = (path: string) => openStore({ folder: join(path, 'data'), backups: join(path, 'backups') })
const derive = (store: Store, path: string) => openDerived(store, join(path, 'data', 'derived.db'), [counters], assert.ifError)

async function send(store: Store, n: number, author: string, group: string | null, removed = false): Promise<void> {
	const at = new Date(0).toISOString()
	const message = { id: id(1_000 + n), discussion, author, group, text: `Message ${n}`, removed: removed ? { at, by: author } : null }
	await store.write(author, (tx) => tx.put('messages', messageDraft(message)))
}

const talkAbout = {
	...discussionDraft({ id: discussion, title: 'Talk', groups: [groupA, groupB], createdBy: id(31) }),
	...{ seq: 1, rev: 1, createdAt: '', updatedAt: '' },
} as DiscussionRecord

function reader(user: string, role: 'student' | 'lecturer', ...groups: string[]): Reader {
	return readerOf({ id: user, role, status: 'approved' } as UserRecord, new Map(groups.map((group) => [group, null])))
}

const lecturer = reader(id(31), 'lecturer')

/** As it should be: alice is in A and has one message from her time in B. */
function check(derived: Derived): void {
	const [inA, inB] = [reader(alice, 'student', groupA), reader(bob, 'student', groupB)]
	assert.deepEqual(totalsFor(derived, inA, talkAbout), { messages: 4, removed: 1 })
	assert.deepEqual(totalsFor(derived, inB, talkAbout), { messages: 3, removed: 0 })
	assert.deepEqual(totalsFor(derived, lecturer, talkAbout), { messages: 5, removed: 1 })
	const unread = [inA, inB, lecturer].map((one) => unreadFor(derived, one, talkAbout, 0))
	assert.deepEqual(unread, [1, 2, 3], 'of others, not removed, for her groups')
	const newest = [inA, inB, lecturer].map((one) => newestFor(derived, one, talkAbout)?.id)
	assert.deepEqual(newest, [id(1_005), id(1_004), id(1_005)])
}

async function talk(store: Store): Promise<void> {
	await send(store, 1, alice, groupA)
	await send(store, 2, alice, groupB)
	await send(store, 3, bob, groupB)
	await send(store, 4, id(31), null)
	await send(store, 5, alice, groupA)
	await send(store, 5, alice, groupA, true)
	await send(store, 1, alice, groupA, true)
	await send(store, 1, alice, groupA)
}

test('[S90] Counters follow every commit.', async (t) => {
	const path = folder(t)
	const store = await open(path)
	const derived = derive(store, path)
	await derived.ready
	await talk(store)
	check(derived)
	derived.close()
	await store.close()
})

test('[S91] Derived data catches up through the journal from its own cursor.', async (t) => {
	const path = folder(t)
	let store = await open(path)
	await send(store, 1, alice, groupA)
	let derived = derive(store, path)
	await derived.ready
	derived.close()
	await talk(store)
	await store.close()
	store = await open(path)
	derived = derive(store, path)
	await derived.ready
	check(derived)
	derived.close()
	await store.close()
})

test('[S92] Derived data is rebuilt from records where it is missing, damaged, pruned away from or of another lineage.', async (t) => {
	const path = folder(t)
	let store = await open(path)
	await talk(store)
	const again = async () => {
		const derived = derive(store, path)
		await derived.ready
		check(derived)
		derived.close()
	}
	await again()
	rmSync(join(path, 'data', 'derived.db'))
	await again()
	writeFileSync(join(path, 'data', 'derived.db'), 'not a database, and long enough to be told from an empty one'.repeat(99))
	await again()
	await send(store, 6, bob, groupB)
	await send(store, 6, bob, groupB, true)
	await store.prune(new Date(Date.now() + 1_000))
	const derived = derive(store, path)
	await derived.ready
	assert.deepEqual(totalsFor(derived, lecturer, talkAbout), { messages: 6, removed: 2 })
	derived.close()
	await store.replaceAll(await store.exportAt())
	store = await open(path)
	const after = derive(store, path)
	await after.ready
	assert.deepEqual(totalsFor(after, lecturer, talkAbout), { messages: 6, removed: 2 })
	after.close()
	await store.close()
})

test('[C10] what is unread is counted up to a limit, over all audiences together', async (t) => {
	const path = folder(t)
	const store = await open(path)
	const derived = derive(store, path)
	await derived.ready
	const draft = (n: number) =>
		messageDraft({ id: id(5_000 + n), discussion, author: bob, group: [null, groupA, groupB][n % 3]!, text: 'x' })
	for (let i = 0; i < 12; i++) {
		await store.write(bob, async (tx) => {
			for (let n = 0; n < 100; n++) await tx.put('messages', draft(100 * i + n))
		})
	}
	const unread = (one: Reader, upTo = 0) => unreadFor(derived, one, talkAbout, upTo)
	assert.equal(unread(lecturer), limits.unreadCounted)
	assert.equal(unread(reader(alice, 'student', groupA)), 800)
	assert.equal(unread(reader(alice, 'student', groupA, groupB)), limits.unreadCounted)
	assert.equal(unread(reader(bob, 'student', groupB)), 0, 'her own')
	// After the first of the twelve entries.
	assert.equal(unread(reader(alice, 'student'), (await store.get('messages', id(5_000)))!.seq), 366)
	derived.close()
	await store.close()
})

test('[C9] the newest message that somebody sees is found also while nothing is counted', async (t) => {
	const path = folder(t)
	const store = await open(path)
	const derived = derive(store, path)
	await derived.ready
	await talk(store)
	// Many for others, after hers.
	await store.write(bob, async (tx) => {
		for (let n = 0; n < 100; n++) {
			await tx.put('messages', messageDraft({ id: id(9_000 + n), discussion, author: bob, group: groupB, text: 'x' }))
		}
	})
	const people = [reader(alice, 'student', groupA), reader(bob, 'student', groupB), lecturer, reader(id(99), 'student')]
	const found = () => Promise.all(people.map(async (one) => (await newestMessage(store, derived, one, talkAbout))?.id))
	const counted = await found()
	assert.deepEqual(counted, [id(1_005), id(9_099), id(9_099), id(1_004)])
	derived.close()
	assert.equal(unreadFor(derived, lecturer, talkAbout, 0), null)
	assert.deepEqual(await found(), counted)
	await store.close()
})
