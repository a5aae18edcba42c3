/**
 * How far it is: a bar that moves on a terminal, plain lines in a log.
 */
import type { WriteStream } from 'node:tty'

export interface Progress {
	tell(what: string, done: number, total: number): void
	/** It waits, since it asked too often. */
	wait(seconds: number): void
	/** What was done so far, as a sentence. */
	said(): string
	/** Whether there was anything to tell. */
	begun(): boolean
	/** The line is finished. */
	end(): void
}

const barWidth = 30

/** Opens the progress on a stream. */
export function openProgress(stream: NodeJS.WriteStream | WriteStream): Progress {
	const onTerminal = stream.isTTY === true
	const reached = new Map<string, { done: number; total: number }>()
	let shownTenths = -1
	let shownWhat = ''
	let drawnAt = 0
	let waits = 0

	return {
		tell(what, done, total) {
			reached.set(what, { done, total })
			const tenths = Math.floor((done / total) * 10)
			if (onTerminal) {
				const now = Date.now()
				if (now - drawnAt < 50 && done < total) return
				drawnAt = now
				const full = Math.round((done / total) * barWidth)
				stream.write(
					`\r\x1b[K${'█'.repeat(full)}${'░'.repeat(barWidth - full)} ${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${what}`,
				)
				return
			}
			if (what === shownWhat && tenths <= shownTenths) return
			if (done < total && tenths === 0) return
			shownWhat = what
			shownTenths = tenths
			stream.write(`${what}: ${done.toLocaleString('en')} of ${total.toLocaleString('en')}\n`)
		},
		wait(seconds) {
			if (waits++ > 0) return
			stream.write(
				`${onTerminal ? '\r\x1b[K' : ''}The server asks for a pause (${seconds} s), since one person does much at once; it goes on by itself.\n`,
			)
		},
		said() {
			const parts = [...reached].map(([what, { done, total }]) => `${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${what}`)
			return parts.length > 0 ? `There are: ${parts.join(', ')}.` : 'Nothing was made yet.'
		},
		begun: () => reached.size > 0,
		end() {
			if (onTerminal && reached.size > 0) stream.write('\r\x1b[K')
		},
	}
}
