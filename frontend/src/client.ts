/**
 * What the screens know of the data: one `Client` per signed-in user, which holds her records,
 * outbox, drafts and live connection.
 *
 * Promises: snapshots are immutable and change identity only when something in them changed;
 * nothing typed is lost; records merge by `rev`. Never touches the DOM.
 */
import type { ApiName, Input, Output, Problem } from '../../protocol/api.ts'
import type { Category, Discussion, Group, Membership, Message, Person, Totals } from '../../protocol/model.ts'

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
	/** Files of a message of mine that waits, in the order of its attachments; empty once it is stored. */
	transfers: readonly Transfer[]
}

/** A file on its way to the server. `failed`: tried again with its command. */
export interface Transfer {
	id: string
	state: 'waiting' | 'sending' | 'sent' | 'failed'
	sentBytes: number
	sizeBytes: number
}

/** A file that was picked and not sent yet, saved on this device. `url` shows it. */
export interface StagedFile {
	/** The upload's id. */
	id: string
	name: string
	type: string
	sizeBytes: number
	/** Of a picture. */
	width: number | null
	height: number | null
	url: string
}

export interface Timeline {
	discussion: Discussion | null
	groups: Group[]
	items: TimelineItem[]
	/** More above; false: the items begin with the first message. */
	older: boolean
	/** More below, since the items are an earlier part of the discussion. */
	newer: boolean
	/** The `seq` up to which I had read when I came here (the unread line stands below it); null: not known. */
	readUpTo: number | null
	/** Messages of others after what I have read by now. */
	unread: number
	/** People who have the discussion open now, me not among them, and how many beside these. */
	here: Person[]
	hereMore: number
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
	/**
	 * Newest activity first. `last` is the newest message the reader sees, where known; `totals` as counted when the list was
	 * fetched; `unread` messages of others, kept up to date.
	 */
	discussions: { discussion: Discussion; last: Message | null; totals: Totals | null; unread: number }[]
	discussionsState: 'loading' | 'ready'
	/** All that are known, archived ones too; a lecturer's own are those she made or is a member of. */
	groups: Group[]
	memberships: Membership[]
	categories: Category[]
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
	/** Fetches the page below, where `newer`. */
	loadNewer(discussion: string): Promise<void>
	/**
	 * Shows the part of a discussion around a message (by its `seq`), from a time on, around the first unread message, or its end.
	 * Resolves, when it is shown, with the id of the message to go to; null: there is none.
	 */
	goTo(discussion: string, place: { seq: number } | { from: string } | 'unread' | 'end'): Promise<string | null>
	/** I have seen the message with this `seq`: told to the server a little later, for all my devices. */
	markRead(discussion: string, seq: number): void
	/** Which discussion is open and seen in this window; null: none. */
	look(discussion: string | null): void
	/** A direct call (people, groups, approvals). Records in the answer are merged into the snapshot. Throws `ApiError`. */
	call<N extends ApiName>(name: N, input: Input<N>): Promise<Output<N>>

	/** These go through the outbox: they resolve when saved on this device; the network is not awaited. */
	/** `files`: ids of staged files, which are sent before the message. The timeline goes to its end, where the message stands. */
	send(message: {
		discussion: string
		group: string | null | undefined
		text: string
		replyTo: string | null
		files: readonly string[]
	}): Promise<void>
	edit(message: string, text: string): Promise<void>
	setRemoved(message: string, removed: boolean): Promise<void>
	/** Resolves with the new discussion's id. */
	startDiscussion(discussion: {
		title: string
		prompt: string
		groups: string[]
		category: string | null
		tags: string[]
		collaborators: string[]
	}): Promise<string>
	/** Sends a refused command again, or drops it and gives back what it said (to put it into the composer); its files are staged again. */
	retry(command: number): Promise<void>
	takeBack(command: number): Promise<string | null>
	/** Stops a message of mine that waits, as `takeBack` does, its files with it; null where it is too late. */
	cancel(message: string): Promise<string | null>

	/** What was typed in a discussion and not sent; null when there is nothing. */
	draft(discussion: string): Promise<Draft | null>
	/** Saves as it is typed; an empty text deletes. Staged files are saved by `stage`. */
	saveDraft(discussion: string, draft: Draft): Promise<void>
	/** Saves a picked file on this device, for a message of this discussion. */
	stage(discussion: string, file: { bytes: Blob; name: string; width: number | null; height: number | null }): Promise<StagedFile>
	/** The files picked for the next message of this discussion. */
	staged(discussion: string): Promise<StagedFile[]>
	unstage(discussion: string, file: string): Promise<void>
	/** Where a file of mine that only this device has can be shown from; null: the server has it. */
	localUrl(upload: string): string | null
	/** Sends a picture and makes it mine; null takes the present one away. */
	setAvatar(picture: Blob | null): Promise<void>

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
	/** Whose account was deactivated while this page was open: she reads that, and can sign out. */
	shut?: Client | null
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
	/** Also where somebody is signed in: her place is taken, and what waits of hers stays, locked. */
	signInByLink(input: Input<'useHelpLink'>): Promise<void>
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
