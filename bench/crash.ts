/**
 * Opens the store, writes groups of messages, and is dead at once: what a power cut leaves behind.
 *
 * Promises the same number of groups every time, none of which `meta` knows to be applied.
 */
import { join } from 'node:path'
import { openStore } from '../backend/src/storage/open.ts'
import { messageDraft, nextId } from './documents.ts'

const [folder, groups, together] = process.argv.slice(2) as [string, string, string]
process.send?.({ port: 0 })
const store = await openStore({
	folder: join(folder, 'data'),
	backups: join(folder, 'backups'),
	// No heartbeat, which would tell it.
	mongodb: { uri: process.env.BENCH_MONGODB_URI!, silenceMs: 600_000 },
})
const [discussion, author] = [nextId(), nextId()]
for (let group = 0; group < Number(groups); group++) {
	await Promise.all(
		// Until eight, what comes in one turn is one group.
		Array.from({ length: Number(together) }, () => store.write(author, (tx) => tx.put('messages', messageDraft(discussion, author, null)))),
	)
}
process.send?.({ written: true }, () => process.kill(process.pid, 'SIGKILL'))
