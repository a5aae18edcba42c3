/**
 * What is promised about making a backup, on either engine.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
	bytesOf,
	contentAt,
	fileOf,
	groupId,
	judgeBackup,
	judgeBackups,
	makeSchool,
	memberId,
	sendFiles,
	snapshot,
	startBackups,
	userId,
	writeMessages,
} from '../../../tests/support/backups.ts'
import type { Store } from '../storage/store.ts'
import { createBackup } from './create.ts'
import { findBackup, listBackups } from './folder.ts'
import type { Manifest } from './format.ts'

/** Writes as people do, all the time, until it is told to end. Gives how much was written. */
function keepWriting(store: Store): () => Promise<number> {
	let ended = false
	let count = 0
	const writing = (async () => {
		for (let n = 0; !ended; n++) {
			await Promise.all([
				writeMessages(store, 10_000 + n, 10_001 + n),
				writeMessages(store, n % 900, (n % 900) + 3, 'Changed'),
				store.write(userId(0), async (tx) => {
					if (n % 2 === 0) await tx.remove('memberships', memberId(2))
					else await tx.put('memberships', { id: memberId(2), group: groupId, user: userId(2) })
				}),
			])
			count++
		}
	})()
	return async () => {
		ended = true
		await writing
		return count
	}
}

export function createContract(engine: 'sqlite' | 'mongodb'): void {
	test(`[B1] ${engine}: a backup that is made while people write is everything up to one entry, and nothing after it`, async (t) => {
		const school = await makeSchool(t, { engine, messages: 1_000 })
		const { config } = school
		const { backups } = config.folders
		await school.open(async (store) => {
			const apart = startBackups(t, school)
			const places = {
				async 'in a process of its own'() {
					const answer = await apart.make({ drill: true })
					assert.ok(answer && 'done' in answer, JSON.stringify(answer))
					return answer.done
				},
				'in the process that writes': async () => (await createBackup({ config, reason: 'manual', drill: false })).backup.manifest,
			}
			for (const [where, make] of Object.entries(places)) {
				const before = store.head.seq
				const end = keepWriting(store)
				const { name, seq } = await make()
				const count = await end()
				judgeBackup(backups, name, await contentAt(store, seq))
				assert.ok(seq >= before && seq < store.head.seq, `${where}: ${before} <= ${seq} < ${store.head.seq}`)
				assert.ok(count > 3, `${where}: people wrote meanwhile`)
			}
		})
	})

	test(`[B2] ${engine}: the next backup takes what did not change from the one before`, async (t) => {
		const school = await makeSchool(t, { engine, files: 4 })
		const { config } = school
		const { backups } = config.folders
		const make = async () => (await createBackup({ config, reason: 'manual', drill: false })).backup
		const first = await make()
		const inodes = () => [...snapshot(join(backups, 'files')).entries()]
		const files = inodes()
		await school.open(async (store) => {
			await writeMessages(store, 20, 21)
			await sendFiles(store, config, 4, 5)
		})
		const second = await make()
		judgeBackup(backups, second.name, await school.content())
		const same = (name: string) =>
			readFileSync(fileIn(first.path, first.manifest, name)).equals(readFileSync(fileIn(second.path, second.manifest, name)))
		for (const { name } of second.manifest.collections) if (!['messages', 'uploads', 'system'].includes(name)) assert.ok(same(name), name)
		assert.ok(!same('messages'))
		assert.equal(inodes().length, files.length + 1)
		const { addedBytes, databaseBytes } = second.manifest.sizes
		assert.equal(addedBytes - databaseBytes, bytesOf(4).length)
	})

	test(`[B5] ${engine}: of two at once the second waits and joins the first; where that dies, it makes its own`, async (t) => {
		const school = await makeSchool(t, { engine })
		const before = snapshot(school.config.folders.backups)
		const content = await school.content()
		for (const dies of [true, false]) {
			const first = startBackups(t, school, { FAILPOINT: 'backup:dumped', FAILPOINT_SIGNAL: 'SIGSTOP' })
			const second = startBackups(t, school)
			const one = first.make()
			await stopped(first.process.pid!)
			const other = second.make()
			await second.waiting
			first.process.kill(dies ? 'SIGKILL' : 'SIGCONT')
			const [made, joined] = await Promise.all([one, other])
			assert.ok(joined && 'done' in joined, JSON.stringify(joined))
			if (dies) {
				assert.equal(made, null)
				assert.equal(joined.done.joined, false)
				assert.equal(judgeBackups(school, before, content).manifest?.name, joined.done.name)
				for (const [path, was] of snapshot(school.config.folders.backups)) before.set(path, was)
			} else {
				assert.ok(made && 'done' in made, JSON.stringify(made))
				assert.deepEqual([made.done.joined, joined.done.joined, joined.done.name], [false, true, made.done.name])
				assert.equal(judgeBackups(school, before, content).manifest?.name, made.done.name)
			}
		}
	})
}

const fileIn = (path: string, manifest: Manifest, name: string) =>
	join(path, 'database', manifest.database, manifest.collections.find((part) => part.name === name)!.file)

/** Resolves when a process was paused. */
async function stopped(pid: number): Promise<void> {
	while (!/^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** What is the same on either engine. */
export function createOnce(): void {
	test('[B6] whatever the clock says, the newest backup is the one that was made last', async (t) => {
		const school = await makeSchool(t, { messages: 2 })
		const { backups } = school.config.folders
		const year = 366 * 86_400_000
		const names: string[] = []
		for (const shift of [0, 2 * year, -2 * year, -2 * year]) {
			const answer = await startBackups(t, school, { CLOCK_SHIFT_MS: String(shift) }).make()
			assert.ok(answer && 'done' in answer, JSON.stringify(answer))
			names.unshift(answer.done.name)
			assert.equal(answer.done.number, names.length)
			assert.equal((await findBackup(backups, 'latest')).name, answer.done.name)
			const listing = await listBackups(backups)
			assert.deepEqual(
				listing.backups.map(({ name }) => name),
				names,
			)
		}
		const years = names.map((name) => Number(name.slice(0, 4)))
		assert.ok(years[2]! > years[3]! && years[3]! > years[0]!)
	})

	test('[B8] a backup without a live file says so by its name and is not verified; when the file is back, the next one is', async (t) => {
		const school = await makeSchool(t, { files: 4 })
		const { config } = school
		const { backups, uploads } = config.folders
		const [missing, damaged, aside] = [join(uploads, fileOf(0)), join(uploads, fileOf(1)), join(backups, '../aside')]
		renameSync(missing, aside)
		writeFileSync(damaged, bytesOf(7))
		const make = async (drill: boolean) => (await createBackup({ config, reason: 'manual', drill })).backup
		for (const drill of [false, true]) {
			const { name, verifiedAt, provenAt, manifest } = await make(drill)
			assert.deepEqual([verifiedAt, provenAt], [null, null])
			const problems = [
				{ name: fileOf(0), problem: 'missing' },
				{ name: fileOf(1), problem: 'damaged' },
			].sort((a, b) => (a.name < b.name ? -1 : 1))
			assert.deepEqual(manifest.problems, problems)
			judgeBackup(backups, name, await school.content())
			for (const problem of problems) assert.match(readFileSync(join(backups, name, 'manifest.txt'), 'utf8'), new RegExp(problem.name))
		}
		renameSync(aside, missing)
		writeFileSync(damaged, bytesOf(1))
		const whole = await make(true)
		assert.ok(whole.verifiedAt && whole.provenAt)
		// What the pool has is kept, whatever becomes of the live file.
		rmSync(missing)
		const kept = await make(false)
		assert.ok(kept.verifiedAt)
		assert.deepEqual(kept.manifest.problems, [{ name: fileOf(0), problem: 'missing' }])
		judgeBackup(backups, kept.name, await school.content())
		assert.ok(!existsSync(join(backups, '.partial-')))
	})
}
