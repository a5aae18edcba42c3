/**
 * `./backup.sh` and `./restore.sh` as an operator and cron run them: from any folder, with next to nothing on the PATH,
 * before anything was installed; and the lines of the guide, as they are written there.
 */
import assert from 'node:assert/strict'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { makeSchool } from '../support/backups.ts'
import { makeClone } from '../support/installation.ts'
import { cron, runLine, type Said } from '../support/operator.ts'
import { makeFolder } from '../support/server.ts'

const root = join(import.meta.dirname, '../..')
const line =
	/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d backup \d{8}_\d{6}(_2)? verified and proven: 20 messages, 3 people, 3 files, .* \(.* new\), \d+ s\n$/

/** A clone with a school in its default folders. */
async function makeInstallation(t: TestContext, options: { installed?: boolean } = {}): Promise<string> {
	const path = makeClone(t, options)
	await makeSchool(t, { dir: join(path, 'backend') })
	return path
}

function succeeded({ code, out, err }: Said): void {
	assert.equal(code, 0, out + err)
	assert.equal(err, '')
}

test('[O50] from another folder, with a bare PATH, a backup is made in the project’s own folder', async (t) => {
	const path = await makeInstallation(t)
	const elsewhere = makeFolder(t)
	const said = await runLine(t, `"${path}/backup.sh"`, { cwd: elsewhere })
	succeeded(said)
	assert.match(said.out, line)
	assert.deepEqual(readdirSync(elsewhere), [])
	const [name] = readdirSync(join(path, 'backups')).filter((entry) => /^\d/.test(entry))
	assert.ok(said.out.includes(name!))
	// By a link, as in a folder of scripts.
	symlinkSync(join(path, 'restore.sh'), join(elsewhere, 'restore'))
	const planned = await runLine(t, './restore latest --dry-run', { cwd: elsewhere })
	succeeded(planned)
	assert.ok(planned.out.includes(name!))
})

test('[O50] with no Node but the one among the packages, a backup is made', async (t) => {
	const path = await makeInstallation(t)
	const bare = makeFolder(t)
	for (const tool of ['sh', 'dirname', 'readlink']) symlinkSync((await whereIs(t, tool))!, join(bare, tool))
	const said = await runLine(t, './backup.sh', { cwd: path, env: { PATH: bare } })
	succeeded(said)
	assert.match(said.out, line)
})

test('[O50] on a fresh clone what is needed is installed first, and what is said of that is no answer', async (t) => {
	const path = await makeInstallation(t, { installed: false })
	const bin = makeFolder(t)
	symlinkSync(process.execPath, join(bin, 'node'))
	// npm needs a network; what it would leave is here.
	writeFileSync(join(bin, 'npm'), `#!/bin/sh\n[ "$1" = ci ] && ln -s "${root}/node_modules" node_modules\n`)
	chmodSync(join(bin, 'npm'), 0o755)
	const env = { ...cron, PATH: `${bin}${delimiter}${cron.PATH}` }
	const said = await runLine(t, 'cd / && "$OLDPWD/backup.sh" --json', { cwd: path, env })
	assert.equal(said.code, 0, said.err)
	assert.match(said.err, /^Installing packages\..*\n$/)
	assert.equal(JSON.parse(said.out).backup.reason, 'manual')
	const again = await runLine(t, './backup.sh', { cwd: path, env })
	succeeded(again)
	assert.match(again.out, line)
})

test('[O51] what fails under cron says one sentence and the next step on stderr, and ends with its code', async (t) => {
	const path = makeClone(t)
	mkdirSync(join(path, 'backend/data'), { recursive: true })
	writeFileSync(join(path, 'backend/data/lineage'), 'f'.repeat(24))
	const { code, out, err } = await runLine(t, './backup.sh </dev/null', { cwd: path })
	assert.equal(code, 1)
	assert.equal(out, '')
	assert.equal(err.trim().split('\n').length, 2, err)
	assert.doesNotMatch(err, /^\s+at /m, 'no stack trace')
	assert.deepEqual(readdirSync(join(path, 'backups')), [])
})

test('[O59] the lines of the guide work as they are written', async (t) => {
	const path = await makeInstallation(t)
	const crontab = `cd "${path}" && ./backup.sh`
	for (let n = 0; n < 2; n++) {
		const said = await runLine(t, crontab, { cwd: '/' })
		succeeded(said)
		assert.match(said.out, line)
	}
	const shell = async (command: string) => {
		const said = await runLine(t, command, { cwd: path })
		succeeded(said)
		return said.out
	}
	const names = readdirSync(join(path, 'backups'))
		.filter((entry) => /^\d/.test(entry))
		.sort()
	const newest = names.at(-1)!
	const listed = await shell('ls -lh backups/')
	for (const name of names) assert.ok(listed.includes(name))
	assert.match(await shell('ls -lt backups/ | head -n 2'), new RegExp(`${newest}\n$`))
	assert.match(await shell('ls -lh backups/$(ls -t backups/ | head -1)'), / database\n(.*\n)*.* manifest\.json\n.* manifest\.txt\n$/)
	const manifests = await shell('cat backups/*/manifest.txt | head -20')
	assert.ok(manifests.startsWith(`English Chat backup ${names[0]}\n`), manifests)
	assert.match(manifests, new RegExp(`^Restore: +\\./restore\\.sh ${names[0]}$`, 'm'))
	assert.match(await shell('du -sh backups/'), /^\d\S*\tbackups\/\n$/)
	assert.ok(existsSync(join(path, 'backups', newest, 'manifest.txt')))
})

test('[O64] on a new machine the settings in the backup say where the data belongs', async (t) => {
	const [path, place] = [makeClone(t), join(makeFolder(t), 'the data')]
	mkdirSync(place)
	await makeSchool(t, { dir: place })
	writeFileSync(join(path, '.env.production.local'), `DATA_DIR="${place}"\n`)
	succeeded(await runLine(t, './backup.sh', { cwd: path }))
	const fresh = makeClone(t)
	cpSync(join(place, 'backups'), join(fresh, 'backups'), { recursive: true })
	rmSync(place, { recursive: true })
	const said = await runLine(t, './restore.sh latest --yes --as replacement', { cwd: fresh })
	succeeded(said)
	assert.ok(said.out.includes(`The settings look for backups in ${place}/backups: copy them there`))
	assert.deepEqual(readdirSync(place), ['data', 'uploads'])
	assert.ok(!existsSync(join(fresh, 'backend/data/lineage')))
	assert.equal(readFileSync(join(fresh, '.env.production.local'), 'utf8'), `DATA_DIR="${place}"\n`)
})

async function whereIs(t: TestContext, tool: string): Promise<string> {
	return (await runLine(t, `command -v ${tool}`, { cwd: dirname(root) })).out.trim()
}
