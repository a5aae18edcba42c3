/**
 * Every screen of the app as a scene: who sees it, where, and what brings it into its state. A scene waits for what it
 * shows, and leaves the school as it was.
 */
import type { Locator, Page } from '@playwright/test'
import { en, type Key } from '../../frontend/src/locales/en.ts'
import { id } from '../../frontend/src/locales/id.ts'
import { drawPicture } from '../../ops/sample/pictures.ts'
import { backupScenes } from './backup-scenes.ts'
import { refuse } from './fixtures.ts'
import { password, type School, type Someone } from './school.ts'
import type { Story } from './story.ts'
import { talkScenes } from './talk-scenes.ts'

export interface Scene {
	name: string
	who?: Someone
	path: string
	/** Brings the screen into its state. */
	act?(page: Page, at: Place): Promise<unknown>
	/** Puts back what it changed for everybody. */
	after?(): Promise<unknown>
	/** The browser's own complaints about what the server refuses here. */
	complains?: true
}

export interface Place {
	phone: boolean
	language: 'en' | 'id'
	/** A text of the interface, as it is shown, whatever stands in it. */
	says(key: Key): RegExp
	button(key: Key): Locator
	dialog: Locator
}

/** The words with which a page is spoken to in its language. */
export function placeOf(page: Page, language: 'en' | 'id', phone: boolean): Place {
	const texts: Record<string, string> = language === 'en' ? en : id
	const says = (key: Key) => {
		const parts = (texts[key] as string).split(/\{\{\w+\}\}/)
		return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`)
	}
	return { phone, language, says, button: (key) => page.getByRole('button', { name: says(key) }), dialog: page.getByRole('dialog') }
}

/** All scenes, in the order of the ways in, the people, the classroom, the discussion, the backups. */
export function scenesOf(school: School, story: Story): Scene[] {
	return [...entrance(story), ...people(school, story), ...classroom(school, story), ...talkScenes(story), ...backupScenes(school)]
}

function entrance({ waiting, refused, helpToken, budi }: Story): Scene[] {
	const submit = (page: Page) => page.locator('[type=submit]').click()
	return [
		{ name: 'sign-in', path: '/sign-in' },
		{
			name: 'sign-in-wrong',
			path: '/sign-in',
			async act(page) {
				await page.locator('[name=email]').fill('budi@school.test')
				await page.locator('[name=password]').fill('something else')
				await submit(page)
				await page.getByRole('alert').first().waitFor()
			},
		},
		{
			name: 'sign-in-ended',
			who: budi,
			path: '/groups',
			complains: true,
			async act(page) {
				await page.locator('main li').first().waitFor()
				await refuse(page, '**/api/**', 401, 'not_signed_in')
				await page.context().setOffline(true)
				await page.waitForTimeout(200)
				await page.context().setOffline(false)
				await page.locator('[name=password]').waitFor()
			},
		},
		{
			name: 'unreachable',
			path: '/sign-in',
			complains: true,
			async act(page, { says }) {
				await page.route('**/api/**', (route) => route.abort())
				await page.reload()
				await page.getByText(says('unreachable.text')).waitFor()
			},
		},
		{ name: 'forgotten', path: '/forgotten' },
		{ name: 'help-link', path: `/help#${helpToken}` },
		{ name: 'help-no-link', path: '/help' },
		{ name: 'register', path: '/register' },
		{
			name: 'register-lecturers',
			path: '/register',
			async act(page) {
				const field = page.locator('[name=lecturers]')
				await field.fill('Hen')
				await page.getByRole('option').first().click()
				await field.fill('')
				await field.click()
				await page.getByRole('option').nth(1).waitFor()
			},
		},
		{
			name: 'register-wrong',
			path: '/register',
			async act(page) {
				await page.locator('[name=email]').fill('budi')
				await page.locator('[name=password]').fill(password.slice(0, 3))
				await submit(page)
				await page.locator('[aria-invalid=true]').first().waitFor()
			},
		},
		{ name: 'waiting', who: waiting, path: '/' },
		{
			name: 'waiting-correct',
			who: waiting,
			path: '/',
			async act(page, { button }) {
				await button('waiting.correct').click()
				await page.locator('[name=name]').waitFor()
			},
		},
		{ name: 'rejected', who: refused, path: '/' },
		{ name: 'account', who: budi, path: '/account' },
		{
			name: 'account-picture',
			who: budi,
			path: '/account',
			async act(page, { dialog }) {
				const { bytes } = await drawPicture('short', budi.me.name)
				await page.locator('main input[type=file]').first().setInputFiles({ name: 'me.jpg', mimeType: 'image/jpeg', buffer: bytes })
				await dialog.locator('.reactEasyCrop_CropArea').waitFor()
			},
		},
		{
			name: 'account-password',
			who: budi,
			path: '/account',
			async act(page) {
				await page.locator('[name=current]').fill('something else')
				await page.locator('[name=password]').fill('a longer sentence of mine')
				await page.locator('[name=password]').evaluate((field) => field.scrollIntoView({ block: 'center' }))
			},
		},
		{
			name: 'account-devices',
			who: budi,
			path: '/account',
			act: (page, { says }) => page.getByText(says('devices.here')).first().scrollIntoViewIfNeeded(),
		},
		{ name: 'not-found', who: budi, path: '/nowhere' },
		{ name: 'not-here', who: budi, path: `/d/${'0'.repeat(24)}`, complains: true },
	]
}

function people({ admin }: School, { waiting, siti, phones }: Story): Scene[] {
	const tab = async (page: Page, at: number) => {
		await page.locator('fieldset button').nth(at).click()
		await page.locator('li input[type=checkbox]').first().waitFor()
	}
	const open = (_: Page, { button }: Place) => button('erase.start').waitFor()
	const look = async (_: Page, { button, dialog }: Place) => {
		await button('inspect.readLabel').first().click()
		await dialog.locator('textarea').first().fill('A parent asked me about this discussion.')
	}
	return [
		{ name: 'people', who: admin, path: '/people', act: (page) => tab(page, 0) },
		{ name: 'people-approved', who: admin, path: '/people', act: (page) => tab(page, 1) },
		{ name: 'people-rejected', who: admin, path: '/people', act: (page) => tab(page, 2) },
		{ name: 'people-deactivated', who: admin, path: '/people', act: (page) => tab(page, 3) },
		{
			name: 'people-selected',
			who: admin,
			path: '/people',
			async act(page, { says }) {
				await tab(page, 0)
				await page.getByRole('checkbox', { name: says('people.selectAll_other') }).click()
				await page.getByRole('region', { name: says('people.selectedLabel') }).waitFor()
			},
		},
		{
			name: 'people-none',
			who: admin,
			path: '/people',
			async act(page, { says }) {
				await page.locator('input[type=search]').fill('zzz')
				await page.getByText(says('people.noMatch')).waitFor()
			},
		},
		{
			name: 'people-reject',
			who: admin,
			path: '/people',
			async act(_, { button, dialog }) {
				await button('people.rejectLabel').first().click()
				await dialog.locator('textarea').first().fill('We have no student with this number.')
			},
		},
		{ name: 'person', who: admin, path: `/people/${waiting.me.id}`, act: open },
		{
			name: 'person-lecturer',
			who: admin,
			path: '/people',
			async act(page, at) {
				await tab(page, 1)
				await page.locator('input[type=search]').fill('Siti')
				await page.getByRole('link', { name: siti.me.name }).click()
				await open(page, at)
			},
		},
		{
			name: 'person-help',
			who: admin,
			path: `/people/${waiting.me.id}`,
			async act(_, { button }) {
				await button('help.create').click()
				await button('help.copy').waitFor()
			},
		},
		{
			name: 'person-erase',
			who: admin,
			path: `/people/${waiting.me.id}`,
			async act(page, { button, says }) {
				await button('erase.start').click()
				await page.getByLabel(says('erase.type')).fill('Rizky')
				await button('erase.do').click()
				await page.getByText(says('erase.wrong')).waitFor()
			},
		},
		{ name: 'admin-discussions', who: admin, path: '/discussions', act: (_, { button }) => button('inspect.readLabel').first().waitFor() },
		{ name: 'admin-reason', who: admin, path: '/discussions', act: look },
		{ name: 'admin-reads', who: admin, path: `/d/${phones.id}`, act: (page) => page.locator('article').first().waitFor() },
		{ name: 'home-admin', who: admin, path: '/' },
	]
}

function classroom({ admin }: School, { siti, fresh, budi, newcomer, a, mine, phones }: Story): Scene[] {
	const topics = (page: Page) => page.locator('a[data-topic]').first().waitFor()
	const add = async (page: Page, { button, dialog }: Place) => {
		await button('group.add').click()
		await dialog.getByRole('checkbox').first().click()
		await page.waitForTimeout(200)
	}
	const pencil = async (_: Page, { button }: Place) => button('categories.renameLabel').first().click()
	return [
		{ name: 'home', who: budi, path: '/', act: topics },
		{ name: 'home-lecturer', who: siti, path: '/', act: topics },
		{
			name: 'home-loading',
			who: budi,
			path: '/',
			async act(page) {
				await topics(page)
				await page.route('**/api/discussions?*', () => {})
				await page.reload()
				await page.getByRole('status').first().waitFor()
			},
		},
		{ name: 'home-newcomer', who: newcomer, path: '/' },
		{ name: 'home-new-lecturer', who: fresh, path: '/' },
		{
			name: 'find',
			who: siti,
			path: '/',
			async act(page, { says }) {
				await topics(page)
				await page.getByRole('textbox', { name: says('list.find') }).fill('phon')
				await page.waitForTimeout(200)
			},
		},
		{
			name: 'find-nothing',
			who: budi,
			path: '/',
			async act(page, { says }) {
				await topics(page)
				await page.getByRole('textbox', { name: says('list.find') }).fill('zzz')
				await page.getByText(says('list.noMatch')).waitFor()
			},
		},
		{ name: 'menu', who: budi, path: '/', act: (_, { button }) => button('me.label').click() },
		{
			name: 'shortcuts',
			who: budi,
			path: '/',
			async act(page, { button, says }) {
				await button('me.label').click()
				await page
					.getByRole('menuitem', { name: says('keys.title') })
					.or(page.getByRole('menuitem', { name: /\?$/ }))
					.first()
					.click()
				await page.getByRole('dialog').locator('kbd').first().waitFor()
			},
		},
		{
			name: 'shortcuts-admin',
			who: admin,
			path: '/people',
			async act(page) {
				await page.keyboard.press('?')
				await page.getByRole('dialog').locator('kbd').first().waitFor()
			},
		},
		{ name: 'groups', who: siti, path: '/groups', act: (page) => page.getByRole('listitem').first().waitFor() },
		{
			name: 'groups-new',
			who: siti,
			path: '/groups',
			async act(page, { button }) {
				await button('groups.new').click()
				await page.locator('[name=name]').fill('English C, Tuesday')
			},
		},
		{ name: 'groups-student', who: budi, path: '/groups' },
		{ name: 'group', who: siti, path: `/groups/${a.id}` },
		{ name: 'group-mine', who: siti, path: `/groups/${mine.id}` },
		{ name: 'group-add', who: siti, path: `/groups/${mine.id}`, act: add },
		{
			name: 'group-edit',
			who: admin,
			path: `/groups/${a.id}`,
			async act(page, { button, says }) {
				await button('group.tools').click()
				await page.getByRole('menuitem', { name: says('group.rename') }).click()
				await page.locator('[name=name]').waitFor()
			},
		},
		{ name: 'group-admin', who: admin, path: `/groups/${a.id}`, act: (_, { button }) => button('group.removePerson').first().waitFor() },
		{ name: 'categories', who: siti, path: '/categories', act: (page) => page.locator('summary').click() },
		{ name: 'categories-rename', who: siti, path: '/categories', act: pencil },
		{ name: 'start', who: siti, path: '/new', act: (page) => page.locator('[name=title]').waitFor() },
		{
			name: 'start-wrong',
			who: siti,
			path: '/new',
			async act(page, { says }) {
				await page.locator('[name=title]').fill('Street food: tradition or risk?')
				await page.locator('[type=submit]').click()
				await page.getByText(says('form.groupsNeeded')).waitFor()
			},
		},
		{ name: 'edit', who: siti, path: `/d/${phones.id}/edit`, act: (page) => page.locator('[name=title]').waitFor() },
		{
			name: 'edit-rest',
			who: siti,
			path: `/d/${phones.id}/edit`,
			act: (page) => page.locator('[type=submit]').last().scrollIntoViewIfNeeded(),
		},
	]
}
