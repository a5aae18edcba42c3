/**
 * A browser without IndexedDB (this process has none): what is typed is held in memory, and it is said.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openUserDatabase } from './database.ts'
import { openDrafts } from './drafts.ts'

test('[W22] where the browser keeps nothing, the page still works and says so', async (t) => {
	assert.equal(typeof indexedDB, 'undefined')
	t.mock.method(console, 'warn', () => {})
	const database = await openUserDatabase('somebody')
	t.after(() => database.close())
	assert.equal(database.durable, false)
	const drafts = openDrafts(database)
	await drafts.save('d', { text: 'typed', replyTo: null, editing: null })
	assert.equal((await openDrafts(database).find('d'))?.text, 'typed')
})
