/**
 * Databases of the bench's own, on the server that TEST_MONGODB_URI names.
 *
 * Promises that each is dropped, also when the bench is interrupted, and to touch no other.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Db, MongoClient } from 'mongodb'
// First what was started is ended, then what it wrote to is dropped.
import './processes.ts'

/** The server; without it nothing of MongoDB is measured. */
export const server = process.env.TEST_MONGODB_URI

const made = new Set<string>()
process.on('exit', () => {
	if (made.size > 0)
		spawnSync(process.execPath, [join(import.meta.dirname, 'drop.ts')], { input: JSON.stringify([...made]), stdio: 'pipe' })
})

/** The address of a new database. */
export function newDatabase(): string {
	const url = new URL(server!)
	url.pathname = `/bench_${randomBytes(6).toString('hex')}`
	made.add(url.href)
	return url.href
}

/** Removes a database that nobody has open. */
export async function dropDatabase(uri: string): Promise<void> {
	await within(uri, (db) => db.dropDatabase())
	made.delete(uri)
}

async function within<T>(uri: string, work: (db: Db) => Promise<T>): Promise<T> {
	const client = new MongoClient(uri)
	try {
		return await work(client.db())
	} finally {
		await client.close()
	}
}

/** What the server is and where it keeps what it is given, for people. */
export function describeServer(): Promise<string> {
	return within(server!, async (db) => {
		const [build, status] = [await db.admin().buildInfo(), await db.admin().serverStatus()]
		const { ferretdb } = { ...build, ...status }
		if (ferretdb) return `FerretDB ${ferretdb.version} over ${/^\S+ \S+/.exec(ferretdb.postgresql ?? 'PostgreSQL')?.[0] ?? 'PostgreSQL'}`
		return `MongoDB ${build.version} (${status.storageEngine?.name ?? 'unknown storage'})`
	})
}

/** Bytes on the server, with their indexes: of the messages, and of all journals. */
export function sizes(uri: string): Promise<{ messages: number; journal: number }> {
	return within(uri, async (db) => {
		// Where there are checkpoints, sizes are as of the last one.
		await db
			.admin()
			.command({ fsync: 1 })
			.catch(() => {})
		let [messages, journal] = [0, 0]
		for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray()) {
			if (name !== 'messages' && !name.startsWith('journal_')) continue
			const { totalSize } = (await db.command({ collStats: name })) as { totalSize: number }
			if (name === 'messages') messages = totalSize
			else journal += totalSize
		}
		return { messages, journal }
	})
}

/** How many slots of the journal `meta` does not know to be applied: so many are applied again by who opens it. */
export function slotsLeft(uri: string): Promise<number> {
	return within(uri, async (db) => {
		const meta = await db.collection<{ _id: string; lineage: string; applied: number }>('meta').findOne({ _id: 'store' })
		const last = await db
			.collection<{ _id: number }>(`journal_${meta!.lineage}`)
			.find({}, { projection: { _id: 1 } })
			.sort({ _id: -1 })
			.limit(1)
			.next()
		return last!._id - meta!.applied
	})
}
