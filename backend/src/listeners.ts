/**
 * Who listens to the live stream, found by audience.
 *
 * Promises that a listener stands under exactly the keys of her reader, and goes with her last
 * socket. What somebody sees is hers, not the socket's. Sends nothing.
 */
import type { WebSocket } from 'ws'
import type { Audience, Reader } from './access.ts'

/** Somebody with at least one socket. */
export interface Listener {
	reader: Reader
	seats: Set<Seat>
	/** Until what she sees is known for sure. */
	opening: Promise<void> | null
	/** In a fan-out: the audiences whose fragments she gets. */
	due: number[]
}

/** One socket. */
export interface Seat {
	socket: WebSocket
	listener: Listener
	session: string
	/** Has caught up and gets every fan-out from now on. */
	joined: boolean
	/** The last entry that it knows of. */
	upTo: number
	/** Pings since it answered one. */
	silent: number
	strikes: number
	/** The discussion that is open in this window. */
	looking: string | null
}

export interface Listeners {
	get(user: string): Listener | undefined
	readonly size: number
	/** All sockets, as they are now. */
	seats(): Seat[]
	add(reader: Reader): Listener
	/** From now on she sees what this reader sees. */
	become(listener: Listener, reader: Reader): void
	leave(seat: Seat): void
	/** Everybody in an audience, each once. */
	of(audience: Audience): Set<Listener>
	/** Notes in `due` who is in which of these audiences; gives all who are in any. */
	reach(audiences: readonly Audience[]): Listener[]
}

export function openListeners(): Listeners {
	const all = new Map<string, Listener>()
	const byKey = new Map<string, Set<Listener>>()
	const nobody: ReadonlySet<Listener> = new Set()

	function register(listener: Listener): void {
		for (const key of listener.reader.keys) {
			const set = byKey.get(key)
			if (set) set.add(listener)
			else byKey.set(key, new Set([listener]))
		}
	}

	function unregister(listener: Listener): void {
		for (const key of listener.reader.keys) {
			const set = byKey.get(key)
			set?.delete(listener)
			if (set?.size === 0) byKey.delete(key)
		}
	}

	return {
		get: (user) => all.get(user),
		get size() {
			return all.size
		},
		seats: () => [...all.values()].flatMap(({ seats }) => [...seats]),
		add(reader) {
			const listener: Listener = { reader, seats: new Set(), opening: null, due: [] }
			all.set(reader.user.id, listener)
			register(listener)
			return listener
		},
		become(listener, reader) {
			unregister(listener)
			listener.reader = reader
			if (all.get(reader.user.id) === listener) register(listener)
		},
		leave(seat) {
			const { listener } = seat
			const { id } = listener.reader.user
			listener.seats.delete(seat)
			if (listener.seats.size > 0 || all.get(id) !== listener) return
			unregister(listener)
			all.delete(id)
		},
		of({ keys, except }) {
			const found = new Set<Listener>()
			for (const key of keys) {
				for (const listener of byKey.get(key) ?? nobody) if (listener.reader.user.id !== except) found.add(listener)
			}
			return found
		},
		reach(audiences) {
			const reached: Listener[] = []
			for (let i = 0; i < audiences.length; i++) {
				const { keys, except } = audiences[i]!
				for (const key of keys) {
					for (const listener of byKey.get(key) ?? nobody) {
						if (listener.due.at(-1) === i || listener.reader.user.id === except) continue
						if (listener.due.push(i) === 1) reached.push(listener)
					}
				}
			}
			return reached
		},
	}
}
