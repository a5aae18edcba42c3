/**
 * How a discussion looks and feels with everything in it: pictures, files, links, the unread line, previews,
 * and the dialogs over it.
 */
import type { Page } from '@playwright/test'
import { composer, expect, intercept, letter, messageList, openClass, photo, test, upload } from './fixtures.ts'
import { expectFine } from './looking.ts'
import type { School } from './school.ts'

const sheet = Buffer.from('%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF')

async function openRoom(school: School) {
	const { siti, budi, citra, group } = await openClass(school)
	const omar = await school.join('student', 'عمر الفاروق')
	const second = await school.group('English B', siti, omar)
	const prompt = 'Some schools lock students’ phones away during lessons. Is that fair? Give one reason.'
	const both = await school.discussion(siti, 'Should phones stay in the bag?', prompt, [group, second])
	const pupils = await Promise.all(Array.from({ length: 9 }, (_, n) => school.join('student', `Pupil ${n}`)))
	await school.admin.call('addMembers', { id: group.id, users: pupils.map(({ me }) => me.id) })
	const first = await school.say(citra, both, 'I looked at mine 31 times. See https://google.com@evil.example/a and https://example.org/b')
	await school.say(omar, both, 'قرأت هذا في الجريدة: “bent over our screens”.')
	const small = async (name: string) => upload(school, citra, name, await photo(400, 300))
	await school.say(citra, both, 'Our classroom.', { uploads: [await upload(school, citra, 'classroom.jpg', await photo(1600, 1200))] })
	await school.say(citra, both, '', { uploads: [await small('a.jpg'), await small('b.jpg'), await small('c.jpg')] })
	const long = 'Homework for Monday, with a name that is too long for a line of a small screen.pdf'
	await school.say(siti, both, 'For Monday.', { group: null, uploads: [await upload(school, siti, long, sheet)] })
	const { messages } = await budi.call('listMessages', { id: both.id })
	await budi.call('setRead', { id: both.id, upTo: messages.find(({ text }) => text === 'Our classroom.')?.seq ?? 0 })
	await school.say(siti, both, Array.from({ length: 40 }, (_, n) => `Line ${n + 1} of forty.`).join('\n'), { group: null })
	await school.say(citra, both, 'An answer.', { replyTo: first })
	return { siti, budi, citra, path: `/d/${both.id}` }
}

interface Name {
	about: string
	date: string
	emoji: string
	photo: RegExp
	people: RegExp
	messages: string
}
const names: Record<'en-GB' | 'id-ID', Name> = {
	'en-GB': {
		about: 'About this discussion',
		date: 'Go to a date',
		emoji: 'Emoji',
		photo: /^Photo: classroom/,
		people: /^and \d+ more$/,
		messages: 'Messages',
	},
	'id-ID': {
		about: 'Tentang diskusi ini',
		date: 'Ke tanggal tertentu',
		emoji: 'Emoji',
		photo: /^Foto: classroom/,
		people: /^dan \d+ lainnya$/,
		messages: 'Pesan',
	},
}

for (const phone of [false, true])
	for (const language of ['en-GB', 'id-ID'] as const)
		test(`[W42] a discussion with all that can be in it is for everybody (${phone ? 'phone' : 'desktop'}, ${language})`, async ({
			school,
			enter,
		}) => {
			test.setTimeout(240_000)
			const { siti, budi, path } = await openRoom(school)
			const says = names[language]
			const page = await enter(school, budi, { path, phone, language })
			const dialog = page.getByRole('dialog')
			const room = page.getByRole('region', { name: says.messages, exact: true })
			await expect(page.getByRole('separator')).toBeInViewport()
			await expectFine(page, 'discussion unread')
			expect(await cutOff(page)).toEqual([])

			await page.locator('[data-pick=files]').setInputFiles([
				{ name: 'IMG_20261123_090412.jpg', mimeType: 'image/jpeg', buffer: await photo(4400, 3300, 60) },
				{ name: 'Notes.pdf', mimeType: 'application/pdf', buffer: sheet },
				{ name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
			])
			await expect(page.getByRole('checkbox')).toBeVisible()
			await expect(page.getByRole('alert')).toContainText('empty.txt')
			await expect(page.locator('[aria-busy=true]')).toHaveCount(0)
			await expectFine(page, 'discussion files picked')

			await page.getByRole('button', { name: says.emoji, exact: true }).click()
			await page.locator('emoji-picker').getByRole('menuitem').first().waitFor()
			await expectFine(page, 'discussion emoji')
			await page.keyboard.press('Escape')

			if (phone) {
				await page.getByRole('button', { name: says.about }).click()
				await dialog.waitFor()
				await dialog.getByRole('button', { name: says.photo }).waitFor()
				await expectFine(page, 'discussion about')
			}
			await page.getByRole('button', { name: says.people }).click()
			await dialog.last().getByText('Pupil 8').waitFor()
			await expectFine(page, 'discussion people')
			await page.keyboard.press('Escape')
			if (phone) await page.keyboard.press('Escape')
			await expect(dialog).toHaveCount(0)

			await scrollTo(page, room.getByRole('button', { name: says.photo }), says.messages)
			await expectFine(page, 'discussion pictures')
			expect(await cutOff(page)).toEqual([])
			await room.getByRole('button', { name: says.photo }).click()
			await dialog.getByRole('img', { name: says.photo }).waitFor()
			await expectFine(page, 'discussion viewer')
			await page.keyboard.press('Escape')
			await expect(dialog).toHaveCount(0)

			if (!phone) {
				await page.getByRole('button', { name: says.date }).click()
				await dialog.waitFor()
				await expectFine(page, 'discussion date')
			}

			const hers = await enter(school, siti, { path, phone, language })
			await hers.getByRole('combobox').first().waitFor()
			await expect(letter(hers, 'See https').first()).toBeVisible()
			await expectFine(hers, 'discussion lecturer')
			await hers.getByPlaceholder(/^(Write|Tulis)/).fill('A sentence that is being written.')
			await hers.getByText(/^(Draft saved|Draf tersimpan)/).waitFor({ state: phone ? 'attached' : 'visible' })
			await expectFine(hers, 'discussion lecturer writing')
		})

/** What of the letters is cut off at the side of their list, which does not scroll sideways. */
function cutOff(page: Page): Promise<string[]> {
	return page.locator('article').evaluateAll((articles) =>
		articles
			.flatMap((article) => [...article.querySelectorAll('button, img, p, a')])
			.filter((element) => element.getBoundingClientRect().right > (element.closest('section')?.getBoundingClientRect().right ?? 0))
			.map((element) => element.outerHTML.slice(0, 100)),
	)
}

/** Up, page by page, until it is there. */
async function scrollTo(page: Page, target: ReturnType<Page['getByRole']>, messages: string): Promise<void> {
	const list = page.getByRole('region', { name: messages, exact: true }).locator('> div').first()
	await expect(async () => {
		await list.evaluate((element) => element.scrollBy(0, -300))
		await expect(target).toBeInViewport({ ratio: 0.9, timeout: 300 })
	}).toPass()
}

test('[W42] what waits in a discussion and what was refused is for everybody too', async ({ school, enter }) => {
	const { budi, path } = await openRoom(school)
	const page = await enter(school, budi, { path, phone: true })
	await expect(composer(page)).toBeEditable()
	await intercept(page, '**/api/uploads/**', (route) => route.abort())
	await page.locator('[data-pick=files]').setInputFiles({ name: 'waits.jpg', mimeType: 'image/jpeg', buffer: await photo(800, 600) })
	await expect(page.getByRole('list', { name: 'Attached' }).getByRole('listitem')).toHaveCount(1)
	await page.getByRole('button', { name: 'Send', exact: true }).click()
	await expect(page.getByRole('button', { name: 'Don’t send' })).toBeVisible()
	await expect(messageList(page)).toBeVisible()
	await expectFine(page, 'discussion waiting')
})
