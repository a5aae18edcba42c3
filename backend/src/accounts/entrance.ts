/**
 * The ways in: the first admin's one-time link, registration, signing in.
 *
 * Promises that registering twice with the same words makes one account, that nobody learns from
 * a sign-in whether an address has one, and that guessing passwords soon has to wait. Never
 * writes a password or a token down.
 */
import type { ParsedInput } from '../../../protocol/api.ts'
import { publicUser, refuseStatus } from '../access.ts'
import { fail } from '../errors.ts'
import { bodyHash, newId, systemId } from '../ids.ts'
import { type Call, digest, type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { UserRecord } from '../storage/collections.ts'
import { type Tx, UniqueTaken } from '../storage/store.ts'
import { openPasswords } from './passwords.ts'
import { beginSession, newToken } from './sessions.ts'

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

/** The handlers of the ways in. */
export function openEntrance({ store, rates, config }: Parts): Pick<Handlers, 'status' | 'setUp' | 'register' | 'signIn' | 'me'> {
	const passwords = openPasswords(config.password)

	async function findByEmail(email: string): Promise<UserRecord | null> {
		const [user] = await store.find('users', 'email', [email], { limit: 1 })
		return user ?? null
	}

	/** Checks a password; too many failures have to wait, from one address soon, from everywhere late. */
	async function verify(email: string, user: UserRecord | null, password: string, { address }: Call) {
		const account = email.normalize('NFKC').toLowerCase()
		const here = `${account} ${address}`
		const wait = rates.failuresHere.take(here) || rates.failures.take(account)
		if (wait > 0) fail('rate_limited', 'Too many attempts to sign in.', { hint: `Please wait ${wait} s.`, retryAfterSeconds: wait })
		const credential = user && (await store.get('credentials', user.id))
		const outcome = await passwords.verify(password, credential?.password ?? null)
		if (outcome.right) {
			rates.failuresHere.giveBack(here)
			rates.failures.giveBack(account)
		}
		return outcome
	}

	/** Begins a session of a user whose password was right. */
	async function enter({ id }: UserRecord, call: Call, newPassword: string | null) {
		const token = newToken()
		const { user, cursor } = await store.write(id, async (tx) => {
			const user = (await tx.get('users', id))!
			if (user.status === 'deactivated') refuseStatus(user)
			if (newPassword !== null) await tx.put('credentials', { id, password: newPassword })
			await beginSession(tx, id, token, call.device)
			return { user, cursor: placeOf(tx) }
		})
		call.setToken(token)
		return { me: publicUser(user), cursor }
	}

	/** Makes an account and its first session in one step. */
	async function create(
		account: Pick<UserRecord, 'role' | 'status' | 'name' | 'email' | 'number' | 'bodyHash'>,
		password: string,
		call: Call,
		check: (tx: Tx) => Promise<void>,
	) {
		const id = newId()
		const token = newToken()
		const { user, cursor } = await store.write(id, async (tx) => {
			await check(tx)
			const decidedAt = account.status === 'approved' ? tx.at : null
			const user = await tx.put('users', { id, ...account, reason: null, decidedBy: null, decidedAt, scopeRev: tx.seq })
			await tx.put('credentials', { id, password })
			await beginSession(tx, id, token, call.device)
			return { user, cursor: placeOf(tx) }
		})
		call.setToken(token)
		return { me: publicUser(user), cursor }
	}

	async function register(input: ParsedInput<'register'>, call: Call) {
		const { role, name, number, email, password } = input
		const body = bodyHash(role, name, number, email)
		const taken = () => fail('email_taken', 'There is an account with this e-mail address already.', { hint: 'Sign in instead.' })
		const user = await findByEmail(email)
		if (user) {
			const { right } = await verify(email, user, password, call)
			return right && user.bodyHash === body ? enter(user, call, null) : taken()
		}
		const wait = rates.registrations.take(call.address)
		if (wait > 0) tooOften(wait)
		const account = { role, name, number, email, bodyHash: body, status: 'pending' as const }
		try {
			return await create(account, await passwords.hash(password), call, async () => {})
		} catch (error) {
			// The same registration, twice at the same moment: the other one was first.
			if (error instanceof UniqueTaken) return register(input, call)
			throw error
		}
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
			const account = {
				role: 'admin',
				status: 'approved',
				name,
				email,
				number: null,
				bodyHash: bodyHash('admin', name, null, email),
			} as const
			try {
				return await create(account, await passwords.hash(password), call, async (tx) => {
					await refuse(tx)
					await tx.remove('system', setUpId)
				})
			} catch (error) {
				if (error instanceof UniqueTaken) fail('email_taken', 'There is an account with this e-mail address already.')
				throw error
			}
		},
		register,
		async signIn({ email, password }, call) {
			const user = await findByEmail(email)
			const { right, stale } = await verify(email, user, password, call)
			if (!right || !user) fail('wrong_credentials', 'The e-mail address or the password is not right.')
			refuseIfDeactivated(user)
			return enter(user, call, stale ? await passwords.hash(password) : null)
		},
		async me(_input, { reader }) {
			return { ...standing(store), me: publicUser(reader.user), now: new Date().toISOString() }
		},
	}
}

function refuseIfDeactivated(user: UserRecord): void {
	if (user.status === 'deactivated') refuseStatus(user)
}
