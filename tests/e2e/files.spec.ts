/**
 * Files on their way: picked, pasted, dropped, made smaller, waiting without a network, stopped, sent once
 * also when the server dies in the middle, and looked at.
 *
 * What is tagged @looks happens in the browser alone, wherever the data is: it runs on one engine.
 */
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import {
	composer,
	expect,
	expectStored,
	expectWaiting,
	give,
	intercept,
	letter,
	letters,
	messageList,
	openClass,
	photo,
	schoolName,
	test,
	upload,
	write,
} from './fixtures.ts'
import { openSchool, type School, type Someone } from './school.ts'

const pdf = { name: 'Homework.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF') }
const jpeg = async (name: string, width = 800, height = 600) => ({ name, mimeType: 'image/jpeg', buffer: await photo(width, height) })
const picker = (page: Page) => page.locator('[data-pick=files]')
const picked = (page: Page) => page.getByRole('list', { name: 'Attached' }).getByRole('listitem')
const send = (page: Page) => page.getByRole('button', { name: 'Send', exact: true }).click()
const attachments = async (who: Someone, discussion: { id: string }) =>
	(await who.call('listMessages', { id: discussion.id, limit: 100 })).messages.map((message) => message.attachments.map(({ name }) => name))

for (const [host, phone] of [
	['localhost', false],
	[schoolName, true],
] as const)
	test(`[W98] pictures and files are picked, pasted and dropped, seen before, and arrive in order (${phone ? 'phone' : 'desktop'}, ${host})`, async ({
		school,
		enter,
	}) => {
		const { budi, citra, discussion, path } = await openClass(school)
		const page = await enter(school, budi, { path, host, phone })
		const her = await enter(school, citra, { path })
		await expect(composer(page)).toBeEditable()
		await picker(page).setInputFiles([await jpeg('one.jpg'), pdf])
		await expect(picked(page)).toHaveText([/one\.jpg\d+ kB/, /Homework\.pdf\d+ bytes/])
		await give(page, 'paste', [await jpeg('pasted.jpg', 300, 300)])
		await expect(picked(page)).toHaveCount(3)
		await give(page, 'dragenter', [pdf])
		await expect(page.getByText('Drop them here to attach them')).toBeVisible()
		await give(page, 'drop', [await jpeg('dropped.jpg', 400, 500), await jpeg('too.jpg', 60, 40)])
		await expect(page.getByText('Drop them here to attach them')).toHaveCount(0)
		await expect(picked(page)).toHaveCount(5)
		await page.getByRole('button', { name: 'Don’t attach too.jpg' }).click()
		await expect(picked(page)).toHaveCount(4)
		// What was picked survives a reload, as what was typed does.
		await composer(page).fill('Look at these.')
		await expect(page.getByText(/Draft saved/)).toBeVisible()
		await page.reload()
		await expect(picked(page)).toHaveText([/one\.jpg/, /Homework\.pdf/, /pasted\.jpg/, /dropped\.jpg/])
		await expect(composer(page)).toHaveValue('Look at these.')
		await send(page)
		await expectStored(page, 'Look at these.')
		await expect(picked(page)).toHaveCount(0)
		expect(await attachments(budi, discussion)).toEqual([['one.jpg', 'Homework.pdf', 'pasted.jpg', 'dropped.jpg']])

		const hers = letter(her, 'Look at these.')
		await expect(hers.getByRole('img', { name: /^Photo: / })).toHaveCount(3)
		for (const picture of await hers.getByRole('img', { name: /^Photo: / }).all())
			await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(50)
		const link = hers.getByRole('link', { name: /^Download Homework\.pdf/ })
		const [download] = await Promise.all([her.waitForEvent('download'), link.click()])
		expect(download.suggestedFilename()).toBe('Homework.pdf')

		// A file alone is a message; a text beside a picture in the clipboard is the text.
		await picker(page).setInputFiles(pdf)
		await expect(picked(page)).toHaveCount(1)
		await send(page)
		await expect(letters(page)).toHaveCount(2)
		await expect(letters(her)).toHaveCount(2)
		expect((await attachments(citra, discussion)).at(-1)).toEqual(['Homework.pdf'])
	})

test('[W91] what can’t be sent is said before anything is sent, with the next step', async ({ school, enter }, testInfo) => {
	const { budi, path } = await openClass(school)
	const page = await enter(school, budi, { path })
	await expect(composer(page)).toBeEditable()
	const sent: string[] = []
	page.on('request', (request) => request.url().includes('/api/uploads') && sent.push(request.url()))
	const film = join(testInfo.outputDir, 'film.mp4')
	await mkdir(testInfo.outputDir, { recursive: true })
	await writeFile(film, '')
	await truncate(film, 27 * 1024 * 1024)
	await picker(page).setInputFiles(film)
	await expect(page.getByRole('alert')).toContainText('“film.mp4” has 27 MB; a file may have 25 MB.')
	await expect(picked(page)).toHaveCount(0)
	await picker(page).setInputFiles(Array.from({ length: 13 }, (_, n) => ({ ...pdf, name: `${n}.pdf` })))
	await expect(picked(page)).toHaveCount(10)
	await expect(page.getByRole('alert')).toHaveText('A message takes 10 files; 3 were left out. Send them with the next message.')
	await picker(page).setInputFiles({ ...pdf, name: 'one-more.pdf' })
	await expect(page.getByRole('alert')).toContainText('1 was left out')
	// Whoever takes one away has room for another at once.
	await page.getByRole('button', { name: 'Don’t attach 0.pdf' }).evaluate((button: HTMLElement) => {
		const input = document.querySelector('input[type=file]') as HTMLInputElement
		const data = new DataTransfer()
		data.items.add(new File([], 'empty.txt', { type: 'text/plain' }))
		button.click()
		input.files = data.files
		input.dispatchEvent(new Event('change', { bubbles: true }))
	})
	await expect(picked(page)).toHaveCount(9)
	await expect(page.getByRole('alert')).toContainText('“empty.txt” is empty')
	expect(sent).toEqual([])
})

test(
	'[W92] a photo of 40 megapixels is made smaller where that is agreed to, and the page goes on meanwhile',
	{ tag: '@looks' },
	async ({ school, enter }, testInfo) => {
		const { budi, discussion, path } = await openClass(school)
		const page = await enter(school, budi, { path })
		await expect(composer(page)).toBeEditable()
		await mkdir(testInfo.outputDir, { recursive: true })
		const large = join(testInfo.outputDir, 'IMG_0001.jpg')
		const bytes = await photo(7300, 5480, 60)
		await writeFile(large, bytes)
		// Decoding it takes seconds on a small machine; the page draws all the while.
		const frames = page.evaluate(async () => {
			let drawn = 0
			const busy = () => document.querySelector('[aria-busy=true]') !== null
			while (!busy()) await new Promise(requestAnimationFrame)
			while (busy()) {
				await new Promise(requestAnimationFrame)
				drawn++
			}
			return drawn
		})
		await picker(page).setInputFiles(large)
		const choice = page.getByRole('checkbox', { name: /Made smaller: [\d.]+ MB → [\d.]+ [kM]B/ })
		await expect(choice).toBeChecked({ timeout: 60_000 })
		expect(await frames).toBeGreaterThan(10)
		await send(page)
		await expect(letters(page).locator('[data-safety=stored]')).toBeVisible()
		const [message] = (await budi.call('listMessages', { id: discussion.id })).messages
		expect(message?.attachments[0]).toMatchObject({ name: 'IMG_0001.jpg', kind: 'image', width: 2560, height: 1922 })
		expect(message?.attachments[0]?.sizeBytes).toBeLessThan(bytes.length / 3)

		// What she chooses is kept on this device.
		await picker(page).setInputFiles(large)
		await expect(choice).toBeChecked({ timeout: 60_000 })
		await choice.click()
		const other = page.getByRole('checkbox', { name: /Make it smaller: [\d.]+ MB → about [\d.]+ [kM]B/ })
		await expect(other).not.toBeChecked()
		await page.getByRole('button', { name: 'Don’t attach IMG_0001.jpg' }).click()
		await expect(picked(page)).toHaveCount(0)
		await page.reload()
		await expect(composer(page)).toBeEditable()
		await picker(page).setInputFiles(await jpeg('medium.jpg', 4400, 3300))
		await expect(other).not.toBeChecked()
	},
)

test('[W99] files wait with their message, survive a reload, and are sent once; a message that waits can be stopped', async ({
	school,
	enter,
}) => {
	const { budi, citra, discussion, path } = await openClass(school)
	const page = await enter(school, budi, { path })
	const her = await enter(school, citra, { path })
	await expect(composer(page)).toBeEditable()
	await intercept(page, '**/api/uploads/**', (route) => route.abort())
	await intercept(page, '**/api/messages', (route) => route.abort())
	await picker(page).setInputFiles([await jpeg('waits.jpg'), pdf])
	await expect(picked(page)).toHaveCount(2)
	await write(page, 'With files.')
	await expectWaiting(page, 'With files.')
	await expect(letter(page, 'With files.').getByRole('img', { name: 'Photo: waits.jpg' })).toBeVisible()
	await page.reload()
	await expectWaiting(page, 'With files.')
	await expect
		.poll(() =>
			letter(page, 'With files.')
				.getByRole('img', { name: 'Photo: waits.jpg' })
				.evaluate((image: HTMLImageElement) => image.naturalWidth),
		)
		.toBe(800)

	// Stopped: its text and its files are back.
	await letter(page, 'With files.').getByRole('button', { name: 'Don’t send' }).click()
	await expect(letters(page)).toHaveCount(0)
	await expect(composer(page)).toHaveValue('With files.')
	await expect(picked(page)).toHaveText([/waits\.jpg/, /Homework\.pdf/])
	await composer(page).press('Enter')
	await expectWaiting(page, 'With files.')
	await page.unroute('**/api/uploads/**')
	await page.unroute('**/api/messages')
	await expectStored(page, 'With files.')
	await expect(letter(her, 'With files.').getByRole('img', { name: 'Photo: waits.jpg' })).toBeVisible()
	expect(await attachments(budi, discussion)).toEqual([['waits.jpg', 'Homework.pdf']])
})

test('[W99] what is sent while a picture is still being looked at goes when that is done', async ({ school, enter }) => {
	const { budi, discussion, path } = await openClass(school)
	const page = await enter(school, null)
	await page.context().addCookies([{ name: 'session', value: budi.token, url: school.url }])
	await page.addInitScript(() => {
		const Real = window.Image
		window.Image = class extends Real {
			override set src(url: string) {
				setTimeout(() => this.setAttribute('src', url), 2_000)
			}
		}
	})
	await page.goto(`${school.url}${path}`)
	await expect(composer(page)).toBeEditable()
	await picker(page).setInputFiles([await jpeg('slow.jpg'), pdf])
	await expect(picked(page)).toHaveCount(2)
	await write(page, 'Sent at once.')
	await expect(page.getByText('Goes as soon as the files are ready.')).toBeVisible()
	await expectStored(page, 'Sent at once.')
	await expect(composer(page)).toHaveValue('')
	expect(await attachments(budi, discussion)).toEqual([['slow.jpg', 'Homework.pdf']])
})

test('[W99] without a network files wait on the device and say so', async ({ school, enter }) => {
	const { budi, discussion, path } = await openClass(school)
	const page = await enter(school, budi, { path })
	await expect(composer(page)).toBeEditable()
	await page.context().setOffline(true)
	await picker(page).setInputFiles(await jpeg('offline.jpg'))
	await expect(picked(page)).toHaveCount(1)
	await write(page, 'From the train.')
	await expectWaiting(page, 'From the train.')
	await expect(letter(page, 'From the train.')).toContainText(/on this device|tried again/)
	await page.context().setOffline(false)
	await expectStored(page, 'From the train.')
	expect(await attachments(budi, discussion)).toEqual([['offline.jpg']])
})

test('[W99] when the server is killed in the middle of an upload, the message and its files arrive once', async ({ enter }) => {
	const school = await openSchool()
	try {
		const { budi, citra, discussion, path } = await openClass(school)
		const page = await enter(school, budi, { path })
		const her = await enter(school, citra, { path })
		await expect(composer(page)).toBeEditable()
		const session = await page.context().newCDPSession(page)
		await session.send('Network.enable')
		await session.send('Network.emulateNetworkConditions', {
			offline: false,
			latency: 0,
			downloadThroughput: -1,
			uploadThroughput: 300 * 1024,
		})
		const large = { name: 'large.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(6 * 1024 * 1024, 7) }
		await picker(page).setInputFiles([await jpeg('small.jpg'), large])
		await expect(picked(page)).toHaveCount(2)
		await write(page, 'A large one.')
		await expect(letter(page, 'A large one.').getByText(/^Sending: [1-9][\d.]* MB of/)).toBeVisible()
		await school.kill()
		await expectWaiting(page, 'A large one.')
		await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
		await school.start()
		await expectStored(page, 'A large one.')
		await expect(letter(her, 'A large one.')).toHaveCount(1)
		await expect(letter(her, 'A large one.').getByRole('link', { name: /large\.bin/ })).toBeVisible()
		expect(await attachments(budi, discussion)).toEqual([['small.jpg', 'large.bin']])
	} finally {
		await school.close()
	}
})

test('[W93] pictures that come late move nothing', { tag: '@looks' }, async ({ school, enter }) => {
	const { budi, citra, discussion } = await openClass(school)
	const upload = uploader(school, citra)
	const sizes = [
		[1600, 1200],
		[600, 1600],
		[40, 40],
	] as const
	for (const [width, height] of sizes) {
		const picture = await upload(`${width}.jpg`, await photo(width, height))
		await school.say(citra, discussion, `A picture of ${width}.`, { uploads: [picture] })
	}
	await budi.call('setRead', { id: discussion.id, upTo: Number.MAX_SAFE_INTEGER })
	const page = await enter(school, budi, { path: '/' })
	let let_go: () => void = () => {}
	const gate = new Promise<void>((resolve) => {
		let_go = resolve
	})
	await intercept(page, '**/api/files/**', async (route) => {
		await gate
		await route.continue()
	})
	await page.getByRole('link', { name: /Should phones/ }).click()
	await expect(letter(page, 'A picture of 40.')).toBeInViewport()
	const places = () => letters(page).evaluateAll((all) => all.map((article) => article.getBoundingClientRect().toJSON()))
	const before = await places()
	let_go()
	const last = letter(page, 'A picture of 40.').getByRole('img', { name: 'Photo: 40.jpg' })
	await expect.poll(() => last.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth)).toBe(40)
	expect(await places()).toEqual(before)
	// A tall picture keeps its shape and does not fill the page.
	const tall = await letter(page, 'A picture of 600.').getByRole('img', { name: 'Photo: 600.jpg' }).boundingBox()
	expect(tall?.height).toBeLessThanOrEqual(302)
})

const uploader = (school: School, who: Someone) => (name: string, bytes: Buffer<ArrayBuffer>) => upload(school, who, name, bytes)

for (const phone of [false, true])
	test(`[W94] the viewer shows a picture large, its neighbours, closer and away, and gives the focus back (${phone ? 'phone' : 'desktop'})`, {
		tag: '@looks',
	}, async ({ school, enter }) => {
		const { budi, citra, discussion, path } = await openClass(school)
		const upload = uploader(school, citra)
		const names = ['first.jpg', 'second.jpg', 'third.jpg']
		for (const name of names) await school.say(citra, discussion, name, { uploads: [await upload(name, await photo(2400, 1600))] })
		await budi.call('setRead', { id: discussion.id, upTo: Number.MAX_SAFE_INTEGER })
		const page = await enter(school, budi, { path, phone })
		const opener = page.getByRole('region', { name: 'Messages' }).getByRole('button', { name: 'Photo: second.jpg' })
		await expect(opener).toBeVisible()
		await opener.click()
		const viewer = page.getByRole('dialog')
		await expect(viewer).toContainText('Citra Ayu Lestari')
		const shown = viewer.getByRole('img', { name: 'Photo: second.jpg' })
		await expect(shown).toBeVisible()
		await expect.poll(() => shown.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1600)
		const frame = page.viewportSize()
		const whole = await shown.boundingBox()
		expect(whole?.width).toBeLessThanOrEqual(frame?.width ?? 0)
		expect((whole?.y ?? 0) + (whole?.height ?? 0)).toBeLessThanOrEqual((frame?.height ?? 0) + 1)

		await page.keyboard.press('+')
		await expect.poll(async () => (await shown.boundingBox())?.width).toBeCloseTo((whole?.width ?? 0) * 1.4, 0)
		// Looked at closely, all of it is fetched.
		await expect.poll(() => viewer.locator('[data-whole]').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(2400)
		await page.keyboard.press('-')
		await expect.poll(async () => (await shown.boundingBox())?.width).toBeCloseTo(whole?.width ?? 0, 0)
		const middle = { x: (whole?.x ?? 0) + (whole?.width ?? 0) / 2, y: (whole?.y ?? 0) + (whole?.height ?? 0) / 2 }
		await page.mouse.dblclick(middle.x, middle.y)
		await expect.poll(async () => (await shown.boundingBox())?.width).toBeCloseTo((whole?.width ?? 0) * 2.5, 0)
		await page.mouse.move(middle.x, middle.y)
		await page.mouse.down()
		await page.mouse.move(middle.x - 80, middle.y, { steps: 4 })
		await page.mouse.up()
		await expect.poll(async () => (await shown.boundingBox())?.x).toBeLessThan((whole?.x ?? 0) - (whole?.width ?? 0) * 0.75)
		await page.mouse.dblclick(middle.x, middle.y)
		if (!phone) {
			await page.mouse.wheel(0, -400)
			await expect.poll(async () => (await shown.boundingBox())?.width).toBeGreaterThan((whole?.width ?? 0) * 1.5)
			await page.keyboard.press('0')
		}

		await page.keyboard.press('ArrowRight')
		await expect(viewer.getByRole('img', { name: 'Photo: third.jpg' })).toBeVisible()
		await expect(viewer.getByRole('button', { name: 'The next picture' })).toHaveCount(0)
		await page.keyboard.press('ArrowLeft')
		await page.keyboard.press('ArrowLeft')
		await expect(viewer.getByRole('img', { name: 'Photo: first.jpg' })).toBeVisible()
		// The focus stays inside.
		for (let n = 0; n < 8; n++) {
			await page.keyboard.press('Tab')
			expect(await page.evaluate(() => document.activeElement?.closest('[role=dialog]') !== null)).toBe(true)
		}
		await page.keyboard.press('Escape')
		await expect(viewer).toHaveCount(0)
		await expect(opener).toBeFocused()
	})

test('[W94] beside the discussion stand its pictures and files, and open there', { tag: '@looks' }, async ({ school, enter }) => {
	const { siti, budi, citra, discussion, path } = await openClass(school)
	const upload = uploader(school, citra)
	await school.say(citra, discussion, 'One.', { uploads: [await upload('one.jpg', await photo(800, 600))] })
	await school.say(citra, discussion, 'Sheet.', { uploads: [await upload('sheet.pdf', pdf.buffer)] })
	for (let n = 0; n < 60; n++) await school.say(siti, discussion, `Talk ${n}.`)
	const page = await enter(school, budi, { path })
	const about = page.getByRole('complementary', { name: 'About this discussion' })
	await expect(about.getByRole('button', { name: 'Photo: one.jpg' })).toBeVisible()
	await expect(about.getByRole('link', { name: /Download sheet\.pdf/ })).toBeVisible()
	const another = await upload('another.jpg', await photo(300, 300))
	await school.say(citra, discussion, 'Another.', { uploads: [another] })
	await expect(about.getByRole('button', { name: 'Photo: another.jpg' })).toBeVisible()
	await about.getByRole('button', { name: 'Photo: one.jpg' }).click()
	await expect(page.getByRole('dialog').getByRole('img', { name: 'Photo: one.jpg' })).toBeVisible()
	await page.keyboard.press('ArrowRight')
	await expect(page.getByRole('dialog').getByRole('img', { name: 'Photo: another.jpg' })).toBeVisible()
})

for (const host of ['localhost', schoolName])
	test(`[W102] an emoji is picked by mouse and keyboard, and stands where the caret was (${host})`, { tag: '@looks' }, async ({
		school,
		enter,
	}) => {
		const { budi, path } = await openClass(school)
		const page = await enter(school, budi, { path, host })
		const foreign: string[] = []
		page.on(
			'request',
			(request) => !request.url().startsWith(`http://${host}`) && !/^(blob|data):/.test(request.url()) && foreign.push(request.url()),
		)
		await composer(page).fill('Hello friends')
		await composer(page).evaluate((field: HTMLTextAreaElement) => field.setSelectionRange(5, 5))
		await page.getByRole('button', { name: 'Emoji', exact: true }).click()
		await expect(page.getByRole('combobox', { name: 'Search' })).toBeFocused()
		// At once: each letter would be a search of its own, whose results come one after another.
		await page.keyboard.insertText('thumbs up')
		await expect(page.getByRole('option').first()).toHaveAccessibleName(/thumbs up/)
		await page.keyboard.press('ArrowDown')
		await page.keyboard.press('Enter')
		await expect(composer(page)).toHaveValue(/^Hello👍\ufe0f? friends$/u)
		await expect(composer(page)).toBeFocused()
		expect(await composer(page).evaluate((field: HTMLTextAreaElement) => field.value.slice(field.selectionStart))).toBe(' friends')
		expect(foreign).toEqual([])
		await expect(messageList(page)).toBeVisible()
	})
