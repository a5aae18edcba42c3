/**
 * Restoring on the command line: what is shown, asked and said; real processes, a real database, terminals.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createBackup } from '../../backend/src/backup/create.ts'
import { type Config, foldersIn } from '../../backend/src/config.ts'
import { fileOf, makeSchool, snapshot, type TestSchool, writeMessages } from '../support/backups.ts'
import { begin, commandOf, onTerminal, runLine, type Said, seen } from '../support/operator.ts'
import { makeFolder } from '../support/server.ts'

type Machine = Pick<TestSchool, 'env'>

/** Runs it as a script does: nobody can be asked. */
const ops = (t: TestContext, { env }: Machine, command: string): Promise<Said> => runLine(t, commandOf(command), { cwd: '/', env })

/** Types it on a terminal, and the answers to its questions. */
async function typed(t: TestContext, { env }: Machine, command: string, answers: [RegExp, string][], language = 'C'): Promise<Said> {
	const surroundings = { PATH: process.env.PATH!, LANG: language, NO_COLOR: '1', TERM: 'xterm' }
	const running = begin(t, onTerminal(commandOf(command)), { cwd: '/', env: { ...surroundings, ...env } })
	for (const [question, answer] of answers) await running.answer(question, answer)
	const said = await running.ended
	return { ...said, out: seen(said.out) }
}
const word = /Type the word "restore" to go on: $/
const role = /Type "replacement" or "rehearsal": $/

const make = async (config: Config) => (await createBackup({ config, reason: 'manual', drill: false })).backup.name
const backupsIn = ({ folders }: Config) => readdirSync(folders.backups).filter((name) => /^\d/.test(name))

/** A school with a backup, and with more since. */
async function makeChanged(t: TestContext) {
	const school = await makeSchool(t)
	const { config } = school
	const [name, then] = [await make(config), await school.content()]
	await school.open((store) => writeMessages(store, 20, 25))
	rmSync(join(config.folders.uploads, fileOf(0)))
	return { school, config, name, then, now: await school.content() }
}

/** An empty installation with the backups of a school. */
function makeOther(t: TestContext, { config }: TestSchool): Machine & { config: Config } {
	const dir = makeFolder(t)
	cpSync(config.folders.backups, join(dir, 'backups'), { recursive: true })
	const envFile = join(dir, 'settings.env')
	writeFileSync(envFile, '')
	return { env: { DATA_DIR: dir, ENV_FILE: envFile, MONGODB_URI: '' }, config: { ...config, folders: foldersIn(dir) } }
}

test('[O56] before the word nothing changes: it shows what will, and without the word it ends', async (t) => {
	const { school, config, name, now } = await makeChanged(t)
	const before = snapshot(config.folders.backups)
	const dry = await ops(t, school, 'restore 1 --dry-run')
	assert.equal(dry.code, 0, dry.err)
	assert.match(dry.out, new RegExp(`^Restoring the backup ${name} of `))
	assert.match(dry.out, /^Messages +25 +20 +−5$/m)
	assert.match(dry.out, /^People +3 +3$/m)
	assert.match(dry.out, /^ {2}Uploaded files +1 comes back$/m)
	assert.match(dry.out, /^Nothing was changed\.$/m)
	for (const said of ['', 'yes']) {
		const { code, out } = await typed(t, school, 'restore 1', [[word, said]])
		assert.equal(code, 1, out)
		assert.match(out, /^Messages +25 +20 +−5$/m)
		assert.match(out, /Stopped\.\nNothing was changed;/)
	}
	const silent = await ops(t, school, 'restore 1')
	assert.deepEqual([silent.code, silent.out], [2, ''])
	assert.match(silent.err, /--yes/)
	assert.deepEqual(snapshot(config.folders.backups), before)
	assert.deepEqual(await school.content(), now)
})

test('[O56] with the word it restores, and says what, how to go back, and what comes next', async (t) => {
	const { school, config, name, then, now } = await makeChanged(t)
	const done = await typed(t, school, 'restore latest', [[word, 'restore']])
	assert.equal(done.code, 0, done.out)
	assert.match(done.out, /^Restored in \d+ s: 20 messages, 3 people; 1 file that was missing or damaged\.$/m)
	const [, back] = /To go back: \.\/restore\.sh (\S+)$/m.exec(done.out)!
	assert.ok(backupsIn(config).includes(back!) && back !== name)
	assert.match(done.out, /^Now start the server: npm start$/m)
	assert.deepEqual(await school.content(), then)
	assert.ok(existsSync(join(config.folders.uploads, fileOf(0))))
	// And back again, by a script.
	const { code, out, err } = await ops(t, school, `restore ${back} --yes --json`)
	assert.equal(code, 0, err)
	const said = JSON.parse(out)
	assert.equal(said.exit, 0)
	assert.ok(backupsIn(config).includes(said.safety))
	assert.deepEqual(await school.content(), now)
})

test('[O56] a backup can be named in many ways; where none is, it shows which there are', async (t) => {
	const { school, config, name } = await makeChanged(t)
	for (const argument of [`backups/${name}/`, '1']) {
		const { code, out, err } = await ops(t, school, `restore ${argument} --dry-run`)
		assert.equal(code, 0, err)
		assert.ok(out.includes(name))
	}
	mkdirSync(join(config.folders.backups, 'by hand'))
	for (const argument of ['..', '2', '"by hand"']) {
		const { code, err } = await ops(t, school, `restore ${argument} --yes`)
		assert.equal(code, 10, `${argument} ${err}`)
		assert.ok(err.includes(`There are: ${name}.`))
	}
	const nothing = await ops(t, school, 'restore')
	assert.equal(nothing.code, 2)
	assert.match(nothing.out, new RegExp(`^No\\..*\n +1 +${name} `))
	assert.match(nothing.err, /^Which one is to be restored\? \.\/restore\.sh latest/)
})

test('[O56] with --only that part comes back and the rest is left alone, also while the server runs', async (t) => {
	const { school, config, then, now } = await makeChanged(t)
	writeFileSync(config.envFile, 'SITE_NAME="Another"\n')
	const settings = () => readFileSync(config.envFile, 'utf8')
	await school.open(async () => {
		const files = await ops(t, school, 'restore 1 --yes --only files')
		assert.deepEqual([files.code, files.err], [0, ''])
		assert.match(files.out, /\nRestored in \d+ s: 1 file that was missing or damaged\.\nNothing else was touched\./)
	})
	assert.ok(existsSync(join(config.folders.uploads, fileOf(0))))
	assert.deepEqual(await school.content(), now)
	rmSync(join(config.folders.uploads, fileOf(1)))
	const database = await ops(t, school, 'restore 1 --yes --only database --no-returns')
	assert.equal(database.code, 0, database.err)
	assert.match(database.out, /: 20 messages, 3 people\.\n[\s\S]*is not offered again\.\n/)
	assert.ok(!existsSync(join(config.folders.uploads, fileOf(1))))
	assert.equal(settings(), 'SITE_NAME="Another"\n')
	assert.deepEqual(await school.content(), then)
	const env = await ops(t, school, 'restore 2 --yes --only env')
	assert.match(env.out, /: the settings\.\nNothing else/)
	assert.equal(settings(), 'SITE_NAME="A school"\n')
})

test('[O56] where the database can’t be read any more, it says so and where its files are kept', async (t) => {
	const { school, config, then } = await makeChanged(t)
	const database = readdirSync(config.folders.data).find((name) => /^chat-.*\.db$/.test(name))!
	writeFileSync(join(config.folders.data, database), 'no database'.repeat(1_000))
	const { code, out, err } = await ops(t, school, 'restore latest --yes')
	assert.equal(code, 0, err)
	assert.match(out, /^Messages +\? +20$/m)
	assert.match(out, /^The database that is here now can't be read; its files are kept first\.$/m)
	const [, kept] = /are kept in backups\/(before-restore-\S+)\.$/m.exec(out)!
	assert.ok(existsSync(join(config.folders.backups, kept!, database)))
	assert.match((await ops(t, school, 'list')).out, new RegExp(`left alone:\n {2}${kept} {2}the files of a database`))
	assert.deepEqual(await school.content(), then)
})

test('[O58] Ctrl-C at a question ends it, and nothing was changed', async (t) => {
	const { school, config, now } = await makeChanged(t)
	const before = snapshot(config.folders.backups)
	const running = begin(t, onTerminal(commandOf('restore 1')), { cwd: '/', env: { PATH: process.env.PATH!, LANG: 'C', ...school.env } })
	await running.says(word)
	running.type('\x03')
	const { code, out } = await running.ended
	assert.equal(code, 1)
	assert.match(seen(out), /Stopped\.\nNothing was changed;/)
	assert.deepEqual(snapshot(config.folders.backups), before)
	assert.deepEqual(await school.content(), now)
})

test('[O52] while a server has the database, a restore ends with 11 and says to stop it', async (t) => {
	const { school, now } = await makeChanged(t)
	await school.open(async () => {
		for (const command of ['restore 1 --yes', 'restore 1 --yes --only database']) {
			const { code, err } = await ops(t, school, command)
			assert.equal(code, 11, err)
			assert.match(err, /^A server is using the database in .*\nStop it first/)
		}
	})
	assert.deepEqual(await school.content(), now)
})

test('[O57] on another machine it asks what this one is to be', async (t) => {
	const { school } = await makeChanged(t)
	for (const [answer, is] of [
		['replacement', false],
		['rehearsal', true],
	] as const) {
		const other = makeOther(t, school)
		const { code, out } = await typed(t, other, 'restore latest', [
			[role, answer],
			[word, 'restore'],
		])
		assert.equal(code, 0, out)
		assert.match(out, /not the one that made it/)
		assert.equal(existsSync(join(other.config.folders.data, 'rehearsal.json')), is)
		assert.equal(/^This is a rehearsal: no mail/m.test(out), is)
	}
	const other = makeOther(t, school)
	const { code, out } = await typed(t, other, 'restore latest', [[role, 'both']])
	assert.equal(code, 1, out)
	assert.ok(!existsSync(join(other.config.folders.data, 'installation.json')))
})

test('[O57] on another machine --yes alone only rehearses, and names the command that confirms', async (t) => {
	const { school } = await makeChanged(t)
	const other = makeOther(t, school)
	const rehearsal = join(other.config.folders.data, 'rehearsal.json')
	const { code, out, err } = await ops(t, other, 'restore latest --yes')
	assert.equal(code, 0, err)
	assert.match(out, /^This is a rehearsal: no mail.*\nTo make it the real one: \.\/restore\.sh --confirm$/m)
	assert.ok(existsSync(rehearsal))
	const confirmed = await ops(t, other, 'restore --confirm --yes')
	assert.equal(confirmed.code, 0, confirmed.err)
	assert.ok(!existsSync(rehearsal))
	const real = makeOther(t, school)
	assert.equal((await ops(t, real, 'restore latest --yes --as replacement')).code, 0)
	assert.ok(!existsSync(join(real.config.folders.data, 'rehearsal.json')))
})

test('[O54] a restore speaks Indonesian, and takes its word', async (t) => {
	const { school, then } = await makeChanged(t)
	const { code, out } = await typed(t, school, 'restore 1', [[/Ketik kata "pulihkan" untuk melanjutkan: $/, 'pulihkan']], 'id_ID.UTF-8')
	assert.equal(code, 0, out)
	assert.match(out, /^Pesan +25 +20 +−5$/m)
	assert.match(out, /Untuk kembali: \.\/restore\.sh \d+_\d+/)
	assert.deepEqual(await school.content(), then)
})
