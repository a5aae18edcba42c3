/**
 * What is stored: every collection with its record type and its indexes, declared as data.
 *
 * The core computes the keys of these indexes, decides uniqueness and checks every record;
 * engines only keep what they are given. Ids and times are declared here, never guessed.
 */
import type { Discussion, Edit, Group, Membership, Message, Role, Status } from '../../../protocol/model.ts'

/** What every record has. The core sets all but `id`. */
export interface StoredRecord {
	id: string
	seq: number
	rev: number
	createdAt: string
	updatedAt: string
}

/** A key field: a plain field, each value of a list (many keys), the folded form of an address, or the folded words of a text (many keys). */
export type KeyField = string | { each: string } | { folded: string } | { words: string }

export interface IndexSpec {
	/** Null or absent: the record is not in the index. */
	key: readonly KeyField[]
	/** Orders before `(seq, id)`. */
	sort?: string
	unique?: true
	/** The last key field of a query may be the beginning of a value. */
	prefix?: true
}

export interface CollectionSpec {
	indexes: Readonly<Record<string, IndexSpec>>
	/** Fields that hold ids (ObjectIds in MongoDB) and times (Dates), or paths to them; lists of ids count. */
	ids: readonly string[]
	times: readonly string[]
	/** Never removed, only marked: a remove is a defect. */
	permanent?: true
	/** Not carried over by a restore. */
	volatile?: true
}

export interface UserRecord extends StoredRecord {
	name: string
	email: string
	role: Role
	status: Status
	number: string | null
	reason: string | null
	decidedBy: string | null
	decidedAt: string | null
	/** The entry that last changed what she may see: her status, or a membership of hers. */
	scopeRev: number
	bodyHash: string
}

/** The password of a user, apart from her record, so that no list of users ever carries it. `id` is the user's. */
export interface CredentialRecord extends StoredRecord {
	/** PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
	password: string
}

export interface SessionRecord extends StoredRecord {
	user: string
	/** SHA-256 of the cookie's token, base64url. */
	tokenHash: string
	device: string
	expiresAt: string
}

export interface GroupRecord extends StoredRecord, Group {
	status: 'active'
	bodyHash: string
}
export type MembershipRecord = StoredRecord & Membership
export interface DiscussionRecord extends StoredRecord, Discussion {
	/** Its groups before the entry `scopeRev`. */
	groupsBefore: string[]
	bodyHash: string
}
export interface MessageRecord extends StoredRecord, Omit<Message, 'text'> {
	text: string
	bodyHash: string
}
export interface EditRecord extends StoredRecord, Edit {
	bodyHash: string
}

/** Things the server must remember about itself: the installation, keys, the one-time link. `id` is fixed by name. */
export interface SystemRecord extends StoredRecord {
	name: string
	value: string
}

export interface Records {
	system: SystemRecord
	users: UserRecord
	credentials: CredentialRecord
	sessions: SessionRecord
	groups: GroupRecord
	memberships: MembershipRecord
	discussions: DiscussionRecord
	messages: MessageRecord
	edits: EditRecord
}

/** Every collection, in the order in which exports carry them. */
export const collections: Readonly<Record<keyof Records, CollectionSpec>> = {
	system: { indexes: { name: { key: ['name'], unique: true } }, ids: [], times: [] },
	users: {
		indexes: {
			email: { key: [{ folded: 'email' }], unique: true },
			status: { key: ['status'] },
			role: { key: ['role', 'status'] },
			words: { key: [{ words: 'name' }], prefix: true },
		},
		ids: ['decidedBy'],
		times: ['decidedAt'],
		permanent: true,
	},
	credentials: { indexes: {}, ids: [], times: [] },
	sessions: {
		indexes: { token: { key: ['tokenHash'], unique: true }, user: { key: ['user'] } },
		ids: ['user'],
		times: ['expiresAt'],
		volatile: true,
	},
	groups: { indexes: { creator: { key: ['createdBy'] }, status: { key: ['status'] } }, ids: ['createdBy'], times: [], permanent: true },
	memberships: {
		indexes: {
			pair: { key: ['group', 'user'], unique: true },
			group: { key: ['group'] },
			user: { key: ['user'] },
		},
		ids: ['group', 'user'],
		times: [],
	},
	discussions: {
		indexes: { group: { key: [{ each: 'groups' }] }, creator: { key: ['createdBy'] } },
		ids: ['createdBy', 'groups', 'groupsBefore'],
		times: [],
		permanent: true,
	},
	messages: {
		indexes: { discussion: { key: ['discussion'] } },
		ids: ['discussion', 'author', 'group', 'replyTo', 'removed.by'],
		times: ['writtenAt', 'editedAt', 'removed.at'],
		permanent: true,
	},
	edits: { indexes: { message: { key: ['message'] } }, ids: ['message', 'author'], times: [] },
}
