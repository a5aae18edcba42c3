/**
 * What every browser test has: a school for each worker, a way for its people to come in, and words
 * for what one does in a discussion.
 *
 * Promises that a page's uncaught error fails its test, and that every browser window is closed.
 */
import { test as base, expect, type Locator, type Page } from '@playwright/test'
import sharp from 'sharp'
import type { Discussion } from '../../protocol/model.ts'
import { newId, openSchool, type School, type Someone } from './school.ts'

export { expect }

/** A name of the school's own network: plain http, no secure context. Chromium is told that it is this machine. */
export const schoolName = 'chat.school.test'

interface Entering {
	path?: string
	host?: string
	phone?: boolean
	scheme?: 'light' | 'dark'
	language?: 'en-GB' | 'id-ID'
}
export type Enter = (school: School, who: Someone | null, how?: Entering) => Promise<Page>

/** PAGE_SLOWDOWN=4: how the tests fare on a machine that is so many times as slow. */
async function slow(page: Page): Promise<void> {
	const rate = Number(process.env.PAGE_SLOWDOWN ?? 1)
	if (rate > 1) await (await page.context().newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate })
}

export const test = base.extend<{ enter: Enter }, { school: School }>({
	school: [
		// biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
		async ({}, use) => {
			const school = await openSchool()
			await use(school)
			await school.close()
		},
		{ scope: 'worker' },
	],
	/** Opens a browser of her own for somebody, signed in. */
	enter: async ({ browser }, use) => {
		const errors: Error[] = []
		const contexts: { close(): Promise<void> }[] = []
		await use(async (school, who, { path = '/', host = 'localhost', phone = false, scheme = 'light', language = 'en-GB' } = {}) => {
			const url = `http://${host}:${school.port}`
			const context = await browser.newContext({
				viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 800 },
				hasTouch: phone,
				isMobile: phone,
				colorScheme: scheme,
				locale: language,
				timezoneId: 'Asia/Jakarta',
				reducedMotion: 'reduce',
			})
			contexts.push(context)
			if (who) await context.addCookies([{ name: 'session', value: who.token, url }])
			const page = await context.newPage()
			await slow(page)
			page.on('pageerror', (error) => errors.push(error))
			await page.goto(url + path)
			return page
		})
		for (const context of contexts) await context.close()
		expect(errors).toEqual([])
	},
})

const kept = () =>
	navigator.serviceWorker.ready.then(() => (navigator.serviceWorker.controller ? true : Promise.reject(new Error('not yet'))))

/** The service worker has all files and looks after this page. */
export async function expectKept(page: Page): Promise<void> {
	await expect(async () => expect(await page.evaluate(kept)).toBe(true)).toPass()
}

/** Answers requests in the server's place. Not before the service worker has taken the page over: while it does, some go past. */
export async function intercept(page: Page, ...[requests, answer]: Parameters<Page['route']>): Promise<void> {
	// Where the context is not secure there is none.
	if (await page.evaluate(() => 'serviceWorker' in navigator)) await expectKept(page)
	await page.route(requests, answer)
}

/** Refuses requests in the server's place, where no service worker is. */
export async function refuse(page: Page, requests: string, status: number, code: string): Promise<void> {
	const problem = { type: `/api/docs#${code}`, title: code, status, code, detail: '' }
	await page.route(requests, (route) => route.fulfill({ status, json: problem, contentType: 'application/problem+json' }))
}

export const composer = (page: Page): Locator => page.getByRole('textbox', { name: 'Your message', exact: true })
/** The message with this text. */
export const letter = (page: Page, text: string): Locator => page.locator('article').filter({ hasText: text })
export const letters = (page: Page): Locator => page.locator('article')

/** Types and sends. */
export async function write(page: Page, text: string): Promise<void> {
	await composer(page).fill(text)
	await composer(page).press('Enter')
}

/** It stands there once, and the tick says that the server's disk has it. */
export async function expectStored(page: Page, text: string): Promise<void> {
	await expect(letter(page, text)).toHaveCount(1)
	await expect(letter(page, text).locator('[data-safety=stored]')).toBeVisible()
}

/** It stands there once, and only this device has it. */
export async function expectWaiting(page: Page, text: string): Promise<void> {
	await expect(letter(page, text)).toHaveCount(1)
	await expect(letter(page, text).locator('[data-safety=device]')).toBeVisible()
}

/** Closes what was told: on a phone it lies over a menu under the bar. */
export const closeNotices = (page: Page): Promise<void> =>
	page
		.getByRole('region', { name: 'Notices' })
		.getByRole('button', { name: 'Close' })
		.evaluateAll((buttons) => {
			for (const button of buttons) (button as HTMLElement).click()
		})

/** A lecturer, two students, a group and a discussion of their own. */
export async function openClass(school: School) {
	const siti = await school.join('lecturer', 'Dr. Siti Rahmawati')
	const budi = await school.join('student', 'Budi Santoso')
	const citra = await school.join('student', 'Citra Ayu Lestari')
	const group = await school.group('English A', siti, budi, citra)
	const discussion = await school.discussion(siti, 'Should phones stay in the bag?', 'Give one reason.', [group])
	return { siti, budi, citra, group, discussion, path: `/d/${discussion.id}` }
}

/** What the server has, as one person sees it, oldest first. */
export async function storedTexts(who: Someone, discussion: { id: string }): Promise<(string | null)[]> {
	const { messages } = await who.call('listMessages', { id: discussion.id, limit: 100 })
	return messages.map(({ text }) => text)
}

/** The page's list of messages, as it scrolls. */
export const messageList = (page: Page): Locator => page.getByRole('region', { name: 'Messages' }).locator('> div').first()

/** Sends a file as the web app does; its id. */
export async function upload(
	school: School,
	who: Someone,
	name: string,
	bytes: Uint8Array,
	purpose: 'message' | 'avatar' = 'message',
): Promise<string> {
	const id = newId()
	const answer = await fetch(`${school.url}/api/uploads/${id}?${new URLSearchParams({ name, purpose })}`, {
		method: 'POST',
		headers: { cookie: `session=${who.token}`, 'content-type': 'application/octet-stream' },
		body: Uint8Array.from(bytes),
	})
	if (!answer.ok) throw new Error(await answer.text())
	return id
}

/** A photo with noise in it, as large as photos are. */
export async function photo(width: number, height: number, quality = 80): Promise<Buffer<ArrayBuffer>> {
	const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const
	const picture = sharp({ create: { width, height, channels: 3, background: '#000', noise } })
	return Buffer.from(await picture.jpeg({ quality }).toBuffer())
}

/** Says many things at once, in order, from different people; the messages as the server has them. */
export async function sayMany(school: School, people: Someone[], discussion: Discussion, count: number, text: (n: number) => string) {
	for (let n = 1; n <= count; n++) await school.say(people[n % people.length] as Someone, discussion, text(n))
}

/** Gives files to the page as the clipboard or a drag does. */
export const give = (page: Page, how: 'paste' | 'drop' | 'dragenter', files: { name: string; mimeType: string; buffer: Buffer }[]) =>
	page.evaluate(
		([how, files]) => {
			const data = new DataTransfer()
			for (const { name, type, base64 } of files)
				data.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name, { type }))
			const at = document.querySelector('textarea') as HTMLElement
			const options = { bubbles: true, cancelable: true }
			const event =
				how === 'paste'
					? new ClipboardEvent('paste', { ...options, clipboardData: data })
					: new DragEvent(how, { ...options, dataTransfer: data })
			at.dispatchEvent(event)
		},
		[how, files.map(({ name, mimeType, buffer }) => ({ name, type: mimeType, base64: buffer.toString('base64') }))] as const,
	)
