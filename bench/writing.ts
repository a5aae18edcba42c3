/**
 * Writing through the store, without HTTP: against a bare group-commit loop, against groups of one,
 * and what a message costs on the disk.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { textLength } from './documents.ts'
import { described, type Line, type Part, ratio, rounds, shown } from './measure.ts'
import { start } from './processes.ts'
import { addMessages, newFolder, openFolder, openSchool } from './school.ts'
import type { Written } from './store.ts'

async function perSecond(kind: 'ours' | 'bare', senders: number): Promise<number> {
	const child = await start('store.ts', [kind, await newFolder(), String(senders)])
	const { perSecond } = await child.answer<Written>()
	await child.close()
	return perSecond
}

const ofBare = (senders: number) => `store.write, ${senders} senders, of a bare group-commit loop`
const ofOne = (senders: number) => `store.write, ${senders} senders, of groups of one`

/** `store.write` at 50 and 500 senders. */
export const writing: Part = {
	names: [ofBare(50), ofBare(500), ofOne(50), ofOne(500)],
	async run(report) {
		const figures = await rounds({
			ours50: () => perSecond('ours', 50),
			bare50: () => perSecond('bare', 50),
			ours500: () => perSecond('ours', 500),
			bare500: () => perSecond('bare', 500),
			// One sender never shares a group.
			one: () => perSecond('ours', 1),
		})
		const detail = (names: Parameters<typeof described<keyof typeof figures>>[1]) =>
			`${described(figures, names, '/s')}; senders in the same process`
		const line = (name: string, goal: Line['goal'], of: keyof typeof figures, to: keyof typeof figures) =>
			report({ name, goal, ratio: ratio(figures, of, to), detail: detail({ ours: of, other: to }) })
		line(ofBare(50), { atLeast: 0.6 }, 'ours50', 'bare50')
		line(ofBare(500), { atLeast: 0.6 }, 'ours500', 'bare500')
		line(ofOne(50), { atLeast: 5 }, 'ours50', 'one')
		line(ofOne(500), { atLeast: 9 }, 'ours500', 'one')
	},
}

function sizeOf(folder: string): number {
	const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
	return entries.filter((entry) => entry.isFile()).reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** What all but the journal takes in the database. */
function recordBytes(folder: string): number {
	const data = join(folder, 'data')
	const name = readdirSync(data).find((name) => /^chat-.*\.db$/.test(name))!
	const db = new DatabaseSync(join(data, name), { readOnly: true })
	const { bytes } = db.prepare("SELECT sum(pgsize) bytes FROM dbstat WHERE name <> 'journal'").get() as { bytes: number }
	db.close()
	return bytes
}

const bytes = `bytes on disk per ${textLength}-byte message, journal included`
const bounded = 'growth of a store whose journal is pruned, of its records alone'

/** What a message costs on the disk, and that the journal's part stops growing once its days are over. */
export const disk: Part = {
	names: [bytes, bounded],
	async run(report) {
		const count = 50_000
		const folder = await newFolder()
		const school = await openSchool(folder)
		const grow = async (prune: boolean) => {
			const before = sizeOf(folder)
			const store = await openFolder(folder)
			if (prune) await store.prune(new Date())
			await addMessages(store, school, count)
			await store.close()
			return (sizeOf(folder) - before) / count
		}
		const first = await grow(false)
		report({ name: bytes, goal: { atMost: 1_400 }, ratio: first, detail: `${shown(first)} bytes, ${count.toLocaleString('en')} messages` })
		const records = recordBytes(folder) / count
		const second = await grow(true)
		const detail = `${shown(second)} bytes a message after the earlier journal was pruned, ${shown(records)} of records`
		report({ name: bounded, goal: { atMost: 1.1 }, ratio: second / records, detail })
	},
}
