/**
 * Lecturers by name, for students who say which are theirs: asked of the server, remembered while the page is open.
 */
import { useEffect, useState } from 'react'
import { createCall, sameOrigin } from '../api.ts'

export interface Lecturer {
	id: string
	name: string
}

/** Who registers has no session: this needs none. */
const call = createCall(sameOrigin)
const known = new Map<string, string>()
/** Asked for and not among the lecturers (any more). */
const gone = new Set<string>()

function remember(lecturers: Lecturer[]): Lecturer[] {
	for (const { id, name } of lecturers) known.set(id, name)
	return lecturers
}

/** Lecturers whose name has words that begin so; without a query the first ones. */
export async function findLecturers(query: string): Promise<Lecturer[]> {
	return remember((await call('findLecturers', { ...(query ? { query } : {}), limit: 30 })).lecturers)
}

/** Each with her name: undefined while it is fetched, null when she is not a lecturer here any more. */
export function useLecturers(ids: readonly string[]): { id: string; name: string | null | undefined }[] {
	const [, refresh] = useState(0)
	const missing = ids.filter((id) => !known.has(id) && !gone.has(id)).join(',')
	useEffect(() => {
		if (!missing) return
		let left = false
		call('findLecturers', { ids: missing, limit: 100 }).then(
			(answer) => {
				remember(answer.lecturers)
				for (const id of missing.split(',')) if (!known.has(id)) gone.add(id)
				if (!left) refresh((count) => count + 1)
			},
			// Best effort: the field shows that a name is not known yet, and asks again when it is opened anew.
			() => {},
		)
		return () => {
			left = true
		}
	}, [missing])
	return ids.map((id) => ({ id, name: gone.has(id) ? null : known.get(id) }))
}
