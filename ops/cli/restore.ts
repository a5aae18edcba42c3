/**
 * `restore`: what it would change, the questions that have to be answered first, and afterwards what was done, how to go
 * back and what comes next. The restore itself is in backend/src/backup/.
 *
 * Promises that nothing is changed before somebody agreed: on a terminal by the word, elsewhere by `--yes`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { findBackup, listBackups } from '../../backend/src/backup/folder.ts'
import { ENV_COPY } from '../../backend/src/backup/format.ts'
import { planRestore, type RestorePlan, type RestoreResult, refuseServer, restoreBackup } from '../../backend/src/backup/restore.ts'
import { endRehearsal, isRehearsal, type Role } from '../../backend/src/backup/restore-state.ts'
import { EXIT, Trouble } from '../../backend/src/backup/trouble.ts'
import { type Config, readConfig } from '../../backend/src/config.ts'
import { showListing } from './backups.ts'
import { type Call, roles } from './order.ts'
import type { Cell } from './screen.ts'

/** Restores what was named; where nothing was, it says which there are and how one is restored. */
export async function restore(call: Call): Promise<number> {
	const { order, screen, signal } = call
	const { words } = screen
	if (order.argument === null && order.fromMongodump === null && !order.confirm) return explain(call)
	if (!order.dryRun && !order.yes && !screen.canAsk) throw new Trouble('usage', { what: words.needsYes })
	if (order.confirm) return confirm(call)
	let { config } = call
	let plan = await planned(config, call)
	if (!order.dryRun && changesDatabase(plan)) refuseServer(config)
	const as = await roleFor(plan, call)
	const coming = as === 'replacement' && (order.as || !order.dryRun) ? settingsOf(plan, call) : null
	if (coming) {
		// Backups are read where they were found.
		config = { ...coming, folders: { ...coming.folders, backups: config.folders.backups } }
		plan = await planned(config, call)
	}
	showPlan(plan, as, call)
	if (order.dryRun) {
		screen.say(`\n${words.nothingChanged}`)
		screen.answer({ plan: planOf(plan), exit: EXIT.done })
		return EXIT.done
	}
	await agree(call)
	const began = performance.now()
	const result = await restoreBackup({ config, plan, as, returns: order.returns, progress: screen.progress, signal })
	showResult(result, plan, as, performance.now() - began, call)
	const { backups } = coming?.folders ?? config.folders
	if (backups !== config.folders.backups) screen.say(words.backupsBelong(config.folders.backups, backups))
	screen.answer({ restored: planOf(plan), as, ...result, exit: EXIT.done })
	return EXIT.done
}

async function explain({ config, screen }: Call): Promise<number> {
	const { backups } = config.folders
	const listing = await listBackups(backups)
	if (listing.backups.length === 0) throw new Trouble('noBackups', { folder: backups })
	showListing(listing, backups, screen)
	throw new Trouble('usage', { what: screen.words.nameOne })
}

/** A rehearsal becomes the real one. */
async function confirm(call: Call): Promise<number> {
	const { config, screen } = call
	const { words } = screen
	if (!isRehearsal(config)) throw new Trouble('usage', { what: words.noRehearsal })
	screen.say(words.confirms)
	await agree(call)
	endRehearsal(config)
	screen.say(words.confirmed)
	screen.answer({ confirmed: true, exit: EXIT.done })
	return EXIT.done
}

async function planned(config: Config, { order, screen, signal }: Call): Promise<RestorePlan> {
	const found = order.argument === null ? null : await findBackup(config.folders.backups, order.argument)
	if (found?.kind === 'version1') throw new Trouble('version1Backup', { name: found.name })
	const source = found ? ({ kind: 'backup', backup: found } as const) : ({ kind: 'mongodump', path: order.fromMongodump! } as const)
	return planRestore({ config, source, only: order.only, progress: screen.progress, signal })
}

const changesDatabase = ({ only }: RestorePlan) => only === null || only === 'database'

/**
 * The settings that come back with everything else: they say where the database belongs. Null: there are none, or they
 * say the same as now.
 */
function settingsOf({ source, only, env }: RestorePlan, { config, env: given }: Call): Config | null {
	if (source.kind !== 'backup' || only !== null || env !== 'restored') return null
	const settings = parseEnv(readFileSync(join(source.backup.path, ENV_COPY), 'utf8'))
	const coming = readConfig({ ...settings, ...given }, [])
	const isSame = coming.mongodb?.uri === config.mongodb?.uri && coming.folders.data === config.folders.data
	return isSame ? null : coming
}

// Questions.

/** Asks for the word. Throws `Trouble` without it. */
async function agree({ order, screen }: Call): Promise<void> {
	if (order.yes) return
	const { words } = screen
	const answer = await screen.ask(`\n${words.askWord(words.word)}`)
	if (answer?.trim().toLowerCase() !== words.word) throw new Trouble('stopped')
}

/** What this machine is to be. Where nobody was asked, one that is not the source only rehearses. */
async function roleFor(plan: RestorePlan, { order, screen }: Call): Promise<Role> {
	if (order.as) return order.as
	if (!plan.elsewhere || !changesDatabase(plan) || order.dryRun) return 'replacement'
	if (order.yes) return 'rehearsal'
	const { words } = screen
	const answer = (await screen.ask(words.askRole))?.trim().toLowerCase()
	const role = roles.find((one) => answer === one || answer === words.roles[one])
	if (!role) throw new Trouble('stopped')
	return role
}

// What is told.

/** Rows that are shown although nothing changes in them. */
const ALWAYS = ['users', 'groups', 'discussions', 'messages']

/** The table of what changes. */
function showPlan(plan: RestorePlan, as: Role, { screen }: Call): void {
	const { words, say } = screen
	const { source, present, files } = plan
	if (source.kind === 'mongodump') say(words.fromDump(source.path))
	else say(words.fromBackup(source.backup.name, screen.date(source.backup.manifest.createdAt)))
	const right = (text: string): Cell => ({ text, right: true })
	const number = (value: number | null) => right(value === null ? '?' : screen.count(value))
	const row = (name: string, now: number | null, later: number): Cell[] => {
		const change = now === null ? 0 : later - now
		const signed = change === 0 ? '' : `${change > 0 ? '+' : '−'}${screen.count(Math.abs(change))}`
		return [words.kinds[name]!, number(now), number(later), { text: signed, right: true, ...(change < 0 && { colour: 'yellow' }) }]
	}
	if (changesDatabase(plan)) {
		const shown = plan.collections.filter(
			({ name, now, later }) => name in words.kinds && (ALWAYS.includes(name) || (present === 'whole' && now !== later)),
		)
		say()
		screen.table(
			['', ...Object.values(words.nowAndThen).map(right)],
			shown.map(({ name, now, later }) => row(name, now, later)),
		)
	}
	say()
	const broken = files.missing + files.damaged
	screen.rows([
		[words.filesRow, broken > 0 ? words.comeBack(broken) : words.stay],
		[words.settings, bringsSettings(plan, as) ? words.settingsComeBack : words.stay],
	])
	if (!changesDatabase(plan)) return
	say()
	if (present === 'missing') say(words.presentMissing)
	else say(present === 'whole' ? words.presentWhole : words.presentBroken)
	say(words.signInAgain)
	if (as === 'rehearsal') say(words.rehearses)
}

const bringsSettings = ({ env, only }: RestorePlan, as: Role) => env === 'restored' && (as === 'replacement' || only === 'env')

function showResult({ safety }: RestoreResult, plan: RestorePlan, as: Role, ms: number, { order, screen }: Call): void {
	const { words, say } = screen
	const count = (collection: string) => plan.collections.find(({ name }) => name === collection)?.later ?? 0
	const what = [
		...(changesDatabase(plan) ? [words.records(count('messages'), count('users'))] : []),
		...(plan.source.kind === 'backup' && (plan.only ?? 'files') === 'files'
			? [words.filesBack(plan.files.missing + plan.files.damaged)]
			: []),
		...(bringsSettings(plan, as) ? [words.settingsBack] : []),
	]
	say()
	say(words.restored(what.join('; '), screen.duration(ms)))
	if (safety !== null) say(plan.present === 'broken' ? words.keptFiles(safety) : words.wayBack(safety))
	if (!changesDatabase(plan)) {
		say(words.nothingElse)
		return
	}
	if (plan.present === 'whole') say(order.returns ? words.returns : words.noReturns)
	if (as === 'rehearsal') {
		say(words.rehearses)
		say(words.confirmIt)
	}
	say(words.startNow)
}

/** A plan for programs. */
function planOf({ source, ...plan }: RestorePlan) {
	return { ...plan, source: source.kind === 'backup' ? source.backup.name : source.path }
}
