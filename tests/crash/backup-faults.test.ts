/**
 * Backups on a disk that fails, fills up or is slow. Needs a C compiler.
 */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { listBackups } from '../../backend/src/backup/folder.ts'
import { verifyBackup } from '../../backend/src/backup/verify.ts'
import {
	contentOf,
	judgeBackups,
	makeSchool,
	sendFiles,
	snapshot,
	startBackups,
	uploadId,
	userId,
	writeMessages,
} from '../support/backups.ts'
import { armFault, faultEnv, readFaults } from '../support/fault.ts'
import { makeFolder } from '../support/server.ts'

test('[B4] whichever write, fsync or rename of a backup fails, there is a whole one more or none, and one sentence', async (t) => {
	const failEach = async (errno: 'EIO' | 'ENOSPC') => {
		const school = await makeSchool(t, { messages: 5, files: 1 })
		// Those that are made are many.
		school.env.BACKUP_KEEP = '1000'
		const { config } = school
		const { backups } = config.folders
		const before = snapshot(backups)
		const control = join(makeFolder(t), 'control')
		// A failed sector fails once; a full disk stays full.
		const times = errno === 'EIO' ? 1 : 0
		const child = startBackups(t, school, await faultEnv({ op: 'any', path: backups, times, errno, control }))
		let files = 1
		/** One backup whose n-th call fails; 0: none. */
		const make = async (n: number) => {
			const content = await school.open(async (store) => {
				await writeMessages(store, 5, 6, `Anew ${n}`)
				// In the place of the one before, so that there is always as much to do.
				await sendFiles(store, config, files, files + 1)
				await store.write(userId(1), async (tx) => {
					const before = await tx.get('uploads', uploadId(files - 1))
					await tx.put('uploads', { ...before!, file: null })
				})
				files++
				return contentOf(store)
			})
			const { seen } = await readFaults(control)
			await armFault(control, n === 0 ? 0 : seen + n)
			const answer = await child.make()
			await armFault(control, 0)
			assert.ok(answer && !('waiting' in answer), `${n}: ${JSON.stringify(answer)}`)
			const { manifest } = judgeBackups(school, before, content)
			for (const [path, was] of snapshot(backups)) if (!/\.partial-|^files/.test(path)) before.set(path, was)
			return { answer, manifest, calls: (await readFaults(control)).seen - seen }
		}
		await make(0)
		const { calls, answer } = await make(0)
		assert.ok('done' in answer)
		const told: Record<string, number> = {}
		// Each call fails once, with one of the two; a file's calls follow each other in pairs.
		const numbers = Array.from({ length: calls }, (_, i) => i + 1).filter((n) => (n >> 1) % 2 === (errno === 'EIO' ? 0 : 1))
		// Those at its end are not as many each time.
		numbers.push(calls, calls + 1, calls + 2)
		for (const n of numbers) {
			const { answer, manifest } = await make(n)
			const where = `${n} of ${calls}, ${errno}: ${JSON.stringify(answer)}`
			if ('done' in answer) assert.ok(manifest?.verifiedAt, where)
			else {
				assert.ok('trouble' in answer, where)
				assert.deepEqual([answer.exit, answer.trouble], [1, errno === 'EIO' ? 'cannotWrite' : 'noRoom'], where)
				assert.match(answer.says, /^[A-Z][^\n]*\.$/, where)
				assert.ok(answer.says.includes(backups), where)
			}
			const outcome = 'done' in answer ? 'done' : manifest ? 'told, and there' : 'told'
			told[outcome] = (told[outcome] ?? 0) + 1
		}
		t.diagnostic(`${errno}, ${numbers.length} of ${calls} calls: ${JSON.stringify(told)}`)
		assert.ok((told.told ?? 0) > numbers.length / 2)
		assert.ok(told.done || told['told, and there'], 'up to the last')
		assert.ok('done' in (await make(0)).answer, 'on a whole disk it works again')
		assert.deepEqual(
			[...snapshot(backups).keys()].filter((path) => path.includes('.partial-')),
			[],
		)
		for (const backup of (await listBackups(backups)).backups) assert.deepEqual((await verifyBackup({ config, backup })).findings, [])
	}
	await Promise.all([failEach('EIO'), failEach('ENOSPC')])
})

test('[B10] a backup that is too slow for what people write is given up before the log of the database takes their room', async (t) => {
	const school = await makeSchool(t, { messages: 50 })
	const { data, backups } = school.config.folders
	await school.open(async (store) => {
		const log = join(data, `chat-${store.head.lineage}.db-wal`)
		const child = startBackups(t, school, await faultEnv({ fsyncMs: 300, path: backups }))
		let made: Awaited<ReturnType<typeof child.make>> | undefined
		let most = 0
		const making = child.make({ mostLogBytes: 2 * 1024 * 1024 }).then((answer) => {
			made = answer
		})
		for (let n = 100; made === undefined; n += 20) {
			await writeMessages(store, n % 1_000, (n % 1_000) + 20, 'much '.repeat(2_000))
			most = Math.max(most, statSync(log).size)
		}
		await making
		assert.ok(made && 'trouble' in made, JSON.stringify(made))
		assert.deepEqual([made.trouble, made.exit], ['tooSlow', 1])
		assert.ok(most > 2 * 1024 * 1024)
		// It goes on at once, and the log begins anew.
		for (let n = 0; n < 60; n++) await writeMessages(store, n, n + 20, 'more '.repeat(2_000))
		assert.ok(statSync(log).size < most + 24 * 1024 * 1024, `${statSync(log).size} of ${most}`)
	})
	const answer = await startBackups(t, school).make()
	assert.ok(answer && 'done' in answer, 'at a quieter time it works')
})
