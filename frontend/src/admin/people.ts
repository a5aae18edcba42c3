/**
 * Which people the admin's list shows, and in which order.
 *
 * Pure; finds at least whom the server's search finds, so that nobody it brings is hidden.
 */
import type { Person, Status } from '../../../protocol/model.ts'

/** Lower case without accents: Łukasz Żółć and lukasz zolc are one. */
export function fold(text: string): string {
	return text.normalize('NFKD').replace(/\p{M}/gu, '').replace(/[łŁ]/g, 'l').replace(/[øØ]/g, 'o').replace(/[đĐ]/g, 'd').toLowerCase()
}

/** Every word of the query begins a word of the name, e-mail or number. */
export function matches(person: Person, query: string): boolean {
	const words = fold(`${person.name} ${person.email ?? ''} ${person.number ?? ''}`).split(/[\s,;]+/)
	return fold(query)
		.split(/\s+/)
		.filter(Boolean)
		.every((part) => words.some((word) => word.startsWith(part)))
}

/** Who waits longest stands first. */
export function listPeople(people: Iterable<Person>, filter: { status: Status | null; query: string }): Person[] {
	return [...people]
		.filter(
			(person) =>
				person.status !== undefined && (filter.status === null || person.status === filter.status) && matches(person, filter.query),
		)
		.sort((a, b) => a.seq - b.seq || (a.id < b.id ? -1 : 1))
}
