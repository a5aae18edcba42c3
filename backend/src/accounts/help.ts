/**
 * Help for somebody who can't sign in: a link that an admin copies and hands over.
 *
 * Promises that it works once and for a day, that all who try a wrong one hear the same, and that
 * using it ends every session there was. Keeps only the hash of its token, shows it once.
 */
import { publicUser, refuseChanged } from '../access.ts'
import { fail, notFound } from '../errors.ts'
import { digest, type Handlers, type Parts, placeOf } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { HelpLinkRecord } from '../storage/collections.ts'
import type { Tx } from '../storage/store.ts'
import { beginSession, endSessionsOf, newToken } from './sessions.ts'
import type { Verification } from './verification.ts'

const lifeMs = 24 * 60 * 60 * 1000

/** The handlers of the help link. */
export function openHelp({ store, rates }: Parts, { hash }: Verification): Pick<Handlers, 'createHelpLink' | 'useHelpLink'> {
	const refuse = () => fail('wrong_credentials', 'This link is no longer valid.', { hint: 'Ask an admin of your school for a new one.' })

	/** Whose link has this token, while it may be used. */
	async function userOf(tx: Pick<Tx, 'get'>, link: HelpLinkRecord | null | undefined, tokenHash: string, now: string) {
		const user = link?.tokenHash === tokenHash && link.expiresAt > now ? await tx.get('users', link.id) : null
		return !user || user.status === 'deactivated' ? refuse() : user
	}

	return {
		async createHelpLink({ id }, { reader }) {
			const wait = rates.commands.take(reader.user.id)
			if (wait > 0) tooOften(wait)
			const token = newToken()
			return store.write(reader.user.id, async (tx) => {
				await refuseChanged(tx, reader)
				const user = await tx.get('users', id)
				if (!user) notFound('person')
				if (user.status === 'deactivated')
					fail('not_found', 'Who is deactivated can’t be let in by a link.', { hint: 'Approve her first.' })
				const expiresAt = new Date(Date.parse(tx.at) + lifeMs).toISOString()
				await tx.put('helpLinks', { id, tokenHash: digest(token), expiresAt, createdBy: reader.user.id })
				return { token, expiresAt }
			})
		},
		async useHelpLink({ token, password }, call) {
			const attempt = `help ${call.address}`
			const wait = rates.failuresHere.take(attempt)
			if (wait > 0) tooOften(wait)
			const tokenHash = digest(token)
			const [found] = await store.find('helpLinks', 'token', [tokenHash], { limit: 1 })
			const { id } = await userOf(store, found, tokenHash, new Date().toISOString())
			rates.failuresHere.giveBack(attempt)
			const hashed = await hash(password)
			const session = newToken()
			const answer = await store.write(id, async (tx) => {
				const user = await userOf(tx, await tx.get('helpLinks', id), tokenHash, tx.at)
				await tx.remove('helpLinks', id)
				await tx.put('credentials', { id, password: hashed })
				await endSessionsOf(tx, id, null)
				await beginSession(tx, id, session, call.device)
				return { me: publicUser(user), cursor: placeOf(tx) }
			})
			call.setToken(session)
			return answer
		},
	}
}
