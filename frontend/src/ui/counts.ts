/**
 * How many people there are in each status, for an admin.
 *
 * Promises that all who ask share one count, and that it follows what the live stream brings a moment
 * later. Never fails: the page of people says why they can't be fetched.
 */
import { useMemo, useSyncExternalStore } from 'react'
import type { Status } from '../../../protocol/model.ts'
import type { Client } from '../client.ts'
import { useClient } from './data.tsx'

export type Counts = Partial<Record<Status, number>>

interface CountStore {
	subscribe(listener: () => void): () => void
	snapshot(): Counts | null
}

/** So many of those who wait come along, for the rail. */
export const waitingShown = 20
const settleMs = 250
const stores = new WeakMap<Client, CountStore>()

/** How many there are by status; null before the first answer. */
export function usePeopleCounts(): Counts | null {
	const client = useClient()
	const store = useMemo(() => storeOf(client), [client])
	return useSyncExternalStore(store.subscribe, store.snapshot)
}

function storeOf(client: Client): CountStore {
	const known = stores.get(client)
	if (known) return known
	const store = openCounts(client)
	stores.set(client, store)
	return store
}

function openCounts(client: Client): CountStore {
	const listeners = new Set<() => void>()
	let counts: Counts | null = null
	let seen = ''
	let people: unknown = null
	let timer: ReturnType<typeof setTimeout> | undefined
	let unsubscribe = () => {}

	/** What tells that the counts may be others now: who is known in which status, and a connection that came back. */
	function look() {
		const snapshot = client.snapshot()
		if (snapshot.people === people && seen.endsWith(snapshot.connection)) return
		people = snapshot.people
		const known: Counts = {}
		for (const { status } of snapshot.people.values()) if (status) known[status] = (known[status] ?? 0) + 1
		const now = `${JSON.stringify(known)} ${snapshot.connection}`
		if (now === seen) return
		seen = now
		if (snapshot.connection === 'offline' || snapshot.connection === 'ended') return
		timer ??= setTimeout(fetch, counts ? settleMs : 0)
	}

	async function fetch() {
		timer = undefined
		try {
			const page = await client.call('listUsers', { status: 'pending', limit: waitingShown })
			counts = page.counts
			for (const listener of [...listeners]) listener()
		} catch {
			seen = ''
		}
	}

	return {
		subscribe(listener) {
			listeners.add(listener)
			if (listeners.size === 1) {
				unsubscribe = client.subscribe(look)
				look()
			}
			return () => {
				listeners.delete(listener)
				if (listeners.size > 0) return
				unsubscribe()
				clearTimeout(timer)
				timer = undefined
				seen = ''
			}
		},
		snapshot: () => counts,
	}
}
