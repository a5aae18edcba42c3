/**
 * What the operator asks for: the command line, read.
 *
 * Promises a whole order, or a `Trouble` that says in her language what is wrong with it. Does nothing of it.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Trouble } from '../../backend/src/backup/trouble.ts'
import type { Config } from '../../backend/src/config.ts'
import type { Screen } from './screen.ts'
import type { Words } from './words/en.ts'

const flag = { type: 'boolean' } as const
const text = { type: 'string' } as const
const options = {
	json: flag,
	help: { type: 'boolean', short: 'h' },
	all: flag,
	'dry-run': flag,
	only: text,
	as: text,
	yes: { type: 'boolean', short: 'y' },
	confirm: flag,
	'no-returns': flag,
	'from-mongodump': text,
} as const
type Option = keyof typeof options

/** What each command takes beside `--json`. */
const commands = {
	backup: { argument: false, options: [] },
	list: { argument: false, options: [] },
	show: { argument: true, options: [] },
	verify: { argument: true, options: ['all'] },
	drill: { argument: true, options: [] },
	restore: { argument: true, options: ['dry-run', 'only', 'as', 'yes', 'confirm', 'no-returns', 'from-mongodump'] },
	prune: { argument: false, options: ['dry-run'] },
	help: { argument: false, options: [] },
} as const satisfies Record<string, { argument: boolean; options: readonly Option[] }>
export type Command = keyof typeof commands

export const parts = ['database', 'files', 'env'] as const
export const roles = ['replacement', 'rehearsal'] as const

export interface Order {
	command: Command
	json: boolean
	/** The backup as it was named. */
	argument: string | null
	all: boolean
	dryRun: boolean
	only: (typeof parts)[number] | null
	as: (typeof roles)[number] | null
	yes: boolean
	confirm: boolean
	returns: boolean
	fromMongodump: string | null
}

/** What each command gets. */
export interface Call {
	config: Config
	/** What the shell says, without the file of settings. */
	env: NodeJS.ProcessEnv
	order: Order
	screen: Screen
	signal: AbortSignal
}

/** Reads it. Throws `Trouble`. */
export function parseOrder(args: readonly string[], env: NodeJS.ProcessEnv, words: Words): Order {
	const wrong = (what: string) => new Trouble('usage', { what })
	const { values, positionals } = readOptions(args, words, wrong)
	const [named, argument, ...more] = positionals
	if (named === undefined && !values.help) throw wrong(words.noCommand)
	if (named !== undefined && !Object.hasOwn(commands, named)) throw wrong(words.unknownCommand(named))
	const command = values.help ? 'help' : (named as Command)
	const { argument: takes, options: known } = commands[command]
	const excess = more[0] ?? (takes ? undefined : argument)
	if (excess !== undefined && command !== 'help') throw wrong(words.tooMany(excess))
	const given = (Object.keys(values) as Option[]).filter((option) => option !== 'json' && option !== 'help')
	const strange = given.find((option) => !(known as readonly Option[]).includes(option))
	if (strange && command !== 'help') throw wrong(words.wrongOption(`--${strange}`, command))

	const oneOf = <T extends string>(option: 'only' | 'as', among: readonly T[]): T | null => {
		const value = values[option]
		if (value === undefined) return null
		if (!(among as readonly string[]).includes(value)) throw wrong(words.oneOf(`--${option}`, among.join(', ')))
		return value as T
	}
	const together = (one: string, other: string) => wrong(words.notTogether(one, other))
	const beside = given.find((option) => option !== 'confirm' && option !== 'yes')
	if (values.confirm && beside) throw together('--confirm', `--${beside}`)
	if (values['from-mongodump'] !== undefined && values.only !== undefined) throw together('--from-mongodump', '--only')
	for (const option of ['all', 'confirm', 'from-mongodump'] as const) {
		if (argument !== undefined && values[option] !== undefined) throw together(`"${argument}"`, `--${option}`)
	}
	const fromMongodump = values['from-mongodump'] ?? null
	return {
		command,
		json: values.json === true,
		argument: argument ?? null,
		all: values.all === true,
		dryRun: values['dry-run'] === true,
		only: oneOf('only', parts),
		as: oneOf('as', roles),
		yes: values.yes === true,
		confirm: values.confirm === true,
		returns: values['no-returns'] !== true,
		// npm starts scripts in the project's folder, whatever folder it was called from.
		fromMongodump: fromMongodump && resolve(env.npm_lifecycle_event === 'ops' ? (env.INIT_CWD ?? '.') : '.', fromMongodump),
	}
}

function readOptions(args: readonly string[], words: Words, wrong: (what: string) => Trouble) {
	try {
		return parseArgs({ args: [...args], options, allowPositionals: true })
	} catch (error) {
		const { code, message } = error as Error & { code?: string }
		const option = (/--[\w-]+/.exec(message) ?? /-\w/.exec(message))?.[0] ?? ''
		if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw wrong(words.unknownOption(option))
		if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') throw wrong(words.wrongValue(option))
		throw error
	}
}
