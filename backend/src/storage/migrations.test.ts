/**
 * What this program makes of records that earlier versions of it wrote.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolder } from '../../../tests/support/server.ts'
import { openStore } from './open.ts'

const id = (n: number) => n.toString(16).padStart(24, '0')

test('[S37] what was written before there were files, categories and pictures of people opens in today’s form', async (t) => {
	const folder = makeFolder(t)
	const options = { folder: join(folder, 'data'), backups: join(folder, 'backups') }
	const old = await openStore({ ...options, migrations: [] })
	const person = { name: 'Sari', email: 'sari@school.example', role: 'student', status: 'approved', number: '7', scopeRev: 1, bodyHash: '' }
	await old.write(null, async (tx) => {
		await tx.put('users', { id: id(1), ...person, reason: null, decidedBy: null, decidedAt: null } as never)
		await tx.put('groups', { id: id(2), name: 'Blue', createdBy: id(9), status: 'active', bodyHash: '' } as never)
		const topic = {
			title: 'One',
			prompt: '',
			createdBy: id(9),
			groups: [id(2)],
			scopeRev: 1,
			groupsBefore: [],
			status: 'open',
			bodyHash: '',
		}
		await tx.put('discussions', { id: id(3), ...topic } as never)
		const told = { text: 'Old', replyTo: null, writtenAt: tx.at, editedAt: null, edits: 0, removed: null, returned: false, bodyHash: '' }
		await tx.put('messages', { id: id(4), discussion: id(3), author: id(1), group: id(2), ...told } as never)
	})
	await old.close()

	const store = await openStore(options)
	t.after(() => store.close())
	const user = (await store.get('users', id(1)))!
	assert.deepEqual([user.avatar, user.lecturers, user.erasedAt, user.cardRev, user.name], [null, [], null, 0, 'Sari'])
	assert.equal((await store.get('groups', id(2)))!.description, '')
	const topic = (await store.get('discussions', id(3)))!
	assert.deepEqual([topic.category, topic.tags, topic.collaborators, topic.removed, topic.leadersBefore], [null, [], [], null, []])
	const message = (await store.get('messages', id(4)))!
	assert.deepEqual([message.uploads, message.attachments, message.hasFiles, message.text], [[], [], null, 'Old'])
	// Found by indexes that were not there then.
	assert.equal((await store.find('users', 'numberWords', ['7'], { limit: 2 })).length, 1)
	assert.equal((await store.find('discussions', 'words', ['on'], { limit: 2 })).length, 1)
	assert.ok(readdirSync(options.folder).some((name) => name.startsWith('before-schema-2-')))
})
