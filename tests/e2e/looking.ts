/**
 * Looking at a screen in a browser test: axe in both themes, what sticks out, what a finger can't hit, where Tab leads.
 *
 * With LOOK=folder it also takes a picture of every screen that is looked at.
 */
import { expect, type Locator, type Page } from '@playwright/test'
import { expectAccessible, smallTargets } from './accessible.ts'

export const field = (page: Page, label: string | RegExp): Locator => page.getByLabel(label, { exact: true })
export const button = (page: Page, name: string | RegExp): Locator => page.getByRole('button', { name, exact: true })

/** Light and dark have the same elements: only what can differ between them is looked at twice. */
export async function expectFine(page: Page, screen: string): Promise<void> {
	const { width = 0 } = page.viewportSize() ?? {}
	const language = await page.locator('html').getAttribute('lang')
	for (const scheme of ['dark', 'light'] as const) {
		await page.emulateMedia({ colorScheme: scheme })
		await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', scheme)
		await expectAccessible(page, `${screen}, ${scheme}`, scheme === 'dark' ? ['color-contrast', 'link-in-text-block'] : undefined)
		const path = `${process.env.LOOK}/${screen.replaceAll(' ', '-')}-${width}-${language}-${scheme}.png`
		if (process.env.LOOK) await page.screenshot({ path })
	}
	expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), screen).toBe(true)
	if (width < 720) expect(await smallTargets(page), screen).toEqual([])
}

/** Goes there by keyboard. */
export async function tabTo(page: Page, target: Locator, key = 'Tab'): Promise<void> {
	for (let n = 0; n < 40; n++) {
		await page.keyboard.press(key)
		if (await target.evaluateAll((all) => all.includes(document.activeElement as HTMLElement))) return
	}
	throw new Error(`${key} does not reach ${target}`)
}
