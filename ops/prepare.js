/**
 * What `npm start` and `npm test` do first: install the packages and build the web app, where
 * either is not up to date. With the word `packages` it leaves the web app alone.
 *
 * Plain JavaScript that runs on Node 20: it brings the Node 24 on which the rest runs. Promises
 * to do nothing, quickly, when there is nothing to do, and to end with one clear sentence when
 * it can't. Never touches data, uploads or backups.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const dist = join(root, 'frontend', 'dist')
const needed = 24

function stop(sentence) {
	console.error(sentence)
	process.exit(1)
}

/** The newest Node that npm has put beside the packages, or the one that runs this. */
function runtime() {
	const os = process.platform === 'win32' ? 'win' : process.platform
	const path = join(modules, `node-${os}-${process.arch}`, 'bin', os === 'win' ? 'node.exe' : 'node')
	return existsSync(path) ? path : process.execPath
}

function readJson(path) {
	try {
		return JSON.parse(readFileSync(path, 'utf8'))
	} catch {
		return null
	}
}

/** True when node_modules holds what the lock file says: npm notes there, last of all, what it installed. */
function installed() {
	const wanted = readJson(join(root, 'package-lock.json'))
	const present = readJson(join(modules, '.package-lock.json'))
	if (!wanted || !present) return false
	return Object.entries(wanted.packages).every(([path, entry]) => {
		if (path === '') return true
		const found = present.packages[path]
		return found ? found.version === entry.version && found.integrity === entry.integrity : entry.optional === true
	})
}

function requireWritable(purpose) {
	try {
		for (const folder of [root, modules, join(root, 'frontend'), dist]) if (existsSync(folder)) accessSync(folder, constants.W_OK)
	} catch (error) {
		stop(`${purpose}, but ${error.path} can't be written to: make it writable for this user, then run the command again.`)
	}
}

function install() {
	requireWritable('The packages must be installed')
	console.log('Installing packages. This happens once and after updates; it takes about a minute.')
	// npm's own Node, not the one in node_modules: `npm ci` deletes that first.
	const [command, ...first] = process.env.npm_execpath
		? [process.env.npm_node_execpath || process.execPath, process.env.npm_execpath]
		: [process.platform === 'win32' ? 'npm.cmd' : 'npm']
	const options = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
	const done = spawnSync(command, [...first, ...options], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
	if (done.error) stop(`The packages must be installed, but npm can't be started (${done.error.code}): run "npm ci" in ${root} first.`)
	if (done.status !== 0)
		stop('The packages could not be installed: npm says why above. Nothing else was changed; run the command again to retry.')
}

/** The version the scripts will run on. A bundled Node that doesn't run here (musl) is taken off the scripts' PATH. */
function runtimeMajor() {
	const bundled = runtime()
	if (bundled === process.execPath || Number.parseInt(process.versions.node, 10) >= needed)
		return Number.parseInt(process.versions.node, 10)
	const answer = spawnSync(bundled, ['-p', 'process.versions.node'], { encoding: 'utf8' })
	if (answer.status === 0) return Number.parseInt(answer.stdout, 10)
	rmSync(join(modules, '.bin', 'node'), { force: true })
	return Number.parseInt(process.versions.node, 10)
}

/** Every file that the web app is made of. */
function sources(folder) {
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name)
		if (entry.isDirectory()) return path.startsWith(dist) ? [] : sources(path)
		return /\.test\.tsx?$/.test(entry.name) ? [] : [path]
	})
}

/** A digest of the web app's sources and packages: by content, so that a fresh checkout with other times is the same. */
function fingerprint() {
	const hash = createHash('sha256')
	const files = [...sources(join(root, 'frontend')), ...sources(join(root, 'protocol')), join(root, 'package-lock.json')]
	for (const path of files.sort()) hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0')
	return hash.digest('hex')
}

/** Builds beside the old web app and swaps, so that a build that fails or is killed leaves the old one. */
function build(stamp) {
	requireWritable('The web app must be built')
	console.log('Building the web app.')
	const next = `${dist}.next`
	const vite = join(modules, 'vite', 'bin', 'vite.js')
	const options = ['build', 'frontend', '--outDir', next, '--emptyOutDir', '--logLevel', 'error']
	const done = spawnSync(runtime(), [vite, ...options], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
	if (done.status !== 0) {
		rmSync(next, { recursive: true, force: true })
		stop('The web app could not be built: the reason stands above. The one built before, if any, is untouched.')
	}
	mkdirSync(next, { recursive: true })
	writeFileSync(join(next, '.built-from'), stamp)
	rmSync(dist, { recursive: true, force: true })
	renameSync(next, dist)
}

function built() {
	try {
		return readFileSync(join(dist, '.built-from'), 'utf8')
	} catch {
		return null
	}
}

if (Number.parseInt(process.versions.node, 10) < 20) {
	stop(
		`English Chat installs itself with Node.js 20 or newer, and this is ${process.version}: install a newer one from https://nodejs.org.`,
	)
}
if (!installed()) install()
if (runtimeMajor() < needed) {
	stop(
		`English Chat runs on Node.js ${needed} or newer. This is ${process.version}, and there is no newer one to install by itself on ` +
			`${process.platform} ${process.arch}: install Node.js ${needed} from https://nodejs.org, then run the command again.`,
	)
}
if (process.argv[2] !== 'packages') {
	const stamp = fingerprint()
	if (built() !== stamp) build(stamp)
}
