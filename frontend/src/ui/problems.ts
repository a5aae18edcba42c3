/**
 * What went wrong, in the reader's language: what happened, what is safe, what to do.
 *
 * Every error code of the protocol has its sentence in locales/. Never shows a stack or a code alone.
 */
import type { Problem } from '../../../protocol/api.ts'
import { ApiError } from '../client.ts'
import type { Texts } from './language.ts'

/** The sentence for a refusal of the server. */
export function problemSentence(t: Texts, problem: Problem): string {
	if (problem.code === 'rate_limited' && problem.retryAfterSeconds)
		return t('problem.rate_limited_for', { count: Math.ceil(problem.retryAfterSeconds) })
	return t(`problem.${problem.code}`)
}

/** The sentence for anything that was thrown by a call. */
export function errorSentence(t: Texts, error: unknown): string {
	if (error instanceof ApiError) return problemSentence(t, error.problem)
	if (error instanceof Error && error.name === 'Unreachable') return t('problem.unreachable')
	console.error(error)
	return t('problem.internal')
}
