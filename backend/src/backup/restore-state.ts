/**
 * What a restore leaves in the data folder for the next start: how far it was, whether this machine only rehearses, and
 * whether what browsers offer again is refused.
 *
 * Promises that a restore which was interrupted is told as what it is: in place as a whole, or not at all.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { syncPath, writeDurably } from '../storage/durable-file.ts'

const STATE = 'restore.json'
const REHEARSAL = 'rehearsal.json'
const REFUSED = 'refused-returns.json'

/** What this machine is to be after a restore from another one. */
export type Role = 'replacement' | 'rehearsal'

/** A restore under way. */
export interface RestoreState {
	/** The backup, or the path of a dump. */
	from: string
	at: string
	as: Role
	/** The backup of what was there before. */
	safety: string | null
	/** The lineage that it makes; its commit is that of the database. Null: not begun yet. */
	lineage: string | null
	/** This machine rehearsed before already. */
	rehearsed: boolean
}

type Folders = Pick<Config, 'folders'>

/** Notes how far it is; on the disk when it returns. */
export function noteRestore({ folders }: Folders, state: RestoreState): void {
	writeDurably(join(folders.data, STATE), `${JSON.stringify(state, null, '\t')}\n`)
}

/** It is over. */
export function forgetRestore({ folders }: Folders): void {
	forget(folders.data, STATE)
}

/**
 * Called with the lineage of the database that is open now: finishes a restore that was interrupted, and gives what is
 * to be told of it. Null: none was.
 */
export function finishRestore(config: Folders, lineage: string): string | null {
	const state = readState(config)
	if (!state) return null
	const { from, as, safety, rehearsed } = state
	const isDone = state.lineage === lineage
	if (isDone && as === 'replacement') endRehearsal(config)
	if (!isDone && as === 'rehearsal' && !rehearsed) endRehearsal(config)
	forgetRestore(config)
	if (!isDone) {
		return `The restore of ${from} was interrupted before it took effect: everything is as it was. To do it again: ./restore.sh ${from}`
	}
	const back = safety === null || safety.startsWith('before-') ? '' : ` To go back: ./restore.sh ${safety}`
	return `The restore of ${from} was interrupted after it took effect: all of it is in place, and was not compared with the backup once more.${back}`
}

function readState({ folders }: Folders): RestoreState | null {
	try {
		return JSON.parse(readFileSync(join(folders.data, STATE), 'utf8'))
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
		throw error
	}
}

/** Whether this machine only tries a backup out: then nothing leaves it. */
export function isRehearsal({ folders }: Folders): boolean {
	return existsSync(join(folders.data, REHEARSAL))
}

/** From now on nothing leaves this machine. */
export function beginRehearsal({ folders }: Folders, from: string): void {
	writeDurably(join(folders.data, REHEARSAL), `${JSON.stringify({ from, at: new Date().toISOString() })}\n`)
}

/** The rehearsal becomes the real one. */
export function endRehearsal({ folders }: Folders): void {
	forget(folders.data, REHEARSAL)
}

/** In this lineage nothing that is offered again is taken. */
export function refuseReturns({ folders }: Folders, lineage: string): void {
	// That of the present one stays in force when this restore is cut short.
	const lineages = [...refusing({ folders }), lineage]
	writeDurably(join(folders.data, REFUSED), `${JSON.stringify({ lineages })}\n`)
}

/** Whether the operator refused returns when this lineage was made. */
export function refusesReturns(config: Folders, lineage: string): boolean {
	return refusing(config).includes(lineage)
}

function refusing({ folders }: Folders): string[] {
	try {
		return JSON.parse(readFileSync(join(folders.data, REFUSED), 'utf8')).lineages
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
		throw error
	}
}

function forget(folder: string, name: string): void {
	rmSync(join(folder, name), { force: true })
	syncPath(folder)
}
