/**
 * What is removed and what stays: random histories of a backups folder on a real disk, against what the rules say.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
	existsSync,
	lstatSync,
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
import { test } from 'node:test'
import fc from 'fast-check'
import { makeFolder } from '../../../tests/support/server.ts'
import { installation, makeTiny, otherInstallation, tinyFile } from '../../../tests/support/tiny-backups.ts'
import { defaults, foldersIn } from '../config.ts'
import { addMark, freeName, listBackups, numberFor } from './folder.ts'
import { poolPath, type Reason, reasons } from './format.ts'
import { pruneBackups } from './prune.ts'

/** What the test knows of a backup that it made. */
interface Known {
	name: string
	number: number
	reason: Reason
	mine: boolean
	verified: boolean
	proven: boolean
	files: number[]
}

type Event =
	| { kind: 'success'; reason: Reason; files: number[]; proven: boolean }
	| { kind: 'lossy'; reason: Reason; files: number[] }
	| { kind: 'failure' }
	| { kind: 'crash'; which: number; half: boolean }
	| { kind: 'mark'; which: number; mark: 'damaged' | 'refused' | 'verified' | 'proven' }
	| { kind: 'clock'; days: number }
	| { kind: 'foreign'; what: (typeof foreigners)[number] }
	| { kind: 'other'; files: number[] }
	| { kind: 'prune'; keep: number }

const foreigners = ['folder', 'file', 'link', 'partly', 'broken', 'newer', 'copy', 'version1', 'strange', 'by-hand'] as const

const reason = fc.oneof({ weight: 4, arbitrary: fc.constant<Reason>('schedule') }, { weight: 2, arbitrary: fc.constantFrom(...reasons) })
const files = fc.uniqueArray(fc.nat(5), { maxLength: 3 })
const which = fc.nat(20)
const event: fc.Arbitrary<Event> = fc.oneof(
	{ weight: 8, arbitrary: fc.record({ kind: fc.constant('success' as const), reason, files, proven: fc.boolean() }) },
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant('lossy' as const), reason, files }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('failure' as const) }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), which, half: fc.boolean() }) },
	{
		weight: 3,
		arbitrary: fc.record({ kind: fc.constant('mark' as const), which, mark: fc.constantFrom('damaged', 'refused', 'verified', 'proven') }),
	},
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('clock' as const), days: fc.integer({ min: -4_000, max: 4_000 }) }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('foreign' as const), what: fc.constantFrom(...foreigners) }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('other' as const), files }) },
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant('prune' as const), keep: fc.integer({ min: 1, max: 4 }) }) },
)

/** A folder with its history. */
class History {
	readonly folder: string
	readonly known: Known[] = []
	/** What nobody but its maker may touch, with its content. */
	readonly foreign = new Map<string, string>()
	#now = new Date(2025, 0, 21, 14, 30).getTime()
	#left = 0
	/** Set where an entry may need any file. */
	#held = false

	constructor(folder: string) {
		this.folder = folder
	}

	async happen(event: Event): Promise<void> {
		this.#now += 1_000
		if (event.kind === 'success') await this.#make(event.reason, event.files, { proven: event.proven })
		else if (event.kind === 'lossy') await this.#make(event.reason, event.files, { verified: false })
		else if (event.kind === 'other') await this.#make('schedule', event.files, { mine: false })
		else if (event.kind === 'failure') {
			makeTiny(this.folder, { files: [6] }, `.partial-${freeName(this.folder, new Date(this.#now))}`)
		} else if (event.kind === 'crash') this.#crash(event.which, event.half)
		else if (event.kind === 'mark') await this.#mark(event.which, event.mark)
		else if (event.kind === 'clock') this.#now += event.days * 86_400_000
		else if (event.kind === 'foreign') this.#leave(event.what)
		else await this.#prune(event.keep)
	}

	async #make(reason: Reason, files: number[], { mine = true, verified = true, proven = false } = {}): Promise<void> {
		const now = new Date(this.#now)
		const [name, number, at] = [freeName(this.folder, now), numberFor(await listBackups(this.folder)), now.toISOString()]
		const said = { name, number, reason, createdAt: at, verifiedAt: verified ? at : null, provenAt: verified && proven ? at : null }
		makeTiny(this.folder, { ...said, files, installation: mine ? installation : otherInstallation })
		this.known.push({ name, number, reason, mine, verified, proven: verified && proven, files })
	}

	/** A removal that was interrupted: what was on its way out then is gone now. */
	#crash(which: number, half: boolean): void {
		const known = this.known[which % (this.known.length || 1)]
		if (!known?.mine) return
		const trash = join(this.folder, `.trash-${known.name}`)
		renameSync(join(this.folder, known.name), trash)
		if (half) rmSync(join(trash, 'manifest.json'))
		this.known.splice(this.known.indexOf(known), 1)
	}

	async #mark(which: number, mark: 'damaged' | 'refused' | 'verified' | 'proven'): Promise<void> {
		const known = this.known[which % (this.known.length || 1)]
		if (!known) return
		await addMark(this.folder, known.name, { at: new Date(this.#now).toISOString(), kind: mark, what: 'a test' })
		const { verifiedAt, provenAt } = (await listBackups(this.folder)).backups.find(({ name }) => name === known.name)!
		known.verified = verifiedAt !== null
		known.proven = provenAt !== null
	}

	#leave(what: (typeof foreigners)[number]): void {
		const name = `${what} ${++this.#left}`
		const path = join(this.folder, name)
		const original = this.known[0]
		if (what === 'file') writeFileSync(path, 'A line')
		else if (what === 'link') symlinkSync(tmpdir(), path)
		else if (what === 'copy') {
			// Of a backup that may go: its files stay.
			if (!original) return
			makeTiny(this.folder, { name: original.name, number: original.number, files: original.files }, name)
			this.known.push({ ...original, name, mine: false })
			return
		} else if (what === 'strange') {
			mkdirSync(join(this.folder, 'files/zz'), { recursive: true })
			writeFileSync(join(this.folder, 'files/zz', name), 'Kept')
			this.foreign.set(join('files/zz', name), 'Kept')
			return
		} else {
			mkdirSync(path)
			const inside = { folder: 'readme', partly: 'database', broken: 'manifest.json', newer: 'manifest.json' } as Record<string, string>
			const text = what === 'newer' ? '{"format":2}' : 'x'
			if (what === 'partly') mkdirSync(join(path, 'database'))
			else writeFileSync(join(path, inside[what] ?? 'mongodb-20240101_000000.tar.gz'), text)
		}
		if (['link', 'partly', 'broken', 'newer'].includes(what)) this.#held = true
		this.foreign.set(name, contentOf(path))
	}

	async #prune(keep: number): Promise<void> {
		const own = this.known.filter(({ mine }) => mine).sort((a, b) => b.number - a.number)
		const config = { folders: { ...foldersIn(''), backups: this.folder }, backup: { ...defaults.backup, keep } }
		const { removed, poolHeldBy } = await pruneBackups({ config, installation })
		const gone = new Set(removed)
		const left = this.known.filter(({ name }) => existsSync(join(this.folder, name)))
		assert.deepEqual(
			this.known
				.filter((one) => !left.includes(one))
				.map(({ name }) => name)
				.sort(),
			[...removed].sort(),
			'What it says is gone is gone, and nothing else.',
		)
		for (const { name, mine } of this.known) assert.ok(mine || !gone.has(name), `${name} is another's`)
		for (const [path, was] of this.foreign) assert.equal(contentOf(join(this.folder, path)), was, path)
		const [newest, newestProven] = [own.find(({ verified }) => verified), own.find(({ proven }) => proven)]
		for (const one of [newest, newestProven]) assert.ok(!one || !gone.has(one.name), 'the newest verified and proven stay')
		for (const wanted of reasons) {
			const group = own.filter((one) => one.reason === wanted)
			const verified = group.filter((one) => one.verified)
			for (const one of verified.slice(0, keep)) assert.ok(!gone.has(one.name), 'the newest verified of each reason stay')
			for (const one of group) {
				const newer = verified.filter(({ number }) => number > one.number).length
				const stays = newer < keep || one === newest || one === newestProven
				assert.equal(gone.has(one.name), !stays, `${one.name}: ${newer} newer ones are verified, ${keep} are kept`)
			}
		}
		const needed = new Set(left.flatMap(({ files }) => files))
		for (let n = 0; n <= 6; n++) {
			const path = join(this.folder, poolPath(tinyFile(n)))
			if (needed.has(n)) assert.equal(readFileSync(path, 'utf8'), tinyFile(n).bytes, 'a file that a backup names')
			else if (!this.#held) assert.ok(!existsSync(path), 'a file that none names')
		}
		assert.equal(poolHeldBy.length > 0, this.#held)
		assert.ok(!readdirSync(this.folder).some((name) => /^\.(trash|partial)-/.test(name)))
		for (const name of gone) assert.ok(!existsSync(join(this.folder, '.marks', `${name}.ndjson`)))
		this.known.splice(0, Number.POSITIVE_INFINITY, ...left)
		const again = await pruneBackups({ config, installation })
		assert.deepEqual(again, { removed: [], freedBytes: 0, poolHeldBy })
	}
}

function contentOf(path: string): string {
	const found = lstatSync(path)
	if (found.isSymbolicLink()) return 'a link'
	return found.isFile() ? readFileSync(path, 'utf8') : readdirSync(path, { recursive: true }).join()
}

test('[B38] whatever happened before, enough verified backups stay, and nothing that is not ours to remove goes', async () => {
	const history = fc.array(event, { minLength: 5, maxLength: 40 })
	const play = async (events: Event[]) => {
		const folder = mkdtempSync(join(tmpdir(), 'english-chat-prune-'))
		try {
			const history = new History(folder)
			for (const event of [...events, { kind: 'prune', keep: 2 } as const]) await history.happen(event)
		} finally {
			rmSync(folder, { recursive: true })
		}
	}
	await fc.assert(fc.asyncProperty(history, play), { numRuns: 100 })
})

test('[B39] killed anywhere while it removes, a backup is there as a whole or gone, and the next time does the rest', async (t) => {
	const names = ['20250101_000000', '20250102_000000', '20250103_000000', '20250104_000000']
	for (const place of ['prune:renamed', 'prune:renamed:2', 'prune:removed', 'prune:removed:2', 'prune:pool', 'prune:pool:2']) {
		const dir = makeFolder(t)
		const { backups } = foldersIn(dir)
		for (const [at, name] of names.entries()) makeTiny(backups, { name, number: at + 1, files: [at, at + 10] })
		await addMark(backups, names[0]!, { at: new Date().toISOString(), kind: 'proven' })
		await addMark(backups, names[1]!, { at: new Date().toISOString(), kind: 'damaged', what: 'a test' })
		const config = { folders: foldersIn(dir), backup: { ...defaults.backup, keep: 1 } }
		const prune = `import { pruneBackups } from '${join(import.meta.dirname, 'prune.ts')}'
			await pruneBackups(${JSON.stringify({ config, installation })})`
		const child = spawnSync(process.execPath, ['--input-type=module', '-e', prune], { env: { ...process.env, FAILPOINT: place } })
		assert.equal(child.signal, 'SIGKILL', place)
		const { backups: left } = await listBackups(backups)
		for (const { path, manifest, name, damaged } of left) {
			// Nothing is found under its name without its marks.
			assert.equal(damaged !== null, name === names[1])
			assert.equal(readFileSync(join(path, 'database/online-discussion/users.bson.gz'), 'utf8'), 'users')
			for (const file of manifest.files) assert.equal(readFileSync(join(backups, poolPath(file))).length, file.sizeBytes)
		}
		await pruneBackups({ config, installation })
		assert.deepEqual(readdirSync(backups).sort(), ['.marks', names[0], names[3], 'files'], place)
		assert.deepEqual(readdirSync(join(backups, '.marks')), [`${names[0]}.ndjson`])
		const pool = readdirSync(join(backups, 'files'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
		assert.deepEqual(pool.map(({ name }) => name).sort(), [0, 3, 10, 13].map((n) => `${tinyFile(n).sha256}.txt`).sort())
	}
})
