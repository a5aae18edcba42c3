/**
 * The web app in Chromium: how much comes over the wire until somebody sees the door, or is inside.
 *
 * Builds it anew into a folder of its own; needs a Chromium.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chromium } from '@playwright/test'
import { findBrowser } from '../tests/support/browser.ts'
import { userDraft } from '../tests/support/records.ts'
import { nextId } from './documents.ts'
import { type Part, shown } from './measure.ts'
import { start } from './processes.ts'
import { addMessages, newFolder, openFolder, openSchool } from './school.ts'

const root = join(import.meta.dirname, '..')
const limitKiB = 250
const door = `first load of the door, of ${limitKiB} KiB`
const inside = `first load of somebody signed in, of ${limitKiB} KiB`

/** Whether there is a browser to measure with. */
export const browser = findBrowser()

/** Builds the web app for the bench; gives its folder. */
export async function buildWebApp(): Promise<string> {
	const folder = join(await newFolder(), 'web')
	const vite = join(root, 'node_modules/vite/bin/vite.js')
	const args = [vite, 'build', '-c', join(root, 'frontend/vite.config.ts'), '--outDir', folder, '--emptyOutDir', '--logLevel', 'error']
	await promisify(execFile)(process.execPath, args, { cwd: root })
	return folder
}

/** What a new browser is sent until nothing more comes, by the kind of the file; the service worker's own fetches are none of it. */
async function firstLoad(url: string, cookie: string | null, sees: string): Promise<Map<string, number>> {
	// One of its own: fonts stay in a browser's memory beyond a window.
	const opened = await chromium.launch({ executablePath: browser!, args: ['--no-sandbox'] })
	const context = await opened.newContext({ locale: 'en-GB', viewport: { width: 390, height: 844 } })
	if (cookie) await context.addCookies([{ name: 'session', value: cookie, url }])
	const page = await context.newPage()
	const network = await context.newCDPSession(page)
	await network.send('Network.enable')
	const kinds = new Map<string, string>()
	const bytes = new Map<string, number>()
	network.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type))
	network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
		const kind = kinds.get(requestId) ?? 'Other'
		bytes.set(kind, (bytes.get(kind) ?? 0) + encodedDataLength)
	})
	await page.goto(url, { waitUntil: 'networkidle' })
	await page.getByText(sees).first().waitFor()
	await opened.close()
	return bytes
}

/** What is transferred, compressed as it comes. */
export const firstLoads: Part = {
	names: [door, inside],
	async run(report) {
		const school = await openSchool(await newFolder())
		const store = await openFolder(school.folder)
		await addMessages(store, school, 2_000)
		// Without an admin there is another door.
		await store.write(null, (tx) => tx.put('users', userDraft({ id: nextId(), name: 'Admin', role: 'admin' })))
		await store.close()
		const server = await start('server.ts', [school.folder], { WEB_DIR: await buildWebApp() })
		const url = `http://localhost:${server.port}/`
		for (const [name, cookie, sees] of [
			[door, null, 'Sign in'],
			[inside, school.students[0]!.cookie.replace('session=', ''), 'Discussion 1'],
		] as const) {
			const bytes = await firstLoad(url, cookie, sees)
			const total = [...bytes.values()].reduce((sum, kind) => sum + kind, 0)
			const parts = [...bytes].sort((a, b) => b[1] - a[1]).map(([kind, size]) => `${kind.toLowerCase()} ${shown(size / 1024)}`)
			report({ name, goal: { atMost: 1 }, ratio: total / 1024 / limitKiB, detail: `${shown(total / 1024)} KiB: ${parts.join(', ')}` })
		}
		await server.close()
	},
}
