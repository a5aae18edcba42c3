/**
 * The composer's text and whom it is for: from this device, and saved to it as it is typed.
 */
import { useCallback, useEffect, useRef, useState } from 'react'
import { useClient } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { tellProblem } from '../ui/notices.ts'
import { errorSentence } from '../ui/problems.ts'
import { end, nothing, resume, type Writing } from './writing.ts'

/** `ready`: what was typed before is here. `saved`: what stands here is on this device. */
export function useWriting(discussion: string) {
	const { t } = useTexts()
	const client = useClient()
	const [writing, setWriting] = useState<Writing>(nothing)
	const [ready, setReady] = useState(false)
	const [saved, setSaved] = useState(false)
	const latest = useRef(writing)
	const aside = `${discussion}:aside`

	useEffect(() => {
		let gone = false
		Promise.all([client.draft(discussion), client.draft(aside)])
			.then(([draft, set]) => {
				if (gone) return
				latest.current = resume(draft, set)
				setWriting(latest.current)
				setSaved(draft !== null)
			})
			.catch((error) => tellProblem(errorSentence(t, error)))
			.finally(() => !gone && setReady(true))
		return () => {
			gone = true
		}
	}, [client, discussion, aside, t])

	const save = useCallback(
		async (next: Writing, before: Writing) => {
			try {
				await client.saveDraft(discussion, { text: next.text, replyTo: next.replyTo, editing: next.editing })
				if (next.aside !== before.aside)
					await client.saveDraft(aside, { text: next.aside?.text ?? '', replyTo: next.aside?.replyTo ?? null, editing: null })
				if (latest.current === next) setSaved(true)
			} catch (error) {
				tellProblem(errorSentence(t, error))
			}
		},
		[client, discussion, aside, t],
	)

	/** Changes the writing. After sending, `end` is saved only once the message is safe: call what is returned. */
	const write = useCallback(
		(change: (now: Writing) => Writing) => {
			const before = latest.current
			const next = change(before)
			latest.current = next
			setWriting(next)
			setSaved(false)
			if (change !== end) void save(next, before)
			return () => void save(latest.current, before)
		},
		[save],
	)
	return { writing, ready, saved, write }
}

interface AudienceOf {
	mayWriteTo: readonly (string | null)[]
	/** How many groups the discussion has. */
	groups: number
	/** Whom my last message here was for; undefined: there is none. */
	usual: string | null | undefined
	/** The group that is looked at; null: all. */
	looking: string | null
}

/** Whom a new message is for: the group that is looked at, else asked when there are several, and remembered from my last message here. */
export function useAudience({ mayWriteTo, groups, usual, looking }: AudienceOf) {
	const [choice, setChoice] = useState<string | null>()
	const [looked, setLooked] = useState(looking)
	if (looked !== looking) {
		// To look at another group is to choose again.
		setLooked(looking)
		setChoice(undefined)
	}
	const needed = mayWriteTo.length > 1 && groups > 1
	const can = (one: string | null | undefined): one is string | null => one !== undefined && mayWriteTo.includes(one)
	const chosen = can(choice) ? choice : looking !== null && can(looking) ? looking : can(usual) ? usual : can(null) ? null : undefined
	return {
		needed,
		chosen,
		group: needed ? chosen : mayWriteTo[0],
		choose: (value: string) => setChoice(value === 'all' ? null : value),
	}
}
