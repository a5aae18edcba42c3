/**
 * What is stored: every collection with its record type and its indexes, declared as data.
 *
 * The core computes the keys of these indexes, decides uniqueness and checks every record;
 * engines only keep what they are given. Ids and times are declared here, never guessed.
 */
import type {
	Category,
	Discussion,
	Edit,
	Group,
	Inspection,
	Membership,
	Message,
	Read,
	Role,
	Status,
	Upload,
} from '../../../protocol/model.ts'

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
	/** The upload with her picture. */
	avatar: string | null
	/** A student's lecturers, as she chose them. */
	lecturers: string[]
	reason: string | null
	decidedBy: string | null
	decidedAt: string | null
	/** Set when her personal data was erased, for good. */
	erasedAt: string | null
	/** The entry that last changed what she may see: her status, or a membership of hers. */
	scopeRev: number
	/** The entry that last changed what others see of her: name, picture, number, role. */
	cardRev: number
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

/** A link with which somebody sets a new password, once. `id` is the user's: a new one replaces it. */
export interface HelpLinkRecord extends StoredRecord {
	tokenHash: string
	expiresAt: string
	createdBy: string
}

export interface GroupRecord extends StoredRecord, Group {
	bodyHash: string
}
export interface CategoryRecord extends StoredRecord, Category {
	bodyHash: string
}
export type MembershipRecord = StoredRecord & Membership
export interface DiscussionRecord extends StoredRecord, Discussion {
	/** Before the entry `scopeRev`: the groups whose students saw it, and its lecturers. */
	groupsBefore: string[]
	leadersBefore: string[]
	bodyHash: string
}
export interface MessageRecord extends StoredRecord, Omit<Message, 'text' | 'attachments'> {
	text: string
	/** Ids of its attachments, in the order of `attachments`. */
	uploads: string[]
	attachments: Omit<Upload, 'id'>[]
	/** True where it has attachments, for their index. */
	hasFiles: true | null
	bodyHash: string
}
/** A file that somebody sent: its bytes stand in the uploads folder as `<folderKind>-<sha256>.<ext>`. */
export interface UploadRecord extends StoredRecord, Upload {
	owner: string
	purpose: 'message' | 'avatar'
	/** Name of the file in the uploads folder; null once it was erased. */
	file: string | null
	/** Of the bytes as they stand there. */
	sha256: string
	/** Of the bytes as they were sent, before a picture lost its metadata: see backend/src/files/receive.ts. */
	sentDigest: string
}
export type ReadRecord = StoredRecord & Read
export interface InspectionRecord extends StoredRecord, Inspection {
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
	helpLinks: HelpLinkRecord
	groups: GroupRecord
	memberships: MembershipRecord
	categories: CategoryRecord
	discussions: DiscussionRecord
	messages: MessageRecord
	edits: EditRecord
	uploads: UploadRecord
	reads: ReadRecord
	inspections: InspectionRecord
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
			emailWords: { key: [{ words: 'email' }], prefix: true },
			numberWords: { key: [{ words: 'number' }], prefix: true },
			lecturer: { key: [{ each: 'lecturers' }] },
			avatar: { key: ['avatar'] },
		},
		ids: ['decidedBy', 'avatar', 'lecturers'],
		times: ['decidedAt', 'erasedAt'],
		permanent: true,
	},
	credentials: { indexes: {}, ids: [], times: [] },
	sessions: {
		indexes: { token: { key: ['tokenHash'], unique: true }, user: { key: ['user'] } },
		ids: ['user'],
		times: ['expiresAt'],
		volatile: true,
	},
	helpLinks: { indexes: { token: { key: ['tokenHash'], unique: true } }, ids: ['createdBy'], times: ['expiresAt'], volatile: true },
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
	categories: {
		indexes: { status: { key: ['status'] }, name: { key: [{ folded: 'name' }], unique: true } },
		ids: ['createdBy'],
		times: [],
		permanent: true,
	},
	discussions: {
		indexes: {
			group: { key: [{ each: 'groups' }] },
			creator: { key: ['createdBy'] },
			collaborator: { key: [{ each: 'collaborators' }] },
			status: { key: ['status'] },
			words: { key: [{ words: 'title' }], prefix: true },
		},
		ids: ['createdBy', 'groups', 'groupsBefore', 'leadersBefore', 'category', 'collaborators', 'removed.by'],
		times: ['removed.at'],
		permanent: true,
	},
	messages: {
		indexes: {
			discussion: { key: ['discussion'] },
			files: { key: ['discussion', 'hasFiles'] },
			upload: { key: [{ each: 'uploads' }] },
		},
		ids: ['discussion', 'author', 'group', 'replyTo', 'uploads', 'removed.by'],
		times: ['writtenAt', 'editedAt', 'removed.at'],
		permanent: true,
	},
	edits: { indexes: { message: { key: ['message'] } }, ids: ['message', 'author'], times: [] },
	uploads: { indexes: { file: { key: ['file'] }, owner: { key: ['owner'] } }, ids: ['owner'], times: [], permanent: true },
	reads: {
		indexes: { pair: { key: ['user', 'discussion'], unique: true }, user: { key: ['user'] } },
		ids: ['user', 'discussion'],
		times: [],
	},
	inspections: {
		indexes: { admin: { key: ['admin'] }, discussion: { key: ['discussion'] } },
		ids: ['admin', 'discussion'],
		times: ['expiresAt'],
		permanent: true,
	},
}
