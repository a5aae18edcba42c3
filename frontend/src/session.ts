/**
 * The session of this browser: who is signed in, and the client that holds her data.
 *
 * Promises that only her own sign-out deletes what waits on this device: a session ended by
 * the server leaves it, locked, until she (or the account that now has her e-mail) signs in.
 * All tabs follow. Never touches the DOM.
 */
import type { Output } from '../../protocol/api.ts'
import type { Person } from '../../protocol/model.ts'
import { createCall, type Network, sameOrigin } from './api.ts'
import { deleteUserDatabase, openDeviceDatabase, openUserDatabase, type UserDatabase, unsentIn } from './chat/database.ts'
import { ApiError, type Client, type SessionState, type SessionStore } from './client.ts'
import { createClock } from './ids.ts'
import { openNotices } from './notices.ts'
import { oneAtATime } from './once.ts'
import { openClient } from './openClient.ts'

export interface SessionOptions {
	network?: Network
	/** Shorter in tests. */
	retryMs?: number
	silenceMs?: number
}

const askAgainMs = 3_000

/** The session of the page; begins to ask the server at once. */
export function createSessionStore(options: SessionOptions = {}): SessionStore & { close(): void } {
	const { network = sameOrigin, ...timing } = options
	const call = createCall(network)
	const listeners = new Set<() => void>()
	let state: SessionState = { state: 'loading', client: null, setUp: true, locked: [] }
	let signedIn: string | null = null
	let shut: Client | null = null
	let closed = false
	let timer: ReturnType<typeof setTimeout> | undefined

	const opened = openDeviceDatabase().then(async (device) => {
		const offset = await device.meta.get('clockOffsetMs')
		const clock = createClock(offset?.key === 'clockOffsetMs' ? offset.value : 0, (value) => {
			void device.meta.put({ key: 'clockOffsetMs', value })
		})
		return { device, clock }
	})
	const notices = openNotices('english-chat', () => void look())

	function become(next: Partial<SessionState>) {
		state = { ...state, ...next }
		for (const listener of [...listeners]) listener()
	}

	/** Who is signed in here, as far as this device knows. */
	async function remembered(): Promise<Person | null> {
		const { device } = await opened
		const me = await device.meta.get('me')
		return me?.key === 'me' ? me.value : null
	}

	/** Another tab signed in or out. */
	async function look() {
		if (((await remembered())?.id ?? null) !== signedIn) await ask()
	}

	/** Asks the server who is signed in, and follows. */
	const askOnce = oneAtATime(async () => {
		if (closed) return
		clearTimeout(timer)
		try {
			const page = await call('me', {})
			await enter(page.me, page)
		} catch (error) {
			if (error instanceof ApiError && ['not_signed_in', 'account_deactivated'].includes(error.problem.code)) return leave()
			const me = await remembered()
			if (me) return enter(me, null)
			timer = setTimeout(ask, askAgainMs)
			drop()
			become({ state: 'unreachable', client: null })
		}
	})
	function ask(): Promise<void> {
		return askOnce()
	}

	function drop() {
		state.client?.close()
		signedIn = null
	}

	async function enter(me: Person, start: Output<'me'> | null) {
		if (state.client && signedIn === me.id) return
		const { device, clock } = await opened
		drop()
		signedIn = me.id
		if (start) clock.learn(start.now)
		await adopt(me)
		await device.users.put({ id: me.id, email: me.email ?? '' })
		await remember(me)
		const database = await openUserDatabase(me.id)
		const client: Client = await openClient({
			...{ network, clock, me, start, database, ...timing },
			onEnded: () => {
				if (signedIn !== me.id) return
				if (client.snapshot().me.status === 'deactivated') shut = client
				void forget()
			},
			async onSignedOut(force) {
				shut = null
				// What was written while the server was asked stays on the device, locked.
				if (force || (await waitingOf(me.id)) === 0) {
					await device.users.delete(me.id)
					if (database.durable) await deleteUserDatabase(me.id)
				}
				await forget()
			},
		})
		if (closed) return client.close()
		shut = null
		become({ state: 'signedIn', client, shut, setUp: true, locked: [] })
	}

	/** She is not signed in any more; who is, the server knows. */
	async function forget() {
		drop()
		await remember(null)
		await ask()
	}

	/** Nobody is signed in. */
	async function leave() {
		drop()
		await remember(null)
		const setUp = await call('status', {}).then(
			(answer) => answer.setUp,
			() => true,
		)
		become({ state: 'signedOut', client: null, shut, setUp, locked: await locked() })
	}

	async function remember(me: Person | null) {
		const { device } = await opened
		const before = await remembered()
		if (me) await device.meta.put({ key: 'me', value: me })
		else await device.meta.delete('me')
		if (before?.id !== me?.id) notices.tell()
	}

	async function locked(): Promise<SessionState['locked']> {
		const { device } = await opened
		const users = await device.users.toArray()
		const waiting = await Promise.all(users.map(async ({ id, email }) => ({ email, waiting: await waitingOf(id) })))
		return waiting.filter((user) => user.waiting > 0)
	}

	/** How much of a user's is on this device and was not sent, whoever has her database open. */
	async function waitingOf(user: string): Promise<number> {
		const database = await openUserDatabase(user)
		try {
			return await unsentIn(database).count()
		} finally {
			database.close()
		}
	}

	/** What waits for an earlier account with this e-mail (it was lost in a restore and registered anew) is hers. */
	async function adopt(me: Person) {
		const { device } = await opened
		const email = me.email?.toLowerCase()
		const earlier = (await device.users.toArray()).filter((user) => user.id !== me.id && user.email.toLowerCase() === email)
		if (earlier.length === 0) return
		const mine = await openUserDatabase(me.id)
		for (const { id } of earlier) {
			const theirs = await openUserDatabase(id)
			const rows = await theirs.outbox.orderBy('number').toArray()
			// A receipt names its author: for another account it proves nothing.
			await mine.outbox.bulkAdd(rows.map(({ number: _, ...row }) => ({ ...row, receipt: null })))
			const drafts = await theirs.drafts.toArray()
			const present = await mine.drafts.bulkGet(drafts.map((draft) => draft.discussion))
			await mine.drafts.bulkPut(drafts.filter((_, at) => !present[at]))
			await adoptFiles(theirs, mine)
			theirs.close()
			await deleteUserDatabase(id)
			await device.users.delete(id)
		}
		mine.close()
	}

	/** One after another: they may be large. Whether the server has them under her new account is not known. */
	async function adoptFiles(theirs: UserDatabase, mine: UserDatabase) {
		for (const file of await theirs.files.toArray()) {
			const bytes = await theirs.bytes.get(file.id)
			await mine.transaction('rw', mine.files, mine.bytes, async () => {
				if (bytes) await mine.bytes.put(bytes)
				await mine.files.put({ ...file, sentIn: '' })
			})
		}
	}

	void ask()
	return {
		subscribe(listener) {
			listeners.add(listener)
			return () => listeners.delete(listener)
		},
		snapshot: () => state,
		async signIn(input) {
			await call('signIn', input)
			await ask()
		},
		async register(input) {
			await call('register', input)
			await ask()
		},
		async setUp(input) {
			await call('setUp', input)
			await ask()
		},
		async signInByLink(input) {
			await call('useHelpLink', input)
			await ask()
		},
		close() {
			closed = true
			clearTimeout(timer)
			notices.close()
			state.client?.close()
			void opened.then(({ device }) => device.close())
		},
	}
}
