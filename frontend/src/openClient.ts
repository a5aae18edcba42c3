/**
 * The client of a signed-in user: what client.ts promises, made of records, live stream,
 * outbox, drafts, files, reading and timelines.
 *
 * It alone decides when something is fetched and what a new journal, a changed scope or an
 * ended session means for the parts. Screens are told at most once a frame.
 */
import type { ApiName, Input, Output } from '../../protocol/api.ts'
import type { Frame } from '../../protocol/live.ts'
import { type Person, type PublishedName, parseCursor, type Totals } from '../../protocol/model.ts'
import { type Call, createCall, createUpload, type Network, type Upload } from './api.ts'
import type { Row, UserDatabase } from './chat/database.ts'
import { openDrafts } from './chat/drafts.ts'
import { openOutbox } from './chat/outbox.ts'
import { openPresence } from './chat/presence.ts'
import { openReads } from './chat/reads.ts'
import { openFiles } from './chat/staged.ts'
import { type OpenTimeline, openTimeline, seqIn } from './chat/timeline.ts'
import { openTransfers } from './chat/transfers.ts'
import { ApiError, type Client, type Connection } from './client.ts'
import { type Clock, makeId } from './ids.ts'
import { openLive } from './live.ts'
import { oneAtATime } from './once.ts'
import { createRecords } from './records.ts'
import { createView } from './view.ts'

export interface ClientOptions {
	network: Network
	clock: Clock
	database: UserDatabase
	me: Person
	/** The server's answer, where there was one: else it is asked as soon as it can be reached. */
	start: Output<'me'> | null
	/** The server ended the session. */
	onEnded(): void
	/** She signed out: her database is to be deleted; unless `force`, only if nothing is left in it that was not sent. */
	onSignedOut(force: boolean): Promise<void>
	/** Shorter in tests. */
	retryMs?: number
	silenceMs?: number
	tellMs?: number
}

const frameMs = 16
const fetchAgainMs = 3_000

/** Opens what is on the device, and connects. */
export async function openClient(options: ClientOptions): Promise<Client> {
	const { network, clock, database } = options
	const bareCall = createCall(network)
	const bareUpload = createUpload(network)
	const call: Call = (name, input) => bareCall(name, input).catch(noteEnd)
	const upload: Upload = (...file) => bareUpload(...file).catch(noteEnd)
	function noteEnd(error: unknown): never {
		if (error instanceof ApiError && error.problem.code === 'not_signed_in') ended()
		throw error
	}

	let me = options.me
	let connection: Connection = 'connecting'
	/** The place in the journal up to which the records are; null before the first answer. */
	let cursor: string | null = null
	let kept: string | null = null
	let listed: 'no' | 'yes' | 'again' = 'no'
	/** Between the first connection and the end. */
	let open = false

	let flushTimer: ReturnType<typeof setTimeout> | undefined
	let fetchTimer: ReturnType<typeof setTimeout> | undefined
	let flushedAt = 0
	let noted: Promise<unknown> = Promise.resolve()

	const listeners = new Set<() => void>()
	const timelines = new Map<string, OpenTimeline>()
	/** The discussion that was looked at last. */
	let lookedAt: string | null = null
	const totals = new Map<string, Totals>()
	/** Messages asked for one by one, or known to be out of sight: never asked again. */
	let asked = new Set<string>()

	const records = createRecords(schedule)
	const files = openFiles(database, clock, schedule)
	const transfers = openTransfers(files, upload, schedule)
	const drafts = openDrafts(database, files.hasStaged)
	const presence = openPresence(
		records,
		() => me.id,
		(frame) => live.say(frame),
		schedule,
	)
	const reads = openReads({
		...{ call, records, accept, changed: schedule },
		...(options.tellMs === undefined ? {} : { tellMs: options.tellMs }),
		me: () => me.id,
		isOnline: () => connection === 'online',
		knows: (discussion, start, end) =>
			timelines.get(discussion)?.knows(start, end) || (cursor !== null && start > records.sinceOf(discussion)),
	})
	const view = createView({
		...{ records, totals },
		me: () => me,
		rows: () => outbox.rows(),
		unreadOf: reads.unreadOf,
		state: () => ({ connection, durable: database.durable, isListed: listed !== 'no' }),
	})
	const outbox = await openOutbox({
		database,
		tab: makeId(clock),
		call,
		clock,
		files,
		transfers,
		onChange: noteRows,
		isShown,
		onStored: (answer) => void accept(answer as { cursor: string }),
		onRefusedSession: () => void refreshMe().catch(() => {}),
		...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
	})

	/** The outbox has other commands: their files are to be seen. */
	function noteRows() {
		if (!open) return
		const uploads = outbox.rows().flatMap((row) => (row.command === 'sendMessage' ? (row.input.uploads ?? []) : []))
		void files.learn(uploads).catch(() => {})
		schedule()
	}

	// Telling the screens

	function schedule() {
		if (open) flushTimer ??= setTimeout(flush, Math.max(0, flushedAt + frameMs - Date.now()))
	}

	function flush() {
		clearTimeout(flushTimer)
		flushTimer = undefined
		flushedAt = Date.now()
		const changes = records.takeChanges()
		const approved = me.status === 'approved'
		me = records.get('users', me.id) ?? me
		if (!approved && me.status === 'approved' && connection === 'online') {
			fetchMissing()
			void outbox.start(lineage() as string)
		}
		if (changes.messages.length > 0) noted = Promise.all([noted, outbox.noteMessages(changes.messages)]).catch(() => {})
		if (changes.born.size > 0) outbox.noteBorn(changes.born)
		reads.note(changes)
		view.touch()
		for (const timeline of timelines.values()) timeline.touch()
		// Where a discussion that was looked for has come, or a waiting one was started.
		for (const [id, timeline] of timelines) if (changes.born.has(id) && !timeline.loaded()) void timeline.load()
		for (const listener of [...listeners]) listener()
	}

	// Merging what comes

	const lineage = () => (cursor === null ? null : (parseCursor(cursor)?.lineage ?? null))

	/** Merges an answer. One of another journal is not merged: the stream will say what that means. */
	function accept(answer: { cursor?: string }): boolean {
		if (answer.cursor && seqIn(lineage(), answer.cursor) < 0) {
			if (cursor !== null) live.reconnect()
			return false
		}
		records.putPage(answer)
		const { messages = [], quoted } = answer as { messages?: { replyTo: string | null }[]; quoted?: object[] }
		// A page brings what its messages quote: what is not in it is not to be seen.
		if (quoted) for (const { replyTo } of messages) if (replyTo) asked.add(replyTo)
		return true
	}

	/** Whether the records show what a stored command did. */
	function isShown(row: Row): boolean {
		if (row.state !== 'stored') return false
		const name: PublishedName = row.command === 'startDiscussion' ? 'discussions' : 'messages'
		const record = records.get(name, row.target)
		if (row.command === 'startDiscussion' || row.command === 'sendMessage') return record !== undefined
		return !record || row.lineage !== lineage() || record.rev >= (row.rev ?? 0)
	}

	async function want(message: string) {
		if (asked.has(message) || connection !== 'online') return
		asked.add(message)
		await call('getMessage', { id: message }).then(accept, () => {})
	}

	// Fetching

	async function fetchLists() {
		const pages: { cursor: string }[] = []
		if (me.status !== 'approved') return pages
		pages.push(await call('listGroups', {}), await call('listCategories', {}))
		if (me.role === 'admin') return pages
		for (let after: string | undefined; ; ) {
			const page = await call('listDiscussions', { limit: 100, ...(after ? { after } : {}) })
			pages.push(page)
			if (page.next === null) return pages
			after = page.next
		}
	}

	function acceptList(page: { cursor: string }): boolean {
		if (!accept(page)) return false
		if ('unread' in page) {
			const list = page as Output<'listDiscussions'>
			for (const [id, counted] of Object.entries(list.totals)) totals.set(id, counted)
			reads.noteList(list)
		}
		return true
	}

	const loadLists = oneAtATime(async () => {
		if (!open || me.status !== 'approved') return
		try {
			const all = (await fetchLists()).map(acceptList).every(Boolean)
			if (all) listed = reads.isCounted() ? 'yes' : 'again'
			if (listed === 'again') fetchLater()
		} catch {
			fetchLater()
		}
		schedule()
	})

	/** What is to be seen now and not there yet. */
	function fetchMissing() {
		if (connection !== 'online') return
		if (listed !== 'yes') void loadLists()
		const timeline = lookedAt === null ? undefined : timelines.get(lookedAt)
		if (timeline && !timeline.loaded()) void timeline.load()
	}

	function fetchLater() {
		clearTimeout(fetchTimer)
		if (open) fetchTimer = setTimeout(fetchMissing, fetchAgainMs)
	}

	async function refreshMe(): Promise<string> {
		const page = await call('me', {})
		clock.learn(page.now)
		if (page.me.id !== me.id) {
			ended()
			throw new Error('another account is signed in')
		}
		if (cursor === null) begin(page)
		else accept(page)
		return page.cursor
	}

	function begin(page: Output<'me'>) {
		cursor = page.cursor
		kept = page.kept
		records.reset(parseCursor(page.cursor)?.seq ?? 0)
		accept(page)
	}

	// The stream

	async function onFrame(frame: Frame) {
		if (frame.t === 'hello') {
			clock.learn(frame.now)
			kept = frame.kept
			if (frame.released) void outbox.release(frame.released)
		} else if (frame.t === 'changes') {
			const upTo = parseCursor(frame.upTo)?.seq ?? 0
			records.putPage({ users: frame.users })
			records.apply(frame.changes, upTo)
			cursor = frame.upTo
			if (frame.kept !== undefined) kept = frame.kept
			if (frame.released) void outbox.release(frame.released)
			for (const change of frame.changes) {
				if ('scope' in change) rescope(change.scope.lost.discussions, change.scope.gained.discussions)
				if ('put' in change && change.put === 'messages') presence.wrote(change.record.discussion, change.record.author)
			}
			if (connection !== 'online') await online()
		} else if (frame.t === 'resync') {
			await resync(frame.upTo)
			await online()
		} else if (frame.t === 'typing' || frame.t === 'here') {
			presence.hear(frame)
		}
		schedule()
	}

	async function online() {
		connection = 'online'
		schedule()
		fetchMissing()
		presence.online()
		reads.tell()
		await outbox.start(lineage() as string)
	}

	function offline() {
		// The outbox goes on by itself: where only the socket does not get through, what waits is sent all the same.
		if (connection !== 'ended') connection = 'offline'
		presence.offline()
		schedule()
	}

	function rescope(lost: string[], gained: string[]) {
		for (const id of new Set([...lost, ...gained])) {
			timelines.get(id)?.forget()
			reads.forget(id)
		}
		listed = 'again'
		fetchMissing()
	}

	/** Everything is fetched first and shown at one moment; the stream waits meanwhile. */
	async function resync(upTo: string) {
		const timeline = lookedAt === null ? undefined : timelines.get(lookedAt)
		const mine = await call('me', {})
		const [lists, newest] = await Promise.all([fetchLists(), timeline?.fetchNewest() ?? null])
		const pages = [mine, ...lists, ...(newest ? [newest.head, newest.page] : [])]
		const journal = parseCursor(upTo)
		if (pages.some((page) => seqIn(journal?.lineage ?? null, page.cursor) < 0)) throw new Error('restored again meanwhile')
		flush()
		await noted
		for (const [id, opened] of timelines) if (opened !== timeline) timelines.delete(id)
		asked = new Set()
		reads.reset(lineage() !== journal?.lineage)
		cursor = upTo
		kept = mine.kept
		records.reset(journal?.seq ?? 0)
		for (const page of pages) acceptList(page)
		timeline?.forget()
		timeline?.showNewest(newest)
		listed = 'yes'
		flush()
	}

	function timelineOf(discussion: string): OpenTimeline {
		lookedAt = discussion
		let timeline = timelines.get(discussion)
		if (!timeline) {
			timeline = openTimeline(discussion, {
				...{ call, records, rows: outbox.rows, isShown, accept, changed: schedule, failed: fetchLater },
				me: () => me,
				keptSeq: () => seqIn(lineage(), kept),
				typing: () => presence.typingIn(discussion),
				here: () => presence.hereIn(discussion),
				readUpTo: () => reads.lineOf(discussion),
				unread: () => reads.unreadOf(discussion),
				attachments: files.attachments,
				transfers: transfers.of,
				isOffline: () => connection === 'offline',
				want: (message) => void want(message),
			})
			timelines.set(discussion, timeline)
			const waits = outbox.rows().some((row) => row.command === 'startDiscussion' && row.target === discussion)
			// One that waits to be started is loaded when its record comes.
			if (cursor !== null && !(waits && !records.get('discussions', discussion))) void timeline.load()
		}
		return timeline
	}

	// Ending

	function close() {
		if (!open) return
		open = false
		clearTimeout(flushTimer)
		clearTimeout(fetchTimer)
		live.close()
		reads.close()
		files.close()
		void outbox.close().finally(() => database.close())
	}

	function ended() {
		if (connection === 'ended') return
		connection = 'ended'
		outbox.stop()
		live.close()
		flush()
		options.onEnded()
	}

	records.putPage({ me })
	if (options.start) begin(options.start)
	const live = openLive({
		network,
		...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
		async prepare(failed) {
			// Not let in: perhaps the session is gone, or the account waits for approval.
			if (cursor !== null && !failed) return cursor
			const place = await refreshMe()
			if (seqIn(lineage(), place) >= 0) await outbox.start(lineage() as string)
			return cursor ?? place
		},
		onFrame,
		onLost: offline,
		onEnded: ended,
	})
	open = true
	noteRows()

	return {
		subscribe(listener) {
			listeners.add(listener)
			return () => listeners.delete(listener)
		},
		snapshot: view.snapshot,
		timeline: (discussion) => timelineOf(discussion).view(),
		async loadOlder(discussion) {
			await timelineOf(discussion).loadOlder()
			flush()
		},
		async loadNewer(discussion) {
			await timelineOf(discussion).loadNewer()
			flush()
		},
		async goTo(discussion, place) {
			const timeline = timelineOf(discussion)
			// Where I was is not known before the overview is.
			if (place === 'unread' && reads.lineOf(discussion) === null && connection === 'online') await loadLists()
			const message = await timeline.goTo(place)
			flush()
			return message
		},
		markRead: reads.mark,
		look(discussion) {
			reads.look(discussion)
			presence.look(discussion)
		},
		async call<N extends ApiName>(name: N, input: Input<N>) {
			const answer = await call(name, input)
			accept(answer as { cursor?: string })
			return answer
		},
		async send({ discussion, group, text, replyTo, files: uploads }) {
			const writtenAt = new Date(clock.now()).toISOString()
			const whom = group === undefined ? {} : { group }
			const input = { id: makeId(clock), discussion, ...whom, text, uploads: [...uploads], replyTo, writtenAt }
			const adding = outbox.add({ command: 'sendMessage', input })
			drafts.hold(discussion, adding)
			await adding
			// What I write stands at the end: there it is seen.
			void timelines.get(discussion)?.goTo('end')
			await drafts.sent(discussion, text)
			flush()
		},
		async edit(message, text) {
			await outbox.add({ command: 'editMessage', input: { id: message, edit: makeId(clock), text } })
			const discussion = records.get('messages', message)?.discussion
			if (discussion) await drafts.sent(discussion, text)
			flush()
		},
		async setRemoved(message, removed) {
			await outbox.add({ command: 'setRemoved', input: { id: message, removed } })
			flush()
		},
		async startDiscussion(discussion) {
			const id = makeId(clock)
			await outbox.add({ command: 'startDiscussion', input: { id, ...discussion } })
			flush()
			return id
		},
		retry: outbox.retry,
		takeBack: outbox.takeBack,
		cancel: outbox.cancel,
		draft: drafts.find,
		saveDraft: drafts.save,
		stage: files.stage,
		staged: files.staged,
		unstage: files.unstage,
		localUrl: files.urlOf,
		async setAvatar(picture) {
			const avatar = picture && makeId(clock)
			if (picture && avatar) await upload({ id: avatar, name: 'avatar', purpose: 'avatar' }, picture)
			accept(await call('editMe', { avatar }))
		},
		newId: () => makeId(clock),
		typing: presence.type,
		async signOut({ force = false } = {}) {
			if (!force && (await outbox.unsent()) > 0) return false
			reads.tell()
			await bareCall('signOut', {}).catch((error) => {
				if (!(error instanceof ApiError && error.problem.code === 'not_signed_in')) throw error
			})
			close()
			await options.onSignedOut(force)
			return true
		},
		close,
	}
}
