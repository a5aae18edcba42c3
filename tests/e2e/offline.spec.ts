/**
 * The app without a network: it opens from the device, and what was written there waits in sight.
 */
import type { Page } from '@playwright/test'
import { composer, expect, expectKept, expectStored, expectWaiting, test } from './fixtures.ts'

/** On a phone Enter begins a new line. */
async function send(page: Page, text: string) {
	await composer(page).fill(text)
	await page.getByRole('button', { name: 'Send', exact: true }).click()
}

for (const phone of [false, true]) {
	test(`[W56] the app opens from the device without a network, and goes on when it is back (${phone ? 'phone' : 'desktop'})`, async ({
		school,
		enter,
	}) => {
		const lecturer = await school.join('lecturer', `Lina ${phone}`)
		const group = await school.group(`Offline ${phone}`, lecturer)
		const discussion = await school.discussion(lecturer, 'Without a network', '', [group])
		const page = await enter(school, lecturer, { path: `/d/${discussion.id}`, phone })
		await send(page, 'Before the network went')
		await expectStored(page, 'Before the network went')
		await expectKept(page)

		await page.context().setOffline(true)
		await send(page, 'A thought without a network')
		await expectWaiting(page, 'A thought without a network')
		await page.reload()
		await expect(
			page
				.getByRole('link', { name: 'English Chat' })
				.or(page.getByRole('link', { name: 'Back', exact: true }))
				.first(),
		).toBeVisible()
		await page.context().setOffline(false)
		await expectStored(page, 'A thought without a network')
	})
}

test('[W56] the second load takes none of the app from the network', async ({ school, enter }) => {
	const page = await enter(school, null)
	await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
	await expectKept(page)
	await page.reload()
	await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
	const fetched = await page.evaluate(() =>
		(performance.getEntriesByType('resource') as PerformanceResourceTiming[])
			.filter(({ name, transferSize }) => /\/assets\/.*\.(js|css)$/.test(name) && transferSize > 0)
			.map(({ name }) => name),
	)
	expect(fetched).toEqual([])
})
