/**
 * `npm run ops`, `./backup.sh` and `./restore.sh`: what they do is in ops/cli/main.ts.
 *
 * Compiles its sources once and not with every call, or for every thread: that takes longer than most commands.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../node_modules/.cache/english-chat')
enableCompileCache(process.env.NODE_COMPILE_CACHE)
const { main } = await import('./cli/main.ts')
process.exitCode = await main(process.argv.slice(2), process.env)
