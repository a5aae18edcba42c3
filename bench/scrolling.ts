/**
 * A discussion of 100,000 messages in Chromium: how many frames scrolling drops against a plain list of 200
 * letters on the same page, and how long a key takes to show while a hundred messages a second arrive,
 * against none. Needs a Chromium.
 */
import { chromium, type Page } from '@playwright/test'
import { nextId, words } from './documents.ts'
import { described, type Line, type Part, ratio, rounds, shown } from './measure.ts'
import { start } from './processes.ts'
import { addMessages, newFolder, openFolder, openSchool, type School } from './school.ts'
import { browser, buildWebApp } from './web.ts'

const messages = 100_000
/** So many of them are loaded before anything is measured; scrolling fetches more. */
const loaded = 4_000
const frames = 480
const pxPerFrame = 60
const arrivingPerSecond = 100
const keys = 60

const scrolls = `frames dropped scrolling ${messages / 1000},000 messages, of those of a plain list of 200`
const types = `a key until it shows with ${arrivingPerSecond} messages/s arriving, of none`

/** The frames that did not come in time, of those that were due; one is added, so that none can be compared with none. */
const scroll = (page: Page, selector: string) =>
	page.evaluate(
		async ([selector, frames, pxPerFrame]) => {
			const list = document.querySelector(selector) as HTMLElement
			const frame = () => new Promise<number>(requestAnimationFrame)
			for (let n = 0; n < 10; n++) await frame()
			const due = 1000 / 60
			let dropped = 0
			let last = await frame()
			let by = -pxPerFrame
			for (let n = 0; n < frames; n++) {
				const before = list.scrollTop
				list.scrollBy(0, by)
				// The plain list has two ends.
				if (list.scrollTop === before) by = -by
				const now = await frame()
				dropped += Math.max(0, Math.round((now - last) / due) - 1)
				last = now
			}
			return dropped + 1
		},
		[selector, frames, pxPerFrame] as const,
	)

/** Two hundred letters of the page as they are, one below another in a box of the same size. */
const addPlainList = (page: Page) =>
	page.evaluate(() => {
		const list = document.querySelector('[data-list]') as HTMLElement
		const rows = [...list.querySelectorAll('article')].map((article) => article.closest('[data-list] > * > *')?.outerHTML ?? '')
		const plain = document.createElement('div')
		const { left, top, width, height } = list.getBoundingClientRect()
		plain.id = 'plain'
		plain.style.cssText = `position:fixed;left:${left}px;top:${top}px;width:${width}px;height:${height}px;overflow:auto;background:var(--paper);z-index:9;display:none`
		const inner = Array.from({ length: 200 }, (_, n) => rows[n % rows.length]).join('')
		plain.innerHTML = inner.replaceAll(/position: absolute|top: [\d.]+px|visibility: hidden/g, '')
		document.body.append(plain)
	})

const showPlain = (page: Page, show: boolean) =>
	page.evaluate((show) => {
		const plain = document.getElementById('plain') as HTMLElement
		plain.style.display = show ? 'block' : 'none'
		if (show) plain.scrollTop = plain.scrollHeight
	}, show)

async function loadMany(page: Page): Promise<void> {
	let pages = 0
	page.on('response', (response) => /\/messages\?before=/.test(response.url()) && pages++)
	while (pages < loaded / 50) {
		await page.evaluate(() => document.querySelector('[data-list]')?.scrollTo(0, 0))
		await page.waitForTimeout(20)
	}
	await page.waitForTimeout(1_000)
}

/** The median time from a key to the frame that shows it, in milliseconds. */
async function typing(page: Page): Promise<number> {
	const field = page.locator('textarea').first()
	await field.fill('')
	await field.focus()
	await page.evaluate(() => {
		const times: number[] = []
		Object.assign(window, { times })
		const press = (event: Event) =>
			requestAnimationFrame(() => {
				const { port1, port2 } = new MessageChannel()
				port1.onmessage = () => times.push(performance.now() - event.timeStamp)
				port2.postMessage(null)
			})
		document.querySelector('textarea')?.addEventListener('keydown', press)
	})
	for (let n = 0; n < keys; n++) {
		await page.keyboard.press('a')
		await page.waitForTimeout(60)
	}
	const times = await page.evaluate(() => (window as unknown as { times: number[] }).times.sort((a, b) => a - b))
	return times[Math.floor(times.length / 2)]!
}

/** Messages of others, evenly, until it is stopped. */
function arriving(url: string, school: School, discussion: string): () => Promise<void> {
	let going = true
	let sent = 0
	const began = performance.now()
	const under = new Set<Promise<unknown>>()
	const post = async () => {
		const member = school.students[1 + (sent % 400)]!
		const body = {
			id: nextId(),
			discussion,
			group: school.group,
			text: words(),
			uploads: [],
			replyTo: null,
			writtenAt: new Date().toISOString(),
		}
		await fetch(`${url}/api/messages`, {
			method: 'POST',
			headers: { cookie: member.cookie, 'content-type': 'application/json' },
			body: JSON.stringify(body),
		}).then((answer) => answer.arrayBuffer())
	}
	const loop = (async () => {
		while (going) {
			while (sent < ((performance.now() - began) / 1000) * arrivingPerSecond) {
				sent++
				const one = post().finally(() => under.delete(one))
				under.add(one)
			}
			await new Promise((resolve) => setTimeout(resolve, 5))
		}
	})()
	return async () => {
		going = false
		await loop
		await Promise.allSettled(under)
	}
}

async function measure(report: (line: Line) => void): Promise<void> {
	const school = await openSchool(await newFolder())
	const [discussion] = school.discussions as [string]
	const store = await openFolder(school.folder)
	await addMessages(store, school, messages, [discussion])
	await store.close()
	const server = await start('server.ts', [school.folder], { WEB_DIR: await buildWebApp() })
	const url = `http://localhost:${server.port}`
	const opened = await chromium.launch({ executablePath: browser!, args: ['--no-sandbox'] })
	try {
		const reader = school.students[0]!
		await fetch(`${url}/api/discussions/${discussion}/read`, {
			method: 'PUT',
			headers: { cookie: reader.cookie, 'content-type': 'application/json' },
			body: JSON.stringify({ upTo: Number.MAX_SAFE_INTEGER }),
		})
		const context = await opened.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' })
		await context.addCookies([{ name: 'session', value: reader.cookie.replace('session=', ''), url }])
		const page = await context.newPage()
		await page.goto(`${url}/d/${discussion}`)
		await page.locator('article').first().waitFor()
		await page.waitForTimeout(1_000)
		await page.evaluate(() => document.querySelector('section > div:has(article)')?.setAttribute('data-list', ''))
		await addPlainList(page)
		const still = async () => {
			await showPlain(page, false)
			return typing(page)
		}
		const busy = async () => {
			const stop = arriving(url, school, discussion)
			try {
				return await typing(page)
			} finally {
				await stop()
			}
		}
		const typed = await rounds({ still, busy })
		report({
			name: types,
			goal: { atMost: 2 },
			ratio: ratio(typed, 'busy', 'still'),
			detail: `${described(typed, { arriving: 'busy', 'none arriving': 'still' }, ' ms')}, medians of ${keys} keys`,
		})

		await loadMany(page)
		const dropped = await rounds({
			async ours() {
				await showPlain(page, false)
				return scroll(page, '[data-list]')
			},
			async plain() {
				await showPlain(page, true)
				return scroll(page, '#plain')
			},
		})
		report({
			name: scrolls,
			goal: { atMost: 1 },
			ratio: ratio(dropped, 'ours', 'plain'),
			detail: `of ${frames} frames of ${pxPerFrame} px, plus one: ${described(dropped, { ours: 'ours', 'a plain list': 'plain' }, '')}; ${shown(loaded)} messages loaded before`,
		})
	} finally {
		await opened.close()
		await server.close()
	}
}

export const scrolling: Part = { names: [types, scrolls], run: measure }
