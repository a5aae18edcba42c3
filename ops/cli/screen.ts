/**
 * What an operator sees and is asked: lines, tables, a bar on a terminal, now and then a line in a log, or one JSON
 * object.
 *
 * Promises that nothing but answers goes to stdout, that colours and bars are for terminals only, and that a name which
 * somebody else chose can't speak to the terminal.
 */
import { createInterface } from 'node:readline/promises'
import { styleText } from 'node:util'
import { sizeText } from '../../backend/src/backup/people-manifest.ts'
import type { Progress, Step } from '../../backend/src/backup/progress.ts'
import type { Language } from '../../backend/src/backup/trouble.ts'
import { en, type Words } from './words/en.ts'
import { id } from './words/id.ts'

export type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold'
export type Cell = string | { text: string; colour?: Colour; right?: true }

export interface Screen {
	readonly language: Language
	readonly words: Words
	readonly json: boolean
	/** Somebody reads this as it comes. */
	readonly terminal: boolean
	/** Somebody can be asked. */
	readonly canAsk: boolean
	/** A line of the answer. */
	say(line?: string): void
	/** A line that is no answer: it goes to stderr, also with `--json`. */
	warn(line: string): void
	table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): void
	/** Names and what they are, one under another. */
	rows(rows: readonly (readonly [string, Cell])[]): void
	/** The only thing on stdout with `--json`. */
	answer(value: object): void
	readonly progress: Progress
	/** No more progress: the bar goes. */
	end(): void
	/** Null: nobody is there to answer. */
	ask(question: string): Promise<string | null>
	count(value: number): string
	size(bytes: number): string
	date(time: string | Date): string
	duration(ms: number): string
}

/** The language of the environment; English where it says none of ours. */
export function languageOf(env: NodeJS.ProcessEnv): Language {
	return /^id([_.@-]|$)/i.test(env.LC_ALL || env.LC_MESSAGES || env.LANG || '') ? 'id' : 'en'
}

/** `quiet`: what is done shows on a terminal only, not in a log. */
export function openScreen({ env, json, quiet, signal }: ScreenOptions): Screen {
	const language = languageOf(env)
	const words: Words = { en, id }[language]
	const terminal = process.stdout.isTTY === true
	const paint = (cell: Cell, text: string) => (typeof cell === 'object' && cell.colour ? styleText(cell.colour, text) : text)
	const count = (value: number) => value.toLocaleString(words.numbers)
	const size = (bytes: number) => sizeText(bytes, words.numbers)
	const dates = new Intl.DateTimeFormat(words.dates, {
		...({ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' } as const),
		...({ hourCycle: 'h23', timeZoneName: 'short' } as const),
	})
	const duration = (ms: number) => durationOf(ms, words)
	const { progress, end } = openProgress({ words, count, size, duration, quiet: quiet || json })
	const say = (line = '') => {
		end()
		if (!json) process.stdout.write(`${line}\n`)
	}
	const table = (rows: readonly (readonly Cell[])[]) => {
		const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => plain(row[column]!).length)))
		for (const row of rows) {
			const cells = row.map((cell, column) => {
				const text = plain(cell)
				const space = ' '.repeat(widths[column]! - text.length)
				const painted = paint(cell, text)
				return typeof cell === 'object' && cell.right ? space + painted : painted + space
			})
			say(cells.join('  ').trimEnd())
		}
	}
	return {
		...{ language, words, json, terminal, say, progress, end, count, size, duration },
		canAsk: !json && process.stdin.isTTY === true && terminal,
		warn(line) {
			end()
			process.stderr.write(`${line}\n`)
		},
		table(head, rows) {
			const heading = head.map((cell): Cell => ({ ...(typeof cell === 'string' ? { text: cell } : cell), colour: 'bold' }))
			table([heading, ...rows])
		},
		rows: (rows) => table(rows.map(([name, cell]) => [`  ${name}`, cell])),
		answer(value) {
			end()
			if (json) process.stdout.write(`${JSON.stringify(value)}\n`)
		},
		async ask(question) {
			end()
			const lines = createInterface({ input: process.stdin, output: process.stdout })
			const gone = new Promise<null>((resolve) => lines.once('close', () => resolve(null)))
			lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
			try {
				return await Promise.race([lines.question(question, { signal }), gone])
			} finally {
				lines.close()
			}
		},
		date: (time) => dates.format(new Date(time)),
	}
}

export interface ScreenOptions {
	env: NodeJS.ProcessEnv
	json: boolean
	quiet: boolean
	signal: AbortSignal
}

/** Without what could move the cursor or change colours. */
function plain(cell: Cell): string {
	return (typeof cell === 'string' ? cell : cell.text).replace(/\p{Cc}/gu, '?')
}

function durationOf(ms: number, words: Words): string {
	const all = Math.max(1, Math.round(ms / 1_000))
	const parts = [
		[Math.floor(all / 3_600), words.hours],
		[Math.floor((all % 3_600) / 60), words.minutes],
		[all % 60, words.seconds],
	]
	// Nobody cares for the seconds of hours.
	const shown = parts.slice(parts.findIndex(([value]) => value !== 0)).slice(0, 2)
	return shown.map((part) => part.join(' ')).join(' ')
}

const BAR = 20
const EVERY_MS = { terminal: 100, log: 5_000 }
/** Before this long nobody knows how fast it goes. */
const RATE_AFTER_MS = 500

interface ProgressOptions {
	words: Words
	count(value: number): string
	size(bytes: number): string
	duration(ms: number): string
	quiet: boolean
}

/** A bar on a terminal, a plain line now and then in a log; both on stderr, since they are no answer. */
function openProgress({ words, count, size, duration, quiet }: ProgressOptions): { progress: Progress; end(): void } {
	const stream = process.stderr
	const terminal = stream.isTTY === true
	let current = ''
	let since = 0
	let shown = performance.now()
	let drawn = false

	function lineOf({ doing, done, total, unit }: Step, now: number): string {
		const amount = (value: number) => (unit === 'bytes' ? size(value) : count(value))
		const parts = [words.doing[doing]]
		const part = total === null ? null : total === 0 ? 1 : Math.min(1, done / total)
		if (part !== null) {
			const filled = Math.round(part * BAR)
			const bar = terminal ? `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ` : ''
			parts.push(`${bar}${String(Math.floor(part * 100)).padStart(terminal ? 3 : 0)}%`)
		}
		if (done > 0) parts.push(words.units[unit](amount(done), done))
		const rate = now - since < RATE_AFTER_MS ? 0 : done / (now - since)
		if (rate > 0) parts.push(words.perSecond(amount(Math.round(rate * 1_000))))
		if (rate > 0 && total !== null && done < total) parts.push(words.timeLeft(duration((total - done) / rate)))
		return parts.join('  ')
	}

	return {
		progress(step) {
			if (quiet && !terminal) return
			const now = performance.now()
			const key = `${step.doing} ${step.unit}`
			const begins = key !== current
			if (begins) since = now
			current = key
			if (now - shown < (terminal ? EVERY_MS.terminal : EVERY_MS.log) && !(begins && terminal)) return
			shown = now
			const line = lineOf(step, now)
			if (!terminal) stream.write(`${line}\n`)
			else stream.write(`\r${line.slice(0, (stream.columns ?? 80) - 1)}\x1b[K`)
			drawn = terminal
		},
		end() {
			if (drawn) stream.write('\r\x1b[K')
			drawn = false
			// What comes later of the same kind has a rate of its own.
			current = ''
		},
	}
}
