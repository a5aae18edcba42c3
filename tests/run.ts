/**
 * Runs every check there is, one kind after another, and ends with a table of what passed.
 *
 * `node tests/run.ts` runs all; `check` types, lint and tidy; `crash` the long crash test;
 * `screenshots` the pictures in docs/images. What this machine can't test (no browser, no C
 * compiler, not root) is named in one line, and is a failure when CI=true.
 */
import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBrowser } from './support/browser.ts'
import { findCompiler } from './support/compiler.ts'

const root = join(import.meta.dirname, '..')
const ci = process.env.CI === 'true'
const bin = (name: string, script: string) => join(root, 'node_modules', name, script)
const node = process.execPath

interface Outcome {
	name: string
	passed: boolean
	seconds: number
}
const outcomes: Outcome[] = []
const untested: string[] = []

function run(args: string[], env: Record<string, string> = {}): Promise<number> {
	return new Promise((resolve) => {
		// Tests start very many processes and threads of the same sources: they are compiled once.
		const cache = { NODE_COMPILE_CACHE: join(tmpdir(), `english-chat-compiled-${process.getuid?.() ?? 0}`) }
		const child = spawn(node, args, { cwd: root, stdio: 'inherit', env: { ...cache, ...process.env, ...env } })
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

/** What a test file needs beyond Node is said in its head: `Needs a C compiler.`, `Needs root.` */
async function testFiles(): Promise<string[]> {
	const compiler = await findCompiler()
	const asRoot = process.getuid?.() === 0
	const lacks: { phrase: string; present: boolean; name: string }[] = [
		{ phrase: 'Needs a C compiler.', present: compiler !== null, name: 'disk faults, since there is no C compiler (install gcc)' },
		{ phrase: 'Needs root.', present: asRoot, name: 'a full disk, since mounting one needs root' },
	]
	const patterns = [
		'backend/**/*.test.ts',
		'frontend/**/*.test.{ts,tsx}',
		'protocol/**/*.test.ts',
		'tests/{http,live,crash,ops}/**/*.test.ts',
	]
	const files = [...patterns.flatMap((pattern) => globSync(pattern, { cwd: root })), 'tests/tidy.test.ts'].sort()
	return files.filter((file) => {
		const head = readFileSync(join(root, file), 'utf8').slice(0, 1_000)
		const lack = lacks.find(({ phrase, present }) => !present && head.includes(phrase))
		if (lack && !untested.includes(lack.name)) untested.push(lack.name)
		return !lack
	})
}

async function tests(): Promise<void> {
	const files = await testFiles()
	const concurrency = Math.max(2, Math.floor(availableParallelism() / 2))
	await step('tests', () => run(['--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`, '--test-timeout=600000', ...files]))
}

async function browserPath(): Promise<string | null> {
	const found = findBrowser()
	if (found) return found
	console.log('\nNo Chromium found: asking Playwright for one.')
	await run([bin('@playwright/test', 'cli.js'), 'install', ...(ci ? ['--with-deps'] : []), 'chromium'])
	return findBrowser()
}

async function playwright(name: string, args: string[]): Promise<void> {
	const path = await browserPath()
	if (!path) {
		untested.push('the web app in a browser, since there is none (install Chromium or set CHROME_PATH)')
		return
	}
	const command = [bin('@playwright/test', 'cli.js'), 'test', '-c', 'tests/e2e/playwright.config.ts', ...args]
	await step(name, () => run(command, { CHROME_PATH: path }))
}

function summary(): number {
	console.log('')
	for (const { name, passed, seconds } of outcomes) {
		console.log(`${passed ? 'passed' : 'FAILED'}  ${name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s`)
	}
	for (const name of untested) console.log(`${ci ? 'FAILED' : 'not tested here:'}  ${name}`)
	return outcomes.every(({ passed }) => passed) && !(ci && untested.length > 0) ? 0 : 1
}

const what = process.argv[2] ?? 'all'
if (what === 'all') {
	await types()
	await lint()
	await tests()
	await playwright('browser', [])
} else if (what === 'check') {
	await types()
	await lint()
	await tidy()
} else if (what === 'crash') {
	await step('crash', () =>
		run(['--test', '--test-reporter=spec', 'tests/crash/crash.test.ts'], { CRASH_KILLS: process.env.CRASH_KILLS ?? '200' }),
	)
} else if (what === 'screenshots') {
	await playwright('screenshots', ['screenshots', ...process.argv.slice(3)])
} else {
	console.error(`There is no "${what}" to run: all, check, crash or screenshots.`)
	process.exit(2)
}
process.exitCode = summary()
