/**
 * What the operator can set, from the environment and the command line.
 *
 * Promises a checked value for every setting, or one sentence that says which one is wrong.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
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
	/** The file with the installation's settings, where there is one: it is kept in backups. */
	envFile: string
	backup: BackupSettings
	alerts: AlertSettings
}

export interface BackupSettings {
	/** When one is made by itself: a cron pattern in local time; null: never. */
	schedule: string | null
	/** How many verified ones of the schedule are kept, and how many of each other reason. */
	keep: number
	/** Scheduled ones are proven by a drill. */
	drill: boolean
	/** After how long without a verified backup people are told. */
	lateHours: number
}

/** Who is told when a backup failed or did not happen; each null: nobody that way. */
export interface AlertSettings {
	/** Addresses, and the mail server as a URL such as `smtps://user:password@host`. */
	mail: { to: string; from: string; server: string } | null
	webhook: string | null
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
	envFile: join(root, '.env.production.local'),
	backup: { schedule: '30 2 * * *', keep: 7, drill: true, lateHours: 26 },
	alerts: { mail: null, webhook: null },
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

/** The environment over what the env file says, where there is one: `ENV_FILE`, or `.env.production.local`. Throws `BadSetting`. */
export function readEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const path = env.ENV_FILE ? resolve(env.ENV_FILE) : defaults.envFile
	try {
		return { ...parseEnv(readFileSync(path, 'utf8')), ...env }
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException
		if (code === 'ENOENT' && !env.ENV_FILE) return env
		throw new BadSetting(`The settings in ${path} can't be read (${code}).`)
	}
}

/** `02:30`, a cron pattern of five fields, or `off`. */
function readSchedule(text: string): string | null {
	if (text === 'off') return null
	const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
	if (hour !== undefined) return `${Number(minute)} ${Number(hour)} * * *`
	if (/^[\d*/,-]+( [\d*/,\w-]+){4}$/.test(text)) return text
	throw new BadSetting(`BACKUP_SCHEDULE is "${text}", but must be a time such as 02:30, a cron pattern, or off.`)
}

function readAlerts(env: NodeJS.ProcessEnv): AlertSettings {
	const { ALERT_WEBHOOK_URL: webhook, ALERT_MAIL_TO: to, SMTP_URL: server } = env
	if (webhook && !/^https?:\/\//.test(webhook)) throw new BadSetting('ALERT_WEBHOOK_URL must begin with http:// or https://.')
	if (server && !/^smtps?:\/\//.test(server)) throw new BadSetting('SMTP_URL must begin with smtp:// or smtps://.')
	if (Boolean(to) !== Boolean(server)) throw new BadSetting('ALERT_MAIL_TO and SMTP_URL go together: one of them is missing.')
	const mail = to && server ? { to, server, from: env.ALERT_MAIL_FROM || to.split(',')[0]!.trim() } : null
	return { mail, webhook: webhook || null }
}

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
		envFile: env.ENV_FILE ? resolve(env.ENV_FILE) : defaults.envFile,
		backup: {
			schedule: env.BACKUP_SCHEDULE ? readSchedule(env.BACKUP_SCHEDULE.trim()) : defaults.backup.schedule,
			keep: whole('BACKUP_KEEP', defaults.backup.keep, 1, 10_000),
			drill: env.BACKUP_DRILL !== 'off',
			lateHours: whole('BACKUP_LATE_HOURS', defaults.backup.lateHours, 1, 10_000),
		},
		alerts: readAlerts(env),
	}
}
