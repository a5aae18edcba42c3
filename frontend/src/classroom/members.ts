/**
 * Who is in which group, from the records at hand. Pure; people by name, as the interface's language sorts.
 */
import type { Membership, Person } from '../../../protocol/model.ts'
import type { Language } from '../ui/language.ts'

/** The people of a group; lecturers first. Memberships whose person is not known yet are left out. */
export function membersOf(group: string, memberships: Membership[], people: ReadonlyMap<string, Person>, language: Language): Person[] {
	const order = new Intl.Collator(language)
	const teaching = (person: Person) => (person.role === 'student' ? 1 : 0)
	const ids = new Set(memberships.filter((one) => one.group === group).map((one) => one.user))
	return [...ids]
		.flatMap((id) => people.get(id) ?? [])
		.sort((a, b) => teaching(a) - teaching(b) || order.compare(a.name, b.name) || (a.id < b.id ? -1 : 1))
}
