/**
 * Which people the admin's list shows, in which order, and what a click with Shift selects.
 *
 * Pure; finds at least whom the server's search finds, so that nobody it brings is hidden.
 */
import type { Person, Role, Status } from '../../../protocol/model.ts'

export interface Filter {
	status: Status | null
	role: Role | null
	query: string
}

/** What the server's pages have brought so far: whom, and up to which place; `end`: there is no more. */
export interface Loaded {
	ids: ReadonlySet<string>
	last: number
	end: boolean
}

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

/** Who waits longest stands first. Beyond the last page fetched nobody shows: there would be gaps. */
export function listPeople(people: Iterable<Person>, filter: Filter, loaded: Loaded | null = null): Person[] {
	const { status, role, query } = filter
	return [...people]
		.filter((person) => person.status !== undefined && (status === null || person.status === status))
		.filter((person) => role === null || person.role === role)
		.filter((person) => loaded?.ids.has(person.id) || matches(person, query))
		.filter((person) => !loaded || loaded.end || person.seq <= loaded.last)
		.sort((a, b) => a.seq - b.seq || (a.id < b.id ? -1 : 1))
}

/** The selection after one of the shown was clicked: with Shift, all from the one clicked before become what this one becomes. */
export function select(
	selected: ReadonlySet<string>,
	shown: readonly string[],
	id: string,
	anchor: string | null,
	range: boolean,
): ReadonlySet<string> {
	const on = !selected.has(id)
	const [from, to] = [anchor === null ? -1 : shown.indexOf(anchor), shown.indexOf(id)]
	const touched = range && from >= 0 && to >= 0 ? shown.slice(Math.min(from, to), Math.max(from, to) + 1) : [id]
	const next = new Set(selected)
	for (const one of touched) {
		if (on) next.add(one)
		else next.delete(one)
	}
	return next
}
