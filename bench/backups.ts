/**
 * Backups of 1 GiB of database and 10,000 files of 1 GiB in all, beside restic, `mongodump --gzip` and
 * `sqlite3 .backup` with gzip, in one run.
 *
 * RESTIC names restic where it is not on the PATH; BENCH_BACKUP_MIB another size (1024). One round: each takes minutes.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StoredRecord } from '../backend/src/storage/collections.ts'
import { findMongoTools } from '../tests/support/mongo-tools.ts'
import { uploadDraft, userDraft } from '../tests/support/records.ts'
import { newDatabase, server } from './databases.ts'
import { messageDraft, nextId } from './documents.ts'
import type { Part } from './measure.ts'
import { newFolder, openFolder } from './school.ts'

const MIB = 1024 * 1024
const sizeMiB = Number(process.env.BENCH_BACKUP_MIB ?? 1_024)
/** What a message of the bench takes in the embedded database. */
const MESSAGE_BYTES = 760
const FILES = Math.round((10_000 * sizeMiB) / 1_024)
const cli = join(import.meta.dirname, '../ops/cli.ts')

const first = 'the first verified backup, of restic'
const next = 'the next one with 1% changed, of restic'
const nextOfFirst = 'the next one with 1% changed, of the first'
const back = 'restore, of restic'
const memory = 'peak memory of a backup, of restic'
const drill = 'drill, of a restore'
const database = 'database part of the first backup on MongoDB, of mongodump --gzip'
const plain = 'the first verified backup, of sqlite3 .backup and gzip of the database alone'
const week = 'files of seven daily backups, of one copy'
const beside = 'acknowledgement p99 at 100 messages/s while a backup runs, of idle'

interface Run {
	seconds: number
	peakMiB: number
	output: string
}

/** Runs a program to its end; its memory is looked at all the while. */
function run(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
	const began = performance.now()
	const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
	let output = ''
	let peakKiB = 0
	child.stdout.on('data', (data: Buffer) => (output += data))
	child.stderr.on('data', (data: Buffer) => (output += data))
	const watching = setInterval(() => {
		try {
			peakKiB = Math.max(peakKiB, Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]))
		} catch {
			// It has ended.
		}
	}, 20)
	return new Promise((resolve, reject) => {
		child.on('error', reject)
		child.on('close', (code) => {
			clearInterval(watching)
			if (code !== 0) return reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${output.slice(-2_000)}`))
			resolve({ seconds: (performance.now() - began) / 1_000, peakMiB: peakKiB / 1_024, output })
		})
	})
}

const restic = process.env.RESTIC ?? (spawnSync('restic', ['version']).error ? null : 'restic')

/** Messages, then so many files and records of them. */
async function fill(folder: string, files = FILES, mongodb?: string): Promise<number> {
	const uploads = join(folder, 'uploads')
	mkdirSync(uploads, { recursive: true })
	const at = new Date().toISOString()
	const owner = nextId()
	const count = Math.round((sizeMiB * MIB) / MESSAGE_BYTES)
	const discussions = Array.from({ length: 20 }, () => nextId())
	const whole = (draft: object, seq: number) => ({ ...draft, seq, rev: seq, createdAt: at, updatedAt: at }) as StoredRecord
	async function* records(): AsyncGenerator<{ collection: string; record: StoredRecord }> {
		yield { collection: 'users', record: whole(userDraft({ id: owner, name: 'Bench' }), 1) }
		for (let n = 0; n < count; n++) {
			const draft = messageDraft(discussions[n % 20]!, owner, null, nextId(1_700_000_000 + n))
			yield { collection: 'messages', record: whole(draft, 2 + n) }
		}
		for (let n = 0; n < files; n++) yield { collection: 'uploads', record: whole(addFile(uploads, owner), 2 + count + n) }
	}
	const store = await openFolder(folder, mongodb)
	await store.replaceAll({ seq: 1 + count + files, records: records() })
	// The first start afterwards notes the installation.
	await (await openFolder(folder, mongodb)).close()
	return count
}

function addFile(uploads: string, owner: string) {
	const bytes = randomBytes(Math.round((sizeMiB * MIB) / FILES))
	const sha256 = createHash('sha256').update(bytes).digest('hex')
	const file = `file-${sha256}.bin`
	writeFileSync(join(uploads, file), bytes)
	return uploadDraft({ id: nextId(), owner, name: 'noise.bin', file, sha256, sizeBytes: bytes.length })
}

/** New messages and files, and edits of late ones: 1% in all. */
async function change(folder: string, count: number): Promise<void> {
	const store = await openFolder(folder)
	const [owner, discussion] = [nextId(), nextId()]
	const late: string[] = []
	for await (const { collection, record } of (await store.exportAt()).records) {
		if (collection === 'messages' && record.seq > count * 0.98 && record.seq % 20 === 0) late.push(record.id)
	}
	for (let n = 0; n < (count * 0.9) / 100; n += 500) {
		await store.write(null, async (tx) => {
			for (let i = 0; i < 500; i++) await tx.put('messages', messageDraft(discussion, owner, null))
		})
	}
	for (const id of late) {
		await store.write(null, async (tx) => {
			await tx.put('messages', { ...(await tx.get('messages', id))!, text: 'edited', edits: 1 })
		})
	}
	for (let n = 0; n < FILES / 100; n++) await store.write(null, (tx) => tx.put('uploads', addFile(join(folder, 'uploads'), owner)))
	await store.close()
}

/** The 99th percentile of how long writes take, in ms: while nothing else happens, and while something does. */
async function acknowledgements(folder: string, work: () => Promise<unknown>): Promise<{ idle: number; busy: number }> {
	const store = await openFolder(folder)
	const [owner, discussion] = [nextId(), nextId()]
	const p99 = async (until: Promise<unknown>) => {
		const times: number[] = []
		const writes: Promise<unknown>[] = []
		let over = false
		void until.finally(() => {
			over = true
		})
		// By the clock and not one after another: who waits does not hold up who comes next.
		for (let next = performance.now(); !over; next += 10) {
			await sleep(Math.max(0, next - performance.now()))
			const began = performance.now()
			const write = store.write(null, (tx) => tx.put('messages', messageDraft(discussion, owner, null)))
			writes.push(write.then(() => times.push(performance.now() - began)))
		}
		await Promise.all(writes)
		return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!
	}
	const idle = await p99(sleep(10_000))
	const busy = await p99(work())
	await store.close()
	return { idle, busy }
}

const bytesIn = (folder: string): number =>
	readdirSync(folder, { withFileTypes: true, recursive: true })
		.filter((entry) => entry.isFile())
		.reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

const said = (ours: Run, theirs: Run, name: string) =>
	`ours ${ours.seconds.toFixed(1)} s, ${name} ${theirs.seconds.toFixed(1)} s; ${sizeMiB} MiB of database and as much in ${FILES} files`

/** What it costs to keep everything, to bring it back, and to prove that. */
export const backups: Part = {
	names: [first, next, nextOfFirst, back, memory, drill, plain, week, beside],
	async run(report) {
		if (!restic) return void console.log('Not measured: backups, since restic is missing (install it or set RESTIC).')
		const folder = await newFolder()
		const count = await fill(folder)
		const data = join(folder, 'data')
		const env = { DATA_DIR: folder, MONGODB_URI: '', ENV_FILE: '', BACKUP_DRILL: 'off' }
		const ours = (...args: string[]) => run(process.execPath, [cli, ...args, '--json'], env)
		const repository = {
			RESTIC_REPOSITORY: join(folder, 'restic'),
			RESTIC_PASSWORD: 'bench',
			RESTIC_CACHE_DIR: join(folder, 'restic-cache'),
		}
		const theirs = (...args: string[]) => run(restic, args, repository)
		const resticBackup = () => theirs('backup', '--quiet', data, join(folder, 'uploads'))
		await theirs('init')

		const [our, their] = [await ours('backup'), await resticBackup()]
		report({ name: first, goal: { atMost: 1.5 }, ratio: our.seconds / their.seconds, detail: said(our, their, 'restic') })
		const peaks = `ours ${our.peakMiB.toFixed(0)} MiB, restic ${their.peakMiB.toFixed(0)} MiB`
		report({ name: memory, goal: { atMost: 1.2 }, ratio: our.peakMiB / their.peakMiB, detail: peaks })
		const { durationMs } = JSON.parse(readFileSync(join(folder, 'backups', newest(folder), 'manifest.json'), 'utf8'))

		const copy = join(folder, 'copy.db')
		const line = `sqlite3 "$1" ".backup '$2'" && gzip "$2"`
		const copied = await run('sh', ['-c', line, 'sh', databaseIn(data), copy]).catch((error) =>
			console.log(`Not measured: ${plain}: ${error.message}`),
		)
		if (copied) {
			const both = `ours, with files and read back, ${(durationMs / 1_000).toFixed(1)} s, theirs ${copied.seconds.toFixed(1)} s`
			report({ name: plain, goal: { atMost: 1 }, ratio: durationMs / 1_000 / copied.seconds, detail: both })
		}
		rmSync(join(folder, 'copy.db.gz'), { force: true })

		await change(folder, count)
		const [again, theirAgain] = [await ours('backup'), await resticBackup()]
		report({ name: next, goal: { atMost: 3 }, ratio: again.seconds / theirAgain.seconds, detail: said(again, theirAgain, 'restic') })
		const twice = `${again.seconds.toFixed(1)} s of ${our.seconds.toFixed(1)} s`
		report({ name: nextOfFirst, goal: { atMost: 0.2 }, ratio: again.seconds / our.seconds, detail: twice })

		for (let day = 3; day <= 7; day++) await ours('backup')
		const kept = bytesIn(join(folder, 'backups', 'files'))
		const live = bytesIn(join(folder, 'uploads'))
		const detail = `${Math.round(kept / MIB)} MiB of ${Math.round(live / MIB)} MiB`
		report({ name: week, goal: { atMost: 1.05 }, ratio: kept / live, detail })

		rmSync(join(folder, 'backups'), { recursive: true })
		const { idle, busy } = await acknowledgements(folder, () => ours('backup'))
		const both = `idle ${idle.toFixed(1)} ms, meanwhile ${busy.toFixed(1)} ms`
		report({ name: beside, goal: { atMost: 5 }, ratio: busy / idle, detail: both })

		const proof = await ours('drill', 'latest')
		rmSync(data, { recursive: true })
		rmSync(join(folder, 'uploads'), { recursive: true })
		const restored = await ours('restore', 'latest', '--yes', '--as', 'replacement')
		const target = join(folder, 'restored')
		const theirRestore = await theirs('restore', 'latest', '--quiet', '--target', target)
		report({
			name: back,
			goal: { atMost: 2 },
			ratio: restored.seconds / theirRestore.seconds,
			detail: said(restored, theirRestore, 'restic'),
		})
		const drilled = `drill ${proof.seconds.toFixed(1)} s, restore ${restored.seconds.toFixed(1)} s`
		report({ name: drill, goal: { atMost: 1.5 }, ratio: proof.seconds / restored.seconds, detail: drilled })
		rmSync(folder, { recursive: true })
	},
}

/** The same from MongoDB, beside its own tool on the same server. */
export const mongoBackup: Part = {
	names: [database],
	async run(report) {
		const tools = findMongoTools()
		if (!server || !tools) return void console.log('Not measured: backups from MongoDB, since the server or mongodump is missing.')
		const folder = await newFolder()
		const uri = newDatabase()
		await fill(folder, 0, uri)
		const ours = await run(process.execPath, [cli, 'backup', '--json'], {
			DATA_DIR: folder,
			MONGODB_URI: uri,
			ENV_FILE: '',
			BACKUP_DRILL: 'off',
		})
		const out = join(folder, 'dump')
		const theirs = await run(join(tools, 'mongodump'), ['--uri', uri, '--gzip', '--quiet', '--out', out])
		report({
			name: database,
			goal: { atMost: 1 },
			ratio: ours.seconds / theirs.seconds,
			detail: `ours ${ours.seconds.toFixed(1)} s, mongodump ${theirs.seconds.toFixed(1)} s; ${sizeMiB} MiB`,
		})
		rmSync(folder, { recursive: true })
	},
}

const databaseIn = (data: string) => join(data, readdirSync(data).find((name) => /^chat-.*\.db$/.test(name))!)

const newest = (folder: string) =>
	readdirSync(join(folder, 'backups'))
		.filter((name) => existsSync(join(folder, 'backups', name, 'manifest.json')))
		.sort()
		.at(-1)!
