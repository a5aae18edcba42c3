/**
 * The way through a discussion: where it opens, what counts as read, jumps and the way back, pages above
 * and below, groups, keys, who is there.
 *
 * What is tagged @looks happens in the browser alone, wherever the data is: it runs on one engine.
 */
import type { Locator, Page } from '@playwright/test'
import { composer, expect, expectStored, intercept, letter, letters, messageList, openClass, sayMany, test, write } from './fixtures.ts'
import type { Someone } from './school.ts'

const line = (page: Page): Locator => page.getByRole('separator', { name: /new message/ })
const readOf = async (who: Someone, discussion: string) =>
	(await who.call('listDiscussions', {})).reads.find((read) => read.discussion === discussion)?.upTo ?? 0

/** How far a letter is from the top of the list. */
const topOf = (page: Page, text: string): Promise<number> =>
	letter(page, text).evaluate((article) => {
		const list = article.closest('section')?.firstElementChild as HTMLElement
		return article.getBoundingClientRect().top - list.getBoundingClientRect().top
	})

/** Waits until a list neither moves nor grows: one goes on from where it came to rest. */
const rest = (list: Locator): Promise<void> =>
	list.evaluate(async (element) => {
		const place = () => `${element.scrollTop} ${element.scrollHeight}`
		let [was, since] = [place(), performance.now()]
		element.addEventListener('scroll', () => {
			since = performance.now()
		})
		while (performance.now() - since < 400) {
			await new Promise(requestAnimationFrame)
			if (place() !== was) since = performance.now()
			was = place()
		}
	})

for (const phone of [false, true])
	test(`[W95] it opens at the first unread message, and the line stays while it is read (${phone ? 'phone' : 'desktop'})`, async ({
		school,
		enter,
	}) => {
		const { siti, budi, citra, discussion, path } = await openClass(school)
		await sayMany(school, [citra, siti], discussion, 160, (n) => `Message ${n}.`)
		const { messages } = await budi.call('listMessages', { id: discussion.id, limit: 100 })
		// Sixty are read; a hundred are new, more than one page.
		const first = messages.find(({ text }) => text === 'Message 61.')
		const upTo = (first?.seq ?? 0) - 1
		await budi.call('setRead', { id: discussion.id, upTo })

		const page = await enter(school, budi, { path, phone })
		await expect(line(page)).toBeInViewport()
		await expect(line(page)).toHaveText(/^100 new since \d\d:\d\d$/)
		await expect(letter(page, 'Message 61.')).toBeInViewport()
		expect(await topOf(page, 'Message 61.')).toBeLessThan(200)
		// Only what was in sight is read.
		await expect.poll(() => readOf(budi, discussion.id)).toBeGreaterThan(upTo)
		expect(await readOf(budi, discussion.id)).toBeLessThan(messages.find(({ text }) => text === 'Message 100.')?.seq ?? 0)

		// To the end: all is read, on every device; the line is where it was, and a button goes there.
		await page.getByRole('button', { name: /\d+ new messages$/ }).click()
		await expect(letter(page, 'Message 160.')).toBeInViewport()
		await expect.poll(() => readOf(budi, discussion.id)).toBe(messages.at(-1)?.seq)
		await school.say(citra, discussion, 'While he looks.')
		await expect(letter(page, 'While he looks.')).toBeInViewport()
		await expect.poll(() => readOf(budi, discussion.id)).toBeGreaterThan(messages.at(-1)?.seq ?? 0)
		await messageList(page).evaluate((list) => list.scrollTo(0, 0))
		await expect(line(page)).toHaveCount(0)
		await messageList(page).hover()
		await letters(page).first().focus()
		await page.keyboard.press('u')
		await expect(line(page)).toBeInViewport()
		await expect(line(page)).toHaveText(/^100 new since/)

		await page.reload()
		await expect(letter(page, 'While he looks.')).toBeInViewport()
		await expect(line(page)).toHaveCount(0)
	})

test('[W95] it opens there also where letters are measured late, and are longer than it looked', async ({ school, enter }) => {
	const { siti, budi, citra, discussion, path } = await openClass(school)
	await sayMany(school, [citra, siti], discussion, 12, (n) => `${n === 3 || n === 11 ? 'Long '.repeat(300) : ''}message ${n}.`)
	const { messages } = await budi.call('listMessages', { id: discussion.id, limit: 100 })
	await budi.call('setRead', { id: discussion.id, upTo: messages.find(({ text }) => text === 'message 8.')?.seq ?? 0 })
	const page = await enter(school, null)
	await page.context().addCookies([{ name: 'session', value: budi.token, url: school.url }])
	await page.addInitScript(() => {
		const Observer = window.ResizeObserver
		window.ResizeObserver = class extends Observer {
			constructor(told: ResizeObserverCallback) {
				super((entries, self) => {
					const isLetter = ({ target }: ResizeObserverEntry) =>
						target.matches(':has(> [data-row])') && /message \d+\./.test(target.textContent ?? '')
					const soon = entries.filter((entry) => !isLetter(entry))
					const later = entries.filter(isLetter)
					if (soon.length > 0) told(soon, self)
					if (later.length > 0) setTimeout(() => told(later, self), 700)
				})
			}
		}
	})
	await page.goto(`${school.url}${path}`)
	await expect(line(page)).toBeInViewport()
	await rest(messageList(page))
	await page.waitForTimeout(1_500)
	await expect(line(page)).toBeInViewport()
	await expect(letter(page, 'message 9.')).toBeInViewport()
})

test('[W95] what another of my devices has read is not new here, and a page that nobody sees reads nothing', async ({ school, enter }) => {
	const { budi, citra, discussion, path } = await openClass(school)
	await sayMany(school, [citra], discussion, 3, (n) => `Hers ${n}.`)
	const page = await enter(school, budi, { path })
	await expect.poll(() => readOf(budi, discussion.id)).toBeGreaterThan(0)
	const seen = await readOf(budi, discussion.id)
	await page.evaluate(() => {
		Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
		document.dispatchEvent(new Event('visibilitychange'))
	})
	await school.say(citra, discussion, 'Nobody looks.')
	await school.say(citra, discussion, 'Nobody looks yet.')
	await expect(letter(page, 'Nobody looks yet.')).toBeVisible()
	await page.waitForTimeout(1_500)
	expect(await readOf(budi, discussion.id)).toBe(seen)
	await page.evaluate(() => {
		Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true })
		document.dispatchEvent(new Event('visibilitychange'))
	})
	await expect(line(page)).toHaveText(/^2 new since/)
	await expect.poll(() => readOf(budi, discussion.id)).toBeGreaterThan(seen)
})

test('[W96] pages that come in above and below leave what is read where it is', { tag: ['@alone', '@looks'] }, async ({
	school,
	enter,
}) => {
	test.setTimeout(180_000)
	const { siti, budi, citra, discussion, path } = await openClass(school)
	await sayMany(school, [budi, citra, siti], discussion, 240, (n) => `Number ${n}. ${'It goes on for a while. '.repeat(n % 7)}`)
	const { messages } = await budi.call('listMessages', { id: discussion.id, limit: 100 })
	const middle = messages.find(({ text }) => text?.startsWith('Number 150.'))
	const page = await enter(school, budi, { path: `${path}?m=${middle?.id}` })
	await expect(letter(page, 'Number 150.')).toBeInViewport()
	const list = messageList(page)

	/**
	 * Scrolls by steps, and waits at an end for the next page; in no step may a letter that stays move otherwise than
	 * the scrolling moves it.
	 */
	const walk = (by: number, until: string) =>
		list.evaluate(
			async (element, [by, until]) => {
				const frame = () => new Promise(requestAnimationFrame)
				const seen = new Set<string>()
				const look = () => {
					for (const article of element.querySelectorAll('article')) seen.add(/Number \d+\./.exec(article.textContent ?? '')?.[0] ?? '')
				}
				let worst = 0
				let movedAt = performance.now()
				while (!seen.has(until) && performance.now() - movedAt < 10_000) {
					const middle = element.getBoundingClientRect().top + element.clientHeight / 2
					const at = [...element.querySelectorAll('article')].find((article) => article.getBoundingClientRect().bottom > middle)
					const from = element.scrollTop
					element.scrollBy(0, by)
					if (element.scrollTop !== from) movedAt = performance.now()
					await frame()
					const before = at?.getBoundingClientRect().top ?? 0
					for (let wait = 0; wait < 3; wait++) {
						look()
						await frame()
					}
					// Near the end it goes to the end by itself.
					const left = element.scrollHeight - element.clientHeight - element.scrollTop
					if (at?.isConnected && left > 60) worst = Math.max(worst, Math.abs(at.getBoundingClientRect().top - before))
					look()
				}
				return { worst, seen: seen.size, found: seen.has(until) }
			},
			[by, until] as const,
		)
	await rest(list)
	const up = await walk(-240, 'Number 1.')
	expect(up.found).toBe(true)
	expect(up.worst).toBeLessThan(2)
	await list.evaluate((element) => element.scrollTo(0, 0))
	await expect(page.getByRole('region', { name: 'Opening prompt' })).toBeInViewport()
	await rest(list)
	const down = await walk(240, 'Number 240.')
	expect(down.found).toBe(true)
	expect(down.seen).toBeGreaterThanOrEqual(240)
	expect(down.worst).toBeLessThan(2)
	expect(await letters(page).count()).toBeLessThan(60)
})

test('[W96] at an end the page beside it comes by itself, also when it had to wait for another one', async ({ school, enter }) => {
	const { siti, budi, citra, discussion, path } = await openClass(school)
	await sayMany(school, [budi, citra, siti], discussion, 240, (n) => `Number ${n}.`)
	const { messages } = await budi.call('listMessages', { id: discussion.id, limit: 100 })
	const middle = messages.find(({ text }) => text === 'Number 160.')
	const page = await enter(school, null)
	await page.context().addCookies([{ name: 'session', value: budi.token, url: school.url }])
	const held: (() => void)[] = []
	await intercept(page, /\/messages\?after=/, async (route) => {
		await new Promise<void>((resolve) => held.push(resolve))
		await route.continue()
	})
	await page.goto(`${school.url}${path}?m=${middle?.id}`)
	await expect(letter(page, 'Number 160.')).toBeInViewport()
	const list = messageList(page)
	await rest(list)
	await list.evaluate((element) => element.scrollTo(0, element.scrollHeight))
	await expect.poll(() => held.length).toBe(1)
	await list.evaluate((element) => element.scrollTo(0, 0))
	await expect(page.getByText('Earlier messages…')).toBeInViewport()
	const { height, top } = await list.evaluate(({ scrollHeight, scrollTop }) => ({ height: scrollHeight, top: scrollTop }))
	expect(top).toBe(0)
	// The one below comes, and nobody scrolls any more: what is above comes, and the letters stay.
	for (const go of held) go()
	await expect.poll(() => list.evaluate((element) => element.scrollTop)).toBeGreaterThan(1_000)
	expect(await list.evaluate((element) => element.scrollHeight)).toBeGreaterThan(height)
})

test('[W100] one goes to a date, to what was answered, to a linked message and to the end, and back', async ({ school, enter }) => {
	const { siti, budi, citra, discussion, path } = await openClass(school)
	const first = await school.say(citra, discussion, 'The very first thought.')
	await sayMany(school, [citra, siti], discussion, 130, (n) => `Message ${n}.`)
	await school.say(siti, discussion, 'I come back to this.', { replyTo: first })
	await budi.call('setRead', { id: discussion.id, upTo: Number.MAX_SAFE_INTEGER })
	const page = await enter(school, budi, { path })
	await expect(letter(page, 'I come back to this.')).toBeInViewport()

	// What was answered is far above the loaded page.
	await expect(letter(page, 'The very first thought.').and(page.locator('[data-message]:not(:has(button))'))).toHaveCount(0)
	await page.getByRole('button', { name: /The very first thought/ }).click()
	const answered = page.locator(`[data-message="${first}"]`)
	await expect(answered).toBeInViewport()
	await expect(answered).toHaveAttribute('data-marked')
	await expect(answered).toBeFocused()
	await page.getByRole('button', { name: 'Back to where I was' }).click()
	await expect(letter(page, 'I come back to this.')).toBeInViewport()

	// A date: all was said today, so the first message of today is the first.
	await page.getByRole('button', { name: 'Go to a date' }).click()
	await page.getByRole('button', { name: 'Show', exact: true }).click()
	await expect(answered).toBeInViewport()
	await page.getByRole('button', { name: /To the end|new message/ }).click()
	await expect(letter(page, 'I come back to this.')).toBeInViewport()
	// A day separator asks for another date too.
	await page.getByRole('button', { name: /Back to where I was/ }).waitFor({ state: 'detached' })
	await messageList(page).evaluate((list) => list.scrollTo(0, 0))

	// A link to a message, copied, opens there for somebody else.
	await page.goto(`${school.url}${path}?m=${first}`)
	await expect(answered).toBeInViewport()
	await expect(
		page
			.getByRole('region', { name: 'Messages' })
			.getByRole('button', { name: /^\w+,? \d+ \w+/ })
			.first(),
	).toBeVisible()
	await answered.hover()
	await answered.getByRole('button', { name: 'Copy a link to this message' }).click()
	await expect(page.getByText('The link is copied.')).toBeVisible()
	await composer(page).focus()
	await page.keyboard.press('ControlOrMeta+v')
	await expect(composer(page)).toHaveValue(`${school.url}${path}?m=${first}`)

	// One that is not for her: it says so and opens at the end.
	await page.goto(`${school.url}${path}?m=${'0'.repeat(24)}`)
	await expect(page.getByText('It is not there, or not for you any more.')).toBeVisible()
	await expect(letter(page, 'I come back to this.')).toBeInViewport()

	// My own message from far above is gone to.
	await page.goto(`${school.url}${path}?m=${first}`)
	await expect(answered).toBeInViewport()
	await write(page, 'Mine, from far above')
	await expect(letter(page, 'Mine, from far above')).toBeInViewport()
	await expectStored(page, 'Mine, from far above')
})

test('[W97] a lecturer looks at one group, writes to it, and reads only what she sees', async ({ school, enter }) => {
	const { siti, budi, citra, group } = await openClass(school)
	const lukasz = await school.join('student', 'Łukasz Żółć')
	const second = await school.group('English B', siti, lukasz)
	const both = await school.discussion(siti, 'For both groups', 'Say something.', [group, second])
	await school.say(siti, both, 'For all of you', { group: null })
	await sayMany(school, [budi, citra], both, 70, (n) => `From A ${n}.`)
	await school.say(lukasz, both, 'From B once.')
	await sayMany(school, [budi, citra], both, 70, (n) => `From A again ${n}.`)
	await school.say(lukasz, both, 'From B twice.')
	await siti.call('setRead', { id: both.id, upTo: Number.MAX_SAFE_INTEGER })
	const page = await enter(school, siti, { path: `/d/${both.id}` })
	await expect(letter(page, 'From B twice.')).toBeInViewport()
	const groups = page.getByRole('combobox', { name: 'Which groups to look at' })
	const whom = page.getByRole('combobox', { name: 'Whom it is for' })
	await expect(whom).toHaveValue('all')
	await groups.selectOption('English B')
	// More is fetched by itself until there is something to see.
	await expect(letters(page)).toHaveText([/For all of you/, /From B once\./, /From B twice\./])
	await expect(whom).toHaveValue(second.id)
	await write(page, 'Only for B')
	await expectStored(page, 'Only for B')
	const { messages } = await siti.call('listMessages', { id: both.id })
	expect(messages.at(-1)).toMatchObject({ text: 'Only for B', group: second.id })

	await school.say(budi, both, 'She does not see this now.')
	await school.say(lukasz, both, 'But this.')
	await expect(letter(page, 'But this.')).toBeVisible()
	await page.waitForTimeout(1_200)
	const hidden = (await siti.call('listMessages', { id: both.id })).messages.find(({ text }) => text === 'She does not see this now.')
	expect((await siti.call('setRead', { id: both.id, upTo: 0 })).read.upTo).toBeLessThan(hidden?.seq ?? 0)
	await groups.selectOption('All groups')
	await expect(letter(page, 'She does not see this now.')).toBeInViewport()
	await expect.poll(() => readOf(siti, both.id)).toBeGreaterThan(hidden?.seq ?? 0)
})

test('[W101] long texts are folded, links are links, and right-to-left words leave the rest in its order', { tag: '@looks' }, async ({
	school,
	enter,
}) => {
	const { budi, citra, discussion, path } = await openClass(school)
	await school.say(citra, discussion, Array.from({ length: 40 }, (_, n) => `Line ${n + 1} of forty.`).join('\n'))
	await school.say(citra, discussion, 'See https://example.org/a and https://google.com@evil.example/ and javascript:alert(1)')
	await school.say(citra, discussion, 'مرحبا بكم')
	await budi.call('setRead', { id: discussion.id, upTo: Number.MAX_SAFE_INTEGER })
	const page = await enter(school, budi, { path })
	const long = letter(page, 'Line 1 of forty.')
	await expect(long).toBeVisible()
	const folded = await long.evaluate((article) => article.clientHeight)
	await long.getByRole('button', { name: 'Show all' }).click()
	await expect.poll(() => long.evaluate((article) => article.clientHeight)).toBeGreaterThan(folded * 1.6)
	const links = letter(page, 'See').getByRole('link')
	await expect(links).toHaveCount(2)
	await expect(links.first()).toHaveAttribute('href', 'https://example.org/a')
	await expect(links.first()).toHaveAttribute('rel', 'noopener noreferrer nofollow')
	await expect(links.first()).toHaveAttribute('target', '_blank')
	await expect(links.nth(1)).toContainText('(evil.example)')
	await expect(letter(page, 'مرحبا').locator('p')).toHaveCSS('direction', 'rtl')
})

for (const phone of [false, true])
	test(`[W103] who is in the room, who writes and who else belongs to it (${phone ? 'phone' : 'desktop'})`, async ({ school, enter }) => {
		const { budi, citra, group, path } = await openClass(school)
		const others = await Promise.all(Array.from({ length: 9 }, (_, n) => school.join('student', `Pupil ${n}`)))
		await school.admin.call('addMembers', { id: group.id, users: others.map(({ me }) => me.id) })
		const page = await enter(school, budi, { path, phone })
		if (phone) await page.getByRole('button', { name: 'About this discussion' }).click()
		const about = phone ? page.getByRole('dialog') : page.getByRole('complementary', { name: 'About this discussion' })
		const hers = about.getByRole('listitem').filter({ hasText: 'Citra Ayu Lestari' })
		await expect(about.getByRole('img', { name: 'is here now' })).toHaveCount(0)
		const her = await enter(school, citra, { path })
		await expect(hers.getByRole('img', { name: 'is here now' })).toBeVisible()
		await composer(her).pressSequentially('Hm')
		await expect(hers).toContainText('writing…')
		await expect(about.getByText('English A')).toBeVisible()
		await about.getByRole('button', { name: /^and \d+ more$/ }).click()
		const people = page.getByRole('dialog', { name: '12 people' })
		await expect(people.getByRole('listitem')).toHaveCount(12)
		await page.keyboard.press('Escape')
		await her.goto(`${school.url}/`)
		await expect(about.getByRole('img', { name: 'is here now' })).toHaveCount(0)
	})

test('[W43] in the messages keys walk, answer, edit, go to the end and back to writing', { tag: '@looks' }, async ({ school, enter }) => {
	const { budi, citra, discussion, path } = await openClass(school)
	await school.say(citra, discussion, 'Hers.')
	await school.say(budi, discussion, 'His.')
	await sayMany(school, [citra], discussion, 30, (n) => `More ${n}.`)
	await budi.call('setRead', { id: discussion.id, upTo: Number.MAX_SAFE_INTEGER })
	const page = await enter(school, budi, { path })
	await expect(composer(page)).toBeFocused()
	await expect(letter(page, 'More 30.')).toBeVisible()
	await page.keyboard.press('Escape')
	await expect(letter(page, 'More 30.')).toBeFocused()
	await page.keyboard.press('k')
	await expect(letter(page, 'More 29.')).toBeFocused()
	await page.keyboard.press('Home')
	await expect(letter(page, 'Hers.')).toBeFocused()
	await page.keyboard.press('j')
	await expect(letter(page, 'His.')).toBeFocused()
	await page.keyboard.press('e')
	const editing = page.getByRole('textbox', { name: 'Editing your message' })
	await expect(editing).toBeFocused()
	await expect(editing).toHaveValue('His.')
	await page.keyboard.press('Escape')
	await expect(composer(page)).toBeFocused()
	await page.keyboard.press('Escape')
	await expect(letter(page, 'His.')).toBeFocused()
	await page.keyboard.press('End')
	await expect(letter(page, 'More 30.')).toBeFocused()
	await page.keyboard.press('r')
	await expect(composer(page)).toBeFocused()
	await page.keyboard.type('An answer')
	await page.keyboard.press('Enter')
	await expect(letter(page, 'An answer').getByRole('button', { name: /Answers Citra: More 30/ })).toBeVisible()
})

test('[W104] what others write is read out, several at once as their number', { tag: '@looks' }, async ({ school, enter }) => {
	const { budi, citra, discussion, path } = await openClass(school)
	await school.say(citra, discussion, 'Before he came.')
	const page = await enter(school, budi, { path })
	await expect(letter(page, 'Before he came.')).toBeVisible()
	const log = page.getByRole('log')
	await expect(log).toHaveText('')
	await school.say(citra, discussion, 'One alone.')
	await expect(log).toHaveText('Citra: One alone.')
	await write(page, 'My own is not read out.')
	await expectStored(page, 'My own is not read out.')
	await Promise.all(['a', 'b', 'c'].map((text) => school.say(citra, discussion, text)))
	await expect(log).toHaveText('3 new messages')
})
