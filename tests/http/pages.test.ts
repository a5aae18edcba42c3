/**
 * Pages that begin somewhere in a discussion: around a message, from a day on, and the list of its files.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Output } from '../../protocol/api.ts'
import type { Message } from '../../protocol/model.ts'
import { openClass, type Somebody } from '../support/class.ts'
import { codeOf, newId } from '../support/client.ts'
import { startServer } from '../support/server.ts'

type Page = Output<'listMessages'>

/** Goes on from a page in both directions; gives every message that it met, in order. */
async function walkFrom(client: Somebody, id: string, page: Page, limit: number): Promise<string[]> {
	const found = page.messages.map((message) => message.id)
	for (let { older } = page; older !== null; ) {
		const next: Page = await client.call('listMessages', { id, limit, before: older })
		found.unshift(...next.messages.map((message) => message.id))
		older = next.older
	}
	for (let { newer } = page; newer !== null; ) {
		const next: Page = await client.call('listMessages', { id, limit, after: newer })
		found.push(...next.messages.map((message) => message.id))
		newer = next.newer
	}
	return found
}

/** A discussion of two groups, in which messages come singly and in crowds, and some came back after a restore. */
async function openTalk(t: Parameters<typeof startServer>[0]) {
	const server = await startServer(t)
	const all = await openClass(server)
	const { student, other, lecturer, blue, red } = all
	const talk = await lecturer.startDiscussion('Talk', [blue, red])
	const writers = [student, other, other, other, lecturer]
	for (let n = 0; n < 12; n++) {
		await Promise.all(Array.from({ length: 1 + ((n * 7) % 11) }, (_, i) => writers[(n + i) % writers.length]!.send(talk, `${n}.${i}`)))
		if (n % 4 === 3) {
			// Of an earlier day, as they come back.
			const [like] = await server.store.find('messages', 'discussion', [talk.id], { limit: 1 })
			await server.store.write(null, (tx) =>
				tx.put('messages', { ...like!, id: newId(), seq: 0, rev: 0, createdAt: '2020-01-01T00:00:00.000Z', returned: true, text: 'back' }),
			)
		}
	}
	const stored = await server.store.find('messages', 'discussion', [talk.id], { limit: 1_000 })
	const seenBy = (reader: Somebody) =>
		stored.filter(({ group, author }) => reader === lecturer || group !== red.id || author === reader.me.id)
	return { ...all, server, talk, stored, seenBy }
}

test('[M34] from a page around any place, every message of the reader is met exactly once in both directions', async (t) => {
	const { talk, student, lecturer, stored, seenBy } = await openTalk(t)
	const last = stored.at(-1)!.seq
	await fc.assert(
		fc.asyncProperty(
			fc.constantFrom(student, lecturer),
			fc.nat(last + 3),
			fc.integer({ min: 1, max: 60 }),
			async (reader, around, limit) => {
				const page = await reader.call('listMessages', { id: talk.id, around, limit })
				const seen = seenBy(reader)
				assert.ok(page.messages.length <= limit)
				assert.deepEqual(
					await walkFrom(reader, talk.id, page, limit),
					seen.map(({ id }) => id),
				)
				// The place is in the middle, as far as there are messages on both sides.
				const older = page.messages.filter(({ seq }) => seq < around).length
				const wanted = Math.floor(limit / 2)
				const [before, after] = [seen.filter(({ seq }) => seq < around).length, seen.filter(({ seq }) => seq >= around).length]
				assert.equal(page.messages.length, Math.min(limit, seen.length))
				assert.equal(older, Math.min(before, Math.max(wanted, limit - after)))
				// It is told at once where nothing more is.
				if (page.messages[0]?.id === seen[0]!.id) assert.equal(page.older, null)
				if (page.messages.at(-1)?.id === seen.at(-1)!.id) assert.equal(page.newer, null)
			},
		),
		{ numRuns: 60 },
	)
})

test('[M34] a page from a time on begins with the first message since then, and goes on in both directions', async (t) => {
	const { talk, student, lecturer, stored, seenBy } = await openTalk(t)
	const times = stored.filter(({ returned }) => !returned).map(({ createdAt }) => Date.parse(createdAt))
	const around = fc.tuple(fc.constantFrom(...times), fc.integer({ min: -2, max: 2 })).map(([time, more]) => time + more)
	const any = fc.oneof(around, fc.constantFrom(0, Date.now() + 86_400_000))
	await fc.assert(
		fc.asyncProperty(fc.constantFrom(student, lecturer), any, fc.integer({ min: 1, max: 60 }), async (reader, time, limit) => {
			const page = await reader.call('listMessages', { id: talk.id, from: new Date(time).toISOString(), limit })
			const seen = seenBy(reader)
			assert.deepEqual(
				await walkFrom(reader, talk.id, page, limit),
				seen.map(({ id }) => id),
			)
			const since = seen.find(({ createdAt, returned }) => !returned && Date.parse(createdAt) >= time)
			const first = page.messages.find(({ returned }) => !returned)
			// What came back just before it may fill a short page.
			if (since && first) assert.equal(first.id, since.id)
			if (since && !first) assert.ok(page.messages.length === limit && page.messages.every(({ seq }) => seq < since.seq))
			if (!since) assert.equal(page.messages.at(-1)!.id, seen.at(-1)!.id)
		}),
		{ numRuns: 60 },
	)
})

test('[M34] a page begins at one place only', async (t) => {
	const server = await startServer(t)
	const { student, discussion, other } = await openClass(server)
	const from = new Date().toISOString()
	const ask = (by: Somebody, place: object) => codeOf(by.call('listMessages', { id: discussion.id, ...place }))
	for (const place of [
		{ around: 3, from },
		{ around: 3, before: `3.${newId()}` },
		{ from, after: `3.${newId()}` },
		{ around: -1 },
		{ around: 1.5 },
		{ from: 'today' },
	])
		assert.equal(await ask(student, place), 'invalid_input')
	for (const place of [{ around: 0 }, { from }, { around: 999_999_999 }]) {
		assert.equal(await ask(student, place), 'done')
		assert.equal(await ask(other, place), 'not_found')
	}
})

test('[M35] the files of a discussion are those of its messages that the reader sees, newest first', async (t) => {
	const server = await startServer(t)
	const { student, other, lecturer, blue, red } = await openClass(server)
	const talk = await lecturer.startDiscussion('Talk', [blue, red])
	const sent: Message[] = []
	for (let n = 0; n < 30; n++) {
		const by = [student, other, lecturer][n % 3]!
		const uploads = n % 4 === 0 ? [] : [await by.upload(`${n}.txt`)]
		sent.push(await by.send(talk, `${n}`, { uploads }))
	}
	await student.call('setRemoved', { id: sent[3]!.id, removed: true })
	await lecturer.call('setRemoved', { id: sent[6]!.id, removed: true })
	await lecturer.call('setRemoved', { id: sent[2]!.id, removed: true })
	const listed = async (by: Somebody, limit: number) => {
		const found: string[] = []
		let before: string | undefined
		do {
			const page = await by.call('listFiles', { id: talk.id, limit, ...(before !== undefined && { before }) })
			assert.ok(page.messages.length <= limit)
			for (const { author } of page.messages) assert.ok(page.users.some(({ id }) => id === author))
			found.push(...page.messages.map(({ text }) => text!))
			before = page.older ?? undefined
		} while (before !== undefined)
		return found
	}
	const numbers = [...Array(30).keys()].filter((n) => n % 4 !== 0).reverse()
	const whole = numbers.map(String)
	const ofStudent = numbers.filter((n) => n % 3 !== 1 && n !== 6 && n !== 2).map(String)
	const ofOther = numbers.filter((n) => n % 3 !== 0 && n !== 2).map(String)
	for (const limit of [1, 4, 100]) {
		assert.deepEqual(await listed(lecturer, limit), whole)
		assert.deepEqual(await listed(student, limit), ofStudent)
		assert.deepEqual(await listed(other, limit), ofOther)
	}
})
