/**
 * Backups and restores as the people in a discussion see them: the second tick, and what they wrote since coming back.
 *
 * The operator's commands are those of her command line; each test has a school of its own.
 */
import type { Page } from '@playwright/test'
import { expect, expectStored, letter, openClass, storedTexts, test, write } from './fixtures.ts'
import { openSchool, password, type School, type Someone } from './school.ts'

async function inOwnSchool(work: (school: School) => Promise<void>): Promise<void> {
	const school = await openSchool()
	try {
		await work(school)
	} finally {
		await school.close()
	}
}

async function restore(school: School, ...options: string[]): Promise<void> {
	await school.stop()
	await school.operate('restore', 'latest', '--yes', ...options)
	await school.start()
}

/** A restore ends all sessions. */
async function signInAgain(page: Page, who: Someone): Promise<void> {
	await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible({ timeout: 30_000 })
	await page.getByLabel('E-mail').fill(who.email)
	await page.getByLabel('Password', { exact: true }).fill(password)
	await page.getByRole('button', { name: 'Sign in' }).click()
	await expect(page.getByRole('heading', { name: 'Sign in' })).toBeHidden()
}

test('[W110] what is in a proven backup gets its second tick, on a page that is open', async ({ enter }) => {
	await inOwnSchool(async (school) => {
		const { budi, path } = await openClass(school)
		const page = await enter(school, budi, { path })
		await write(page, 'To be kept')
		await expectStored(page, 'To be kept')
		await school.operate('backup')
		await expect(letter(page, 'To be kept').locator('[data-safety=kept]')).toBeVisible()
		await write(page, 'Said later')
		await expectStored(page, 'Said later')
		await page.reload()
		await expect(letter(page, 'To be kept').locator('[data-safety=kept]')).toBeVisible()
		await expectStored(page, 'Said later')
	})
})

test('[W111] after a restore what was written since comes back from the browsers of those who wrote it, once they signed in', async ({
	enter,
}) => {
	await inOwnSchool(async (school) => {
		const { budi, citra, discussion, path } = await openClass(school)
		const his = await enter(school, budi, { path })
		const hers = await enter(school, citra, { path })
		await write(his, 'In the backup')
		await expectStored(his, 'In the backup')
		await school.operate('backup')
		await write(his, 'His since then')
		await write(hers, 'Hers since then')
		await expectStored(his, 'His since then')
		await expectStored(hers, 'Hers since then')
		await restore(school)
		expect(await storedTexts(await school.signIn(budi.email), discussion)).toEqual(['In the backup'])
		await signInAgain(his, budi)
		await expectStored(his, 'His since then')
		await signInAgain(hers, citra)
		await expectStored(hers, 'Hers since then')
		await expect(letter(his, 'Hers since then')).toHaveCount(1)
		const again = await storedTexts(await school.signIn(citra.email), discussion)
		expect(again.toSorted()).toEqual(['Hers since then', 'His since then', 'In the backup'])
	})
})

test('[W112] where the operator refused it, what was written since is not taken again, and its writer keeps the text', async ({
	enter,
}) => {
	await inOwnSchool(async (school) => {
		const { budi, discussion, path } = await openClass(school)
		const page = await enter(school, budi, { path })
		await write(page, 'In the backup')
		await expectStored(page, 'In the backup')
		await school.operate('backup')
		await write(page, 'Not to come back')
		await expectStored(page, 'Not to come back')
		await restore(school, '--no-returns')
		await signInAgain(page, budi)
		const refused = letter(page, 'Not to come back')
		await expect(refused.locator('[data-safety=refused]')).toBeVisible()
		await expect(refused.getByText('The school went back to an earlier state')).toBeVisible()
		await expect(letter(page, 'In the backup')).toHaveCount(1)
		expect(await storedTexts(await school.signIn(budi.email), discussion)).toEqual(['In the backup'])
	})
})
