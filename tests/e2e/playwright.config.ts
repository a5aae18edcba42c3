/**
 * The browser tests: real Chromium against a real server, two at a time, never a second try. Where the
 * server has its data is said by TEST_ENGINE, and no test knows.
 *
 * `playwright test -c tests/e2e/playwright.config.ts screenshots` takes the pictures instead.
 */
import { defineConfig } from '@playwright/test'
import { findBrowser } from '../support/browser.ts'

// Workers read this file again, with other arguments but the same environment.
if (process.argv.includes('screenshots')) process.env.SCREENSHOTS = 'yes'
const executablePath = findBrowser()

/** The address bar's own pages are a quarter of what the pages of all tests take. This list stands in the place of Playwright's. */
const withoutFeatures = [
	...['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup', 'AimEnabled', 'LensOverlay', 'PreloadTopChromeWebUI'],
	...['MediaRouter', 'OptimizationHints', 'NetworkTimeServiceQuerying', 'PreconnectToSearch'],
	...['HttpsUpgrades', 'HttpsFirstBalancedModeAutoEnable', 'ThirdPartyStoragePartitioning'],
	...['AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose', 'PaintHolding'],
]
const onMongo = process.env.TEST_ENGINE === 'mongodb'

export default defineConfig({
	testDir: '.',
	testMatch: process.env.SCREENSHOTS ? 'screenshots.ts' : '*.spec.ts',
	// What screens look like does not depend on where the data is: whole files of it, and what is tagged @looks in others.
	testIgnore: onMongo ? '*looks.spec.ts' : [],
	outputDir: `../../test-results/${process.env.TEST_ENGINE || 'embedded'}`,
	fullyParallel: true,
	workers: 2,
	retries: 0,
	// What looks at every frame has the machine for itself.
	projects: [
		{ name: 'all', grepInvert: onMongo ? /@alone|@looks/ : /@alone/ },
		{ name: 'alone', grep: /@alone/, grepInvert: onMongo ? /@looks/ : [], dependencies: ['all'] },
	],
	forbidOnly: true,
	timeout: process.env.SCREENSHOTS ? 1_200_000 : 120_000,
	expect: { timeout: 10_000 },
	reporter: [['list'], ['./failures.ts']],
	use: {
		actionTimeout: 15_000,
		locale: 'en-GB',
		timezoneId: 'Asia/Jakarta',
		// Without pictures of every moment, which take longer than many a test.
		trace: { mode: 'retain-on-failure', screenshots: false, sources: false },
		launchOptions: {
			...(executablePath ? { executablePath } : {}),
			args: [
				'--disable-background-networking',
				'--disable-component-update',
				'--disable-sync',
				'--no-first-run',
				`--disable-features=${withoutFeatures.join(',')}`,
				// A name of the school's own network, over plain http: no secure context.
				'--host-resolver-rules=MAP chat.school.test 127.0.0.1',
				...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
			],
		},
	},
})
