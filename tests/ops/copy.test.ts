/**
 * `npm run copy` as an operator meets it: real processes, both engines, kills, and what the next start opens.
 *
 * Needs a MongoDB server. Every test has a database of its own there.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StoredRecord } from '../../backend/src/storage/collections.ts'
import { findDatabase, openStore } from '../../backend/src/storage/open.ts'
import type { Store } from '../../backend/src/storage/store.ts'
import { password, Somebody } from '../support/class.ts'
import { checkLayout, lookInto, testAddress } from '../support/mongo.ts'
import { discussionDraft, groupDraft, messageDraft, uploadDraft, userDraft } from '../support/records.ts'
import { type ChildServer, makeFolder, startChild } from '../support/server.ts'

const root = join(import.meta.dirname, '../..')

interface Copying {
	child: ChildProcess
	said(): string
	/** Resolves when it has said this. */
	says(pattern: RegExp): Promise<void>
	/** The exit code, or the signal. */
	ended: Promise<number | string>
}

/** Starts the command; `DATA_DIR` is the installation's folder. */
function start(t: TestContext, args: string[], env: Record<string, string>): Copying {
	const quick = { MONGODB_URI: '', TAKEOVER_AFTER_MS: '1000' }
	const child = spawn(process.execPath, ['ops/copy.ts', ...args], { cwd: root, env: { ...process.env, ...quick, ...env } })
	let text = ''
	child.stdout.on('data', (data: Buffer) => (text += data))
	child.stderr.on('data', (data: Buffer) => (text += data))
	const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
	t.after(async () => {
		child.kill('SIGKILL')
		await ended
	})
	return {
		child,
		ended,
		said: () => text,
		async says(pattern) {
			const over = ended.then(() => true)
			while (!pattern.test(text)) if (await Promise.race([over, sleep(5, false)])) assert.match(text, pattern)
		},
	}
}

/** Runs it to its end, with which outcome and words. */
async function copy(
	t: TestContext,
	{ from, to, dir, more = [], env = {} }: { from: string; to: string; dir: string; more?: string[]; env?: Record<string, string> },
	code: number | string,
	...words: RegExp[]
): Promise<string> {
	const run = start(t, ['--from', from, '--to', to, ...more], { DATA_DIR: dir, ...env })
	assert.equal(await run.ended, code, run.said())
	for (const word of words) assert.match(run.said(), word)
	assert.doesNotMatch(run.said(), /^\s+at /m, 'no stack trace')
	return run.said()
}

/** An address whose database goes with the test. */
function address(t: TestContext): string {
	const uri = testAddress()
	t.after(() => lookInto(uri, (db) => db.dropDatabase()))
	return uri
}

/** Opens a place as a server would, with nothing noted before. */
function open(t: TestContext, place: string): Promise<Store> {
	const mongodb = place.startsWith('mongodb:') ? { uri: place, silenceMs: 1_000 } : null
	return openStore({ folder: mongodb ? makeFolder(t) : join(place, 'data'), backups: join(root, 'none'), ...(mongodb && { mongodb }) })
}

async function withStore<T>(t: TestContext, place: string, work: (store: Store) => Promise<T>): Promise<T> {
	const store = await open(t, place)
	try {
		return await work(store)
	} finally {
		await store.close()
	}
}

/** Everything that a copy carries over, and at which entry. */
function contentOf(t: TestContext, place: string): Promise<{ seq: number; rows: { collection: string; record: StoredRecord }[] }> {
	return withStore(t, place, async (store) => {
		const { seq, records } = await store.exportAt()
		const all = await Array.fromAsync(records as AsyncIterable<{ collection: string; record: StoredRecord }>)
		return { seq, rows: all.filter(({ collection }) => collection !== 'sessions') }
	})
}

/** Where the journal of a place ends, by a look that changes nothing; 0: nothing there. */
async function seqOf(dir: string, place: string): Promise<number> {
	const isMongo = place.startsWith('mongodb:')
	const database = await findDatabase(isMongo ? join(dir, 'data') : join(place, 'data'), isMongo ? { mongodb: { uri: place } } : {})
	try {
		return (await database.head())?.seq ?? 0
	} finally {
		await database.close()
	}
}

const id = (kind: number, n: number) => (kind * 0x1000000 + n).toString(16).padStart(24, '0')
const at = (n: number) => new Date(1_750_000_000_000 + n * 1_007).toISOString()
const texts = ['Olá, não é açúcar?', 'Ποῦ στῶ;', '👩🏽‍🏫 says: 𝒽𝑒𝓁𝓁ℴ', 'lines\n\tand "quotes" \\ $set: {a.b}', 'İstanbul ﬁn 漢字', '$where']

const upload = (n: number) =>
	uploadDraft({
		...{ id: id(8, n), owner: id(1, n % 20), purpose: n % 2 ? 'message' : 'avatar', kind: 'image', file: `image-${n}.png` },
		...{ name: `Foto ${texts[n % 6]}.png`.replace(/\s/g, ' '), type: 'image/png', width: n % 3 ? 640 : null, height: n % 3 ? 480 : null },
	})
/** The same as a message names it. */
const filesOf = (n: number) => {
	if (n % 13) return {}
	const { kind, name, type, sizeBytes, width, height } = upload(n % 20)
	return { uploads: [id(8, n % 20)], attachments: [{ kind, name, type, sizeBytes, width, height }], hasFiles: true as const }
}

/** A school with all that records can be: edited, removed, put back, erased, gone; accents, emoji, times, nulls. */
async function fill(t: TestContext, dir: string, messages: number): Promise<void> {
	await withStore(t, dir, async (store) => {
		const message = (n: number, more: object = {}) =>
			messageDraft({
				id: id(5, n),
				discussion: id(4, n % 3),
				author: id(1, n % 20),
				group: n % 5 === 0 ? null : id(2, n % 2),
				text: `${texts[n % 6]} ${n}`,
				...filesOf(n),
				...{ replyTo: n % 7 === 1 ? id(5, n - 1) : null, writtenAt: at(n), returned: n % 11 === 0, bodyHash: `hash ${n}` },
				...more,
			})
		await store.write(null, async (tx) => {
			for (let n = 0; n < 20; n++) {
				const decided =
					n % 3 === 0
						? { status: 'pending', decidedBy: null, decidedAt: null }
						: { status: 'approved', decidedBy: id(1, 0), decidedAt: at(n) }
				const person = {
					id: id(1, n),
					name: `Zoë Ångström-${n} 🦊`,
					email: `zoe.${n}@school.example`,
					role: 'student',
					number: n % 2 ? null : '007',
				}
				const chosen = { lecturers: n % 4 ? [] : [id(1, 19)], avatar: n % 5 ? null : id(8, n), erasedAt: n === 7 ? at(n) : null }
				await tx.put('users', userDraft({ ...person, ...decided, ...chosen, bodyHash: `${n}` } as never))
				await tx.put('uploads', upload(n))
				await tx.put('credentials', { id: id(1, n), password: '$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA' })
				await tx.put('sessions', { id: id(7, n), user: id(1, n), tokenHash: `token ${n}`, device: 'Browser', expiresAt: at(n) })
			}
			for (let n = 0; n < 2; n++)
				await tx.put('groups', groupDraft({ id: id(2, n), name: `Kelas ${n}`, createdBy: id(1, 0), status: n ? 'active' : 'archived' }))
			for (let n = 0; n < 2; n++)
				await tx.put('categories', { id: id(9, n), name: `Tema ${n}`, createdBy: id(1, 0), status: 'active', bodyHash: 'h' })
			for (let n = 0; n < 20; n++) await tx.put('memberships', { id: id(3, n), group: id(2, n % 2), user: id(1, n) })
			for (let n = 0; n < 3; n++) {
				const groups = { groups: [id(2, 0), id(2, 1)], groupsBefore: n ? [id(2, 0)] : [], scopeRev: 1 }
				const more = { title: `Topic ${n}`, prompt: texts[n]!, createdBy: id(1, 0), status: n ? 'open' : 'closed', bodyHash: 'h' } as const
				const led = {
					collaborators: n ? [id(1, 19)] : [],
					leadersBefore: n ? [id(1, 0)] : [],
					category: n ? id(9, 0) : null,
					tags: texts.slice(n),
				}
				const removed = n === 2 ? { at: at(n), by: id(1, 0) } : null
				await tx.put('discussions', discussionDraft({ id: id(4, n), ...groups, ...more, ...led, removed }))
				await tx.put('reads', { id: id(10, n), user: id(1, n), discussion: id(4, n), upTo: n })
			}
		})
		for (let n = 0; n < messages; n += 200) {
			await store.write(id(1, 0), async (tx) => {
				for (let i = n; i < Math.min(messages, n + 200); i++) await tx.put('messages', message(i))
			})
		}
		await store.write(id(1, 1), async (tx) => {
			for (let n = 0; n < Math.min(40, messages); n += 4) {
				await tx.put('edits', { id: id(6, n), message: id(5, n), author: id(1, 1), text: `${texts[n % 6]} ${n}`, bodyHash: 'h' })
				await tx.put('messages', message(n, { text: `${texts[(n + 1) % 6]} better`, editedAt: at(n + 1), edits: 1 }))
			}
			for (let n = 2; n < Math.min(40, messages); n += 4) await tx.put('messages', message(n, { removed: { at: at(n), by: id(1, 2) } }))
			await tx.remove('memberships', id(3, 19))
		})
		await store.write(null, (tx) => tx.put('messages', message(2)))
		await store.erase(null, [{ collection: 'messages', record: message(3, { text: '–' }) }])
	})
}

/** A filled installation, and an address. */
async function begin(t: TestContext, messages = 250): Promise<{ dir: string; uri: string }> {
	const dir = makeFolder(t)
	await fill(t, dir, messages)
	return { dir, uri: address(t) }
}

const noteOf = (dir: string) => readFileSync(join(dir, 'data/installation.json'), 'utf8')
/** Every file of a folder but locks, with its bytes. */
const filesIn = (dir: string) =>
	(readdirSync(dir, { recursive: true, withFileTypes: true }) ?? [])
		.filter((entry) => entry.isFile() && !/writer\.lock/.test(entry.name))
		.map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), 'base64')])

test('[O11] everything comes to MongoDB and back, equal, and the source stays as it was', async (t) => {
	const { dir, uri } = await begin(t)
	const before = await contentOf(t, dir)
	const lineage = readFileSync(join(dir, 'data/lineage'), 'utf8')
	mkdirSync(join(dir, 'uploads'))
	writeFileSync(join(dir, 'uploads/picture.jpg'), 'x')
	const said = await copy(
		t,
		{ from: dir, to: uri, dir },
		0,
		/^messages +250 {2}[0-9a-f]{12} {2}equal$/m,
		/^edits +10 {2}[0-9a-f]{12} {2}equal$/m,
	)
	assert.match(said, /Not carried over: sessions, helpLinks\. Everybody signs in again\./)
	assert.doesNotMatch(said, /Uploaded files/, 'they stay where they are')
	assert.match(said, /does not use the copy yet: run the same command with --switch/)
	assert.deepEqual(await contentOf(t, uri), before)
	await lookInto(uri, checkLayout)
	assert.equal(await lookInto(uri, (db) => db.collection('messages').countDocuments()), 250)
	assert.equal(await lookInto(uri, (db) => db.collection('sessions').countDocuments()), 0)
	assert.deepEqual(await contentOf(t, dir), before)
	assert.equal(readFileSync(join(dir, 'data/lineage'), 'utf8'), lineage)

	const other = makeFolder(t)
	// The word stands for the address in the variable.
	const back = await copy(t, { from: 'MONGODB_URI', to: other, dir, env: { MONGODB_URI: uri } }, 0, /^users +20 {2}[0-9a-f]{12} {2}equal$/m)
	assert.match(back, new RegExp(`Uploaded files .* from ${dir}/uploads to ${other}/uploads`))
	assert.match(back, new RegExp(`To start with the copy: DATA_DIR="${other}" npm start`))
	const hashes = (text: string) => text.match(/^[a-z]+ +\d+ {2}[0-9a-f]{12} {2}equal$/gm)
	assert.deepEqual(hashes(back), hashes(said))
	assert.deepEqual(await contentOf(t, other), before)
	assert.deepEqual(await contentOf(t, uri), before)
	assert.equal(JSON.parse(noteOf(other)).id, JSON.parse(noteOf(dir)).id)
})

test('[O11] what is not equal is no copy', async (t) => {
	const { dir, uri } = await begin(t)
	await copy(t, { from: dir, to: uri, dir }, 0)
	await lookInto(uri, (db) => db.collection('messages').updateOne({ text: /^Ποῦ/ }, { $set: { text: 'Ποῦ στῶ?' } }))
	const said = await copy(
		t,
		{ from: dir, to: uri, dir, more: ['--switch'] },
		12,
		/not equal to its source: messages \(250 and 250 records\)\./,
	)
	assert.doesNotMatch(said, /equal$/m)
	assert.equal(JSON.parse(noteOf(dir)).engine, 'sqlite')
	await lookInto(uri, (db) => db.collection('edits').deleteOne({}))
	await copy(t, { from: dir, to: uri, dir }, 12, /: messages \(250 and 250 records\), edits \(10 and 9 records\)\./)
})

test('[O11] a source that is damaged is named, and its target stays empty', async (t) => {
	const { dir, uri } = await begin(t)
	const [name] = readdirSync(join(dir, 'data')).filter((file) => file.endsWith('.db'))
	writeFileSync(join(dir, 'data', name!), 'nothing of a database')
	await copy(t, { from: dir, to: uri, dir }, 12, /can't be opened/)
	assert.deepEqual(await lookInto(uri, (db) => db.listCollections().toArray()), [])
})

test('[O12] a target that holds anything is refused, and nothing is changed', async (t) => {
	const { dir, uri } = await begin(t, 10)
	const other = makeFolder(t)
	for (const to of [uri, other]) {
		await withStore(t, to, (store) => store.write(null, (tx) => tx.put('system', { id: id(9, 1), name: 'mine', value: 'v' })))
		const before = await contentOf(t, to)
		const hint = to === uri ? /Name another database in the address of --to\. Nothing was changed\./ : /Move it away first: mkdir .* mv /
		await copy(t, { from: dir, to, dir }, 1, /is not empty: it has 2 entries\./, hint)
		assert.deepEqual(await contentOf(t, to), before)
	}
	const foreign = address(t)
	await lookInto(foreign, (db) => db.collection('cats').insertOne({ name: 'Tom' }))
	await copy(t, { from: dir, to: foreign, dir }, 1, /holds other things \(cats\)/)
	assert.equal(await lookInto(foreign, (db) => db.collection('cats').countDocuments()), 1)
	assert.equal((await lookInto(foreign, (db) => db.listCollections().toArray())).length, 1)

	await copy(t, { from: dir, to: join(dir, 'data'), dir }, 1, /are the same database/)
	const twin = uri.replace('127.0.0.1', 'localhost')
	await copy(t, { from: uri, to: twin, dir }, 1, /are the same database/)
})

test('[O12] where nothing is, nothing is copied, and nothing is made', async (t) => {
	const [dir, empty, uri] = [makeFolder(t), makeFolder(t), address(t)]
	const target = join(empty, 'target')
	await copy(t, { from: join(empty, 'no such'), to: target, dir }, 1, /There is no database in .*no such/)
	await copy(t, { from: uri, to: target, dir }, 1, /There is no database in /)
	writeFileSync(join(empty, 'file'), '')
	await copy(t, { from: join(empty, 'file'), to: uri, dir }, 1, /There is no database in /)
	assert.deepEqual(filesIn(empty), [[join(empty, 'file'), '']])
	assert.ok(!existsSync(join(empty, 'no such')))
	assert.deepEqual(await lookInto(uri, (db) => db.listCollections().toArray()), [])
})

test('[O12] a database that a living server writes is refused; one whose server died is not', async (t) => {
	const { dir, uri } = await begin(t, 10)
	const env = { MONGODB_URI: '', TAKEOVER_AFTER_MS: '1000' }
	const server = await startChild(t, dir, { env })
	await copy(t, { from: dir, to: uri, dir: makeFolder(t) }, 11, /has the data folder/, /Stop the server first/)
	await copy(t, { from: uri, to: makeFolder(t), dir }, 11, /has the data folder/)
	server.process.kill('SIGTERM')
	await server.exited
	await copy(t, { from: dir, to: uri, dir }, 0)

	const [one, two] = [makeFolder(t), makeFolder(t)]
	const remote = await startChild(t, one, { env: { ...env, MONGODB_URI: uri } })
	await copy(t, { from: uri, to: two, dir }, 11, /Another server writes the database in .*\/ec_/)
	await copy(t, { from: dir, to: uri, dir }, 11, /Another server writes/)
	assert.equal(await seqOf(dir, two), 0)
	remote.process.kill('SIGKILL')
	await remote.exited
	await copy(t, { from: uri, to: two, dir }, 0, /Somebody may be writing/)
	assert.deepEqual(await contentOf(t, two), await contentOf(t, uri))
})

test('[O12] wrong words are a wrong usage, and no output holds a password', async (t) => {
	const dir = makeFolder(t)
	const secret = 'geheim'
	const from = testAddress().replace('mongodb://', `mongodb://somebody:${secret}@`)
	const wrong: [args: string[], words: RegExp][] = [
		[[], /--from is missing/],
		[['--from', dir], /--to is missing/],
		[['--from', '', '--to', dir], /--from is missing/],
		[['--from', '--to', dir], /After --from and --to comes a place/],
		[['--from', dir, '--to', from, '--fast'], /There is no option --fast\./],
		[['--from', dir, `--too=${from}`], /There is no option --too\./],
		[['--from', dir, from], /Before each place stands/],
		[['--from', dir, '--to', 'MONGODB_URI'], /MONGODB_URI is not set/],
		[['--from', from.replace('mongodb', 'mongo'), '--to', dir], /--from is no folder, and no address/],
		[['--from', `mongodb:/somebody:${secret}@host/db`, '--to', dir], /--from is no folder, and no address/],
		[['--from', dir, '--to', makeFolder(t), '--switch'], /--switch needs the data folder of this installation/],
	]
	const say = async (args: string[], env: Record<string, string> = {}) => {
		const run = start(t, args, { DATA_DIR: dir, ...env })
		const code = await run.ended
		assert.doesNotMatch(run.said(), new RegExp(secret))
		assert.doesNotMatch(run.said(), /^\s+at /m)
		return [code, run.said()] as const
	}
	await Promise.all(
		wrong.map(async ([args, words]) => {
			const [code, said] = await say(args)
			assert.equal(code, 2, said)
			assert.match(said, words)
			assert.match(said, /npm run copy -- --help/)
		}),
	)
	const [code, help] = await say(['--help'])
	assert.equal(code, 0)
	for (const word of ['--from', '--to', '--switch', 'DATA_DIR', 'MONGODB_URI', ' 11 ', ' 12 ']) assert.ok(help.includes(word), word)
	assert.equal((await say(['--from', dir, '--to', dir], { PORT: 'http' }))[0], 2)
	await fill(t, dir, 5)
	for (const to of [`mongodb://somebody:${secret}@127.0.0.1:1/x`, `mongodb://somebody:${secret}/`, `mongodb://somebody:${secret}@h/a b`]) {
		const [failed, said] = await say(['--from', dir, '--to', to])
		assert.equal(failed, 1, said)
	}
})

test('[O13] killed anywhere, the target is empty or whole, and the same command goes on from there', async (t) => {
	const { dir, uri: mongo } = await begin(t, 30)
	const whole = await contentOf(t, dir)
	await copy(t, { from: dir, to: mongo, dir }, 0)
	const empty = { mongo: ['create:journal', 'create:meta', 'replace:built', 'replace:synced'], folder: [] as string[] }
	// The embedded one is made as a copy of nothing: the first pass of each.
	for (const point of ['built', 'synced', 'pointer-written']) empty.folder.push(`replace:${point}:1`, `replace:${point}:2`)
	empty.folder.push('replace:pointed:1')
	const full = { mongo: ['replace:pointed', 'replace:renamed:3', 'replace:finished'], folder: ['replace:pointed:2'] }
	const kill = async (from: string, to: string, own: string, failpoint: string) => {
		await copy(t, { from, to, dir: own, env: { FAILPOINT: failpoint } }, 'SIGKILL')
		const isWhole = [...full.mongo, ...full.folder].includes(failpoint)
		assert.equal(await seqOf(own, to), isWhole ? whole.seq : 0, failpoint)
		const said = await copy(t, { from, to, dir: own }, 0, /^messages +30 .*equal$/m)
		assert.equal(/An earlier run had copied it/.test(said), isWhole, failpoint)
		assert.deepEqual(await contentOf(t, to), whole, failpoint)
	}
	// Of each source one after another: a copy has its lock.
	const there = async () => {
		for (const point of [...empty.mongo, ...full.mongo]) {
			const to = address(t)
			await kill(dir, to, dir, point)
			await lookInto(to, checkLayout)
		}
	}
	const back = async () => {
		const own = makeFolder(t)
		for (const point of [...empty.folder, ...full.folder]) {
			const to = makeFolder(t)
			await kill(mongo, to, own, point)
			assert.equal(readdirSync(join(to, 'data')).filter((name) => /\.db$|\.next$/.test(name)).length, 1, point)
		}
	}
	await Promise.all([there(), back()])
})

test('[O13] killed or asked to stop in the middle, it leaves the target empty', async (t) => {
	const { dir, uri } = await begin(t, 20_000)
	const whole = await contentOf(t, dir)
	const stop = async (from: string, to: string, signal: NodeJS.Signals) => {
		const run = start(t, ['--from', from, '--to', to], { DATA_DIR: dir })
		await run.says(/Copying everything/)
		run.child.kill(signal)
		assert.equal(await run.ended, signal === 'SIGINT' ? 1 : signal, run.said())
		assert.equal(/Stopped\.\nThe source is as it was/.test(run.said()), signal === 'SIGINT')
		assert.equal(await seqOf(dir, to), 0)
	}
	const folder = makeFolder(t)
	await stop(dir, uri, 'SIGINT')
	const names = (await lookInto(uri, (db) => db.listCollections({}, { nameOnly: true }).toArray())).map(({ name }) => name)
	assert.deepEqual(
		names.filter((name) => name.startsWith('next_')),
		[],
	)
	await stop(dir, uri, 'SIGKILL')
	await copy(t, { from: dir, to: uri, dir }, 0, /^messages +20,000 .*equal$/m)
	await stop(uri, folder, 'SIGINT')
	await stop(uri, folder, 'SIGKILL')
	await copy(t, { from: uri, to: folder, dir }, 0, /^messages +20,000 .*equal$/m)
	assert.deepEqual(await contentOf(t, folder), whole)
})

test('[O14] --switch lets the next start open the copy, and the old place is refused; the way back is the same', async (t) => {
	const [dir, uri] = [makeFolder(t), address(t)]
	const run = async <T>(mongodb: string, work: (somebody: Somebody, server: ChildServer) => Promise<T>) => {
		const server = await startChild(t, dir, { env: { MONGODB_URI: mongodb } })
		try {
			return await work(new Somebody(server.origin), server)
		} finally {
			server.process.kill('SIGTERM')
			assert.equal(await server.exited, 0)
		}
	}
	const email = 'ada@school.example'
	const sessions = (somebody: Somebody) => somebody.request('listSessions', {}).then(({ status }) => status)
	const cookie = await run('', async (ada, server) => {
		while (server.setUpToken === null) await sleep(5)
		await ada.call('setUp', { token: server.setUpToken, name: 'Ada', email, password })
		assert.equal(await sessions(ada), 200)
		return ada.cookie
	})
	await fill(t, dir, 250)
	const whole = await contentOf(t, dir)
	const there = await copy(
		t,
		{ from: dir, to: uri, dir, more: ['--switch'] },
		0,
		/uses the copy from now on\. Start it: MONGODB_URI=<the address/,
	)
	assert.match(there, /The embedded database in .* stays as it was, and is used no more/)
	assert.equal(JSON.parse(noteOf(dir)).engine, 'mongodb')
	// Said once more, it is the same.
	await copy(t, { from: dir, to: uri, dir, more: ['--switch'] }, 0, /An earlier run had copied it already/)
	await assert.rejects(startChild(t, dir, { env: { MONGODB_URI: '' } }), /data is in MongoDB, .*Set MONGODB_URI as it was/s)
	await run(uri, async (ada) => {
		ada.cookie = cookie
		assert.equal(await sessions(ada), 401, 'sessions stay behind')
		ada.cookie = null
		assert.equal((await ada.signIn(email)).me.role, 'admin')
		assert.equal(await sessions(ada), 200)
	})
	const content = await contentOf(t, uri)
	assert.deepEqual(content.rows, whole.rows)
	assert.ok(content.seq > whole.seq)

	// The old one is neither copied once more nor written over.
	await copy(t, { from: dir, to: address(t), dir, more: ['--switch'] }, 1, /is in another database than the one to be copied/)
	const old = filesIn(join(dir, 'data'))
	const refused = await copy(t, { from: uri, to: dir, dir, more: ['--switch'] }, 1, /is not empty: it has \d+ entries/)
	assert.deepEqual(filesIn(join(dir, 'data')), old)
	execFileSync('sh', ['-c', /Move it away first: (.*)\. Nothing was changed/.exec(refused)![1]!])
	await copy(t, { from: uri, to: dir, dir, more: ['--switch'] }, 0, /Start it without MONGODB_URI: npm start/)
	assert.equal(JSON.parse(noteOf(dir)).engine, 'sqlite')
	await assert.rejects(startChild(t, dir, { env: { MONGODB_URI: uri } }), /data is in the embedded database, .*Start without MONGODB_URI/s)
	await run('', async (ada) => {
		assert.equal((await ada.signIn(email)).me.role, 'admin')
	})
	assert.deepEqual((await contentOf(t, dir)).rows, whole.rows)
})

test('[O14] another installation is not switched away from its data', async (t) => {
	const { dir, uri } = await begin(t, 5)
	const other = makeFolder(t)
	await fill(t, other, 5)
	const note = noteOf(other)
	await copy(t, { from: dir, to: uri, dir: other, more: ['--switch'] }, 1, /is in another database than the one to be copied/)
	assert.equal(noteOf(other), note)
	assert.deepEqual(await lookInto(uri, (db) => db.listCollections().toArray()), [])
	// A folder that notes nothing takes it: a new machine.
	const fresh = makeFolder(t)
	await copy(t, { from: dir, to: uri, dir: fresh, more: ['--switch'] }, 0)
	assert.equal(JSON.parse(noteOf(fresh)).id, JSON.parse(noteOf(dir)).id)
})
