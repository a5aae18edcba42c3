/**
 * Whether a password is somebody's, and what begins once it is: shared by all ways in.
 *
 * Promises that guessing soon has to wait, from one address soon, from everywhere late, wherever a
 * password is asked for; and that no session begins by a password that was changed meanwhile.
 */
import { publicUser, refuseStatus } from '../access.ts'
import { fail } from '../errors.ts'
import { type Call, type Parts, placeOf } from '../parts.ts'
import type { UserRecord } from '../storage/collections.ts'
import { openPasswords } from './passwords.ts'
import { beginSession, newToken } from './sessions.ts'

export interface Verified {
	right: boolean
	/** What was compared with; null where there is no such account. */
	kept: string | null
	/** Hash it anew with today's cost. */
	stale: boolean
}

export type Verification = ReturnType<typeof openVerification>

/** Opens the one line in which this server's passwords are hashed. */
export function openVerification({ store, rates, config }: Parts) {
	const passwords = openPasswords(config.password)

	/** Compares a password; a right one does not count as an attempt. */
	async function verify(email: string, user: UserRecord | null, password: string, { address }: Call): Promise<Verified> {
		const account = email.normalize('NFKC').toLowerCase()
		const here = `${account} ${address}`
		const wait = rates.failuresHere.take(here) || rates.failures.take(account)
		if (wait > 0) fail('rate_limited', 'Too many attempts to sign in.', { hint: `Please wait ${wait} s.`, retryAfterSeconds: wait })
		const kept = (user && (await store.get('credentials', user.id)))?.password ?? null
		const outcome = await passwords.verify(password, kept)
		if (outcome.right) {
			rates.failuresHere.giveBack(here)
			rates.failures.giveBack(account)
		}
		return { ...outcome, kept }
	}

	return {
		hash: passwords.hash,
		verify,
		async findByEmail(email: string): Promise<UserRecord | null> {
			const [user] = await store.find('users', 'email', [email], { limit: 1 })
			return user ?? null
		},
		/** Begins a session of somebody whose password was right; null where it is another one by now. */
		async enter({ id }: UserRecord, call: Call, kept: string | null, newHash: string | null) {
			const token = newToken()
			const entered = await store.write(id, async (tx) => {
				const user = (await tx.get('users', id))!
				if (user.status === 'deactivated') refuseStatus(user)
				if ((await tx.get('credentials', id))?.password !== kept) return null
				if (newHash !== null) await tx.put('credentials', { id, password: newHash })
				await beginSession(tx, id, token, call.device)
				return { me: publicUser(user), cursor: placeOf(tx) }
			})
			if (entered) call.setToken(token)
			return entered
		},
	}
}
