/**
 * What failed, one line each, in the file that FAILURES names: so the end of a long run can say it again.
 *
 * The default export is a reporter for Node's test runner; `tests/e2e/failures.ts` is Playwright's.
 */
import { appendFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { TestEvent } from 'node:test/reporters'

/** Notes one failed test: the file it stands in, its title, and the first line of what was wrong. */
export function noteFailure(file: string, title: string, error: string): void {
	const path = process.env.FAILURES
	const line = error
		.replace(/\p{Cc}\[[\d;]*m/gu, '')
		.split('\n', 1)[0]
		?.slice(0, 300)
	if (path) appendFileSync(path, `${basename(file)}  ${title}  ${line}\n`)
}

export default async function* failures(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
	for await (const { type, data } of events) {
		if (type !== 'test:fail' || data.todo) continue
		const { cause = data.details.error } = data.details.error
		// A file or a suite fails because of something in it, which has its own line.
		if (/subtests? failed$/.test(data.details.error.message)) continue
		noteFailure(data.file ?? '', data.name, cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause))
		yield ''
	}
}
