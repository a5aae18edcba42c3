/**
 * Restores from a backup that are killed, or whose disk fails, with the embedded engine. Needs a C compiler.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { faultEnv, readFaults } from '../support/fault.ts'
import { makeRestoring } from '../support/restoring.ts'
import { makeFolder } from '../support/server.ts'
import { killedInRestore } from './restore-backup.contract.ts'

killedInRestore('sqlite', { 'replace:pointer-written': false })

test('[B71] a disk that fills up or fails anywhere in a restore leaves all as it was, or all restored, and one sentence', async (t) => {
	const restoring = await makeRestoring(t, 'sqlite')
	const { config } = restoring.school
	const root = join(config.folders.data, '..')
	const control = join(makeFolder(t), 'control')
	const probe = await faultEnv({ op: 'any', path: root, control })
	await restoring.change()
	assert.equal((await restoring.start(probe).ended).code, 0)
	const { seen } = await readFaults(control)
	assert.ok(seen > 20)
	const outcomes = new Set<string>()
	// Most of it is the backup that is made first.
	const places = [0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99]
	for (const [n, place] of places.entries()) {
		const now = await restoring.change()
		const at = 1 + Math.floor(seen * place)
		const errno = n % 2 === 0 ? 'ENOSPC' : 'EIO'
		const { code, said } = await restoring.start(await faultEnv({ op: 'any', path: root, at, times: errno === 'EIO' ? 1 : 0, errno })).ended
		const { is } = await restoring.judge(now)
		outcomes.add(is)
		if (code !== 0) assert.doesNotMatch(said, /\n\s+at /, `${at} ${errno}: no stack for an operator`)
		assert.equal(is === 'new', code === 0 || /^The backup .* is restored, but/m.test(said), said)
		t.diagnostic(`${at} of ${seen}, ${errno}: ${code}, ${is}: ${said.trim().split('\n').at(-2)}`)
	}
	assert.deepEqual([...outcomes].sort(), ['new', 'old'])
})
