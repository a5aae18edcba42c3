/**
 * manifest.txt: what a backup is, for whoever finds the folder and has nothing else.
 *
 * Promises at most 20 lines, in English, each true when the backup was published; what happened to it later stands in
 * its marks. Reads and writes nothing.
 */
import type { Manifest, Reason } from './format.ts'

const why: Record<Reason, string> = {
	manual: 'somebody asked for it',
	schedule: 'the schedule',
	update: 'before an update',
	restore: 'before a restore, to keep what was there',
	migration: 'before the data got a new form',
}

/** How many lost files are named. */
const NAMED = 3

/** The text of manifest.txt. It ends with an empty line, so that those of many backups can be read one after another. */
export function peopleManifest(manifest: Manifest): string {
	const { name, engine, database, seq, app, sizes, verifiedAt, provenAt, env } = manifest
	const records = (collection: string) => manifest.collections.find((part) => part.name === collection)?.records ?? 0
	const title = `English Chat backup ${name}`
	const holds = [
		counted(records('messages'), 'message'),
		counted(records('users'), 'person', 'people'),
		counted(records('groups'), 'group'),
		counted(records('discussions'), 'discussion'),
		counted(manifest.files.length, 'file'),
	]
	const rows: [string, string][] = [
		['Made', `${localTime(new Date(manifest.createdAt), true)}, by version ${app}`],
		['Why', why[manifest.reason]],
		['Database', `${engine === 'sqlite' ? 'embedded' : 'MongoDB'}, ${database}, up to entry ${count(seq)}`],
		['Holds', holds.join(', ')],
		['Settings', env ? 'in env.production.local.backup: they are secret' : 'none'],
		[
			'Size',
			`${sizeText(sizes.databaseBytes + sizes.filesBytes)} (database ${sizeText(sizes.databaseBytes)}, files ${sizeText(sizes.filesBytes)})`,
		],
		['Added', `${sizeText(sizes.addedBytes)} to the disk; the rest was there`],
		['Verified', verifiedAt ? `${localTime(new Date(verifiedAt), true)}: all of it was read back` : 'NO'],
		['Proven', provenAt ? `${localTime(new Date(provenAt), true)}: all of it was restored into a scratch place` : 'not yet'],
		...problems(manifest),
		['Restore', `./restore.sh ${name}`],
		['More', `npm run ops -- show ${name}`],
	]
	const lines = rows.map(([what, text]) => `${`${what}:`.padEnd(10)} ${text}`)
	return `${[title, '='.repeat(title.length), ...lines, ''].join('\n')}\n`
}

/** Live files that were missing or damaged; those that no backup has are lost. */
function problems({ problems, files }: Manifest): [string, string][] {
	if (problems.length === 0) return []
	const kept = new Set(files.map(({ name }) => name))
	const lost = problems.filter(({ name }) => !kept.has(name))
	const named = problems.slice(0, NAMED).map(({ name, problem }) => `${name} (${problem})`)
	const more = problems.length > NAMED ? `, and ${count(problems.length - NAMED)} more` : ''
	return [
		['Problems', `${counted(problems.length, 'uploaded file was', 'uploaded files were')} not whole: ${named.join(', ')}${more}`],
		['Lost', lost.length === 0 ? 'nothing: earlier backups have them, and so has this one' : counted(lost.length, 'file')],
	]
}

/** `2026-11-26 02:30:14`, as the machine's clock on the wall shows it; with the zone `2026-11-26 02:30:14 +07:00`. */
export function localTime(time: Date, zone = false): string {
	const two = (value: number) => String(value).padStart(2, '0')
	const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
	const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
	const ahead = -time.getTimezoneOffset()
	const offset = `${ahead < 0 ? '-' : '+'}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`
	return zone ? `${date} ${clock} ${offset}` : `${date} ${clock}`
}

const count = (value: number) => value.toLocaleString('en')
const counted = (value: number, one: string, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`

/** A size for people: `3.2 MB`; `locale` decides how the number is written. */
export function sizeText(bytes: number, locale = 'en'): string {
	const power = bytes < 1_000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3))
	const value = bytes / 1_000 ** power
	return `${value.toLocaleString(locale, { maximumFractionDigits: power > 0 && value < 10 ? 1 : 0 })} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`
}
