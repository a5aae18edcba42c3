/**
 * Starts the server and stops it: the process around app.ts.
 *
 * Promises one clear sentence and a non-zero exit code where it can't start, and on Ctrl-C or
 * SIGTERM that what was begun is finished. Imports the rest only once Node is known to be new
 * enough for it.
 */
import type { App } from './app.ts'
import type { Config } from './config.ts'

const nodeNeeded = 24

function give(sentence: string, hint?: string): never {
	console.error(hint ? `${sentence}\n${hint}` : sentence)
	process.exit(1)
}

if (Number.parseInt(process.versions.node, 10) < nodeNeeded) {
	give(`English Chat needs Node.js ${nodeNeeded} or newer; this is ${process.versions.node}.`, 'Use "npm start", which brings its own.')
}

const { accessSync, constants, mkdirSync } = await import('node:fs')
const { createInterface } = await import('node:readline/promises')
const { pino } = await import('pino')
const { openApp } = await import('./app.ts')
const { finishRestore } = await import('./backup/restore-state.ts')
const { BadSetting, readConfig, readEnv, storeOptions } = await import('./config.ts')
const { Fenced, StorageUnavailable } = await import('./storage/engine.ts')
const { openStore } = await import('./storage/open.ts')

function settings(): Config {
	try {
		return readConfig(readEnv(process.env), process.argv.slice(2))
	} catch (error) {
		if (error instanceof BadSetting) give(error.message)
		throw error
	}
}

function makeFolders({ folders }: Config): void {
	for (const folder of Object.values(folders)) {
		try {
			mkdirSync(folder, { recursive: true })
			accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
		} catch (error) {
			give(
				`The folder ${folder} can't be written (${(error as NodeJS.ErrnoException).code}).`,
				'Change its owner, or set DATA_DIR to another folder.',
			)
		}
	}
}

/** An empty beginning is confirmed by typing the word. */
async function confirmFresh({ folders, mongodb }: Config): Promise<void> {
	const place = mongodb ? 'MongoDB' : folders.data
	console.log(`--fresh begins with an empty database in ${place}, although there was a full one.`)
	const lines = createInterface({ input: process.stdin, output: process.stdout })
	const word = await lines.question('Type the word "fresh" to go on: ')
	lines.close()
	if (word.trim() !== 'fresh') give('Nothing was changed.')
}

async function listen(app: App, config: Config): Promise<number> {
	try {
		return await app.listen()
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException
		if (code === 'EADDRINUSE')
			give(`Port ${config.port} is taken.`, `Stop the other program, or choose another port: PORT=${config.port + 1} npm start`)
		if (code === 'EACCES') give(`Port ${config.port} may not be opened by this user.`, 'Choose one above 1023: PORT=3000 npm start')
		throw error
	}
}

const config = settings()
makeFolders(config)
if (config.fresh) await confirmFresh(config)
const log = pino({ level: config.logLevel, base: null })
const app = await openApp(config, log)
const waiting = new AbortController()

let stopping = false
async function stop(): Promise<void> {
	// Asked twice: at once.
	if (stopping) process.exit(130)
	stopping = true
	console.log('Stopping: what was begun is finished first.')
	waiting.abort()
	try {
		await app.close()
		process.exit(0)
	} catch (error) {
		log.fatal({ err: error }, 'could not stop cleanly')
		process.exit(1)
	}
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop())

const port = await listen(app, config)
const address = `http://localhost:${port}`
try {
	const store = await openStore({
		...storeOptions(config),
		signal: waiting.signal,
		onStandby(place) {
			app.wait('Another server has the database; this one takes over when it is gone.')
			console.log(`Another server has the database in ${place}. This one waits at ${address} and takes over when it is gone.`)
		},
	})
	store.onStopped((reason) => {
		if (stopping) return
		log.fatal({ err: reason }, reason instanceof Fenced ? 'another server has taken over' : 'the storage takes no more writes')
		if (!(reason instanceof Fenced)) return
		console.error('Another server has taken over this database, so this one stops.')
		process.exit(1)
	})
	const interrupted = finishRestore(config, store.head.lineage)
	if (interrupted !== null) console.log(interrupted)
	const token = await app.serve(store)
	console.log(`English Chat is ready: ${address}`)
	if (token !== null) console.log(`Make the first admin: ${address}/setup#${token}`)
} catch (error) {
	if (stopping) await new Promise(() => {})
	if (error instanceof StorageUnavailable) give(error.message, error.hint)
	throw error
}
