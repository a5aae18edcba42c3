/**
 * What goes wrong as expected: `fail`, and every error as a problem document (RFC 9457).
 *
 * Promises that what leaves the server has a code of the closed list and a sentence for
 * people. Never shows an unexpected error's own words: those go to the log, once.
 */
import { type ErrorCode, errorCodes, type Problem } from '../../protocol/api.ts'
import { Fenced, OutcomeUnknown, StorageFull, StorageUnavailable } from './storage/engine.ts'
import { CursorUnknown, UniqueTaken } from './storage/store.ts'

interface Details {
	/** The next step for the reader. */
	hint?: string
	/** Fields of the input, each with what is wrong. */
	fields?: Record<string, string>
	retryAfterSeconds?: number
}

/** An expected failure on its way to the caller. */
export class Failure extends Error {
	override name = 'Failure'
	readonly code: ErrorCode
	readonly details: Details
	constructor(code: ErrorCode, message: string, details: Details = {}) {
		super(message)
		this.code = code
		this.details = details
	}
}

/** Ends the work with an expected failure; `message` is a sentence for people. */
export function fail(code: ErrorCode, message: string, details?: Details): never {
	throw new Failure(code, message, details)
}

/** Unknown and invisible look the same. */
export function notFound(what: string): never {
	fail('not_found', `This ${what} does not exist, or it is not for you.`)
}

/** What the caller is told about any error; null when it was not expected (tell her `internal`, and log it). */
export function expected(error: unknown): Failure | null {
	if (error instanceof Failure) return error
	if (error instanceof StorageFull) {
		return new Failure('storage_full', 'The server has no room left, so nothing was stored.', {
			hint: 'Please tell whoever looks after the server. What you wrote stays on this device and is sent when there is room.',
		})
	}
	if (error instanceof OutcomeUnknown) {
		return new Failure('outcome_unknown', 'The server cannot tell whether this was stored.', {
			hint: 'Send it again: it will not be stored twice.',
			retryAfterSeconds: 5,
		})
	}
	if (error instanceof Fenced) return new Failure('standby', 'Another server has taken over.', { retryAfterSeconds: 1 })
	if (error instanceof StorageUnavailable) {
		return new Failure('storage_unavailable', 'The server cannot store anything at the moment; you can still read.', {
			hint: 'What you wrote stays on this device and is sent later.',
			retryAfterSeconds: 5,
		})
	}
	if (error instanceof CursorUnknown) return new Failure('cursor_unknown', 'The journal does not reach back so far.')
	if (error instanceof UniqueTaken) return new Failure('id_taken', 'Somebody else has this already.')
	return null
}

/** The problem document of a failure. */
export function problemOf({ code, message, details }: Failure): Problem {
	const title = code.replaceAll('_', ' ')
	return {
		type: `/api/docs#${code}`,
		title: title[0]!.toUpperCase() + title.slice(1),
		status: errorCodes[code],
		code,
		detail: message,
		...details,
	}
}
