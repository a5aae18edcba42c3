/**
 * One closed loop of senders against the store, or against the barest thing that could do the same.
 *
 * `ours`: `store.write` of a message. `bare`: a worker that serialises the same documents into the
 * same tables, one transaction for whatever waited meanwhile. With BENCH_MONGODB_URI, `ours` is on
 * MongoDB, and `bare` the driver inserting one by one. Tells its parent how many a second.
 */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { MongoClient, ObjectId } from 'mongodb'
import { collections } from '../backend/src/storage/collections.ts'
import { packLines } from '../backend/src/storage/journal.ts'
import { openStore } from '../backend/src/storage/open.ts'
import { configure, createIndexes, createTables } from '../backend/src/storage/sqlite-schema.ts'
import { messageDraft, nextId } from './documents.ts'

const mongodb = process.env.BENCH_MONGODB_URI
const warmMs = 1_000
const runMs = 3_000
/** Discussions that the messages go to, and people who write them. */
const places = Array.from({ length: 20 }, () => nextId())
const people = Array.from({ length: 500 }, () => nextId())
const draft = (i: number) => messageDraft(places[i % places.length]!, people[i % people.length]!, null)

/** How many messages a second, and how many in all. */
export interface Written {
	perSecond: number
	count: number
}

/** Runs the senders, each sending again when its last is durable. */
async function measure(senders: number, send: (i: number) => Promise<unknown>): Promise<Written> {
	let count = 0
	let running = true
	const loops = Array.from({ length: senders }, async (_, i) => {
		while (running) {
			await send(i)
			count++
		}
	})
	await new Promise((resolve) => setTimeout(resolve, warmMs))
	const [begin, before] = [performance.now(), count]
	await new Promise((resolve) => setTimeout(resolve, runMs))
	const perSecond = ((count - before) * 1000) / (performance.now() - begin)
	running = false
	await Promise.all(loops)
	return { perSecond, count }
}

async function ours(folder: string, senders: number): Promise<Written> {
	const store = await openStore({ folder, backups: join(folder, 'backups'), ...(mongodb && { mongodb: { uri: mongodb } }) })
	const written = await measure(senders, (i) => {
		const message = draft(i)
		return store.write(message.author, async (tx) => (await tx.get('messages', message.id)) ?? tx.put('messages', message))
	})
	await store.close()
	return written
}

/** The official driver, as a program uses it that gathers nothing: each message an insert of its own. */
async function bareDriver(uri: string, senders: number): Promise<Written> {
	const client = new MongoClient(uri, { maxPoolSize: Math.min(senders, 100) })
	const messages = client.db().collection('messages')
	await messages.createIndex({ discussion: 1, createdAt: 1 })
	const written = await measure(senders, (i) => {
		const { id, discussion, author, writtenAt, ...rest } = draft(i)
		const [createdAt, updatedAt] = [new Date(), new Date()]
		const ids = { _id: new ObjectId(id), discussion: new ObjectId(discussion), author: new ObjectId(author) }
		const document = { ...ids, ...rest, writtenAt: new Date(writtenAt), createdAt, updatedAt }
		return messages.insertOne(document, { writeConcern: { j: true } })
	})
	await client.close()
	return written
}

async function bare(folder: string, senders: number): Promise<Written> {
	if (mongodb) return bareDriver(mongodb, senders)
	mkdirSync(folder, { recursive: true })
	const worker = new Worker(new URL(import.meta.url), { workerData: join(folder, 'bare.db') })
	await once(worker, 'message')
	let waiting: { document: object; done: () => void }[] = []
	let busy = false
	let seq = 0
	const flush = () => {
		if (busy || waiting.length === 0) return
		const group = waiting.splice(0, 500)
		busy = true
		worker.once('message', () => {
			busy = false
			for (const { done } of group) done()
			setImmediate(flush)
		})
		worker.postMessage(group.map(({ document }) => document))
	}
	const written = await measure(senders, (i) => {
		const at = new Date().toISOString()
		const document = { ...draft(i), seq: ++seq, rev: seq, createdAt: at, updatedAt: at }
		return new Promise<void>((done) => {
			waiting.push({ document, done })
			setImmediate(flush)
		})
	})
	await worker.terminate()
	waiting = []
	return written
}

function serveBare(path: string): void {
	const db = new DatabaseSync(path)
	db.exec('PRAGMA journal_mode=WAL')
	configure(db)
	createTables(db, collections)
	createIndexes(db, collections)
	db.exec('INSERT INTO head(one, seq) VALUES (1, 0)')
	const advance = db.prepare('UPDATE head SET seq = ?')
	const journal = db.prepare('INSERT INTO journal(last, first, body) VALUES (?, ?, ?)')
	const insert = db.prepare('INSERT INTO c_messages(pk, id, doc, k_discussion) VALUES (?, ?, ?, ?)')
	parentPort!.on('message', (documents: { seq: number; id: string; discussion: string }[]) => {
		const lines = documents.map((document) => JSON.stringify(document))
		const [first, last] = [documents[0]!.seq, documents.at(-1)!.seq]
		db.exec('BEGIN IMMEDIATE')
		advance.run(last)
		journal.run(last, first, packLines(lines.join('\n')))
		for (const [i, { seq, id, discussion }] of documents.entries()) insert.run(seq * 1024, id, lines[i]!, discussion)
		db.exec('COMMIT')
		parentPort!.postMessage('done')
	})
	parentPort!.postMessage('ready')
}

if (isMainThread) {
	const [kind, folder, senders] = process.argv.slice(2) as [string, string, string]
	process.send?.({ port: 0 })
	const written = await (kind === 'ours' ? ours : bare)(folder, Number(senders))
	process.send?.(written)
} else serveBare(workerData as string)
