/**
 * Who is in which group, from the records at hand. Pure; people by name, as the interface's language sorts.
 */
import type { Group, Membership, Person } from '../../../protocol/model.ts'
import type { Snapshot } from '../client.ts'
import type { Language } from '../ui/language.ts'

function byRoleAndName(people: Person[], language: Language): Person[] {
	const order = new Intl.Collator(language)
	const teaching = (person: Person) => (person.role === 'student' ? 1 : 0)
	return people.sort((a, b) => teaching(a) - teaching(b) || order.compare(a.name, b.name) || (a.id < b.id ? -1 : 1))
}

/** The people of a group; lecturers first. Memberships whose person is not known yet are left out. */
export function membersOf(group: string, memberships: Membership[], people: ReadonlyMap<string, Person>, language: Language): Person[] {
	const ids = new Set(memberships.filter((one) => one.group === group).map((one) => one.user))
	return byRoleAndName(
		[...ids].flatMap((id) => people.get(id) ?? []),
		language,
	)
}

/** The lecturers whom a student of the group meets: those of its discussions, and who made it. */
export function leadersIn(
	group: Group,
	discussions: Snapshot['discussions'],
	people: ReadonlyMap<string, Person>,
	language: Language,
): Person[] {
	const ids = new Set([group.createdBy])
	for (const { discussion } of discussions) {
		if (!discussion.groups.includes(group.id)) continue
		for (const id of [discussion.createdBy, ...discussion.collaborators]) ids.add(id)
	}
	return byRoleAndName(
		[...ids].flatMap((id) => people.get(id) ?? []).filter(({ role }) => role === 'lecturer'),
		language,
	)
}
