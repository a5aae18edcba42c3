/**
 * `npm run sample`: fills an empty installation with a class that has talked for a term, through the public API only.
 *
 * Promises to touch nothing but an empty installation or its own unfinished work, to go on after an interruption, one
 * sentence and the next step where it can't, and an exit code for each outcome. What is made is in ops/sample/.
 */
import { randomInt } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Person } from '../protocol/model.ts'
import { type Caller, openCaller, Refused, Unreachable } from './sample/caller.ts'
import { emailOf, type Filled, fillSchool, isRefused } from './sample/fill.ts'
import { type SamplePerson, schoolOf } from './sample/people.ts'
import { openProgress } from './sample/progress.ts'
import { groups } from './sample/topics.ts'

const HELP = `npm run sample -- --link <one-time link> [--url http://localhost:3000] [--scale 1] [--seed class]

Fills an empty installation with a believable class: an admin, 3 lecturers, 60 students, 4 groups, 4 categories,
8 discussions and 5,000 messages with replies, edits and pictures. The server must be running (npm start);
the link is the one that it prints for the first admin. Interrupted, the same command goes on.

  --url       where the server is; without it, where the link leads
  --scale     0.05 makes a small class quickly
  --seed      another word makes another class
  --accounts  where the addresses and the password are written (sample-accounts.tsv)
  --help      shows this

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`

const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 }
const patienceMs = 30_000

/** It can't go on; the message says the next step. */
class Stopped extends Error {
	override name = 'Stopped'
	readonly exit: number
	constructor(message: string, exit = EXIT.failed) {
		super(message)
		this.exit = exit
	}
}

interface Order {
	url: string
	token: string | null
	scale: number
	seed: string
	accounts: string
}

function parse(args: string[]): Order | null {
	const text = { type: 'string' } as const
	const options = { url: text, link: text, scale: text, seed: text, accounts: text, help: { type: 'boolean', short: 'h' } } as const
	let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values']
	try {
		;({ values } = parseArgs({ args, options }))
	} catch (error) {
		throw new Stopped(`${(error as Error).message}\n\n${HELP}`, EXIT.usage)
	}
	if (values.help) return null
	const { link } = values
	const linked = link && URL.canParse(link) ? new URL(link) : null
	const url = values.url ?? linked?.origin ?? `http://localhost:${process.env.PORT || 3000}`
	if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new Stopped(`--url is no address: ${url}`, EXIT.usage)
	const scale = Number(values.scale ?? 1)
	if (!(scale > 0 && scale <= 20)) throw new Stopped('--scale is a number above 0, at most 20.', EXIT.usage)
	const token = (linked ? linked.hash.slice(1) : link)?.trim() || null
	return {
		url: new URL(url).origin,
		token,
		scale,
		seed: values.seed ?? 'class',
		accounts: resolve(values.accounts ?? 'sample-accounts.tsv'),
	}
}

// One word of each, and a number, to be typed by hand.
const words = ['river mango lantern candle harbour pepper window bamboo', 'quiet golden early gentle silver little honest windy']

function newPassword(): string {
	const [things, kinds] = words.map((list) => list.split(' '))
	const oneOf = (list: string[]) => list[randomInt(list.length)]!
	return `${oneOf(kinds!)}-${oneOf(things!)}-${oneOf(things!)}-${randomInt(100_000, 1_000_000)}`
}

/** What an earlier run began here. */
interface Begun {
	password: string
	seed: string
	scale: number
}

/** The first line of the file of accounts says what it belongs to. */
function readBegun({ accounts, url }: Order): Begun | null {
	if (!existsSync(accounts)) return null
	const match = /^# (\S+)\tseed (.+)\tscale (\S+)\tpassword (\S+)$/m.exec(readFileSync(accounts, 'utf8'))
	return match && match[1] === url ? { seed: match[2]!, scale: Number(match[3]), password: match[4]! } : null
}

const studentsOf = (scale: number) => Math.min(60, Math.max(8, Math.round(60 * scale)))
const messagesOf = (scale: number) => Math.max(8, Math.round(5_000 * scale))

function writeAccounts({ accounts, url }: Order, { password, seed, scale }: Begun): void {
	const { admin, lecturers, students, waiting } = schoolOf(studentsOf(scale))
	const row = (person: SamplePerson) => {
		const where = person.groups.map((group) => groups[group]!.name).join(', ')
		return [person.role, person.name, emailOf(person), waiting.includes(person) ? 'waits for approval' : where].join('\t')
	}
	const rows = [admin, ...lecturers, ...students, ...waiting].map(row)
	const head = `# ${url}\tseed ${seed}\tscale ${scale}\tpassword ${password}`
	writeFileSync(accounts, `${head}\n# One password for all of them.\n${rows.join('\n')}\n`, { mode: 0o600 })
}

/** The admin of the sample, new or of an earlier run. */
async function openAdmin(order: Order, caller: Caller): Promise<{ begun: Begun; me: Person }> {
	const { admin } = schoolOf(8)
	const { setUp } = await caller.call('status', {})
	const begun = readBegun(order)
	if (setUp) {
		const refusal = `The installation at ${order.url} is in use: the sample only fills an empty one, and has changed nothing. For an empty one: DATA_DIR=/tmp/sample npm start`
		if (!begun) throw new Stopped(refusal)
		try {
			return { begun, me: (await caller.call('signIn', { email: emailOf(admin), password: begun.password })).me }
		} catch (error) {
			if (isRefused(error, 'wrong_credentials')) throw new Stopped(refusal)
			throw error
		}
	}
	if (order.token === null) {
		const next = 'Run this again with --link and the link that the server printed when it started.'
		throw new Stopped(`The installation at ${order.url} waits for its first admin. ${next}`, EXIT.usage)
	}
	const fresh: Begun = { password: newPassword(), seed: order.seed, scale: order.scale }
	// First: without it nobody could go on.
	writeAccounts(order, fresh)
	try {
		const input = { token: order.token, name: admin.name, email: emailOf(admin), password: fresh.password }
		return { begun: fresh, me: (await caller.call('setUp', input)).me }
	} catch (error) {
		if (!isRefused(error, 'wrong_credentials')) throw error
		throw new Stopped('The link is not right (any more): take the one that the server printed when it started last.')
	}
}

function durationOf(ms: number): string {
	const seconds = Math.round(ms / 1000)
	return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

const counted = (count: number, one: string, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`

function summaryOf(order: Order, { password }: Begun, filled: Filled, ms: number): string {
	const { school, messages, replies, edits, removals, pictures, files } = filled
	const { admin, lecturers, students, waiting } = school
	const shown = [admin, ...lecturers, ...students.filter((_, i) => i < 4 || i === 7 || i === 10)]
	const wide = Math.max(...shown.map((person) => emailOf(person).length))
	const rows = shown.map((person) => `  ${person.role.padEnd(8)}  ${emailOf(person).padEnd(wide)}  ${person.name}`)
	return [
		`Done in ${durationOf(ms)}: 1 admin, ${counted(lecturers.length, 'lecturer')}, ${counted(students.length, 'student')}` +
			` (and ${waiting.length} who wait for approval), ${groups.length} groups, 4 categories, 8 discussions,`,
		`${counted(messages, 'message')} with ${counted(replies, 'reply', 'replies')}, ${counted(edits, 'edit')}, ${counted(removals, 'removal')},` +
			` ${counted(pictures, 'picture')} and ${counted(files, 'other file')}.`,
		'',
		`Sign in at ${order.url} with`,
		...rows,
		`  password of everybody: ${password}`,
		'',
		`All addresses are in ${relative(process.cwd(), order.accounts).replace(/^\.\..*/, order.accounts)}.`,
	].join('\n')
}

async function run(order: Order): Promise<number> {
	const begunAt = Date.now()
	const interrupted = new AbortController()
	const stop = () => interrupted.abort()
	process.once('SIGINT', stop).once('SIGTERM', stop)
	const progress = openProgress(process.stdout)
	const open = (patience = patienceMs) =>
		openCaller({ url: order.url, patienceMs: patience, signal: interrupted.signal, onWait: (seconds) => progress.wait(seconds) })
	try {
		// Nobody waits for a server that was never started.
		await open(0).call('status', {})
		const caller = open()
		const { begun, me } = await openAdmin(order, caller)
		const filled = await fillSchool({
			open,
			admin: { caller, me },
			password: begun.password,
			seed: begun.seed,
			students: studentsOf(begun.scale),
			messages: messagesOf(begun.scale),
			pictureScale: 1,
			tell: progress.tell,
		})
		progress.end()
		console.log(summaryOf(order, begun, filled, Date.now() - begunAt))
		return EXIT.done
	} catch (error) {
		progress.end()
		if (interrupted.signal.aborted) {
			console.log(`Interrupted. ${progress.said()} What is there stays; the same command goes on from here.`)
			return EXIT.interrupted
		}
		if (error instanceof Unreachable) {
			const next = progress.begun()
				? 'When it runs again, the same command goes on.'
				: 'Start it with npm start, then run this again with the link that it prints.'
			console.error(`${error.message} ${next}`)
			return EXIT.failed
		}
		if (error instanceof Refused) {
			console.error(`The server refused to go on (${error.problem.code}): ${error.message} The same command goes on from here.`)
			return EXIT.failed
		}
		throw error
	} finally {
		process.off('SIGINT', stop).off('SIGTERM', stop)
	}
}

try {
	const order = parse(process.argv.slice(2))
	if (!order) console.log(HELP)
	process.exitCode = order ? await run(order) : EXIT.done
} catch (error) {
	if (!(error instanceof Stopped)) throw error
	console.error(error.message)
	process.exitCode = error.exit
}
