/**
 * Backups that go to a disk of their own: another file system, one that can't be written, one that is full.
 *
 * Needs root. The disks are memory, mounted for the test and gone with it.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { judgeBackups, makeSchool, snapshot, startBackups } from '../support/backups.ts'

/** A folder whose `backups` is a file system of its own. */
function mountBackups(t: TestContext, size: string): { dir: string; mount(options: string): void } {
	const dir = mkdtempSync(join(tmpdir(), 'english-chat-'))
	const backups = join(dir, 'backups')
	mkdirSync(backups)
	execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', backups])
	t.after(() => {
		execFileSync('umount', ['-l', backups])
		rmSync(dir, { recursive: true })
	})
	return { dir, mount: (options) => void execFileSync('mount', ['-o', `remount,${options}`, backups]) }
}

test('[B7] backups on another file system are whole; where it can not be written or is full, that is one sentence and nothing is lost', async (t) => {
	const { dir, mount } = mountBackups(t, '8M')
	const school = await makeSchool(t, { dir })
	const { backups, data } = school.config.folders
	const content = await school.content()
	const child = startBackups(t, school)
	let before = snapshot(backups)
	const first = await child.make({ drill: true })
	assert.ok(first && 'done' in first, JSON.stringify(first))
	assert.ok(judgeBackups(school, before, content).manifest?.provenAt)
	before = snapshot(backups)

	const refused = async (code: string, says: RegExp) => {
		const answer = await child.make()
		assert.ok(answer && 'trouble' in answer, JSON.stringify(answer))
		assert.deepEqual([answer.trouble, answer.exit], [code, 1])
		assert.match(answer.says, says)
		assert.ok(answer.hint)
		assert.deepEqual(snapshot(backups), before)
	}
	mount('ro')
	await refused('cannotWrite', new RegExp(`^The folder ${backups} .*EROFS`))
	mount('rw')
	const ballast = join(backups, 'ballast')
	writeFileSync(ballast, Buffer.alloc(7.8 * 1024 * 1024))
	before = snapshot(backups)
	await refused('noRoom', new RegExp(`^There is not enough room in ${backups}: `))
	mount('rw,size=64M')
	const last = await child.make()
	assert.ok(last && 'done' in last, JSON.stringify(last))
	assert.ok(judgeBackups(school, before, content).manifest?.verifiedAt)
	// Where there is no folder at all but a file, the sentence names it.
	const other = await makeSchool(t)
	writeFileSync(other.config.folders.backups, 'no folder')
	const answer = await startBackups(t, other).make()
	assert.ok(answer && 'trouble' in answer && /^[A-Z].*backups/.test(answer.says), JSON.stringify(answer))
	assert.equal(answer.exit, 1)
	assert.ok(snapshot(data).size > 0)
})
