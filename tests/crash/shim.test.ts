/**
 * The fault shim itself: that it delays and fails what it was told to, and nothing else.
 *
 * Without this, a fault test could pass because no fault ever happened. Needs a C compiler.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { type Fault, faultEnv, readFaults } from '../support/fault.ts'

const run = promisify(execFile)

/** Inserts five rows, one commit each, and prints the outcome of each: `ok` or SQLite's words. */
const child = `
import { DatabaseSync } from 'node:sqlite'
const db = new DatabaseSync(process.argv[1])
db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS t (a)')
for (let i = 0; i < 5; i++) {
	const start = performance.now()
	try { db.exec('INSERT INTO t VALUES (1)'); console.log('ok', Math.round(performance.now() - start)) } catch (error) { console.log(error.message) }
}
process.kill(process.pid, 'SIGKILL')
`

async function insert(fault: Fault): Promise<{ lines: string[]; seen: number; failed: number }> {
	const folder = await mkdtemp(join(tmpdir(), 'english-chat-shim-'))
	try {
		const control = join(folder, 'control')
		const env = { ...process.env, ...(await faultEnv({ path: 'chat.db', control, ...fault })) }
		const done = run(process.execPath, ['--input-type=module', '-e', child, join(folder, 'chat.db')], { env })
		const output = await done.catch((error: { stdout: string }) => error)
		return { lines: output.stdout.trim().split('\n'), ...(await readFaults(control)) }
	} finally {
		await rm(folder, { recursive: true, force: true })
	}
}

test('[O1] the fault shim fails exactly the call it was told to, and counts survive a kill', async () => {
	const whole = await insert({ op: 'fsync' })
	assert.deepEqual(
		whole.lines.map((line) => line.split(' ')[0]),
		['ok', 'ok', 'ok', 'ok', 'ok'],
	)
	assert.equal(whole.failed, 0)
	const broken = await insert({ op: 'fsync', at: whole.seen - 1 })
	assert.equal(broken.failed, 1)
	assert.deepEqual(
		broken.lines.map((line) => /^ok/.test(line)),
		[true, true, true, false, true],
	)
	assert.match(broken.lines[3] ?? '', /disk I\/O error/)
})

test('[O1] the fault shim makes a disk full', async () => {
	const whole = await insert({ op: 'write' })
	const full = await insert({ op: 'write', at: whole.seen, times: 0, errno: 'ENOSPC' })
	assert.match(full.lines[4] ?? '', /full/)
})

test('[O1] the fault shim makes fsync slow', async () => {
	const slow = await insert({ fsyncMs: 30 })
	for (const line of slow.lines) assert.ok(Number(line.split(' ')[1]) >= 30, line)
})

/** Reads and renames as the app does, and prints the outcome of each: `ok` or the code of the error. */
const mover = `
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { rename, readFile } from 'node:fs/promises'
const path = process.argv[1]
writeFileSync(path, 'bytes')
const works = [() => rename(path, path + '.next'), async () => renameSync(path + '.next', path), () => readFile(path), async () => readFileSync(path)]
for (const work of works) console.log(await work().then(() => 'ok', (error) => error.code))
`

test('[O1] the fault shim fails renames and reads', async () => {
	const folder = await mkdtemp(join(tmpdir(), 'english-chat-shim-'))
	const move = async (fault: Fault) => {
		const control = join(folder, `control-${fault.op}-${fault.at}`)
		const env = { ...process.env, ...(await faultEnv({ path: 'moved', errno: 'ENOSPC', control, ...fault })) }
		const { stdout } = await run(process.execPath, ['--input-type=module', '-e', mover, join(folder, 'moved')], { env })
		return { lines: stdout.trim().split('\n'), ...(await readFaults(control)) }
	}
	try {
		assert.deepEqual(await move({ op: 'rename', at: 3 }), { lines: ['ok', 'ok', 'ok', 'ok'], seen: 2, failed: 0, at: 3 })
		assert.deepEqual((await move({ op: 'rename', at: 2 })).lines, ['ok', 'ENOSPC', 'ENOENT', 'ENOENT'])
		assert.deepEqual((await move({ op: 'read', at: 1, errno: 'EIO' })).lines, ['ok', 'ok', 'EIO', 'ok'])
		assert.deepEqual((await move({ op: 'any', at: 2 })).lines.slice(0, 2), ['ENOSPC', 'ENOENT'])
	} finally {
		await rm(folder, { recursive: true, force: true })
	}
})
