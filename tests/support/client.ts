/**
 * A small typed client: calls the API with a cookie jar, listens to the live stream, and keeps
 * what it heard as a browser does, so that "state by events" can be compared with "state by fetch".
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { WebSocket } from 'ws'
import { type ApiName, api, type Endpoint, type Input, type Output, type Problem } from '../../protocol/api.ts'
import type { Change, Frame } from '../../protocol/live.ts'
import { type Discussion, type Group, type Message, type Person, type PublishedName, parseCursor, type Read } from '../../protocol/model.ts'

/** The server said no. */
export class Refused extends Error {
	override name = 'Refused'
	readonly problem: Problem
	constructor(problem: Problem) {
		super(`${problem.code}: ${problem.detail}`)
		this.problem = problem
	}
}

/** A new id, as browsers make them. */
export function newId(seconds = Math.floor(Date.now() / 1000)): string {
	return seconds.toString(16).padStart(8, '0') + randomBytes(8).toString('hex')
}

/** The code with which a promise was refused; fails when it was not. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
	try {
		await promise
	} catch (error) {
		if (error instanceof Refused) return error.problem.code
		throw error
	}
	return 'done'
}

const someBytes = Buffer.from('A plain text, sent as a file.\n')

export class Client {
	readonly origin: string
	cookie: string | null = null
	constructor(origin: string) {
		this.origin = origin
	}

	/** Any request, with the session's cookie. */
	async fetch(path: string, init: RequestInit = {}): Promise<Response> {
		const headers = new Headers(init.headers)
		if (this.cookie !== null && !headers.has('cookie')) headers.set('cookie', `session=${this.cookie}`)
		const response = await fetch(this.origin + path, { ...init, headers })
		const set = response.headers.getSetCookie().find((cookie) => cookie.startsWith('session='))
		if (set) this.cookie = /^session=([^;]*)/.exec(set)![1] || null
		return response
	}

	/** The request of a call; `bytes`: of a file that it sends. */
	request<N extends ApiName>(name: N, input: Input<N>, bytes: Uint8Array = someBytes): Promise<Response> {
		const { method, path, body } = api[name] as Endpoint
		const rest: Record<string, unknown> = { ...input }
		const url = path.replaceAll(/:(\w+)/g, (_, field: string) => {
			const value = encodeURIComponent(String(rest[field]))
			delete rest[field]
			return value
		})
		if (method === 'GET' || method === 'DELETE' || body === 'upload') {
			const query = new URLSearchParams(
				Object.entries(rest).flatMap(([field, value]) => (value === undefined ? [] : [[field, String(value)]])),
			)
			const sent = body === 'upload' ? { headers: { 'content-type': 'application/octet-stream' }, body: bytes as BodyInit } : {}
			return this.fetch(query.size > 0 ? `${url}?${query}` : url, { method, ...sent })
		}
		return this.fetch(url, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(rest) })
	}

	/** Calls; throws `Refused`. Every answer is checked against the table; a file's is its bytes. */
	async call<N extends ApiName>(name: N, input: Input<N>, bytes?: Uint8Array): Promise<Output<N>> {
		const response = await this.request(name, input, bytes)
		if (response.ok && (api[name] as Endpoint).body === 'file') return Buffer.from(await response.arrayBuffer()) as Output<N>
		const body = (await response.json()) as object
		if (response.status !== 200) throw new Refused(body as Problem)
		const parsed = api[name].output.safeParse(body)
		assert(parsed.success, `${name} answered what its schema refuses: ${parsed.error?.message}`)
		return body as Output<N>
	}

	listen(after: string | null): Listening {
		return new Listening(this, after)
	}
}

/** One socket with all that it heard. */
export class Listening {
	readonly frames: Frame[] = []
	readonly socket: WebSocket
	closed: { code: number; reason: string } | null = null
	upTo: string | null
	#waiting: (() => void)[] = []
	onFrame: ((frame: Frame) => void) | null = null

	constructor(client: Client, after: string | null) {
		this.upTo = after
		const query = after === null ? '' : `?after=${encodeURIComponent(after)}`
		this.socket = new WebSocket(`${client.origin.replace('http', 'ws')}/api/live${query}`, {
			headers: client.cookie === null ? {} : { cookie: `session=${client.cookie}` },
		})
		this.socket.on('message', (data) => {
			const frame = JSON.parse(String(data)) as Frame
			this.frames.push(frame)
			if (frame.t === 'changes' || frame.t === 'resync') this.upTo = frame.upTo
			this.onFrame?.(frame)
			this.#wake()
		})
		this.socket.on('close', (code, reason) => {
			this.closed = { code, reason: String(reason) }
			this.#wake()
		})
		this.socket.on('error', () => {
			this.closed ??= { code: 0, reason: 'error' }
			this.#wake()
		})
	}

	#wake(): void {
		for (const wake of this.#waiting.splice(0)) wake()
	}

	/** Waits until it is so. The test's own timeout is the limit. */
	async until(condition: () => boolean): Promise<void> {
		while (!condition()) {
			assert(!this.closed || this.#wanted(condition), `The socket was closed: ${this.closed?.code} ${this.closed?.reason}`)
			await new Promise<void>((resolve) => this.#waiting.push(resolve))
		}
	}

	#wanted(condition: () => boolean): boolean {
		return condition()
	}

	/** Waits for the server to close it. */
	async end(): Promise<{ code: number; reason: string }> {
		while (!this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
		return this.closed
	}

	/** Waits until it stands at this entry or later. */
	async reach(seq: number): Promise<void> {
		await this.until(() => this.upTo !== null && (parseCursor(this.upTo)?.seq ?? -1) >= seq)
	}

	get changes(): Change[] {
		return this.frames.flatMap((frame) => (frame.t === 'changes' ? frame.changes : []))
	}

	close(): void {
		this.socket.terminate()
	}
}

/** The answer, or null where it was refused. */
async function allowed<T>(answer: Promise<T>): Promise<T | null> {
	try {
		return await answer
	} catch (error) {
		if (error instanceof Refused) return null
		throw error
	}
}

type Held = { id: string; rev: number }

/** What a browser holds: records by collection, merged by `rev`. */
export class View {
	readonly records: Record<PublishedName, Map<string, Held>> = {
		users: new Map(),
		groups: new Map(),
		memberships: new Map(),
		categories: new Map(),
		discussions: new Map(),
		messages: new Map(),
		reads: new Map(),
	}
	/** Groups that are hers, and not only those of a discussion that she leads along. */
	readonly #own = new Set<string>()
	readonly #client: Client
	readonly #removed = new Map<string, number>()
	#listening: Listening | null = null
	#work: Promise<void> = Promise.resolve()
	me: Person | null = null

	constructor(client: Client) {
		this.#client = client
	}

	/** Fetches all that there is for this user, and listens from there on. */
	async open(): Promise<Listening> {
		const { cursor } = await this.#client.call('me', {})
		await this.fetchAll()
		return this.listen(cursor)
	}

	listen(after: string): Listening {
		const listening = this.#client.listen(after)
		this.#listening = listening
		listening.onFrame = (frame) => {
			this.#work = this.#work.then(() => this.#apply(frame))
		}
		return listening
	}

	/** Waits until everything up to this entry was heard and what it asked for was fetched. */
	async settle(seq: number): Promise<void> {
		await this.#listening!.reach(seq)
		await this.#work
	}

	#put(collection: keyof View['records'], record: Held): void {
		const held = this.records[collection].get(record.id)
		if (held && held.rev > record.rev) return
		if ((this.#removed.get(record.id) ?? -1) >= record.rev) return
		this.records[collection].set(record.id, record)
	}

	async #apply(frame: Frame): Promise<void> {
		if (frame.t === 'resync') {
			for (const records of Object.values(this.records)) records.clear()
			this.#own.clear()
			await this.fetchAll()
		}
		if (frame.t !== 'changes') return
		for (const change of frame.changes) {
			if ('scope' in change) {
				for (const id of change.scope.lost.groups) {
					this.#own.delete(id)
					for (const [key, membership] of this.records.memberships) {
						if ((membership as Held & { group: string }).group === id) this.records.memberships.delete(key)
					}
				}
				for (const id of change.scope.lost.discussions) this.#forget(id)
				for (const id of change.scope.gained.groups) await this.#fetchMembers(id)
				if (change.scope.gained.groups.length > 0) await this.#fetchGroups()
				for (const id of change.scope.gained.discussions) await this.#fetchDiscussion(id)
				if (change.scope.gained.discussions.length > 0) await this.#fetchReads()
			} else if ('remove' in change) {
				this.#removed.set(change.id, change.rev)
				this.records[change.remove].delete(change.id)
			} else {
				this.#put(change.put, change.record)
				if (change.put === 'groups' && change.record.createdBy === this.me?.id) this.#own.add(change.record.id)
				if (change.put === 'memberships' && change.record.user === this.me?.id) this.#own.add(change.record.group)
				if (change.put === 'users' && change.record.id === this.me?.id && change.record.rev >= this.me.rev)
					await this.#become(change.record)
				// A group that a colleague brought in.
				const unknown = change.put === 'discussions' && change.record.groups.some((id) => !this.records.groups.has(id))
				if (unknown && this.me?.role === 'lecturer') await this.#fetchDiscussion(change.record.id)
			}
		}
		this.#tidy()
	}

	async #become(me: Person): Promise<void> {
		const before = this.me
		this.me = me
		if (me.status !== 'approved') this.records.categories.clear()
		else if (before?.status !== 'approved') await this.#fetchCategories()
	}

	/** Forgets groups that are neither hers nor of a discussion, and how far she read in discussions that are gone. */
	#tidy(): void {
		const { groups, discussions, reads } = this.records
		const named = new Set([...discussions.values()].flatMap((discussion) => (discussion as Discussion).groups))
		for (const group of groups.values() as Iterable<Group>) {
			const hers = this.me?.role === 'admin' || this.#own.has(group.id)
			if (!hers && !(this.me?.role === 'lecturer' && named.has(group.id))) groups.delete(group.id)
		}
		for (const read of reads.values() as Iterable<Read>) if (!discussions.has(read.discussion)) reads.delete(read.id)
	}

	#forget(discussion: string): void {
		this.records.discussions.delete(discussion)
		for (const [id, message] of this.records.messages) {
			if ((message as Message).discussion === discussion) this.records.messages.delete(id)
		}
	}

	/** Fetches everything; what is refused is not hers (any more), and a frame that says so is on its way. */
	async fetchAll(): Promise<void> {
		const { me } = await this.#client.call('me', {})
		this.me = me
		if (me.status !== 'approved') return
		await this.#fetchCategories()
		await this.#fetchGroups()
		for (const id of this.records.groups.keys()) await this.#fetchMembers(id)
		if (me.role === 'admin') return this.#fetchUsers()
		for (const { id } of await this.#fetchReads()) await this.#fetchDiscussion(id)
		this.#tidy()
	}

	/** How far she has read, of all discussions; gives these. */
	async #fetchReads(): Promise<Discussion[]> {
		const found: Discussion[] = []
		if (this.me?.role === 'admin') return found
		for await (const page of this.#pages((after) => this.#client.call('listDiscussions', { limit: 3, ...after }))) {
			for (const read of page.reads) this.#put('reads', read)
			found.push(...page.discussions)
		}
		return found
	}

	async #fetchCategories(): Promise<void> {
		for (const category of (await allowed(this.#client.call('listCategories', {})))?.categories ?? []) this.#put('categories', category)
	}

	async *#pages<P extends { next: string | null }>(fetch: (after: { after?: string }) => Promise<P>): AsyncGenerator<P> {
		let after: string | null = null
		do {
			const page: P | null = await allowed(fetch(after === null ? {} : { after }))
			if (!page) return
			yield page
			after = page.next
		} while (after !== null)
	}

	async #fetchUsers(): Promise<void> {
		for await (const { users } of this.#pages((after) => this.#client.call('listUsers', { limit: 3, ...after }))) {
			for (const user of users) this.#put('users', user)
		}
	}

	async #fetchGroups(): Promise<void> {
		for (const group of (await allowed(this.#client.call('listGroups', {})))?.groups ?? []) {
			this.#own.add(group.id)
			this.#put('groups', group)
		}
	}

	async #fetchMembers(id: string): Promise<void> {
		if (this.me?.role === 'student') return
		for await (const { memberships } of this.#pages((after) => this.#client.call('listMembers', { id, limit: 3, ...after }))) {
			for (const membership of memberships) this.#put('memberships', membership)
		}
	}

	async #fetchDiscussion(id: string): Promise<void> {
		const found = await allowed(this.#client.call('getDiscussion', { id }))
		if (!found) return
		this.#put('discussions', found.discussion)
		if (this.me?.role === 'lecturer') for (const group of found.groups) this.#put('groups', group)
		let before: string | null = null
		do {
			const asked: Promise<Output<'listMessages'>> = this.#client.call('listMessages', { id, limit: 5, ...(before !== null && { before }) })
			const page: Output<'listMessages'> | null = await allowed(asked)
			for (const message of page?.messages ?? []) this.#put('messages', message)
			before = page?.older ?? null
		} while (before !== null)
	}

	/** What can be fetched and heard alike: a student's own memberships come by events only, cards of others by both. */
	comparable(): object {
		const sorted = (records: Map<string, Held>) => [...records.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
		const { users, groups, memberships, categories, discussions, messages, reads } = this.records
		return {
			me: this.me,
			users: this.me?.role === 'admin' ? sorted(users) : [],
			groups: sorted(groups),
			memberships: this.me?.role === 'student' ? [] : sorted(memberships),
			categories: sorted(categories),
			discussions: sorted(discussions),
			messages: sorted(messages),
			reads: sorted(reads),
		}
	}
}

/** Every live test ends with this: what was heard is what a fresh fetch shows. */
export async function assertSame(client: Client, view: View, seq: number): Promise<void> {
	await view.settle(seq)
	const fresh = new View(client)
	await fresh.fetchAll()
	assert.deepEqual(view.comparable(), fresh.comparable())
}
