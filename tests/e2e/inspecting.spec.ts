/**
 * An admin looks into a discussion: she says why, reads, writes nothing, and its lecturer sees that she did.
 */
import { expectAccessible } from './accessible.ts'
import { expect, letter, test } from './fixtures.ts'

for (const phone of [false, true]) {
	test(`[W57] an admin says why she looks, reads, and the lecturer sees it (${phone ? 'phone' : 'desktop'})`, async ({ school, enter }) => {
		const siti = await school.join('lecturer', `Siti ${phone}`)
		const budi = await school.join('student', `Budi ${phone}`)
		const group = await school.group(`Looked at ${phone}`, siti, budi)
		const title = `Phones ${phone}`
		const discussion = await school.discussion(siti, title, 'Give one reason.', [group])
		await school.say(budi, discussion, 'My phone is my dictionary.')

		const page = await enter(school, school.admin, { path: '/discussions', phone })
		await page.getByRole('searchbox', { name: 'Search titles' }).fill(title)
		await expectAccessible(page, 'discussions')
		await page.getByRole('button', { name: `Read “${title}”` }).click()
		await page.getByRole('button', { name: 'Read it' }).click()
		await expect(page.getByText('Please fill this in.')).toBeVisible()
		await page.getByRole('textbox', { name: 'Reason' }).fill('A parent complained')
		await page.getByRole('button', { name: 'Read it' }).click()
		await expect(letter(page, 'My phone is my dictionary.')).toBeVisible()
		await expect(page.getByText('You read this as an admin')).toBeVisible()
		await expect(page.getByRole('textbox', { name: 'Your message' })).toHaveCount(0)

		const hers = await enter(school, siti, { path: `/d/${discussion.id}`, phone })
		if (phone) await hers.getByRole('button', { name: 'About this discussion' }).click()
		await expect(hers.getByText('A parent complained')).toBeVisible()
		const his = await enter(school, budi, { path: `/d/${discussion.id}` })
		await expect(letter(his, 'My phone is my dictionary.')).toBeVisible()
		await expect(his.getByText('A parent complained')).toHaveCount(0)
	})
}
