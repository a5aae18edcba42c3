/**
 * Takes the pictures: docs/images/*.png for the README, and every screen on phone and desktop, light
 * and dark, in both languages into a temporary folder, to be looked at.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type Page, test } from '@playwright/test'
import { openSchool, password, type School, type Someone } from './school.ts'

const images = join(import.meta.dirname, '../../docs/images')
const folder = process.env.SCREENSHOTS_DIR ?? mkdtempSync(join(tmpdir(), 'english-chat-screens-'))
const only = process.env.SCREENSHOTS_ONLY

const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } }

interface Scene {
	name: string
	who?: Someone
	path: string
	/** Brings the screen into its state. */
	act?(page: Page): Promise<unknown>
}

test('screenshots', async ({ browser }) => {
	const bare = await openSchool({ bare: true })
	const school = await openSchool()
	try {
		const scenes = await play(school)
		if (!only) {
			const setUp = { name: 'set-up', path: `/setup#${bare.setUpToken}` }
			const wide = { language: 'en', scheme: 'light', viewport: sizes.desktop, phone: false } as const
			const tall = { language: 'en', scheme: 'dark', viewport: sizes.phone, phone: true } as const
			await take(browser, bare, setUp, wide, join(folder, 'set-up-desktop-light-en.png'))
			const discussion = scenes.find(({ name }) => name === 'discussion') as Scene
			await take(browser, school, discussion, wide, join(images, 'discussion.png'))
			await take(browser, school, discussion, tall, join(images, 'phone.png'))
		}
		for (const language of ['en', 'id'] as const)
			for (const scheme of ['light', 'dark'] as const)
				for (const [size, viewport] of Object.entries(sizes)) {
					const look = { language, scheme, viewport, phone: size === 'phone' }
					for (const scene of scenes) {
						if (only && !`${scene.name} ${size} ${scheme} ${language}`.match(only)) continue
						await take(browser, school, scene, look, join(folder, `${scene.name}-${size}-${scheme}-${language}.png`))
					}
				}
		console.log(`Every screen is in ${folder}`)
	} finally {
		await bare.close()
		await school.close()
	}
})

interface Look {
	language: 'en' | 'id'
	scheme: 'light' | 'dark'
	viewport: { width: number; height: number }
	phone: boolean
}

async function take(browser: Browser, school: School, scene: Scene, look: Look, path: string): Promise<void> {
	const context = await browser.newContext({
		viewport: look.viewport,
		colorScheme: look.scheme,
		locale: look.language === 'id' ? 'id-ID' : 'en-GB',
		timezoneId: 'Asia/Jakarta',
		hasTouch: look.phone,
		isMobile: look.phone,
		deviceScaleFactor: 1,
	})
	if (scene.who) await context.addCookies([{ name: 'session', value: scene.who.token, url: school.url }])
	const page = await context.newPage()
	page.on('pageerror', (error) => console.log(scene.name, error.message))
	page.on('console', (line) => line.type() === 'error' && console.log(scene.name, line.text()))
	await page.goto(school.url + scene.path)
	await page.locator('h1').first().waitFor()
	await page.waitForTimeout(300)
	await scene.act?.(page)
	await page.evaluate(() => document.fonts.ready)
	await page.waitForTimeout(350)
	await page.screenshot({ path, animations: 'disabled' })
	await context.close()
}

/** A small class with something to say. */
async function play(school: School): Promise<Scene[]> {
	const siti = await school.join('lecturer', 'Dr. Siti Rahmawati')
	const budi = await school.join('student', 'Budi Santoso')
	const citra = await school.join('student', 'Citra Ayu Lestari')
	const lukasz = await school.join('student', 'Łukasz Żółć')
	const omar = await school.join('student', 'عمر الفاروق')
	const newcomer = await school.join('student', 'Putri Wulandari')
	const fresh = await school.join('lecturer', 'Hendra Gunawan')
	const waiting = await school.register('student', 'Rizky Pratama')
	await school.register('student', 'Ni Luh Ayu Kartika Sari Dewi Maharani')
	await school.register('lecturer', 'James O’Connor')
	const refused = await school.register('student', 'Somebody Else')
	await school.admin.call('setStatus', {
		id: refused.me.id,
		status: 'rejected',
		reason: 'We have no student of this name. Please register with your full name.',
	})

	const a = await school.group('English A', siti, budi, citra, lukasz, omar)
	const b = await school.group('English B', siti, lukasz)
	await school.group('Reading circle, Thursday', siti)
	const closed = await school.discussion(
		siti,
		'Introduce yourself',
		'Say hello: who you are, where you are from, one thing you can cook.',
		[a],
	)
	await school.say(budi, closed, 'I am Budi from Solo. I can cook rice. Only rice.')
	await siti.call('editDiscussion', { id: closed.id, status: 'closed' })
	const empty = await school.discussion(
		siti,
		'Chapter 3: what did the letter say, and why was it never sent?',
		'Answer before you read the others.',
		[a, b],
	)
	const place = await school.discussion(siti, 'A place you would show a visitor', 'Describe it so well that we want to go.', [a])
	await school.say(budi, place, 'The market in Pasar Gede opens at four in the morning, and at five the best food is gone.')
	const long = await school.discussion(siti, 'Words we did not know', 'One word a day, with a sentence of your own.', [a])
	for (let n = 1; n <= 130; n++)
		await school.say(
			[citra, lukasz, budi][n % 3] as Someone,
			long,
			`Word ${n}: “nevertheless”. It rained; nevertheless we walked, and it was a long way to the river and back.`,
		)

	const phones = await school.discussion(
		siti,
		'Should phones stay in the bag?',
		'Some schools lock students’ phones away during lessons. Is that fair? Give one reason, one example from your own life, and answer at least one classmate.',
		[a, b],
	)
	const first = await school.say(
		citra,
		phones,
		'I think phones should stay in the bag. Last week I have counted: I looked at mine 31 times in one lesson, and I do not remember why.',
	)
	await school.say(citra, phones, 'My grandmother says we listen with our eyes. When the eyes are on the phone, the ears are closed 🙂')
	await school.say(lukasz, phones, '31 times! But a dictionary is also in my phone. If you lock it, you lock my English.', {
		group: a.id,
		replyTo: first,
	})
	const mine = await school.say(budi, phones, 'Last year everybody in our classroom was looking down.')
	await budi.call('editMessage', {
		id: mine,
		edit: `${mine.slice(0, 8)}${'0'.repeat(16)}`,
		text: 'Here is our classroom last year: everybody is looking down. I am the one at the window, and yes, I am looking down too.',
	})
	await school.say(siti, phones, 'Thank you, Budi. “Looking down” is a lovely phrase to build on. Who can find a synonym?', { group: null })
	await school.say(omar, phones, '“Bent over our screens”, I read it in a newspaper yesterday.')
	const gone = await school.say(budi, phones, 'Oops, wrong discussion.')
	await budi.call('setRemoved', { id: gone, removed: true })
	await school.say(budi, phones, '“Glued to our phones” is what my father says every dinner.')
	await school.say(budi, phones, 'And then his phone rings.')

	const write = async (page: Page) =>
		page.getByRole('textbox', { name: /message|Pesan/ }).fill('I agree with Łukasz that a dictionary helps, but')
	const at = (discussion: { id: string }) => `/d/${discussion.id}`
	return [
		{ name: 'sign-in', path: '/sign-in' },
		{
			name: 'sign-in-wrong',
			path: '/sign-in',
			async act(page) {
				await page.locator('[name=email]').fill('budi@school.test')
				await page.locator('[name=password]').fill('something else')
				await page.locator('[type=submit]').click()
			},
		},
		{ name: 'register', path: '/register' },
		{
			name: 'register-wrong',
			path: '/register',
			async act(page) {
				await page.locator('[name=email]').fill('budi')
				await page.locator('[name=password]').fill(password.slice(0, 3))
				await page.locator('[type=submit]').click()
			},
		},
		{ name: 'waiting', who: waiting, path: '/' },
		{ name: 'rejected', who: refused, path: '/' },
		{ name: 'people', who: school.admin, path: '/people' },
		{ name: 'people-approved', who: school.admin, path: '/people', act: (page) => choose(page, 1) },
		{ name: 'people-rejected', who: school.admin, path: '/people', act: (page) => choose(page, 2) },
		{
			name: 'people-reject',
			who: school.admin,
			path: '/people',
			act: (page) =>
				page
					.getByRole('button', { name: /^(Reject|Tolak) / })
					.first()
					.click(),
		},
		{ name: 'groups', who: siti, path: '/groups' },
		{ name: 'group', who: school.admin, path: `/groups/${a.id}`, act: (page) => page.locator('[type=search]').fill('l') },
		{ name: 'groups-student', who: budi, path: '/groups' },
		{ name: 'home', who: budi, path: '/' },
		{ name: 'home-admin', who: school.admin, path: '/' },
		{ name: 'home-newcomer', who: newcomer, path: '/' },
		{ name: 'home-new-lecturer', who: fresh, path: '/' },
		{ name: 'start', who: siti, path: '/new' },
		{ name: 'discussion', who: budi, path: at(phones), act: write },
		{ name: 'discussion-lecturer', who: siti, path: at(phones) },
		{ name: 'discussion-empty', who: budi, path: at(empty) },
		{ name: 'discussion-closed', who: budi, path: at(closed) },
		{ name: 'discussion-long', who: budi, path: at(long) },
		{
			name: 'discussion-reply',
			who: budi,
			path: at(phones),
			async act(page) {
				const letter = page.locator('article').filter({ hasText: 'lovely phrase' })
				if ((page.viewportSize()?.width ?? 0) < 500) await letter.tap()
				else await letter.hover()
				await letter.getByRole('button', { name: /Reply|Balas/ }).click()
			},
		},
		{
			name: 'discussion-offline',
			who: budi,
			path: at(place),
			async act(page) {
				await page.context().setOffline(true)
				await page.getByRole('textbox').fill('And the coffee there is older than my grandfather.')
				await page.locator('[type=submit]').click()
				await page.waitForTimeout(1500)
			},
		},
		{ name: 'earlier', who: budi, path: at(phones), act: (page) => page.getByRole('button', { name: /^(edited|diubah)$/ }).click() },
		{
			name: 'about',
			who: budi,
			path: at(long),
			act: async (page) => (page.viewportSize()?.width ?? 0) < 500 && page.getByRole('button', { name: /About|Tentang/ }).click(),
		},
		{
			name: 'refused',
			who: citra,
			path: at(place),
			async act(page) {
				const detail = 'The discussion is closed.'
				const problem = { type: '/api/docs#discussion_closed', title: 'Closed', status: 409, code: 'discussion_closed', detail }
				await page.route('**/api/messages', (route) =>
					route.fulfill({ status: 409, json: problem, contentType: 'application/problem+json' }),
				)
				await page.getByRole('textbox').fill('I would show them the river at six in the morning, when nobody is there but the fishermen.')
				await page.locator('[type=submit]').click()
				await page.locator('[data-safety=refused]').waitFor()
			},
		},
		{
			name: 'sign-out',
			who: lukasz,
			path: at(phones),
			async act(page) {
				await page.route('**/api/messages', (route) => route.abort())
				await page.locator('select').selectOption({ index: 1 })
				await page.getByRole('textbox').fill('One more thing.')
				await page.locator('[type=submit]').click()
				await page.locator('[data-safety=device]').waitFor()
				if ((page.viewportSize()?.width ?? 0) < 500) await page.locator('header a').first().click()
				await page.getByRole('button', { name: /Łukasz/ }).click()
				await page.getByRole('menuitem').last().click()
			},
		},
		{
			name: 'removed',
			who: omar,
			path: at(phones),
			async act(page) {
				const back = page.getByRole('button', { name: /Put back|Kembalikan/ })
				if (await back.count()) await back.click()
				const letter = page.locator('article').filter({ hasText: 'Bent over' })
				if ((page.viewportSize()?.width ?? 0) < 500) await letter.tap()
				else await letter.hover()
				await letter.getByRole('button', { name: /Remove|Hapus/ }).click()
				await page.getByRole('button', { name: /Undo|Urungkan/ }).waitFor()
				await page.waitForTimeout(200)
			},
		},
		{ name: 'menu', who: budi, path: '/', act: (page) => page.getByRole('button', { name: /Budi Santoso/ }).click() },
		{ name: 'account', who: budi, path: '/account' },
		{ name: 'not-found', who: budi, path: '/nowhere' },
		{ name: 'not-here', who: budi, path: `/d/${'0'.repeat(24)}` },
	]
}

async function choose(page: Page, option: number): Promise<void> {
	const select = page.locator('select')
	if (await select.count()) await select.selectOption({ index: option })
	else await page.locator('.mantine-SegmentedControl-label').nth(option).click()
}
