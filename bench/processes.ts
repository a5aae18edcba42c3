/**
 * The measured servers: each a child process with the probe inside, so that nothing of the bench
 * runs in them.
 *
 * Promises that they end with the bench, and that their data is deleted.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Probe } from './probe.ts'

export interface Running {
	port: number
	/** Milliseconds from the start of the process until it said that it listens. */
	startMs: number
	/** Begins a new measurement of the event loop. */
	begin(): void
	/** What the probe saw since, after a garbage collection. */
	report(): Promise<Probe>
	/** Asks the process to do something between measurements. */
	tell(message: unknown): void
	/** What it answers. */
	answer<T>(): Promise<T>
	close(): Promise<void>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
	for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/** Starts a script of this folder and waits until it says where it listens. */
export async function start(script: string, args: readonly string[], env: Record<string, string> = {}): Promise<Running> {
	const began = performance.now()
	const profile = process.env.BENCH_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`] : []
	const child = fork(join(import.meta.dirname, script), args, {
		// As `npm start` does: else garbage takes as much memory as the machine has plenty of.
		execArgv: ['--max-semi-space-size=16', '--expose-gc', '--import', join(import.meta.dirname, 'probe.ts'), ...profile],
		env: { ...process.env, ...env },
		stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
	})
	running.add(child)
	const ended = once(child, 'exit').then(() => {
		running.delete(child)
		throw new Error(`${script} ${args.join(' ')} ended by itself.`)
	})
	ended.catch(() => {})
	const message = async <T>() => (await Promise.race([once(child, 'message'), ended]))[0] as T
	const { port } = await message<{ port: number }>()
	return {
		port,
		startMs: performance.now() - began,
		begin: () => void child.send('begin'),
		async report() {
			child.send('report')
			return (await message<{ probe: Probe }>()).probe
		},
		tell: (what) => void child.send(what as object),
		answer: message,
		async close() {
			child.kill('SIGTERM')
			await ended.catch(() => {})
		},
	}
}
