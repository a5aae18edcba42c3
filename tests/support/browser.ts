/**
 * Finds the Chromium that the browser tests drive.
 *
 * Never installs one: tests/run.ts does, where it may.
 */
import { existsSync } from 'node:fs'
import { chromium } from '@playwright/test'

/** Path of a Chromium: `CHROME_PATH`, the system's, or the one that Playwright installed; null when there is none. */
export function findBrowser(): string | null {
	const candidates = [
		process.env.CHROME_PATH,
		'/usr/bin/chromium',
		'/usr/bin/google-chrome',
		'/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
		chromium.executablePath(),
	]
	return candidates.find((path) => path && existsSync(path)) ?? null
}
