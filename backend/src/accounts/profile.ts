/**
 * One's own account: who I am, what I may change of it, my password.
 *
 * Promises that nobody changes anything but her own, that a picture is an upload of hers made for
 * it, and that a changed password leaves only the session that changed it.
 */
import { publicUser, refuseStatus } from '../access.ts'
import { fail } from '../errors.ts'
import { type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import type { UserRecord } from '../storage/collections.ts'
import type { Tx } from '../storage/store.ts'
import { lecturersAmong } from './entrance.ts'
import { endSessionsOf } from './sessions.ts'
import type { Verification } from './verification.ts'

/** The handlers of one's own account. */
export function openProfile({ store, rates }: Parts, { hash, verify }: Verification): Pick<Handlers, 'me' | 'editMe' | 'changePassword'> {
	async function ownPicture(tx: Tx, user: UserRecord, id: string): Promise<string> {
		const upload = await tx.get('uploads', id)
		if (upload?.owner !== user.id || upload.purpose !== 'avatar')
			fail('upload_unknown', 'This picture is not known.', { hint: 'Choose it once more.' })
		return id
	}

	return {
		async me(_input, { reader }) {
			return { ...standing(store), me: publicUser(reader.user), now: new Date().toISOString() }
		},
		async editMe({ name, number, lecturers, avatar }, { reader }) {
			const wait = rates.commands.take(reader.user.id)
			if (wait > 0) tooOften(wait)
			const before = standing(store).cursor
			return store.write(reader.user.id, async (tx) => {
				const user = (await tx.get('users', reader.user.id))!
				if (user.status === 'deactivated') refuseStatus(user)
				const chosen = lecturers && user.role === 'student' ? await lecturersAmong(tx, lecturers) : user.lecturers
				const next = {
					...user,
					name: name ?? user.name,
					number: number ?? user.number,
					lecturers: chosen,
					avatar: avatar && avatar !== user.avatar ? await ownPicture(tx, user, avatar) : avatar === null ? null : user.avatar,
				}
				const card = next.name !== user.name || next.number !== user.number || next.avatar !== user.avatar
				if (!card && chosen.join() === user.lecturers.join()) return { me: publicUser(user), cursor: before }
				const edited = await tx.put('users', { ...next, cardRev: card ? tx.seq : user.cardRev })
				return { me: publicUser(edited), cursor: placeOf(tx) }
			})
		},
		async changePassword({ current, password }, call) {
			const { user } = call.reader
			const { right, kept } = await verify(user.email, user, current, call)
			const refuse = () => fail('wrong_credentials', 'The present password is not right.')
			if (!right) refuse()
			const hashed = await hash(password)
			await store.write(user.id, async (tx) => {
				if ((await tx.get('credentials', user.id))?.password !== kept) refuse()
				await tx.put('credentials', { id: user.id, password: hashed })
				await tx.remove('helpLinks', user.id)
				await endSessionsOf(tx, user.id, call.session.id)
			})
			return {}
		},
	}
}
