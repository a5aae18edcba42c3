/**
 * Backups on the operator's command line: from arguments to an exit code.
 *
 * Promises one sentence and the next step where something can't be done, in the operator's language, and an exit code
 * for each outcome. What the commands do is in backend/src/backup/, what they say in ops/cli/.
 */
import { diskTrouble, EXIT, Trouble } from '../../backend/src/backup/trouble.ts'
import { BadSetting, readConfig, readEnv } from '../../backend/src/config.ts'
import { StorageUnavailable } from '../../backend/src/storage/engine.ts'
import { stopper } from '../stopper.ts'
import { parseOrder } from './order.ts'
import { openScreen, type Screen } from './screen.ts'

/** Does what is asked, and gives the code to exit with. */
export async function main(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
	const signal = stopper()
	const screen = openScreen({ env, json: args.includes('--json'), quiet: args[0] === 'backup', signal })
	try {
		const order = parseOrder(args, env, screen.words)
		const { command } = order
		if (command === 'help') {
			screen.say(screen.words.help)
			screen.answer({ help: screen.words.help, exit: EXIT.done })
			return EXIT.done
		}
		const call = { config: readConfig(readEnv(env), []), env, order, screen, signal }
		// What only asks how it is done need not wait for the database's code.
		if (command === 'restore') return await (await import('./restore.ts')).restore(call)
		return await (await import('./backups.ts'))[command](call)
	} catch (error) {
		return failed(troubleOf(error, signal), screen)
	} finally {
		screen.end()
	}
}

/** What can be expected to go wrong; a defect of ours goes on as it is. */
function troubleOf(error: unknown, signal: AbortSignal): Trouble {
	if (error instanceof Trouble) return error
	if (signal.aborted) return new Trouble('stopped', {}, { cause: error })
	if (error instanceof BadSetting) return new Trouble('setting', { what: error.message })
	if (error instanceof StorageUnavailable) return new Trouble('database', { why: error.message, hint: error.hint ?? '' }, { cause: error })
	const { path } = error as NodeJS.ErrnoException
	const trouble = path === undefined ? null : diskTrouble(error, path)
	if (trouble) return trouble
	throw error
}

function failed(trouble: Trouble, screen: Screen): number {
	const { says, hint } = trouble.say(screen.language)
	const { exit } = trouble
	if (screen.json) screen.answer({ error: { code: trouble.code, message: says, ...(hint && { hint }) }, exit })
	else screen.warn(hint ? `${says}\n${hint}` : says)
	return exit
}
