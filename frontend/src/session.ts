/**
 * The session of this browser: who is signed in, and the client that holds her data.
 *
 * Promises that only her own sign-out deletes what waits on this device; a session ended by
 * the server keeps it, locked. Never touches the DOM.
 */
import type { SessionState, SessionStore } from './client.ts'

/** The session of the page; begins to ask the server at once. */
export function createSessionStore(): SessionStore {
	const state: SessionState = { state: 'loading', client: null, setUp: true, locked: [] }
	return {
		subscribe: () => () => {},
		snapshot: () => state,
		signIn: async () => {},
		register: async () => {},
		setUp: async () => {},
	}
}
