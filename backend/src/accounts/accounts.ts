/**
 * Everything about accounts, put together: the ways in, sessions, one's own account, people and decisions.
 *
 * Promises a handler for every row of protocol/accounts.ts (and for `findPeople`), over one line in
 * which passwords are hashed and one directory of all accounts.
 */
import type { accounts } from '../../../protocol/accounts.ts'
import { fail } from '../errors.ts'
import type { Handlers, Parts, SignedCall } from '../parts.ts'
import type { UploadRecord } from '../storage/collections.ts'
import { openDecisions } from './decisions.ts'
import { openDirectory } from './directory.ts'
import { openEntrance } from './entrance.ts'
import { openErasure } from './erasure.ts'
import { openHelp } from './help.ts'
import { openPeople } from './people.ts'
import { openProfile } from './profile.ts'
import { openSessions, type Sessions } from './sessions.ts'
import { openVerification } from './verification.ts'

export interface Accounts {
	authenticate: Sessions['authenticate']
	/** Asks for the password once more: throws `wrong_credentials` where it is not the caller's, and `rate_limited`. */
	confirm(call: SignedCall, password: string): Promise<void>
	handlers: Pick<Handlers, keyof typeof accounts | 'findPeople'>
}

/**
 * Opens the accounts of an installation: who was erased and is there again, since a backup was restored, is erased first;
 * an erasure that was cut short goes on. `eraseFile` deletes the bytes of an upload.
 */
export async function openAccounts(parts: Parts, eraseFile: (upload: UploadRecord) => Promise<void>): Promise<Accounts> {
	const verification = openVerification(parts)
	const directory = openDirectory(parts.store)
	const sessions = openSessions(parts)
	return {
		authenticate: sessions.authenticate,
		async confirm(call, password) {
			const { user } = call.reader
			const { right } = await verification.verify(user.email, user, password, call)
			if (!right) fail('wrong_credentials', 'This is not your password.')
		},
		handlers: {
			...openEntrance(parts, verification),
			...sessions.handlers,
			...openProfile(parts, verification),
			...openHelp(parts, verification),
			...openPeople(parts, directory),
			...openDecisions(parts),
			...(await openErasure(parts, eraseFile)),
		},
	}
}
