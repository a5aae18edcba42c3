/**
 * Takes the pictures: docs/images/*.png for the README, and every screen on phone and desktop, light
 * and dark, in both languages into a folder, to be looked at.
 *
 * `SCREENSHOTS_DIR` says which folder, `SCREENSHOTS_ONLY` which scenes: a pattern for "name size scheme language", or `readme`.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, expect, type Page, test } from '@playwright/test'
import { fillBackups } from './backup-scenes.ts'
import { placeOf, type Scene, scenesOf } from './scenes.ts'
import { openSchool, type School, type Someone } from './school.ts'
import { tellStory } from './story.ts'

const images = join(import.meta.dirname, '../../docs/images')
const folder = process.env.SCREENSHOTS_DIR ?? mkdtempSync(join(tmpdir(), 'english-chat-screens-'))
const only = process.env.SCREENSHOTS_ONLY

const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } }

const reading = /\/api\/discussions\/\w+\/read$/

interface Look {
	language: 'en' | 'id'
	scheme: 'light' | 'dark'
	size: 'phone' | 'desktop'
}

/** What pages complained of. */
let complaints: string[] = []

// A school for each language, since what is said in one is read in the other.
for (const language of ['en', 'id'] as const)
	test(`screenshots, ${language}`, async ({ browser }) => {
		const bare = await openSchool({ bare: true })
		const school = await openSchool()
		complaints = []
		try {
			const story = await tellStory(school)
			await fillBackups(school)
			const scenes = scenesOf(school, story)
			await beThere(browser, school, `/d/${story.phones.id}`, [story.siti, story.citra, story.lukasz])
			if (language === 'en' && (!only || 'readme'.match(only))) {
				const readme = scenes.find(({ name }) => name === 'discussion') as Scene
				await take(browser, school, readme, { language, scheme: 'light', size: 'desktop' }, join(images, 'discussion.png'))
				await take(browser, school, readme, { language, scheme: 'dark', size: 'phone' }, join(images, 'phone.png'))
			}
			for (const scheme of ['light', 'dark'] as const)
				for (const size of ['phone', 'desktop'] as const) {
					const look = { language, scheme, size }
					const name = (scene: Scene) => `${scene.name} ${size} ${scheme} ${language}`
					const setUp = { name: 'set-up', path: `/setup#${bare.setUpToken}` }
					for (const scene of [setUp, ...scenes]) {
						if (only && !name(scene).match(only)) continue
						await take(browser, scene === setUp ? bare : school, scene, look, join(folder, `${name(scene).replaceAll(' ', '-')}.png`))
					}
				}
			console.log(`Every screen is in ${folder}`)
			expect(complaints).toEqual([])
		} finally {
			await bare.close()
			await school.close()
		}
	})

async function open(browser: Browser, school: School, who: Someone | undefined, { language, scheme, size }: Look): Promise<Page> {
	const context = await browser.newContext({
		viewport: sizes[size],
		colorScheme: scheme,
		locale: language === 'id' ? 'id-ID' : 'en-GB',
		timezoneId: 'Asia/Jakarta',
		hasTouch: size === 'phone',
		isMobile: size === 'phone',
		deviceScaleFactor: 1,
		// While one takes a page over, some requests go past what answers in the server's place.
		serviceWorkers: 'block',
	})
	if (who) await context.addCookies([{ name: 'session', value: who.token, url: school.url }])
	const page = await context.newPage()
	// What is new stays new in every picture.
	await page.route(reading, (route) => route.abort())
	return page
}

/** These people are in the discussion while its pictures are taken. */
async function beThere(browser: Browser, school: School, path: string, people: Someone[]): Promise<void> {
	for (const who of people) {
		const page = await open(browser, school, who, { language: 'en', scheme: 'light', size: 'desktop' })
		await page.goto(school.url + path)
		await page.locator('article').first().waitFor()
	}
}

async function take(browser: Browser, school: School, scene: Scene, look: Look, path: string): Promise<void> {
	const page = await open(browser, school, scene.who, look)
	const complain = (text: string) => {
		// Browsers themselves name every answer that is not 2xx: a stranger's “who am I”, and what a scene has refused.
		if (text.startsWith('Failed to load resource') && (scene.complains || (!scene.who && text.includes('401')))) return
		if (scene.complains && text.startsWith('WebSocket connection')) return
		complaints.push(`${scene.name}: ${text}`)
		console.log(complaints.at(-1))
	}
	page.on('pageerror', (error) => complain(error.message))
	page.on('console', (line) => line.type() === 'error' && !reading.test(line.location().url) && complain(line.text()))
	try {
		await page.goto(school.url + scene.path)
		await page.locator('h1').first().waitFor()
		await scene.act?.(page, placeOf(page, look.language, look.size === 'phone'))
		await page.evaluate(() => document.fonts.ready)
		await page.waitForTimeout(500)
	} catch (error) {
		complain(`not shown: ${String(error).split('\n').slice(0, 4).join(' ')}`)
	}
	await page.screenshot({ path, animations: 'disabled' })
	// Whoever leaves tells once more what she has read, and nobody answers for the server any more.
	page.removeAllListeners('console')
	await page.context().setOffline(true)
	await page.context().close()
	await scene.after?.()
}
