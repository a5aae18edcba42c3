/**
 * `npm run copy`: brings everything from one database into an empty other one, compares both, and says what to do next.
 * It is the road from the embedded database to MongoDB and back.
 *
 * Promises one sentence and the next step where it can't, an exit code for each outcome, and that no password of an
 * address is ever printed. What it does is in backend/src/storage/copy.ts.
 */
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { BadSetting, type Config, foldersIn, readConfig } from '../backend/src/config.ts'
import { Busy, type CopyProgress, type CopyResult, copyDatabase, Damaged, holdsDatabase, type Side } from '../backend/src/storage/copy.ts'
import { StorageUnavailable } from '../backend/src/storage/engine.ts'
import { stopper } from './stopper.ts'

const HELP = `npm run copy -- --from <place> --to <place> [--switch]

Copies everything from one database into another, empty one, and compares both. Stop the server first.

A place is a folder (what DATA_DIR names, or a data folder itself) or the address of a MongoDB
database. The word MONGODB_URI stands for the address in that variable: so a password is not seen
in the command line.

  --switch   this installation uses the copy from its next start on
  --help     shows this

DATA_DIR names this installation's folder, as it does for npm start.
Exit codes: 0 done, 1 failed, 2 wrong usage, 11 a server writes one of the two, 12 damaged or different.`

const EXIT = { done: 0, failed: 1, usage: 2, busy: 11, damaged: 12 }
const WORD = 'MONGODB_URI'

/** The command can't be meant so; the message never quotes what may be an address. */
class BadUsage extends Error {
	override name = 'BadUsage'
}

interface Place extends Side {
	/** Where its uploaded files are. */
	uploads: string
}

interface Order {
	from: Place
	to: Place
	switching: boolean
	own: Config['folders']
}

/** What was asked for; null: help. Throws `BadUsage` or `BadSetting`. */
function parse(args: string[], env: NodeJS.ProcessEnv): Order | null {
	const values = parseOptions(args)
	if (values.help) return null
	const { folders, writeTimeoutMs } = readConfig(env, [])
	const place = (option: 'from' | 'to'): Place => {
		const given = values[option] === WORD ? env[WORD]?.trim() : values[option]
		if (values[option] === WORD && !given) throw new BadUsage(`${WORD} is not set.`)
		if (!given) throw new BadUsage(`--${option} is missing: a folder, or the address of a MongoDB database.`)
		if (/^mongodb(\+srv)?:\/\//.test(given)) {
			const { mongodb } = readConfig({ ...env, [WORD]: given }, [])
			return { folder: folders.data, mongodb: mongodb!, uploads: folders.uploads, writeTimeoutMs }
		}
		// A drive has one letter.
		if (/^[a-z][\w+.-]+:/i.test(given)) throw new BadUsage(`--${option} is no folder, and no address that begins with mongodb://.`)
		const folder = dataFolderOf(resolve(given), folders.data)
		return { folder, uploads: folder === folders.data ? folders.uploads : join(dirname(folder), 'uploads'), writeTimeoutMs }
	}
	const order = { from: place('from'), to: place('to'), switching: values.switch === true, own: folders }
	if (order.switching && order.to.folder !== folders.data) {
		throw new BadUsage(`--switch needs the data folder of this installation in --to, which is ${folders.data}, or a MongoDB database.`)
	}
	return order
}

function parseOptions(args: string[]) {
	try {
		const options = {
			from: { type: 'string' },
			to: { type: 'string' },
			switch: { type: 'boolean' },
			help: { type: 'boolean', short: 'h' },
		} as const
		return parseArgs({ args, options }).values
	} catch (error) {
		const { code, message } = error as Error & { code?: string }
		if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new BadUsage(`There is no option ${/--?[\w-]*/.exec(message)?.[0]}.`)
		if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') throw new BadUsage('After --from and --to comes a place, after --switch nothing.')
		if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') throw new BadUsage('Before each place stands --from or --to.')
		throw error
	}
}

/** A data folder itself, or the one in what DATA_DIR would name. */
function dataFolderOf(path: string, own: string): string {
	if (path === own || holdsDatabase(path)) return path
	return foldersIn(path).data
}

const count = (n: number) => Math.round(n).toLocaleString('en')
const DOING = { reading: 'Reading', copying: 'Copying', comparing: 'Comparing' }
const BAR = 20
const EVERY_MS = { terminal: 100, log: 5_000 }

/** A bar on a terminal, now and then a line in a log. */
function showProgress(terminal: boolean): CopyProgress & { end(): void } {
	let doing = ''
	let current = ''
	let since = performance.now()
	let shown = 0
	const end = () => {
		if (terminal) process.stdout.write('\r\x1b[K')
	}
	return {
		end,
		begin(what, place) {
			end()
			if (what === 'watching') console.log(`Somebody may be writing the database in ${place}: a moment, this shows.`)
			else console.log(`${DOING[what]} ${what === 'copying' ? 'everything from' : 'what is in'} ${place}.`)
			doing = what === 'watching' ? '' : DOING[what]
			current = ''
			shown = performance.now()
		},
		record(collection, records, part) {
			const now = performance.now()
			if (collection !== current) since = now
			current = collection
			if (now - shown < (terminal ? EVERY_MS.terminal : EVERY_MS.log)) return
			shown = now
			const speed = now - since < 500 ? '' : `, ${count((records / (now - since)) * 1_000)}/s`
			const filled = Math.round(part * BAR)
			const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${(part * 100).toFixed(0).padStart(3)}%`
			if (terminal) process.stdout.write(`\r${doing} ${collection.padEnd(12)} ${bar}  ${count(records)} records${speed}\x1b[K`)
			else console.log(`${doing} ${collection}: ${count(records)} records${speed}.`)
		},
	}
}

const named = ({ engine, place }: CopyResult['to']) => `${engine === 'sqlite' ? 'the embedded database in' : 'MongoDB at'} ${place}`

function table(rows: CopyResult['collections']): string {
	const lines = [
		['collection', 'records', 'hash', ''],
		...rows.map(({ name, records, hash }) => [name, count(records), hash.slice(0, 12), 'equal']),
	]
	return lines
		.map(([name, records, hash, equal]) => `${name!.padEnd(12)} ${records!.padStart(12)}  ${hash!.padEnd(12)}  ${equal}`.trimEnd())
		.join('\n')
}

/** What the operator should know, and do next. */
function* sentences({ from, to, switching, own }: Order, { from: source, to: target, left, already, seq }: CopyResult): Generator<string> {
	yield `${already ? 'An earlier run had copied it already. ' : ''}Everything up to entry ${count(seq)} is in ${named(target)}, and equal to ${named(source)}.`
	yield `Not carried over: ${left.join(', ')}. Everybody signs in again.`
	if (from.uploads !== to.uploads && existsSync(from.uploads) && readdirSync(from.uploads).length > 0) {
		yield `Uploaded files are no part of a database: copy them too, from ${from.uploads} to ${to.uploads}.`
	}
	const start = to.mongodb ? 'MONGODB_URI=<the address you gave> npm start' : 'npm start'
	if (switching) {
		yield `This installation uses the copy from now on. Start it${to.mongodb ? '' : ' without MONGODB_URI'}: ${start}`
		yield `${named(source).replace(/^t/, 'T')} stays as it was, and is used no more.`
	} else if (to.mongodb || to.folder === own.data) {
		yield 'This installation does not use the copy yet: run the same command with --switch before anything is written to either.'
	} else if (basename(to.folder) === 'data') yield `To start with the copy: DATA_DIR="${dirname(to.folder)}" npm start`
}

function fail(code: number, message: string, hint?: string): number {
	console.error(hint ? `${message}\n${hint}` : message)
	return code
}

/** Each outcome has its sentence and its exit code; a defect of ours goes on as it is. */
function outcomeOf(error: unknown, signal: AbortSignal): number {
	if (signal.aborted && error === signal.reason) {
		return fail(EXIT.failed, 'Stopped.', 'The source is as it was, and the target is empty or whole: the same command goes on from there.')
	}
	if (error instanceof BadUsage) return fail(EXIT.usage, error.message, 'npm run copy -- --help shows how it is used.')
	if (error instanceof BadSetting) return fail(EXIT.usage, error.message)
	if (error instanceof StorageUnavailable) {
		const code = error instanceof Busy ? EXIT.busy : error instanceof Damaged ? EXIT.damaged : EXIT.failed
		return fail(code, error.message, error.hint)
	}
	if (error instanceof Error && 'syscall' in error) return fail(EXIT.failed, error.message)
	throw error
}

async function main(): Promise<number> {
	const signal = stopper()
	const progress = showProgress(process.stdout.isTTY)
	try {
		const order = parse(process.argv.slice(2), process.env)
		if (order === null) {
			console.log(HELP)
			return EXIT.done
		}
		const { from, to, switching, own } = order
		const result = await copyDatabase({ from, to, noteIn: switching ? own.data : null, progress, signal })
		progress.end()
		console.log(table(result.collections))
		for (const sentence of sentences(order, result)) console.log(sentence)
		return EXIT.done
	} catch (error) {
		progress.end()
		return outcomeOf(error, signal)
	}
}

process.exitCode = await main()
