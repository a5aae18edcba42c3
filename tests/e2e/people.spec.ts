/**
 * The admin's people in a real browser: finding, deciding about one or many, roles, erasing.
 */
import { expect, intercept, openClass, test } from './fixtures.ts'
import { button, expectFine, field } from './looking.ts'
import { openSchool } from './school.ts'

for (const phone of [false, true]) {
	const where = phone ? 'phone' : 'desktop'

	test(`[W75] people are counted, filtered, searched on the server and fetched page by page, live, by ${where}`, async ({ enter }) => {
		const school = await openSchool()
		try {
			const students = Array.from({ length: 64 }, (_, n) =>
				school.register('student', `Student Number${String.fromCharCode(97 + (n % 26))}`),
			)
			await Promise.all(students)
			await school.register('lecturer', 'Łukasz Żółć')
			const page = await enter(school, school.admin, { phone })
			// Who waits is where an admin begins.
			const waiting = page.getByRole('navigation', { name: 'Waiting for you' })
			await expect(waiting.getByRole('link')).toHaveCount(21)
			await expectFine(page, 'start')
			await waiting.getByRole('link', { name: '45 more' }).click()
			await expect(button(page, /^Waiting ?65$/)).toBeVisible()
			await expect(button(page, /^Approved ?1$/)).toBeVisible()
			await expect(page.getByText('Select all 50 shown')).toBeVisible()
			await page.getByRole('region', { name: 'Waiting' }).getByRole('listitem').last().hover()
			await page.mouse.wheel(0, 20_000)
			await expect(page.getByText('Select all 65 shown')).toBeVisible()
			// Only what is in sight is on the page.
			expect(await page.getByRole('region', { name: 'Waiting' }).getByRole('listitem').count()).toBeLessThan(40)
			await page.mouse.wheel(0, 20_000)
			await expect(page.getByRole('link', { name: 'Łukasz Żółć' }).last()).toBeVisible()
			// Somebody registers meanwhile, and appears.
			await school.register('student', 'Newly Come')
			await expect(button(page, /^Waiting ?66$/)).toBeVisible()
			await expect(page.getByText('Select all 66 shown')).toBeVisible()

			const region = page.getByRole('region', { name: 'Waiting' })
			await field(page, 'Role').selectOption('Lecturer')
			await expect(region.getByRole('link')).toHaveText(['Łukasz Żółć'])
			await field(page, 'Role').selectOption('All roles')
			await field(page, 'Search by name, e-mail or number').fill('zol luk')
			await expect(region.getByRole('link')).toHaveText(['Łukasz Żółć'])
			await expectFine(page, `people`)
			await field(page, 'Search by name, e-mail or number').fill('nobody at all')
			await expect(page.getByText('Nobody found')).toBeVisible()
		} finally {
			await school.close()
		}
	})

	test(`[W76] many are selected and decided about at once, undone at once, and the refused are named, by ${where}`, async ({ enter }) => {
		const school = await openSchool()
		try {
			const names = ['Andi Pratama', 'Bunga Citra', 'Cahya Dewi', 'Dimas Eko', 'Eka Fitri', 'Farhan Galih']
			const people = []
			for (const name of names) people.push(await school.register('student', name))
			const page = await enter(school, school.admin, { path: '/people', phone })
			const box = (name: string) => page.getByRole('checkbox', { name: `Select ${name}` })
			const status = async () => {
				const { users } = await school.admin.call('listUsers', { role: 'student' })
				return users.map((user) => user.status)
			}
			// A range with Shift, by mouse; by keyboard down to the next and Space.
			await box('Bunga Citra').click()
			await box('Dimas Eko').click({ modifiers: ['Shift'] })
			await expect(page.getByText('3 selected')).toBeVisible()
			await page.keyboard.press('ArrowDown')
			await expect(box('Eka Fitri')).toBeFocused()
			await page.keyboard.press('Space')
			await expect(page.getByText('4 selected')).toBeVisible()
			await expectFine(page, `people selected`)
			await page.keyboard.press('Escape')
			await expect(page.getByText(/\d selected/)).toHaveCount(0)

			await page.getByText('Select all 6 shown').click()
			await box('Farhan Galih').click()
			const bar = page.getByRole('region', { name: 'Selected people' })
			await bar.getByRole('button', { name: 'Approve' }).click()
			await expect(page.getByText('5 people are in.')).toBeVisible()
			await expect(button(page, /^Waiting ?1$/)).toBeVisible()
			expect(await status()).toEqual([...Array(5).fill('approved'), 'pending'])
			await button(page, 'Undo').click()
			await expect(button(page, /^Waiting ?6$/)).toBeVisible()
			expect(await status()).toEqual(Array(6).fill('pending'))

			// Rejected with one reason; those who were decided about differently before come back as they were.
			await box('Andi Pratama').click()
			await box('Bunga Citra').click()
			await bar.getByRole('button', { name: 'Reject' }).click()
			await field(page, 'Reason').fill('Not of this school')
			await page.getByRole('dialog').getByRole('button', { name: 'Reject' }).click()
			await expect(page.getByText('2 people were rejected.')).toBeVisible()
			await button(page, /^Rejected ?2$/).click()
			await expect(page.getByText('Not of this school')).toHaveCount(2)

			// One of them is erased at this moment: she is named, the other is in.
			await box('Andi Pratama').click()
			await box('Bunga Citra').click()
			const gone = people[1]!
			await intercept(page, '**/api/users/decisions', async (route) => {
				await school.admin.call('eraseUser', { id: gone.me.id })
				await route.continue()
			})
			await bar.getByRole('button', { name: 'Approve' }).click()
			await expect(page.getByText('Andi Pratama is in.')).toBeVisible()
			await expect(page.getByText(/Bunga Citra: It is not there/)).toBeVisible()
		} finally {
			await school.close()
		}
	})

	test(`[W78] roles, the last admin, and erasing by typing the name, by ${where}`, async ({ enter }) => {
		const school = await openSchool()
		try {
			const { siti, citra, discussion, path } = await openClass(school)
			await school.say(citra, discussion, 'I stay here')
			const page = await enter(school, school.admin, { path: '/people', phone })
			await button(page, /^Approved/).click()
			const open = async (name: string) => {
				await page.getByRole('region', { name: 'Approved' }).getByRole('link', { name }).click()
				await expect(page.getByRole('dialog', { name: 'Person' }).getByRole('heading', { name })).toBeVisible()
			}
			const shut = () => page.getByRole('dialog', { name: 'Person' }).getByRole('button', { name: 'Close' }).click()
			await open(school.admin.me.name)
			await expect(page.getByText('You are the only admin')).toBeVisible()
			await expect(button(page, 'Deactivate')).toHaveCount(0)
			await shut()
			await open(siti.me.name)
			await button(page, 'Make admin').click()
			await expect(page.getByText('Dr. Siti Rahmawati is an admin now')).toBeVisible()
			await expect(button(page, 'Make lecturer')).toBeVisible()
			await button(page, 'Undo').click()
			await expect(button(page, 'Make admin')).toBeVisible()
			const members = async () => {
				const { memberships } = await school.admin.call('listMembers', { id: discussion.groups[0]! })
				return memberships.map(({ user }) => user)
			}
			await expect.poll(members).toContain(siti.me.id)

			await shut()

			await open(citra.me.name)
			await button(page, 'Deactivate').click()
			await expect(page.getByText('Citra Ayu Lestari is deactivated')).toBeVisible()
			await button(page, 'Undo').last().click()
			await expect(button(page, 'Deactivate')).toBeVisible()
			await button(page, 'Erase this person …').click()
			const ask = page.getByRole('dialog', { name: 'Erase Citra Ayu Lestari?' })
			await ask.getByLabel('Type the name to go on:').fill('Citra')
			await ask.getByRole('button', { name: 'Erase for good' }).click()
			await expect(ask.getByText('This is not the name above.')).toBeVisible()
			await ask.getByLabel('Erase what this person wrote, too').check()
			await expect(ask.getByText('Only their places in the discussions stay')).toBeVisible()
			await ask.getByLabel('Erase what this person wrote, too').uncheck()
			await expectFine(page, `erase`)
			await ask.getByLabel('Type the name to go on:').fill('citra ayu  lestari')
			await ask.getByRole('button', { name: 'Erase for good' }).click()
			await expect(page.getByText('Citra Ayu Lestari is erased.')).toBeVisible()
			await expect(page.getByRole('dialog', { name: 'Person' }).getByText('What was known of this person is erased.')).toBeVisible()
			await expectFine(page, `erased`)
			const budi = await enter(school, await school.signIn((await school.admin.call('listUsers', { query: 'budi' })).users[0]!.email!), {
				path,
			})
			await expect(budi.locator('article').filter({ hasText: 'I stay here' })).toContainText('Former member')
			await shut()

			// Of two admins each may change the other, nobody herself.
			await open(siti.me.name)
			await button(page, 'Make admin').click()
			await expect(button(page, 'Make lecturer')).toBeEnabled()
			const hers = await enter(school, await school.signIn(siti.email), { path: '/people', phone })
			await button(hers, /^Approved/).click()
			const approved = hers.getByRole('region', { name: 'Approved' })
			await approved.getByRole('link', { name: siti.me.name }).click()
			await expect(hers.getByText('This is you.')).toBeVisible()
			await hers.keyboard.press('Escape')
			await approved.getByRole('link', { name: school.admin.me.name }).click()
			await button(hers, 'Make lecturer').click()
			await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
			await hers.keyboard.press('Escape')
			await approved.getByRole('link', { name: siti.me.name }).click()
			await expect(hers.getByText('You are the only admin')).toBeVisible()
		} finally {
			await school.close()
		}
	})
}
