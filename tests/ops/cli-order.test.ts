/**
 * The command line of backups, read: what is meant, and what can't be meant. And its words, in two languages.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Trouble } from '../../backend/src/backup/trouble.ts'
import { type Order, parseOrder } from '../../ops/cli/order.ts'
import { languageOf } from '../../ops/cli/screen.ts'
import { en } from '../../ops/cli/words/en.ts'
import { id } from '../../ops/cli/words/id.ts'

const root = join(import.meta.dirname, '../..')
const parse = (line: string, env = {}) => parseOrder(line.split(' ').filter(Boolean), env, en)
/** What is not as when nothing was said. */
const said = (line: string, env = {}) => {
	const plain = parse('list')
	return Object.fromEntries(Object.entries(parse(line, env)).filter(([key, value]) => plain[key as keyof Order] !== value))
}

test('[O61] an order is what was typed', () => {
	assert.deepEqual(said('backup --json'), { command: 'backup', json: true })
	assert.deepEqual(said('verify --all'), { command: 'verify', all: true })
	assert.deepEqual(said('restore 20261126_023001 --only files --dry-run'), {
		...{ command: 'restore', argument: '20261126_023001', only: 'files', dryRun: true },
	})
	assert.deepEqual(said('restore 1 --as rehearsal --no-returns -y'), {
		...{ command: 'restore', argument: '1', as: 'rehearsal', returns: false, yes: true },
	})
	assert.deepEqual(said('restore --confirm --yes'), { command: 'restore', confirm: true, yes: true })
	assert.deepEqual(said('restore anything --help'), { command: 'help', argument: 'anything' })
	assert.deepEqual(said('restore --help'), { command: 'help' })
})

test('[O61] a path is meant from where the operator is, also through npm', () => {
	assert.equal(parse('restore --from-mongodump dump').fromMongodump, join(process.cwd(), 'dump'))
	const env = { npm_lifecycle_event: 'ops', INIT_CWD: '/srv/of' }
	assert.equal(parse('restore --from-mongodump dump', env).fromMongodump, '/srv/of/dump')
	assert.equal(parse('restore --from-mongodump /else/dump', env).fromMongodump, '/else/dump')
})

test('[O61] what can’t be meant is said in a sentence', () => {
	for (const [line, sentence] of [
		['', 'A command is missing.'],
		['toString', 'There is no command "toString".'],
		['list --loud', 'There is no option --loud.'],
		['backup --dry-run', 'The command backup has no option --dry-run.'],
		['backup now', '"now" is too much.'],
		['show 1 2', '"2" is too much.'],
		['restore 1 --only', 'The option --only is not used like this.'],
		['restore 1 --yes=no', 'The option --yes is not used like this.'],
		['restore 1 --only all', '--only is one of: database, files, env.'],
		['restore 1 --as twin', '--as is one of: replacement, rehearsal.'],
		['restore 1 --confirm', '"1" and --confirm do not go together.'],
		['restore --confirm --dry-run', '--confirm and --dry-run do not go together.'],
		['verify 1 --all', '"1" and --all do not go together.'],
		['restore 1 --from-mongodump dump', '"1" and --from-mongodump do not go together.'],
		['restore --from-mongodump dump --only env', '--from-mongodump and --only do not go together.'],
	]) {
		assert.throws(
			() => parse(line!),
			(error) => error instanceof Trouble && error.exit === 2 && error.message === sentence,
			line,
		)
	}
})

test('[O54] the language is the environment’s: Indonesian, or else English', () => {
	const languages = (['C', 'id', 'id_ID.UTF-8', 'ID', 'id@latin', 'in', 'idle', 'en_GB.UTF-8', ''] as const).map((LANG) =>
		languageOf({ LANG }),
	)
	assert.deepEqual(languages, ['en', 'id', 'id', 'id', 'id', 'en', 'en', 'en', 'en'])
	assert.equal(languageOf({ LANG: 'id_ID.UTF-8', LC_ALL: 'C' }), 'en')
	assert.equal(languageOf({ LANG: 'en_US.UTF-8', LC_MESSAGES: 'id_ID.UTF-8' }), 'id')
	assert.equal(languageOf({}), 'en')
})

test('[O54] no word is unused, and none is the same in both languages by mistake', () => {
	const paths = globSync('ops/{cli.ts,cli/*.ts}', { cwd: root })
	const sources = paths.map((path) => readFileSync(join(root, path), 'utf8')).join('\n')
	const names = Object.keys(en).map((key) => `words.${key}`)
	const columns = Object.keys(en.columns).map((key) => `columns.${key}`)
	assert.deepEqual(
		[...names, ...columns].filter((name) => !new RegExp(`\\b${name}\\b`).test(sources)),
		[],
	)
	const same = (Object.keys(en) as (keyof typeof en)[]).filter((key) => typeof en[key] === 'string' && en[key] === id[key])
	assert.deepEqual(same, ['folder'])
})
