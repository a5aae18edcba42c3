/**
 * Coming in and going out: the first admin, registration and approval, sessions, signing out.
 */
import { composer, expect, expectWaiting, intercept, letter, openClass, test, write } from './fixtures.ts'
import { newId, openSchool, password } from './school.ts'

test('[W30] from the one-time link to a conversation, by hand', async ({ enter }) => {
	const school = await openSchool({ bare: true })
	try {
		const admin = await enter(school, null, { path: `/setup#${school.setUpToken}` })
		await admin.getByLabel('Name').fill('Dewi Anggraini')
		await admin.getByLabel('E-mail').fill('dewi@school.test')
		await admin.getByLabel('Password', { exact: true }).fill(password)
		await admin.getByRole('button', { name: 'Make the admin' }).click()
		await expect(admin.getByRole('heading', { name: 'People' })).toBeVisible()
		await expect(admin.getByText('Nobody is waiting', { exact: true })).toBeVisible()

		const register = async (role: 'Student' | 'Lecturer', name: string, email: string) => {
			const page = await enter(school, null)
			await page.getByRole('link', { name: 'Register' }).click()
			await page.getByText(role, { exact: true }).click()
			await page.getByLabel('Name').fill(name)
			await page.getByLabel(/number/).fill('2311001')
			await page.getByLabel('E-mail').fill(email)
			await page.getByLabel('Password', { exact: true }).fill(password)
			await page.getByRole('button', { name: 'Register' }).click()
			await expect(page.getByRole('heading', { name: 'Waiting for approval' })).toBeVisible()
			return page
		}
		const siti = await register('Lecturer', 'Dr. Siti Rahmawati', 'siti@school.test')
		const budi = await register('Student', 'Budi Santoso', 'budi@school.test')

		// They appear by themselves, and what the admin decides appears on their screens by itself.
		await admin.getByRole('button', { name: 'Approve Dr. Siti Rahmawati' }).click()
		await expect(siti.getByText('Welcome, Dr. Siti Rahmawati')).toBeVisible()
		await admin.getByRole('button', { name: 'Reject Budi Santoso' }).click()
		await admin.getByLabel('Reason').fill('Which class are you in?')
		await admin.getByRole('button', { name: 'Reject', exact: true }).click()
		await expect(budi.getByText('Which class are you in?')).toBeVisible()
		await admin.getByRole('button', { name: 'Undo' }).last().click()
		await expect(budi.getByRole('heading', { name: 'Waiting for approval' })).toBeVisible()
		await admin.getByRole('button', { name: 'Approve Budi Santoso' }).click()
		await expect(budi.getByText('You are in no group yet.')).toBeVisible()

		await siti.getByRole('link', { name: 'Make a group' }).click()
		await siti.getByLabel('New group').fill('English A')
		await siti.getByRole('button', { name: 'Make group' }).click()
		await siti.getByRole('button', { name: 'Add people' }).click()
		await siti.getByText('Everybody', { exact: true }).click()
		await siti.getByLabel('Search by name or number').fill('bud')
		await siti.getByLabel('Budi Santoso').check()
		await siti.getByRole('button', { name: 'Add 1 person' }).click()
		await expect(siti.getByRole('button', { name: 'Remove Budi Santoso from the group' })).toBeVisible()
		await siti.getByRole('link', { name: 'Start a discussion' }).click()
		await siti.getByLabel('Title').fill('Should phones stay in the bag?')
		await siti.getByLabel('Opening prompt').fill('Give one reason.')
		await siti.getByLabel('English A').check()
		await siti.getByRole('button', { name: 'Start the discussion' }).click()
		await expect(siti.getByText('Give one reason.').first()).toBeVisible()

		await budi.getByRole('link', { name: /Should phones stay/ }).click()
		await write(budi, 'Yes, because I look at mine too often.')
		await expect(letter(siti, 'Yes, because')).toBeVisible()
		await write(siti, 'And one example?')
		await expect(letter(budi, 'And one example?').getByText('Lecturer')).toBeVisible()

		// The link worked once.
		const late = await enter(school, null, { path: `/setup#${school.setUpToken}` })
		await expect(late.getByText('There is an admin already')).toBeVisible()
	} finally {
		await school.close()
	}
})

test('[W36] signing out with unsent messages asks, says how many, and deletes them only when told to', async ({ school, enter }) => {
	const { budi, path } = await openClass(school)
	const page = await enter(school, budi, { path })
	await expect(composer(page)).toBeEditable()
	await intercept(page, '**/api/messages', (route) => route.abort())
	await write(page, 'Only here one')
	await write(page, 'Only here two')
	const signOut = async () => {
		await page.getByRole('button', { name: /Budi Santoso/ }).click()
		await page.getByRole('menuitem', { name: 'Sign out' }).click()
	}
	await signOut()
	await expect(page.getByRole('dialog', { name: '2 messages are only on this device' })).toBeVisible()
	await page.getByRole('button', { name: 'Stay signed in' }).click()
	await expectWaiting(page, 'Only here two')
	await signOut()
	await page.getByRole('button', { name: 'Delete and sign out' }).click()
	await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
	await page.getByLabel('E-mail').fill(budi.email)
	await page.getByLabel('Password', { exact: true }).fill(password)
	await page.getByRole('button', { name: 'Sign in' }).click()
	await page.getByRole('link', { name: /Should phones stay/ }).click()
	await expect(page.getByText('Nobody has written yet.')).toBeVisible()
	await expect(page.getByText('Only here')).toHaveCount(0)
})

test('[W55] a session that the server ends keeps what waits, says so, and goes on where it was', async ({ school, enter }) => {
	const { budi, citra, path } = await openClass(school)
	const page = await enter(school, budi, { path })
	await expect(composer(page)).toBeEditable()
	await intercept(page, '**/api/messages', (route) => route.abort())
	await write(page, 'Waits for me')
	await composer(page).fill('And this was not finished')
	await expect(page.getByText(/Draft saved/)).toBeVisible()
	const elsewhere = await school.signIn(budi.email)
	const { sessions } = await elsewhere.call('listSessions', {})
	for (const session of sessions) if (!session.current) await elsewhere.call('endSession', { id: session.id })
	await expect(page.getByText('The server ended your session.')).toBeVisible()
	await expect(page.getByText(/One message of .* waits on this device/)).toBeVisible()
	await page.unroute('**/api/messages')
	await expect(page.getByLabel('E-mail')).toHaveValue(budi.email)
	await page.getByLabel('Password', { exact: true }).fill(password)
	await page.getByRole('button', { name: 'Sign in' }).click()
	await expect(page).toHaveURL(new RegExp(`${path}$`))
	await expect(composer(page)).toHaveValue('And this was not finished')
	const hers = await enter(school, citra, { path })
	await expect(letter(hers, 'Waits for me')).toHaveCount(1)
})

test('[W55] devices are listed and can be ended', async ({ school, enter }) => {
	const { budi } = await openClass(school)
	const other = await enter(school, await school.signIn(budi.email))
	await expect(other.getByText('Choose a discussion')).toBeVisible()
	const page = await enter(school, budi, { path: '/account' })
	await expect(page.getByText('This device')).toHaveCount(1)
	await page.getByRole('button', { name: /^End the session on/ }).click()
	await expect(page.getByText(/was ended/)).toBeVisible()
	await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('[W50] decisions and memberships are undone with one button, without a question before', async ({ school, enter }) => {
	const { siti, budi } = await openClass(school)
	const { group } = await siti.call('createGroup', { id: newId(), name: 'Reading circle' })
	await siti.call('addMember', { id: group.id, user: budi.me.id })
	const hers = await enter(school, siti, { path: `/groups/${group.id}` })
	await hers.getByRole('button', { name: 'Remove Budi Santoso from the group' }).click()
	await expect(hers.getByRole('button', { name: 'Remove Budi Santoso from the group' })).toHaveCount(0)
	await hers.getByRole('button', { name: 'Undo' }).click()
	await expect(hers.getByRole('button', { name: 'Remove Budi Santoso from the group' })).toBeVisible()

	const his = await enter(school, budi)
	await expect(his.getByText('Choose a discussion')).toBeVisible()
	const admin = await enter(school, school.admin, { path: '/people' })
	await admin.getByRole('button', { name: /^Approved/ }).click()
	await admin.getByLabel('Search by name').fill(budi.email)
	const row = admin.getByRole('region', { name: 'Approved' }).getByRole('listitem').filter({ hasText: budi.email })
	await row.getByRole('checkbox').check()
	await admin.getByRole('region', { name: 'Selected people' }).getByRole('button', { name: 'Deactivate' }).click()
	await expect(row).toHaveCount(0)
	await admin.getByRole('button', { name: 'Undo' }).click()
	await expect(row).toBeVisible()
})
