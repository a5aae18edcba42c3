/**
 * A process that makes backups as a test tells it, a JSON line each way: to be killed, and given bad disks and clocks.
 *
 * Started by tests/support/backups.ts only, with the settings of a server in its environment.
 */
import { createInterface } from 'node:readline'

/** What it can be told, one at a time; it answers with a `BackupAnswer`. */
export interface BackupOrder {
	drill?: boolean
	/** Stops it after so long. */
	stopAfterMs?: number
	mostLogBytes?: number
}
export type BackupAnswer =
	| { done: { name: string; number: number; seq: number; verified: boolean; joined: boolean } }
	| { trouble: string; exit: number; says: string; hint: string | null }
	| { defect: string }
	/** Comes before the answer, as soon as it waits for another process. */
	| { waiting: true }

/** A clock that was set wrong. */
const shiftMs = Number(process.env.CLOCK_SHIFT_MS ?? 0)
const TrueDate = Date
globalThis.Date = class extends TrueDate {
	constructor(...given: []) {
		if (given.length > 0) super(...given)
		else super(TrueDate.now() + shiftMs)
	}
	static override now = () => TrueDate.now() + shiftMs
} as DateConstructor

const [{ createBackup }, { Trouble }, { readConfig }] = await Promise.all([
	import('../../backend/src/backup/create.ts'),
	import('../../backend/src/backup/trouble.ts'),
	import('../../backend/src/config.ts'),
])
const config = readConfig(process.env, [])
const answer = (line: BackupAnswer) => process.stdout.write(`${JSON.stringify(line)}\n`)

async function obey({ drill = false, stopAfterMs, mostLogBytes }: BackupOrder): Promise<BackupAnswer> {
	let waits = false
	try {
		const { backup, joined } = await createBackup({
			config,
			reason: 'manual',
			drill,
			progress({ doing }) {
				if (doing === 'waiting' && !waits) answer({ waiting: true })
				waits ||= doing === 'waiting'
			},
			...(mostLogBytes === undefined ? {} : { mostLogBytes }),
			...(stopAfterMs === undefined ? {} : { signal: stopAfterMs === 0 ? AbortSignal.abort() : AbortSignal.timeout(stopAfterMs) }),
		})
		const { name, number, seq } = backup.manifest
		return { done: { name, number, seq, verified: backup.verifiedAt !== null, joined } }
	} catch (error) {
		if (!(error instanceof Trouble)) return { defect: String((error as Error).stack) }
		const { says, hint = null } = error.say('en')
		return { trouble: error.code, exit: error.exit, says, hint }
	}
}

for await (const line of createInterface({ input: process.stdin })) answer(await obey(JSON.parse(line)))
