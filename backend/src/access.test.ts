/**
 * That the two ways of saying who sees a record, for one reader and for everybody at once, are one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Role, Status } from '../../protocol/model.ts'
import {
	discussionAudience,
	groupAudience,
	mayPutBack,
	membershipAudience,
	messageAudiences,
	type Reader,
	reaches,
	readerOf,
	seesDiscussion,
	seesGroup,
	seesMembership,
	seesMessage,
	userAudience,
} from './access.ts'
import type { DiscussionRecord, GroupRecord, MembershipRecord, MessageRecord, UserRecord } from './storage/collections.ts'

const groups = ['g1', 'g2', 'g3']
const users = ['u1', 'u2', 'u3', 'u4', 'u5']
const base = { seq: 1, rev: 1, createdAt: '', updatedAt: '' }
const someGroups = fc.uniqueArray(fc.constantFrom(...groups), { maxLength: 3 })

/** u1 and u2 teach (or did so once), u3 to u5 learn. */
const people = fc.tuple(
	...users.map((id, i) =>
		fc.record({
			id: fc.constant(id),
			role: fc.constantFrom<Role>(...(i < 2 ? (['lecturer', 'admin'] as const) : (['student'] as const))),
			status: fc.constantFrom<Status>('approved', 'approved', 'approved', 'pending', 'rejected', 'deactivated'),
			groups: someGroups,
		}),
	),
)

const readers = people.map((all) =>
	all.map(({ groups, ...user }) => {
		const own = user.status === 'approved' && user.role !== 'admin' ? groups : []
		return readerOf({ ...base, ...user } as UserRecord, new Map(own.map((group) => [group, group])))
	}),
)
const discussions = fc.record({
	groups: fc.uniqueArray(fc.constantFrom(...groups), { minLength: 1 }),
	createdBy: fc.constantFrom('u1', 'u2'),
	collaborators: fc.constantFrom([], ['u1'], ['u2']),
	removed: fc.constantFrom(null, { at: '', by: 'u1' }),
})
const messages = fc.record({
	author: fc.constantFrom(...users),
	group: fc.constantFrom(null, ...groups),
	removed: fc.constantFrom(null, 'author', 'lecturer'),
})

const find = (all: Reader[], id: string) => all.find(({ user }) => user.id === id)!

test('[A4] a message reaches exactly those who see it, once, with its text only where it may be put back', () => {
	fc.assert(
		fc.property(readers, discussions, messages, (all, topic, draft) => {
			const { createdBy } = topic
			const discussion = { ...base, id: 'd', ...topic } as unknown as DiscussionRecord
			// A lecturer writes only into her own discussion, and only she writes to all.
			const author = draft.author === 'u1' || draft.author === 'u2' || draft.group === null ? createdBy : draft.author
			const by = draft.removed === 'author' ? author : createdBy
			const message = { ...base, id: 'm', author, group: draft.group, removed: draft.removed && { at: '', by } } as unknown as MessageRecord
			const audiences = messageAudiences(message, discussion, find(all, author))
			for (const reader of all) {
				const forms = audiences.filter(({ audience }) => reaches(audience, reader)).map(({ full }) => full)
				const expected = seesMessage(reader, message, discussion) ? [!message.removed || mayPutBack(reader, message, discussion)] : []
				assert.deepEqual(forms, expected, `${reader.user.role} ${reader.user.id}`)
			}
		}),
		{ numRuns: 2_000 },
	)
})

test('[A4] groups, memberships, discussions and people reach exactly those who see them', () => {
	fc.assert(
		fc.property(readers, discussions, fc.constantFrom(...groups), fc.constantFrom(...users), (all, topic, group, user) => {
			const discussion = { ...base, id: 'd', ...topic } as unknown as DiscussionRecord
			const membership = { ...base, id: 'x', group, user } as MembershipRecord
			for (const reader of all) {
				assert.equal(reaches(discussionAudience(discussion), reader), seesDiscussion(reader, discussion))
				assert.equal(reaches(groupAudience({ id: group } as GroupRecord, []), reader), seesGroup(reader, { id: group } as GroupRecord))
				assert.equal(reaches(membershipAudience(membership), reader), seesMembership(reader, membership))
				const hers = reader.user.id === user || (reader.approved && reader.user.role === 'admin')
				assert.equal(reaches(userAudience(find(all, user).user), reader), hers)
			}
		}),
		{ numRuns: 1_000 },
	)
})
