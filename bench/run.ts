/**
 * `npm run bench`: prints a table, each line a ratio to a limit or a peer measured in the same run.
 *
 * `--json`: one object `{name, goal, ratio, met}` a line. `--only <words>`: the lines whose name
 * contains them. BENCH_DIR: the folder, and so the disk, to measure on. Ends with 0 whatever the
 * ratios are: they are for reading, and no test.
 */
import { findCompiler } from '../tests/support/compiler.ts'
import { type Line, met, type Part, shown } from './measure.ts'
import { posting, slowDisk } from './posting.ts'
import { growing, lastMessages } from './reading.ts'
import { idle, rooms } from './rooms.ts'
import { disk, writing } from './writing.ts'

const parts: Part[] = [writing, disk, posting, slowDisk, rooms, idle, lastMessages, growing]

const args = process.argv.slice(2)
const json = args.includes('--json')
const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '') : ''

if (process.platform !== 'linux' || !findCompiler()) {
	console.error('The bench needs Linux and a C compiler for its load generator and its slow disk: install gcc.')
	process.exit(1)
}

const goalOf = ({ goal }: Line) => ('atLeast' in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`)

function print(line: Line): void {
	const { name, ratio, detail } = line
	if (json) {
		console.log(JSON.stringify({ name, goal: goalOf(line), ratio: Number(ratio.toPrecision(4)), met: met(line) }))
		return
	}
	console.log(`${met(line) ? 'met   ' : 'MISSED'}  ${name.padEnd(76)} ${shown(ratio).padStart(7)}  ${goalOf(line)}\n        ${detail}`)
}

for (const part of parts) {
	if (!part.names.some((name) => name.includes(only))) continue
	await part.run((line) => {
		if (line.name.includes(only)) print(line)
	})
}
