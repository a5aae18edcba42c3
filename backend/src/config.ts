/**
 * What the operator can set, from the environment and the command line.
 *
 * Promises a checked value for every setting, or one sentence that says which one is wrong.
 */
import { join, resolve } from 'node:path'
import { defaultRates, type RateLimits } from './rates.ts'
import { SILENCE_MS, WRITE_TIMEOUT_MS } from './storage/engine.ts'
import type { OpenOptions } from './storage/open.ts'

const root = join(import.meta.dirname, '../..')

export interface Config {
	port: number
	host: string
	/** Where everything is that lasts. */
	folders: { data: string; uploads: string; backups: string }
	/** Where the database is when it is not in the data folder. */
	mongodb: NonNullable<OpenOptions['mongodb']> | null
	/** How long a write waits for the database. */
	writeTimeoutMs: number
	/** Begin with an empty database although there was a full one. */
	fresh: boolean
	logLevel: string
	/** Whose X-Forwarded-* headers are believed: addresses or networks; none by default. */
	trustProxy: string[]
	/** The built web app. */
	webDir: string
	rates: RateLimits
	/** Cost of a password's hash (Argon2id). */
	password: { memoryKiB: number; passes: number }
	/** A socket with more than this unread is dropped. */
	slowSocketBytes: number
	/** How long the journal is kept. */
	journalKeepDays: number
	/** How often idle sockets are told where the server stands. */
	idleSocketMs: number
	/** After how long a silence a file on its way is cut off. */
	silentUploadMs: number
	/** How old a file that nobody needs must be before it is moved to the trash, and how old the lineage: longer than a backup takes, and than people need to notice what a restore did. */
	sweepAfterDays: number
	sweepQuietDays: number
}

export const defaults: Config = {
	port: 3000,
	host: '::',
	folders: { data: join(root, 'backend/data'), uploads: join(root, 'backend/uploads'), backups: join(root, 'backups') },
	mongodb: null,
	writeTimeoutMs: WRITE_TIMEOUT_MS,
	fresh: false,
	logLevel: 'info',
	trustProxy: [],
	webDir: join(root, 'frontend/dist'),
	rates: defaultRates,
	password: { memoryKiB: 19_456, passes: 2 },
	slowSocketBytes: 2 * 1024 * 1024,
	journalKeepDays: 30,
	idleSocketMs: 20_000,
	silentUploadMs: 30_000,
	sweepAfterDays: 7,
	sweepQuietDays: 30,
}

/** What DATA_DIR holds. */
export function foldersIn(dir: string): Config['folders'] {
	return { data: join(dir, 'data'), uploads: join(dir, 'uploads'), backups: join(dir, 'backups') }
}

/** What the store is opened with. */
export function storeOptions({ folders, mongodb, writeTimeoutMs, fresh }: Config): OpenOptions {
	return { folder: folders.data, backups: folders.backups, fresh, writeTimeoutMs, ...(mongodb && { mongodb }) }
}

/** A setting that can't be used; the message is for the operator. */
export class BadSetting extends Error {
	override name = 'BadSetting'
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** Reads the settings. Throws `BadSetting`. */
export function readConfig(env: NodeJS.ProcessEnv, args: readonly string[]): Config {
	const unknown = args.find((arg) => arg !== '--fresh')
	if (unknown !== undefined) throw new BadSetting(`There is no option "${unknown}". The only one is --fresh.`)
	const whole = (name: string, fallback: number, min: number, max: number) => {
		const value = env[name] ? Number(env[name]) : fallback
		if (Number.isInteger(value) && value >= min && value <= max) return value
		throw new BadSetting(`${name} is "${env[name]}", but must be a number from ${min} to ${max}.`)
	}
	const port = whole('PORT', defaults.port, 0, 65_535)
	const journalKeepDays = whole('JOURNAL_KEEP_DAYS', defaults.journalKeepDays, 1, 3_650)
	const sweepAfterDays = whole('SWEEP_AFTER_DAYS', defaults.sweepAfterDays, 1, 3_650)
	const writeTimeoutMs = whole('WRITE_TIMEOUT_MS', defaults.writeTimeoutMs, 100, 600_000)
	const silenceMs = whole('TAKEOVER_AFTER_MS', SILENCE_MS, 200, 600_000)
	const uri = env.MONGODB_URI?.trim()
	const logLevel = env.LOG_LEVEL || defaults.logLevel
	if (!levels.includes(logLevel)) throw new BadSetting(`LOG_LEVEL is "${logLevel}", but must be one of ${levels.join(', ')}.`)
	const folders = env.DATA_DIR ? foldersIn(resolve(env.DATA_DIR)) : defaults.folders
	const trustProxy = (env.TRUST_PROXY ?? '').split(',').flatMap((part) => part.trim() || [])
	return {
		...defaults,
		port,
		host: env.HOST || defaults.host,
		folders,
		mongodb: uri ? { uri, silenceMs, inContainer: env.IN_CONTAINER === 'true' } : null,
		writeTimeoutMs,
		fresh: args.includes('--fresh'),
		logLevel,
		trustProxy,
		journalKeepDays,
		sweepAfterDays,
		webDir: env.WEB_DIR ? resolve(env.WEB_DIR) : defaults.webDir,
	}
}
