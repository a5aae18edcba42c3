/**
 * A list of people that was pasted: student numbers or names, looked up on the server.
 *
 * Promises to take nobody of whom it is not sure: what is not found, or fits several, is named.
 */
import type { Person } from '../../../protocol/model.ts'
import type { Client } from '../client.ts'
import { wordsOf } from './overview.ts'

const atOnce = 4

/** The people of a pasted list, by number, else by name where only one has it; and the entries that nobody fits. */
export async function findListed(client: Client, entries: readonly string[]): Promise<{ people: Person[]; missing: string[] }> {
	const people = new Map<string, Person>()
	const missing: string[] = []
	const waiting = [...entries]
	async function work() {
		for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
			const answer = await client.call('findPeople', { query: entry.slice(0, 100), limit: 50 })
			const person = whoIs(entry, answer.users)
			if (person) people.set(person.id, person)
			else missing.push(entry)
		}
	}
	await Promise.all(Array.from({ length: atOnce }, work))
	return { people: [...people.values()], missing: entries.filter((entry) => missing.includes(entry)) }
}

/** Who of those found is meant by an entry; null: nobody, or it is not sure who. */
export function whoIs(entry: string, found: readonly Person[]): Person | null {
	const numbered = found.filter(({ number }) => number?.trim().toLowerCase() === entry.toLowerCase())
	const same = wordsOf(entry).join(' ')
	const named = found.filter(({ name }) => wordsOf(name).join(' ') === same)
	const fitting = numbered.length > 0 ? numbered : named
	return fitting.length === 1 ? (fitting[0] as Person) : null
}

/** The entries of a list that was copied from a sheet or a mail; fewer than two: it is no list. */
export function listedIn(text: string): string[] {
	return [
		...new Set(
			text
				.split(/[\n\r\t,;]+/)
				.map((entry) => entry.normalize('NFC').trim())
				.filter(Boolean),
		),
	]
}
