/**
 * Accounts in a real browser: registering, waiting, help with signing in, my account.
 *
 * What is tagged @looks happens in the browser alone, wherever the data is: it runs on one engine.
 */
import sharp from 'sharp'
import { closeNotices, expect, openClass, test } from './fixtures.ts'
import { button, expectFine, field, tabTo } from './looking.ts'
import { openSchool, password, type Someone } from './school.ts'

for (const phone of [false, true]) {
	const where = phone ? 'phone' : 'desktop'

	test(`[W70] a student registers, by ${where}: number, lecturers found by name and shown as pills, errors beside their fields`, async ({
		school,
		enter,
	}) => {
		// The school is other tests' too: these names are only this one's.
		const [first, second] = [`Dr. Nilam ${where}ara`, `Agus ${where}ama`]
		const siti = await school.join('lecturer', first)
		const agus = await school.join('lecturer', second)
		const page = await enter(school, null, { path: '/register', phone })
		await button(page, 'Register').click()
		await expect(field(page, 'Name')).toBeFocused()
		await expect(page.getByText('Please fill this in.')).toHaveCount(4)
		await field(page, 'Name').fill('Citra Ayu Lestari')
		await field(page, 'Student number').fill('2311002')
		const lecturers = page.getByRole('combobox', { name: 'My lecturers' })
		await lecturers.fill('xyzxyz')
		await expect(page.getByText('No lecturer found.')).toBeVisible()
		await expectFine(page, `register`)
		// By keyboard, and by finger or mouse.
		await lecturers.fill(`${where}ara`)
		await expect(page.getByRole('option')).toHaveText([first])
		await lecturers.press('ArrowDown')
		await lecturers.press('Enter')
		await lecturers.fill(`agus ${where}`)
		await page.getByRole('option', { name: second }).click()
		const pills = page.getByRole('list', { name: 'Chosen lecturers' }).getByRole('listitem')
		await expect(pills).toHaveText([first, second])
		await page.getByRole('button', { name: `Remove ${first}` }).click()
		await expect(pills).toHaveText([second])
		await lecturers.fill(`nilam ${where}`)
		await page.getByRole('option', { name: first }).click()
		await expect(pills).toHaveText([second, first])
		await page.keyboard.press('Escape')
		const email = `citra.${where}@school.test`
		await field(page, 'E-mail').fill(siti.email)
		await field(page, 'Password').fill('citra123')
		await expect(page.getByText('Easy to guess: it is your name or address.')).toBeVisible()
		await field(page, 'Password').fill(password)
		await expect(page.getByText('Good: hard to guess.')).toBeVisible()
		await expectFine(page, `register filled`)
		await button(page, 'Register').click()
		// Another one's address: said beside it.
		await expect(field(page, 'E-mail')).toBeFocused()
		await expect(page.getByText('There is an account with this e-mail.')).toBeVisible()
		await field(page, 'E-mail').fill(email)
		await button(page, 'Register').click()
		await expect(page.getByRole('heading', { name: 'Waiting for approval' })).toBeVisible()
		await expect(page.getByText(second)).toBeVisible()
		const { users } = await school.admin.call('listUsers', { query: email })
		expect(users[0]?.lecturers).toEqual([agus.me.id, siti.me.id])
		expect(users[0]?.number).toBe('2311002')
	})

	test(`[W72] who waits puts her details right, and can undo it; who was rejected reads why, by ${where}`, async ({ school, enter }) => {
		const rizky = await school.register('student', 'Rizky Pratma')
		const page = await enter(school, rizky, { phone })
		await expectFine(page, `waiting`)
		await button(page, 'Correct my details').click()
		await field(page, 'Name').fill('Rizky Pratama')
		await field(page, 'Student number').fill('2311777')
		await expectFine(page, `waiting correct`)
		await button(page, 'Save').click()
		await expect(page.getByText('Your details are saved.')).toBeVisible()
		await expect(page.getByText('2311777')).toBeVisible()
		const stored = async () => (await school.admin.call('listUsers', { query: rizky.email })).users[0]
		expect(await stored()).toMatchObject({ name: 'Rizky Pratama', number: '2311777' })
		await button(page, 'Undo').click()
		await expect(page.getByText('Rizky Pratma')).toBeVisible()
		await school.admin.call('setStatus', { id: rizky.me.id, status: 'rejected', reason: 'Which class are you in?' })
		await expect(page.getByText('Which class are you in?')).toBeVisible()
		await expectFine(page, `rejected`)
		await school.admin.call('setStatus', { id: rizky.me.id, status: 'deactivated' })
		await expect(page.getByRole('heading', { name: 'Your account is deactivated' })).toBeVisible()
		await expect(button(page, 'Correct my details')).toHaveCount(0)
		await expectFine(page, `deactivated`)
	})

	test(`[W73] a picture is cropped in the browser, shown everywhere, taken away and put back, by ${where}`, async ({ school, enter }) => {
		const { budi, citra, discussion, path } = await openClass(school)
		await school.say(budi, discussion, 'With my face')
		const hers = await enter(school, citra, { path })
		const shown = hers.locator('article img[src*="/api/files/"]')
		await expect(hers.locator('article')).toHaveCount(1)
		await expect(shown).toHaveCount(0)
		const page = await enter(school, budi, { path: '/account', phone })
		const wide = await sharp({ create: { width: 1200, height: 700, channels: 3, background: '#a0455b' } })
			.withExif({ IFD0: { Copyright: 'Where I live' } })
			.jpeg()
			.toBuffer()
		const pick = async (name: string, buffer: Buffer) => {
			const chooser = page.waitForEvent('filechooser')
			await button(page, 'My picture: change it').click()
			await page.getByRole('menuitem', { name: 'Choose a picture' }).click()
			await (await chooser).setFiles({ name, mimeType: 'image/jpeg', buffer })
		}
		// What is no picture says so.
		await pick('me.jpg', Buffer.from('<html>'))
		await expect(page.getByText('This picture can’t be read')).toBeVisible()
		await button(page, 'Cancel').click()
		await pick('me.jpg', wide)
		const dialog = page.getByRole('dialog')
		const zoom = dialog.getByRole('slider', { name: 'Zoom' })
		await expect(button(page, 'Use this picture')).toBeEnabled()
		await zoom.focus()
		for (let n = 0; n < 8; n++) await page.keyboard.press('ArrowRight')
		await expect(zoom).toHaveValue('1.4')
		const image = dialog.locator('img').first()
		const before = await image.evaluate((element) => element.style.transform)
		await tabTo(page, dialog.locator('[data-testid=cropper]'), 'Shift+Tab')
		await page.keyboard.press('ArrowRight')
		await page.keyboard.press('ArrowRight')
		await expect.poll(() => image.evaluate((element) => element.style.transform)).not.toBe(before)
		await expectFine(page, `crop`)
		await button(page, 'Use this picture').click()
		await expect(page.getByText('Your new picture is there.')).toBeVisible()
		await expect(shown).toBeVisible()
		const stored = async () => (await budi.call('me', {})).me.avatar
		const avatar = await stored()
		const answer = await fetch(`${school.url}/api/files/${avatar}`, { headers: { cookie: `session=${citra.token}` } })
		const bytes = Buffer.from(await answer.arrayBuffer())
		const { width, height, format, exif } = await sharp(bytes).metadata()
		expect({ width, height, format, exif }).toEqual({ width: 512, height: 512, format: 'webp', exif: undefined })

		await closeNotices(page)
		await button(page, 'My picture: change it').click()
		await page.getByRole('menuitem', { name: 'Remove my picture' }).click()
		await expect(page.getByText('Your picture is removed.')).toBeVisible()
		await expect(shown).toHaveCount(0)
		await button(page, 'Undo').last().click()
		await expect(shown).toBeVisible()
		expect(await stored()).toBe(avatar)
	})

	test(`[W74] my account: details with undo, password, sessions, language and theme, by ${where}`, async ({ school, enter }) => {
		const { siti, budi } = await openClass(school)
		const page = await enter(school, budi, { path: '/account', phone })
		const name = `Budi ${where} Santoso`
		await expect(button(page, 'Save')).toBeDisabled()
		await field(page, 'Name').fill('')
		await button(page, 'Save').click()
		await expect(page.getByText('Please fill this in.')).toBeVisible()
		await field(page, 'Name').fill(name)
		await page.getByRole('combobox', { name: 'My lecturers' }).fill('siti rahma')
		const option = page.getByRole('option').first()
		await expect(option).toHaveText(siti.me.name)
		await option.click()
		await page.getByRole('button', { name: 'Remove Dr. Siti Rahmawati' }).focus()
		await button(page, 'Save').click()
		await expect(page.getByText('Your details are saved.')).toBeVisible()
		const me = async () => (await budi.call('me', {})).me
		expect(await me()).toMatchObject({ name })
		expect((await me()).lecturers).toHaveLength(1)
		await button(page, 'Undo').click()
		await expect(field(page, 'Name')).toHaveValue('Budi Santoso')
		expect(await me()).toMatchObject({ name: 'Budi Santoso', lecturers: [] })

		const others = [await school.signIn(budi.email), await school.signIn(budi.email), await school.signIn(budi.email)]
		const refusal = (who: (typeof others)[number]) => who.call('me', {}).then(String, String)
		await page.reload()
		const sessions = page.getByRole('button', { name: /^End the session on/ })
		await expect(sessions).toHaveCount(3)
		await sessions.first().click()
		await expect(sessions).toHaveCount(2)
		await expectFine(page, `account`)
		await button(page, 'End all others').click()
		await expect(page.getByText('2 other sessions were ended.')).toBeVisible()
		await expect(sessions).toHaveCount(0)
		for (const other of others) expect(await refusal(other)).toContain('401')

		const last = await school.signIn(budi.email)
		await field(page, 'Present password').fill('not this one')
		await field(page, 'New password').fill('short')
		await button(page, 'Change the password').click()
		await expect(page.getByText('Please use at least 8 characters.')).toBeVisible()
		await field(page, 'New password').fill('tiga ekor kucing')
		await button(page, 'Change the password').click()
		await expect(page.getByText('This is not your present password.')).toBeVisible()
		await expect(field(page, 'Present password')).toBeFocused()
		await field(page, 'Present password').fill(password)
		await button(page, 'Change the password').click()
		await expect(page.getByText('Your password is changed.')).toBeVisible()
		await expect(field(page, 'New password')).toHaveValue('')
		expect(await refusal(last)).toContain('401')
		expect(await school.call('signIn', { email: budi.email, password }).then(String, String)).toContain('401')

		await page.getByText('Dark', { exact: true }).click()
		await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')
		await page.getByText('Bahasa Indonesia', { exact: true }).click()
		await expect(page.getByRole('heading', { name: 'Akun dan perangkat' })).toBeVisible()
		await page.getByRole('main').getByRole('button', { name: 'Keluar', exact: true }).click()
		await expect(page.getByRole('heading', { name: 'Masuk' })).toBeVisible()
	})

	test(`[W77] an admin makes a sign-in link, copies it where there is no clipboard, and it works once, by ${where}`, async ({
		school,
		enter,
	}) => {
		const { budi, siti } = await openClass(school)
		const page = await enter(school, school.admin, { path: '/people', phone, host: 'chat.school.test' })
		await button(page, /^Approved/).click()
		await field(page, 'Search by name, e-mail or number').fill(budi.email)
		await page.getByRole('region', { name: 'Approved' }).getByRole('link', { name: 'Budi Santoso' }).click()
		const panel = page.getByRole('dialog', { name: 'Person' })
		await expect(panel.getByText(budi.email)).toBeVisible()
		await button(page, 'Make a sign-in link').click()
		const link = field(page, 'Sign-in link')
		await expect(link).toHaveValue(/^http:\/\/chat\.school\.test:\d+\/help#[\w-]+$/)
		await expect(panel.getByText('It works once, within 24 hours')).toBeVisible()
		expect(await page.evaluate(() => typeof navigator.clipboard)).toBe('undefined')
		await button(page, 'Copy').click()
		await expect(panel.getByText(/Copied|Ctrl\+C/)).toBeVisible()
		expect(await page.evaluate(() => getSelection()?.toString() || (document.activeElement as HTMLInputElement).value)).toContain('/help#')
		await expectFine(page, `person`)
		await page.keyboard.press('Escape')
		await expect(panel).toHaveCount(0)
		await expect(page).toHaveURL(/people$/)

		const path = await createPath(school.admin, budi.me.id)
		const stranger = await enter(school, null, { path: '/sign-in', phone })
		await stranger.getByRole('link', { name: 'Forgotten your password?' }).click()
		await expect(stranger.getByText('Ask your admin or lecturer for a sign-in link.')).toBeVisible()
		await expectFine(stranger, `forgotten`)
		await stranger.goto(`${school.url}${path}`)
		await field(stranger, 'New password').fill('tiga ekor kucing')
		await stranger.getByRole('button', { name: 'Show the password' }).click()
		await expect(field(stranger, 'New password')).toHaveAttribute('type', 'text')
		await expectFine(stranger, `help link`)
		await button(stranger, 'Save and sign in').click()
		await expect(stranger.getByText('Your new password is saved')).toBeVisible()
		await expect(stranger.getByRole('link', { name: /Should phones/ })).toBeVisible()
		expect((await school.call('signIn', { email: budi.email, password: 'tiga ekor kucing' })).me.id).toBe(budi.me.id)

		// Once; and where somebody is signed in it says whose place is taken.
		const taken = await enter(school, siti, { path, phone })
		await expect(taken.getByText('Dr. Siti Rahmawati is signed in on this device.')).toBeVisible()
		await field(taken, 'New password').fill('another sentence')
		await button(taken, 'Save and sign in').click()
		await expect(taken.getByText('This link was used already')).toBeVisible()
		await taken.goto(`${school.url}/help`)
		await expect(taken.getByText('This link is not complete')).toBeVisible()
	})
}

/** The address of a new sign-in link, as the admin's screen makes it. */
async function createPath(admin: Someone, id: string): Promise<string> {
	return `/help#${(await admin.call('createHelpLink', { id })).token}`
}

test('[W79] ? opens the sheet of shortcuts, not in a field, and Escape closes it; it is in the menu too', { tag: '@looks' }, async ({
	school,
	enter,
}) => {
	const { budi } = await openClass(school)
	const page = await enter(school, budi, { path: '/account' })
	await field(page, 'Name').press('?')
	const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
	await expect(field(page, 'Name')).toHaveValue(/\?/)
	await expect(sheet).toHaveCount(0)
	await page.getByRole('heading', { name: 'Account and devices' }).click()
	await page.keyboard.press('?')
	await expect(sheet.getByText('Send', { exact: true })).toBeVisible()
	await expectFine(page, 'shortcuts')
	await page.keyboard.press('Escape')
	await expect(sheet).toHaveCount(0)
	await page.getByRole('button', { name: /Budi Santoso/ }).click()
	await page.getByRole('menuitem', { name: 'Keyboard shortcuts' }).click()
	await expect(sheet).toBeVisible()
	const admin = await enter(school, school.admin, { path: '/groups' })
	await expect(admin.getByRole('heading', { name: 'Groups' })).toBeVisible()
	await admin.keyboard.press('?')
	await expect(admin.getByText('Select all from the last one to here')).toBeVisible()
})

test('[W70] in Indonesian too: registering, waiting, people, an account', { tag: '@looks' }, async ({ enter }) => {
	const school = await openSchool()
	try {
		const siti = await school.join('lecturer', 'Dr. Siti Rahmawati')
		const page = await enter(school, null, { path: '/register', language: 'id-ID', phone: true })
		await field(page, 'Nama').fill('Bambang Sutrisno')
		await field(page, 'NIM').fill('2311009')
		await page.getByRole('combobox', { name: 'Dosen saya' }).fill('siti')
		await page.getByRole('option').first().click()
		await field(page, 'Surel').fill('bambang@school.test')
		await field(page, 'Kata sandi').fill(password)
		await expectFine(page, 'register')
		await button(page, 'Daftar').click()
		await expect(page.getByRole('heading', { name: 'Menunggu persetujuan' })).toBeVisible()
		await expectFine(page, 'waiting')
		const admin = await enter(school, school.admin, { path: '/people', language: 'id-ID' })
		await page.goto(`${school.url}/`)
		await admin.getByRole('region', { name: 'Menunggu' }).getByRole('link', { name: 'Bambang Sutrisno' }).click()
		await expect(admin.getByRole('dialog').getByText(siti.me.name)).toBeVisible()
		await expectFine(admin, 'person')
		await admin.getByRole('dialog').getByRole('button', { name: 'Setujui' }).click()
		await expect(admin.getByText('Bambang Sutrisno sudah disetujui.')).toBeVisible()
		await page.goto(`${school.url}/account`)
		await expect(page.getByRole('heading', { name: 'Akun dan perangkat' })).toBeVisible()
		await expectFine(page, 'account')
	} finally {
		await school.close()
	}
})
