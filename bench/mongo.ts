/**
 * The same server and store on MongoDB: against the bare driver, against the embedded engine, against mongodump, and
 * what size does to an opening after a crash and to the memory of an export.
 *
 * BENCH_MESSAGES: how many messages are many (1,000,000). MONGODUMP: where mongodump is when it is not on the PATH.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { describeServer, dropDatabase, newDatabase, sizes, slotsLeft } from './databases.ts'
import { textLength } from './documents.ts'
import type { Exported } from './export.ts'
import { generator, load } from './load.ts'
import { described, median, type Part, ratio, rounds, shown } from './measure.ts'
import { posts } from './posting.ts'
import { start } from './processes.ts'
import { filled } from './reading.ts'
import { newFolder, openFolder, openSchool } from './school.ts'
import type { Written } from './store.ts'

const on = (uri: string) => ({ BENCH_MONGODB_URI: uri })

const ofDriver = (senders: number) => `store.write on MongoDB, ${senders} senders, of the driver inserting one by one`

/** `store.write` at 50 and 500 senders. */
const mongoWriting: Part = {
	names: [ofDriver(50), ofDriver(500)],
	async run(report) {
		const bytes: { messages: number; journal: number }[] = []
		const perSecond = (kind: 'ours' | 'bare', senders: number) => async () => {
			const uri = newDatabase()
			const child = await start('store.ts', [kind, await newFolder(), String(senders)], on(uri))
			const { perSecond, count } = await child.answer<Written>()
			await child.close()
			if (kind === 'ours' && senders === 500) {
				const { messages, journal } = await sizes(uri)
				bytes.push({ messages: messages / count, journal: journal / count })
			}
			await dropDatabase(uri)
			return perSecond
		}
		const figures = await rounds({
			ours50: perSecond('ours', 50),
			bare50: perSecond('bare', 50),
			ours500: perSecond('ours', 500),
			bare500: perSecond('bare', 500),
		})
		const server = await describeServer()
		const line = (senders: 50 | 500, more = '') => {
			const names = { ours: `ours${senders}`, driver: `bare${senders}` } as const
			const detail = `${described(figures, names, '/s')}; senders in the same process${more}`
			report({ name: ofDriver(senders), goal: { atLeast: 3 }, ratio: ratio(figures, names.ours, names.driver), detail, on: server })
		}
		line(50)
		const each = (of: 'messages' | 'journal') => shown(median(bytes.map((figures) => figures[of])))
		line(500, `; bytes on the server per ${textLength}-byte message: ${each('messages')}, and ${each('journal')} in the journal`)
	},
}

const senders = 500
const ofEmbedded = `POST on MongoDB, ${senders} keep-alive sockets, of the same on the embedded engine`

/** The same school, server and requests on both engines. */
const mongoPosting: Part = {
	names: [ofEmbedded],
	async run(report) {
		const uri = newDatabase()
		const here = await openSchool(await newFolder())
		const there = await openSchool(await newFolder(), uri)
		const embedded = await start('server.ts', [here.folder])
		const mongodb = await start('server.ts', [there.folder], on(uri))
		const perSecond = (school: typeof here, port: number) => async () => {
			const { answered, seconds } = await load(port, posts(school, senders))
			return answered / seconds
		}
		const figures = await rounds({ mongodb: perSecond(there, mongodb.port), embedded: perSecond(here, embedded.port) })
		await embedded.close()
		await mongodb.close()
		await dropDatabase(uri)
		const detail = `${described(figures, { MongoDB: 'mongodb', embedded: 'embedded' }, '/s')}; ${generator}`
		report({ name: ofEmbedded, goal: { atLeast: 0.5 }, ratio: ratio(figures, 'mongodb', 'embedded'), detail, on: await describeServer() })
	},
}

const many = Number(process.env.BENCH_MESSAGES ?? 1_000_000)
const few = 10_000
const number = (value: number) => value.toLocaleString('en')
/** What is written before each crash: fewer groups than after which `meta` is told. */
const crash = { groups: 40, together: 8 }
const openings = 5

interface Place {
	folder: string
	uri: string
}

/** The median time of openings, each after a crash that left the same to be done. */
async function openingMs({ folder, uri }: Place, left: Set<number>): Promise<number> {
	const times: number[] = []
	for (let i = 0; i < openings; i++) {
		const child = await start('crash.ts', [folder, String(crash.groups), String(crash.together)], on(uri))
		await child.answer()
		await child.close()
		left.add(await slotsLeft(uri))
		const began = performance.now()
		const store = await openFolder(folder, uri)
		times.push(performance.now() - began)
		await store.close()
	}
	return median(times)
}

/** Path of mongodump, or null. */
function findMongodump(): string | null {
	if (process.env.MONGODUMP) return process.env.MONGODUMP
	const folders = (process.env.PATH ?? '').split(delimiter)
	return folders.map((folder) => join(folder, 'mongodump')).find((path) => existsSync(path)) ?? null
}

/** Messages a second that mongodump writes into files. */
async function dumpedPerSecond(mongodump: string, { folder, uri }: Place, count: number): Promise<number> {
	const out = join(folder, 'dump')
	const began = performance.now()
	const args = ['--uri', uri, '--db', new URL(uri).pathname.slice(1), '--collection', 'messages', '--out', out]
	const { stderr } = await promisify(execFile)(mongodump, args, { maxBuffer: 1e8 })
	const seconds = (performance.now() - began) / 1000
	await rm(out, { recursive: true })
	const dumped = Number(/done dumping \S+ \((\d+) documents?\)/.exec(stderr)?.[1])
	if (dumped !== count) throw new Error(`mongodump wrote ${dumped} messages of ${count}.`)
	return count / seconds
}

const opening = `opening on MongoDB after a crash, ${number(many)} messages, of ${number(few)}`
const exporting = `export of ${number(many)} messages on MongoDB, records/s, of mongodump`
const memory = `export of ${number(many)} messages on MongoDB, peak memory of the process in MiB`

/** What size does: to who opens after a crash, and to who makes a copy. */
const mongoGrowing: Part = {
	names: [opening, exporting, memory],
	async run(report) {
		const fill = async (count: number): Promise<Place> => {
			const uri = newDatabase()
			const { folder } = await filled(count, uri)
			// The first opening writes an entry of its own.
			await (await openFolder(folder, uri)).close()
			return { folder, uri }
		}
		const [small, large] = [await fill(few), await fill(many)]
		const server = await describeServer()

		const left = new Set<number>()
		const times = await rounds({ large: () => openingMs(large, left), small: () => openingMs(small, left) })
		if (left.size !== 1) throw new Error(`The crashes did not leave the same: ${[...left].join(', ')} slots.`)
		const after = `each after a kill -9 that left ${[...left][0]} slots to apply again`
		const detail = `${described(times, { large: 'large', small: 'small' }, ' ms')}, ${after}; in the bench's process`
		report({ name: opening, goal: { atMost: 1.5 }, ratio: ratio(times, 'large', 'small'), detail, on: server })

		let messages = 0
		const peaks: number[] = []
		const exported = async () => {
			const child = await start('export.ts', [large.folder], on(large.uri))
			const { counts, seconds, peakMiB } = await child.answer<Exported>()
			await child.close()
			messages = counts.messages ?? 0
			peaks.push(peakMiB)
			return messages / seconds
		}
		const mongodump = findMongodump()
		const dumped = () => (mongodump ? dumpedPerSecond(mongodump, large, messages) : Promise.resolve(Number.NaN))
		const rates = await rounds({ exported, dumped })
		if (mongodump) {
			const detail = `${described(rates, { export: 'exported', mongodump: 'dumped' }, '/s')}; ${number(messages)} messages`
			report({ name: exporting, goal: { atLeast: 0.5 }, ratio: ratio(rates, 'exported', 'dumped'), detail, on: server })
		} else console.error('The export from MongoDB was compared with nothing: there is no mongodump on the PATH or in MONGODUMP.')
		const peak = `${peaks.map(shown).join(', ')} MiB; a process of its own, with Node`
		report({ name: memory, goal: { atMost: 200 }, ratio: Math.max(...peaks), detail: peak, on: server })
		for (const { uri } of [small, large]) await dropDatabase(uri)
	},
}

/** What is measured where there is a MongoDB server. */
export const mongoParts: readonly Part[] = [mongoWriting, mongoPosting, mongoGrowing]
