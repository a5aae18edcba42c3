/**
 * People found on the server while somebody types, page by page.
 *
 * Promises that an answer which comes too late for what is asked now is not shown.
 */
import { useEffect, useState } from 'react'
import type { Input } from '../../../protocol/api.ts'
import type { Person } from '../../../protocol/model.ts'
import { useClient } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { tellProblem } from '../ui/notices.ts'
import { errorSentence } from '../ui/problems.ts'

interface Asked {
	query: string
	/** Only students who chose this lecturer. */
	mine: boolean
	role?: 'student' | 'lecturer'
}

interface Found {
	people: Person[]
	next: string | null
}

/** Asks while `asking`. `people` null: nothing was answered yet. `loadMore` null: that is all. */
export function usePeople({ query, mine, role }: Asked, asking: boolean) {
	const { t } = useTexts()
	const client = useClient()
	const [found, setFound] = useState<Found | null>(null)
	const [problem, setProblem] = useState<string | null>(null)
	const words = query.trim()

	useEffect(() => {
		setProblem(null)
		if (!asking) return setFound(null)
		let gone = false
		const timer = setTimeout(
			() => {
				client.call('findPeople', inputFor(words, mine, role)).then(
					(answer) => !gone && setFound({ people: answer.users, next: answer.next }),
					(error) => !gone && setProblem(errorSentence(t, error)),
				)
			},
			words ? 150 : 0,
		)
		return () => {
			gone = true
			clearTimeout(timer)
		}
	}, [client, words, mine, role, asking, t])

	async function loadMore(after: string) {
		try {
			const answer = await client.call('findPeople', { ...inputFor(words, mine, role), after })
			setFound((now) => (now?.next === after ? { people: [...now.people, ...answer.users], next: answer.next } : now))
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}

	const next = found?.next
	return { people: found?.people ?? null, problem, loadMore: next ? () => loadMore(next) : null }
}

function inputFor(query: string, mine: boolean, role: Asked['role']): Input<'findPeople'> {
	return { limit: 50, ...(query ? { query } : {}), ...(mine ? { mine: 'true' } : {}), ...(role ? { role } : {}) }
}
