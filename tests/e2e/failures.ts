/**
 * Playwright's side of `tests/support/failures.ts`: notes each browser test that fails.
 */
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter'
import { noteFailure } from '../support/failures.ts'

export default class Failures implements Reporter {
	onTestEnd(test: TestCase, result: TestResult): void {
		if (result.status === test.expectedStatus) return
		for (const { message } of result.errors) noteFailure(test.location.file, test.title, message ?? result.status)
	}
}
