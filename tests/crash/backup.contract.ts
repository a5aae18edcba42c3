/**
 * What is promised about a backup whose process dies, on either engine.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { listBackups } from '../../backend/src/backup/folder.ts'
import { contentOf, judgeBackups, makeSchool, sendFiles, snapshot, startBackups, writeMessages } from '../support/backups.ts'

/** Places on the way, and whether there is a backup by then. */
const points: Record<string, boolean> = {
	'backup:begun': false,
	'backup:dumped': false,
	'backup:files': false,
	'backup:verified': false,
	'backup:proven': false,
	'backup:synced': false,
	'backup:manifest-written': false,
	'backup:manifest': false,
	'backup:renamed': true,
	'backup:published': true,
}

export function killedInBackup(engine: 'sqlite' | 'mongodb', { rounds }: { rounds: number }): void {
	test(`[B3] ${engine}: killed anywhere in a backup, there is a whole one more or none, and the old ones are untouched`, async (t) => {
		const school = await makeSchool(t, { engine })
		// So that none goes as too many.
		school.env.BACKUP_KEEP = '1000'
		const { backups } = school.config.folders
		let [messages, files] = [20, 3]
		const before = snapshot(backups)
		let content = await school.content()
		/** Something new to keep, so that every backup has a copy to make. */
		const change = async () => {
			content = await school.open(async (store) => {
				await writeMessages(store, messages, ++messages)
				await sendFiles(store, school.config, files, ++files)
				return contentOf(store)
			})
		}
		/** What an ended process left. Gives whether a backup is new. */
		const judge = async (where: string) => {
			const { manifest, leftovers } = judgeBackups(school, before, content)
			const partials = new Set(leftovers.filter((path) => path.startsWith('.partial-')).map((path) => path.split('/')[0]))
			assert.ok(partials.size <= 1, `${where}: what earlier ones left was swept: ${[...partials]}`)
			for (const [path, was] of snapshot(backups)) if (!path.includes('.partial-')) before.set(path, was)
			return manifest !== null
		}
		const whole = startBackups(t, school)
		assert.ok('done' in (await whole.make())!)
		assert.ok(await judge('the first'))
		await change()
		const start = performance.now()
		assert.ok('done' in (await whole.make())!)
		const takesMs = performance.now() - start
		assert.ok(await judge('the second'))

		for (const [point, there] of Object.entries(points)) {
			await change()
			const child = startBackups(t, school, { FAILPOINT: point })
			assert.equal(await child.make({ drill: point === 'backup:proven' }), null, point)
			assert.equal(await child.exited, 'SIGKILL', point)
			assert.equal(await judge(point), there, point)
		}
		let done = 0
		for (let round = 0; round < rounds; round++) {
			await change()
			const child = startBackups(t, school)
			// It is up, so that it is killed at work.
			assert.ok('trouble' in (await child.make({ stopAfterMs: 0 }))!)
			const made = child.make()
			await sleep(Math.random() * 2 * takesMs)
			child.process.kill('SIGKILL')
			const answer = await made
			await child.exited
			if (await judge(`round ${round}`)) done++
			else assert.equal(answer, null, 'what was said to be done is there')
		}
		t.diagnostic(`${rounds} kills at random, ${done} after the backup was there`)
		assert.ok('done' in (await whole.make())!)
		assert.ok(await judge('the last'))
		assert.deepEqual(
			[...snapshot(backups).keys()].filter((path) => path.includes('.partial-')),
			[],
		)
		for (const { verifiedAt, damaged } of (await listBackups(backups)).backups) assert.ok(verifiedAt && !damaged)
	})
}
