/**
 * Looks after backups while the server runs: makes them in time, knows what is kept, and notices what is wrong.
 *
 * Promises that a backup which failed, did not happen or vanished is an alert, also after a restart, until there is a
 * good one again; and that a defect of it never touches the chat.
 */
import { type FSWatcher, mkdirSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import { Cron } from 'croner'
import type { Logger } from 'pino'
import { z } from 'zod'
import { formatCursor } from '../../../protocol/model.ts'
import type { Config } from '../config.ts'
import { writeDurably } from '../storage/durable-file.ts'
import { INSTALLATION } from '../storage/open.ts'
import type { Store } from '../storage/store.ts'
import { Alert, type AlertCode, openMessenger, type Way } from './alerts.ts'
import { type Backup, listBackups } from './folder.ts'
import type { Job, Outcome } from './process.ts'
import type { Step } from './progress.ts'
import { openRunner } from './runner.ts'
import { Trouble } from './trouble.ts'

export interface Keeper {
	/** What runs in the server's child process now. */
	readonly running: { kind: Job['kind']; step: Step | null } | null
	/** What is wrong now, newest first. */
	readonly alerts: readonly Alert[]
	/** When the schedule makes the next one; null: never. */
	readonly nextAt: string | null
	/** Begins one; resolves when it has begun. Throws `Trouble` busy where one is running. */
	start(job: Job): Promise<void>
	/** Looks at everything now, and tells what is to be told. */
	look(): Promise<void>
	/** Stops what runs. */
	close(): Promise<void>
}

export interface KeeperOptions {
	config: Config
	store: Store
	log: Logger
	/** Hears the cursor up to which everything is kept, whenever it moves. */
	onKept: (cursor: string) => void
	/** How long after a start what was missed meanwhile is made. */
	catchUpMs?: number
}

const HOUR_MS = 60 * 60 * 1_000
/** How often it looks by itself, and how long after a change of the folder. */
const LOOK_MS = 10 * 60 * 1_000
const SOON_MS = 200
/** A scheduled one is not made when there is a verified one of less than this age. */
const FRESH_MS = HOUR_MS

const STATE = 'backup-watch.json'
const State = z.object({
	/** Since when somebody looks. */
	since: z.iso.datetime(),
	/** Verified backups that were there the last time, newest first. */
	known: z.array(z.string()),
	alerts: z.array(Alert),
	/** By these ways people were told that something is wrong, and have to hear when it is over. */
	owed: z.array(z.enum(['mail', 'webhook'])),
})
type State = z.infer<typeof State>

/** Begins to look after the backups of an installation. */
export async function openKeeper({ config, store, log, onKept, catchUpMs = 60_000 }: KeeperOptions): Promise<Keeper> {
	const { folders } = config
	const { schedule, drill, keep, lateHours } = config.backup
	const path = join(folders.data, STATE)
	const runner = openRunner(config)
	const messenger = openMessenger(config)
	const installation = ((await store.get('system', INSTALLATION)) as { value: string }).value
	const startedAt = Date.now()
	const state = readState(path)
	let kept: string | null = null
	let closed = false

	const warn = (error: unknown) => log.error({ err: error }, 'backups could not be looked after')

	let written = ''
	/** What can't be written now, on a full disk, is written with the next look. */
	function write(): void {
		const text = `${JSON.stringify(state, null, '\t')}\n`
		if (text === written) return
		try {
			writeDurably(path, text)
			written = text
		} catch (error) {
			warn(error)
		}
	}

	function raise(code: AlertCode, values: Alert['values'], trouble: string | null = null): void {
		const before = state.alerts.find((alert) => alert.code === code)
		if (before && before.trouble === trouble) return
		log.warn({ alert: code, ...values }, 'backups need attention')
		state.alerts = [{ code, at: new Date().toISOString(), values, trouble, told: [] }, ...state.alerts.filter((alert) => alert !== before)]
	}

	function clear(...codes: AlertCode[]): void {
		state.alerts = state.alerts.filter(({ code }) => !codes.includes(code))
	}

	// What is there.

	const own = async () => (await listBackups(folders.backups)).backups.filter(({ manifest }) => manifest.installation === installation)

	function moveKept(backups: readonly Backup[]): void {
		const { lineage } = store.head
		const counts = backups.filter(
			({ manifest, verifiedAt, provenAt }) => manifest.lineage === lineage && (drill ? provenAt : verifiedAt) !== null,
		)
		if (counts.length === 0) return
		const cursor = formatCursor(lineage, Math.max(...counts.map(({ manifest }) => manifest.seq)))
		if (cursor === kept) return
		kept = cursor
		onKept(cursor)
	}

	/** What pruning removes is never the newest, and never so much that fewer than `keep` are left. */
	function watchKnown(backups: readonly Backup[]): void {
		const verified = backups.filter(({ verifiedAt }) => verifiedAt !== null).map(({ name }) => name)
		const there = new Set(backups.map(({ name }) => name))
		const gone = state.known.filter((name) => !there.has(name))
		const left = state.known.length - gone.length
		const newestGone = state.known.length > 0 && gone.includes(state.known[0]!)
		const newer = verified.length > 0 && !state.known.includes(verified[0]!)
		// There is a good one again.
		if (newer) clear('vanished')
		const few = left + (newer ? 1 : 0) < Math.min(keep, state.known.length)
		if (gone.length > 0 && ((newestGone && !newer) || few)) raise('vanished', { count: gone.length })
		state.known = verified
	}

	function watchNewest(backups: readonly Backup[]): void {
		const [newest] = backups
		const damaged = backups.find(({ damaged }) => damaged !== null)
		if (damaged && damaged === newest) raise('damaged', { name: damaged.name })
		else clear('damaged')
		if (newest && newest.verifiedAt === null && newest.damaged === null) raise('notVerified', { count: newest.manifest.problems.length })
		else clear('notVerified')
		if (newest?.verifiedAt && newest.manifest.createdAt > (state.alerts.find(({ code }) => code === 'failed')?.at ?? '')) clear('failed')
		const verified = backups.find(({ verifiedAt }) => verifiedAt !== null)
		const since = Math.max(Date.parse(verified?.manifest.createdAt ?? state.since), Date.parse(state.since))
		const lateMs = Date.now() - since
		if (schedule === null || lateMs < lateHours * HOUR_MS) clear('late')
		else if (Date.now() - startedAt > HOUR_MS || lateMs > 2 * lateHours * HOUR_MS) raise('late', { hours: Math.floor(lateMs / HOUR_MS) })
	}

	async function tellBy(way: Way): Promise<void> {
		for (const alert of state.alerts) {
			if (alert.told.includes(way)) continue
			await messenger.tell(way, alert)
			alert.told.push(way)
			if (!state.owed.includes(way)) state.owed.push(way)
			write()
		}
		if (state.alerts.length > 0 || !state.owed.includes(way)) return
		await messenger.tell(way, null)
		state.owed = state.owed.filter((owed) => owed !== way)
		write()
	}

	/** One look after another. */
	let looking: Promise<void> = Promise.resolve()
	function look(): Promise<void> {
		looking = looking.then(async () => {
			if (closed) return
			watchFolders()
			try {
				const backups = await own()
				moveKept(backups)
				watchKnown(backups)
				watchNewest(backups)
			} catch (error) {
				if (error instanceof Trouble) raise('failed', { ...error.values }, error.code)
				else warn(error)
			}
			write()
			for (const way of messenger.ways()) void tell(way)
		})
		return looking
	}

	const telling = new Set<Way>()
	/** Ways by which people can't be told: seen on the page only. */
	const untold = new Map<Way, Alert>()
	/** Nobody waits for it, nor one way for the other: a mail server may take its time. It is tried again with the next look. */
	async function tell(way: Way): Promise<void> {
		if (telling.has(way)) return
		telling.add(way)
		try {
			await tellBy(way)
			untold.delete(way)
		} catch (error) {
			log.warn({ err: error, way }, 'people could not be told about backups; it is tried again')
			const at = untold.get(way)?.at ?? new Date().toISOString()
			untold.set(way, { code: 'notTold', at, values: { way, why: (error as Error).message }, trouble: null, told: [] })
		}
		telling.delete(way)
	}

	// What is made.

	function begin(job: Job): Promise<Outcome> | null {
		const done = runner.run(job)
		if (!done) return null
		return done.then(async (outcome) => {
			if (!closed) {
				told(job, outcome)
				write()
				await look()
			}
			return outcome
		})
	}

	function told(job: Job, outcome: Outcome): void {
		const code = job.kind === 'drill' ? 'drillFailed' : 'failed'
		const name: Alert['values'] = job.kind === 'drill' ? { name: job.name } : {}
		if (outcome.end === 'done') clear(code)
		else if (outcome.end === 'trouble') {
			// Another process makes one: that is as good.
			if (outcome.code !== 'busy') raise(code, { ...outcome.values, ...name }, outcome.code)
		} else {
			log.error({ job, error: outcome.error }, 'a backup ended by a defect')
			raise(code, { ...name, why: outcome.error.split('\n')[0]! })
		}
	}

	async function makeScheduled(): Promise<void> {
		const newest = (await own()).find(({ verifiedAt }) => verifiedAt !== null)
		const age = newest ? Date.now() - Date.parse(newest.manifest.createdAt) : Number.POSITIVE_INFINITY
		if (closed || (age >= 0 && age < FRESH_MS)) return
		await begin({ kind: 'backup', reason: 'schedule' })
	}

	/** The time of the schedule that came while no server ran. */
	async function catchUp(): Promise<void> {
		const newest = (await own())[0]
		const due = cron?.nextRun(new Date(newest?.manifest.createdAt ?? state.since))
		if (due && due.getTime() < Date.now()) await makeScheduled()
	}

	const cron = schedule === null ? null : new Cron(schedule, { unref: true, protect: true, catch: warn }, makeScheduled)
	const every = setInterval(() => void look(), LOOK_MS).unref()
	const catching = setTimeout(() => void catchUp().catch(warn), catchUpMs).unref()
	let soon: NodeJS.Timeout | undefined
	const hear = () => {
		clearTimeout(soon)
		soon = setTimeout(() => void look(), SOON_MS).unref()
	}
	let watchers: FSWatcher[] = []
	/** Anew with each look: a folder may have been made since, or another put in its place. */
	function watchFolders(): void {
		for (const watcher of watchers) watcher.close()
		watchers = ['', '.marks'].flatMap((name) => {
			try {
				return watch(join(folders.backups, name), { persistent: false }, hear).on('error', () => {})
			} catch {
				// Where it can't be watched, or is not there yet, it is looked at now and then.
				return []
			}
		})
	}
	try {
		mkdirSync(folders.backups, { recursive: true })
	} catch (error) {
		warn(error)
	}
	await look()

	return {
		get running() {
			return runner.running
		},
		get alerts() {
			return [...state.alerts, ...untold.values()]
		},
		get nextAt() {
			return cron?.nextRun()?.toISOString() ?? null
		},
		async start(job) {
			if (!begin(job)) throw new Trouble('busy')
		},
		look,
		async close() {
			closed = true
			cron?.stop()
			clearInterval(every)
			clearTimeout(catching)
			clearTimeout(soon)
			for (const watcher of watchers) watcher.close()
			await runner.close()
			await looking
		},
	}
}

/** What can't be read begins anew: it is written beside backups that say the same. */
function readState(path: string): State {
	const fresh = { since: new Date().toISOString(), known: [], alerts: [], owed: [] }
	try {
		return State.parse(JSON.parse(readFileSync(path, 'utf8')))
	} catch {
		return fresh
	}
}
