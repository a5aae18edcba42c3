/**
 * The admin's page of backups in a real browser: what it shows, making and proving one, taking one along.
 */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fillBackups } from './backup-scenes.ts'
import { expect, openClass, test } from './fixtures.ts'
import { button, expectFine, field, tabTo } from './looking.ts'
import { openSchool, password, type School } from './school.ts'

async function inOwnSchool(env: Record<string, string>, work: (school: School) => Promise<void>): Promise<void> {
	const school = await openSchool({ env })
	try {
		await work(school)
	} finally {
		await school.close()
	}
}

/** A class that talked, and what the operator has of it. */
async function fillFolder(school: School): Promise<void> {
	const { siti, budi, discussion } = await openClass(school)
	await school.say(siti, discussion, 'Phones distract.')
	await school.say(budi, discussion, 'Mine is a dictionary.')
	await fillBackups(school)
}

for (const phone of [false, true]) {
	const where = phone ? 'phone' : 'desktop'

	test(`[W105] where there is no backup the page says what happens by itself, by ${where} @looks`, async ({ enter }) => {
		await inOwnSchool({ BACKUP_SCHEDULE: '30 2 * * *' }, async (school) => {
			const page = await enter(school, school.admin, { phone })
			await page.getByRole('link', { name: 'Backups' }).click()
			await expect(page.getByText('No backup yet')).toBeVisible()
			await expect(page.getByText(/^The next one is made and proven by itself: /)).toBeVisible()
			await expectFine(page, 'no backups')
		})
	})

	test(`[W105] backups are shown with what they hold and how far they can be trusted, by ${where}`, async ({ enter }) => {
		await inOwnSchool({}, async (school) => {
			await fillFolder(school)
			const page = await enter(school, school.admin, { path: '/backups', phone })
			const rows = page.getByRole('list', { name: 'Backups' }).getByRole('listitem')
			await expect(rows).toHaveCount(2)
			await expect(rows.first()).toContainText('4 people · 1 discussion · 2 messages · 0 files')
			await expect(rows.first().getByText('Verified')).toBeVisible()
			await expect(rows.first().getByText('Proven')).toBeVisible()
			await expect(rows.last().getByText('Damaged')).toBeVisible()
			await expect(rows.last().getByRole('button', { name: /^Download/ })).toHaveCount(0)
			await expect(page.getByText(/^Everything up to .* is in a proven backup\.$/)).toBeVisible()
			await expect(page.getByText('Lacks the files, the settings')).toBeVisible()
			await expect(page.getByText('copied by hand')).toBeVisible()
			await expectFine(page, 'backups')
			const indonesian = await enter(school, school.admin, { path: '/backups', phone, language: 'id-ID' })
			await expect(indonesian.getByText('Teruji', { exact: true })).toBeVisible()
			await expectFine(indonesian, 'backups')
		})
	})

	test(`[W106] an admin makes a backup and proves it, and sees how far it is, by ${where}`, async ({ enter }) => {
		await inOwnSchool({ BACKUP_DRILL: 'off' }, async (school) => {
			const page = await enter(school, school.admin, { path: '/backups', phone })
			await expect(page.getByText('None is made by itself: the schedule is off.')).toBeVisible()
			await button(page, 'Back up now').click()
			await expect(page.getByRole('progressbar')).toBeVisible()
			await expect(button(page, 'Back up now')).toBeDisabled()
			await expectFine(page, 'backup running')
			await expect(page.getByText('The backup is made.')).toBeVisible()
			await expect(page.getByText('Not proven yet')).toBeVisible()
			await button(page, /^Prove the backup of/).click()
			await expect(page.getByText('The proof is done.')).toBeVisible()
			await expect(page.getByText('Proven', { exact: true })).toBeVisible()
			// Another admin's begins where this page does not know of it yet.
			await school.admin.call('startBackup', {})
			await button(page, 'Back up now').click()
			await expect(page.getByText('A backup or a proof is being made already. Wait until it has ended.')).toBeVisible()
		})
	})

	test(`[W107] a backup is downloaded with the password again, by ${where}`, async ({ enter }) => {
		await inOwnSchool({}, async (school) => {
			await school.operate('backup')
			const page = await enter(school, school.admin, { path: '/backups', phone })
			if (phone) await button(page, /^Download the backup of/).click()
			else {
				await tabTo(page, button(page, /^Download the backup of/))
				await page.keyboard.press('Enter')
			}
			await expect(field(page, 'Your password')).toBeFocused()
			await expectFine(page, 'backup password')
			await page.keyboard.type('a guess')
			await page.keyboard.press('Enter')
			await expect(page.getByText('This is not your password.')).toBeVisible()
			await field(page, 'Your password').fill(password)
			const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
			expect(download.suggestedFilename()).toMatch(/^english-chat-\d{8}_\d{6}\.tar$/)
			const bytes = await readFile(await download.path())
			expect(bytes.includes('manifest.json')).toBe(true)
			await expect(page.getByRole('dialog')).toBeHidden()
		})
	})
}

test('[W108] what is wrong stands on top with the next step', async ({ enter }) => {
	await inOwnSchool({}, async (school) => {
		await school.operate('backup')
		const page = await enter(school, school.admin, { path: '/backups' })
		await expect(page.getByText('Verified', { exact: true })).toBeVisible()
		for (const name of await readdir(school.backups)) await rm(join(school.backups, name), { recursive: true })
		const phone = await enter(school, school.admin, { path: '/backups', phone: true, language: 'id-ID' })
		await expect(phone.getByRole('alert')).toContainText('hilang')
		await expectFine(phone, 'backups vanished')
		await page.reload()
		await expect(page.getByRole('alert')).toContainText('Backups that were there are gone (1).')
		await expect(page.getByRole('alert')).toContainText('./backup.sh')
		await expectFine(page, 'backups vanished')
	})
})

test('[W109] the commands of a restore stand beside a backup, and are copied', async ({ enter }) => {
	await inOwnSchool({}, async (school) => {
		await school.operate('backup')
		const [name] = (await readdir(school.backups)).filter((entry) => /^\d{8}_\d{6}/.test(entry))
		for (const phone of [true, false]) {
			const page = await enter(school, school.admin, { path: '/backups', phone })
			await button(page, /^How to restore the backup of/).click()
			await expect(page.locator('code')).toHaveText([`./restore.sh ${name} --dry-run`, `./restore.sh ${name}`])
			await expectFine(page, 'how to restore')
			await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
			await button(page, `Copy ./restore.sh ${name}`).click()
			await expect(page.getByText('Copied.')).toBeVisible()
			expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`./restore.sh ${name}`)
		}
	})
})
