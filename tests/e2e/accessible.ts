/**
 * What every screen has to be for everybody: nothing that axe finds, nothing too small for a finger, nothing
 * beside its place or out of reach.
 */
import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Locator, type Page } from '@playwright/test'

/** Nothing is found on the screen as it is. `rules`: what can differ between light and dark, which have the same elements. */
export async function expectAccessible(page: Page, screen: string, rules?: string[]): Promise<void> {
	await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))))
	// In one page without frames there is nothing to be gathered in a second one, nor is it told what was fine.
	const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] })
	if (rules) axe.withRules(rules)
	const { violations } = await axe.analyze()
	expect(
		violations.map(({ id, nodes }) => `${screen}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`),
		screen,
	).toEqual([])
}

/** Nothing lies over its middle. */
export const isInReach = (target: Locator): Promise<boolean> =>
	target.evaluate((element) => {
		const { x, y, width, height } = element.getBoundingClientRect()
		return element.contains(document.elementFromPoint(x + width / 2, y + height / 2))
	})

/** Marks of what is chosen that stand beside it. */
export const misplacedMarks = (page: Page): Promise<string[]> =>
	page.evaluate(() =>
		[...document.querySelectorAll('.mantine-SegmentedControl-root')].flatMap((root) => {
			const [mark, label] = ['.mantine-SegmentedControl-indicator', '.mantine-SegmentedControl-label[data-active]'].map((part) =>
				root.querySelector(part)?.getBoundingClientRect(),
			)
			const off = mark && label ? Math.max(Math.abs(mark.x - label.x), Math.abs(mark.y - label.y), Math.abs(mark.right - label.right)) : 99
			return off > 1 ? [`${root.textContent}: ${off}`] : []
		}),
	)

/** Buttons, links and fields that a finger can't hit well; links inside a sentence aside. */
export function smallTargets(page: Page): Promise<string[]> {
	return page.evaluate(() =>
		[...document.querySelectorAll<HTMLElement>('button, a[href], input, select, textarea, [role=menuitem]')]
			.filter((element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
			.filter((element) => !element.closest('p, article p, [aria-hidden=true]') && element.tabIndex >= 0)
			.map((element) => ({ element, box: (element.closest('label, .mantine-Input-wrapper') ?? element).getBoundingClientRect() }))
			.filter(
				({ element, box }) =>
					box.width > 1 &&
					(box.height < 43.5 || box.width < 43.5) &&
					!element.matches('input[type=checkbox], input[type=radio]') &&
					!element.className.includes('skip'),
			)
			.map(({ element, box }) => `${Math.round(box.width)}x${Math.round(box.height)} ${element.outerHTML.slice(0, 120)}`),
	)
}
