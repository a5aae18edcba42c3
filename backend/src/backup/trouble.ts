/**
 * What goes wrong with backups and restores as expected: a closed list, each with its exit code and its sentence in
 * both languages.
 *
 * Promises that whatever ends a command or an alert can be said to people with the next step. Never holds a defect:
 * those go on as they are.
 */
import { StorageFull } from '../storage/engine.ts'
import { en } from './words/en.ts'
import { id } from './words/id.ts'

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2, none: 10, busy: 11, damaged: 12 } as const
export type Exit = keyof typeof EXIT

/** Per code: what the sentence names, and how a command ends with it. Codes have one entry here and one in each language. */
const exits = {
	/** No backup of this name: `name`; `there`: names of those that there are. */
	noSuchBackup: 'none',
	/** Nothing to restore at all: `folder`. */
	noBackups: 'none',
	/** Another backup, restore or drill has the lock. */
	busy: 'busy',
	/** A running server has the database: `place`. */
	serverRuns: 'busy',
	/** `name`, `what`. */
	damaged: 'damaged',
	/** What was restored is not what is in the backup: `name`, `what`. */
	notRestored: 'failed',
	/** It is restored, but what comes last failed: `name`, `why`. The next start does it. */
	restoredBut: 'failed',
	/** It holds no such thing: `name`, `what`. */
	notInIt: 'none',
	/** Made by version 1: `name`. */
	version1Backup: 'failed',
	/** Made by a newer version: `name`. */
	newerFormat: 'failed',
	/** `folder`, `neededBytes`, `freeBytes`. */
	noRoom: 'failed',
	/** The database's log became too long while it was read: `logBytes`. */
	tooSlow: 'failed',
	/** `folder`, `why` (a code such as EROFS). */
	cannotWrite: 'failed',
	/** `folder`, `why`. */
	cannotRead: 'failed',
	/** Nothing that mongodump wrote: `path`. */
	noDump: 'none',
	/** What mongodump wrote holds no database of ours: `path`; `there`: its databases. */
	foreignDump: 'failed',
	/** It holds several of them: `path`, `there`. */
	severalInDump: 'usage',
	/** It is a database of version 1: `path`, `name`. */
	version1Dump: 'failed',
	/** `path`, `what`. */
	damagedDump: 'damaged',
	/** Of a newer version: `path`. */
	newerDump: 'failed',
	/** The database could not be read: `why`, `hint`. */
	database: 'failed',
	/** Stopped by the operator. */
	stopped: 'failed',
	/** The same in the midst of a restore. */
	restoreStopped: 'failed',
	/** `what` is the sentence. */
	usage: 'usage',
	/** A setting can't be used: `what` is the sentence. */
	setting: 'usage',
} as const satisfies Record<string, Exit>

export type TroubleCode = keyof typeof exits
export type Values = Readonly<Record<string, string | number>>
export type Language = 'en' | 'id'

/** One sentence and the next step, for each code. */
export interface Sentence {
	says: string
	/** What to do now. */
	hint?: string
}
export type Words = Record<TroubleCode, (values: Values) => Sentence>

const words: Record<Language, Words> = { en, id }

/** An expected failure. `message` is its English sentence. */
export class Trouble extends Error {
	override name = 'Trouble'
	readonly code: TroubleCode
	readonly values: Values
	constructor(code: TroubleCode, values: Values = {}, options: { cause?: unknown } = {}) {
		super(words.en[code](values).says, options)
		this.code = code
		this.values = values
	}
	/** How a command ends with it. */
	get exit(): number {
		return EXIT[exits[this.code]]
	}
	/** What people are told. */
	say(language: Language): Sentence {
		return words[language][this.code](this.values)
	}
}

/** What SQLite calls what a disk said: read-only, failed, full, can't be opened. */
const SQLITE: Record<number, string> = { 8: 'EROFS', 10: 'EIO', 13: 'ENOSPC', 14: 'EACCES' }

/** What a disk said, as a trouble with this folder; null where it is something else. */
export function diskTrouble(error: unknown, folder: string): Trouble | null {
	const { code: said = '', errcode = 0 } = error as NodeJS.ErrnoException & { errcode?: number }
	const code = error instanceof StorageFull ? 'ENOSPC' : (SQLITE[errcode & 0xff] ?? said)
	if (code === 'ENOSPC' || code === 'EDQUOT') return new Trouble('noRoom', { folder }, { cause: error })
	if (/^(EROFS|EACCES|EPERM|EIO|EMFILE|ENFILE|ENOTDIR|EBUSY)$/.test(code))
		return new Trouble('cannotWrite', { folder, why: code }, { cause: error })
	return null
}
