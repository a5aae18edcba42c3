/**
 * Who may do what, who sees which record, and in which form: the only place that decides it.
 *
 * Promises one answer for pages, commands and the live stream: `sees…` says it for one reader,
 * `audience…` for everybody at once. Whom a reader belongs to is read from her user record's
 * `rev` on, which every change of her memberships moves. Never writes.
 */
import type { ErrorCode, Who } from '../../protocol/api.ts'
import type { Category, Discussion, Edit, Group, Inspection, Membership, Message, Person, Read, Upload } from '../../protocol/model.ts'
import { fail } from './errors.ts'
import type {
	CategoryRecord,
	DiscussionRecord,
	EditRecord,
	GroupRecord,
	InspectionRecord,
	MembershipRecord,
	MessageRecord,
	ReadRecord,
	UploadRecord,
	UserRecord,
} from './storage/collections.ts'
import type { Store, Tx } from './storage/store.ts'

/** Somebody signed in, with all that decides what she sees. */
export interface Reader {
	readonly user: Readonly<UserRecord>
	readonly approved: boolean
	/** Her groups, each with the id of her membership; a lecturer's own creations without one have null. */
	readonly groups: ReadonlyMap<string, string | null>
	/** Discussions that an admin reads because she said why, each until when. */
	readonly inspections: ReadonlyMap<string, string>
	/** The audiences that she belongs to. */
	readonly keys: readonly string[]
}

/** The form in which records are shown. */
export type Kind = 'student' | 'lecturer' | 'admin'

/** Whom a record reaches on the live stream: everybody with one of the keys, but not `except` (a user). */
export interface Audience {
	keys: readonly string[]
	except: string | null
}

const me = (user: string) => `me ${user}`
const approved = (user: string) => `user ${user}`
const lecturer = (user: string) => `lecturer ${user}`
const learners = (group: string) => `learners ${group}`
const teachers = (group: string) => `teachers ${group}`
/** Lecturers and admins, who see memberships of others. */
const staff = 'staff'
const admins = 'admins'
/** Everybody who is approved, and those of them who are no admins. */
const everybody = 'everybody'
const writers = 'writers'

/** How readers are found. */
export interface Readers {
	/** The reader as committed now; null when there is no such user. */
	get(user: string): Promise<Reader | null>
}

const readersKept = 20_000
const groupsPerReader = 1_000

/** Opens the readers of a store; kept in memory for as long as their `rev` stays. */
export function openReaders(store: Store): Readers {
	const kept = new Map<string, Reader>()
	async function get(id: string): Promise<Reader | null> {
		const user = await store.get('users', id)
		if (!user) return null
		const known = kept.get(id)
		if (known?.user.rev === user.rev) return known
		const reader = readerOf(user, await groupsOf(store, user), await inspectionsOf(store, user))
		// Another change of hers may have come while the groups were read, or was being made durable and
		// already to be seen: after an empty step everything that was on its way then is committed.
		if (!store.stopped) await store.write(null, async () => {}).catch(() => {})
		if ((await store.get('users', id))?.rev !== user.rev) return get(id)
		kept.delete(id)
		kept.set(id, reader)
		if (kept.size > readersKept) kept.delete(kept.keys().next().value!)
		return reader
	}
	return { get }
}

async function groupsOf(store: Store, user: UserRecord): Promise<Map<string, string | null>> {
	const groups = new Map<string, string | null>()
	if (user.status !== 'approved' || user.role === 'admin') return groups
	if (user.role === 'lecturer') {
		for (const { id } of await store.find('groups', 'creator', [user.id], { limit: groupsPerReader })) groups.set(id, null)
	}
	for (const { id, group } of await store.find('memberships', 'user', [user.id], { limit: groupsPerReader })) groups.set(group, id)
	return groups
}

const inspectionsPerReader = 200

async function inspectionsOf(store: Store, user: UserRecord): Promise<Map<string, string>> {
	if (user.status !== 'approved' || user.role !== 'admin') return new Map()
	const found = await store.find('inspections', 'admin', [user.id], { limit: inspectionsPerReader, order: 'descending' })
	return new Map(found.reverse().map(({ discussion, expiresAt }) => [discussion, expiresAt]))
}

/** A reader, from her record, her groups and what she inspects. */
export function readerOf(
	user: UserRecord,
	groups: ReadonlyMap<string, string | null>,
	inspections: ReadonlyMap<string, string> = new Map(),
): Reader {
	const keys = [me(user.id)]
	if (user.status === 'approved') {
		keys.push(approved(user.id), everybody)
		const inGroup = user.role === 'student' ? learners : teachers
		for (const group of groups.keys()) keys.push(inGroup(group))
		if (user.role === 'lecturer') keys.push(lecturer(user.id))
		if (user.role !== 'student') keys.push(staff)
		keys.push(user.role === 'admin' ? admins : writers)
	}
	return { user, approved: user.status === 'approved', groups, inspections, keys }
}

// Who may call what.

const refusals: Record<Exclude<UserRecord['status'], 'approved'>, { code: ErrorCode; message: string }> = {
	pending: { code: 'account_pending', message: 'Your account has not been approved yet.' },
	rejected: { code: 'account_rejected', message: 'Your registration was not accepted.' },
	deactivated: { code: 'account_deactivated', message: 'Your account was deactivated.' },
}

/** Refuses a caller whom the endpoint is not for. */
export function refuseCaller(who: Who, user: UserRecord): void {
	if (user.status !== 'approved' && (who !== 'signedIn' || user.status === 'deactivated')) refuseStatus(user)
	if (who !== 'anyone' && who !== 'signedIn' && !who.includes(user.role)) {
		fail('forbidden', who.includes('admin') && who.length === 1 ? 'Only an admin can do this.' : `This is not for ${user.role}s.`)
	}
}

/** Says why somebody who is not approved can't go on. */
export function refuseStatus({ status, reason }: UserRecord): void {
	if (status === 'approved') return
	const { code, message } = refusals[status]
	fail(code, message, reason ? { hint: reason } : {})
}

/** Within a step: that the writer is still who she was when the request came. */
export async function refuseChanged(tx: Tx, { user }: Reader): Promise<void> {
	const now = await tx.get('users', user.id)
	if (now === user) return
	if (!now || now.role !== user.role) fail('forbidden', 'Your account has changed.')
	refuseStatus(now)
}

/** Within a step: whether she is (still) in the group. */
export async function isIn(tx: Tx, reader: Reader, group: string): Promise<boolean> {
	const membership = reader.groups.get(group)
	if (membership === undefined) return false
	if (membership === null) return true
	return (await tx.get('memberships', membership)) !== null || (await tx.get('groups', group))?.createdBy === reader.user.id
}

/** Within a step: that she (still) sees the discussion. */
export async function seesStill(tx: Tx, reader: Reader, discussion: DiscussionRecord): Promise<boolean> {
	if (leads(reader, discussion)) return true
	for (const group of writableGroups(reader, discussion)) if (await isIn(tx, reader, group)) return true
	return false
}

/** Whether she may rename a group and choose its members. */
export function mayManageGroup({ user }: Reader, group: GroupRecord): boolean {
	return user.role === 'admin' || (user.role === 'lecturer' && group.createdBy === user.id)
}

/** Whether this user can be put into groups. */
export function mayBeMember({ status, role }: UserRecord): boolean {
	return status === 'approved' && role !== 'admin'
}

/** The lecturers of a discussion: who started it, and who collaborates. */
export function leadersOf({ createdBy, collaborators }: Pick<DiscussionRecord, 'createdBy' | 'collaborators'>): string[] {
	return [createdBy, ...collaborators]
}

/** The groups whose students see a discussion: none while it is removed. */
export function openTo({ groups, removed }: Pick<DiscussionRecord, 'groups' | 'removed'>): readonly string[] {
	return removed ? [] : groups
}

/** A lecturer of a discussion: she sees all of it. */
export function leads({ user, approved }: Reader, discussion: DiscussionRecord): boolean {
	return approved && user.role === 'lecturer' && (discussion.createdBy === user.id || discussion.collaborators.includes(user.id))
}

/** An admin who said why she reads the discussion, less than an hour ago: she sees all that is not removed, and hears nothing live. */
export function inspects({ approved, inspections }: Reader, discussion: Pick<DiscussionRecord, 'id'>): boolean {
	const until = inspections.get(discussion.id)
	return approved && until !== undefined && until > new Date().toISOString()
}

/** Whether she may rename or archive a category. */
export function mayManageCategory({ user }: Reader, category: CategoryRecord): boolean {
	return user.role === 'admin' || (user.role === 'lecturer' && category.createdBy === user.id)
}

/** Whether this user can lead a discussion of somebody else's. */
export function mayCollaborate({ status, role }: UserRecord): boolean {
	return status === 'approved' && role === 'lecturer'
}

/** Whether she may remove a message: its writer and the discussion's lecturer. */
export function mayRemove(reader: Reader, message: MessageRecord, discussion: DiscussionRecord): boolean {
	return message.author === reader.user.id || leads(reader, discussion)
}

/** Whether nothing is left of a message: its words were erased with its writer. */
function isErased({ removed, text, uploads }: MessageRecord): boolean {
	return removed !== null && text === '' && uploads.length === 0
}

/** Whether she may put a removed message back, and so still reads its text: who removed it, and the lecturer. */
export function mayPutBack(reader: Reader, message: MessageRecord, discussion: DiscussionRecord): boolean {
	if (isErased(message)) return false
	return message.removed?.by === reader.user.id || leads(reader, discussion)
}

/** Whether she may see the earlier texts of a message. */
export function maySeeEdits(reader: Reader, message: MessageRecord, discussion: DiscussionRecord): boolean {
	// An earlier text of a removed message is no more for the others than its last one.
	if (message.removed && !mayPutBack(reader, message, discussion)) return false
	return message.author === reader.user.id || leads(reader, discussion)
}

/** The groups of a discussion that a student may write to (hers in it). */
export function writableGroups({ groups }: Reader, discussion: DiscussionRecord): string[] {
	return openTo(discussion).filter((group) => groups.has(group))
}

// Who sees what.

/** Whether she sees a group. */
export function seesGroup({ user, approved, groups }: Reader, group: GroupRecord): boolean {
	return approved && (user.role === 'admin' || groups.has(group.id))
}

export function seesMembership(reader: Reader, { user, group }: MembershipRecord): boolean {
	if (!reader.approved) return false
	if (reader.user.role === 'admin' || user === reader.user.id) return true
	return reader.user.role === 'lecturer' && reader.groups.has(group)
}

/** Whether she sees a discussion: students those of their groups that are not removed, a lecturer those that she leads. */
export function seesDiscussion(reader: Reader, discussion: DiscussionRecord): boolean {
	if (!reader.approved) return false
	if (reader.user.role === 'student') return openTo(discussion).some((group) => reader.groups.has(group))
	return leads(reader, discussion) || inspects(reader, discussion)
}

/** Whether she sees a group of a discussion that she sees: its lecturers all of them, also those of their colleagues. */
export function seesGroupOf(reader: Reader, group: GroupRecord, discussion: DiscussionRecord): boolean {
	return seesGroup(reader, group) || (leads(reader, discussion) && discussion.groups.includes(group.id))
}

/** Whether a reader who sees the discussion sees this message of it. */
export function seesMessageIn(reader: Reader, message: Pick<MessageRecord, 'author' | 'group'>, discussion: DiscussionRecord): boolean {
	const { group } = message
	if (group === null || message.author === reader.user.id || leads(reader, discussion) || inspects(reader, discussion)) return true
	return reader.groups.has(group) && discussion.groups.includes(group)
}

/** Whether she sees a message, its discussion looked at too. */
export function seesMessage(reader: Reader, message: MessageRecord, discussion: DiscussionRecord): boolean {
	return seesDiscussion(reader, discussion) && seesMessageIn(reader, message, discussion)
}

/** Whether she may have the files of a message: not of one that was removed, unless she may put it back. */
export function seesFilesOf(reader: Reader, message: MessageRecord, discussion: DiscussionRecord): boolean {
	return seesMessage(reader, message, discussion) && (message.removed === null || mayPutBack(reader, message, discussion))
}

// The same, for everybody at once.

export function userAudience(user: UserRecord): Audience {
	return { keys: [me(user.id), admins], except: null }
}

/** `leaders`: the lecturers of the group's discussions. */
export function groupAudience({ id }: GroupRecord, leaders: readonly string[]): Audience {
	return { keys: [learners(id), teachers(id), admins, ...leaders.map(lecturer)], except: null }
}

/** Those who meet somebody in these groups or beside these lecturers, for her card as `kind` sees it. */
export function fellowsAudience(
	kind: 'student' | 'lecturer',
	user: string,
	{ groups, leaders }: { groups: readonly string[]; leaders: readonly string[] },
): Audience {
	return { keys: kind === 'student' ? groups.map(learners) : [...groups.map(teachers), ...leaders.map(lecturer)], except: user }
}

/** Wherever the name of somebody stands who was erased: admins have her record. */
export function erasedAudience(): Audience {
	return { keys: [writers], except: null }
}

export function categoryAudience(): Audience {
	return { keys: [everybody], except: null }
}

export function membershipAudience({ user, group }: MembershipRecord): Audience {
	return { keys: [approved(user), teachers(group), admins], except: null }
}

export function discussionAudience(discussion: DiscussionRecord): Audience {
	return { keys: [...openTo(discussion).map(learners), ...leadersOf(discussion).map(lecturer)], except: null }
}

/** What was removed is named to all who may have seen it; an id tells the others nothing. */
export function removedMembershipAudience(members: readonly string[]): Audience {
	return { keys: [staff, ...members.map(approved)], except: null }
}

/** These people, whatever their status is. */
export function onlyFor(users: readonly string[]): Audience {
	return { keys: users.map(me), except: null }
}

/** The students of these groups, and these lecturers. */
export function learnersAnd(groups: readonly string[], leaders: readonly string[]): Audience {
	return { keys: [...groups.map(learners), ...leaders.map(lecturer)], except: null }
}

/** Whether the reader belongs to an audience. */
export function reaches({ keys, except }: Audience, { keys: own, user }: Reader): boolean {
	return except !== user.id && keys.some((key) => own.includes(key))
}

/**
 * Whom a message reaches with its text, and whom without. `author` is its writer as a reader, where she is
 * listening: in a discussion that she still sees she gets her own messages, whatever her groups are now.
 */
export function messageAudiences(
	message: MessageRecord,
	discussion: DiscussionRecord,
	author: Reader | null,
): { audience: Audience; full: boolean }[] {
	const leaders = leadersOf(discussion).map(lecturer)
	const readers = [...leaders]
	const groups = openTo(discussion)
	if (message.group === null) readers.push(...groups.map(learners))
	else if (groups.includes(message.group)) readers.push(learners(message.group))
	const own = author && seesDiscussion(author, discussion) ? approved(author.user.id) : null
	if (own && !author!.keys.some((key) => readers.includes(key))) readers.push(own)
	const { removed } = message
	if (!removed) return [{ audience: { keys: readers, except: null }, full: true }]
	if (isErased(message)) return [{ audience: { keys: readers, except: null }, full: false }]
	const hers = own && removed.by === author!.user.id && !author!.keys.some((key) => leaders.includes(key))
	const full = hers ? [...leaders, own] : leaders
	return [
		{ audience: { keys: full, except: null }, full: true },
		{ audience: { keys: readers.filter((key) => !full.includes(key)), except: removed.by }, full: false },
	]
}

/** Those among whom it shows that somebody is here or types. */
export function typingAudience(reader: Reader, discussion: DiscussionRecord): Audience {
	const groups = leads(reader, discussion) ? openTo(discussion) : writableGroups(reader, discussion)
	return { keys: [...groups.map(learners), ...leadersOf(discussion).map(lecturer)], except: reader.user.id }
}

// In which form.

/** A person's card: for everybody her name and picture, for those who teach also her number. */
export function publicCard(kind: Kind, { id, seq, rev, name, role, avatar, number, erasedAt }: UserRecord): Person {
	return { id, seq, rev, name, role, avatar, ...(erasedAt !== null && { erased: true }), ...(kind !== 'student' && { number }) }
}

/** A user as admins and she herself see her. */
export function publicUser(user: UserRecord): Person {
	const { email, status, reason, lecturers, createdAt, decidedAt } = user
	return { ...publicCard('admin', user), lecturers, email, status, reason, createdAt, decidedAt }
}

/** A group, for everybody who sees it. */
export function publicGroup({ id, seq, rev, createdAt, updatedAt, name, description, createdBy, status }: GroupRecord): Group {
	return { id, seq, rev, createdAt, updatedAt, name, description, createdBy, status }
}

/** A category, for everybody. */
export function publicCategory({ id, seq, rev, createdAt, updatedAt, name, createdBy, status }: CategoryRecord): Category {
	return { id, seq, rev, createdAt, updatedAt, name, createdBy, status }
}

/** A read position, for its owner. */
export function publicRead({ id, seq, rev, createdAt, updatedAt, user, discussion, upTo }: ReadRecord): Read {
	return { id, seq, rev, createdAt, updatedAt, user, discussion, upTo }
}

/** That an admin looked, for herself and the discussion's lecturers. */
export function publicInspection(inspection: InspectionRecord): Inspection {
	const { id, seq, rev, createdAt, updatedAt, discussion, admin, reason, expiresAt } = inspection
	return { id, seq, rev, createdAt, updatedAt, discussion, admin, reason, expiresAt }
}

/** An upload, for everybody who sees what names it. */
export function publicUpload({ id, kind, name, type, sizeBytes, width, height }: UploadRecord): Upload {
	return { id, kind, name, type, sizeBytes, width, height }
}

/** A membership, for everybody who sees it. */
export function publicMembership({ id, seq, rev, createdAt, updatedAt, group, user }: MembershipRecord): Membership {
	return { id, seq, rev, createdAt, updatedAt, group, user }
}

/** A discussion, for everybody who sees it. */
export function publicDiscussion(discussion: DiscussionRecord): Discussion {
	const { id, seq, rev, createdAt, updatedAt, title, prompt, createdBy, groups, category, tags, collaborators } = discussion
	const { scopeRev, status, removed } = discussion
	return {
		...{ id, seq, rev, createdAt, updatedAt, title, prompt, createdBy, groups, category, tags, collaborators },
		...{ scopeRev, status, removed },
	}
}

/** A message; `full`: for those who may put it back where it was removed. */
export function publicMessage(message: MessageRecord, full: boolean): Message {
	const { id, seq, rev, createdAt, updatedAt, discussion, author, group, replyTo, writtenAt, editedAt, edits, removed, returned } = message
	const shown = removed === null || full
	return {
		...{ id, seq, rev, createdAt, updatedAt, discussion, author, group, text: shown ? message.text : null },
		attachments: shown ? message.attachments.map((attachment, i) => ({ id: message.uploads[i]!, ...attachment })) : [],
		...{ replyTo, writtenAt, editedAt, edits, removed, returned },
	}
}

/** An earlier text, for those who may see it. */
export function publicEdit({ id, seq, rev, createdAt, updatedAt, message, author, text }: EditRecord): Edit {
	return { id, seq, rev, createdAt, updatedAt, message, author, text }
}

const written = new WeakMap<MessageRecord, string>()
const blanked = new WeakMap<MessageRecord, string>()

/** The JSON of `publicMessage`, made once for all who get it: answers, pages and the live stream. */
export function messageJson(message: MessageRecord, full: boolean): string {
	const cache = message.removed && !full ? blanked : written
	let json = cache.get(message)
	if (json === undefined) {
		json = JSON.stringify(publicMessage(message, full))
		cache.set(message, json)
	}
	return json
}

/** The JSON of `publicMessage` as this reader gets it. */
export function messageJsonFor(reader: Reader, message: MessageRecord, discussion: DiscussionRecord): string {
	return messageJson(message, message.removed === null || mayPutBack(reader, message, discussion))
}
