/**
 * What the screens know of the data: one `Client` per signed-in user, which holds her records,
 * outbox, drafts and live connection.
 *
 * Promises: snapshots are immutable and change identity only when something in them changed;
 * nothing typed is lost; records merge by `rev`. Never touches the DOM.
 */
import type { ApiName, Input, Output, Problem } from '../../protocol/api.ts'
import type { Discussion, Group, Membership, Message, Person, Totals } from '../../protocol/model.ts'

/** `offline`: the server does not answer. `ended`: the server ended the session; what waits is kept, locked, on this device. */
export type Connection = 'connecting' | 'online' | 'offline' | 'ended'

/** How safe a message is: on this device, on the server's disk, in a proven backup; or refused by the server. */
export type Safety = 'device' | 'stored' | 'kept' | 'refused'

/** A line of the timeline: a message as the reader sees it, her own waiting ones and edits included. */
export interface TimelineItem {
	id: string
	message: Message
	/** Null for other people's messages on which no command of mine is under way. */
	safety: Safety | null
	/** When the server stored it (mine only). */
	storedAt: string | null
	/** Why the server refused its newest command; `command` names it for `retry` and `takeBack`. */
	problem: Problem | null
	command: number | null
	/** The message replied to: null where the reader may not see it or it is not known. */
	quoted: Message | null
}

export interface Timeline {
	discussion: Discussion | null
	groups: Group[]
	items: TimelineItem[]
	/** More above; false: the items begin with the first message. */
	older: boolean
	state: 'loading' | 'ready' | 'not_found' | 'offline'
	/** People typing now, me not among them. */
	typing: Person[]
	/** Groups that I may write to; when several, the composer asks (`null`, all, only for lecturers). */
	mayWriteTo: (string | null)[]
}

export interface Snapshot {
	me: Person
	connection: Connection
	/** False in a browser that keeps nothing on the device (private mode): what waits is gone with the page. */
	durable: boolean
	/** Commands on this device that the server has not stored (refused ones counted apart). */
	waiting: number
	refused: number
	/** Newest activity first. `last` is the newest message the reader sees, where known. */
	/** `totals`: as counted when the list was fetched. */
	discussions: { discussion: Discussion; last: Message | null; totals: Totals | null }[]
	discussionsState: 'loading' | 'ready'
	groups: Group[]
	memberships: Membership[]
	people: ReadonlyMap<string, Person>
}

export interface Client {
	/** For `useSyncExternalStore`. */
	subscribe(listener: () => void): () => void
	snapshot(): Snapshot
	/** The discussion as it stands; begins loading it on the first call. Same identity until it changes. */
	timeline(discussion: string): Timeline
	/** Fetches the page above; resolves when it is there. */
	loadOlder(discussion: string): Promise<void>
	/** A direct call (people, groups, approvals). Records in the answer are merged into the snapshot. Throws `ApiError`. */
	call<N extends ApiName>(name: N, input: Input<N>): Promise<Output<N>>

	/** These go through the outbox: they resolve when saved on this device; the network is not awaited. */
	send(message: { discussion: string; group: string | null | undefined; text: string; replyTo: string | null }): Promise<void>
	edit(message: string, text: string): Promise<void>
	setRemoved(message: string, removed: boolean): Promise<void>
	/** Resolves with the new discussion's id. */
	startDiscussion(discussion: { title: string; prompt: string; groups: string[] }): Promise<string>
	/** Sends a refused command again, or drops it and gives back what it said (to put it into the composer). */
	retry(command: number): Promise<void>
	takeBack(command: number): Promise<string | null>

	/** What was typed in a discussion and not sent; null when there is nothing. */
	draft(discussion: string): Promise<Draft | null>
	/** Saves as it is typed; an empty text deletes. */
	saveDraft(discussion: string, draft: Draft): Promise<void>

	/** An id for a record that a direct call creates, by the server's clock. */
	newId(): string
	/** Tells the others in the discussion; at most every few seconds. */
	typing(discussion: string): void
	/** Ends the session. With waiting commands it does nothing and returns false unless `force`; then deletes this user's database. */
	signOut(options?: { force?: boolean }): Promise<boolean>
	close(): void
}

export interface Draft {
	text: string
	replyTo: string | null
	/** The message being edited, where the draft is an edit. */
	editing: string | null
}

/** What the app is before and after somebody is signed in. */
export interface SessionState {
	state: 'loading' | 'signedOut' | 'signedIn' | 'unreachable'
	client: Client | null
	/** False while the first admin does not exist. */
	setUp: boolean
	/** Commands that wait, locked, on this device for an account whose session was ended. */
	locked: { email: string; waiting: number }[]
}

/** The session of this browser: one for the whole page. */
export interface SessionStore {
	subscribe(listener: () => void): () => void
	snapshot(): SessionState
	signIn(input: Input<'signIn'>): Promise<void>
	register(input: Input<'register'>): Promise<void>
	setUp(input: Input<'setUp'>): Promise<void>
}

/** The server said no. */
export class ApiError extends Error {
	override name = 'ApiError'
	readonly problem: Problem
	constructor(problem: Problem) {
		super(problem.detail)
		this.problem = problem
	}
}
/** The server did not answer; whether it did the work is not known. */
export class Unreachable extends Error {
	override name = 'Unreachable'
}
