/**
 * Drafts and the lease, on a real IndexedDB interface.
 */
import 'fake-indexeddb/auto'
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createClock, makeId } from '../ids.ts'
import { openUserDatabase } from './database.ts'
import { openDrafts } from './drafts.ts'
import { withLease } from './lease.ts'

async function open(t: TestContext) {
	const database = await openUserDatabase(makeId(createClock(0, () => {})))
	t.after(() => database.close())
	return database
}
const noFiles = async () => false
const draft = (text: string) => ({ text, replyTo: null, editing: null })

test('[W21] of what is typed the last is kept, and one write at a time is enough', async (t) => {
	const database = await open(t)
	let writing = 0
	let writes = 0
	database.drafts.hook('creating', () => void writes++)
	database.drafts.hook('updating', () => void writes++)
	const drafts = openDrafts(database, noFiles)
	const saves = []
	for (let length = 1; length <= 200; length++) {
		writing++
		saves.push(drafts.save('d', draft('x'.repeat(length))).then(() => writing--))
		if (length % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
	}
	assert.equal((await drafts.find('d'))?.text.length, 200, 'what was typed is read back before it is written')
	await Promise.all(saves)
	assert.equal(writing, 0)
	assert.ok(writes < 50, `${writes} writes`)
	assert.equal((await openDrafts(database, noFiles).find('d'))?.text.length, 200)
})

test('[W21] an empty draft is none, and a sent one goes unless something else was typed meanwhile', async (t) => {
	const drafts = openDrafts(await open(t), noFiles)
	await drafts.save('d', { text: 'a reply', replyTo: 'm', editing: null })
	assert.deepEqual(await drafts.find('d'), { text: 'a reply', replyTo: 'm', editing: null })
	assert.equal(await drafts.find('e'), null)
	await drafts.sent('d', 'something else')
	assert.ok(await drafts.find('d'))
	await drafts.sent('d', 'a reply')
	assert.equal(await drafts.find('d'), null)
	await drafts.save('d', draft('more'))
	await drafts.save('d', draft(''))
	assert.equal(await drafts.find('d'), null)
})

test('[W21] while a text is being sent its draft stays on the device, whatever is typed next', async (t) => {
	const database = await open(t)
	const drafts = openDrafts(database, noFiles)
	await drafts.save('d', draft('being sent'))
	const sending = Promise.withResolvers<void>()
	drafts.hold('d', sending.promise)
	const saved = drafts.save('d', draft('the next one'))
	await new Promise((resolve) => setTimeout(resolve, 20))
	assert.equal((await database.drafts.get('d'))?.text, 'being sent')
	assert.equal((await drafts.find('d'))?.text, 'the next one')
	sending.reject(new Error('the device is full'))
	await saved
	assert.equal((await database.drafts.get('d'))?.text, 'the next one')
})

test('[W14] the lease is held by one tab, let go at the end, and taken over when its tab is dead or the clock was set back', async (t) => {
	const database = await open(t)
	const order: string[] = []
	let finish = () => {}
	const first = withLease(database, 'one', async (held) => {
		assert.ok(held())
		order.push('one')
		await new Promise<void>((resolve) => {
			finish = resolve
		})
	})
	await new Promise((resolve) => setTimeout(resolve, 20))
	assert.equal(await withLease(database, 'two', async () => void order.push('two')), false)
	finish()
	assert.equal(await first, true)
	assert.equal(await withLease(database, 'two', async () => void order.push('two')), true)
	await database.lease.put({ name: 'send', tab: 'dead', until: Date.now() - 1 })
	assert.equal(await withLease(database, 'two', async () => void order.push('after the dead one')), true)
	await database.lease.put({ name: 'send', tab: 'from next year', until: Date.now() + 1e10 })
	assert.equal(await withLease(database, 'two', async () => void order.push('after the clock was set back')), true)
	assert.deepEqual(order, ['one', 'two', 'after the dead one', 'after the clock was set back'])
})
