/**
 * Opening a MongoDB database: what is refused with which words, who waits for whom, and that nothing is changed then.
 *
 * Needs a MongoDB server. What accounts may do is in mongo-accounts.test.ts.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Db, MongoServerError, ObjectId } from 'mongodb'
import { lookInto, testAddress } from '../../../tests/support/mongo.ts'
import { makeFolder, startChild } from '../../../tests/support/server.ts'
import { StorageUnavailable } from './engine.ts'
import { connect, parseAddress } from './mongo-connection.ts'
import { findDatabase, type OpenOptions, openStore } from './open.ts'
import type { Store } from './store.ts'

interface Place {
	folder: string
	backups: string
	uri: string
	open(options?: Partial<OpenOptions>): Promise<Store>
	/** Opening is refused with these words, and no file and no document is another than before. */
	refused(words: RegExp, hint: RegExp, options?: Partial<OpenOptions>): Promise<void>
	note(): Record<string, string>
	writeNote(note: object): void
	look<T>(look: (db: Db) => Promise<T>): Promise<T>
	drop(): Promise<unknown>
}

/** A data folder and a database of its own, or another folder for the same database. */
function place(t: TestContext, uri = testAddress()): Place {
	const root = mkdtempSync(join(tmpdir(), 'english-chat-open-'))
	const folder = join(root, 'data')
	const backups = join(root, 'backups')
	const opened: Store[] = []
	const drop = () => lookInto(uri, (db) => db.dropDatabase())
	t.after(async () => {
		for (const store of opened) await store.close()
		await drop()
		rmSync(root, { recursive: true })
	})
	const open = async (options: Partial<OpenOptions> = {}) => {
		const store = await openStore({ folder, backups, mongodb: { uri }, ...options })
		opened.push(store)
		return store
	}
	const files = () =>
		existsSync(folder)
			? readdirSync(folder)
					.filter((name) => name !== 'writer.lock')
					.map((name) => [name, readFileSync(join(folder, name), 'base64')])
			: []
	return {
		folder,
		backups,
		uri,
		open,
		drop,
		async refused(words, hint, options = {}) {
			const before = [files(), await everythingIn(uri)]
			const error = await open(options).then(
				() => assert.fail('It was opened.'),
				(error: unknown) => error,
			)
			assert.ok(error instanceof StorageUnavailable, String(error))
			assert.match(error.message, words)
			assert.match(error.hint ?? '', hint)
			assert.deepEqual([files(), await everythingIn(uri)], before)
		},
		note: () => JSON.parse(readFileSync(join(folder, 'installation.json'), 'utf8')),
		writeNote: (note) => writeFileSync(join(folder, 'installation.json'), JSON.stringify(note)),
		look: (look) => lookInto(uri, look),
	}
}

function noNamespace(error: unknown): null {
	if (error instanceof MongoServerError && error.codeName === 'NamespaceNotFound') return null
	throw error
}

/** Every collection with its indexes and its documents, to the byte. */
function everythingIn(uri: string): Promise<object[]> {
	return lookInto(uri, async (db) => {
		const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort()
		const all: object[] = []
		for (const name of names) {
			const documents = (await db.collection(name).find({}, { raw: true }).sort({ _id: 1 }).toArray()) as unknown as Buffer[]
			const bytes = documents.map((document) => Buffer.from(document).toString('hex'))
			// A busy server may still list what was dropped.
			const indexes = await db.collection(name).indexes().catch(noNamespace)
			if (indexes) all.push({ name, indexes, bytes })
		}
		return all
	})
}

const write = (store: Store, name: string) => store.write(null, (tx) => tx.put('system', { id: name.padStart(24, 'a'), name, value: 'v' }))
const has = async (store: Store, name: string) => (await store.find('system', 'name', [name], { limit: 1 })).length === 1

/** Opens, writes and closes. */
async function used({ open }: Place, options: Partial<OpenOptions> = {}): Promise<void> {
	const store = await open(options)
	await write(store, `${store.head.seq}`)
	await store.close()
}

test('[S50] an address that can not be read is answered with one that can', async (t) => {
	const at = place(t)
	const { host } = new URL(at.uri)
	const unreadable = [
		'localhost',
		`${host}/chat`,
		`http://${host}/chat`,
		'mongodb://',
		'mongodb:///chat',
		`mongodb://chat:in@clear@${host}/chat`,
		`mongodb://chat:in/clear@${host}/chat`,
		'mongodb://127.0.0.1:port/chat',
		'mongodb://127.0.0.1:99999/chat',
		'mongodb://[::1/chat',
		`mongodb://${host}/english chat`,
		`mongodb://${host}/english%2Fchat`,
		`mongodb://${host}/english.chat`,
		`mongodb://${host}/%zz`,
		`mongodb://${host}/${'x'.repeat(64)}`,
		`mongodb://${host}/chat?nonsense=true`,
		`mongodb://${host}/chat?replicaSet`,
		`mongodb://${host}/chat?authMechanism=nonsense`,
	]
	for (const uri of unreadable) {
		await at.refused(/^MONGODB_URI is not an address of a MongoDB database\.$/, /mongodb:\/\/localhost:27017\/online-discussion.*%40/, {
			mongodb: { uri },
		})
	}
})

test('[S50] a server that does not answer is named with what to check', async (t) => {
	const at = place(t)
	const nobody = /^MongoDB at 127\.0\.0\.1:1\/chat can not be reached \(ECONNREFUSED\)\.$/
	await at.refused(nobody, /systemctl status mongod.*MONGODB_URI/, { mongodb: { uri: 'mongodb://chat:secret@127.0.0.1:1/chat' } })
	const nowhere = /^MongoDB at nowhere\.invalid\/online-discussion can not be reached \(E[A-Z_]+\)\.$/
	await at.refused(nowhere, /MONGODB_URI names its host and port/, { mongodb: { uri: 'mongodb://nowhere.invalid' } })
	const around = /^MongoDB at host\.docker\.internal:1\/chat can not be reached/
	await at.refused(around, /bindIp/, { mongodb: { uri: 'mongodb://localhost:1/chat', inContainer: true } })
})

test('[S54] in a container a loopback address means the machine around it, elsewhere this one', () => {
	const around = 'host.docker.internal'
	const read = (uri: string, inContainer = true) => parseAddress(uri, inContainer)
	for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.8.8.8', '[::1]']) {
		for (const port of ['', ':27018']) {
			const uri = `mongodb://chat:a%40b@${host}${port}/x?authSource=admin`
			assert.deepEqual(read(uri), {
				uri: `mongodb://chat:a%40b@${around}${port}/x?authSource=admin`,
				database: 'x',
				place: `${around}${port}/x`,
				direct: true,
			})
			assert.deepEqual(read(uri, false), { uri, database: 'x', place: `${host}${port}/x`, direct: false })
		}
	}
	for (const host of ['localhost.example.org', '127.example.org', '10.0.0.1:27017', 'my-localhost']) {
		assert.deepEqual(read(`mongodb://${host}/x`), { uri: `mongodb://${host}/x`, database: 'x', place: `${host}/x`, direct: false })
	}
	// Members of a replica set name each other: who asks one alone would miss the primary.
	assert.deepEqual(read('mongodb://localhost:27017,db2:27017/x?replicaSet=r'), {
		uri: `mongodb://${around}:27017,db2:27017/x?replicaSet=r`,
		database: 'x',
		place: `${around}:27017,db2:27017/x`,
		direct: false,
	})
	for (const uri of ['mongodb://db', 'mongodb://db/', 'mongodb://db/?w=1']) assert.equal(read(uri).database, 'online-discussion')
	assert.equal(read('mongodb://db/b%C3%BCcher').database, 'bücher')
})

test('[S51] a database of version 1.x is left as it is, to the last byte, and the way on is named', async (t) => {
	const at = place(t)
	await at.look(fillAsVersion1)
	for (const fresh of [false, true]) {
		await at.refused(/is one of English Chat 1\.x\. It was left as it is\.$/, /"adopt".*another database in MONGODB_URI/, { fresh })
	}
})

/** Documents as the versions of 2025 left them, the oldest without what came later. */
async function fillAsVersion1(db: Db): Promise<void> {
	const id = () => new ObjectId()
	const [admin, lecturer, student, early, group, category, discussion, message] = Array.from({ length: 8 }, id) as ObjectId[]
	const at = (day: number) => ({ createdAt: new Date(2025, 9, day), updatedAt: new Date(2025, 9, day + 1), __v: 0 })
	const password = `$2a$10$${'abcdefghijklmnopqrstu'.repeat(3).slice(0, 53)}`
	const person = { password, avatar: '' }
	await db.collection('users').insertMany([
		{ _id: admin!, name: 'Admin', email: 'admin@x.id', role: 'admin', status: 'approved', lecturers: [], ...person, ...at(21) },
		{
			...{ _id: lecturer!, name: 'Dosen', email: 'd@x.id', role: 'dosen', nip: '1987', lecturers: [], status: 'approved' },
			...{ approvedBy: admin, approvedAt: new Date(2025, 9, 22), ...person, ...at(22) },
		},
		{
			...{ _id: student!, name: 'Mahasiswa', email: 'm@x.id', role: 'mahasiswa', nim: '', status: 'pending' },
			...{ lecturers: [lecturer], lecturer, ...person, ...at(23) },
		},
		{ _id: early!, name: 'Early', email: 'e@x.id', role: 'mahasiswa', nim: '2311', lecturer: null, ...person, ...at(20) },
	])
	await db.collection('users').createIndex({ email: 1 }, { unique: true, background: true })
	await db.collection('users').createIndex({ nim: 1 }, { sparse: true, background: true })
	await db.collection('users').createIndex({ nip: 1 }, { sparse: true, background: true })
	await db.collection('groups').insertOne({
		...{ _id: group!, name: 'A', description: '', createdBy: lecturer, members: [student, early, student], isActive: true, ...at(22) },
	})
	await db.collection('categories').insertOne({ _id: category!, name: 'Umum', createdBy: admin, isActive: true, ...at(24) })
	const asked = { createdBy: lecturer, isActive: true, tags: [] }
	await db.collection('discussions').insertMany([
		{ _id: discussion!, title: 'T', content: 'C', groups: [group], group, category, ...asked, ...at(24) },
		{ _id: id(), title: 'Old', content: 'C', group, ...asked, ...at(20) },
	])
	const said = { discussion, isEdited: false, readBy: [] }
	await db.collection('messages').insertMany([
		{ _id: message!, sender: student, group, replyTo: null, content: 'Halo', messageType: 'text', ...said, ...at(24) },
		{ _id: id(), sender: lecturer, group: null, replyTo: message, content: 'Hi', messageType: 'emoji', ...said, ...at(25) },
		{
			...{ _id: id(), sender: early, content: 'a.png', messageType: 'file', fileName: 'a.png', fileSize: 12 },
			...{ fileUrl: '/uploads/file-1761000000000-1.png', ...said, ...at(20) },
		},
	])
}

test('[S51] a database of another program is left as it is, and named', async (t) => {
	const at = place(t)
	await at.look(async (db) => {
		await db.collection('orders').insertOne({ paid: true })
		await db.createCollection('visitors')
	})
	for (const fresh of [false, true]) {
		await at.refused(/holds other things \(orders, visitors\)\. It was left as it is\.$/, /an empty database in MONGODB_URI/, { fresh })
	}
	// A database that lost what says where things stand is not an empty one either.
	const lost = place(t)
	await used(lost)
	await lost.look((db) => db.dropCollection('meta'))
	rmSync(join(lost.folder, 'installation.json'))
	await lost.refused(/holds other things .*It was left as it is/, /an empty database/, { fresh: true })
})

test('[S38] MongoDB: a database of a newer version is refused with the way back, and stays as it is', async (t) => {
	const at = place(t)
	const migrations = [{ to: 99, upgrade: {} }]
	await used(at, { migrations })
	await at.refused(/newer English Chat \(schema 99; this version knows \d+\)/, /Start the newer version again.*Nothing was changed/)
	await used(at, { migrations })
	const other = place(t)
	await used(other)
	await other.look((db) => db.collection('meta').updateOne({}, { $set: { format: 2 } }))
	await other.refused(/newer English Chat \(format 2; this version knows 1\)/, /Start the newer version\. Nothing was changed/)
	await other.look((db) => db.collection('meta').updateOne({}, { $set: { format: 1 } }))
	await used(other)
})

test('[S32] MongoDB: the first start gives the installation an id, in the database first; a missing note is written anew', async (t) => {
	const at = place(t)
	await used(at)
	const { id, engine, lineage } = at.note()
	assert.match(id!, /^[0-9a-f]{24}$/)
	assert.equal(engine, 'mongodb')
	assert.equal(lineage, await at.look(async (db) => (await db.collection('meta').findOne({}))?.lineage))
	rmSync(join(at.folder, 'installation.json'))
	await used(at)
	assert.deepEqual(at.note(), { id, engine, lineage })
})

test('[S33] MongoDB: an empty database where there was one, or beside any backup, is refused; --fresh begins anew', async (t) => {
	const at = place(t)
	await used(at)
	const first = at.note()
	await at.refused(/fresh beginning would hide it/, /^Name another database in MONGODB_URI, or start without --fresh/, { fresh: true })
	await at.drop()
	await at.refused(/missing or empty, but there was one here before/, /\.\/restore\.sh latest.*npm start -- --fresh/)
	// As it is made, before anything was written.
	const database = await findDatabase(at.folder, { mongodb: { uri: at.uri } })
	await database.create(1).finally(() => database.close())
	await at.refused(/missing or empty, but there was one here before/, /--fresh/)
	await at.drop()
	await used(at, { fresh: true })
	assert.notEqual(at.note().id, first.id)
	assert.notEqual(at.note().lineage, first.lineage)

	for (const file of ['manifest.json', 'mongodb-20250121_143000.tar.gz']) {
		const beside = place(t)
		mkdirSync(join(beside.backups, '20250121_143000'), { recursive: true })
		writeFileSync(join(beside.backups, '20250121_143000', file), '')
		await beside.refused(/missing or empty, but there are backups in/, /\.\/restore\.sh latest.*--fresh/)
		await used(beside, { fresh: true })
	}
})

test('[S36] MongoDB: another database than the one noted is refused: another lineage, id, engine', async (t) => {
	const [at, other] = [place(t), place(t)]
	await used(at)
	await used(other)
	const mine = at.note()
	at.writeNote(other.note())
	await at.refused(/not the one that installation\.json notes/, /remove .*installation\.json.*Nothing was changed/)
	at.writeNote({ ...mine, id: other.note().id })
	await assert.rejects(at.open(), /not the one that installation\.json notes/)
	at.writeNote({ ...mine, engine: 'sqlite' })
	await at.refused(/is in the embedded database, says .*, and not in MongoDB at 127/, /Start without MONGODB_URI.*npm run copy/)
	at.writeNote(mine)
	await used(at)

	// And without MONGODB_URI, where the data is in MongoDB.
	const error = await openStore({ folder: at.folder, backups: at.backups }).catch((error: unknown) => error)
	assert.ok(error instanceof StorageUnavailable)
	assert.match(error.message, /is in MongoDB, says .*, and not in the embedded database/)
	assert.match(error.hint ?? '', /Set MONGODB_URI as it was.*npm run copy/)
	assert.deepEqual(
		readdirSync(at.folder).filter((name) => name.endsWith('.db')),
		[],
	)
})

test('[S52] who comes second waits and says so, can give up, and goes on at once after the first says goodbye', async (t) => {
	const at = place(t)
	// Silence alone would take ten minutes.
	const mongodb = { uri: at.uri, silenceMs: 600_000 }
	const first = await at.open({ mongodb })
	const places: string[] = []
	const onStandby = (place: string) => void places.push(place)
	const giveUp = new AbortController()
	const tired = place(t, at.uri).open({ mongodb, onStandby, signal: giveUp.signal })
	const next = place(t, at.uri)
	const second = next.open({ mongodb, onStandby })
	await write(first, '7')
	while (places.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
	giveUp.abort()
	await assert.rejects(tired, { name: 'AbortError' })
	await write(first, '8')
	await first.close()
	const store = await second
	assert.ok((await has(store, '7')) && (await has(store, '8')))
	await write(store, '9')
	const where = at.uri.replace('mongodb://', '')
	assert.deepEqual(places, [where, where])
	assert.equal(next.note().id, at.note().id)
})

test('[S52] who waits goes on when the first was silent for long, and a first that wakes up writes no more', async (t) => {
	const at = place(t)
	const first = await at.open({ mongodb: { uri: at.uri, silenceMs: 600_000 } })
	// To the second, whose patience is shorter than this heart beats, it is as good as dead.
	const second = await place(t, at.uri).open({ mongodb: { uri: at.uri, silenceMs: 500 } })
	await write(second, '7')
	await assert.rejects(write(first, '8'), { name: 'Fenced' })
	assert.equal(await has(second, '8'), false)
})

test('[S52] a server that waits for another one says so on its pages, and serves when that one has stopped', async (t) => {
	const at = place(t)
	const env = { MONGODB_URI: at.uri, TAKEOVER_AFTER_MS: '600000' }
	const first = await startChild(t, makeFolder(t), { env })
	const second = await startChild(t, makeFolder(t), { env, standby: true })
	assert.ok(second.lines.some((line) => line.startsWith(`Another server has the database in ${at.uri.replace('mongodb://', '')}.`)))
	const ready = async (origin: string) => {
		const answer = await fetch(`${origin}/readyz`)
		return { status: answer.status, ...((await answer.json()) as { reason?: string }) }
	}
	const waiting = await ready(second.origin)
	assert.equal(waiting.status, 503)
	assert.match(waiting.reason!, /^Another server has the database; this one takes over when it is gone\.$/)
	const problem = await fetch(`${second.origin}/api/status`)
	assert.deepEqual([problem.status, ((await problem.json()) as { code: string }).code], [503, 'standby'])

	first.process.kill('SIGTERM')
	assert.equal(await first.exited, 0)
	while ((await ready(second.origin)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
	assert.equal((await fetch(`${second.origin}/api/status`)).status, 200)
	second.process.kill('SIGTERM')
	assert.equal(await second.exited, 0)
})

test('[S50] what only the driver can refuse is answered with a sentence too, and nothing in the address makes a write less safe', async (t) => {
	const at = place(t)
	const { host } = new URL(at.uri)
	const not = /^MONGODB_URI is not an address of a MongoDB database\.$/
	const bad = [
		`mongodb://chat:a?b@${host}/chat`,
		`mongodb://chat:a%b@${host}/chat`,
		`mongodb://${host},/chat`,
		'mongodb+srv://a.b.c:27017/chat',
	]
	for (const uri of bad) await at.refused(not, /%40/, { mongodb: { uri } })
	await at.refused(/can not be reached \(ENOTFOUND\)/, /MONGODB_URI/, { mongodb: { uri: 'mongodb+srv://chat:x@nowhere.invalid/chat' } })
	await at.refused(/can not be reached/, /tls/, { mongodb: { uri: `mongodb://${host}/chat?tls=true&tlsCAFile=/nowhere` } })
	await at.refused(/The database admin is MongoDB's own/, /Name another one/, { mongodb: { uri: `mongodb://${host}/admin` } })
	const client = await connect(parseAddress(`mongodb://${host}/chat?journal=false&w=0&appName=x`, false), { commandMs: 3_000 })
	t.after(() => client.close())
	assert.deepEqual(
		[client.options.writeConcern?.w, client.options.writeConcern?.j ?? client.options.writeConcern?.journal],
		['majority', true],
	)
})
