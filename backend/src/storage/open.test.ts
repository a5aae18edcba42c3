/**
 * Opening a data folder: what is noticed as an accident, what is refused, what a new version does to old records.
 *
 * Every refusal is checked to have changed nothing.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { collections, type StoredRecord } from './collections.ts'
import { StorageUnavailable } from './engine.ts'
import { type OpenOptions, openStore } from './open.ts'
import { fileSystemOf, refuseRemote } from './sqlite-database.ts'
import type { Store } from './store.ts'

interface Place {
	folder: string
	backups: string
	open(options?: Partial<OpenOptions>): Promise<Store>
	/** Opening is refused with these words, and no file is another than before. */
	refused(words: RegExp, hint: RegExp, options?: Partial<OpenOptions>): Promise<void>
	note(): Record<string, string>
	/** Makes a backup folder with these files in it. */
	backup(name: string, ...files: string[]): void
}

function place(t: TestContext): Place {
	const root = mkdtempSync(join(tmpdir(), 'english-chat-open-'))
	t.after(() => rmSync(root, { recursive: true }))
	const folder = join(root, 'data')
	const backups = join(root, 'backups')
	const open = (options = {}) => openStore({ folder, backups, ...options })
	const files = () =>
		existsSync(folder)
			? readdirSync(folder)
					.filter((name) => !/-shm$|-wal$|^writer\.lock/.test(name))
					.map((name) => [name, readFileSync(join(folder, name), 'base64')])
			: []
	return {
		folder,
		backups,
		open,
		async refused(words, hint, options = {}) {
			const before = files()
			const error = await open(options).then(
				() => assert.fail('It was opened.'),
				(error: unknown) => error,
			)
			assert.ok(error instanceof StorageUnavailable, String(error))
			assert.match(error.message, words)
			assert.match(error.hint ?? '', hint)
			assert.deepEqual(files(), before)
		},
		note: () => JSON.parse(readFileSync(join(folder, 'installation.json'), 'utf8')),
		backup(name, ...files) {
			for (const file of files) {
				mkdirSync(join(backups, name, file, '..'), { recursive: true })
				writeFileSync(join(backups, name, file), '')
			}
		},
	}
}

const key = (store: Store, name: string) => store.write(null, (tx) => tx.put('system', { id: name.padStart(24, 'a'), name, value: 'v' }))
const lineageFile = (folder: string) => readFileSync(join(folder, 'lineage'), 'utf8').trim()
const databaseOf = (folder: string) => join(folder, `chat-${lineageFile(folder)}.db`)
async function close(store: Store): Promise<void> {
	await store.close()
}
/** Opens and closes. */
async function used({ open }: Place, options: Partial<OpenOptions> = {}): Promise<void> {
	const store = await open(options)
	await key(store, `${store.head.seq}`)
	await close(store)
}

test('[S32] the first start gives the installation an id, in the database first; a missing note is written anew', async (t) => {
	const at = place(t)
	await used(at)
	const { id, engine, lineage } = at.note()
	assert.match(id!, /^[0-9a-f]{24}$/)
	assert.deepEqual([engine, lineage], ['sqlite', lineageFile(at.folder)])
	rmSync(join(at.folder, 'installation.json'))
	at.backup('20260101_000000', 'manifest.json')
	await used(at)
	assert.deepEqual(at.note(), { id, engine, lineage })
	const store = await at.open()
	assert.equal((await store.find('system', 'name', ['installation'], { limit: 1 }))[0]?.value, id)
	await close(store)
})

test('[S33] an empty beginning where there was a database, or beside any backup, is refused', async (t) => {
	await t.test('[S33] where the note says that there was one', async (t) => {
		const at = place(t)
		await used(at)
		for (const name of readdirSync(at.folder)) if (name !== 'installation.json') rmSync(join(at.folder, name))
		await at.refused(/missing or empty, but there was one here before/, /restore\.sh.*--fresh/)
	})
	const layouts: Record<string, string[]> = {
		'one of ours': ['manifest.json', 'manifest.txt', 'database/chat/users.bson.gz'],
		'another installation’s': ['manifest.json'],
		'one of version 1.x': [
			'manifest.txt',
			'mongodb-20250121_143000.tar.gz',
			'uploads-20250121_143000.tar.gz',
			'env.production.local.backup',
		],
		'one of version 1.x without a database': ['manifest.txt', 'uploads-20250121_143000.tar.gz'],
		'one of version 1.x that was interrupted': ['mongodb-20250121_143000.tar.gz'],
		'one of version 1.x that was killed early': ['mongodb/thynk/users.bson'],
	}
	for (const [what, files] of Object.entries(layouts)) {
		await t.test(`[S33] beside ${what}`, async (t) => {
			const at = place(t)
			at.backup('20250120_000000', 'manifest.txt')
			at.backup('20250121_143000', ...files)
			await at.refused(/there are backups in/, /\.\/restore\.sh latest.*npm start -- --fresh/)
		})
	}
	await t.test('[S33] but other things beside it are no backups', async (t) => {
		const at = place(t)
		mkdirSync(join(at.backups, '.partial-20250121_143000'), { recursive: true })
		writeFileSync(join(at.backups, '.partial-20250121_143000', 'manifest.json'), '')
		mkdirSync(join(at.backups, 'notes'))
		writeFileSync(join(at.backups, 'manifest.txt'), '')
		await used(at)
	})
	await t.test('[S33] also when the database is there, but lost all that was written', async (t) => {
		const at = place(t)
		await close(await at.open())
		// As if the log was deleted before anything of it was copied: the file is as it was made.
		const db = new DatabaseSync(databaseOf(at.folder))
		db.exec(`UPDATE head SET seq = 0; DELETE FROM journal; DELETE FROM c_system`)
		db.close()
		await at.refused(/missing or empty, but there was one here before/, /--fresh/)
	})
})

test('[S34] --fresh begins with a new id where that was refused, and never hides a database', async (t) => {
	const at = place(t)
	at.backup('20250121_143000', 'manifest.txt')
	await used(at, { fresh: true })
	const first = at.note()
	await at.refused(/fresh beginning would hide it/, /Move .* away first/, { fresh: true })
	rmSync(join(at.folder, 'installation.json'))
	await at.refused(/fresh beginning would hide it/, /Move .* away first/, { fresh: true })
	await used(at)
	assert.equal(at.note().id, first.id)
	const lineage = lineageFile(at.folder)
	rmSync(databaseOf(at.folder))
	rmSync(join(at.folder, 'lineage'))
	await at.refused(/missing or empty/, /--fresh/)
	await used(at, { fresh: true })
	assert.notEqual(at.note().id, first.id)
	assert.notEqual(lineageFile(at.folder), lineage)
})

test('[S35] a database without its pointer is not lost: it is named, and nothing takes its place', async (t) => {
	const at = place(t)
	await used(at)
	const lineage = lineageFile(at.folder)
	rmSync(join(at.folder, 'lineage'))
	for (const fresh of [false, true]) await at.refused(new RegExp(`is missing.*${lineage}`), new RegExp(`echo ${lineage}`), { fresh })
	// As a copy of the database alone arrives on another machine.
	rmSync(join(at.folder, 'installation.json'))
	for (const fresh of [false, true]) await at.refused(new RegExp(`is missing.*${lineage}`), new RegExp(`echo ${lineage}`), { fresh })
	writeFileSync(join(at.folder, 'lineage'), `${lineage}\n`)
	await used(at)
	renameSync(databaseOf(at.folder), join(at.folder, '../aside.db'))
	await at.refused(/can't be opened.*missing/, /restore\.sh/)
	writeFileSync(databaseOf(at.folder), '')
	await at.refused(/can't be opened/, /restore\.sh/)
	renameSync(join(at.folder, '../aside.db'), databaseOf(at.folder))
	await used(at)
})

test('[S35] what a first start left when it was killed is no database', async (t) => {
	const at = place(t)
	mkdirSync(at.folder)
	const path = join(at.folder, '../start.ts')
	const { href } = new URL('./open.ts', import.meta.url)
	const options = JSON.stringify({ folder: at.folder, backups: at.backups })
	writeFileSync(path, `import { openStore } from ${JSON.stringify(href)}\nawait (await openStore(${options})).close()\n`)
	for (const failpoint of [
		'replace:built',
		'replace:synced',
		'replace:pointer-written',
		'replace:pointed',
		'append:journal',
		'append:committed',
	]) {
		rmSync(at.folder, { recursive: true })
		mkdirSync(at.folder)
		const child = spawn(process.execPath, [path], { env: { ...process.env, FAILPOINT: failpoint }, stdio: ['ignore', 'ignore', 'inherit'] })
		assert.equal((await once(child, 'close'))[1], 'SIGKILL', failpoint)
		await used(at)
		assert.match(at.note().id!, /^[0-9a-f]{24}$/)
		assert.equal(readdirSync(at.folder).filter((name) => /\.db|\.next/.test(name)).length, 1)
	}
})

test('[S36] another database than the one noted is refused: another lineage, id, engine', async (t) => {
	const at = place(t)
	const other = place(t)
	await used(at)
	await used(other)
	const note = join(at.folder, 'installation.json')
	const mine = at.note()
	const change = (changes: object) => writeFileSync(note, JSON.stringify({ ...mine, ...changes }))
	change({ lineage: other.note().lineage })
	await at.refused(/not the one that installation.json notes/, /remove .*installation\.json/)
	change({ id: other.note().id })
	await assert.rejects(at.open(), /not the one that installation.json notes/)
	change({ engine: 'mongodb' })
	await at.refused(/is in MongoDB/, /MONGODB_URI/)
	for (const text of ['', '{', '[]', '{"id":1}']) {
		writeFileSync(note, text)
		await at.refused(/can't be read/, /written anew/)
	}
	change({})
	await used(at)
	cpSync(other.folder, at.folder, { recursive: true, filter: (path) => !path.endsWith('installation.json') })
	await at.refused(/not the one that installation.json notes/, /remove/)
	// A restore that was killed between the pointer and the note.
	writeFileSync(note, JSON.stringify({ ...mine, id: other.note().id, next: lineageFile(at.folder) }))
	await used(at)
	assert.deepEqual(at.note(), other.note())
})

test('[S36] after a restore the note follows the new lineage', async (t) => {
	const at = place(t)
	const store = await at.open()
	await key(store, '7')
	const { lineage, seq, records } = await store.exportAt()
	const copy = await Array.fromAsync(records)
	await key(store, '8')
	await store.replaceAll({
		seq,
		records: (async function* () {
			yield* copy
		})(),
	})
	assert.notEqual(at.note().lineage, lineage)
	assert.deepEqual(Object.keys(at.note()), ['id', 'engine', 'lineage'])
	const again = await at.open()
	assert.equal(again.head.lineage, at.note().lineage)
	assert.equal((await again.find('system', 'name', ['8'], { limit: 1 })).length, 0)
	await close(again)
	assert.equal(readdirSync(at.folder).filter((name) => name.endsWith('.db')).length, 1)
})

// Migrations: people get a second name, and notes an index.

const oldSpecs = { system: collections.system, people: { indexes: {}, ids: [], times: [] }, notes: { indexes: {}, ids: [], times: [] } }
const newSpecs = { ...oldSpecs, people: { indexes: { nick: { key: ['nick'], unique: true } }, ids: [], times: [] } } as const
const migrations = [
	{
		to: 2,
		upgrade: { people: (record: StoredRecord) => ({ ...record, nick: (record as never as { name: string }).name.toLowerCase() }) },
	},
]
type Person = StoredRecord & { name: string; nick?: string }
type OldStore = Store<{ system: StoredRecord; people: Person; notes: StoredRecord }>

async function fill(at: Place, count: number): Promise<void> {
	const store = (await at.open({ specs: oldSpecs, migrations: [] })) as unknown as OldStore
	for (let n = 0; n < count; n += 100) {
		await store.write(null, async (tx) => {
			for (let i = n; i < Math.min(count, n + 100); i++) await tx.put('people', { id: i.toString(16).padStart(24, '0'), name: `Name ${i}` })
		})
	}
	await store.write(null, (tx) => tx.put('notes', { id: 'f'.repeat(24) }))
	await store.close()
}

async function checkMigrated(at: Place, count: number): Promise<void> {
	const store = (await at.open({ specs: newSpecs, migrations })) as unknown as OldStore
	const { records } = await store.exportAt()
	const people = (await Array.fromAsync(records)).filter(({ collection }) => collection === 'people')
	assert.equal(people.length, count)
	for (const { record } of people) assert.equal((record as Person).nick, (record as Person).name.toLowerCase())
	for (const n of [0, count - 1]) {
		const [found] = await store.find('people', 'nick', [`name ${n}`], { limit: 1 })
		assert.equal(found?.id, n.toString(16).padStart(24, '0'))
		assert.equal(found?.seq, 2 + Math.floor(n / 100))
	}
	const last = (await Array.fromAsync(store.entries({ after: 0 }))).at(-1)
	assert.equal(last?.schema, 2)
	await store.close()
}

test('[S37] a new version makes a copy, reads it back, then rewrites what changed', async (t) => {
	const at = place(t)
	await fill(at, 250)
	const seen: string[] = []
	const looking = at.open({
		specs: newSpecs,
		migrations,
		async beforeMigration(store) {
			const before = (await (store as unknown as OldStore).get('people', '5'.padStart(24, '0')))!
			seen.push(`${before.nick} ${store.head.seq}`)
			throw new Error('No room for a copy.')
		},
	})
	await assert.rejects(looking, /No room for a copy/)
	assert.deepEqual(seen, ['name 5 5'], 'records are upgraded as they are read, before anything is written')
	await checkMigrated(at, 250)
	const [copy] = readdirSync(at.folder).filter((name) => name.endsWith('.ndjson'))
	const lines = readFileSync(join(at.folder, copy!), 'utf8').trim().split('\n')
	assert.equal(lines.length, 252)
	const seqs = JSON.parse(lines.at(-1)!) as { record: StoredRecord }
	assert.equal(seqs.record.id, 'f'.repeat(24))
	await checkMigrated(at, 250)
})

test('[S37] killed anywhere in a migration, the next start does it again', async (t) => {
	const at = place(t)
	await fill(at, 450)
	const program = `
		import { openStore } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
		const specs = ${JSON.stringify(newSpecs)}
		const migrations = [{ to: 2, upgrade: { people: (record) => ({ ...record, nick: record.name.toLowerCase() }) } }]
		const store = await openStore({ folder: ${JSON.stringify(at.folder)}, backups: ${JSON.stringify(at.backups)}, specs, migrations })
		await store.close()
		console.log('done')
	`
	const path = join(at.folder, '../migrate.ts')
	writeFileSync(path, program)
	// Three groups rewrite, the fourth says that it is done.
	for (const failpoint of ['append:journal:1', 'append:records:2', 'append:committed:3', 'append:records:4']) {
		const env = { ...process.env, FAILPOINT: failpoint }
		const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'inherit'] })
		const [, signal] = await once(child, 'close')
		assert.equal(signal, 'SIGKILL', failpoint)
	}
	await checkMigrated(at, 450)
})

test('[S38] a database of a newer version is refused with the way back, and stays as it is', async (t) => {
	const at = place(t)
	await fill(at, 10)
	await checkMigrated(at, 10)
	await at.refused(/newer English Chat \(schema 2; this version knows 1\)/, /Nothing was changed/, { specs: oldSpecs, migrations: [] })
	await checkMigrated(at, 10)
})

test('[S39] a data folder on a network file system is refused', async () => {
	const mountinfo = [
		'22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw',
		'30 22 0:30 / /srv rw shared:2 - nfs4 server:/x rw',
		'31 30 0:31 / /srv/chat/data rw - xfs /dev/vdb rw',
		'32 22 0:32 / /mnt/with\\040space rw - virtiofs share rw',
		'33 22 0:33 / /media/usb rw - fuseblk /dev/sdb1 rw',
		'34 22 0:34 / /mnt/drive rw - fuse.rclone drive: rw',
		'35 22 0:35 / /over rw - ext4 /dev/a rw',
		'36 35 0:36 / /over rw - cifs //server/x rw',
		'broken line',
		'',
	].join('\n')
	const expected: Record<string, string> = {
		'/': 'ext4',
		'/var/lib': 'ext4',
		'/srv': 'nfs4',
		'/srvx': 'ext4',
		'/srv/chat': 'nfs4',
		'/srv/chat/data': 'xfs',
		'/srv/chat/data/more': 'xfs',
		'/mnt/with space/data': 'virtiofs',
		'/media/usb/data': 'fuseblk',
		'/mnt/drive': 'fuse.rclone',
		'/over/data': 'cifs',
	}
	for (const [path, type] of Object.entries(expected)) {
		assert.equal(fileSystemOf(path, mountinfo), type, path)
		const refuse = () => refuseRemote(path, mountinfo)
		if (/^(nfs|virtiofs|cifs|fuse\.)/.test(type))
			assert.throws(refuse, (error) => error instanceof StorageUnavailable && /DATA_DIR/.test(error.hint ?? ''))
		else refuse()
	}
	assert.equal(fileSystemOf('/data', ''), null)
})

test('[S39] what a link points to is what counts', async (t) => {
	const at = place(t)
	const real = join(at.folder, '../real')
	mkdirSync(real)
	symlinkSync(real, at.folder)
	await used(at)
	assert.ok(existsSync(join(real, 'lineage')))
})

test('[S40] who comes second waits until the first is done, and can give up waiting', async (t) => {
	const at = place(t)
	const first = await at.open()
	const giveUp = new AbortController()
	let waits = 0
	const onStandby = () => void waits++
	const tired = at.open({ onStandby, signal: giveUp.signal })
	const second = at.open({ onStandby })
	await key(first, '7')
	while (waits < 2) await new Promise(setImmediate)
	giveUp.abort()
	await assert.rejects(tired, { name: 'AbortError' })
	await close(first)
	const store = await second
	assert.equal((await store.find('system', 'name', ['7'], { limit: 1 })).length, 1)
	await key(store, '8')
	await close(store)
	assert.equal(waits, 2)
})
