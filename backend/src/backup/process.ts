/**
 * The process beside the server that makes or proves a backup: what `./backup.sh` calls, with the server's settings.
 *
 * Promises to give way to those who write, and to end when the server does. Says how far it is, and how it ended.
 */
import { setPriority } from 'node:os'
import type { Config } from '../config.ts'
import { createBackup } from './create.ts'
import { drillBackup } from './drill.ts'
import { findBackup } from './folder.ts'
import type { Step } from './progress.ts'
import { Trouble, type TroubleCode, type Values } from './trouble.ts'

export type Job = { kind: 'backup'; reason: 'manual' | 'schedule' } | { kind: 'drill'; name: string }

/** How a job ended. `lost`: so many live files are in no backup. */
export type Outcome =
	| { end: 'done'; name: string; verified: boolean; lost: number }
	| { end: 'trouble'; code: TroubleCode; values: Values }
	| { end: 'defect'; error: string }

export interface Request {
	config: Config
	job: Job
}
export type Answer = { step: Step } | { outcome: Outcome }

/** After so long without its server it ends, wherever it is. */
const PATIENCE_MS = 20_000
/** So often progress is told at most. */
const TOLD_MS = 250

async function work({ config, job }: Request, tell: (step: Step) => void, signal: AbortSignal): Promise<Outcome> {
	const { backups } = config.folders
	if (job.kind === 'drill') {
		const backup = await findBackup(backups, job.name)
		if (backup.kind !== 'ours') throw new Trouble('noSuchBackup', { name: job.name })
		await drillBackup({ config, backup, progress: tell, signal })
		return { end: 'done', name: job.name, verified: true, lost: 0 }
	}
	const { backup } = await createBackup({ config, reason: job.reason, drill: config.backup.drill, progress: tell, signal })
	const { manifest, name, verifiedAt } = backup
	const kept = new Set(manifest.files.map((file) => file.name))
	const lost = manifest.problems.filter((problem) => !kept.has(problem.name)).length
	return { end: 'done', name, verified: verifiedAt !== null, lost }
}

function serve(send: (answer: Answer) => void): void {
	const stopping = new AbortController()
	for (const name of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.on(name, () => stopping.abort())
	process.on('disconnect', () => setTimeout(() => process.exit(1), PATIENCE_MS).unref())
	setPriority(10)
	let toldAt = 0
	const tell = (step: Step) => {
		if (performance.now() - toldAt < TOLD_MS) return
		toldAt = performance.now()
		send({ step })
	}
	process.once('message', (request: Request) => {
		work(request, tell, stopping.signal)
			.catch((error: unknown): Outcome => {
				if (error instanceof Trouble) return { end: 'trouble', code: error.code, values: error.values }
				return { end: 'defect', error: String((error as Error)?.stack ?? error) }
			})
			.then((outcome) => {
				send({ outcome })
				process.removeAllListeners('disconnect')
				process.disconnect?.()
			})
	})
}

if (process.send) serve((answer) => process.connected && process.send!(answer))
