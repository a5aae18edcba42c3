/**
 * `npm run bench`: prints a table, each line a ratio to a limit or a peer measured in the same run.
 *
 * `--json`: one object `{name, goal, ratio, met}` a line. `--only <words>`: the lines whose name
 * contains them. BENCH_DIR: the folder, and so the disk, to measure on; TEST_MONGODB_URI: the MongoDB
 * server. Ends with 0 whatever the ratios are: they are for reading, and no test.
 */
import { findCompiler } from '../tests/support/compiler.ts'
import { backups, mongoBackup } from './backups.ts'
import { server } from './databases.ts'
import { files } from './files.ts'
import { type Line, met, type Part, shown } from './measure.ts'
import { mongoParts } from './mongo.ts'
import { posting, slowDisk } from './posting.ts'
import { growing, lastMessages, overview } from './reading.ts'
import { idle, rooms } from './rooms.ts'
import { scrolling } from './scrolling.ts'
import { browser, firstLoads } from './web.ts'
import { disk, writing } from './writing.ts'

const onMongo = [...mongoParts, mongoBackup]
const parts: Part[] = [
	writing,
	disk,
	posting,
	slowDisk,
	rooms,
	idle,
	lastMessages,
	overview,
	growing,
	files,
	backups,
	firstLoads,
	scrolling,
	...onMongo,
]

const args = process.argv.slice(2)
const json = args.includes('--json')
const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '') : ''

if (process.platform !== 'linux' || !findCompiler()) {
	console.error('The bench needs Linux and a C compiler for its load generator and its slow disk: install gcc.')
	process.exit(1)
}

const goalOf = ({ goal }: Line) => ('atLeast' in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`)

const shownOnce = new Set<string>()

function print(line: Line): void {
	const { name, ratio, on } = line
	if (json) {
		console.log(JSON.stringify({ name, goal: goalOf(line), ratio: Number(ratio.toPrecision(4)), met: met(line) }))
		return
	}
	const detail = on && !shownOnce.has(on) ? `${line.detail}; on ${on}` : line.detail
	if (on) shownOnce.add(on)
	console.log(`${met(line) ? 'met   ' : 'MISSED'}  ${name.padEnd(76)} ${shown(ratio).padStart(7)}  ${goalOf(line)}\n        ${detail}`)
}

const wanted = parts.filter(({ names }) => names.some((name) => name.includes(only)))
if (!server && wanted.some((part) => onMongo.includes(part))) console.error('MongoDB was not measured: TEST_MONGODB_URI names no server.')

const inBrowser = [firstLoads, scrolling]
if (!browser && wanted.some((part) => inBrowser.includes(part)))
	console.error('The web app was not measured: there is no Chromium (CHROME_PATH names one).')

for (const part of wanted) {
	if (!server && onMongo.includes(part)) continue
	if (!browser && inBrowser.includes(part)) continue
	await part.run((line) => {
		if (line.name.includes(only)) print(line)
	})
}
