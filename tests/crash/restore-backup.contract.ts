/**
 * What is promised of a restore that is killed, on either engine.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeRestoring, sameContent } from '../support/restoring.ts'
import { startChild } from '../support/server.ts'

/** Places in a restore, and whether all of it is in place by then; null: not begun. */
const points: Record<string, boolean | null> = {
	'restore:safety': null,
	'restore:begun': false,
	'restore:files': false,
	'restore:env': false,
	'restore:noted': false,
	'replace:built': false,
	'replace:synced': false,
	'replace:pointed': true,
	'restore:database': true,
}

/** `more`: places that only this engine has. */
export function killedInRestore(engine: 'sqlite' | 'mongodb', more: Record<string, boolean>): void {
	test(`[B70] ${engine}: killed anywhere in a restore, everything is as it was or as in the backup, and the next start says which`, async (t) => {
		const restoring = await makeRestoring(t, engine)
		const { name } = restoring
		for (const [point, isNew] of Object.entries({ ...points, ...more })) {
			const now = await restoring.change()
			const { code, said } = await restoring.start({ FAILPOINT: point }).ended
			assert.equal(code, 'SIGKILL', `${point}: ${said}`)
			const { is, told } = await restoring.judge(now)
			assert.equal(is, isNew ? 'new' : 'old', point)
			if (isNew === null) assert.equal(told, null, point)
			else {
				const [before, after] = [/interrupted before it took effect: everything is as it was/, /interrupted after it took effect/]
				assert.match(told!, isNew ? after : before, point)
				assert.match(told!, new RegExp(`^The restore of ${name} .* \\./restore\\.sh \\d`))
			}
		}
		// At its very end it is over.
		const now = await restoring.change()
		assert.equal((await restoring.start({ FAILPOINT: 'restore:done' }).ended).code, 'SIGKILL')
		assert.deepEqual(await restoring.judge(now), { is: 'new', told: null })
	})

	test(`[B70] ${engine}: killed at any time in a restore, the server itself starts and says what is there; then it is restored`, async (t) => {
		const restoring = await makeRestoring(t, engine)
		const { school, then } = restoring
		for (let round = 0; round < 2; round++) {
			const now = await restoring.change()
			const { kill, ended } = restoring.start(round === 0 ? { FAILPOINT: 'replace:pointed' } : {})
			if (round > 0) {
				await sleep(250 + Math.random() * 1_500)
				kill()
			}
			await ended
			if (round === 0) {
				const dir = join(school.config.folders.data, '..')
				const server = await startChild(t, dir, { env: school.env })
				assert.ok(
					server.lines.some((line) => /^The restore of .* was interrupted after it took effect/.test(line)),
					server.lines.join('\n'),
				)
				server.process.kill('SIGTERM')
				await server.exited
			} else await restoring.judge(now)
		}
		await restoring.change()
		const { code, said } = await restoring.start().ended
		assert.equal(code, 0, said)
		assert.ok(sameContent(await school.content(), then))
	})
}
