/**
 * A hundred photographs of about 4 MB: sending them, against writing and syncing the same bytes
 * and hashing them once; and how long others wait while they are made smaller.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { Agent, request as send } from 'node:http'
import { join } from 'node:path'
import { noise } from '../tests/support/pictures.ts'
import { nextId } from './documents.ts'
import { described, type Line, median, type Part, ratio, rounds, shown } from './measure.ts'
import { start } from './processes.ts'
import { type Member, newFolder, openSchool } from './school.ts'

const count = 100
const oneByOne = '100 photos of 4 MB sent one after another, of writing, syncing and hashing the same bytes'
const fourAtOnce = '100 photos of 4 MB sent 4 at once, of writing, syncing and hashing the same bytes 4 at once'
const loopDelay = 'event-loop p99 delay while photos of 4 MB are made smaller, in ms'

/** Does something with each of them, so many at a time. */
async function each<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>): Promise<void> {
	const left = [...items]
	await Promise.all(
		Array.from({ length: atOnce }, async () => {
			for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
		}),
	)
}

/** Noise of its own each, with what a phone writes beside the picture. */
async function photos(): Promise<Buffer[]> {
	const made: Buffer[] = []
	await each([...Array(count).keys()], 2, async () => void made.push(await noise(2_880, 2_160)))
	return made
}

/** The limit: what has to be done at least. */
async function store(folder: string, photo: Buffer): Promise<void> {
	createHash('sha256').update(photo).digest('hex')
	const file = await open(join(folder, randomBytes(8).toString('hex')), 'wx')
	await file.writeFile(photo)
	await file.sync()
	await file.close()
}

function call(port: number, agent: Agent, { cookie }: Member, method: string, path: string, body?: Buffer): Promise<string> {
	return new Promise((resolve, reject) => {
		const headers = { cookie, ...(body && { 'content-type': 'application/octet-stream', 'content-length': body.length }) }
		const sent = send({ port, agent, method, path, headers }, (answer) => {
			const parts: Buffer[] = []
			answer.on('data', (part: Buffer) => void parts.push(part))
			answer.on('end', () => {
				const text = Buffer.concat(parts).toString('latin1')
				if (answer.statusCode === 200) resolve(text)
				else reject(new Error(`${path}: ${text}`))
			})
		})
		sent.on('error', reject)
		sent.end(body)
	})
}

/** Uploads and thumbnails. */
export const files: Part = {
	names: [oneByOne, fourAtOnce, loopDelay],
	async run(report) {
		const school = await openSchool(await newFolder())
		const sent = await photos()
		const server = await start('server.ts', [school.folder])
		const agent = new Agent({ keepAlive: true })
		const [student] = school.students as [Member]
		const plain = join(school.folder, 'plain')
		const timed = async (work: () => Promise<void>) => {
			const began = performance.now()
			await work()
			return performance.now() - began
		}
		const storing = (atOnce: number) => async () => {
			await mkdir(plain)
			const took = await timed(() => each(sent, atOnce, (photo) => store(plain, photo)))
			await rm(plain, { recursive: true })
			return took
		}
		const sending = (atOnce: number) => () =>
			timed(() =>
				each(sent, atOnce, (photo) => call(server.port, agent, student, 'POST', `/api/uploads/${nextId()}?name=photo.jpg`, photo)),
			)
		const figures = await rounds({ store1: storing(1), send1: sending(1), store4: storing(4), send4: sending(4) })

		const ids = Array.from({ length: 12 }, () => nextId())
		const delays: number[] = []
		for (const size of ['small', 'large'] as const) {
			for (const [n, id] of ids.entries()) {
				if (size === 'small') await call(server.port, agent, student, 'POST', `/api/uploads/${id}?name=photo.jpg`, sent[n])
			}
			server.begin()
			await each(ids, 4, (id) => call(server.port, agent, student, 'GET', `/api/files/${id}/${size}`))
			delays.push((await server.report()).loopP99Ms)
		}
		agent.destroy()
		await server.close()

		const bytes = median(sent.map(({ length }) => length)) / 1e6
		const line = (name: string, of: 'send1' | 'send4', to: 'store1' | 'store4'): Line => ({
			...{ name, goal: { atMost: 1.5 }, ratio: ratio(figures, of, to) },
			detail: `${described(figures, { sent: of, limit: to }, ' ms')}; photos of ${shown(bytes)} MB with EXIF; node:http, own process`,
		})
		report(line(oneByOne, 'send1', 'store1'))
		report(line(fourAtOnce, 'send4', 'store4'))
		const slowest = Math.max(...delays)
		report({ name: loopDelay, goal: { atMost: 10 }, ratio: slowest, detail: `small, large: ${delays.map(shown).join(', ')} ms` })
	},
}
