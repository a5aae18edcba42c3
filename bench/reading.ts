/**
 * Reading: the last messages of a discussion against the same bytes as a static answer, and what
 * size does to a page, to a start and to memory.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { StoredRecord } from '../backend/src/storage/collections.ts'
import type { Position } from '../backend/src/storage/engine.ts'
import { messageDraft, nextId } from './documents.ts'
import { type Connection, generator, load, request } from './load.ts'
import { described, median, type Part, ratio, rounds } from './measure.ts'
import { posts } from './posting.ts'
import { start } from './processes.ts'
import { addMessages, addReads, newFolder, openFolder, openSchool } from './school.ts'

const unchanged = 'last 50 messages, unchanged (ETag), of the same bytes as a static answer'
const newest = 'last 50 messages, newest page of a busy discussion, of a static answer'
const older = '50 messages, any older page, of a static answer'

/** Pages of 50 over HTTP, 50 readers. */
export const lastMessages: Part = {
	names: [unchanged, newest, older],
	async run(report) {
		const school = await openSchool(await newFolder())
		const store = await openFolder(school.folder)
		await addMessages(store, school, 20_000)
		await store.close()
		const server = await start('server.ts', [school.folder])
		const readers = school.students.slice(0, 50)
		const pathOf = (discussion: string, before = '') => `/api/discussions/${discussion}/messages?limit=50${before && `&before=${before}`}`
		const busy = pathOf(school.discussions[0]!)

		const get = (path: string, cookie: string) => fetch(`http://127.0.0.1:${server.port}${path}`, { headers: { cookie } })
		const etags = new Map<string, string>()
		for (const { cookie } of readers) etags.set(cookie, (await get(busy, cookie)).headers.get('etag')!)
		const limit = await start('peers.ts', ['fixed'])
		limit.tell({ page: await (await get(busy, readers[0]!.cookie)).text() })

		// Each reader asks for another page, some way up in one of the discussions.
		const pages: string[] = []
		for (const discussion of school.discussions) {
			let path = pathOf(discussion)
			for (let up = 0; up < 10; up++) {
				const { older } = (await (await get(path, readers[0]!.cookie)).json()) as { older: string }
				path = pathOf(discussion, older)
				pages.push(path)
			}
		}
		const perSecond =
			(requestOf: (cookie: string, i: number) => string, { port } = server) =>
			async () => {
				const connections: Connection[] = readers.map(({ cookie }, i) => ({ kind: 'http', message: requestOf(cookie, i) }))
				const { answered, seconds } = await load(port, connections)
				return answered / seconds
			}
		const figures = await rounds({
			fixed: perSecond(() => request('GET', '/'), limit),
			unchanged: perSecond((cookie) => request('GET', busy, { cookie, headers: { 'if-none-match': etags.get(cookie)! } })),
			newest: perSecond((cookie) => request('GET', busy, { cookie })),
			older: perSecond((cookie, i) => request('GET', pages[(i * 37) % pages.length]!, { cookie })),
		})
		await server.close()
		await limit.close()
		const line = (name: string, atLeast: number, of: 'unchanged' | 'newest' | 'older') =>
			report({
				name,
				goal: { atLeast },
				ratio: ratio(figures, of, 'fixed'),
				detail: `${described(figures, { page: of, static: 'fixed' }, '/s')}; ${generator}`,
			})
		line(unchanged, 0.9, 'unchanged')
		line(newest, 0.4, 'newest')
		line(older, 0.14, 'older')
	},
}

const quietly = 'overview of 200 discussions with unread counts, of the same bytes as a static answer'
const busily = 'overview of 200 discussions, 20 messages a second arriving, of a static answer'

/** The discussions of 50 readers, in their two pages, each asked for whole: nobody says what she has already. */
export const overview: Part = {
	names: [quietly, busily],
	async run(report) {
		const school = await openSchool(await newFolder(), undefined, 200)
		const readers = school.students.slice(0, 50)
		const store = await openFolder(school.folder)
		await addMessages(store, school, 20_000)
		await addReads(store, readers, school.discussions)
		await store.close()
		const server = await start('server.ts', [school.folder])
		const first = '/api/discussions?limit=100'
		const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`, { headers: { cookie: readers[0]!.cookie } })
		type Page = { discussions: unknown[]; unread: Record<string, number>; next: string }
		let page = ''
		// The counters are derived: the server may still be counting.
		for (let counted = 0; counted < 100; ) {
			page = await (await get(first)).text()
			counted = Object.keys((JSON.parse(page) as Page).unread).length
			if (counted < 100) await delay(100)
		}
		const second = `${first}&after=${(JSON.parse(page) as Page).next}`
		const [rest, limit] = [(await (await get(second)).json()) as Page, await start('peers.ts', ['fixed'])]
		// The room is the 201st for those who are in it.
		if (rest.discussions.length < 100) throw new Error('The overview is not whole.')
		limit.tell({ page })

		const read = async (port: number, pathOf: (i: number) => string): Promise<number> => {
			const connections: Connection[] = readers.map(({ cookie }, i) => ({ kind: 'http', message: request('GET', pathOf(i), { cookie }) }))
			const { answered, seconds } = await load(port, connections)
			return answered / seconds
		}
		const pages = () => read(server.port, (i) => (i % 2 ? second : first))
		const figures = await rounds({
			fixed: () => read(limit.port, () => '/'),
			quiet: pages,
			async busy() {
				const writing = load(server.port, posts(school, 200), { rate: 20, warmMs: 0, runMs: 6_000 })
				const figure = await pages()
				await writing
				return figure
			},
		})
		await server.close()
		await limit.close()
		for (const [name, of] of [
			[quietly, 'quiet'],
			[busily, 'busy'],
		] as const) {
			const detail = `${described(figures, { pages: of, static: 'fixed' }, '/s')} of 100 (${page.length.toLocaleString('en')} bytes); ${generator}`
			report({ name, goal: { atLeast: 0.25 }, ratio: ratio(figures, of, 'fixed'), detail })
		}
	},
}

/** Fills a new folder, or the new database `mongodb`, with `count` messages in 20 discussions. */
export async function filled(count: number, mongodb?: string): Promise<{ folder: string; discussions: string[]; positions: Position[] }> {
	const folder = await newFolder()
	const discussions = Array.from({ length: 20 }, () => nextId())
	const authors = Array.from({ length: 500 }, () => nextId())
	const positions: Position[] = []
	const every = Math.max(1, Math.floor(count / 1_000))
	const at = new Date().toISOString()
	async function* records(): AsyncGenerator<{ collection: string; record: StoredRecord }> {
		for (let seq = 1; seq <= count; seq++) {
			const draft = messageDraft(discussions[seq % 20]!, authors[seq % 500]!, null, nextId(1_700_000_000 + seq))
			if (seq % every === 0) positions.push({ sort: null, seq, id: draft.id })
			yield { collection: 'messages', record: { ...draft, seq, rev: seq, createdAt: at, updatedAt: at } }
		}
	}
	const store = await openFolder(folder, mongodb)
	if (count > 0) await store.replaceAll({ seq: count, records: records() })
	else await store.close()
	return { folder, discussions, positions }
}

type Filled = Awaited<ReturnType<typeof filled>>

/** The median time of a page of 50 above a random message. */
async function pageMs({ folder, discussions, positions }: Filled): Promise<number> {
	const store = await openFolder(folder)
	const times: number[] = []
	for (let i = 0; i < 600; i++) {
		const before = positions[(i * 7919) % positions.length]!
		const began = performance.now()
		await store.find('messages', 'discussion', [discussions[i % 20]!], { before, limit: 50, order: 'descending' })
		if (i >= 100) times.push(performance.now() - began)
	}
	await store.close()
	return median(times)
}

/** Milliseconds from the start of the process to its first answer, and its memory at rest. */
async function startOf(folder: string): Promise<{ ms: number; bytes: number }> {
	const server = await start('server.ts', [folder])
	const began = performance.now()
	const answer = await fetch(`http://127.0.0.1:${server.port}/api/status`)
	if (!answer.ok) throw new Error('The server did not answer.')
	const ms = server.startMs + performance.now() - began
	await delay(1_000)
	const bytes = (await server.report()).memoryBytes
	await server.close()
	return { ms, bytes }
}

const page = 'keyset page: p50 at 3,000,000 messages of that at 100,000'
const begin = 'start with 1,000,000 messages to the first answer, of an empty start'
const rest = 'memory at rest with 1,000,000 messages, of an empty database'

/** What size does. */
export const growing: Part = {
	names: [page, begin, rest],
	async run(report) {
		const empty = await filled(0)
		const million = await filled(1_000_000)
		const memory: Record<'million' | 'empty', number[]> = { million: [], empty: [] }
		const starting =
			(which: 'million' | 'empty', { folder }: Filled) =>
			async () => {
				const { ms, bytes } = await startOf(folder)
				memory[which].push(bytes)
				return ms
			}
		const starts = await rounds({ million: starting('million', million), empty: starting('empty', empty) })
		report({
			name: begin,
			goal: { atMost: 2 },
			ratio: ratio(starts, 'million', 'empty'),
			detail: described(starts, { full: 'million', empty: 'empty' }, ' ms'),
		})
		const bytes = described(memory, { full: 'million', empty: 'empty' }, ' bytes')
		report({ name: rest, goal: { atMost: 1.3 }, ratio: ratio(memory, 'million', 'empty'), detail: bytes })

		const [small, large] = [await filled(100_000), await filled(3_000_000)]
		const pages = await rounds({ large: () => pageMs(large), small: () => pageMs(small) })
		const detail = `${described(pages, { large: 'large', small: 'small' }, ' ms')}; store.find in the bench's process`
		report({ name: page, goal: { atMost: 1.5 }, ratio: ratio(pages, 'large', 'small'), detail })
	},
}
