/**
 * Who sees what, on the screen: other groups' discussions, and moving between groups.
 */
import { expect, letter, openClass, test } from './fixtures.ts'

test('[W37] another group’s discussion stays closed by its address', async ({ school, enter }) => {
	const { siti, path } = await openClass(school)
	const outsider = await school.join('student', 'Łukasz Żółć')
	await school.group('English B', siti, outsider)
	const page = await enter(school, outsider, { path })
	await expect(page.getByText('This discussion is not here for you')).toBeVisible()
	await expect(page.getByText('Should phones stay in the bag?')).toHaveCount(0)
	await page.goto(page.url().replace(path, '/people'))
	await expect(page.getByText('There is nothing at this address')).toBeVisible()
})

test('[W38] a student who is moved sees the old group’s messages go and the new one’s come, without a reload', async ({
	school,
	enter,
}) => {
	const { siti, budi, citra, group } = await openClass(school)
	const lukasz = await school.join('student', 'Łukasz Żółć')
	const second = await school.group('English B', siti, lukasz)
	const both = await school.discussion(siti, 'For both groups', 'Say something.', [group, second])
	await school.say(citra, both, 'From English A')
	await school.say(lukasz, both, 'From English B')
	await school.say(siti, both, 'From the lecturer, for all', { group: null })
	await school.say(budi, both, 'From Budi himself')

	const page = await enter(school, budi, { path: `/d/${both.id}` })
	await expect(letter(page, 'From English A')).toBeVisible()
	await expect(letter(page, 'From English B')).toHaveCount(0)
	await school.admin.call('addMember', { id: second.id, user: budi.me.id })
	await school.admin.call('removeMember', { id: group.id, user: budi.me.id })
	await expect(letter(page, 'From English B')).toBeVisible()
	await expect(letter(page, 'From English A')).toHaveCount(0)
	await expect(letter(page, 'From the lecturer, for all')).toBeVisible()
	await expect(letter(page, 'From Budi himself')).toBeVisible()
	await expect(page.getByRole('link', { name: /Should phones stay/ })).toHaveCount(0)
	await expect(page.getByRole('link', { name: /For both groups/ })).toBeVisible()

	// Out of every group: the discussion that is open closes itself.
	await school.admin.call('removeMember', { id: second.id, user: budi.me.id })
	await expect(page.getByText('This discussion is not here for you')).toBeVisible()
})
