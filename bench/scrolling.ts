/**
 * A discussion of 100,000 messages in Chromium: how many frames scrolling drops against a plain list of 200
 * letters on the same page, and how long a key takes to show while a hundred messages a second arrive,
 * against none. Needs a Chromium, and a machine that does nothing else.
 */
import { chromium, type Page } from '@playwright/test'
import { nextId, words } from './documents.ts'
import { type Line, median, type Part, ratio, rounds, shown } from './measure.ts'
import { start } from './processes.ts'
import { addMessages, newFolder, openFolder, openSchool, type School } from './school.ts'
import { browser, buildWebApp } from './web.ts'

const messages = 100_000
/** So many of them are loaded before scrolling is measured, which fetches more. */
const loaded = 4_000
const loadingMs = 120_000
const frames = 480
const pxPerFrame = 60
/** Even of one list some runs drop none and some a few: one frame of a hundred is added to both, or the ratio of two small counts would be chance. */
const noise = frames / 100
const arrivingPerSecond = 100
const keys = 100

const scrolls = `Chromium: frames dropped scrolling ${messages / 1000},000 messages, of a plain list of 200`
const typesTo = (which: string) => `Chromium: a key until it shows with ${arrivingPerSecond} messages/s arriving, ${which}, of none`
const [types, typesSlowly] = [typesTo('median'), typesTo('p95')]

interface Scrolled {
	dropped: number
	/** Frames that took longer than 1.5 times the median one. */
	long: number
	worstMs: number
	/** Frames in which the list stood at its top and waited for a page. */
	waited: number
}

/** Scrolls up by one step a frame. Counts frames of 60 a second that did not come in time: against its own median a list that is slow all the time would drop none. */
const scroll = (page: Page, selector: string): Promise<Scrolled> =>
	page.evaluate(
		async ([selector, frames, pxPerFrame]) => {
			const list = document.querySelector(selector) as HTMLElement
			const frame = () => new Promise<number>(requestAnimationFrame)
			for (let n = 0; n < 10; n++) await frame()
			const times: number[] = []
			let [waited, by] = [0, -pxPerFrame]
			let last = await frame()
			for (let n = 0; n < frames; n++) {
				const before = list.scrollTop
				list.scrollBy(0, by)
				if (list.scrollTop === before) {
					// The plain list has two ends; the discussion goes on once its page is there.
					if (list.id === 'plain') by = -by
					else waited++
				}
				const now = await frame()
				times.push(now - last)
				last = now
			}
			const sorted = times.toSorted((a, b) => a - b)
			const usual = sorted[sorted.length >> 1]!
			return {
				dropped: times.reduce((sum, ms) => sum + Math.max(0, Math.round((ms * 60) / 1000) - 1), 0),
				long: times.filter((ms) => ms > usual * 1.5).length,
				worstMs: sorted.at(-1)!,
				waited,
			}
		},
		[selector, frames, pxPerFrame] as const,
	)

/** The list's own element: another one once it has jumped. */
const markList = (page: Page) => page.evaluate(() => document.querySelector('section > div:has(article)')!.setAttribute('data-list', ''))

/** Two hundred letters of the page as they are, one below another in a box of the same size. */
const addPlainList = (page: Page) =>
	page.evaluate(() => {
		const list = document.querySelector('[data-list]') as HTMLElement
		const rows = [...list.querySelectorAll('article')].map((article) => article.closest('[data-list] > * > *')!.outerHTML)
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

/** Goes up, page by page. */
async function loadMany(page: Page): Promise<void> {
	let pages = 0
	page.on('response', (response) => /\/messages\?.*before=/.test(response.url()) && pages++)
	const until = performance.now() + loadingMs
	while (pages < loaded / 50) {
		if (performance.now() > until) throw new Error(`Only ${pages} pages were loaded.`)
		await page.evaluate(() => document.querySelector('[data-list]')!.scrollTo(0, 0))
		await page.waitForTimeout(20)
	}
	await page.waitForTimeout(1_000)
}

/** The times from a key to the end of the frame that shows it, in milliseconds, the shortest first. */
async function typing(page: Page): Promise<number[]> {
	const field = page.locator('textarea').first()
	await field.fill('')
	await field.focus()
	await page.evaluate(() => {
		const times: number[] = []
		const press = (event: Event) =>
			requestAnimationFrame(() => {
				// Its turn comes once the frame has been painted.
				const { port1, port2 } = new MessageChannel()
				port1.onmessage = () => times.push(performance.now() - event.timeStamp)
				port2.postMessage(null)
			})
		const field = document.querySelector('textarea')!
		field.addEventListener('keydown', press)
		Object.assign(window, {
			timesOfKeys() {
				field.removeEventListener('keydown', press)
				return times
			},
		})
	})
	for (let n = 0; n < keys; n++) {
		await page.keyboard.press('a')
		await page.waitForTimeout(60)
	}
	const times = await page.evaluate(() => (window as unknown as { timesOfKeys(): number[] }).timesOfKeys())
	if (times.length !== keys || (await field.inputValue()).length !== keys) throw new Error('Not every key arrived.')
	return times.sort((a, b) => a - b)
}

const put = (url: string, method: string, cookie: string, body: object) =>
	fetch(url, { method, headers: { cookie, 'content-type': 'application/json' }, body: JSON.stringify(body) }).then(async (answer) => {
		if (!answer.ok) throw new Error(`${method} ${url} is answered with ${answer.status}: ${await answer.text()}`)
		await answer.arrayBuffer()
	})

/** Messages of others, evenly, until it is stopped; gives how many were stored a second. */
function arriving(url: string, school: School, discussion: string): () => Promise<number> {
	let going = true
	let [sent, stored] = [0, 0]
	const began = performance.now()
	const under = new Set<Promise<unknown>>()
	async function post() {
		const { cookie } = school.students[1 + (sent % 400)]!
		const body = { id: nextId(), discussion, group: school.group, text: words(), replyTo: null, writtenAt: new Date().toISOString() }
		await put(`${url}/api/messages`, 'POST', cookie, body)
		stored++
	}
	const loop = (async () => {
		while (going) {
			while (sent < ((performance.now() - began) / 1000) * arrivingPerSecond) {
				sent++
				const one = post().finally(() => under.delete(one))
				one.catch(() => {})
				under.add(one)
			}
			await new Promise((resolve) => setTimeout(resolve, 5))
		}
	})()
	return async () => {
		const rate = (stored / (performance.now() - began)) * 1000
		going = false
		await loop
		await Promise.all(under)
		return rate
	}
}

const spread = (values: readonly number[], unit: string) =>
	`${shown(median(values))}${unit} (${shown(Math.min(...values))} to ${shown(Math.max(...values))})`

async function measureTyping(page: Page, post: () => () => Promise<number>, report: (line: Line) => void): Promise<void> {
	const rates: number[] = []
	const slow = { still: [] as number[], busy: [] as number[] }
	async function type(which: 'still' | 'busy') {
		const times = await typing(page)
		slow[which].push(times[Math.floor(times.length * 0.95)]!)
		return median(times)
	}
	const usual = await rounds({
		still: () => type('still'),
		async busy() {
			const stop = post()
			await page.waitForTimeout(500)
			try {
				return await type('busy')
			} finally {
				rates.push(await stop())
			}
		},
	})
	for (const [name, figures] of [
		[types, usual],
		[typesSlowly, slow],
	] as const) {
		const rest = `${keys} keys a round; ${shown(median(rates))} messages/s arrived`
		const detail = `arriving ${spread(figures.busy, ' ms')}, none arriving ${spread(figures.still, ' ms')}; ${rest}`
		report({ name, goal: { atMost: 2 }, ratio: ratio(figures, 'busy', 'still'), detail })
	}
}

async function measureScrolling(page: Page, report: (line: Line) => void): Promise<void> {
	const seen: Record<'ours' | 'plain', Scrolled[]> = { ours: [], plain: [] }
	async function run(which: 'ours' | 'plain') {
		await showPlain(page, which === 'plain')
		const scrolled = await scroll(page, which === 'plain' ? '#plain' : '[data-list]')
		seen[which].push(scrolled)
		return scrolled.dropped + noise
	}
	const dropped = await rounds({ ours: () => run('ours'), plain: () => run('plain') })
	const of = (which: 'ours' | 'plain') => {
		const figure = (key: keyof Scrolled) => seen[which].map((scrolled) => scrolled[key])
		const long = `${shown(median(figure('long')))} longer than 1.5 medians`
		return `${spread(figure('dropped'), '')}, ${long}, the longest ${shown(median(figure('worstMs')))} ms`
	}
	const waited = `waited at the top for ${shown(median(seen.ours.map((scrolled) => scrolled.waited)))}`
	const rest = `of ${frames} frames of ${pxPerFrame} px; the ratio is with ${shown(noise)} added to both; ${shown(loaded)} loaded before`
	const detail = `ours ${of('ours')}, ${waited}; a plain list ${of('plain')}; ${rest}`
	report({ name: scrolls, goal: { atMost: 1 }, ratio: ratio(dropped, 'ours', 'plain'), detail })
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
		const { cookie } = school.students[0]!
		await put(`${url}/api/discussions/${discussion}/read`, 'PUT', cookie, { upTo: Number.MAX_SAFE_INTEGER })
		const context = await opened.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' })
		await context.addCookies([{ name: 'session', value: cookie.replace('session=', ''), url }])
		const page = await context.newPage()
		await page.goto(`${url}/d/${discussion}`)
		await page.locator('article').first().waitFor()
		await page.waitForTimeout(1_000)
		await measureTyping(page, () => arriving(url, school, discussion), report)
		await page.waitForTimeout(1_000)
		await markList(page)
		await addPlainList(page)
		await loadMany(page)
		await measureScrolling(page, report)
	} finally {
		await opened.close()
		await server.close()
	}
}

/** Scrolling and typing, where there is much of everything. */
export const scrolling: Part = { names: [types, typesSlowly, scrolls], run: measure }
