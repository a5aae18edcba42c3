/**
 * A browser without IndexedDB (this process has none): what is typed is held in memory, and it is said.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClock } from '../ids.ts'
import { openUserDatabase } from './database.ts'
import { openDrafts } from './drafts.ts'
import { openFiles } from './staged.ts'

test('[W22] where the browser keeps nothing, the page still works and says so', async (t) => {
	assert.equal(typeof indexedDB, 'undefined')
	t.mock.method(console, 'warn', () => {})
	const database = await openUserDatabase('somebody')
	t.after(() => database.close())
	assert.equal(database.durable, false)
	const drafts = openDrafts(database, async () => false)
	await drafts.save('d', { text: 'typed', replyTo: null, editing: null })
	assert.equal((await openDrafts(database, async () => false).find('d'))?.text, 'typed')
	const files = openFiles(
		database,
		createClock(0, () => {}),
		() => {},
	)
	t.after(files.close)
	const { id, url } = await files.stage('d', { bytes: new Blob(['picked']), name: 'a.txt', width: null, height: null })
	assert.equal(await (await fetch(url)).text(), 'picked')
	assert.equal(await (await files.bytesOf(id))?.text(), 'picked')
})
