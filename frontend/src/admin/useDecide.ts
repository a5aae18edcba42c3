/**
 * Decides about people and says what was done, for whom not and why, with one button for the way back.
 */
import { useCallback, useState } from 'react'
import type { Person, Status } from '../../../protocol/model.ts'
import { useClient } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { errorSentence, problemSentence } from '../ui/problems.ts'
import { listOf } from '../ui/times.ts'
import { type Decided, decide, putBack } from './decisions.ts'

const named = 5

export function useDecide() {
	const { t, language } = useTexts()
	const client = useClient()
	const [busy, setBusy] = useState(false)

	/** One sentence for each thing that stood in the way, with the names. */
	const tellRefused = useCallback(
		(refused: Decided['refused']) => {
			for (const people of Map.groupBy(refused, ({ problem }) => problem.code).values()) {
				const names = people.slice(0, named).map(({ person }) => nameOf(person, t))
				const more = people.length - names.length
				if (more > 0) names.push(t('people.more', { count: more }))
				tellProblem(t('people.refused', { names: listOf(names, language), why: problemSentence(t, people[0]!.problem) }))
			}
		},
		[t, language],
	)

	/** Resolves with those about whom it was decided. */
	const run = useCallback(
		async (people: readonly Person[], status: Status, reason: string | null = null) => {
			setBusy(true)
			const { done, refused, error } = await decide(client, people, status, reason)
			setBusy(false)
			if (done.length > 0) {
				const text =
					done.length === 1 ? t(`people.${status}Notice`, { name: nameOf(done[0]!, t) }) : t(`people.${status}Many`, { count: done.length })
				tell(text, async () => tellRefused(await putBack(client, done)))
			}
			tellRefused(refused)
			if (error !== null) tellProblem(errorSentence(t, error))
			return done
		},
		[client, t, tellRefused],
	)
	return { decide: run, busy }
}
