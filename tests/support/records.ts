/**
 * Valid records as features put them, for tests and benchmarks that write straight into a store.
 *
 * The only place that knows every field: what a record gets anew is added here, with the value that it has in a
 * plain installation.
 */
import type { DiscussionRecord, GroupRecord, MessageRecord, UploadRecord, UserRecord } from '../../backend/src/storage/collections.ts'
import type { Draft } from '../../backend/src/storage/store.ts'

/** What must be said of a record; the rest may be. */
type Said<T extends { id: string }, K extends keyof T> = Pick<T, 'id' | K> & Partial<T>

const bodyHash = 'x'.repeat(43)

/** An approved student, unless it is said otherwise. */
export function userDraft(said: Said<UserRecord, 'name'>): Draft<UserRecord> {
	return {
		email: `${said.id}@school.example`,
		role: 'student',
		status: 'approved',
		number: said.id.slice(-7),
		avatar: null,
		lecturers: [],
		reason: null,
		decidedBy: null,
		decidedAt: null,
		erasedAt: null,
		scopeRev: 0,
		cardRev: 0,
		bodyHash,
		...said,
	}
}

/** An active group. */
export function groupDraft(said: Said<GroupRecord, 'name' | 'createdBy'>): Draft<GroupRecord> {
	return { description: '', status: 'active', bodyHash, ...said }
}

/** An open discussion. */
export function discussionDraft(said: Said<DiscussionRecord, 'title' | 'createdBy' | 'groups'>): Draft<DiscussionRecord> {
	return {
		prompt: 'What do you think?',
		category: null,
		tags: [],
		collaborators: [],
		scopeRev: 0,
		status: 'open',
		removed: null,
		groupsBefore: [],
		leadersBefore: [],
		bodyHash,
		...said,
	}
}

/** A message of words alone. */
export function messageDraft(said: Said<MessageRecord, 'discussion' | 'author' | 'group' | 'text'>): Draft<MessageRecord> {
	return {
		uploads: [],
		attachments: [],
		hasFiles: null,
		replyTo: null,
		writtenAt: new Date().toISOString(),
		editedAt: null,
		edits: 0,
		removed: null,
		returned: false,
		bodyHash,
		...said,
	}
}

/** A small text, sent to stand in a message. Its bytes are nowhere. */
export function uploadDraft(said: Said<UploadRecord, 'owner' | 'name' | 'file'>): Draft<UploadRecord> {
	return {
		purpose: 'message',
		kind: 'file',
		type: 'text/plain',
		sizeBytes: 1_000,
		width: null,
		height: null,
		sha256: 'a'.repeat(64),
		sentDigest: 'a'.repeat(64),
		...said,
	}
}
