/**
 * The commands that make backups and look after them: what they do is in backend/src/backup/, here it is told.
 *
 * Promises that what is told was read from the backups themselves. Decides nothing.
 */
import { createBackup } from '../../backend/src/backup/create.ts'
import { drillBackup } from '../../backend/src/backup/drill.ts'
import { type Backup, findBackup, type Listing, listBackups, type OldBackup } from '../../backend/src/backup/folder.ts'
import { tryBackupLock } from '../../backend/src/backup/lock.ts'
import { localTime } from '../../backend/src/backup/people-manifest.ts'
import { type Pruned, planPrune, pruneBackups } from '../../backend/src/backup/prune.ts'
import { EXIT, Trouble } from '../../backend/src/backup/trouble.ts'
import { verifyBackup } from '../../backend/src/backup/verify.ts'
import { verifyVersion1 } from '../../backend/src/backup/version-1.ts'
import { readNote } from '../../backend/src/storage/open.ts'
import type { Call } from './order.ts'
import type { Cell, Screen } from './screen.ts'

/** So begin the names of folders with the files of a database that a restore could not read. */
const BEFORE_RESTORE = 'before-restore-'
/** How many names of a long list are told. */
const NAMED = 5

/** Makes one, or joins the one that is being made. */
export async function backup({ config, screen, signal }: Call): Promise<number> {
	const { words } = screen
	const { backup, joined } = await createBackup({
		...({ config, reason: 'manual', drill: config.backup.drill, progress: screen.progress, signal } as const),
	})
	const { name, manifest } = backup
	const how = manifest.verifiedAt === null ? words.notVerified : manifest.provenAt === null ? words.verifiedOnly : words.verifiedAndProven
	const added = screen.size(manifest.sizes.addedBytes)
	const said = words.made(name, how, holdsOf(backup, screen), sizeOf(backup, screen), added, screen.duration(manifest.durationMs))
	const { lost, healable } = problemsOf(backup)
	if (screen.terminal) {
		screen.say(said[0]!.toUpperCase() + said.slice(1))
		if (joined) screen.say(words.joined)
		screen.say(words.restoreIt(name))
	} else screen.say(`${localTime(new Date())} ${said}`)
	if (healable.length > 0) screen.warn(`${words.healable(healable.length, shortened(healable, screen))}\n${words.healableHint(name)}`)
	if (lost.length > 0) screen.warn(`${words.lost(lost.length, shortened(lost, screen))}\n${words.lostHint}`)
	const exit = lost.length > 0 ? EXIT.damaged : EXIT.done
	screen.answer({ backup: summaryOf(backup), joined, exit })
	return exit
}

/** Shows which there are. */
export async function list({ config, screen }: Call): Promise<number> {
	const listing = await listBackups(config.folders.backups)
	showListing(listing, config.folders.backups, screen)
	const { backups, old, foreign } = listing
	screen.answer({ backups: backups.map(summaryOf), old, foreign, exit: EXIT.done })
	return EXIT.done
}

/** The table, with what else lies there. */
export function showListing({ backups, old, foreign }: Listing, folder: string, screen: Screen): void {
	const { words, say } = screen
	if (backups.length === 0) say(words.noneYet(folder))
	else {
		const { columns } = words
		const right = (text: string): Cell => ({ text, right: true })
		const amounts = [columns.people, columns.messages, columns.files, columns.size].map(right)
		const rows = backups.map((backup, index): Cell[] => [
			right(screen.count(index + 1)),
			...[backup.name, screen.date(backup.manifest.createdAt), words.reasons[backup.manifest.reason]],
			...[records(backup, 'users'), records(backup, 'messages'), backup.manifest.files.length].map((value) => right(screen.count(value))),
			right(sizeOf(backup, screen)),
			verifiedCell(backup, screen),
			backup.provenAt ? { text: words.yes, colour: 'green' } : { text: words.no, colour: 'dim' },
		])
		screen.table([right(columns.number), columns.name, columns.made, columns.reason, ...amounts, columns.verified, columns.proven], rows)
	}
	if (old.length > 0) {
		say(`\n${words.oldOnes}`)
		screen.rows(old.map(({ name, sizeBytes, lacks }) => [name, `${screen.size(sizeBytes)}, ${words.lacks(lacks)}`]))
	}
	if (foreign.length > 0) {
		say(`\n${words.foreignOnes}`)
		screen.rows(foreign.map(({ name, why }) => [name, name.startsWith(BEFORE_RESTORE) ? words.keptBefore : words.foreign[why]]))
	}
	if (backups.length > 0) say(`\n${words.howToGoOn}`)
}

function verifiedCell({ damaged, verifiedAt }: Backup, { words }: Screen): Cell {
	if (damaged !== null) return { text: words.damaged, colour: 'red' }
	return verifiedAt ? { text: words.yes, colour: 'green' } : { text: words.no, colour: 'yellow' }
}

/** Shows what is in one, and how it is doing. */
export async function show(call: Call): Promise<number> {
	const { screen } = call
	const { words } = screen
	const backup = await named(call)
	if (backup.kind === 'version1') return showOld(backup, screen)
	const { name, manifest, path, damaged, verifiedAt, provenAt } = backup
	const { sizes } = manifest
	const { lost, healable } = problemsOf(backup)
	const took = screen.duration(manifest.durationMs)
	screen.say(`${words.columns.name} ${name}`)
	const engine = manifest.engine === 'sqlite' ? words.embedded : 'MongoDB'
	const size = [
		sizeOf(backup, screen),
		screen.size(sizes.databaseBytes),
		screen.size(sizes.filesBytes),
		screen.size(sizes.addedBytes),
	] as const
	screen.rows([
		[words.columns.made, words.madeBy(screen.date(manifest.createdAt), words.reasons[manifest.reason], manifest.app, took)],
		[words.holdsRow, holdsOf(backup, screen)],
		[words.columns.size, words.sizeIs(...size)],
		[words.database, words.databaseIs(engine, manifest.database, manifest.seq)],
		[words.settings, manifest.env ? words.settingsKept : words.none],
		[words.folder, path],
		[words.columns.verified, verifiedAt && damaged === null ? words.on(screen.date(verifiedAt)) : verifiedCell(backup, screen)],
		[words.columns.proven, provenAt ? words.on(screen.date(provenAt)) : words.notProven(name)],
		...(damaged === null ? [] : [[words.damaged, { text: damaged, colour: 'red' }] as const]),
	])
	screen.say()
	const right = (text: string): Cell => ({ text, right: true })
	screen.table(
		[words.columns.collection, right(words.columns.records), right(words.columns.size)],
		manifest.collections.map((part) => [part.name, right(screen.count(part.records)), right(screen.size(part.sizeBytes))]),
	)
	screen.say()
	if (healable.length > 0) screen.say(words.healable(healable.length, shortened(healable, screen)))
	if (lost.length > 0) screen.say(words.lost(lost.length, shortened(lost, screen)))
	screen.say(words.restoreIt(name))
	screen.answer({ backup: { ...manifest, ...summaryOf(backup) }, exit: EXIT.done })
	return EXIT.done
}

function showOld(old: OldBackup, screen: Screen): number {
	const { words } = screen
	const { name, at, lacks, sizeBytes, path } = old
	screen.say(`${words.columns.name} ${name}`)
	screen.rows([
		[words.columns.made, words.madeByOld(at ? screen.date(at) : '?')],
		[words.holdsRow, words.lacks(lacks)],
		[words.columns.size, screen.size(sizeBytes)],
		[words.folder, path],
	])
	screen.answer({ backup: old, exit: EXIT.done })
	return EXIT.done
}

/** Reads one again, or all of ours. */
export async function verify(call: Call): Promise<number> {
	const { config, order, screen } = call
	const { words } = screen
	const all = order.all ? (await listBackups(config.folders.backups)).backups : [await named(call)]
	if (all.length === 0) throw new Trouble('noBackups', { folder: config.folders.backups })
	const outcomes: { name: string; findings: string[]; lost: string[] }[] = []
	for (const backup of all) {
		const { findings, lost, holds } = await verifyOne(backup, call)
		outcomes.push({ name: backup.name, findings, lost })
		if (findings.length > 0) {
			screen.warn(words.isDamaged(backup.name))
			for (const finding of findings.slice(0, NAMED)) screen.warn(`  ${finding}`)
			if (findings.length > NAMED) screen.warn(`  ${words.andMore(findings.length - NAMED)}`)
		} else if (lost.length > 0) screen.say(words.neverWhole(backup.name, lost.length))
		else screen.say(words.whole(backup.name, holds))
	}
	const exit = outcomes.some(({ findings }) => findings.length > 0) ? EXIT.damaged : EXIT.done
	if (exit !== EXIT.done) screen.warn(words.damagedHint)
	screen.answer({ verified: outcomes, exit })
	return exit
}

async function verifyOne(backup: Backup | OldBackup, { config, screen, signal }: Call) {
	if (backup.kind === 'ours') {
		const verified = await verifyBackup({ config, backup, progress: screen.progress, signal })
		return { ...verified, holds: holdsOf(backup, screen) }
	}
	const { findings, collections, uploads } = await verifyVersion1(backup, signal)
	const count = (collection: string) => collections.find(({ name }) => name === collection)?.records ?? 0
	return { findings, lost: [], holds: screen.words.holds(count('messages'), count('users'), uploads.files) }
}

/** Proves one. */
export async function drill(call: Call): Promise<number> {
	const { config, screen, signal } = call
	const backup = await chosen(call)
	const began = performance.now()
	await drillBackup({ config, backup, progress: screen.progress, signal })
	screen.say(screen.words.drilled(backup.name, screen.duration(performance.now() - began)))
	screen.answer({ proven: backup.name, exit: EXIT.done })
	return EXIT.done
}

/** Removes what is older than has to be kept. */
export async function prune({ config, order, screen, signal }: Call): Promise<number> {
	const { words } = screen
	// Without a database of its own nothing here is known to be its own.
	const installation = readNote(config.folders.data)?.id ?? ''
	const lock = order.dryRun ? null : await tryBackupLock(config)
	if (!order.dryRun && !lock) throw new Trouble('busy')
	try {
		const plan = planPrune(await listBackups(config.folders.backups), { keep: config.backup.keep, installation })
		const names = plan.remove.map(({ name }) => name)
		const pruned: Pruned | null = lock && (await pruneBackups({ config, installation, progress: screen.progress, signal }))
		if (pruned && (pruned.freedBytes > 0 || names.length > 0)) screen.say(words.pruned(names.length, screen.size(pruned.freedBytes)))
		else screen.say(names.length > 0 ? words.wouldPrune(names.length) : words.nothingToPrune)
		for (const name of names) screen.say(`  ${name}`)
		if (pruned && pruned.poolHeldBy.length > 0) screen.say(words.poolHeld(shortened(pruned.poolHeldBy, screen)))
		screen.answer({ ...(pruned ?? { wouldRemove: names }), exit: EXIT.done })
		return EXIT.done
	} finally {
		lock?.release()
	}
}

/** The backup that was named; without a name, the newest that was verified. */
const named = ({ config, order }: Call) => findBackup(config.folders.backups, order.argument ?? 'latest')

/** The same, to be opened: those of version 1 can't be. */
async function chosen(call: Call): Promise<Backup> {
	const found = await named(call)
	if (found.kind !== 'ours') throw new Trouble('version1Backup', { name: found.name })
	return found
}

const records = ({ manifest }: Backup, collection: string) => manifest.collections.find(({ name }) => name === collection)?.records ?? 0
const sizeOf = ({ manifest: { sizes } }: Backup, screen: Screen) => screen.size(sizes.databaseBytes + sizes.filesBytes)

function holdsOf(backup: Backup, { words }: Screen): string {
	return words.holds(records(backup, 'messages'), records(backup, 'users'), backup.manifest.files.length)
}

/** Live files that were not whole: which no backup has, and which it has all the same. */
function problemsOf({ manifest }: Backup): { lost: string[]; healable: string[] } {
	const kept = new Set(manifest.files.map(({ name }) => name))
	const names = manifest.problems.map(({ name }) => name)
	return { lost: names.filter((name) => !kept.has(name)), healable: names.filter((name) => kept.has(name)) }
}

function shortened(names: readonly string[], { words }: Screen): string {
	const more = names.length - NAMED
	return [...names.slice(0, NAMED), ...(more > 0 ? [words.andMore(more)] : [])].join(', ')
}

/** A backup for programs: without its long lists. */
function summaryOf(backup: Backup) {
	const { collections, files, ...manifest } = backup.manifest
	const counts = Object.fromEntries(collections.map(({ name, records }) => [name, records]))
	const { path, verifiedAt, provenAt, damaged } = backup
	return { ...manifest, path, verifiedAt, provenAt, damaged, counts: { ...counts, files: files.length } }
}
