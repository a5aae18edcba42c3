/**
 * The ways in: the first admin's one-time link, registration, signing in.
 *
 * Promises that registering twice with the same words makes one account, and that nobody learns
 * from a sign-in whether an address has one. Never writes a password or a token down.
 */
import type { ParsedInput } from '../../../protocol/api.ts'
import { mayCollaborate, publicUser, refuseStatus } from '../access.ts'
import { fail } from '../errors.ts'
import { bodyHash, newId, systemId } from '../ids.ts'
import { type Call, digest, type Handlers, type Parts, placeOf } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { UserRecord } from '../storage/collections.ts'
import { type Tx, UniqueTaken } from '../storage/store.ts'
import { beginSession, newToken } from './sessions.ts'
import type { Verification } from './verification.ts'

const setUpId = systemId('setup')

/** Whether the first admin exists. */
export async function isSetUp({ find }: Pick<Tx, 'find'>): Promise<boolean> {
	return (await find('users', 'role', ['admin', 'approved'], { limit: 1 })).length > 0
}

/** The token of a new one-time link, while there is no admin; the link before it ends. */
export async function newSetUpToken({ store }: Parts): Promise<string | null> {
	const token = newToken()
	return store.write(null, async (tx) => {
		if (await isSetUp({ find: tx.find.bind(tx) })) return null
		await tx.put('system', { id: setUpId, name: 'setup', value: digest(token) })
		return token
	})
}

/** Within a step: of the lecturers that a student named, those who are approved lecturers, each once. */
export async function lecturersAmong(tx: Tx, ids: readonly string[]): Promise<string[]> {
	const found: string[] = []
	for (const id of new Set(ids)) {
		const user = await tx.get('users', id)
		if (user && mayCollaborate(user)) found.push(id)
	}
	return found
}

type Account = Pick<UserRecord, 'role' | 'status' | 'name' | 'email' | 'number' | 'lecturers' | 'bodyHash'>

/** The handlers of the ways in. */
export function openEntrance(
	{ store, rates }: Parts,
	{ hash, verify, enter, findByEmail }: Verification,
): Pick<Handlers, 'status' | 'setUp' | 'register' | 'signIn'> {
	/** Makes an account and its first session in one step. */
	async function create(account: Account, password: string, call: Call, check: (tx: Tx) => Promise<void>) {
		const id = newId()
		const token = newToken()
		const { user, cursor } = await store.write(id, async (tx) => {
			await check(tx)
			const user = await tx.put('users', {
				id,
				...account,
				lecturers: await lecturersAmong(tx, account.lecturers),
				...{ avatar: null, reason: null, decidedBy: null, erasedAt: null, scopeRev: tx.seq, cardRev: tx.seq },
				decidedAt: account.status === 'approved' ? tx.at : null,
			})
			await tx.put('credentials', { id, password })
			await beginSession(tx, id, token, call.device)
			return { user, cursor: placeOf(tx) }
		})
		call.setToken(token)
		return { me: publicUser(user), cursor }
	}

	async function register(input: ParsedInput<'register'>, call: Call) {
		const { role, name, number, email, password } = input
		const lecturers = role === 'student' ? input.lecturers : []
		const body = bodyHash(role, name, number, email, lecturers)
		const taken = () => fail('email_taken', 'There is an account with this e-mail address already.', { hint: 'Sign in instead.' })
		const user = await findByEmail(email)
		if (user) {
			const { right, kept } = await verify(email, user, password, call)
			if (!right || user.bodyHash !== body) taken()
			return (await enter(user, call, kept, null)) ?? taken()
		}
		const wait = rates.registrations.take(call.address)
		if (wait > 0) tooOften(wait)
		const account = { role, name, number, email, lecturers, bodyHash: body, status: 'pending' as const }
		try {
			return await create(account, await hash(password), call, async () => {})
		} catch (error) {
			// The same registration, twice at the same moment: the other one was first.
			if (error instanceof UniqueTaken) return register(input, call)
			throw error
		}
	}

	async function signIn(input: ParsedInput<'signIn'>, call: Call): ReturnType<Handlers['signIn']> {
		const { email, password } = input
		const user = await findByEmail(email)
		const { right, stale, kept } = await verify(email, user, password, call)
		if (!right || !user) fail('wrong_credentials', 'The e-mail address or the password is not right.')
		if (user.status === 'deactivated') refuseStatus(user)
		// Changed, or hashed anew, since it was compared: once more.
		return (await enter(user, call, kept, stale ? await hash(password) : null)) ?? signIn(input, call)
	}

	let setUp = false
	return {
		async status() {
			setUp ||= await isSetUp({ find: store.find.bind(store) })
			return { setUp }
		},
		async setUp({ token, name, email, password }, call) {
			const refuse = async (tx: Pick<Tx, 'get' | 'find'>) => {
				if (await isSetUp({ find: tx.find.bind(tx) }))
					fail('already_set_up', 'The first admin exists already.', { hint: 'Sign in instead.' })
				if ((await tx.get('system', setUpId))?.value !== digest(token)) {
					fail('wrong_credentials', 'This link is no longer valid.', { hint: 'Each start of the server prints a new one.' })
				}
			}
			await refuse(store)
			const account: Account = {
				role: 'admin',
				status: 'approved',
				...{ name, email, number: null, lecturers: [], bodyHash: bodyHash('admin', name, null, email, []) },
			}
			try {
				return await create(account, await hash(password), call, async (tx) => {
					await refuse(tx)
					await tx.remove('system', setUpId)
				})
			} catch (error) {
				if (error instanceof UniqueTaken) fail('email_taken', 'There is an account with this e-mail address already.')
				throw error
			}
		},
		register,
		signIn,
	}
}
