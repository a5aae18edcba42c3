/**
 * Sessions: an opaque token in the browser's cookie, its hash in a record.
 *
 * Promises that a session is checked on every request as committed then, and ends for good when
 * its record goes. Never stores or logs a token.
 */
import { randomBytes } from 'node:crypto'
import { limits } from '../../../protocol/model.ts'
import type { Reader } from '../access.ts'
import { notFound } from '../errors.ts'
import { newId } from '../ids.ts'
import { digest, type Handlers, type Parts } from '../parts.ts'
import type { SessionRecord } from '../storage/collections.ts'
import type { Tx } from '../storage/store.ts'

const dayMs = 24 * 60 * 60 * 1000
const lifeMs = 30 * dayMs
const sessionsKnown = 50_000
/** More than anybody has: each new one ends what is over the limit. */
const sessionsOfOne = 2 * limits.sessionsPerUser

export interface Sessions {
	/** Who has this token; null when nobody (any more). */
	authenticate(token: string): Promise<{ reader: Reader; session: SessionRecord } | null>
	handlers: Pick<Handlers, 'signOut' | 'listSessions' | 'endSession' | 'endOtherSessions'>
}

/** A new token: 32 random bytes. */
export function newToken(): string {
	return randomBytes(32).toString('base64url')
}

/** Within a step: begins a session; the oldest goes when there are too many. */
export async function beginSession(tx: Tx, user: string, token: string, device: string): Promise<void> {
	const sessions = await tx.find('sessions', 'user', [user], { limit: limits.sessionsPerUser + 1 })
	const live = sessions.filter(({ expiresAt }) => expiresAt > tx.at)
	const ended = [
		...sessions.filter((session) => !live.includes(session)),
		...live.slice(0, Math.max(0, live.length - limits.sessionsPerUser + 1)),
	]
	for (const { id } of ended) await tx.remove('sessions', id)
	await tx.put('sessions', { id: newId(), user, tokenHash: digest(token), device, expiresAt: expiry(Date.parse(tx.at)) })
}

/** Within a step: ends all sessions of somebody but one; how many of them still counted. */
export async function endSessionsOf(tx: Tx, user: string, but: string | null): Promise<number> {
	const sessions = (await tx.find('sessions', 'user', [user], { limit: sessionsOfOne })).filter(({ id }) => id !== but)
	for (const { id } of sessions) await tx.remove('sessions', id)
	return sessions.filter(({ expiresAt }) => expiresAt > tx.at).length
}

const expiry = (from: number) => new Date(from + lifeMs).toISOString()

/** Finds the sessions of requests, and the handlers that list and end them. */
export function openSessions({ store, readers, log }: Parts): Sessions {
	/** Which session a token's hash belongs to: a hash never changes its session. */
	const known = new Map<string, string>()
	const extending = new Set<string>()

	async function find(hash: string): Promise<SessionRecord | null> {
		const id = known.get(hash)
		if (id !== undefined) return store.get('sessions', id)
		const [session] = await store.find('sessions', 'token', [hash], { limit: 1 })
		if (!session) return null
		known.set(hash, session.id)
		if (known.size > sessionsKnown) known.delete(known.keys().next().value!)
		return session
	}

	/** At most once a day, beside the request. */
	function extend({ id, user }: SessionRecord): void {
		if (extending.has(id) || store.stopped) return
		extending.add(id)
		store
			.write(user, async (tx) => {
				const session = await tx.get('sessions', id)
				if (session) await tx.put('sessions', { ...session, expiresAt: expiry(Date.parse(tx.at)) })
			})
			.catch((error: unknown) => log.warn({ err: error }, 'a session could not be extended'))
			.finally(() => extending.delete(id))
	}

	async function end(id: string, user: string): Promise<boolean> {
		return store.write(user, async (tx) => {
			const session = await tx.get('sessions', id)
			if (session?.user !== user) return false
			await tx.remove('sessions', id)
			return true
		})
	}

	return {
		async authenticate(token) {
			const session = await find(digest(token))
			if (!session) return null
			const left = Date.parse(session.expiresAt) - Date.now()
			if (left <= 0) return null
			if (left < lifeMs - dayMs) extend(session)
			const reader = await readers.get(session.user)
			return reader && { reader, session }
		},
		handlers: {
			async signOut(_input, call) {
				await end(call.session.id, call.reader.user.id)
				call.setToken(null)
				return {}
			},
			async listSessions(_input, { reader, session }) {
				const now = new Date().toISOString()
				const sessions = await store.find('sessions', 'user', [reader.user.id], { limit: sessionsOfOne, order: 'descending' })
				return {
					sessions: sessions
						.filter(({ expiresAt }) => expiresAt > now)
						.map(({ id, createdAt, device, expiresAt }) => ({ id, createdAt, device, expiresAt, current: id === session.id })),
				}
			},
			async endSession({ id }, { reader }) {
				if (!(await end(id, reader.user.id))) notFound('session')
				return {}
			},
			async endOtherSessions(_input, { reader, session }) {
				return { ended: await store.write(reader.user.id, (tx) => endSessionsOf(tx, reader.user.id, session.id)) }
			},
		},
	}
}
