/**
 * The project in a folder of its own, as an operator has it after a clone, and its server as she starts it.
 *
 * Sources are copied, packages are ours. Everything is gone when the test ends.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { TestContext } from 'node:test'
import { begin, signalTo } from './operator.ts'

const root = join(import.meta.dirname, '../..')

/** Where the data of a clone is without DATA_DIR. */
export const foldersOf = (path: string) => ({
	data: join(path, 'backend/data'),
	uploads: join(path, 'backend/uploads'),
	backups: join(path, 'backups'),
})

const files = ['package.json', 'package-lock.json', '.npmrc', 'backup.sh', 'restore.sh', '.env.production.example']

/** A clone in a folder with a space in its name. `installed`: with its packages. `web`: with the web app, which `npm start` needs. */
export function makeClone(t: TestContext, { installed = true, web = false } = {}): string {
	const path = join(mkdtempSync(join(tmpdir(), 'english chat ')), 'the chat')
	t.after(() => rmSync(join(path, '..'), { recursive: true, force: true }))
	mkdirSync(path)
	// The web app may be built already: then it need not be again.
	for (const folder of ['ops', 'protocol', 'backend/src', ...(web ? ['frontend'] : [])]) {
		const isSource = (from: string) => !/\.test\.tsx?$/.test(from) && basename(from) !== 'dist.next'
		cpSync(join(root, folder), join(path, folder), { recursive: true, filter: isSource })
	}
	for (const file of files) copyFileSync(join(root, file), join(path, file))
	if (installed) symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'))
	return path
}

/** What an operator's shell gives to a command; the server takes any port. */
export function shellOf(path: string): Record<string, string> {
	const plain = { LANG: 'C', TERM: 'xterm', NO_COLOR: '1', npm_config_progress: 'false' }
	return { PATH: process.env.PATH!, HOME: join(path, '..'), ...plain, PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'warn' }
}

export interface RunningServer {
	origin: string
	/** Resolves with the first admin's link when it is said. */
	setUpLink(): Promise<string>
	/** Everything it said. */
	said(): string
	/** Ctrl-C. */
	stop(): Promise<void>
}

/** Starts a clone's server: as an operator does where it has the web app. Resolves when it is ready; fails when it ends before. */
export async function startClone(t: TestContext, path: string): Promise<RunningServer> {
	const hasWeb = existsSync(join(path, 'frontend'))
	const line = hasWeb ? 'npm start' : `exec "${process.execPath}" backend/src/main.ts`
	const { child, ended, said, says } = begin(t, line, { cwd: path, env: shellOf(path) })
	await says(/is ready: http:\/\/localhost:\d+\n/)
	const port = /is ready: http:\/\/localhost:(\d+)\n/.exec(said())![1]
	const origin = `http://127.0.0.1:${port}`
	const stop = async () => {
		signalTo(child, 'SIGINT')
		await ended
	}
	return {
		origin,
		async setUpLink() {
			const link = /\/setup#[\w-]+(?=\r?\n)/
			await says(link)
			return origin + link.exec(said())![0]
		},
		said,
		stop,
	}
}
