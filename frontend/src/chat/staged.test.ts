/**
 * Files on the device and on their way: staged, sent once and in order, cancelled, given back, held.
 */
import 'fake-indexeddb/auto'
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Dexie } from 'dexie'
import fc from 'fast-check'
import { limits, type Message, text } from '../../../protocol/model.ts'
import { problem, type Script, until } from '../../../tests/support/scripted.ts'
import { at, clock, discussion, openReady, openWorld } from '../../../tests/support/world.ts'
import type { Client } from '../client.ts'
import { makeId } from '../ids.ts'
import { openUserDatabase } from './database.ts'
import { fileNameOf, openFiles } from './staged.ts'

const picked = (name: string, bytes = name) => ({ bytes: new Blob([bytes], { type: 'image/png' }), name, width: 40, height: 30 })
const last = (client: Client) => client.timeline(discussion).items.at(-1)
const textOf = async (url: string | null) => (url ? (await fetch(url)).text() : null)

/** A server that takes files and messages, unless `refuse` says otherwise. */
async function openTaking(t: TestContext) {
	const opened = await openReady(t)
	const { world, script, message, me } = opened
	const taken: string[] = []
	const files = new Map<string, string>()
	let lose = 0
	script.sendFile = ({ id, name, bytes }) => {
		taken.push(`file ${name}`)
		files.set(id, String(bytes))
		if (lose-- > 0) return 'cut'
		const upload = { id, kind: 'image', name, type: 'image/png', sizeBytes: bytes.length, width: 40, height: 30 } as const
		return { upload, cursor: `${world.lineage}:${++world.head}` }
	}
	script.sendMessage = ({ id, text, uploads }) => {
		taken.push(`message ${text}`)
		const missing = uploads.some((upload: string) => !files.has(upload))
		if (missing) return problem('upload_unknown')
		const attachments = uploads.map((upload: string) => ({
			...{ id: upload, kind: 'image', name: 'as stored', type: 'image/png', sizeBytes: 1, width: 40, height: 30 },
		}))
		const stored: Message = { ...message(++world.head), id, text, attachments, author: me.id }
		world.messages.push(stored)
		return { message: stored, receipt: { createdAt: at, mac: 'm'.repeat(43) }, cursor: `${world.lineage}:${world.head}` }
	}
	const send = (client: Client, say: string, ids: string[]) =>
		client.send({ discussion, group: undefined, text: say, replyTo: null, files: ids })
	const database = await openUserDatabase(me.id)
	t.after(() => database.close())
	const loseAnswers = (count: number) => {
		lose = count
	}
	return { ...opened, taken, files, send, database, loseAnswers }
}

test('[W65] a staged file is on the device, is a draft by itself, and survives a reload', async (t) => {
	const { client, openTab, database } = await openTaking(t)
	const one = await client.stage(discussion, picked('one.png'))
	const two = await client.stage(discussion, picked('two.png'))
	assert.deepEqual([one.name, one.type, one.sizeBytes, one.width], ['one.png', 'image/png', 7, 40])
	assert.equal(await textOf(one.url), 'one.png')
	assert.equal(client.localUrl(one.id), one.url)
	assert.deepEqual(await client.draft(discussion), { text: '', replyTo: null, editing: null })
	await client.saveDraft(discussion, { text: '', replyTo: 'm', editing: null })
	client.close()
	assert.equal(await textOf(one.url).catch(() => 'gone'), 'gone', 'an address ends with the page')
	const again = await openTab()
	const staged = await again.staged(discussion)
	assert.deepEqual(
		staged.map(({ id }) => id),
		[one.id, two.id],
	)
	assert.equal(await textOf(staged[1]?.url ?? null), 'two.png')
	assert.equal((await again.draft(discussion))?.replyTo, 'm')
	for (const { id } of staged) await again.unstage(discussion, id)
	assert.equal(await again.draft(discussion), null)
	assert.deepEqual([await database.files.count(), await database.bytes.count()], [0, 0])
})

test('[W65] a database of the version before is opened with all that is in it', async (t) => {
	const user = makeId(clock)
	const old = new Dexie(`english-chat-${user}`)
	old.version(1).stores({ drafts: 'discussion', outbox: '++number, state, target, [lineage+seq]', lease: 'name', meta: 'key' })
	await old.open()
	await old.table('drafts').put({ discussion, text: 'half a', replyTo: null, editing: null })
	const input = { id: makeId(clock), discussion, text: 'waits', replyTo: null, writtenAt: at }
	await old.table('outbox').add({ command: 'sendMessage', input, target: input.id, state: 'waiting', lineage: '', problem: null })
	old.close()
	const database = await openUserDatabase(user)
	t.after(() => database.close())
	assert.equal(database.durable, true)
	assert.equal((await database.drafts.get(discussion))?.text, 'half a')
	assert.deepEqual((await database.outbox.toArray())[0]?.input, input)
	const files = openFiles(database, clock, () => {})
	t.after(files.close)
	await files.stage(discussion, picked('new.png'))
	assert.equal((await files.staged(discussion)).length, 1)
})

test('[W65] any name becomes one that the server takes, with its ending', () => {
	const schema = text(limits.fileName)
	fc.assert(
		fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
			assert.equal(schema.parse(fileNameOf(name)), fileNameOf(name))
		}),
		{ numRuns: 60 },
	)
	assert.equal(fileNameOf('../../etc/pass\u0000wd.png'), 'passwd.png')
	assert.match(fileNameOf(`${'ä'.repeat(300)}.jpeg`), /ä….jpeg$/)
	assert.equal(fileNameOf(' '), 'file')
})

test('[W66] files go before their message, in order, and are shown from this device all the time', async (t) => {
	const { client, taken, send, world, frame } = await openTaking(t)
	const staged = [await client.stage(discussion, picked('one.png')), await client.stage(discussion, picked('two.png'))]
	const ids = staged.map(({ id }) => id)
	await send(client, 'with files', ids)
	assert.deepEqual(await client.staged(discussion), [])
	assert.equal(await client.draft(discussion), null)
	const waiting = last(client)
	assert.deepEqual(
		waiting?.message.attachments.map(({ id, kind, name, width }) => [id, kind, name, width]),
		staged.map(({ id, name }) => [id, 'image', name, 40]),
	)
	assert.deepEqual(
		waiting?.transfers.map(({ id }) => id),
		ids,
	)
	await until('it is stored', () => last(client)?.safety === 'stored')
	frame([{ put: 'messages', record: world.messages.at(-1)! }])
	await until('it is the server’s', () => last(client)?.message.attachments[0]?.name === 'as stored')
	assert.deepEqual(taken, ['file one.png', 'file two.png', 'message with files'])
	assert.deepEqual(last(client)?.transfers, [])
	assert.equal(await textOf(client.localUrl(ids[0]!)), 'one.png')
	await until('nothing waits', () => client.snapshot().waiting === 0)
})

test('[W66] a lost answer makes no second upload of another id, and what was sent is not sent again', async (t) => {
	const { client, taken, files, send, loseAnswers, script } = await openTaking(t)
	const staged = [await client.stage(discussion, picked('one.png')), await client.stage(discussion, picked('two.png'))]
	loseAnswers(1)
	const { sendMessage } = script
	let full = true
	script.sendMessage = (input) => (full ? problem('storage_full') : sendMessage?.(input)) as object
	await send(
		client,
		'once',
		staged.map(({ id }) => id),
	)
	await until(
		'the message is tried',
		() => taken.includes('file two.png') && last(client)?.transfers.every(({ state }) => state === 'sent'),
	)
	full = false
	await until('it is stored', () => last(client)?.safety === 'stored')
	assert.deepEqual(taken, ['file one.png', 'file one.png', 'file two.png', 'message once'])
	assert.equal(files.size, 2)
})

test('[W66] what waits offline goes after a reload, with its files', async (t) => {
	const { client, openTab, taken, send, script } = await openTaking(t)
	const { sendFile } = script
	script.sendFile = () => 'cut'
	const { id } = await client.stage(discussion, picked('one.png'))
	await send(client, '', [id])
	await until('it failed', () => last(client)?.transfers[0]?.state === 'failed')
	client.close()
	const again = await openTab()
	await until('it is there', () => again.timeline(discussion).state === 'ready' && last(again)?.message.attachments.length === 1)
	await until('it can be seen', () => again.localUrl(id))
	assert.equal(await textOf(again.localUrl(id)), 'one.png')
	Object.assign(script, { sendFile })
	await until('it is stored', () => last(again)?.safety === 'stored')
	assert.deepEqual(taken, ['file one.png', 'message '])
})

test('[W66] a refused file makes its message refused, and gives text and files back', async (t) => {
	const { client, taken, send, script } = await openTaking(t)
	const { sendFile } = script
	script.sendFile = ({ name, ...more }) => (name === 'bad.png' ? problem('picture_refused') : (sendFile?.({ name, ...more }) as object))
	const staged = [await client.stage(discussion, picked('good.png')), await client.stage(discussion, picked('bad.png'))]
	await send(
		client,
		'with a bad one',
		staged.map(({ id }) => id),
	)
	await client.send({ discussion, group: undefined, text: 'the next', replyTo: null, files: [] })
	await until('it is refused', () => client.snapshot().refused === 1 && client.snapshot().waiting === 0)
	const refused = client.timeline(discussion).items.find(({ safety }) => safety === 'refused')
	assert.equal(refused?.problem?.code, 'picture_refused')
	assert.equal(await client.takeBack(refused.command as number), 'with a bad one')
	assert.deepEqual(
		(await client.staged(discussion)).map(({ name }) => name),
		['good.png', 'bad.png'],
	)
	await send(client, 'again', [staged[0]!.id])
	await until('it is stored', () => taken.includes('message again') && client.snapshot().waiting === 0)
	assert.equal(taken.filter((one) => one === 'file good.png').length, 1, 'it was there already')
})

test('[W67] a message is cancelled while its files are under way; its words and files come back, and the next goes', async (t) => {
	const { client, openTab, taken, send, script, database } = await openTaking(t)
	const { sendFile } = script
	script.sendFile = () => new Promise(() => {})
	const { id } = await client.stage(discussion, picked('large.png'))
	await send(client, 'never mind', [id])
	await until('it is under way', () => last(client)?.transfers[0]?.state === 'sending')
	const message = last(client)!.id
	await client.edit(message, 'never mind it')
	// From another tab as well as from the one that sends.
	const other = await openTab()
	await until('it is seen there', () => other.timeline(discussion).state === 'ready' && last(other)?.id === message)
	assert.equal(await other.cancel(message), 'never mind it')
	assert.equal(await client.cancel(message), null)
	assert.deepEqual(
		(await other.staged(discussion)).map(({ name }) => name),
		['large.png'],
	)
	assert.equal(await database.outbox.count(), 0)
	Object.assign(script, { sendFile })
	await other.send({ discussion, group: undefined, text: 'something else', replyTo: null, files: [] })
	await until('it was sent', () => taken.includes('message something else'))
	assert.deepEqual(taken, ['message something else'])
	await until('it is out of sight', () => client.timeline(discussion).items.every(({ id }) => id !== message))
})

test('[W67] what the server may have heard of is not cancelled', async (t) => {
	const { client, script } = await openTaking(t)
	let tried = 0
	script.sendMessage = () => {
		tried++
		return 'cut'
	}
	await client.send({ discussion, group: undefined, text: 'perhaps stored', replyTo: null, files: [] })
	await until('it was tried', () => tried > 0)
	assert.equal(await client.cancel(last(client)!.id), null)
	assert.equal(last(client)?.message.text, 'perhaps stored')
	assert.equal(await client.cancel(client.timeline(discussion).items[0]!.id), null)
})

test('[W68] bytes are held until the message is released, and sent again where a restored server does not know them', async (t) => {
	const { client, openTab, taken, files, send, database, frame, world, server, script } = await openTaking(t)
	const { id } = await client.stage(discussion, picked('kept.png'))
	await send(client, 'with a file', [id])
	await until('it is stored', () => client.snapshot().waiting === 0)
	assert.equal(await database.bytes.count(), 1)
	// A restore: the server has neither message nor file.
	client.close()
	files.clear()
	world.lineage = 'b'.repeat(24)
	const offers: string[][] = []
	script.offerAgain = ({ commands }) => {
		offers.push(commands.map(({ input }: { input: { text: string } }) => input.text))
		const isHere = files.has(id)
		const message = { ...world.messages.at(-1)!, rev: ++world.head }
		const done = { outcome: 'done', cursor: `${world.lineage}:${world.head}`, message }
		return { results: [isHere ? done : { outcome: 'refused', problem: problem('upload_unknown') }] }
	}
	taken.length = 0
	const again = await openTab()
	await until('it is back', () => again.snapshot().connection === 'online' && offers.length === 2 && again.snapshot().waiting === 0)
	assert.deepEqual([taken, offers, again.snapshot().refused], [['file kept.png'], [['with a file'], ['with a file']], 0])
	assert.ok(server.calls.length > 0)
	frame([], `${world.lineage}:${world.head}`)
	await until('nothing is held', async () => (await database.bytes.count()) + (await database.files.count()) === 0)
})

test('[W68] of what the server has, only so many bytes are held, the newest; what waits is always held', async (t) => {
	const { me } = await openWorld(t)
	const database = await openUserDatabase(me.id)
	t.after(() => database.close())
	const files = openFiles(database, clock, () => {}, 25)
	t.after(files.close)
	const row = { lineage: 'a', seq: 1, rev: 1, receipt: null, problem: null, seenRemoved: null, optional: false, tried: true }
	const ids: string[] = []
	for (let n = 0; n < 6; n++) {
		const { id } = await files.stage(discussion, picked(`${n}`, 'x'.repeat(10)))
		ids.push(id)
		const target = makeId(clock)
		await database.transaction('rw', database.files, () => files.attach([id], target))
		const input = { id: target, discussion, text: '', uploads: [id], replyTo: null, writtenAt: at }
		const state = n === 0 ? 'waiting' : n === 1 ? 'refused' : 'stored'
		await database.outbox.add({ command: 'sendMessage', input, target, state, storedAt: state === 'stored' ? n : null, ...row })
	}
	await files.sweep()
	const held = await database.bytes.toCollection().primaryKeys()
	assert.deepEqual(held.toSorted(), [ids[0], ids[1], ids[4], ids[5]].toSorted())
	assert.deepEqual(await files.unsent(ids.slice(2, 4), 'b'), [])
})

test('[W69] my picture is sent and made mine, and taken away again', async (t) => {
	const { client, script, world, me, server } = await openTaking(t)
	script.editMe = ({ avatar }) => ({ me: { ...me, avatar, rev: ++world.head }, cursor: `${world.lineage}:${world.head}` })
	await client.setAvatar(new Blob(['face'], { type: 'image/png' }))
	const sent = server.calls.find(({ name }) => name === 'sendFile')?.input
	assert.deepEqual([sent?.purpose, String(sent?.bytes)], ['avatar', 'face'])
	await until('it is mine', () => client.snapshot().me.avatar === sent?.id)
	await client.setAvatar(null)
	await until('it is gone', () => client.snapshot().me.avatar === null)
	Object.assign(script, { sendFile: () => problem('picture_refused') } satisfies Script)
	await assert.rejects(client.setAvatar(new Blob(['no picture'])), { name: 'ApiError' })
	assert.equal(client.snapshot().me.avatar, null)
})

test('[W20] files whose ids lie in the server’s future get new ones, with their message', async (t) => {
	const { client, taken, files, send, script, database } = await openTaking(t)
	const { sendFile, sendMessage } = script
	const early = new Set<string>()
	const { id } = await client.stage(discussion, picked('early.png'))
	early.add(id)
	script.sendFile = (input) => (early.has(input.id) ? problem('id_in_future') : (sendFile?.(input) as object))
	script.sendMessage = (input) => (input.uploads.includes(id) ? problem('upload_unknown') : (sendMessage?.(input) as object))
	await send(client, 'from tomorrow', [id])
	await until('it is stored', () => client.snapshot().waiting === 0 && taken.length > 0)
	assert.deepEqual(taken, ['file early.png', 'message from tomorrow'])
	assert.equal(client.snapshot().refused, 0)
	const [renewed] = await database.files.toArray()
	assert.deepEqual([renewed?.id !== id, files.get(renewed!.id)], [true, 'early.png'])
	assert.equal(client.localUrl(renewed!.id), client.localUrl(id), 'it is shown without a break')
})

test('[W13] a refused message whose files’ ids are taken goes under new ones when it is sent again', async (t) => {
	const { client, taken, send, script } = await openTaking(t)
	const { sendFile } = script
	const { id } = await client.stage(discussion, picked('mine.png'))
	script.sendFile = (input) => (input.id === id ? problem('id_taken') : (sendFile?.(input) as object))
	await send(client, 'again', [id])
	await until('it is refused', () => client.snapshot().refused === 1)
	await client.retry(last(client)?.command as number)
	await until('it is stored', () => client.snapshot().waiting + client.snapshot().refused === 0 && taken.length === 2)
	assert.deepEqual(taken, ['file mine.png', 'message again'])
})
