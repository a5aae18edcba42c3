/**
 * The outbox: commands in the order they were given, on this device until a backup has them.
 *
 * Promises that a command is sent in its order once the server answers, that a lost answer or
 * another tab makes no second one (the id was made here, before the first try), that a refused
 * one holds up nobody, and that after a restore whatever may be missing is offered again.
 * The files of a message go before it, in the same order and by the same tab.
 * Never drops what was written but when it is released, taken back or was seen removed.
 */
import { type CommandName, commands, type ErrorCode, type Output, type Problem, type Receipt } from '../../../protocol/api.ts'
import { limits, type Message, parseCursor } from '../../../protocol/model.ts'
import type { Call } from '../api.ts'
import { ApiError, Unreachable } from '../client.ts'
import { type Clock, makeId } from '../ids.ts'
import { openNotices } from '../notices.ts'
import { oneAtATime } from '../once.ts'
import { isExpired, isUndone, refersTo, returned, unsent, uploadsOf } from './commands.ts'
import { type NewRow, type Row, type Said, type UserDatabase, unsentIn } from './database.ts'
import { letGo, withLease } from './lease.ts'
import type { Files } from './staged.ts'
import { keepList } from './timeline.ts'
import type { Transfers } from './transfers.ts'

export interface Outbox {
	/** Waiting and refused commands in order, and those just stored that this tab had seen waiting. Same identity until changed. */
	rows(): readonly Row[]
	add(said: Said): Promise<void>
	/** How many commands wait or were refused, of all tabs: also those that are just being written down. */
	unsent(): Promise<number>
	/** A refused command, once more. */
	retry(number: number): Promise<void>
	/** Drops a refused command and gives back its text; files are staged again. */
	takeBack(number: number): Promise<string | null>
	/** The same for a message that waits, as long as the server can't have heard of it. */
	cancel(message: string): Promise<string | null>
	/** The server answers and this is its journal: begin to send. */
	start(lineage: string): Promise<void>
	stop(): void
	/** Backups reach to here. */
	release(cursor: string): Promise<void>
	/** Messages as they are now, to remember which of mine were removed. */
	noteMessages(messages: readonly Message[]): Promise<void>
	/** These were not known before: commands that wait for one of them may go. */
	noteBorn(ids: ReadonlySet<string>): void
	/** Resolves when another tab may send; the database may be closed then. */
	close(): Promise<void>
}

export interface OutboxOptions {
	database: UserDatabase
	/** This tab's name for the lease. */
	tab: string
	call: Call
	clock: Clock
	files: Files
	transfers: Transfers
	/** `rows` changed. */
	onChange(): void
	/** Whether the records show what this stored command did. */
	isShown(row: Row): boolean
	/** The server's answer to a command, before the command counts as stored. */
	onStored(answer: object): void
	/** The server did not take the session: nothing is sent until `start`. */
	onRefusedSession(): void
	/** The first wait after a failure; it doubles. */
	retryMs?: number
}

/** Nothing is wrong with the command; the same one may do later. */
const temporary: ReadonlySet<ErrorCode> = new Set(['outcome_unknown', 'storage_full', 'storage_unavailable', 'standby', 'rate_limited'])
/** Something is wrong with the session. */
const sessionRefused: ReadonlySet<ErrorCode> = new Set(['not_signed_in', 'account_pending', 'account_rejected', 'account_deactivated'])
/** What may be wrong with the command: after so many tries it counts as refused, so that the others go on. */
const triesOn: Partial<Record<ErrorCode, number>> = { internal: 6, id_in_future: 3, upload_unknown: 2 }
const lastRetryMs = 30_000
const leasePollMs = 1_000
/** Room for what surrounds the commands in a body. */
const batchBytes = limits.bodyBytes - 4_096

/** Opens what waits on this device; nothing is sent before `start`. */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
	const { database, call, clock, files, retryMs = 500 } = options
	const table = database.outbox
	/** Of what may be sent with files. */
	const tables = [table, database.files, database.bytes]
	let rows: readonly Row[] = []
	/** Null while the server does not answer. */
	let lineage: string | null = null
	let knownLineage = (await database.meta.get('lineage'))?.value ?? ''
	/** Offered in this connection, and the server does not know (yet) what they are about. */
	const parked = new Set<number>()
	/** What has come to be known while an offer was under way. */
	const bornMeanwhile = new Set<string>()
	const failures = new Map<number, number>()
	/** What is just being written down. */
	const adding = new Set<Promise<void>>()
	/** Whose files are under way. */
	let sending: { number: number; stop: AbortController } | null = null
	let waits = 0
	let timer: ReturnType<typeof setTimeout> | undefined

	const reread = oneAtATime(async () => {
		const present = await unsentIn(database).sortBy('number')
		const numbers = new Set(present.map((row) => row.number))
		if (sending && !numbers.has(sending.number)) sending.stop.abort()
		// A command that just ceased to wait is shown until its record is: never in neither place.
		const left = await table.bulkGet(rows.filter((row) => !numbers.has(row.number)).map((row) => row.number))
		const next = [...left.filter((row): row is Row => row !== undefined && !options.isShown(row)), ...present].sort(
			(a, b) => a.number - b.number,
		)
		const known = new Map(rows.map((row) => [row.number, row]))
		const before = rows
		rows = keepList(
			before,
			next.map((row) => {
				const same = known.get(row.number)
				return same && JSON.stringify(same) === JSON.stringify(row) ? same : row
			}),
		)
		if (rows !== before) options.onChange()
	})

	const notices = openNotices(database.name, () => void reread().then(wake, ignoreClosed))

	/** Something was written: this tab and the others look again. */
	async function changed() {
		notices.tell()
		await reread()
	}

	const drain = oneAtATime(async () => {
		await reread()
		if (!nextStep()) return
		const leased = await withLease(database, options.tab, async (held) => {
			while (held()) {
				const step = nextStep()
				if (!step) return
				try {
					await step()
					waits = 0
				} catch (error) {
					if (!(error instanceof ApiError || error instanceof Unreachable)) throw error
					return putOff(error)
				}
				await changed()
			}
			again(0)
		})
		if (!leased) again(leasePollMs)
	})

	function wake() {
		if (lineage !== null && !timer) drain().catch(ignoreClosed)
	}

	/** Nothing is sent before then. */
	function again(delayMs: number) {
		clearTimeout(timer)
		timer = setTimeout(() => {
			timer = undefined
			wake()
		}, delayMs)
	}

	function atOnce() {
		clearTimeout(timer)
		timer = undefined
	}

	/** The server could not take a command now: later, unless it does not take the session. */
	function putOff(error: ApiError | Unreachable) {
		const problem = error instanceof ApiError ? error.problem : null
		if (problem && sessionRefused.has(problem.code)) {
			stop()
			options.onRefusedSession()
			return
		}
		const askedMs = problem?.retryAfterSeconds && problem.retryAfterSeconds * 1_000
		const backoffMs = Math.min(lastRetryMs, retryMs * 2 ** waits++)
		again((askedMs ?? backoffMs) * (1 + Math.random() / 2))
	}

	/** The next thing to send, if anything can go now. */
	function nextStep(): (() => Promise<void>) | null {
		const here = lineage
		if (here === null) return null
		const waiting = rows.filter((row) => row.state === 'waiting')
		const isElsewhere = (row: Row) => row.lineage !== here && row.lineage !== ''
		const offers = waiting.filter((row) => isElsewhere(row) && !parked.has(row.number))
		if (offers.length > 0) return () => offer(here, offers)
		/** What commands in the queue will make, but not yet. */
		const held = new Set<string>()
		for (const row of waiting) {
			const waits = isElsewhere(row) || refersTo(row).some((id) => held.has(id))
			if (!waits) return () => send(row)
			if (row.command === 'startDiscussion' || row.command === 'sendMessage') held.add(row.target)
		}
		return null
	}

	async function send(row: Row) {
		try {
			await sendFiles(row)
			if ((await begin([row])).length === 0) return
			const answer: Output<CommandName> = await call(row.command, row.input)
			options.onStored(answer)
			await store(row, answer.cursor, answer as { message?: Message; receipt?: Receipt })
		} catch (error) {
			if (error instanceof Cancelled) return
			if (!(error instanceof ApiError)) throw error
			const { code } = error.problem
			if (sessionRefused.has(code) || temporary.has(code)) throw error
			const tries = (failures.get(row.number) ?? 0) + 1
			failures.set(row.number, tries)
			if (tries >= (triesOn[code] ?? 0)) return refuse(row, error.problem)
			if (code === 'upload_unknown') await files.noteUnsent(uploadsOf(row))
			if (code !== 'id_in_future') throw error
			clock.learn((await call('me', {})).now)
			await renew(row)
		}
	}

	/** Sends the files of a message that this journal does not have; resolves with how many they were. */
	async function sendFiles(row: Row): Promise<number> {
		const uploads = uploadsOf(row)
		if (uploads.length === 0 || lineage === null) return 0
		const stop = new AbortController()
		sending = { number: row.number, stop }
		try {
			const sent = await options.transfers.send(uploads, lineage, stop.signal)
			// Without its files the message must not go.
			stop.signal.throwIfAborted()
			return sent
		} catch (error) {
			throw stop.signal.aborted ? new Cancelled() : error
		} finally {
			sending = null
		}
	}

	/** Of these commands, those that still wait: from now on the server may have heard of them. */
	function begin(batch: readonly Row[]): Promise<Row[]> {
		return database.transaction('rw', table, async () => {
			const now = await table.bulkGet(batch.map((row) => row.number))
			const waiting = batch.filter((_, at) => now[at]?.state === 'waiting')
			await table.bulkPut(now.filter((row) => row?.state === 'waiting' && !row.tried).map((row) => ({ ...row!, tried: true })))
			return waiting
		})
	}

	/** Offers as many of these as one call takes, in their order. */
	async function offer(here: string, offers: readonly Row[]) {
		let batch: Row[] = []
		let bytes = 0
		for (const row of offers.slice(0, limits.returnsPerBatch)) {
			bytes += new TextEncoder().encode(JSON.stringify(returned(row))).length + 1
			if (batch.length > 0 && bytes > batchBytes) break
			batch.push(row)
		}
		batch = await begin(batch)
		if (batch.length === 0) return
		bornMeanwhile.clear()
		const { results } = await call('offerAgain', { commands: batch.map(returned) })
		for (const [at, row] of batch.entries()) {
			const result = results[at]
			if (result?.outcome === 'done') {
				options.onStored(result)
				await store(row, result.cursor ?? `${here}:0`, result)
			} else if (result?.problem && result.problem.code !== 'upload_unknown') await refuse(row, result.problem)
			else if (await filesWent(row)) continue
			else if (result?.problem) await refuse(row, result.problem)
			else if (row.optional) await table.delete(row.number)
			else if (!refersTo(row).some((id) => bornMeanwhile.has(id))) parked.add(row.number)
		}
	}

	/** What was lost in a restore has lost its files too: whether there were some to send (it is offered again) or to be refused. */
	async function filesWent(row: Row): Promise<boolean> {
		try {
			return (await sendFiles(row)) > 0
		} catch (error) {
			if (error instanceof Cancelled) return true
			if (!(error instanceof ApiError) || sessionRefused.has(error.problem.code) || temporary.has(error.problem.code)) throw error
			await refuse(row, error.problem)
			return true
		}
	}

	async function store(row: Row, cursor: string, { message, receipt }: { message?: Message | undefined; receipt?: Receipt | undefined }) {
		failures.delete(row.number)
		const { lineage, seq } = parseCursor(cursor) as { lineage: string; seq: number }
		const storedAt = row.storedAt ?? Date.now()
		await table.update(row.number, { state: 'stored', lineage, seq, rev: message?.rev ?? null, receipt: receipt ?? row.receipt, storedAt })
		if (uploadsOf(row).length > 0) await files.sweep()
	}

	async function refuse(row: Row, problem: Problem) {
		failures.delete(row.number)
		await table.update(row.number, { state: 'refused', problem, lineage: lineage ?? row.lineage })
	}

	/** Gives what this command makes a new id, in the later commands about it too. */
	async function renew(row: Row) {
		const old = row.command === 'editMessage' ? row.input.edit : row.target
		const id = makeId(clock)
		await database.transaction('rw', tables, async () => {
			const renewed = await files.renew(uploadsOf(row), lineage ?? '')
			await database.files.where('message').equals(old).modify({ message: id })
			await table
				.where('number')
				.aboveOrEqual(row.number)
				.modify((later: Row) => {
					if (later.state === 'stored') return
					for (const [field, value] of Object.entries(later.input)) if (value === old) Object.assign(later.input, { [field]: id })
					if (later.target === old) later.target = id
					if (later.command === 'sendMessage') later.input.uploads = uploadsOf(later).map((upload) => renewed.get(upload) ?? upload)
				})
		})
	}

	/** Another journal than the one these were stored in: all of them wait again, but what was removed meanwhile. */
	async function enter(here: string) {
		await database.transaction('rw', table, database.meta, async () => {
			await database.meta.put({ key: 'lineage', value: here })
			const stored = await table
				.where('state')
				.equals('stored')
				.and((row) => row.lineage !== here)
				.toArray()
			const gone = stored.filter((row) => isExpired(row) || isUndone(row))
			const unsent = new Set(gone.filter((row) => row.command === 'sendMessage').map((row) => row.target))
			const dropped = new Set(gone.map((row) => row.number))
			await table.bulkDelete([...dropped])
			await table.bulkPut(
				stored
					.filter((row) => !dropped.has(row.number))
					.map((row) => ({ ...row, state: 'waiting', seq: null, optional: row.command === 'setRemoved' && unsent.has(row.target) })),
			)
		})
		await files.sweep()
		knownLineage = here
	}

	function stop() {
		lineage = null
		sending?.stop.abort()
		atOnce()
	}

	/** Within a transaction: takes a message out that was not stored, with all that is about it, and stages its files again. */
	async function withdraw(target: string): Promise<string> {
		const about = await table.where('target').equals(target).sortBy('number')
		await table.bulkDelete(about.map((row) => row.number))
		await files.giveBack(target)
		const texts = about.flatMap((row) => (row.command === 'sendMessage' || row.command === 'editMessage' ? [row.input.text] : []))
		return texts.at(-1) ?? ''
	}

	async function add(said: Said): Promise<void> {
		const input = commands[said.command].parse(said.input)
		if (said.command === 'sendMessage' && !said.input.text.trim() && said.input.uploads.length === 0) throw new Error('nothing is said')
		const row = { ...said, input, target: said.input.id, lineage: lineage ?? knownLineage, ...unsent } as NewRow
		await database.transaction('rw', tables, async () => {
			if (row.command === 'sendMessage' && row.input.uploads.length > 0) {
				// What another tab has sent meanwhile does not go twice.
				row.input.uploads = await files.attach(row.input.uploads, row.target)
				if (row.input.uploads.length === 0 && row.input.text === '') return
			}
			await table.add(row)
		})
		await changed()
		wake()
	}

	await table.filter((row) => row.state !== 'refused' && isExpired(row)).delete()
	await files.sweep()
	await reread()

	return {
		rows: () => rows,
		async add(said) {
			const added = add(said)
			adding.add(added)
			await added.finally(() => adding.delete(added))
		},
		async unsent() {
			await Promise.allSettled(adding)
			await reread()
			return unsentIn(database).count()
		},
		async retry(number) {
			const row = await table.get(number)
			if (row?.state !== 'refused') return
			if (row.problem?.code === 'id_taken') await renew(row)
			await table.update(number, { state: 'waiting', problem: null, tried: false })
			await changed()
			wake()
		},
		async takeBack(number) {
			const said = await database.transaction('rw', tables, async () => {
				const row = await table.get(number)
				if (row?.state !== 'refused') return null
				if (row.command === 'sendMessage') return withdraw(row.target)
				await table.delete(number)
				if (row.command === 'setRemoved') return null
				return row.command === 'startDiscussion' ? row.input.prompt || row.input.title : row.input.text
			})
			await changed()
			return said
		},
		async cancel(message) {
			const said = await database.transaction('rw', tables, async () => {
				const about = await table.where('target').equals(message).toArray()
				const row = about.find(({ command }) => command === 'sendMessage')
				const isStill = row && row.storedAt === null && (row.state === 'refused' || (row.state === 'waiting' && row.tried === false))
				return isStill ? withdraw(message) : null
			})
			await changed()
			wake()
			return said
		},
		async start(here) {
			parked.clear()
			// What waits again is not for the journal before.
			if (lineage !== here) lineage = null
			await enter(here)
			lineage = here
			waits = 0
			atOnce()
			await reread()
			wake()
		},
		stop,
		async release(cursor) {
			const place = parseCursor(cursor)
			if (!place) return
			const released = await table
				.where('[lineage+seq]')
				.between([place.lineage, 0], [place.lineage, place.seq], true, true)
				.and((row) => row.state === 'stored')
				.delete()
			if (released > 0) await files.sweep()
		},
		async noteMessages(messages) {
			const changedSince = new Map(messages.filter((message) => message.rev > message.seq).map((message) => [message.id, message]))
			if (changedSince.size === 0) return
			await table
				.where('target')
				.anyOf([...changedSince.keys()])
				.and((row) => row.state === 'stored')
				.modify((row) => {
					const message = changedSince.get(row.target)
					if (message && message.rev >= (row.rev ?? 0)) row.seenRemoved = message.removed !== null
				})
		},
		noteBorn(ids) {
			for (const id of ids) bornMeanwhile.add(id)
			const freed = rows.filter((row) => parked.has(row.number) && refersTo(row).some((id) => ids.has(id)))
			for (const row of freed) parked.delete(row.number)
			if (freed.length > 0) wake()
		},
		async close() {
			stop()
			notices.close()
			await letGo(database, options.tab).catch(ignoreClosed)
		},
	}
}

/** Taken back while its files were under way. */
class Cancelled extends Error {}

/** The tab's database was closed or deleted under its feet: somebody signed out. */
function ignoreClosed(error: unknown) {
	if (!(error instanceof Error && /DatabaseClosed|InvalidState|Abort/.test(error.name))) throw error
}
