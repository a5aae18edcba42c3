/**
 * Runs every check there is, one kind after another, and ends with a table of what passed.
 *
 * `node tests/run.ts` runs all; `check` types, lint and tidy; `crash` the long crash test;
 * `screenshots` the pictures in docs/images. What this machine can't test (no browser, no MongoDB,
 * no C compiler, not root) is named in one line, and is a failure when CI=true.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBrowser } from './support/browser.ts'
import { findCompiler } from './support/compiler.ts'
import { canStartMongo, findMongosh, type MongoServer, openMongoServer } from './support/mongo-server.ts'
import { findMongoTools } from './support/mongo-tools.ts'

const root = join(import.meta.dirname, '..')
const ci = process.env.CI === 'true'
const bin = (name: string, script: string) => join(root, 'node_modules', name, script)
const node = process.execPath
const what = process.argv[2] ?? 'all'

interface Outcome {
	name: string
	passed: boolean
	seconds: number
}
const outcomes: Outcome[] = []
const untested: string[] = []
const notes = mkdtempSync(join(tmpdir(), 'english-chat-run-'))
process.on('exit', () => rmSync(notes, { recursive: true, force: true }))
/** Where the reporters of tests/support/failures.ts write. */
const FAILURES = join(notes, 'failures')

/** No step may hang for ever: the slowest takes a third of this on a small machine. */
const STEP_MS = 20 * 60_000

function run(args: string[], env: Record<string, string> = {}): Promise<number> {
	return new Promise((resolve) => {
		// Tests start very many processes and threads of the same sources: they are compiled once.
		const cache = { NODE_COMPILE_CACHE: join(tmpdir(), `english-chat-compiled-${process.getuid?.() ?? 0}`) }
		const child = spawn(node, args, {
			cwd: root,
			stdio: 'inherit',
			env: { ...cache, ...process.env, FAILURES, ...env },
			timeout: ['crash', 'screenshots'].includes(what) ? 0 : STEP_MS,
		})
		child.on('close', (code) => resolve(code ?? 1))
	})
}

async function step(name: string, work: () => Promise<number>): Promise<void> {
	console.log(`\n— ${name}`)
	const start = performance.now()
	const passed = (await work()) === 0
	outcomes.push({ name, passed, seconds: (performance.now() - start) / 1000 })
}

const types = () => step('types', () => run([bin('typescript', 'bin/tsc'), '-p', '.']))
const lint = () =>
	step('lint', () =>
		run([bin('@biomejs/biome', 'bin/biome'), 'ci', '--error-on-warnings', ...(process.stdout.isTTY ? [] : ['--colors=off']), '.']),
	)
const tidy = () => step('tidy', () => run(['--test', 'tests/tidy.test.ts']))

// The server that TEST_MONGODB_URI names, or else one of our own for as long as this runs. No test meets a database that is in use.
delete process.env.MONGODB_URI
let ownServer: MongoServer | null = null
if (!process.env.TEST_MONGODB_URI && canStartMongo() && ['all', 'crash'].includes(what)) {
	ownServer = await openMongoServer()
	process.env.TEST_MONGODB_URI = ownServer.uri
}
const onMongo = { TEST_ENGINE: 'mongodb' }
const embedded = { TEST_ENGINE: 'embedded' }
const noMongo = 'MongoDB, since there is no server for tests (install mongod or set TEST_MONGODB_URI)'

/** What a test file needs beyond Node is said in its head, in these words. */
const needs: { phrase: string; present: boolean; name: string }[] = [
	{ phrase: 'Needs a C compiler.', present: findCompiler() !== null, name: 'disk faults, since there is no C compiler (install gcc)' },
	{ phrase: 'Needs root.', present: process.getuid?.() === 0, name: 'a full disk, since mounting one needs root' },
	{ phrase: 'Needs a MongoDB server.', present: Boolean(process.env.TEST_MONGODB_URI), name: noMongo },
	{
		phrase: 'Needs a MongoDB server that can be killed.',
		present: canStartMongo(),
		name: 'a MongoDB server that dies or asks who you are, since there is none of our own (install mongod or set TEST_MONGODB_SERVER)',
	},
	{
		phrase: "Needs MongoDB's tools.",
		present: findMongoTools() !== null,
		name: 'mongodump and mongorestore, since there are none (install the MongoDB Database Tools or set TEST_MONGODB_TOOLS)',
	},
	{
		phrase: 'Needs rsync.',
		present: hasRsync(),
		name: 'the operating guide and the loss of a server, since there is no rsync (install it)',
	},
	{ phrase: 'Needs mongosh.', present: findMongosh() !== null, name: 'mongosh, since there is none (install it or set TEST_MONGOSH)' },
]

function hasRsync(): boolean {
	return spawnSync('rsync', ['--version'], { stdio: 'ignore' }).status === 0
}

/** The test files that this machine can run; what the others lack is noted. */
function testFiles(...patterns: string[]): string[] {
	const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort()
	return files.filter((file) => {
		const head = readFileSync(join(root, file), 'utf8').slice(0, 1_000)
		const missing = needs.filter(({ phrase, present }) => !present && head.includes(phrase))
		for (const { name } of missing) leaveOut(name)
		return missing.length === 0
	})
}

function leaveOut(name: string): void {
	if (!untested.includes(name)) untested.push(name)
}

/** Node's test runner, which says what happens and notes what fails. */
const testing = [
	'--test',
	...['spec', './tests/support/failures.ts'].flatMap((reporter) => [`--test-reporter=${reporter}`, '--test-reporter-destination=stdout']),
]

async function tests(name: string, files: string[], env: Record<string, string>): Promise<void> {
	const concurrency = Math.max(2, Math.floor(availableParallelism() / 2))
	const options = [...testing, `--test-concurrency=${concurrency}`, '--test-timeout=600000']
	await step(name, () => run([...options, ...files], env))
}

const everywhere = [
	'backend/**/*.test.ts',
	'frontend/**/*.test.{ts,tsx}',
	'protocol/**/*.test.ts',
	'tests/{http,live,crash,ops}/**/*.test.ts',
	'tests/tidy.test.ts',
]
/** What goes through the front door only, and so runs once more on a server whose data is in MongoDB. */
const frontDoor = ['tests/{http,live}/**/*.test.ts']

async function browserPath(): Promise<string | null> {
	const found = findBrowser()
	if (found) return found
	console.log('\nNo Chromium found: asking Playwright for one.')
	await run([bin('@playwright/test', 'cli.js'), 'install', ...(ci ? ['--with-deps'] : []), 'chromium'])
	return findBrowser()
}

async function playwright(name: string, args: string[], env: Record<string, string>): Promise<void> {
	const path = await browserPath()
	if (!path) return leaveOut('the web app in a browser, since there is none (install Chromium or set CHROME_PATH)')
	const command = [bin('@playwright/test', 'cli.js'), 'test', '-c', 'tests/e2e/playwright.config.ts', ...args]
	await step(name, () => run(command, { CHROME_PATH: path, ...env }))
}

function summary(): number {
	console.log('')
	for (const { name, passed, seconds } of outcomes) {
		console.log(`${passed ? 'passed' : 'FAILED'}  ${name.padEnd(18)} ${seconds.toFixed(1).padStart(6)} s`)
	}
	if (existsSync(FAILURES)) console.log(readFileSync(FAILURES, 'utf8').trimEnd())
	for (const name of untested) console.log(`${ci ? 'FAILED' : 'not tested here:'}  ${name}`)
	return outcomes.every(({ passed }) => passed) && !(ci && untested.length > 0) ? 0 : 1
}

if (what === 'all') {
	await types()
	await lint()
	await tests('tests', testFiles(...everywhere), embedded)
	if (process.env.TEST_MONGODB_URI) await tests('tests on MongoDB', testFiles(...frontDoor), onMongo)
	await playwright('browser', [], embedded)
	if (process.env.TEST_MONGODB_URI) await playwright('browser on MongoDB', [], onMongo)
	else leaveOut(noMongo)
} else if (what === 'check') {
	await types()
	await lint()
	await tidy()
} else if (what === 'crash') {
	const env = { ...embedded, CRASH_KILLS: process.env.CRASH_KILLS ?? '200' }
	await step('crash', () => run([...testing, ...testFiles('tests/crash/*crash.test.ts')], env))
} else if (what === 'screenshots') {
	await playwright('screenshots', ['screenshots', ...process.argv.slice(3)], embedded)
} else {
	console.error(`There is no "${what}" to run: all, check, crash or screenshots.`)
	process.exit(2)
}
await ownServer?.close()
process.exitCode = summary()
