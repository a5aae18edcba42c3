/**
 * People talk, and what they wrote survives: on localhost, and on a plain-http name of the school's
 * network, where a browser has no secure context.
 */
import { isInReach } from './accessible.ts'
import {
	composer,
	expect,
	expectStored,
	expectWaiting,
	intercept,
	letter,
	letters,
	openClass,
	schoolName,
	storedTexts,
	test,
	write,
} from './fixtures.ts'
import { openSchool } from './school.ts'

for (const host of ['localhost', schoolName]) {
	test.describe(`on ${host}`, () => {
		test(`[W31] two people talk, and each reads the other at once (${host})`, async ({ school, enter }) => {
			const { budi, citra, path } = await openClass(school)
			const hers = await enter(school, citra, { path, host })
			const his = await enter(school, budi, { path, host })
			await expect(his.getByRole('heading', { name: 'Should phones stay in the bag?' })).toBeVisible()
			expect(await his.evaluate(() => isSecureContext)).toBe(host === 'localhost')
			await write(hers, 'I think phones should stay in the bag.')
			await expectStored(hers, 'I think phones')
			await expect(letter(his, 'I think phones')).toBeVisible()
			await composer(his).pressSequentially('But a dictionary')
			await expect(hers.getByText('Budi Santoso is writing…')).toBeVisible()
			await composer(his).press('Enter')
			await expect(letter(hers, 'But a dictionary')).toBeVisible()

			// A reply, an edit, a removal and back: each on both screens.
			await letter(his, 'I think phones').hover()
			await letter(his, 'I think phones').getByRole('button', { name: 'Reply' }).click()
			await write(his, 'Why?')
			await expect(letter(hers, 'Why?').getByRole('button', { name: /Answers You: I think phones/ })).toBeVisible()
			await composer(hers).press('ArrowUp')
			await expect(composer(hers)).toBeHidden()
			await hers.getByRole('textbox', { name: 'Editing your message' }).fill('I think phones may stay on the table.')
			await hers.keyboard.press('Enter')
			await expect(letter(his, 'I think phones may stay on the table.').getByText('edited')).toBeVisible()
			await letter(his, 'But a dictionary').hover()
			await letter(his, 'But a dictionary').getByRole('button', { name: 'Remove' }).click()
			await expect(letter(hers, 'removed by its writer')).toBeVisible()
			await expect(his.getByRole('button', { name: 'Undo' })).toBeVisible()
			expect(await isInReach(his.getByRole('button', { name: 'Send', exact: true })), 'the notice lets go on writing').toBe(true)
			await his.getByRole('button', { name: 'Undo' }).click()
			await expect(letter(hers, 'But a dictionary')).toBeVisible()
			expect(await storedTexts(citra, { id: path.slice(3) })).toEqual(['I think phones may stay on the table.', 'But a dictionary', 'Why?'])
		})

		test(`[W32] what is written without a network waits on this device, and is sent once, in order, when it is back (${host})`, async ({
			school,
			enter,
		}) => {
			const { budi, citra, discussion, path } = await openClass(school)
			const his = await enter(school, budi, { path, host })
			const hers = await enter(school, citra, { path, host })
			await write(his, 'Before')
			await expectStored(his, 'Before')
			await his.context().setOffline(true)
			for (const text of ['Offline one', 'Offline two', 'Offline three']) await write(his, text)
			await expectWaiting(his, 'Offline two')
			await expect(his.getByText('3 on this device')).toBeVisible()
			await expect(his.getByText('Offline: what you write is kept on this device.')).toBeVisible()
			await his.context().setOffline(false)
			await expectStored(his, 'Offline three')
			await expect(letters(hers)).toHaveText([/Before/, /Offline one/, /Offline two/, /Offline three/])
			await expect(his.getByText('All stored')).toBeVisible()
			expect(await storedTexts(budi, discussion)).toEqual(['Before', 'Offline one', 'Offline two', 'Offline three'])
		})

		test(`[W34] a message that waits survives a reload, and is sent then (${host})`, async ({ school, enter }) => {
			const { budi, discussion, path } = await openClass(school)
			const page = await enter(school, budi, { path, host })
			await expect(composer(page)).toBeEditable()
			await intercept(page, '**/api/messages', (route) => route.abort())
			await write(page, 'I was on the train.')
			await expectWaiting(page, 'I was on the train.')
			await page.reload()
			await expectWaiting(page, 'I was on the train.')
			await page.unroute('**/api/messages')
			await expectStored(page, 'I was on the train.')
			expect(await storedTexts(budi, discussion)).toEqual(['I was on the train.'])
		})

		test(`[W35] typed text survives a reload, an edit in between too (${host})`, async ({ school, enter }) => {
			const { budi, discussion, path } = await openClass(school)
			await school.say(budi, discussion, 'I has a phone.')
			const page = await enter(school, budi, { path, host })
			await composer(page).fill('I agree with Łukasz, but')
			await expect(page.getByText('Draft saved · 5 words')).toBeVisible()
			await page.reload()
			await expect(composer(page)).toHaveValue('I agree with Łukasz, but')
			await letter(page, 'I has a phone.').hover()
			await letter(page, 'I has a phone.').getByRole('button', { name: 'Edit' }).click()
			const editing = page.getByRole('textbox', { name: 'Editing your message' })
			await editing.fill('I have a phone')
			await expect(page.getByText('Draft saved · 4 words')).toBeVisible()
			await page.reload()
			await expect(editing).toHaveValue('I have a phone')
			await editing.press('Enter')
			await expect(letter(page, 'I have a phone')).toBeVisible()
			await expect(composer(page)).toHaveValue('I agree with Łukasz, but')
		})

		test(`[W40] two tabs of one person send each message once (${host})`, async ({ school, enter }) => {
			const { budi, discussion, path } = await openClass(school)
			const one = await enter(school, budi, { path, host })
			const two = await one.context().newPage()
			await two.goto(one.url())
			await expect(composer(two)).toBeEditable()
			await one.context().setOffline(true)
			await write(one, 'From the first tab')
			await write(two, 'From the second tab')
			await expectWaiting(one, 'From the first tab')
			await one.context().setOffline(false)
			for (const page of [one, two]) {
				await expectStored(page, 'From the first tab')
				await expectStored(page, 'From the second tab')
			}
			expect((await storedTexts(budi, discussion)).toSorted()).toEqual(['From the first tab', 'From the second tab'])
		})
	})
}

test('[W33] when the server is killed while two people write, every message appears on both screens without a reload', async ({
	enter,
}) => {
	const school = await openSchool()
	try {
		const { budi, citra, discussion, path } = await openClass(school)
		const his = await enter(school, budi, { path })
		const hers = await enter(school, citra, { path })
		await write(his, 'His 1')
		await write(hers, 'Hers 1')
		await expectStored(his, 'His 1')
		await expect(letter(his, 'Hers 1')).toBeVisible()
		const killing = school.kill()
		for (const n of [2, 3, 4]) {
			await write(his, `His ${n}`)
			await write(hers, `Hers ${n}`)
		}
		await killing
		await expect(hers.getByText('Offline: what you write is kept on this device.')).toBeVisible()
		await school.start()
		for (const n of [1, 2, 3, 4]) {
			await expectStored(his, `His ${n}`)
			await expectStored(hers, `Hers ${n}`)
			await expect(letter(his, `Hers ${n}`)).toHaveCount(1)
			await expect(letter(hers, `His ${n}`)).toHaveCount(1)
		}
		expect(await storedTexts(budi, discussion)).toHaveLength(8)
		const order = await letters(his).allInnerTexts()
		const words = (texts: string[]) => texts.map((text) => /(His|Hers) \d/.exec(text)?.[0])
		expect(words(order)).toEqual(words((await storedTexts(budi, discussion)) as string[]))
		expect(words(await letters(hers).allInnerTexts())).toEqual(words(order))
	} finally {
		await school.close()
	}
})

test('[W39] a refused message says why, lets later ones through, and can be sent again or taken back', async ({ school, enter }) => {
	const { siti, budi, group, discussion, path } = await openClass(school)
	const other = await school.discussion(siti, 'A place to show', 'Where?', [group])
	const page = await enter(school, budi, { path })
	await expect(composer(page)).toBeEditable()
	await page.context().setOffline(true)
	await write(page, 'Too late one')
	await write(page, 'Too late two')
	await page.getByRole('link', { name: /A place to show/ }).click()
	await expect(page.getByRole('heading', { name: 'A place to show' })).toBeVisible()
	await write(page, 'The market')
	await siti.call('editDiscussion', { id: discussion.id, status: 'closed' })
	await page.context().setOffline(false)
	await expectStored(page, 'The market')
	await expect(page.getByText('2 not accepted')).toBeVisible()
	await page.getByRole('link', { name: /Should phones/ }).click()
	await expect(letter(page, 'Too late one').getByText('The discussion was closed meanwhile.')).toBeVisible()
	await siti.call('editDiscussion', { id: discussion.id, status: 'open' })
	await expect(composer(page)).toBeVisible()
	await letter(page, 'Too late one').getByRole('button', { name: 'Send again' }).click()
	await expectStored(page, 'Too late one')
	await letter(page, 'Too late two').getByRole('button', { name: 'Take back' }).click()
	await expect(letter(page, 'Too late two')).toHaveCount(0)
	await expect(composer(page)).toHaveValue('Too late two')
	await expect(page.getByText('All stored')).toBeVisible()
	expect(await storedTexts(budi, discussion)).toEqual(['Too late one'])
	expect(await storedTexts(budi, other)).toEqual(['The market'])
})
