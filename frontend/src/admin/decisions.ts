/**
 * Decisions about one or many people, with the way back for all of them.
 *
 * Promises that each lot the server takes is one step, that nobody who was refused goes unnamed, and
 * that undoing puts everybody back to where she was.
 */
import type { Problem } from '../../../protocol/api.ts'
import { limits, type Person, type Status } from '../../../protocol/model.ts'
import type { Client } from '../client.ts'

export interface Decided {
	/** As they were before. */
	done: Person[]
	refused: { person: Person; problem: Problem }[]
	/** What ended it before everybody was asked about. */
	error: unknown
}

/** Decides the same for all of them. */
export async function decide(client: Client, people: readonly Person[], status: Status, reason: string | null): Promise<Decided> {
	const decided: Decided = { done: [], refused: [], error: null }
	for (let at = 0; at < people.length; at += limits.people) {
		const lot = people.slice(at, at + limits.people)
		try {
			const { refused } = await client.call('decide', { ids: lot.map(({ id }) => id), status, reason })
			const no = new Map(refused.map(({ id, problem }) => [id, problem]))
			for (const person of lot) {
				const problem = no.get(person.id)
				if (problem) decided.refused.push({ person, problem })
				else decided.done.push(person)
			}
		} catch (error) {
			decided.error = error
			break
		}
	}
	return decided
}

/** Everybody as she was before. Throws what went wrong. */
export async function putBack(client: Client, before: readonly Person[]): Promise<Decided['refused']> {
	const states = Map.groupBy(before, ({ status, reason }) => JSON.stringify([status, reason ?? null]))
	const refused: Decided['refused'] = []
	for (const [state, people] of states) {
		const [status, reason] = JSON.parse(state) as [Status, string | null]
		const answer = await decide(client, people, status, reason)
		if (answer.error !== null) throw answer.error
		refused.push(...answer.refused)
	}
	return refused
}
