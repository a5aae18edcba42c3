/**
 * The texts: both languages say the same things, and no text is missing or left over.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCodes } from '../../../protocol/api.ts'
import { en } from './en.ts'
import { id } from './id.ts'

const src = join(import.meta.dirname, '..')
const base = (key: string) => key.replace(/_(one|other)$/, '')
const english = Object.keys(en)
const indonesian = Object.keys(id)

test('[W44] English and Indonesian have the same texts, with the same gaps to fill', () => {
	assert.deepEqual(new Set(indonesian), new Set(english.filter((key) => !key.endsWith('_one'))))
	const gaps = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort()
	for (const key of indonesian) assert.deepEqual(gaps(id[key as keyof typeof id]), gaps(en[key as keyof typeof en]), key)
	for (const [key, text] of [...Object.entries(en), ...Object.entries(id)]) assert.ok(text.trim() === text && text !== '', key)
})

test('[W44] every text that is used exists, and every text that exists is used', () => {
	const source = globSync('**/*.{ts,tsx}', { cwd: src, exclude: (name) => name === 'locales' })
		.filter((path) => !path.includes('.test.'))
		.map((path) => readFileSync(join(src, path), 'utf8'))
		.join('\n')
	const known = new Set(english.map(base))
	// t('a.b'), t(x ? 'a.b' : 'c.d') and 'a.b' as a value: any quoted word of a known family.
	const families = new Set([...known].map((key) => key.split('.')[0]))
	const quoted = [...source.matchAll(/'([a-zA-Z]+\.[a-zA-Z_]+)'/g)]
		.map((match) => match[1] as string)
		.filter((key) => families.has(key.split('.')[0]))
	const plain = [...source.matchAll(/\bt\('([a-z]+)'/g)].map((match) => match[1] as string)
	const used = new Set([...quoted, ...plain])
	assert.deepEqual(
		[...used].filter((key) => !known.has(key)),
		[],
		'used, but in no language',
	)
	// t(`role.${role}`): every key that begins and ends so.
	const made = [...source.matchAll(/\bt\(`([a-zA-Z]+\.)\$\{[^}]+\}(\w*)`/g)].map((match) => new RegExp(`^${match[1]}\\w+${match[2]}$`))
	assert.deepEqual(
		[...known].filter((key) => !used.has(key) && !made.some((pattern) => pattern.test(key))),
		[],
		'in the languages, but not used',
	)
})

test('[W44] every error code has its sentence', () => {
	for (const code of Object.keys(errorCodes)) assert.ok(`problem.${code}` in en, code)
})
