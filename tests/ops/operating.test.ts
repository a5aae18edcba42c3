/**
 * docs/OPERATING.md and docs/OPERASI.md: every command that stands there, in its order, typed on a terminal by an
 * operator whose server runs or is stopped as the page says. Needs rsync.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseEnv } from 'node:util'
import { defaults, readConfig } from '../../backend/src/config.ts'
import { fileOf, makeSchool } from '../support/backups.ts'
import { foldersOf, makeClone, type RunningServer, shellOf, startClone } from '../support/installation.ts'
import { begin, cron, onTerminal, runLine, seen } from '../support/operator.ts'
import { makeFolder } from '../support/server.ts'

const root = join(import.meta.dirname, '../..')
const guides = ['docs/OPERATING.md', 'docs/OPERASI.md'].map((path) => readFileSync(join(root, path), 'utf8'))
const settings = readFileSync(join(root, '.env.production.example'), 'utf8')

/** The blocks of a page in a language of blocks. */
const blocksOf = (page: string, language: string) =>
	[...page.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, block]) => block!)
const withoutBlocks = (page: string) => page.replaceAll(/^```[\s\S]*?^```$/gm, '')

/** Somebody with a USB disk at a machine whose server she starts and stops. */
class Operator {
	readonly #t: TestContext
	readonly usb: string
	path: string
	#server: RunningServer | null = null

	constructor(t: TestContext, path: string) {
		this.#t = t
		this.path = path
		this.usb = join(makeFolder(t), 'a disk')
		mkdirSync(this.usb)
	}

	get folders() {
		return foldersOf(this.path)
	}

	/** Names, oldest first. */
	get backups(): string[] {
		return readdirSync(this.folders.backups)
			.filter((name) => /^\d/.test(name))
			.sort()
	}

	async start(): Promise<void> {
		this.#server = await startClone(this.#t, this.path)
	}

	async stop(): Promise<void> {
		await this.#server?.stop()
		this.#server = null
	}

	/** What the page can't know of this machine. */
	#here(block: string): string {
		return block
			.trim()
			.replace(/\/mnt\/usb([\w/-]*)/g, (_, inside) => `"${this.usb}${inside}"`)
			.replace('/srv/english-chat', () => `"${this.path}"`)
			.replace(/\b20261126_023001\b/, () => this.backups[0]!)
	}

	/** Types a block; it does that, and says this. `word`: what she types as often as she is asked for it. */
	async does(block: string, says: RegExp, { word, exit = 0 }: { word?: string; exit?: number } = {}): Promise<string> {
		const running = begin(this.#t, onTerminal(`set -e; ${this.#here(block).replaceAll('\n', '; ')}`), {
			cwd: this.path,
			env: shellOf(this.path),
		})
		if (word !== undefined) for (const _ of block.trim().split('\n')) await running.answer(/Type the word "restore" to go on: $/, word)
		const { code, out } = await running.ended
		const said = seen(out)
		assert.equal(code, exit, `${block}${said}`)
		assert.match(said, says, block)
		return said
	}

	/** What cron does with a line of its list. */
	async leavesToCron(line: string, says: RegExp): Promise<void> {
		const [, command] = /^(?:[\d*]+ ){5}(.*)$/.exec(line.trim())!
		const { code, out, err } = await runLine(this.#t, this.#here(command!), { cwd: '/', env: cron })
		assert.deepEqual([code, err], [0, ''])
		assert.match(out, says)
	}
}

/** What happens at each block, in the order of the page. */
const story: [begins: string, step: (operator: Operator, block: string, t: TestContext) => Promise<unknown>][] = [
	[
		'cp .env.production.example',
		async (operator, block) => {
			await operator.does(block, /^$/)
			assert.equal(statSync(join(operator.path, '.env.production.local')).mode & 0o777, 0o600)
			await operator.start()
		},
	],
	[
		'./backup.sh',
		async (operator, block) => {
			await operator.does(block, /Backup \d+_\d+ verified and proven: 20 messages, 3 people, 3 files,/)
			await operator.leavesToCron(blocksOf(guides[0]!, 'cron')[0]!, /^.* backup \d+_\d+(_2)? verified and proven: .*\n$/)
			assert.equal(operator.backups.length, 2)
		},
	],
	['npm run ops -- list', (operator, block) => operator.does(block, /^ +1 .* yes +yes$[\s\S]*^Backup \d+[\s\S]*^ {2}Proven +yes, /m)],
	['ls -lh backups/', (operator, block) => operator.does(block, /^English Chat backup [\s\S]*\tbackups\/$/m)],
	[
		'rsync -a backups/',
		async (operator, block) => {
			await operator.does(block, /^$/)
			assert.deepEqual(readdirSync(join(operator.usb, 'english-chat-backups')), readdirSync(operator.folders.backups))
		},
	],
	['npm run ops -- verify', (operator, block) => operator.does(block, /(.* is whole: .*[\s\S]*){3}/)],
	['npm run ops -- drill', (operator, block) => operator.does(block, / is proven: /)],
	['./restore.sh latest --dry-run', (operator, block) => operator.does(block, /^Messages +20 +20.*\n[\s\S]*Nothing was changed\.$/m)],
	[
		'./restore.sh latest',
		async (operator, block) => {
			await operator.does(block, /A server is using the database.*\nStop it first/, { exit: 11 })
			await operator.stop()
			await operator.does(block, /Restored/, { word: 'restore' })
		},
	],
	['./restore.sh 20261126_023001', (operator, block) => operator.does(block, /Restored/, { word: 'restore' })],
	[
		'npm start',
		async (operator) => {
			await operator.start()
			await operator.stop()
		},
	],
	[
		'./restore.sh latest --only files',
		async (operator, block) => {
			rmSync(join(operator.folders.uploads, fileOf(0)))
			await operator.does(block, /Restored/, { word: 'restore' })
			assert.ok(existsSync(join(operator.folders.uploads, fileOf(0))))
		},
	],
	['./restore.sh latest --only database', (operator, block) => operator.does(block, /Restored/, { word: 'restore' })],
	[
		'./restore.sh latest --as rehearsal',
		async (operator, block, t) => {
			const { backups } = operator.folders
			operator.path = makeClone(t, { web: true })
			cpSync(backups, operator.folders.backups, { recursive: true })
			await operator.does(block, /rehearsal/, { word: 'restore' })
		},
	],
	[
		'./restore.sh --confirm',
		async (operator, block) => {
			assert.ok(existsSync(join(operator.folders.data, 'rehearsal.json')))
			await operator.does(block, /./, { word: 'restore' })
			assert.ok(!existsSync(join(operator.folders.data, 'rehearsal.json')))
		},
	],
	[
		'./restore.sh --from-mongodump',
		async (operator, block) => {
			cpSync(join(operator.folders.backups, operator.backups[0]!, 'database'), join(operator.usb, 'dump'), { recursive: true })
			await operator.does(block, /Restored/, { word: 'restore' })
		},
	],
	[
		'git clone',
		async (operator, block, t) => {
			// The page can't know where it comes from; here it is a copy.
			const [clone, ...rest] = block.split('\n')
			assert.match(clone!, /^git clone https:\/\/\S+\/english-chat$/)
			assert.equal(rest.shift(), 'cd english-chat')
			operator.path = makeClone(t, { web: true })
			await operator.does(rest.join('\n'), /^$/)
		},
	],
	['./restore.sh latest --as replacement', (operator, block) => operator.does(block, /Restored/, { word: 'restore' })],
	[
		'npm start',
		async (operator) => {
			await operator.start()
			await operator.stop()
		},
	],
]

test('[O63] every command of the operating guide does what the page says', async (t) => {
	const operator = new Operator(t, makeClone(t, { web: true }))
	await makeSchool(t, { dir: join(operator.path, 'backend') })
	const blocks = blocksOf(guides[0]!, 'sh')
	assert.deepEqual(
		blocks.map((block) => block.split('\n')[0]),
		story.map(([begins], n) => (blocks[n]?.startsWith(begins) ? blocks[n].split('\n')[0] : begins)),
	)
	for (const [n, [, step]] of story.entries()) await step(operator, blocks[n]!, t)
})

test('[O63] both guides have the same commands, headings and tables', () => {
	const [english, indonesian] = guides.map((page) => ({
		blocks: ['sh', 'cron', 'ini'].map((language) => blocksOf(page, language)),
		headings: [...withoutBlocks(page).matchAll(/^#+/gm)].map(([signs]) => signs.length),
		rows: [...withoutBlocks(page).matchAll(/^\|.*$/gm)].map(([row]) => row.split('|').length),
		paragraphs: withoutBlocks(page).split(/\n{2,}/).length,
	}))
	assert.deepEqual(indonesian, english)
	for (const page of guides) assert.equal(page.match(/^```\w/gm)!.length, english!.blocks.flat().length, 'no other kind of block')
})

test('[O65] .env.production.example names every setting, each with what it is without it; the guide’s are read', () => {
	const source = readFileSync(join(root, 'backend/src/config.ts'), 'utf8')
	const names = new Set([...source.matchAll(/\benv\.([A-Z_]+)|\bwhole\('([A-Z_]+)'/g)].map(([, direct, whole]) => direct ?? whole!))
	for (const [, list] of source.matchAll(/const { ([^}]*) } = env\b/g))
		for (const [name] of list!.matchAll(/\b[A-Z_]{3,}\b/g)) names.add(name)
	// What names this file, what a container says of itself, and what only somebody who writes the program sets.
	for (const name of ['ENV_FILE', 'IN_CONTAINER', 'WEB_DIR']) assert.ok(names.delete(name), name)
	assert.deepEqual(parseEnv(settings), {}, 'all of it is a comment')
	const all = parseEnv(settings.replaceAll(/^# (?=[A-Z_]+=)/gm, '')) as Record<string, string>
	assert.deepEqual(Object.keys(all).sort(), [...names].sort())
	const examples = ['TRUST_PROXY', 'DATA_DIR', 'MONGODB_URI', 'ALERT_MAIL_TO', 'SMTP_URL', 'ALERT_MAIL_FROM', 'ALERT_WEBHOOK_URL']
	readConfig(all, [])
	const usual = Object.fromEntries(Object.entries(all).filter(([name]) => !examples.includes(name)))
	assert.deepEqual(readConfig(usual, []), { ...defaults })

	const told = readConfig(parseEnv(blocksOf(guides[0]!, 'ini')[0]!), []).alerts
	assert.deepEqual([told.mail?.to, told.webhook], ['admin@school.example', 'https://example.org/hook'])
})
