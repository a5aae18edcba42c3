/**
 * How it looks and feels: accessible, by keyboard alone, small, and steady while one scrolls.
 */
import { composer, expect, expectStored, letter, letters, openClass, test, write } from './fixtures.ts'
import { button, expectAllFine, type Screen, tabTo } from './looking.ts'
import { newId, type School } from './school.ts'

async function screens(school: School): Promise<Screen[]> {
	const { siti, budi, citra, group, discussion, path } = await openClass(school)
	const { group: second } = await siti.call('createGroup', { id: newId(), name: 'English B' })
	await siti.call('addMember', { id: second.id, user: citra.me.id })
	const both = await school.discussion(siti, 'For both groups', 'Say something.', [group, second])
	const waiting = await school.register('student', 'Rizky Pratama')
	const rejected = await school.register('student', 'Somebody Else')
	await school.admin.call('setStatus', { id: rejected.me.id, status: 'rejected', reason: 'Who are you?' })
	const first = await school.say(citra, discussion, 'I think phones should stay in the bag.')
	await school.say(siti, discussion, 'Who can find a synonym?')
	const mine = await school.say(budi, discussion, 'I has one.', { replyTo: first })
	await budi.call('editMessage', { id: mine, edit: `${mine.slice(0, 8)}${'0'.repeat(16)}`, text: 'I have one.' })
	const gone = await school.say(budi, discussion, 'Oops')
	await budi.call('setRemoved', { id: gone, removed: true })
	return [
		{ name: 'sign in', who: null, path: '/sign-in', shows: 'New here?' },
		{
			name: 'register, refused',
			who: null,
			path: '/register',
			shows: 'Registered already?',
			act: (page) => page.locator('[type=submit]').click(),
		},
		{ name: 'set up', who: null, path: '/setup#x', shows: 'There is an admin already' },
		{ name: 'waiting', who: waiting, path: '/', shows: 'Waiting for approval' },
		{ name: 'rejected', who: rejected, path: '/', shows: 'Who are you?' },
		{ name: 'people', who: school.admin, path: '/people', shows: 'Rizky Pratama' },
		{
			name: 'reject',
			who: school.admin,
			path: '/people',
			shows: 'Rizky Pratama',
			act: (page) =>
				page
					.getByRole('button', { name: /^Reject / })
					.first()
					.click(),
		},
		{ name: 'groups', who: siti, path: '/groups', shows: 'New group' },
		{
			name: 'group',
			who: siti,
			path: `/groups/${second.id}`,
			shows: 'Citra Ayu Lestari',
			act: (page) => page.getByRole('button', { name: 'Add people' }).click(),
		},
		{
			name: 'start a discussion',
			who: siti,
			path: '/new',
			shows: 'For these groups',
			act: (page) => page.locator('form [type=submit]').click(),
		},
		{ name: 'home', who: budi, path: '/', shows: /Should phones/ },
		{ name: 'discussion', who: budi, path, shows: 'I have one.', act: (page) => composer(page).fill('I agree') },
		{ name: 'discussion, two groups', who: siti, path: `/d/${both.id}`, shows: 'English A, English B' },
		{ name: 'earlier texts', who: budi, path, shows: 'I have one.', act: (page) => page.getByRole('button', { name: 'edited' }).click() },
		{
			name: 'menu',
			who: budi,
			path: '/groups',
			shows: /groups/,
			act: async (page) => (page.viewportSize()?.width ?? 0) > 720 && page.getByRole('button', { name: /Budi Santoso/ }).click(),
		},
		{ name: 'account', who: budi, path: '/account', shows: 'This device' },
		{ name: 'not found', who: budi, path: '/nowhere', shows: 'There is nothing at this address' },
		{ name: 'not here', who: budi, path: `/d/${'0'.repeat(24)}`, shows: 'This discussion is not here for you' },
	]
}

for (const phone of [false, true])
	test(`[W42] axe finds nothing on any screen, ${phone ? 'phone' : 'desktop'}, light and dark`, async ({ school, enter }) => {
		test.setTimeout(240_000)
		await expectAllFine(school, enter, phone, await screens(school))
	})

test('[W42] the interface is there in Indonesian, and says so', async ({ school, enter }) => {
	const { budi, path } = await openClass(school)
	const page = await enter(school, budi, { path, language: 'id-ID' })
	await expect(page.getByPlaceholder('Tulis pesan…')).toBeVisible()
	await expect(page.locator('html')).toHaveAttribute('lang', 'id')
	await page.getByRole('button', { name: /Budi Santoso/ }).click()
	await page.getByRole('menuitem', { name: 'English' }).click()
	await expect(page.getByPlaceholder('Write a message…')).toBeVisible()
	await page.reload()
	await expect(page.locator('html')).toHaveAttribute('lang', 'en')
})

test('[W43] everything is done by keyboard: find a discussion, answer, edit, remove, undo, sign out', async ({ school, enter }) => {
	const { budi, citra, discussion } = await openClass(school)
	await school.say(citra, discussion, 'First of hers')
	await school.say(citra, discussion, 'Second of hers')
	const page = await enter(school, budi)
	const press = async (...keys: string[]) => {
		for (const key of keys) await page.keyboard.press(key)
	}
	await expect(page.getByRole('link', { name: /Should phones/ })).toBeVisible()
	await press('Tab')
	await expect(page.getByRole('link', { name: 'Skip to the page' })).toBeFocused()
	await tabTo(page, page.getByRole('link', { name: /Should phones/ }))
	await press('Enter')
	await expect(composer(page)).toBeFocused()
	await expect(letter(page, 'Second of hers')).toBeVisible()

	// Up into the letters, and to the first of them.
	await tabTo(page, letter(page, 'Second of hers'), 'Shift+Tab')
	await press('ArrowUp')
	await expect(letter(page, 'First of hers')).toBeFocused()
	await tabTo(page, button(page, 'Reply'))
	await press('Enter')
	await expect(composer(page)).toBeFocused()
	await page.keyboard.type('Mine')
	await press('Enter')
	await expectStored(page, 'Mine')
	await expect(letter(page, 'Mine')).toContainText('Citra: First of hers')
	await press('ArrowUp')
	await page.keyboard.type(' too')
	await press('Escape')
	await expect(composer(page)).toHaveValue('')
	await press('ArrowUp')
	await page.keyboard.type(' too')
	await press('Shift+Enter')
	await page.keyboard.type('and a second line')
	await press('Control+Enter')
	await expect(letter(page, 'Mine too')).toContainText('and a second line')
	await tabTo(page, letter(page, 'Mine too'), 'Shift+Tab')
	await tabTo(page, button(page, 'Remove'))
	await press('Enter')
	await expect(letter(page, 'You removed this message.')).toBeVisible()
	await tabTo(page, button(page, 'Undo'))
	await press('Enter')
	await expect(letter(page, 'Mine too')).toBeVisible()
	await tabTo(page, page.getByRole('button', { name: /^Budi Santoso:/ }), 'Shift+Tab')
	await press('Enter')
	await expect(page.getByRole('menuitem', { name: 'Account and devices' })).toBeVisible()
	await press('ArrowUp')
	await expect(page.getByRole('menuitem', { name: 'Sign out' })).toBeFocused()
	await press('Enter')
	await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('[W49] the page stays at its end, keeps its place while older messages come in, and tells what is new below', async ({
	school,
	enter,
}) => {
	const { budi, citra, discussion, path } = await openClass(school)
	for (let n = 1; n <= 120; n++)
		await school.say(n % 3 ? citra : budi, discussion, `Message number ${n}. ${'It goes on for a while. '.repeat(n % 5)}`)
	// All of it is read, so it opens at its end.
	await budi.call('setRead', { id: discussion.id, upTo: 1_000_000_000 })
	const page = await enter(school, budi, { path })
	await expect(letter(page, 'Message number 120.')).toBeInViewport()
	await school.say(citra, discussion, 'Came while I was at the end')
	await expect(letter(page, 'Came while I was at the end')).toBeInViewport()

	// Upwards, page by page, until the prompt: the letter in the middle never jumps.
	const list = page.getByRole('region', { name: 'Messages' }).locator('> div').first()
	for (let n = 0; n < 400 && !(await page.getByRole('region', { name: 'Opening prompt' }).isVisible()); n++) {
		await list.evaluate((element) => element.scrollBy(0, -300))
		await page.waitForTimeout(20)
		const moved = await list.evaluate(async (element) => {
			const middle = element.getBoundingClientRect().top + element.clientHeight / 2
			const at = [...element.querySelectorAll('article')].find((article) => article.getBoundingClientRect().bottom > middle)
			const before = at?.getBoundingClientRect().top ?? 0
			for (let frame = 0; frame < 6; frame++) await new Promise(requestAnimationFrame)
			return at?.isConnected ? Math.abs(at.getBoundingClientRect().top - before) : 0
		})
		expect(moved).toBeLessThan(40)
	}
	await list.evaluate((element) => element.scrollTo(0, 0))
	await expect(letter(page, 'Message number 1.')).toBeVisible()
	await expect(page.getByText('Give one reason.')).toBeInViewport()

	const before = await letter(page, 'Message number 1.').boundingBox()
	await school.say(citra, discussion, 'Came while I was reading above')
	await page.getByRole('button', { name: '1 new message' }).waitFor()
	expect((await letter(page, 'Message number 1.').boundingBox())?.y).toBe(before?.y)
	await page.getByRole('button', { name: '1 new message' }).click()
	await expect(letter(page, 'Came while I was reading above')).toBeInViewport()
	await expect(page.getByRole('button', { name: '1 new message' })).toHaveCount(0)
	expect(await letters(page).count()).toBeLessThan(60)

	// Also while the list still moves a letter takes the click that was meant for it.
	const hit = await list.evaluate(async (element) => {
		element.scrollBy(0, -2000)
		const { left, top, width, height } = element.getBoundingClientRect()
		const [x, y] = [left + width / 2, top + height / 2]
		const isThere = (row: Element) => {
			const { top, bottom } = row.getBoundingClientRect()
			return top < y - 2 && bottom > y + 2 && getComputedStyle(row).visibility === 'visible'
		}
		for (let frame = 0; frame < 120; frame++) {
			element.scrollBy(0, -1)
			await new Promise(requestAnimationFrame)
			const row = [...element.querySelectorAll('[data-row]')].find(isThere)
			if (row) return row.contains(document.elementFromPoint(x, y))
		}
		return false
	})
	expect(hit).toBe(true)
	await write(page, 'My own goes to the end')
	await expect(letter(page, 'My own goes to the end')).toBeInViewport()
})

test('[W54] the door opens with less than 250 KiB, compressed, fonts aside', async ({ school, enter }) => {
	const page = await enter(school, null, { path: '/sign-in', host: 'chat.school.test' })
	await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
	await page.waitForLoadState('networkidle')
	const sizes = await page.evaluate(() =>
		[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map((entry) => {
			const { name, encodedBodySize } = entry as PerformanceResourceTiming
			return { name, bytes: encodedBodySize }
		}),
	)
	const bytes = sizes.filter(({ name }) => !name.endsWith('.woff2')).reduce((sum, one) => sum + one.bytes, 0)
	expect(bytes).toBeGreaterThan(50 * 1024)
	expect(bytes).toBeLessThan(250 * 1024)
})
