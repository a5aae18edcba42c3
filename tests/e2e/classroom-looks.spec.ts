/**
 * How the classroom looks and feels: accessible on each of its screens, in both languages, and light with
 * hundreds of discussions.
 */
import { expect, test } from './fixtures.ts'
import { expectAllFine, type Screen } from './looking.ts'
import { newId } from './school.ts'
import { openTerm, sizes, topic, topics, visit } from './term.ts'

test('[W89] an overview of 300 discussions is painted where it is in sight, and drawn again where it changed', async ({
	school,
	enter,
}) => {
	const { siti, budi, a, speaking, phones } = await openTerm(school)
	// More than one account may at once.
	const hendra = await school.join('lecturer', 'Hendra Gunawan')
	await siti.call('addMember', { id: a.id, user: hendra.me.id })
	for (let n = 0; n < 300; n++) {
		const input = { id: newId(), title: `Number ${n}`, prompt: '', groups: [a.id], category: n % 4 < 2 ? speaking.id : null }
		if (n % 2) await siti.call('startDiscussion', input)
		else await hendra.call('startDiscussion', { ...input, collaborators: [siti.me.id] })
	}
	const page = await enter(school, siti)
	await expect(topics(page)).toHaveCount(303)
	const nav = page.getByRole('navigation', { name: 'Discussions' })
	const painted = await nav.evaluate(
		(list) => [...list.querySelectorAll('a')].filter((link) => link.checkVisibility({ contentVisibilityAuto: true })).length,
	)
	expect(painted).toBeGreaterThan(3)
	expect(painted).toBeLessThan(60)

	// A message comes: one line is drawn again, not 303.
	await nav.evaluate((list) => {
		const drawn = new Set<Element>()
		Object.assign(window, { drawn })
		// Where lines only change places, none of them is drawn again.
		new MutationObserver((changes) => {
			for (const { target } of changes) {
				const line = (target instanceof Element ? target : target.parentElement)?.closest('li')
				if (line) drawn.add(line)
			}
		}).observe(list, { subtree: true, childList: true, characterData: true, attributes: true })
	})
	await school.say(budi, phones, 'Something new')
	await expect(topic(page, 'Should phones')).toContainText('Budi: Something new')
	expect(await page.evaluate(() => (window as unknown as { drawn: Set<Element> }).drawn.size)).toBeLessThan(5)
	await page.getByLabel('Find a discussion').fill('number 299')
	await expect(topics(page)).toHaveCount(1)
})

for (const [size, phone] of sizes)
	test(`[W42] axe finds nothing on the screens of the classroom, ${size}, light and dark`, async ({ school, enter }) => {
		test.setTimeout(240_000)
		const { siti, budi, a, phones, words } = await openTerm(school)
		await budi.call('editMe', { lecturers: [siti.me.id] })
		await siti.call('editDiscussion', { id: words.id, removed: true })
		await school.say(siti, phones, 'Something new', { group: null })
		const screens: Screen[] = [
			{
				name: 'overview',
				who: siti,
				path: '/',
				shows: 'Should phones stay in the bag?',
				act: (page) => page.getByRole('button', { name: 'Removed' }).click(),
			},
			{ name: 'overview, student', who: budi, path: '/', shows: 'Should phones stay in the bag?' },
			{
				name: 'groups',
				who: siti,
				path: '/groups',
				shows: 'Monday, room 204',
				act: (page) => page.getByRole('button', { name: 'New group' }).click(),
			},
			{ name: 'groups, admin', who: school.admin, path: '/groups', shows: 'English B' },
			{ name: 'groups, student', who: budi, path: '/groups', shows: 'Monday, room 204' },
			{ name: 'group', who: siti, path: `/groups/${a.id}`, shows: 'Citra Ayu Lestari' },
			{
				name: 'group, changed',
				who: siti,
				path: `/groups/${a.id}`,
				shows: 'Citra Ayu Lestari',
				async act(page) {
					await page.getByRole('button', { name: 'What you can do with this group' }).click()
					await page.getByRole('menuitem', { name: 'Name and description' }).click()
				},
			},
			{
				name: 'add people',
				who: siti,
				path: `/groups/${a.id}`,
				shows: 'Citra Ayu Lestari',
				async act(page) {
					await page.getByRole('button', { name: 'Add people' }).click()
					await page.getByRole('dialog').getByText('Budi Santoso').waitFor()
				},
			},
			{
				name: 'categories',
				who: siti,
				path: '/categories',
				shows: 'of your discussions',
				act: (page) =>
					page
						.getByRole('button', { name: /^Rename Speaking/ })
						.first()
						.click(),
			},
			{
				name: 'form',
				who: siti,
				path: '/new',
				shows: 'For these groups',
				async act(page) {
					await page.getByLabel('Tags').fill('opinion,')
					await page.getByLabel('Category', { exact: true }).selectOption('New category…')
					await page.getByLabel('Lecturers who lead it with you').fill('Siti')
				},
			},
			{ name: 'form, changed', who: siti, path: `/d/${phones.id}/edit`, shows: 'For these groups' },
		]
		await expectAllFine(school, enter, phone, screens)
	})

test('[W84] the classroom is there in Indonesian', async ({ school, enter }) => {
	const { siti, budi, a } = await openTerm(school)
	const page = await enter(school, siti, { language: 'id-ID' })
	await expect(page.getByLabel('Cari diskusi')).toBeVisible()
	await expect(page.getByRole('navigation', { name: 'Diskusi' }).getByText('Tanpa kategori')).toBeVisible()
	for (const [path, text] of [
		['/groups', 'Grup baru'],
		[`/groups/${a.id}`, 'Di grup ini'],
		['/categories', 'Kategori baru'],
		['/new', 'Untuk grup'],
	] as const) {
		await visit(page, path)
		await expect(page.getByText(text).first()).toBeVisible()
	}
	const his = await enter(school, budi, { language: 'id-ID', path: '/groups' })
	await expect(his.getByRole('heading', { name: 'Grup saya' })).toBeVisible()
})
