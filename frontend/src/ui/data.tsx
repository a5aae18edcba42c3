/**
 * How screens reach the data: hooks over client.ts's interfaces.
 *
 * Promises one subscription a component and immutable snapshots. Holds no data of its own.
 */
import { createContext, useContext, useSyncExternalStore } from 'react'
import type { Person } from '../../../protocol/model.ts'
import type { Client, SessionState, SessionStore, Snapshot, Timeline } from '../client.ts'

export const SessionContext = createContext<SessionStore | null>(null)
export const ClientContext = createContext<Client | null>(null)

export function useSessionStore(): SessionStore {
	const store = useContext(SessionContext)
	if (!store) throw new Error('no session store above this component')
	return store
}

export function useSession(): SessionState {
	const store = useSessionStore()
	return useSyncExternalStore(store.subscribe, store.snapshot)
}

export function useClient(): Client {
	const client = useContext(ClientContext)
	if (!client) throw new Error('no client above this component')
	return client
}

export function useSnapshot(): Snapshot {
	const client = useClient()
	return useSyncExternalStore(client.subscribe, client.snapshot)
}

/** Who I am, for what is not to be rendered anew whenever anything changes. */
export function useMe(): Person {
	const client = useClient()
	return useSyncExternalStore(client.subscribe, () => client.snapshot().me)
}

/** Everybody who is known here, likewise. */
export function usePeople(): ReadonlyMap<string, Person> {
	const client = useClient()
	return useSyncExternalStore(client.subscribe, () => client.snapshot().people)
}

export function useTimeline(discussion: string): Timeline {
	const client = useClient()
	return useSyncExternalStore(client.subscribe, () => client.timeline(discussion))
}

/** Something of a timeline, for what is not to be rendered anew with every message. `pick` gives the same thing for the same timeline. */
export function useTimelinePart<T>(discussion: string, pick: (timeline: Timeline) => T): T {
	const client = useClient()
	return useSyncExternalStore(client.subscribe, () => pick(client.timeline(discussion)))
}
