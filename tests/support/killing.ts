/**
 * The server killed with -9 under load, again and again: what it acknowledged is there, once, and whole.
 *
 * CRASH_KILLS says how often (10; 200 in `npm run crash`), CRASH_SEED repeats a run's choices. Each engine's crash
 * test judges what is left between a death and the next start.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageRecord } from '../../backend/src/storage/collections.ts'
import type { Input } from '../../protocol/api.ts'
import { openSchool, type Somebody } from './class.ts'
import { newId, Refused } from './client.ts'
import { type ChildServer, type Server, startChild } from './server.ts'

const kills = Number(process.env.CRASH_KILLS ?? 10)
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000)

/** Who is killed, and how to judge what is left. */
export interface Victim {
	/** As DATA_DIR names it. */
	dir: string
	env: Record<string, string>
	/** Failpoints within a commit. */
	points: readonly string[]
	/** Checks everything that the dead server left, and hands over its messages. */
	verify(judge: (messages: MessageRecord[]) => void): Promise<void>
}

/** Numbers of chance from 0 to below `limit`, the same for the same seed. */
function chance(seed: number): (limit: number) => number {
	let state = seed
	return (limit) => {
		state = (state + 0x6d2b79f5) | 0
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
		return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
	}
}

/** Lets people talk to a server that dies and is started again. */
export async function killAgainAndAgain(t: TestContext, { dir, env, points, verify }: Victim): Promise<void> {
	t.diagnostic(`seed ${seed}: CRASH_SEED=${seed} makes the same choices`)
	const pick = chance(seed)
	let server = await startChild(t, dir, { env })
	// Printed a moment after it is ready.
	while (server.setUpToken === null) await sleep(5)
	const school = await openSchool(server as unknown as Server)
	const lecturer = await school.enter('Lena Lecturer', 'lecturer')
	const group = await lecturer.createGroup('Blue')
	const people: Somebody[] = [lecturer]
	for (let n = 0; n < 9; n++) people.push(await school.enter(`Student ${'abcdefghi'[n]}`, 'student', [group], lecturer))
	const discussion = await lecturer.startDiscussion('Weekend', [group])

	/** By id: the command, and the message's number once it was acknowledged. */
	const sent = new Map<string, { input: Input<'sendMessage'>; by: Somebody; seq: number | null }>()
	let acknowledged = 0
	let unanswered = 0
	let dies = false

	const send = async (id: string): Promise<void> => {
		const known = sent.get(id)!
		const { message } = await known.by.call('sendMessage', known.input)
		if (known.seq !== null) assert.equal(message.seq, known.seq)
		known.seq = message.seq
		acknowledged++
	}
	/** Sends until the server is dead. Two at a time each, so that groups have many steps. */
	const talk = async (by: Somebody): Promise<void> => {
		for (let n = 0; ; n++) {
			try {
				const id = newId()
				const input = {
					id,
					discussion: discussion.id,
					text: `Number ${sent.size}:${' word'.repeat(n % 30)}`,
					writtenAt: new Date().toISOString(),
				}
				sent.set(id, { input, by, seq: null })
				await send(id)
			} catch (error) {
				// The limit of commands is not what is tested: this one is silent until the next start.
				if (error instanceof Refused && error.problem.code === 'rate_limited') return
				if (error instanceof Refused) throw error
				return
			}
		}
	}

	for (let kill = 0; kill < kills; kill++) {
		const talking = people.flatMap((somebody) => [talk(somebody), talk(somebody)])
		// One in three dies by itself within a commit, the others wherever they are.
		if (dies) await Promise.race([server.exited, Promise.all(talking)])
		else await sleep(pick(700))
		server.process.kill('SIGKILL')
		assert.equal(await server.exited, 'SIGKILL', server.lines.join('\n'))
		await Promise.all(talking)

		await verify((messages) => {
			const found = new Map(messages.map((message) => [message.id, message]))
			assert.equal(found.size, messages.length)
			for (const [id, { input, seq }] of sent) {
				const message = found.get(id)
				if (seq !== null) assert.ok(message, `Message ${seq} was acknowledged, and is lost.`)
				if (message) assert.equal(message.text, input.text)
				if (message && seq !== null) assert.equal(message.seq, seq)
			}
			for (const id of found.keys()) assert.ok(sent.has(id))
		})

		server = await restart(kill)
		// What got no answer is sent again under its id, as an outbox does.
		for (const [id, { seq }] of sent) {
			if (seq !== null) continue
			unanswered++
			await send(id).catch((error) => {
				// It may die while these are sent again.
				if (error instanceof Refused || !dies) throw error
			})
		}
	}

	async function restart(kill: number): Promise<ChildServer> {
		dies = kill + 1 < kills && pick(3) === 0
		const next = await startChild(t, dir, {
			env: { ...env, ...(dies && { FAILPOINT: `${points[pick(points.length)]}:${1 + pick(40)}` }) },
		})
		for (const somebody of [school.admin, ...people]) Object.assign(somebody, { origin: next.origin })
		return next
	}

	for (const { seq } of sent.values()) assert.ok(seq !== null)
	const fresh = await lecturer.again()
	const page = await fresh.call('listMessages', { id: discussion.id })
	const newest = [...sent.values()].sort((a, b) => b.seq! - a.seq!).slice(0, page.messages.length)
	assert.deepEqual(
		page.messages.map(({ seq }) => seq).sort((a, b) => b - a),
		newest.map(({ seq }) => seq),
	)
	server.process.kill('SIGKILL')
	await server.exited
	await verify((messages) => assert.equal(messages.length, sent.size))
	t.diagnostic(
		`${kills} kills, ${kills} restarts, ${sent.size} messages, ${acknowledged} acknowledgements, ${unanswered} unanswered and sent again`,
	)
}
