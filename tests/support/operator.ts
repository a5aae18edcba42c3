/**
 * An operator at the command line: runs commands as she does, in a shell, under cron or on a terminal, and has what
 * they said.
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'

export interface Said {
	/** -1: it ended by a signal. */
	code: number
	out: string
	err: string
}

export interface Surroundings {
	cwd: string
	/** All of the environment; without it, cron's. */
	env?: Record<string, string>
}

export interface Running {
	child: ChildProcessWithoutNullStreams
	/** At the keyboard; on a terminal `\x03` is Ctrl-C. */
	type(text: string): void
	/** Everything it said so far, bars too, without what moves a cursor. */
	said(): string
	/** Resolves when it has said this. */
	says(pattern: RegExp): Promise<void>
	/** Types a line as soon as it asks so, after all that was answered before. */
	answer(question: RegExp, line: string): Promise<void>
	ended: Promise<Said>
}

/** What cron gives to a command. */
export const cron = { PATH: '/usr/bin:/bin', HOME: '/', SHELL: '/bin/sh' }

/** Starts a line of shell; it does not outlive the test. */
export function begin(t: TestContext, line: string, { cwd, env = cron }: Surroundings): Running {
	// A group of its own: signals to it reach what a terminal's would.
	const child = spawn('/bin/sh', ['-c', line], { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
	child.stdin.on('error', () => {})
	let [out, err] = ['', '']
	child.stdout.on('data', (data: Buffer) => (out += data))
	child.stderr.on('data', (data: Buffer) => (err += data))
	const ended = once(child, 'close').then(([code]) => ({ code: (code as number | null) ?? -1, out, err }))
	t.after(async () => {
		signalTo(child, 'SIGKILL')
		await ended
	})
	const said = () => plain(out + err)
	let answered = 0
	const says = async (pattern: RegExp, from = 0) => {
		const over = ended.then(() => true)
		const isSaid = () => pattern.test(said().slice(from))
		while (!isSaid()) {
			if ((await Promise.race([over, sleep(10, false)])) && !isSaid()) throw new Error(`It ended without saying ${pattern}:\n${said()}`)
		}
	}
	return {
		child,
		ended,
		said,
		says,
		type: (text) => void child.stdin.write(text),
		async answer(question, line) {
			await says(question, answered)
			answered = said().length
			child.stdin.write(`${line}\n`)
		},
	}
}

const ESC = '\x1b'
const BAR = new RegExp(`[^\\n]*${ESC}\\[K`, 'g')
const plain = (out: string) => stripVTControlCharacters(out).replaceAll('\r', '')

/** What is left on a terminal: a bar that was wiped is not. */
export function seen(out: string): string {
	return plain(out.replaceAll(BAR, ''))
}

/** To all that the line started, as Ctrl-C does. */
export function signalTo({ pid }: ChildProcess, name: NodeJS.Signals): void {
	try {
		process.kill(-pid!, name)
	} catch {
		// It has ended.
	}
}

/** Runs a line of shell to its end. `typed`: all that somebody types; without it nobody is there. */
export function runLine(t: TestContext, line: string, surroundings: Surroundings & { typed?: string }): Promise<Said> {
	const { child, ended } = begin(t, line, surroundings)
	child.stdin.end(surroundings.typed ?? '')
	return ended
}

/** The same line on a terminal, which has 120 columns. What it says, and what was typed, comes as `out`. */
export function onTerminal(line: string): string {
	// Ctrl-C is for the command: a shell that ended by it would hide how the command did.
	const sized = `stty cols 120; trap : INT; ${line}`
	const quoted = `'${sized.replaceAll("'", "'\\''")}'`
	return process.platform === 'darwin' ? `script -q /dev/null sh -c ${quoted}` : `SHELL=/bin/sh script -qec ${quoted} /dev/null`
}

/** A command of `npm run ops`, as a line of shell. */
export function commandOf(command: string): string {
	return `"${process.execPath}" "${join(import.meta.dirname, '../../ops/cli.ts')}" ${command}`
}
