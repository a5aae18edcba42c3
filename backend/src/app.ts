/**
 * The whole server: the only file that knows every part.
 *
 * Promises that it answers from the first moment (`standby` until it is given a store), and that
 * it closes in order: nothing new, what was begun finishes, sockets, store.
 */
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { openReaders } from './access.ts'
import { openAccounts } from './accounts/accounts.ts'
import { newSetUpToken } from './accounts/entrance.ts'
import { openBackups } from './admin/backups.ts'
import { openInspections } from './admin/inspections.ts'
import { type Keeper, openKeeper } from './backup/keeper.ts'
import { refusesReturns } from './backup/restore-state.ts'
import { counters, totalsFor, unreadFor } from './chat/counters.ts'
import { openMessages } from './chat/messages.ts'
import { openPages } from './chat/pages.ts'
import { newestMessage, openReads } from './chat/reads.ts'
import { openReceipts } from './chat/receipts.ts'
import { openReturns } from './chat/returns.ts'
import { openCategories } from './classroom/categories.ts'
import { openDiscussions, startStep } from './classroom/discussions.ts'
import { openGroups } from './classroom/groups.ts'
import { openOverview } from './classroom/overview.ts'
import { openParticipants } from './classroom/participants.ts'
import type { Config } from './config.ts'
import { type Files, openFiles } from './files/files.ts'
import { openHttp } from './http.ts'
import { type Live, openLive } from './live.ts'
import { type Handlers, noteKept, type Parts } from './parts.ts'
import { openRates } from './rates.ts'
import { type Derived, openDerived } from './storage/derived.ts'
import type { Store } from './storage/store.ts'

export interface App {
	/** Resolves with the port. */
	listen(): Promise<number>
	/** What is said while there is no store. */
	wait(reason: string): void
	/** Begins to serve. Resolves with the token of the first admin's link, null when there is an admin. */
	serve(store: Store): Promise<string | null>
	/** Moves files that nobody needs to the trash now; gives their names. */
	sweep(): Promise<string[]>
	/** Closes everything, the store last. */
	close(): Promise<void>
}

const pruneEveryMs = 6 * 60 * 60 * 1000
const dayMs = 24 * 60 * 60 * 1000

/** Opens the server without a store: it answers `standby` once it listens. */
export async function openApp(config: Config, log: Logger): Promise<App> {
	const http = await openHttp(config, log)
	let live: Live | null = null
	let store: Store | null = null
	let derived: Derived | null = null
	let files: Files | null = null
	let keeper: Keeper | null = null
	let pruning: NodeJS.Timeout | undefined
	http.app.server.on('upgrade', (request, socket, head) => {
		if (live) live.upgrade(request, socket, head)
		else socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
	})

	return {
		async listen() {
			try {
				await http.app.listen({ port: config.port, host: config.host })
			} catch (error) {
				// No IPv6 on this machine.
				if ((error as NodeJS.ErrnoException).code !== 'EAFNOSUPPORT' || config.host !== '::') throw error
				await http.app.listen({ port: config.port, host: '0.0.0.0' })
			}
			return (http.app.server.address() as AddressInfo).port
		},
		wait(reason) {
			http.waiting = reason
		},
		async serve(opened) {
			store = opened
			const parts: Parts = { store: opened, readers: openReaders(opened), rates: openRates(config.rates), config, log }
			const token = await newSetUpToken(parts)
			const receipts = await openReceipts(opened)
			const counted = openDerived(opened, join(config.folders.data, 'derived.db'), [counters], (error) =>
				log.error({ err: error }, 'derived data failed; it is made anew at the next start'),
			)
			derived = counted
			files = await openFiles(parts)
			const accounts = await openAccounts(parts, files.erase)
			const { authenticate } = accounts
			const stream = openLive(parts, authenticate)
			live = stream
			const looking = await openKeeper({
				...{ config, store: opened, log },
				onKept(cursor) {
					noteKept(opened, cursor)
					stream.tellKept()
				},
			})
			keeper = looking
			const handlers: Handlers = {
				...accounts.handlers,
				...openInspections(parts),
				...openBackups(parts, looking, accounts.confirm),
				...openGroups(parts),
				...openCategories(parts),
				...openDiscussions(parts),
				...openOverview(parts, {
					totals: (reader, discussion) => totalsFor(counted, reader, discussion),
					unread: (reader, discussion, upTo) => unreadFor(counted, reader, discussion, upTo),
					newest: (reader, discussion) => newestMessage(opened, counted, reader, discussion),
				}),
				...openParticipants(parts),
				...openReads(parts, counted),
				...openMessages(parts, receipts),
				...openPages(parts),
				...openReturns(
					parts,
					receipts,
					(input, reader, wait) => startStep(input, reader, wait, true),
					refusesReturns(config, opened.head.lineage),
				),
				...files.handlers,
			}
			http.serve({ handlers, authenticate, stopped: () => opened.stopped?.message ?? null, doubtful: () => opened.doubtful })
			const prune = () =>
				opened
					.prune(new Date(Date.now() - config.journalKeepDays * dayMs))
					.catch((error: unknown) => log.error({ err: error }, 'the journal could not be pruned'))
			pruning = setInterval(prune, pruneEveryMs).unref()
			return token
		},
		sweep: async () => (await files?.sweep()) ?? [],
		async close() {
			clearInterval(pruning)
			const kept = keeper?.close()
			http.waiting = 'The server is stopping.'
			const stopped = http.close()
			await live?.close()
			await stopped
			http.serve(null)
			derived?.close()
			await files?.close()
			await kept
			await store?.close()
		},
	}
}
