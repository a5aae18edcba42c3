/**
 * Runs backups and drills in a process beside the server, one at a time.
 *
 * Promises that whatever becomes of that process, it is told how it ended, and that it does not outlive the server.
 */
import { type ChildProcess, fork } from 'node:child_process'
import type { Config } from '../config.ts'
import type { Answer, Job, Outcome } from './process.ts'
import type { Step } from './progress.ts'

export interface Runner {
	/** What runs now. */
	readonly running: { kind: Job['kind']; step: Step | null } | null
	/** Null: one is running already. */
	run(job: Job): Promise<Outcome> | null
	/** Stops what runs, in order. */
	close(): Promise<void>
}

/** After so long a process that was asked to stop is ended. */
const PATIENCE_MS = 20_000

export function openRunner(config: Config): Runner {
	let running: { kind: Job['kind']; step: Step | null } | null = null
	let child: ChildProcess | null = null
	let ended: Promise<Outcome> | null = null

	async function start(job: Job): Promise<Outcome> {
		const now = { kind: job.kind, step: null as Step | null }
		running = now
		const process = fork(new URL('./process.ts', import.meta.url), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] })
		child = process
		return new Promise<Outcome>((resolve) => {
			let outcome: Outcome | null = null
			let said = ''
			process.stderr?.on('data', (data: Buffer) => {
				said = (said + data).slice(-2_000)
			})
			process.on('message', (answer: Answer) => {
				if ('step' in answer) now.step = answer.step
				else outcome = answer.outcome
			})
			const finish = (error: string) => {
				running = child = null
				resolve(outcome ?? { end: 'defect', error })
			}
			// It could not be started, or not be asked.
			process.on('error', (error) => process.pid === undefined && finish(error.message))
			process.on('close', (code, signal) => finish(`The process ended with ${signal ?? code}. ${said}`.trim()))
			process.send?.({ config, job }, () => {})
		})
	}

	return {
		get running() {
			return running
		},
		run(job) {
			if (running) return null
			// The machine may have no memory or no handle left for another process.
			ended = start(job).catch((error: Error): Outcome => {
				running = child = null
				return { end: 'defect', error: error.message }
			})
			return ended
		},
		async close() {
			if (!child) return
			child.kill('SIGTERM')
			const timer = setTimeout(() => child?.kill('SIGKILL'), PATIENCE_MS)
			await ended
			clearTimeout(timer)
		},
	}
}
