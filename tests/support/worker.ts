/**
 * A process that uses a store as a test tells it, a JSON line each way: to be killed, and given bad disks.
 *
 * Started by tests/crash only. Writes pairs of records, so that half a step would show.
 */
import { createInterface } from 'node:readline'
import type { CollectionSpec, StoredRecord } from '../../backend/src/storage/collections.ts'
import { openStore } from '../../backend/src/storage/open.ts'
import { id, note, person, type TestStore } from './storage.ts'

/** Few indexes: each page that a step touches is a write that the fault tests fail. */
export const workerSpecs: Readonly<Record<string, CollectionSpec>> = {
	system: { indexes: {}, ids: [], times: [] },
	people: { indexes: { mail: { key: ['mail'], unique: true } }, ids: [], times: [] },
	notes: { indexes: { tag: { key: [{ each: 'tags' }] } }, ids: [], times: [] },
}

type Row = { collection: string; record: StoredRecord }

/** What it can be told; it answers `{ done }` with a value, or `{ failed }` with the error's name. */
export type Order =
	| { op: 'open'; folder: string; uri?: string; silenceMs?: number }
	| { op: 'pair'; n: number; text: string }
	| { op: 'pairs'; from: number; to: number; text: string }
	| { op: 'read'; n: number }
	| { op: 'erase'; n: number }
	| { op: 'prune' }
	| { op: 'copy' }
	| { op: 'replace' }
	| { op: 'stopped' }
	| { op: 'close' }
export type Answer = { done: unknown } | { failed: string; message: string }

let store: TestStore
let copy: { seq: number; rows: Row[] }

function pair(n: number, text: string): Promise<unknown> {
	return store.write(null, async (tx) => {
		await tx.put('people', person(n, { name: text, mail: `${n}@x.id` }))
		const { rev } = await tx.put('notes', note(n, { text, tags: [text] }))
		return rev
	})
}

async function obey(order: Order): Promise<unknown> {
	switch (order.op) {
		case 'open':
			store = (await openStore({
				folder: order.folder,
				backups: `${order.folder}/none`,
				specs: workerSpecs,
				...(order.uri && { mongodb: { uri: order.uri, ...(order.silenceMs && { silenceMs: order.silenceMs }) } }),
			})) as unknown as TestStore
			return store.head.seq
		case 'pair':
			return pair(order.n, order.text)
		case 'pairs': {
			const results = Array.from({ length: order.to - order.from }, (_, i) => pair(order.from + i, order.text).then(() => 'done', nameOf))
			return Promise.all(results)
		}
		case 'read':
			return (await store.get('notes', id(order.n)))?.text ?? null
		case 'erase':
			return store.erase(null, [{ collection: 'people', record: person(order.n, { name: 'erased' }) }])
		case 'prune':
			return store.prune(new Date())
		case 'copy': {
			const { seq, records } = await store.exportAt()
			copy = { seq, rows: await Array.fromAsync(records) }
			return copy.rows.length
		}
		case 'replace':
			return store.replaceAll({
				seq: copy.seq,
				records: (async function* () {
					yield* copy.rows
				})(),
			})
		case 'stopped':
			return store.stopped?.message ?? null
		case 'close':
			return store.close()
	}
}

const nameOf = (error: Error) => error.name

if (process.argv[1] === import.meta.filename) {
	for await (const line of createInterface({ input: process.stdin })) {
		const answer = await obey(JSON.parse(line) as Order).then(
			(done): Answer => ({ done: done ?? null }),
			(error: Error): Answer => ({ failed: error.name, message: error.message }),
		)
		console.log(JSON.stringify(answer))
	}
}
