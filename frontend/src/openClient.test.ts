/**
 * The client as screens see it, on a scripted server: pages, what waits over them, resync, typing.
 */
import 'fake-indexeddb/auto'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../protocol/model.ts'
import { problem, type Script, until } from '../../tests/support/scripted.ts'
import { at, discussion, group, idOf, openReady, openWorld, range, teacher, texts, topic } from '../../tests/support/world.ts'
import { openUserDatabase } from './chat/database.ts'
import type { Client } from './client.ts'

test('[W28] a timeline begins with the newest page and grows upwards to its first message', async (t) => {
	const { client, server } = await openReady(t)
	assert.deepEqual(texts(client), range(1_111, 1_120))
	assert.equal(client.timeline(discussion).older, true)
	await Promise.all([client.loadOlder(discussion), client.loadOlder(discussion)])
	assert.deepEqual(texts(client), range(1_101, 1_120))
	while (client.timeline(discussion).older) await client.loadOlder(discussion)
	assert.deepEqual(texts(client), range(1_001, 1_120))
	const calls = server.calls.length
	await client.loadOlder(discussion)
	assert.equal(server.calls.length, calls)
	const ids = client.snapshot().discussions.map((entry) => entry.discussion.id)
	assert.deepEqual(ids, [discussion, idOf(9)], 'newest activity first, from all pages')
	assert.equal(client.snapshot().discussions[0]?.last?.text, 'text 1120')
	assert.deepEqual(client.timeline(discussion).mayWriteTo, [group])
})

test('[W5] what did not change keeps its identity, and a burst of changes is told a few times', async (t) => {
	const { client, publish, frame, world } = await openReady(t)
	const before = client.timeline(discussion)
	assert.equal(client.timeline(discussion), before)
	let told = 0
	client.subscribe(() => {
		told++
		client.timeline(discussion)
	})
	for (let n = 0; n < 500; n++) publish()
	await until('all are there', () => client.timeline(discussion).items.length === 510)
	assert.ok(told < 250, `${told} times`)
	const after = client.timeline(discussion)
	assert.notEqual(after, before)
	for (const [index, item] of before.items.entries()) assert.equal(after.items[index], item)
	assert.equal(after.groups, before.groups)
	const edited = { ...(world.messages[115] as Message), rev: ++world.head, text: 'edited' }
	frame([{ put: 'messages', record: edited }])
	await until('it is edited', () => client.timeline(discussion).items[5]?.message.text === 'edited')
	const last = client.timeline(discussion)
	for (const [index, item] of after.items.entries()) assert.equal(last.items[index] === item, index !== 5)
})

test('[W9] what waits lies over what is stored, and a refused command says so on its message', async (t) => {
	let refuse = false
	const waiting: (() => void)[] = []
	const { client, me, world, publish, frame, script } = await openReady(t, {
		editMessage: async ({ id, text }) => {
			await new Promise<void>((resolve) => waiting.push(resolve))
			if (refuse) return problem('discussion_closed')
			const known = world.messages.find((one) => one.id === id) as Message
			const message = { ...known, rev: ++world.head, text, edits: known.edits + 1, editedAt: at }
			world.messages[world.messages.indexOf(known)] = message
			return { message, cursor: `${world.lineage}:${world.head}` }
		},
	})
	const { id } = publish({ author: me.id })
	const mine = () => client.timeline(discussion).items.find((item) => item.id === id)
	await until('it is there', mine)
	assert.deepEqual([mine()?.safety, mine()?.storedAt], ['stored', at])
	await client.edit(id, 'better')
	assert.deepEqual([mine()?.message.text, mine()?.message.edits, mine()?.safety], ['better', 1, 'device'])
	await until('it is on its way', () => waiting.length === 1)
	waiting[0]?.()
	await until('it is stored', () => mine()?.safety === 'stored')
	assert.deepEqual([mine()?.message.text, mine()?.message.edits], ['better', 1])
	frame([], `${world.lineage}:${world.head}`)
	await until('a backup has it', () => mine()?.safety === 'kept')

	refuse = true
	await client.edit(id, 'too late')
	await until('it is on its way', () => waiting.length === 2)
	waiting[1]?.()
	await until('it is refused', () => mine()?.safety === 'refused')
	assert.deepEqual([mine()?.message.text, mine()?.problem?.code, client.snapshot().refused], ['too late', 'discussion_closed', 1])
	assert.equal(await client.takeBack(mine()?.command as number), 'too late')
	await until('it is as it was', () => mine()?.message.text === 'better' && mine()?.safety === 'kept')

	// Somebody else's message: only what I do to it is mine to see.
	script.setRemoved = () => 'cut'
	const other = client.timeline(discussion).items[0]?.id as string
	assert.equal(client.timeline(discussion).items[0]?.safety, null)
	await client.setRemoved(other, true)
	assert.deepEqual(
		[client.timeline(discussion).items[0]?.safety, client.timeline(discussion).items[0]?.message.removed?.by],
		['device', me.id],
	)
})

test('[W9] what another tab sent stays in sight until its record comes', async (t) => {
	const { openTab, world, me, frame, message, script } = await openWorld(t)
	let stored: Message | null = null
	script.sendMessage = ({ id, text }) => {
		stored = { ...message(++world.head), id, text, author: me.id }
		return { message: stored, receipt: { createdAt: at, mac: 'm'.repeat(43) }, cursor: `${world.lineage}:${world.head}` }
	}
	const [one, two] = [await openTab(), await openTab()]
	for (const client of [one, two]) await until('it is ready', () => client.timeline(discussion).state === 'ready')
	await one.send({ discussion, group: undefined, text: 'mine', replyTo: null, files: [] })
	const last = (client: Client) => client.timeline(discussion).items.at(-1)
	for (const client of [one, two]) await until('it is stored', () => last(client)?.safety === 'stored' && client.snapshot().waiting === 0)
	const other = [one, two].find((client) => last(client)?.message.rev === 0)
	assert.ok(other, 'one of the two has not got the record')
	frame([{ put: 'messages', record: stored as unknown as Message }])
	await until('the record is there', () => (last(other)?.message.rev ?? 0) > 0)
	assert.deepEqual(texts(other), [...range(1_111, 1_120), 'mine'])
	assert.equal(last(other)?.safety, 'stored')
})

test('[W9] a discussion that waits to be started is there at once, with what is written in it', async (t) => {
	const { client, world, me, script } = await openReady(t)
	const order: string[] = []
	script.startDiscussion = () => 'cut'
	const id = await client.startDiscussion({ title: 'New', prompt: 'Begin', groups: [group], category: null, tags: [], collaborators: [] })
	await client.send({ discussion: id, group: null, text: 'first', replyTo: null, files: [] })
	const timeline = client.timeline(id)
	assert.deepEqual([timeline.discussion?.title, timeline.state, timeline.older, timeline.items.length], ['New', 'ready', false, 1])
	assert.equal(client.snapshot().discussions[0]?.discussion.id, id)
	script.startDiscussion = (input) => {
		order.push('start')
		const started = { ...topic(input.id, ++world.head), title: input.title, createdBy: me.id }
		script.getDiscussion = () => ({ discussion: started, groups: [], users: [], cursor: `${world.lineage}:${world.head}` })
		return { discussion: started, cursor: `${world.lineage}:${world.head}` }
	}
	script.listMessages = () => ({ messages: [], quoted: [], users: [], older: null, newer: null, cursor: `${world.lineage}:${world.head}` })
	script.sendMessage = () => {
		order.push('send')
		return 'cut'
	}
	await until('both were sent', () => order.length > 1)
	assert.deepEqual(order.slice(0, 2), ['start', 'send'])
	await until('it is the server’s', () => (client.timeline(id).discussion?.rev ?? 0) > 0 && client.timeline(id).state === 'ready')
	assert.deepEqual(
		client.timeline(id).items.map(({ message, safety }) => [message.text, safety]),
		[['first', 'device']],
	)
})

test('[W28] a page that was under way when everything was fetched anew is not put above the new one', async (t) => {
	const { client, frame, world, script, server } = await openReady(t)
	const { listMessages } = script
	let answer: (() => void) | null = null
	script.listMessages = async (input) => {
		const page = listMessages?.(input) as object
		if (input.before) {
			await new Promise<void>((resolve) => {
				answer = resolve
			})
		}
		return page
	}
	const older = client.loadOlder(discussion)
	await until('it is under way', () => answer)
	world.head++
	const scope = { groups: [], discussions: [discussion] }
	frame([{ scope: { gained: scope, lost: scope } }])
	const fetched = () => server.calls.filter(({ name }) => name === 'listMessages').length
	await until('it is there again', () => fetched() === 3 && client.timeline(discussion).state === 'ready')
	;(answer as unknown as () => void)()
	await older
	assert.deepEqual(texts(client), range(1_111, 1_120))
	Object.assign(script, { listMessages })
	await client.loadOlder(discussion)
	assert.deepEqual(texts(client), range(1_101, 1_120))
})

test('[W16] what the server says is released leaves the device', async (t) => {
	const { client, me, frame, world, script, message } = await openReady(t)
	script.sendMessage = ({ id, text }) => ({
		message: { ...message(++world.head), id, text, author: me.id },
		receipt: { createdAt: at, mac: 'm'.repeat(43) },
		cursor: `${world.lineage}:${world.head}`,
	})
	await client.send({ discussion, group: undefined, text: 'mine', replyTo: null, files: [] })
	await until('it is stored', () => client.snapshot().waiting === 0)
	const database = await openUserDatabase(me.id)
	t.after(() => database.close())
	assert.equal(await database.outbox.count(), 1)
	frame([], `${world.lineage}:${world.head}`)
	await until('it is gone', async () => (await database.outbox.count()) === 0)
	assert.equal(texts(client).at(-1), 'mine')
})

test('[W10] what waits goes even where only the live connection does not get through', async (t) => {
	const { openTab, server, script } = await openWorld(t)
	let sent = 0
	script.sendMessage = () => {
		sent++
		return problem('discussion_closed')
	}
	Object.assign(server.network, { openSocket: () => new WebSocket('ws://127.0.0.1:1') })
	const client = await openTab()
	await client.send({ discussion, group: undefined, text: 'by HTTP', replyTo: null, files: [] })
	await until('it was sent', () => sent === 1 && client.snapshot().refused === 1)
	assert.notEqual(client.snapshot().connection, 'online')
})

test('[W28] a message replied to that came with no page is fetched once', async (t) => {
	const { client, world, publish, server, script } = await openReady(t)
	script.getMessage = ({ id }) => {
		const found = world.messages.find((one) => one.id === id)
		return found ? { message: found, users: [], cursor: `${world.lineage}:${world.head}` } : problem('not_found')
	}
	publish({ replyTo: idOf(1_005) })
	publish({ replyTo: idOf(1_005) })
	publish({ replyTo: idOf(7) })
	await until('it is there', () => client.timeline(discussion).items.at(-3)?.quoted?.text === 'text 1005')
	await until('the other was asked for', () => server.calls.filter(({ name }) => name === 'getMessage').length === 2)
	publish({ replyTo: idOf(7) })
	await until('it is shown', () => client.timeline(discussion).items.length === 14)
	assert.equal(client.timeline(discussion).items.at(-1)?.quoted, null)
	assert.deepEqual(texts(client).slice(0, 10), range(1_111, 1_120), 'what is quoted is not part of the page')
	assert.equal(server.calls.filter(({ name }) => name === 'getMessage').length, 2)
})

test('[W29] a resync shows the new state at one moment, and after a reconnection with catch-up nothing is fetched', async (t) => {
	const { client, world, server, publish, message } = await openReady(t)
	const calls = server.calls.length
	server.sockets[0]?.terminate()
	await until('it is connected again', () => server.sockets.length === 2 && client.snapshot().connection === 'online')
	publish()
	await until('it goes on', () => client.timeline(discussion).items.length === 11)
	assert.equal(server.calls.length, calls)

	let empty = 0
	client.subscribe(() => {
		if (client.timeline(discussion).items.length === 0) empty++
	})
	// A restore: another journal, in which the last message is missing and another one came.
	world.lineage = 'b'.repeat(24)
	world.messages = [...world.messages.slice(0, 115), message(1_200, { text: 'after the restore' })]
	world.head = 1_200
	server.sockets[1]?.terminate()
	await until('it is the new state', () => texts(client).at(-1) === 'after the restore')
	assert.deepEqual(texts(client), [...range(1_107, 1_115), 'after the restore'])
	assert.equal(client.timeline(discussion).older, true)
	assert.equal(empty, 0)
	await until('it is online', () => client.snapshot().connection === 'online')
	publish()
	await until('the stream goes on', () => texts(client).at(-1) === 'text 1201')
})

test('[W29] what could not be fetched is fetched later, by itself', async (t) => {
	let failures = 3
	const { script, openTab } = await openWorld(t)
	const { listDiscussions, listMessages } = script
	const failing = (answer: Script['listMessages']) => (input: object) =>
		failures-- > 0 ? problem('storage_unavailable') : (answer?.(input) as object)
	Object.assign(script, { listDiscussions: failing(listDiscussions), listMessages: failing(listMessages) })
	const client = await openTab()
	client.timeline(discussion)
	await until('the list is there', () => client.snapshot().discussionsState === 'ready')
	await until('the messages are there', () => client.timeline(discussion).state === 'ready')
	assert.equal(client.snapshot().discussions.length, 2)
})

test('[W29] who is typing is shown for a while, and not once she has sent', async (t) => {
	const { client, server, publish } = await openReady(t)
	const typing = { t: 'typing', discussion, user: teacher } as const
	server.sockets[0]?.say(typing)
	await until('she types', () => client.timeline(discussion).typing.length === 1)
	publish()
	await until('she has sent', () => client.timeline(discussion).typing.length === 0)
	server.sockets[0]?.say(typing)
	await until('she types again', () => client.timeline(discussion).typing[0]?.name === 'Lena')
	await until('and stops', () => client.timeline(discussion).typing.length === 0)
	client.typing(discussion)
	client.typing(discussion)
	await until('the others were told', () => server.heard.length > 0)
	assert.deepEqual(server.heard, [{ t: 'typing', discussion }])
})
