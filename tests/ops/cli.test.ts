/**
 * Making backups and looking after them on the command line: real processes, a real database, damaged disks.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { BSON } from 'bson'
import { createBackup } from '../../backend/src/backup/create.ts'
import { tryBackupLock } from '../../backend/src/backup/lock.ts'
import { fileOf, makeSchool, sendFiles, snapshot, type TestSchool, writeMessages } from '../support/backups.ts'
import { begin, commandOf, onTerminal, runLine, type Said } from '../support/operator.ts'

const ESC = '\x1b'

/** Runs a command of `npm run ops` on a school. */
const ops = (t: TestContext, school: TestSchool, command: string, env: Record<string, string> = {}): Promise<Said> =>
	runLine(t, commandOf(command), { cwd: '/', env: { ...school.env, ...env } })

/** What it answers with `--json`, which is all of stdout; it ends as it says. */
async function answer(t: TestContext, school: TestSchool, command: string) {
	const { code, out, err } = await ops(t, school, `${command} --json`)
	assert.ok(out.endsWith('\n') && out.trim().split('\n').length === 1, `one line: ${out}${err}`)
	const said = JSON.parse(out)
	assert.equal(said.exit, code)
	return said
}

const make = async ({ config }: TestSchool) => (await createBackup({ config, reason: 'manual', drill: false })).backup.name
const dumpOf = ({ config }: TestSchool, name: string) => join(config.folders.backups, name, 'database', 'online-discussion')

/** Turns one bit of a file. */
function flip(path: string): void {
	const bytes = readFileSync(path)
	bytes[bytes.length >> 1]! ^= 1
	writeFileSync(path, bytes)
}

test('[O55] list shows what backups hold and how they are, version 1 and what is none apart', async (t) => {
	const school = await makeSchool(t)
	const { backups } = school.config.folders
	const empty = await ops(t, school, 'list')
	assert.deepEqual(empty, { code: 0, out: `There is no backup in ${backups} yet. Make the first one: ./backup.sh\n`, err: '' })

	const first = await make(school)
	const second = (await answer(t, school, 'backup')).backup.name
	mkdirSync(join(backups, '20250121_143000'))
	writeFileSync(join(backups, '20250121_143000/manifest.txt'), 'English Chat Application - Backup Manifest\n')
	mkdirSync(join(backups, `mine ${ESC}[31m`))
	flip(join(dumpOf(school, first), 'messages.bson.gz'))
	assert.equal((await ops(t, school, `verify ${first}`)).code, 12)

	const { out } = await ops(t, school, 'list')
	const rows = out.split('\n').map((row) => row.trim().split(/ {2,}/))
	assert.deepEqual(rows[0], ['No.', 'Backup', 'Made', 'Why', 'People', 'Messages', 'Files', 'Size', 'Verified', 'Proven'])
	const cells = (row: number, columns: number[]) => columns.map((column) => rows[row]![column]!.trim())
	assert.deepEqual(cells(1, [0, 1, 3, 4, 5, 6, 8, 9]), ['1', second, 'by hand', '3', '20', '3', 'yes', 'yes'])
	assert.deepEqual(cells(2, [0, 1, 3, 4, 5, 6, 8, 9]), ['2', first, 'by hand', '3', '20', '3', 'damaged', 'no'])
	assert.match(out, /version 1.*:\n {2}20250121_143000 {2}43 B, without a database, uploaded files, settings\n/)
	assert.match(out, /left alone:\n {2}mine \?\[31m {2}without manifest\.json/)
	assert.ok(!out.includes(ESC))

	const said = await answer(t, school, 'list')
	assert.deepEqual(
		said.backups.map(({ name, counts, damaged }: { name: string; counts: Record<string, number>; damaged: string | null }) => [
			...[name, counts.messages, counts.users, counts.files, damaged === null],
		]),
		[
			[second, 20, 3, 3, true],
			[first, 20, 3, 3, false],
		],
	)
	assert.deepEqual([said.old[0].lacks, said.foreign[0].why], [['database', 'files', 'env'], 'no-manifest'])
})

test('[O55] show shows one by its name, its number or as the latest, and which file of a backup is damaged', async (t) => {
	const school = await makeSchool(t)
	const name = await make(school)
	for (const argument of ['', 'latest', '1', name, `${name}/`, `backups/${name}`]) {
		const { code, out, err } = await ops(t, school, `show ${argument}`)
		assert.equal(code, 0, err)
		assert.match(out, new RegExp(`^Backup ${name}\n`))
		assert.match(out, /^ {2}Holds +20 messages, 3 people, 3 files$/m)
		assert.match(out, /^messages +20 /m)
		assert.match(out, /^ {2}Proven +no; prove it with: npm run ops -- drill/m)
		assert.match(out, new RegExp(`^Restore it with: \\./restore\\.sh ${name}$`, 'm'))
	}
	const drilled = await ops(t, school, 'drill')
	assert.equal(drilled.code, 0, drilled.err)
	assert.match(drilled.out, new RegExp(`^${name} is proven: .*\n$`))
	assert.match((await ops(t, school, 'show')).out, /^ {2}Proven +yes, /m)
	flip(join(dumpOf(school, name), 'users.bson.gz'))
	assert.equal((await ops(t, school, 'drill 1')).code, 12)
	assert.match((await ops(t, school, 'show 1')).out, /^ {2}damaged +.*users/m)
})

test('[O55] a backup of version 1 is shown with what it lacks and read as a whole, and neither drilled nor restored', async (t) => {
	const school = await makeSchool(t)
	const old = join(school.config.folders.backups, '20250121_143000')
	const dumped = join(old, 'mongodb/thynk')
	mkdirSync(dumped, { recursive: true })
	writeFileSync(join(dumped, 'users.bson'), BSON.serialize({ name: 'Sari' }))
	execFileSync('tar', ['-czf', join(old, 'mongodb-20250121_143000.tar.gz'), '-C', old, 'mongodb'])
	rmSync(join(old, 'mongodb'), { recursive: true })
	const shown = await ops(t, school, 'show 20250121_143000')
	assert.equal(shown.code, 0, shown.err)
	assert.match(shown.out, /^Backup 20250121_143000\n {2}Made .* by version 1; .*\n {2}Holds +without uploaded files, settings, an end/)
	const read = await ops(t, school, 'verify 20250121_143000')
	assert.deepEqual([read.code, read.err], [0, ''])
	assert.match(read.out, /^20250121_143000 is whole: .*\(0 messages, 1 person, 0 files\)\.\n$/)
	for (const command of ['drill', 'restore --yes']) {
		const { code, err } = await ops(t, school, `${command} 20250121_143000`)
		assert.equal(code, 1)
		assert.match(err, /^The backup 20250121_143000 was made by English Chat 1\.x, which can't be restored yet\.\nKeep it: /)
	}
	flip(join(old, 'mongodb-20250121_143000.tar.gz'))
	assert.equal((await ops(t, school, 'verify 20250121_143000')).code, 12)
})

test('[O52] what is damaged is named and ends with 12, what is not there with 10', async (t) => {
	const school = await makeSchool(t)
	const none = await ops(t, school, 'verify')
	assert.deepEqual([none.code, none.out], [10, ''])
	assert.match(none.err, /There is no backup in .*\nMake one: \.\/backup\.sh\n$/)
	const name = await make(school)
	const other = await make(school)
	assert.equal((await ops(t, school, 'verify --all')).code, 0)
	flip(join(dumpOf(school, name), 'messages.bson.gz'))
	const said = await ops(t, school, 'verify --all')
	assert.equal(said.code, 12)
	assert.match(said.out, new RegExp(`^${other} is whole: all of it was read again \\(20 messages, 3 people, 3 files\\)\\.\n$`))
	assert.match(said.err, new RegExp(`^${name} is damaged:\n {2}.*messages.*\n(.*\n)*What is damaged .*\n$`))
	for (const command of ['show ..', 'show ../backups', 'verify 7', 'drill 20200101_000000', 'restore 0 --yes']) {
		const { code, err } = await ops(t, school, command)
		assert.equal(code, 10, err)
		assert.equal(err, `There is no backup "${command.split(' ')[1]}".\nThere are: ${other}, ${name}.\n`)
	}
})

test('[O66] a kept file that rotted is found, and comes anew from the live file with the next backup', async (t) => {
	const school = await makeSchool(t)
	const name = await make(school)
	const [kept] = readdirSync(join(school.config.folders.backups, 'files'), { recursive: true, withFileTypes: true }).filter((entry) =>
		entry.isFile(),
	)
	const path = join(kept!.parentPath, kept!.name)
	for (const drill of ['on', 'off']) {
		flip(path)
		if (drill === 'off') assert.equal((await ops(t, school, `verify ${name}`)).code, 12)
		const said = await ops(t, school, 'backup', { BACKUP_DRILL: drill })
		assert.equal(said.code, 0, said.err)
		assert.equal(createHash('sha256').update(readFileSync(path)).digest('hex'), /^[0-9a-f]+/.exec(kept!.name)![0])
	}
	assert.equal((await ops(t, school, 'verify --all')).code, 0)
	assert.ok((await answer(t, school, 'list')).backups.every(({ verifiedAt }: { verifiedAt: string | null }) => verifiedAt !== null))
})

test('[O52] a backup that lacks files says which, is kept, and ends with 12', async (t) => {
	const school = await makeSchool(t)
	rmSync(join(school.config.folders.uploads, fileOf(0)))
	flip(join(school.config.folders.uploads, fileOf(1)))
	const { code, out, err } = await ops(t, school, 'backup')
	assert.equal(code, 12)
	assert.match(out, /NOT VERIFIED: 20 messages, 3 people, 1 file,/)
	assert.match(err, /^2 uploaded files missing or damaged here, and in no backup: file-/)
	assert.ok(err.includes(fileOf(0)) && err.includes(fileOf(1)))
	assert.equal((await answer(t, school, 'list')).backups[0].verifiedAt, null)
	// With the backup before, nothing is lost.
	const whole = await makeSchool(t)
	await make(whole)
	rmSync(join(whole.config.folders.uploads, fileOf(0)))
	const again = await ops(t, whole, 'backup')
	assert.equal(again.code, 0)
	assert.match(again.err, /^1 uploaded file missing or damaged here, but whole in this backup: .*\n.*--only files\n$/)
})

test('[O52] while another process makes one, a backup waits and joins it, and a drill ends with 11', async (t) => {
	const school = await makeSchool(t)
	const first = await make(school)
	const lock = (await tryBackupLock(school.config))!
	t.after(() => lock.release())
	for (const command of ['drill', 'prune']) {
		const { code, err } = await ops(t, school, command)
		assert.equal(code, 11)
		assert.match(err, /is running already\.\nWait until it has ended/)
	}
	const waiting = begin(t, onTerminal(commandOf('backup')), { cwd: '/', env: { ...process.env, ...school.env, LANG: 'C' } as never })
	await waiting.says(/Another backup or restore is running: waiting/)
	const { backup } = await createBackup({ config: school.config, reason: 'schedule', drill: false, locked: true })
	assert.notEqual(backup.name, first)
	lock.release()
	const { code, out } = await waiting.ended
	assert.equal(code, 0, out)
	assert.ok(out.includes(`Backup ${backup.name} verified: `), out)
	assert.match(out, /Another process was making it already\./)
	assert.equal((await answer(t, school, 'list')).backups.length, 2)
})

test('[O53] what failed and what was meant wrongly is one JSON object too', async (t) => {
	const school = await makeSchool(t)
	const { error, exit } = await answer(t, school, 'show 1')
	assert.equal(exit, 10)
	assert.equal(error.code, 'noBackups')
	assert.match(error.message, /^There is no backup in/)
	assert.equal(error.hint, 'Make one: ./backup.sh')
	assert.equal((await answer(t, school, 'list now')).error.code, 'usage')
	assert.equal((await answer(t, school, '')).exit, 2)
	assert.match((await answer(t, school, 'help')).help, /^Usage: npm run ops/)
	const wrong = await ops(t, school, 'list --json', { PORT: 'http' })
	assert.deepEqual([wrong.code, JSON.parse(wrong.out).error.code], [2, 'setting'])
	const { backup } = await answer(t, school, 'backup')
	assert.equal(
		(await answer(t, school, 'show')).backup.collections.length,
		backup.counts.collections ?? readdirSync(dumpOf(school, backup.name)).length / 2,
	)
	assert.deepEqual((await answer(t, school, 'verify')).verified, [{ name: backup.name, findings: [], lost: [] }])
	assert.equal((await answer(t, school, 'drill')).proven, backup.name)
	assert.deepEqual((await answer(t, school, 'prune --dry-run')).wouldRemove, [])
})

test('[O54] the operator is spoken to in Indonesian, with its numbers', async (t) => {
	const school = await makeSchool(t, { messages: 400 })
	await school.open(async (store) => {
		for (const from of [400, 800]) await writeMessages(store, from, from + 400)
	})
	const indonesian = { LANG: 'id_ID.UTF-8' }
	const none = await ops(t, school, 'show', indonesian)
	assert.match(none.err, /^Tidak ada cadangan di .*\nBuat satu: \.\/backup\.sh\n$/)
	const made = await ops(t, school, 'backup', indonesian)
	assert.match(made.out, /^\S+ \S+ cadangan \d+_\d+ diperiksa dan terbukti: 1\.200 pesan, 3 orang, 3 berkas, .* baru\), \d+ dtk\n$/)
	assert.match((await ops(t, school, 'list', indonesian)).out, /^No\. +Cadangan +Dibuat .*\n +1 .* manual +3 +1\.200 +3 .* ya +ya\n/)
	assert.match((await ops(t, school, 'prune', { LC_ALL: 'id' })).out, /^Tidak ada yang perlu dihapus\.\n$/)
	assert.match((await ops(t, school, 'list all', indonesian)).err, /^"all" berlebihan\.\n/)
	assert.match((await ops(t, school, 'list', { ...indonesian, LC_ALL: 'C' })).out, /^No\. +Backup/)
})

test('[O61] what was meant wrongly ends with 2, a sentence and where to read on, and nothing is done', async (t) => {
	const school = await makeSchool(t)
	for (const command of ['', 'undo', 'backup now', 'restore 1 --onyl files', 'restore 1 --only all', 'prune --force']) {
		const { code, out, err } = await ops(t, school, command)
		assert.deepEqual([code, out], [2, ''], command)
		assert.match(err, /^.*\.\nnpm run ops -- help shows how it is used\.\n$/)
	}
	assert.deepEqual([...snapshot(school.config.folders.backups)], [])
	for (const command of ['help', 'backup --help', 'restore -h']) {
		const { code, out } = await ops(t, school, command)
		assert.equal(code, 0)
		assert.match(out, /^Usage: npm run ops -- <command>\n/)
	}
})

test('[O58] Ctrl-C while it waits or works: it ends in order, and says that nothing was changed', async (t) => {
	const school = await makeSchool(t)
	await make(school)
	const before = snapshot(school.config.folders.backups)
	const lock = (await tryBackupLock(school.config))!
	t.after(() => lock.release())
	const waiting = begin(t, onTerminal(commandOf('backup')), { cwd: '/', env: { ...process.env, ...school.env, LANG: 'C' } as never })
	await waiting.says(/waiting/)
	waiting.type('\x03')
	const { code, out } = await waiting.ended
	assert.equal(code, 1, out)
	assert.match(out, /Stopped\.\r?\nNothing was changed; the same command begins anew\./)
	assert.deepEqual(snapshot(school.config.folders.backups), before)
})

test('[O62] a bar and colours on a terminal, neither in a log nor with NO_COLOR', async (t) => {
	const school = await makeSchool(t)
	await make(school)
	const terminal = (command: string, more = {}) =>
		runLine(t, onTerminal(commandOf(command)), {
			cwd: '/',
			env: { PATH: process.env.PATH!, ...school.env, LANG: 'C', TERM: 'xterm', ...more },
		})
	const made = await terminal('backup')
	assert.equal(made.code, 0, made.out)
	assert.match(made.out, /\r\S[^\r\n]*█/)
	assert.match(made.out, /\[KBackup \S+ verified and proven: .*\r?\nRestore it with: \.\/restore\.sh/)
	assert.ok((await terminal('list')).out.includes(`${ESC}[32myes`))
	assert.ok(!(await terminal('list', { NO_COLOR: '1' })).out.includes(`${ESC}[3`))
	for (const command of ['backup', 'list', 'verify', 'drill']) {
		const { code, out, err } = await ops(t, school, command)
		assert.equal(code, 0)
		for (const sign of [ESC, '\r', '█']) assert.ok(!(out + err).includes(sign))
	}
})

test('[O61] prune removes what is too old and says what', async (t) => {
	const school = await makeSchool(t)
	await make(school)
	await school.open((store) => sendFiles(store, school.config, 3, 4))
	const names = [await make(school), await make(school)]
	const few = { BACKUP_KEEP: '2' }
	const would = await ops(t, school, 'prune --dry-run', few)
	assert.match(would.out, /^1 backup would be removed:\n {2}\d+_\d+\n$/)
	const done = await ops(t, school, 'prune', few)
	assert.match(done.out, /^1 backup removed, .* freed\.\n {2}\d+_\d+\n$/)
	assert.deepEqual(
		(await answer(t, school, 'list')).backups.map(({ name }: { name: string }) => name),
		names.reverse(),
	)
	symlinkSync('/', join(school.config.folders.backups, 'elsewhere'))
	assert.match((await ops(t, school, 'prune', few)).out, /^Nothing to remove\.\nUploaded files stay as they are.*: elsewhere\.\n$/)
})
