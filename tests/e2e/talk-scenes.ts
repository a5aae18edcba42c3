/**
 * The scenes of a discussion: what is read there, what is being written, and the dialogs over both.
 */
import type { Locator, Page } from '@playwright/test'
import type { Key } from '../../frontend/src/locales/en.ts'
import { drawPicture } from '../../ops/sample/pictures.ts'
import { give, photo, refuse } from './fixtures.ts'
import type { Place, Scene } from './scenes.ts'
import type { Story } from './story.ts'

export const talkScenes = (story: Story): Scene[] => [...discussion(story), ...written(story)]

const letters = (page: Page) => page.locator('article')
const letter = (page: Page, text: string) => letters(page).filter({ hasText: text })
const field = (page: Page) => page.locator('main form textarea').first()
const submit = (page: Page) => page.locator('main form [type=submit]').last().click()

async function send(page: Page, text: string): Promise<void> {
	await field(page).fill(text)
	await submit(page)
}

/** Shows the tools of a message: at its own words, since a quote or a picture leads elsewhere. */
async function point(which: Locator, phone: boolean): Promise<void> {
	const words = which.locator('p[dir=auto]').last()
	if (phone) await words.tap({ position: { x: 8, y: 8 } })
	else await words.hover()
}

/** Everything that is on its way has come. */
async function settle(page: Page): Promise<void> {
	await letters(page).first().waitFor()
	await page.waitForFunction(() => [...document.querySelectorAll<HTMLImageElement>('article img')].every((image) => image.complete))
}

/** Moves the page of letters so that something stands at this height of it; upwards until it is there. */
async function bring(page: Page, what: Locator, part: number): Promise<void> {
	await settle(page)
	const list = page
		.locator('main section > div')
		.filter({ has: letters(page) })
		.first()
	for (let n = 0; n < 20 && (await what.count()) === 0; n++) {
		await list.evaluate((element) => element.scrollBy(0, -300))
		await page.waitForTimeout(100)
	}
	// What was not measured yet moves it a little.
	for (let n = 0; n < 3; n++) {
		const [box, frame] = [await what.first().boundingBox(), await list.boundingBox()]
		if (box && frame) await list.evaluate((element, by) => element.scrollBy(0, by), box.y - frame.y - frame.height * part)
		await page.waitForTimeout(150)
	}
	await settle(page)
}

function discussion({ siti, budi, closed, empty, long, everything, phones }: Story): Scene[] {
	const at = (discussion: { id: string }) => `/d/${discussion.id}`
	const about = async (page: Page, { phone, button, dialog }: Place) => {
		await settle(page)
		if (phone) await button('about.title').click()
		await (phone ? dialog : page.locator('aside').last()).locator('img[src*=files]').first().waitFor()
	}
	const step = (key: Key) => async (page: Page, place: Place) => {
		await about(page, place)
		await place.button(key).first().click()
		await place.dialog.last().locator('img').first().waitFor()
	}
	return [
		{
			name: 'discussion',
			who: budi,
			path: at(phones),
			async act(page) {
				await field(page).fill('I agree with Łukasz that a dictionary helps, but')
				await bring(page, page.getByRole('separator'), 0.66)
			},
		},
		{ name: 'discussion-opened', who: budi, path: at(phones), act: settle },
		{ name: 'discussion-lecturer', who: siti, path: at(phones), act: settle },
		{
			name: 'discussion-group',
			who: siti,
			path: at(phones),
			async act(page, { says }) {
				await page.getByRole('combobox', { name: says('look.at') }).selectOption({ index: 2 })
				await settle(page)
			},
		},
		{
			name: 'discussion-tools',
			who: siti,
			path: at(phones),
			async act(page, { button }) {
				await button('tools.label').click()
				await page.getByRole('menuitem').last().waitFor()
			},
		},
		{ name: 'discussion-empty', who: budi, path: at(empty) },
		{ name: 'discussion-closed', who: budi, path: at(closed), act: settle },
		{ name: 'discussion-long', who: budi, path: at(long), act: settle },
		{
			name: 'discussion-long-middle',
			who: budi,
			path: at(long),
			act: (page) => bring(page, letters(page), 2),
		},
		{ name: 'discussion-folded', who: budi, path: at(everything), act: (page, { button }) => bring(page, button('message.all'), 0.5) },
		{ name: 'discussion-files', who: budi, path: at(everything), act: (page) => bring(page, letter(page, 'For Monday.'), 0.1) },
		{
			name: 'discussion-pictures',
			who: budi,
			path: at(everything),
			act: (page) => bring(page, letter(page, 'ended up in the hills'), 0.3),
		},
		{ name: 'about', who: budi, path: at(everything), act: about },
		{
			name: 'about-lecturer',
			who: siti,
			path: at(phones),
			async act(page, place) {
				await about(page, place)
				await page.getByText('A parent asked').first().scrollIntoViewIfNeeded()
			},
		},
		{ name: 'about-people', who: budi, path: at(everything), act: step('about.more') },
		{ name: 'about-files', who: budi, path: at(everything), act: step('about.allFiles') },
		{
			name: 'date',
			who: budi,
			path: at(closed),
			async act(page, { dialog }) {
				await page.locator('main button:has(time)').first().click()
				await dialog.locator('input[type=date]').waitFor()
			},
		},
		{
			name: 'viewer',
			who: budi,
			path: at(everything),
			async act(page, { dialog }) {
				await bring(page, letter(page, 'ended up in the hills'), 0.3)
				await letter(page, 'ended up in the hills').locator('button:has(img)').nth(2).click()
				await dialog.locator('img').last().waitFor()
				await page.waitForFunction(() => [...document.images].every((image) => image.complete))
			},
		},
	]
}

/** What is being written, sent, corrected. */
function written({ budi, citra, lukasz, omar, empty, place, everything, phones, bent }: Story): Scene[] {
	const at = (discussion: { id: string }) => `/d/${discussion.id}`
	return [
		{
			name: 'reply',
			who: budi,
			path: at(phones),
			async act(page, { phone, says }) {
				const which = letter(page, 'lovely phrase to').first()
				await point(which, phone)
				await which.getByRole('button', { name: says('message.reply') }).click()
				await field(page).fill('A synonym of “looking down” is')
			},
		},
		{
			name: 'edit-message',
			who: budi,
			path: at(phones),
			async act(page, { phone, says }) {
				const which = letter(page, 'way to my school')
				await bring(page, which, 0.2)
				await point(which, phone)
				await which.getByRole('button', { name: says('message.edit') }).click()
				await page.getByRole('textbox', { name: says('composer.editing') }).waitFor()
			},
		},
		{
			name: 'earlier',
			who: budi,
			path: at(phones),
			async act(page, { button, dialog }) {
				await bring(page, letter(page, 'way to my school'), 0.2)
				await button('message.edited').click()
				await dialog.locator('time').first().waitFor()
			},
		},
		{
			name: 'emoji',
			who: budi,
			path: at(place),
			async act(page, { button }) {
				await button('emoji.open').click()
				await page.locator('emoji-picker').getByRole('menuitem').first().waitFor()
			},
		},
		{
			name: 'picked',
			who: budi,
			path: at(place),
			async act(page) {
				await letters(page).first().waitFor()
				const { bytes } = await drawPicture('landscape', 'market', 0.4)
				await page.locator('[data-pick=files]').setInputFiles([
					{ name: 'IMG_20261123_090412.jpg', mimeType: 'image/jpeg', buffer: await photo(4400, 3300, 60) },
					{ name: 'Market.jpg', mimeType: 'image/jpeg', buffer: bytes },
					{ name: 'Notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF') },
					{ name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
				])
				await page.getByRole('checkbox').first().waitFor({ timeout: 60_000 })
				await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'))
				await field(page).fill('Look at these.')
			},
		},
		{
			name: 'dropping',
			who: budi,
			path: at(place),
			async act(page) {
				await letters(page).first().waitFor()
				await give(page, 'dragenter', [{ name: 'Notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF') }])
			},
		},
		{
			name: 'soon',
			who: budi,
			path: at(place),
			async act(page, { says }) {
				await letters(page).first().waitFor()
				// A picture that never ends loading is looked at for ever.
				await page.evaluate(() => Object.defineProperty(Image.prototype, 'src', { set() {} }))
				await page
					.locator('[data-pick=files]')
					.setInputFiles([{ name: 'Market.jpg', mimeType: 'image/jpeg', buffer: await photo(400, 300, 60) }])
				await send(page, 'This is the market.')
				await page.getByText(says('composer.soon')).waitFor()
			},
		},
		{
			name: 'too-long',
			who: budi,
			path: at(place),
			async act(page) {
				await letters(page).first().waitFor()
				await field(page).fill('At five the best food is gone. '.repeat(400))
			},
		},
		{
			name: 'choose-first',
			who: lukasz,
			path: at(empty),
			async act(page, { says }) {
				await send(page, 'Has everybody read the chapter?')
				await page.getByText(says('composer.chooseFirst')).waitFor()
			},
		},
		{
			name: 'sending',
			who: budi,
			path: at(place),
			async act(page, { button }) {
				await letters(page).first().waitFor()
				const { bytes } = await drawPicture('landscape', 'market', 0.4)
				const session = await page.context().newCDPSession(page)
				const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400_000 }
				await session.send('Network.enable')
				await session.send('Network.emulateNetworkConditions', slow)
				await page.locator('[data-pick=files]').setInputFiles([
					{ name: 'Market.jpg', mimeType: 'image/jpeg', buffer: bytes },
					{ name: 'The market.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(12_000_000, 7) },
				])
				await page.locator('main form img').waitFor()
				await field(page).fill('This is the market.')
				await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'))
				await submit(page)
				await button('file.stop').waitFor()
				await page.waitForTimeout(2_000)
			},
		},
		{
			name: 'offline',
			who: budi,
			path: at(place),
			complains: true,
			async act(page, { says }) {
				await letters(page).first().waitFor()
				await page.context().setOffline(true)
				await send(page, 'And the coffee there is older than my grandfather.')
				await page.locator('[data-safety=device]').first().waitFor()
				await page.getByText(says('offline.line')).first().waitFor()
			},
		},
		{
			name: 'refused',
			who: citra,
			path: at(place),
			complains: true,
			async act(page) {
				await refuse(page, '**/api/messages', 409, 'discussion_closed')
				await send(page, 'I would show them the river at six in the morning, when nobody is there but the fishermen.')
				await page.locator('[data-safety=refused]').waitFor()
			},
		},
		{
			name: 'removed',
			who: omar,
			path: at(phones),
			after: () => omar.call('setRemoved', { id: bent, removed: false }),
			async act(page, { phone, says, button }) {
				await settle(page)
				const which = letter(page, 'Bent over').first()
				await point(which, phone)
				await which.getByRole('button', { name: says('message.remove') }).click()
				await button('notices.undo').waitFor()
				await button('message.putBack').waitFor()
			},
		},
		{
			name: 'sign-out',
			who: lukasz,
			path: at(everything),
			complains: true,
			async act(page, { phone, button, dialog }) {
				await page.route('**/api/messages', (route) => route.abort())
				await send(page, 'One more thing.')
				await page.locator('[data-safety=device]').waitFor()
				if (phone) await page.locator('header a').first().click()
				await button('me.label').click()
				await page.getByRole('menuitem').last().click()
				await dialog.waitFor()
			},
		},
	]
}
