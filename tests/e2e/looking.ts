/**
 * Looking at a screen in a browser test: axe in both themes, what sticks out, what a finger can't hit, where Tab leads.
 *
 * With LOOK=folder it also takes a picture of every screen that is looked at.
 */
import { expect, type Locator, type Page } from '@playwright/test'
import { expectAccessible, misplacedMarks, smallTargets } from './accessible.ts'
import type { Enter } from './fixtures.ts'
import type { School, Someone } from './school.ts'

export const field = (page: Page, label: string | RegExp): Locator => page.getByLabel(label, { exact: true })
export const button = (page: Page, name: string | RegExp): Locator => page.getByRole('button', { name, exact: true })

/** Light and dark have the same elements: only what can differ between them is looked at twice. */
export async function expectFine(page: Page, screen: string): Promise<void> {
	const { width = 0 } = page.viewportSize() ?? {}
	const language = await page.locator('html').getAttribute('lang')
	// Nor has the dark to do with the language.
	for (const scheme of language === 'en' ? (['dark', 'light'] as const) : (['light'] as const)) {
		await page.emulateMedia({ colorScheme: scheme })
		await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', scheme)
		await expectAccessible(page, `${screen}, ${scheme}`, scheme === 'dark' ? ['color-contrast', 'link-in-text-block'] : undefined)
		const path = `${process.env.LOOK}/${screen.replaceAll(' ', '-')}-${width}-${language}-${scheme}.png`
		if (process.env.LOOK) await page.screenshot({ path })
	}
	expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), screen).toBe(true)
	await expect.poll(() => misplacedMarks(page), screen).toEqual([])
	if (width < 720) expect(await smallTargets(page), screen).toEqual([])
}

export interface Screen {
	name: string
	who: Someone | null
	path: string
	shows: string | RegExp
	act?(page: Page): Promise<unknown>
}

/** Looks at one screen after another, in one window for each person. */
export async function expectAllFine(school: School, enter: Enter, phone: boolean, screens: Screen[]): Promise<void> {
	const windows = new Map<Someone | null, Page>()
	for (const { name, who, path, shows, act } of screens) {
		const page = windows.get(who) ?? (await enter(school, who, { path, phone }))
		if (windows.has(who)) await page.goto(school.url + path)
		windows.set(who, page)
		await expect(page.getByText(shows).first()).toBeVisible()
		await act?.(page)
		await expectFine(page, name)
	}
}

/** Goes there by keyboard. */
export async function tabTo(page: Page, target: Locator, key = 'Tab'): Promise<void> {
	for (let n = 0; n < 40; n++) {
		await page.keyboard.press(key)
		if (await target.evaluateAll((all) => all.includes(document.activeElement as HTMLElement))) return
	}
	throw new Error(`${key} does not reach ${target}`)
}
