/**
 * Messages over HTTP, as browsers send them: signed in, validated, durable; on this disk and on one
 * whose fsync takes 5 ms more.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { faultEnv } from '../tests/support/fault.ts'
import { type Connection, generator, load } from './load.ts'
import { described, type Line, median, type Part, ratio, rounds, shown } from './measure.ts'
import { start } from './processes.ts'
import { newFolder, openSchool, postMessage, type School } from './school.ts'

/** Everybody's next message, over and over. */
export const posts = (school: School, senders: number): Connection[] =>
	school.students.slice(0, senders).map((student, i) => ({
		kind: 'http',
		message: postMessage(student, school.discussions[i % school.discussions.length]!, school.group),
	}))

/** The same requests to the same framework, which answers all of them with one word. */
const constants = (school: School, senders: number): Connection[] =>
	posts(school, senders).map(({ message }) => ({ kind: 'http', message: message!.replace('/api/messages', '/constant') }))

const overHttp = (senders: number) => `POST of a message, ${senders} keep-alive sockets, of the same POST answered by a constant`

/** Posting against a constant: no session, nothing checked, nothing stored. */
export const posting: Part = {
	names: [overHttp(50), overHttp(500)],
	async run(report) {
		const school = await openSchool(await newFolder())
		const server = await start('server.ts', [school.folder])
		const limit = await start('peers.ts', ['fixed'])
		const perSecond =
			(connections: Connection[], { port } = server) =>
			async () => {
				const { answered, seconds } = await load(port, connections)
				return answered / seconds
			}
		const figures = await rounds({
			post50: perSecond(posts(school, 50)),
			constant50: perSecond(constants(school, 50), limit),
			post500: perSecond(posts(school, 500)),
			constant500: perSecond(constants(school, 500), limit),
		})
		await server.close()
		await limit.close()
		const line = (senders: 50 | 500, goal: Line['goal']) => {
			const names = { post: `post${senders}`, constant: `constant${senders}` } as const
			const detail = `${described(figures, names, '/s')}; ${generator}`
			report({ name: overHttp(senders), goal, ratio: ratio(figures, names.post, names.constant), detail })
		}
		line(50, { atLeast: 0.35 })
		line(500, { atLeast: 0.5 })
	},
}

/** What an fsync costs on the slow disk, in milliseconds: the median of 100. */
async function fsyncMs(folder: string, env: Record<string, string>): Promise<number> {
	const script = `
		const { openSync, writeSync, fdatasyncSync } = require('node:fs')
		const file = openSync(process.argv[1], 'w')
		const times = []
		for (let i = 0; i < 100; i++) {
			writeSync(file, Buffer.alloc(4096))
			const start = performance.now()
			fdatasyncSync(file)
			times.push(performance.now() - start)
		}
		console.log(JSON.stringify(times))`
	const { stdout } = await promisify(execFile)(process.execPath, ['-e', script, join(folder, 'fsync')], { env: { ...process.env, ...env } })
	return median(JSON.parse(stdout) as number[])
}

const slowAck = 'ack p50 at 50 senders on a disk with +5 ms, in fsyncs'
const slowLoop = 'event-loop p99 delay at 500 senders on a disk with +5 ms, in ms'

/** Posting while every fsync and fdatasync takes 5 ms more. */
export const slowDisk: Part = {
	names: [slowAck, slowLoop],
	async run(report) {
		const school = await openSchool(await newFolder())
		const env = await faultEnv({ fsyncMs: 5 })
		const server = await start('server.ts', [school.folder], env)
		const figures = await rounds({
			fsync: () => fsyncMs(school.folder, env),
			ack50: async () => (await load(server.port, posts(school, 50))).ackP50,
			loop500: async () => {
				server.begin()
				await load(server.port, posts(school, 500))
				return (await server.report()).loopP99Ms
			},
		})
		await server.close()
		const detail = `${described(figures, { 'ack p50': 'ack50', fsync: 'fsync' }, ' ms')}; ${generator}`
		report({ name: slowAck, goal: { atMost: 2 }, ratio: ratio(figures, 'ack50', 'fsync'), detail })
		const loop = median(figures.loop500)
		report({ name: slowLoop, goal: { atMost: 8 }, ratio: loop, detail: `${figures.loop500.map(shown).join(', ')} ms; ${generator}` })
	},
}
