/**
 * Who types in a discussion and who has it open, and telling the others that I do.
 *
 * Promises that somebody who stopped typing is not shown for long, and that after every new
 * connection the server hears again what is looked at here. Nothing of it is kept.
 */
import { type Frame, typingMs, type Upward } from '../../../protocol/live.ts'
import type { Person } from '../../../protocol/model.ts'
import type { Records } from '../records.ts'

export interface Presence {
	typingIn(discussion: string): Person[]
	hereIn(discussion: string): { users: readonly Person[]; more: number }
	hear(frame: Frame & { t: 'typing' | 'here' }): void
	/** Somebody's message came: she does not type any more. */
	wrote(discussion: string, author: string): void
	/** I type; told at most every few seconds. */
	type(discussion: string): void
	look(discussion: string | null): void
	/** The connection is there (again), or lost. */
	online(): void
	offline(): void
}

const nobody = { users: [], more: 0 } as const

/** `say` speaks to the server where it is heard; `changed` runs when something else is to be seen. */
export function openPresence(records: Records, me: () => string, say: (frame: Upward) => void, changed: () => void): Presence {
	const typists = new Map<string, Map<string, number>>()
	const saidAt = new Map<string, number>()
	let looking: string | null = null
	let here: { ids: string[]; more: number } = { ids: [], more: 0 }

	const known = (ids: Iterable<string>) => [...ids].map((id) => records.get('users', id)).filter((person) => person !== undefined)
	const tell = () => say({ t: 'looking', discussion: looking })

	return {
		typingIn(discussion) {
			const now = Date.now()
			return known([...(typists.get(discussion) ?? [])].filter(([, until]) => until > now).map(([id]) => id))
		},
		hereIn: (discussion) => (discussion === looking && here.ids.length > 0 ? { users: known(here.ids), more: here.more } : nobody),
		hear(frame) {
			if (frame.t === 'here') {
				if (frame.discussion !== looking) return
				records.putPage({ users: frame.users })
				here = { ids: frame.users.map(({ id }) => id), more: frame.more }
				return changed()
			}
			if (frame.user.id === me()) return
			records.putPage({ users: [frame.user] })
			const ids = typists.get(frame.discussion) ?? new Map<string, number>()
			typists.set(frame.discussion, ids.set(frame.user.id, Date.now() + typingMs))
			setTimeout(changed, typingMs + 1)
		},
		wrote: (discussion, author) => void typists.get(discussion)?.delete(author),
		type(discussion) {
			const now = Date.now()
			if (now - (saidAt.get(discussion) ?? 0) < typingMs) return
			saidAt.set(discussion, now)
			say({ t: 'typing', discussion })
		},
		look(discussion) {
			if (discussion === looking) return
			looking = discussion
			here = { ids: [], more: 0 }
			tell()
			changed()
		},
		online() {
			if (looking !== null) tell()
		},
		offline() {
			here = { ids: [], more: 0 }
		},
	}
}
