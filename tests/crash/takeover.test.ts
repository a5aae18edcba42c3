/**
 * Two servers on one MongoDB database, each with a folder of its own: the second takes over from one that is paused.
 *
 * Needs a MongoDB server. The silence after which a server may be taken over is tuned down to seconds.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { collections, type MessageRecord } from '../../backend/src/storage/collections.ts'
import { openSchool, type Somebody } from '../support/class.ts'
import { assertSame, newId, View } from '../support/client.ts'
import { lookInto, openMongo, testAddress } from '../support/mongo.ts'
import { makeFolder, type Server, startChild } from '../support/server.ts'
import { verifyAll } from '../support/storage.ts'

test('[O30] a paused server that was taken over answers nothing stale, ends, and has lost nothing that it acknowledged', async (t) => {
	const uri = testAddress()
	t.after(() => lookInto(uri, (db) => db.dropDatabase()))
	const env = { MONGODB_URI: uri, TAKEOVER_AFTER_MS: '1500' }
	const first = await startChild(t, makeFolder(t), { env })
	while (first.setUpToken === null) await sleep(5)
	const school = await openSchool(first as unknown as Server)
	const lecturer = await school.enter('Lena Lecturer', 'lecturer')
	const blue = await lecturer.createGroup('Blue')
	const student = await school.enter('Sari Student', 'student', [blue], lecturer)
	const discussion = await lecturer.startDiscussion('Weekend', [blue])
	const second = await startChild(t, makeFolder(t), { env, standby: true })
	assert.ok(second.lines.some((line) => /Another server has the database .*takes over when it is gone/.test(line) && !line.includes('@')))
	const ready = async () => (await fetch(`${second.origin}/readyz`)).json()
	assert.deepEqual(await ready(), { ready: false, reason: 'Another server has the database; this one takes over when it is gone.' })

	const acknowledged = new Map<string, number>()
	const unanswered: { by: Somebody; input: ReturnType<typeof inputOf> }[] = []
	const inputOf = (text: string) => ({ id: newId(), discussion: discussion.id, text, writtenAt: new Date().toISOString() })
	const send = async (by: Somebody, input: ReturnType<typeof inputOf>) => {
		const { message } = await by.call('sendMessage', input)
		acknowledged.set(message.id, message.seq)
		return message.seq
	}
	const view = new View(student)
	const listening = await view.open()
	let paused = false
	const talking = [lecturer, student, lecturer, student].map(async (by, n) => {
		for (let i = 0; !paused; i++) {
			const input = inputOf(`${n} says ${i}`)
			await send(by, input).catch(() => unanswered.push({ by, input }))
		}
	})
	await sleep(400)
	// In the middle of whatever it does. What is asked now waits in its sockets.
	first.process.kill('SIGSTOP')
	const asked = Array.from({ length: 8 }, () =>
		student.fetch(`/api/discussions/${discussion.id}/messages`).then(
			({ status }) => status,
			() => 'gone',
		),
	)
	await sleep(200)
	paused = true
	while (!second.lines.some((line) => /is ready/.test(line))) await sleep(20)
	const old = first.origin
	for (const somebody of [lecturer, student, school.admin]) Object.assign(somebody, { origin: second.origin })

	// Everybody moves to the second one: nothing that the first acknowledged is missing, and people catch up by the stream.
	const cursor = listening.upTo!
	const back = view.listen(cursor)
	const later = await send(lecturer, inputOf('Said to the second'))
	await assertSame(student, view, later)
	assert.ok(!back.frames.some((frame) => frame.t === 'resync'))
	for (const id of acknowledged.keys()) assert.ok(view.records.messages.has(id), 'acknowledged by the first')

	// It wakes up: it does not know yet that it was taken over, and must not answer as if nothing had happened.
	first.process.kill('SIGCONT')
	const woken: (number | string)[] = []
	const stale = new Set<string>()
	for (let i = 0; i < 400 && first.process.exitCode === null; i++) {
		const answer = await fetch(`${old}/api/discussions/${discussion.id}/messages`, {
			headers: { cookie: `session=${student.cookie}` },
			signal: AbortSignal.timeout(2_000),
		}).catch(() => null)
		woken.push(answer?.status ?? 'gone')
		if (answer?.ok) stale.add(await answer.text())
	}
	assert.equal(await first.exited, 1)
	assert.ok(first.lines.some((line) => /Another server has taken over this database, so this one stops/.test(line)))
	assert.deepEqual([...stale], [], String(woken))
	for (const status of await Promise.all(asked)) assert.ok(status === 503 || status === 'gone', `${status} was answered after the pause`)
	await Promise.all(talking)

	// What got no answer is sent again under its id, as an outbox does.
	let seq = 0
	for (const { by, input } of unanswered) seq = await send(by, input)
	seq = await send(student, inputOf('The end'))
	await assertSame(student, view, seq)
	second.process.kill('SIGTERM')
	assert.equal(await second.exited, 0)
	const { records } = await verifyAll(await openMongo(uri, { specs: collections }), collections)
	const messages = [...records].filter(([key]) => key.startsWith('messages ')).map(([, record]) => record as MessageRecord)
	assert.equal(new Set(messages.map(({ text }) => text)).size, messages.length, 'nothing twice')
	for (const [id, at] of acknowledged) assert.equal(messages.find((message) => message.id === id)?.seq, at)
	assert.equal(messages.length, acknowledged.size)
})

test('[O31] who is killed is followed at once from the same folder, and after its silence from another; after a goodbye at once', async (t) => {
	const uri = testAddress()
	t.after(() => lookInto(uri, (db) => db.dropDatabase()))
	const env = { MONGODB_URI: uri, TAKEOVER_AFTER_MS: '2000' }
	const [one, other] = [makeFolder(t), makeFolder(t)]
	const first = await startChild(t, one, { env })
	first.process.kill('SIGKILL')
	await first.exited
	// The folder's lock says that it is dead.
	const again = await startChild(t, one, { env: { ...env, TAKEOVER_AFTER_MS: '600000' } })
	const waiting = await startChild(t, other, { env: { ...env, TAKEOVER_AFTER_MS: '600000' }, standby: true })
	again.process.kill('SIGTERM')
	assert.equal(await again.exited, 0)
	while (!waiting.lines.some((line) => /is ready/.test(line))) await sleep(20)
	waiting.process.kill('SIGKILL')
	await waiting.exited
	const last = await startChild(t, one, { env, standby: true })
	while (!last.lines.some((line) => /is ready/.test(line))) await sleep(20)
	last.process.kill('SIGTERM')
	assert.equal(await last.exited, 0)
})
