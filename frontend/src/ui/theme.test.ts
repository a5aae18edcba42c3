/**
 * The tokens: readable in both schemes, and the only colours there are.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { avatarColors, tokens } from './theme.ts'

const frontend = join(import.meta.dirname, '../..')

function luminance(hex: string): number {
	const [r, g, b] = [1, 3, 5].map((at) => {
		const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
		return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
	}) as [number, number, number]
	return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
	const [high, low] = [luminance(a), luminance(b)].sort((one, other) => other - one) as [number, number]
	return (high + 0.05) / (low + 0.05)
}

for (const [scheme, colors] of Object.entries(tokens)) {
	test(`[W51] in ${scheme}, text has 4.5:1 on every ground it stands on, and fields have 3:1`, () => {
		const grounds = [colors['--paper'], colors['--sheet'], colors['--well']]
		for (const ground of grounds) {
			for (const ink of ['--ink', '--ink-2', '--ink-3', '--green', '--red', '--late'] as const)
				assert.ok(contrast(colors[ink], ground) >= 4.5, `${ink} on ${ground}: ${contrast(colors[ink], ground).toFixed(2)}`)
			assert.ok(contrast(colors['--field'], ground) >= 3, `--field on ${ground}`)
		}
		assert.ok(contrast(colors['--on-green'], colors['--green']) >= 4.5)
		assert.ok(contrast(colors['--on-green'], colors['--green-hover']) >= 4.5)
		assert.ok(contrast(colors['--on-marker'], colors['--marker']) >= 4.5)
		assert.ok(contrast(colors['--green-ink'], colors['--green-soft']) >= 4.5)
		assert.ok(contrast(colors['--ink'], colors['--red-soft']) >= 4.5)
		assert.ok(contrast(colors['--ink'], colors['--marker-soft']) >= 4.5)
	})
}

test('[W51] initials are readable on every avatar', () => {
	for (const color of avatarColors) assert.ok(contrast('#ffffff', color) >= 4.5, `${color}: ${contrast('#ffffff', color).toFixed(2)}`)
})

test('[W51] no style sheet has a colour of its own, and the page begins on the theme’s paper', () => {
	for (const path of globSync('src/**/*.css', { cwd: frontend })) {
		const own = readFileSync(join(frontend, path), 'utf8').match(/#[0-9a-f]{3,8}\b(?!-)|\b(rgb|hsl|oklch)a?\(/gi) ?? []
		assert.deepEqual(
			own.filter((color) => color !== '#fff'),
			[],
			path,
		)
	}
	const page = readFileSync(join(frontend, 'index.html'), 'utf8')
	for (const { '--paper': paper } of [tokens.light, tokens.dark]) assert.equal(page.split(paper).length - 1, 2, paper)
})
