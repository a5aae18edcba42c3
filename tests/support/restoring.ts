/**
 * A school that is restored by a process which may be killed anywhere, and the judge of what is there then.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createBackup } from '../../backend/src/backup/create.ts'
import { listBackups } from '../../backend/src/backup/folder.ts'
import { finishRestore } from '../../backend/src/backup/restore-state.ts'
import { type Content, fileOf, judgeBackup, makeSchool, snapshot, type TestSchool, writeMessages } from './backups.ts'

export interface Restoring {
	school: TestSchool
	/** The backup, and what it holds. */
	name: string
	then: Content
	/** Writes something new, so that then and now are not the same; gives what is there now. */
	change(): Promise<Content>
	/** Starts a restore of it. */
	start(env?: Record<string, string>): { kill(): void; ended: Promise<{ code: number | string; said: string }> }
	/** What an interrupted one left: all of the old or all of the new, nothing lost, and what the next start says. */
	judge(now: Content): Promise<{ is: 'old' | 'new'; told: string | null }>
}

/** Makes one. */
export async function makeRestoring(t: TestContext, engine: 'sqlite' | 'mongodb'): Promise<Restoring> {
	const school = await makeSchool(t, { engine })
	const { config } = school
	const { uploads, backups } = config.folders
	const { name } = (await createBackup({ config, reason: 'manual', drill: false })).backup
	const then = await school.content()
	let files = snapshot(uploads)
	let messages = 20
	return {
		school,
		name,
		then,
		async change() {
			files = snapshot(uploads)
			rmSync(join(uploads, fileOf(0)), { force: true })
			await school.open((store) => writeMessages(store, messages, ++messages))
			return school.content()
		},
		start(env = {}) {
			const cli = join(import.meta.dirname, '../../ops/cli.ts')
			const child = spawn(process.execPath, [cli, 'restore', name, '--yes', '--as', 'replacement'], {
				env: { ...process.env, LANG: 'C', ...school.env, ...env },
				stdio: ['ignore', 'pipe', 'pipe'],
			})
			t.after(() => child.kill('SIGKILL'))
			let said = ''
			for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data))
			const ended = once(child, 'close').then(([code, signal]) => ({ code: code ?? signal, said }))
			return { kill: () => void child.kill('SIGKILL'), ended }
		},
		async judge(now) {
			const [told, again] = await school.open(async ({ head }) => [1, 2].map(() => finishRestore(config, head.lineage)))
			assert.equal(again, null, 'it is told once')
			const found = await school.content()
			const is = sameContent(found, then) ? 'new' : 'old'
			if (is === 'old') assert.deepEqual(found, now)
			const left = snapshot(uploads)
			for (const [path, was] of files) if (path !== fileOf(0)) assert.equal(left.get(path), was, path)
			if (is === 'new') assert.deepEqual(left, files)
			// Every backup is whole, and what was there before is in one of them.
			const all = (await listBackups(backups)).backups
			judgeBackup(backups, name, then)
			const safety = all.find(({ manifest }) => manifest.reason === 'restore')
			if (is === 'new') judgeBackup(backups, safety!.name, now)
			return { is, told: told ?? null }
		},
	}
}

/** Whether both hold the same records. */
export function sameContent(a: Content, b: Content): boolean {
	return a.size === b.size && [...a].every(([key, record]) => JSON.stringify(b.get(key)) === JSON.stringify(record))
}
