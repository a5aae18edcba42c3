/**
 * The classroom: the overview of discussions, starting and changing one, groups and categories, on phone
 * and desktop; and that what one lecturer changes shows on everybody's open screen.
 */
import type { Page } from '@playwright/test'
import { closeNotices, expect, openClass, test } from './fixtures.ts'
import { newId, type School, type Someone } from './school.ts'
import { headings, openTerm, sizes, topic, topics, visit } from './term.ts'

const notice = (page: Page, text: string | RegExp) => page.getByRole('region', { name: 'Notices' }).getByText(text)
const undo = (page: Page) => page.getByRole('button', { name: 'Undo' }).last().click()

/** Goes to the start, where a phone shows the overview; a desk shows it beside every page. */
async function toOverview(page: Page, phone: boolean) {
	if (phone) await visit(page, '/')
}

for (const [size, phone] of sizes) {
	test(`[W84] the overview shows discussions by category, who wrote last and what is new, ${size}`, async ({ school, enter }) => {
		const { budi, citra, words, phones, speaking, reading } = await openTerm(school)
		await school.say(citra, words, 'nevertheless')
		const page = await enter(school, budi, { phone })
		await expect(headings(page)).toHaveText([reading.name, speaking.name])
		await expect(topics(page)).toHaveCount(2)
		await expect(topic(page, 'Words we did')).toContainText('Citra: nevertheless')
		await expect(topic(page, 'Words we did')).toContainText('1 new message')
		await expect(topic(page, 'Should phones')).not.toContainText('new message')
		await school.say(citra, phones, 'One')
		await school.say(citra, phones, 'Two')
		await expect(topic(page, 'Should phones')).toContainText('2 new messages')
		await expect(topic(page, 'Should phones')).toContainText('Citra: Two')

		// Folded, the section still says how much is new; the device remembers it.
		await page.getByRole('button', { name: speaking.name }).click()
		await expect(topic(page, 'Should phones')).toHaveCount(0)
		await expect(headings(page).nth(1)).toContainText('2 new messages')
		await page.reload()
		await expect(topic(page, 'Words we did')).toBeVisible()
		await expect(topic(page, 'Should phones')).toHaveCount(0)
		await page.getByRole('button', { name: speaking.name }).click()
		await topic(page, 'Should phones').click()
		await expect(page.getByRole('heading', { name: phones.title })).toBeVisible()
	})

	test(`[W85] a discussion is started with a new category, tags and a colleague, and changed by both, ${size}`, async ({
		school,
		enter,
	}) => {
		const { siti, budi, a } = await openTerm(school)
		const hendra = await school.join('lecturer', `Hendra Gunawan ${newId().slice(-5)}`)
		const old = (await siti.call('createGroup', { id: newId(), name: 'English of last year' })).group
		await siti.call('editGroup', { id: old.id, status: 'archived' })
		const name = `Debate ${newId().slice(-6)}`
		const student = await enter(school, budi, { phone })
		const page = await enter(school, siti, { path: '/new', phone })
		await expect(page.getByLabel('English of last year')).toHaveCount(0)
		await page.getByLabel('Title').fill('Glued to our phones')
		await page.getByLabel('Opening prompt').fill('Find a synonym.')
		await page.getByLabel('English A').check()
		await page.getByLabel('Category', { exact: true }).selectOption('New category…')
		await page.getByLabel('Name of the category').fill(name)
		await page.getByLabel('Name of the category').press('Enter')
		await expect(page.getByLabel('Category', { exact: true }).locator('option:checked')).toHaveText(name)
		await page.getByLabel('Tags').first().fill('opinion, week 3')
		await page.getByLabel('Tags').first().press('Enter')
		await expect(page.getByRole('button', { name: 'Remove the tag week 3' })).toBeVisible()
		await page.getByRole('button', { name: 'Remove the tag opinion' }).click()
		await page.getByLabel('Lecturers who lead it with you').first().fill(hendra.me.name.slice(-5))
		await page.getByRole('button', { name: `Let ${hendra.me.name} lead it too` }).click()
		await page.getByRole('button', { name: 'Start the discussion' }).click()
		await expect(page.getByRole('heading', { name: 'Glued to our phones' })).toBeVisible()
		await expect(headings(student).filter({ hasText: name })).toBeVisible()
		await expect(topic(student, 'Glued to our phones')).toBeVisible()
		const { discussions } = await siti.call('listDiscussions', { limit: 100 })
		const started = discussions.find(({ title }) => title === 'Glued to our phones')
		expect(started).toMatchObject({ tags: ['week 3'], collaborators: [hendra.me.id], groups: [a.id] })

		// Her colleague changes what is hers to change, and may not choose who leads it.
		const his = await enter(school, hendra, { path: `/d/${started?.id}/edit`, phone })
		await expect(his.getByText('Only who started the discussion chooses them.')).toBeVisible()
		await expect(his.getByLabel('English A')).toBeChecked()
		await his.getByLabel('Title').fill('Glued to our screens')
		await his.getByRole('button', { name: 'Save' }).click()
		await expect(notice(his, 'The discussion was changed.')).toBeVisible()
		await expect(topic(student, 'Glued to our screens')).toBeVisible()
		await undo(his)
		await expect(topic(student, 'Glued to our phones')).toBeVisible()
	})

	test(`[W85] what was typed into a form is there when one comes back, until it is discarded, ${size}`, async ({ school, enter }) => {
		const { siti, phones } = await openTerm(school)
		const page = await enter(school, siti, { path: '/new', phone })
		await page.getByLabel('Title').fill('Half a thou')
		await page.getByLabel('English B').check()
		await expectDraft(page, 'Half a thou')
		await page.getByRole('link', { name: 'Not now' }).click()
		await visit(page, '/new')
		await expect(page.getByLabel('Title')).toHaveValue('Half a thou')
		await expect(page.getByLabel('English B')).toBeChecked()
		await page.getByRole('button', { name: 'Discard it' }).click()
		await expect(page.getByLabel('Title')).toHaveValue('')
		await page.reload()
		await expect(page.getByLabel('Title')).toHaveValue('')
		await expect(page.getByText('What you had typed here is back.')).toHaveCount(0)

		// A form that changes something keeps only what was changed.
		await visit(page, `/d/${phones.id}/edit`)
		await page.getByLabel('Opening prompt').fill('Give two reasons.')
		await expect(page.getByLabel('Title')).toHaveValue(phones.title)
		await expectDraft(page, 'Give two reasons.')
		await siti.call('editDiscussion', { id: phones.id, title: 'Should phones stay at home?' })
		await page.reload()
		await expect(page.getByLabel('Opening prompt')).toHaveValue('Give two reasons.')
		await expect(page.getByLabel('Title')).toHaveValue('Should phones stay at home?')
	})

	test(`[W86] a discussion is closed, archived, removed and put back, for everybody at once and with undo, ${size}`, async ({
		school,
		enter,
	}) => {
		const { siti, budi, phones } = await openTerm(school)
		const student = await enter(school, budi, { phone })
		await expect(topic(student, 'Should phones')).toBeVisible()
		const page = await enter(school, siti, { path: `/d/${phones.id}`, phone })
		const choose = async (item: string) => {
			await closeNotices(page)
			await page.getByRole('button', { name: 'What you can do with this discussion' }).click()
			await page.getByRole('menuitem', { name: item }).click()
		}
		await choose('Close the discussion')
		await expect(headings(student).filter({ hasText: 'Closed' })).toBeVisible()
		await undo(page)
		await expect(headings(student).filter({ hasText: 'Closed' })).toHaveCount(0)
		await expect(topic(student, 'Should phones')).toBeVisible()

		await choose('Archive it')
		await expect(topic(student, 'Should phones')).toHaveCount(0)
		await student.getByRole('button', { name: 'Archived' }).click()
		await expect(topic(student, 'Should phones')).toBeVisible()
		await choose('Take it out of the archive')
		await expect(headings(student).filter({ hasText: 'Archived' })).toHaveCount(0)

		await choose('Remove it')
		await expect(notice(page, /Only its lecturers see it/)).toBeVisible()
		await expect(topic(student, 'Should phones')).toHaveCount(0)
		await undo(page)
		await expect(topic(student, 'Should phones')).toBeVisible()
		await choose('Remove it')
		await expect(topic(student, 'Should phones')).toHaveCount(0)
		await toOverview(page, phone)
		await page.getByRole('button', { name: 'Removed' }).click()
		await page.getByRole('button', { name: 'Put back: Should phones stay in the bag?' }).click()
		await expect(topic(student, 'Should phones')).toBeVisible()
	})

	test(`[W87] a group is made, filled, described and archived, and its students see it at once, ${size}`, async ({ school, enter }) => {
		const { siti, budi, citra } = await openTerm(school)
		const hendra = await school.join('lecturer', `Hendra Gunawan ${newId().slice(-5)}`)
		await budi.call('editMe', { lecturers: [siti.me.id] })
		const student = await enter(school, budi, { path: '/groups', phone })
		await expect(student.getByRole('heading', { name: 'English A' })).toBeVisible()
		await expect(student.getByRole('region', { name: 'English A' })).toContainText('Dr. Siti Rahmawati')
		await expect(student.getByRole('region', { name: 'English A' }).getByRole('link', { name: /Should phones/ })).toBeVisible()

		const page = await enter(school, siti, { path: '/groups', phone })
		await expect(page.getByRole('listitem').filter({ hasText: 'English A' })).toContainText('2 people')
		await page.getByRole('button', { name: 'New group' }).click()
		await page.getByLabel('New group').fill('Reading circle')
		await page.getByLabel('Description').fill('Thursday in the library')
		await page.getByRole('button', { name: 'Make group' }).click()
		await expect(page.getByRole('heading', { name: 'Reading circle' })).toBeVisible()
		await expect(page.getByText('Thursday in the library')).toBeVisible()

		// My students first, then everybody; several at once, a colleague among them.
		await page.getByRole('button', { name: 'Add people' }).click()
		const sheet = page.getByRole('dialog')
		await sheet.getByLabel(/Budi Santoso/).check()
		await expect(sheet.getByLabel(/Citra Ayu Lestari/)).toHaveCount(0)
		await sheet.getByText('Everybody').click()
		await sheet.getByLabel('Search by name or number').fill(hendra.me.name.slice(-5))
		await sheet.getByLabel(new RegExp(hendra.me.name)).check()
		await sheet.getByRole('button', { name: 'Add 2 people' }).click()
		await expect(page.getByRole('button', { name: /^Remove .* from the group$/ })).toHaveCount(2)
		await expect(student.getByRole('heading', { name: 'Reading circle' })).toBeVisible()
		await undo(page)
		await expect(student.getByRole('heading', { name: 'Reading circle' })).toHaveCount(0)
		await expect(page.getByText('Nobody yet. Add the first.')).toBeVisible()

		// A list from a sheet: by number or name; what nobody fits is named.
		await page.getByRole('button', { name: 'Add people' }).click()
		await sheet.getByLabel('Search by name or number').evaluate(
			(field, text) => {
				const clipboardData = new DataTransfer()
				clipboardData.setData('text', text)
				field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
			},
			[await numberOf(school, budi), await numberOf(school, citra), 'no such number'].join('\n'),
		)
		await expect(sheet.getByText('no such number')).toBeVisible()
		await sheet.getByRole('button', { name: 'Add 2 people' }).click()
		await expect(student.getByRole('heading', { name: 'Reading circle' })).toBeVisible()
		await page.getByRole('button', { name: 'Add people' }).click()
		await sheet.getByText('Everybody').click()
		await sheet.getByLabel('Search by name or number').fill(await numberOf(school, citra))
		await expect(sheet.getByRole('listitem').filter({ hasText: 'Citra Ayu Lestari' })).toContainText('in this group')
		await page.keyboard.press('Escape')

		await page.getByRole('button', { name: 'Remove Budi Santoso from the group' }).click()
		await expect(student.getByRole('heading', { name: 'Reading circle' })).toHaveCount(0)
		await undo(page)
		await expect(student.getByRole('heading', { name: 'Reading circle' })).toBeVisible()

		const choose = async (item: string) => {
			await closeNotices(page)
			await page.getByRole('button', { name: 'What you can do with this group' }).click()
			await page.getByRole('menuitem', { name: item }).click()
		}
		await choose('Name and description')
		await page.getByLabel('Name of the group').fill('Poetry circle')
		await page.getByRole('button', { name: 'Save' }).click()
		await expect(student.getByRole('heading', { name: 'Poetry circle' })).toBeVisible()
		await choose('Archive the group')
		await expect(page.getByText('This group is archived')).toBeVisible()
		await expect(page.getByRole('button', { name: 'Add people' })).toHaveCount(0)
		await expect(student.getByText('Archived 1')).toBeVisible()
		await undo(page)
		await expect(page.getByRole('button', { name: 'Add people' })).toBeVisible()
		await expect(student.getByText('Archived 1')).toHaveCount(0)
	})

	test(`[W88] categories are made, renamed and archived, and every open screen follows, ${size}`, async ({ school, enter }) => {
		const { siti, budi, phones, speaking, reading } = await openTerm(school)
		const student = await enter(school, budi, { phone })
		await expect(headings(student)).toHaveText([reading.name, speaking.name])
		const page = await enter(school, siti, { path: '/categories', phone })
		const line = (name: string) => page.getByRole('listitem').filter({ hasText: name })
		await expect(line(speaking.name)).toContainText('1 of your discussions')

		// A name that is taken is explained, and what was typed stays.
		await page.getByLabel('New category').fill(speaking.name.toUpperCase())
		await page.getByRole('button', { name: 'Make category' }).click()
		await expect(page.getByText('There is a category with this name already.')).toBeVisible()
		await expect(page.getByLabel('New category')).toHaveValue(speaking.name.toUpperCase())
		const fresh = `Grammar ${newId().slice(-6)}`
		await page.getByLabel('New category').fill(fresh)
		await page.getByRole('button', { name: 'Make category' }).click()
		await expect(line(fresh)).toBeVisible()
		await expect(page.getByLabel('New category')).toHaveValue('')

		const renamed = `Afternoon ${newId().slice(-6)}`
		await page.getByRole('button', { name: `Rename ${speaking.name}` }).click()
		await page.getByLabel('Name of the category').fill(renamed)
		await page.getByLabel('Name of the category').press('Enter')
		await expect(headings(student)).toHaveText([renamed, reading.name])
		await undo(page)
		await expect(headings(student)).toHaveText([reading.name, speaking.name])
		await siti.call('editDiscussion', { id: phones.id, category: reading.id })
		await expect(headings(student)).toHaveText([reading.name])
		await expect(topics(student)).toHaveCount(2)

		await page.getByRole('button', { name: `Archive ${fresh}` }).click()
		await expect(page.getByRole('button', { name: `Archive ${fresh}` })).toHaveCount(0)
		await undo(page)
		await expect(page.getByRole('button', { name: `Archive ${fresh}` })).toBeVisible()
		// Whose they are not sees them and leaves them alone.
		const hendra = await school.join('lecturer', 'Hendra Gunawan')
		const his = await enter(school, hendra, { path: '/categories', phone })
		await expect(his.getByRole('listitem').filter({ hasText: fresh })).toBeVisible()
		await expect(his.getByRole('button', { name: `Rename ${fresh}` })).toHaveCount(0)
	})
}

/** What was typed is on this device's disk. */
async function expectDraft(page: Page, text: string): Promise<void> {
	const drafts = () =>
		page.evaluate(async () => {
			const answer = <T>(request: IDBRequest<T>) =>
				new Promise<T>((resolve, reject) => {
					request.onsuccess = () => resolve(request.result)
					request.onerror = () => reject(request.error)
				})
			const found: unknown[] = []
			for (const { name } of await indexedDB.databases()) {
				const database = await answer(indexedDB.open(name as string))
				if (database.objectStoreNames.contains('drafts'))
					found.push(await answer(database.transaction('drafts').objectStore('drafts').getAll()))
				database.close()
			}
			return JSON.stringify(found)
		})
	await expect.poll(drafts).toContain(text)
}

/** Her number, as lecturers see it. */
async function numberOf(school: School, who: Someone): Promise<string> {
	const { users } = await school.admin.call('listUsers', { query: who.email, limit: 10 })
	return users.find(({ id }) => id === who.me.id)?.number as string
}

test('[W84] a discussion is found by a few words and opened by keys alone; a lecturer may look at one group', async ({ school, enter }) => {
	const { siti } = await openTerm(school)
	const page = await enter(school, siti)
	await expect(topics(page)).toHaveCount(3)
	await page.keyboard.press('Control+k')
	const field = page.getByLabel('Find a discussion')
	await expect(field).toBeFocused()
	await page.keyboard.type('voca know')
	await expect(topics(page)).toHaveCount(1)
	await expect(page.getByText('1 discussion found')).toBeAttached()
	await page.keyboard.press('Escape')
	await expect(topics(page)).toHaveCount(3)
	await page.keyboard.type('nothing of the kind')
	await expect(page.getByText('No discussion has these words')).toBeVisible()
	await field.fill('')
	await page.keyboard.press('ArrowDown')
	await page.keyboard.press('ArrowDown')
	await expect(topic(page, 'Should phones')).toBeFocused()
	await page.keyboard.press('ArrowUp')
	await page.keyboard.press('ArrowUp')
	await expect(field).toBeFocused()
	await page.keyboard.type('words')
	await page.keyboard.press('Enter')
	await expect(page.getByRole('heading', { name: 'Words we did not know' })).toBeVisible()
	await field.fill('')
	await page.getByLabel('Show the discussions of').selectOption('English B')
	await expect(topics(page)).toHaveCount(1)
	await expect(topic(page, 'Only for English B')).toBeVisible()
})

test('[W87] a student who is added to a group sees it and its discussions come, without reloading', async ({ school, enter }) => {
	const { siti, group } = await openClass(school)
	const newcomer = await school.join('student', 'Putri Wulandari')
	const page = await enter(school, newcomer, { path: '/groups' })
	await expect(page.getByText('You are in no group yet').first()).toBeVisible()
	await school.admin.call('addMembers', { id: group.id, users: [newcomer.me.id, siti.me.id] })
	await expect(page.getByRole('heading', { name: 'English A' })).toBeVisible()
	await expect(topic(page, 'Should phones')).toBeVisible()
})
