/**
 * The live stream, `/api/live?after=<cursor>`: frames as JSON text, one WebSocket a tab.
 *
 * Changes come in journal order, filtered by what the reader may see. Only `upTo` moves the
 * browser's cursor. Records merge by `rev`; removals are remembered until reload. Up the
 * socket goes nothing that is stored.
 */
import { z } from 'zod'
import type { Person, Published, PublishedName } from './model.ts'
import { Id } from './model.ts'

/** One change: a record, a record that is gone, or what the reader may see from here on. */
export type Change =
	| { [N in PublishedName]: { put: N; record: Published[N] } }[PublishedName]
	| { remove: PublishedName; id: string; rev: number }
	/** Forget all of the lost (messages too), then fetch the gained; a discussion whose groups changed is in both. */
	| { scope: { gained: ScopeItems; lost: ScopeItems } }

export interface ScopeItems {
	groups: string[]
	discussions: string[]
}

export type Frame =
	/** First on every connection; `changes` (empty where nothing was missed) or `resync` follows at once. `now` is the server's clock. */
	| { t: 'hello'; now: string; kept: string | null; released: string | null }
	/** `users` are the writers of the messages in it. */
	| { t: 'changes'; changes: Change[]; users: Person[]; upTo: string; kept?: string | null; released?: string | null }
	/** What the browser holds can't be brought up to date from its cursor: fetch anew and go on from `upTo`. */
	| { t: 'resync'; reason: 'lineage' | 'ahead' | 'pruned' | 'scope' | 'far'; upTo: string }
	| { t: 'typing'; discussion: string; user: Person }
	/** Who looks at the discussion that this browser looks at, she herself not among them; sent when it changes. `more`: how many beside these. */
	| { t: 'here'; discussion: string; users: Person[]; more: number }
	| { t: 'error'; code: 'invalid_input'; detail: string }

/** What a browser may say on the socket. */
export const Upward = z.discriminatedUnion('t', [
	z.strictObject({ t: z.literal('typing'), discussion: Id }),
	/** Which discussion is open and seen in this window; null: none. */
	z.strictObject({ t: z.literal('looking'), discussion: Id.nullable() }),
])
export type Upward = z.infer<typeof Upward>

/** Why the server closes a socket; the browser connects again, after `refused` only much later, after `ended` never. */
export const closeCodes = {
	/** The session was ended, or the account may not be here any more. */
	ended: 4401,
	/** Too many sockets of one account, or what it said was not a frame. */
	refused: 4403,
	/** It read too slowly; it catches up from its cursor. */
	slow: 4408,
	/** The server stops or is no longer the writer. */
	goingAway: 1001,
} as const

/** So many people at most are named in a `here` frame. */
export const hereShown = 50

/** How long a `typing` frame is shown, and how often a browser sends one at the most. */
export const typingMs = 4_000
