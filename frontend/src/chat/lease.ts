/**
 * One tab sends at a time: a lease in IndexedDB that is renewed while it is held and
 * expires by itself when its tab is closed, crashed or put to sleep.
 *
 * It keeps tabs from doing the same work twice. That a command is stored once is the
 * server's promise (by its id), so a lease held twice for a moment does no harm.
 */
import type { UserDatabase } from './database.ts'

const leaseMs = 4_000

/** Runs `work` with the lease, which may look whether it is still `held`. False: another tab has it. */
export async function withLease(database: UserDatabase, tab: string, work: (held: () => boolean) => Promise<void>): Promise<boolean> {
	let until = 0
	const take = () =>
		database.transaction('rw', database.lease, async () => {
			const now = Date.now()
			const lease = await database.lease.get('send')
			// One that ends later than any could was made before the clock was set back.
			if (lease && lease.tab !== tab && lease.until > now && lease.until <= now + leaseMs) return false
			await database.lease.put({ name: 'send', tab, until: now + leaseMs })
			until = now + leaseMs
			return true
		})
	if (!(await take())) return false
	const renewal = setInterval(() => void take().catch(() => {}), leaseMs / 3)
	try {
		await work(() => Date.now() < until)
	} finally {
		clearInterval(renewal)
		await letGo(database, tab)
	}
	return true
}

/** Whoever waits for this tab's lease need not wait until it expires. */
export async function letGo(database: UserDatabase, tab: string): Promise<void> {
	await database.transaction('rw', database.lease, async () => {
		if ((await database.lease.get('send'))?.tab === tab) await database.lease.delete('send')
	})
}
