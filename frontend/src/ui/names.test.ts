/**
 * Short forms of names in many scripts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { en } from '../locales/en.ts'
import type { Texts } from './language.ts'
import { avatarColor, initials, nameOf, shortName } from './names.ts'

test('[W48] initials leave out titles and know one name, accents, emoji and other scripts', () => {
	assert.equal(initials('Dr. Siti Rahmawati'), 'SR')
	assert.equal(initials('Citra Ayu Lestari'), 'CL')
	assert.equal(initials('Suharto'), 'S')
	assert.equal(initials('Łukasz Żółć'), 'ŁŻ')
	assert.equal(initials('عمر الفاروق'), 'عف')
	assert.equal(initials('Dr.'), 'D')
	assert.equal(initials('👩🏽‍🏫 Teacher'), '👩🏽‍🏫T')
	assert.equal(initials(''), '')
})

test('[W48] a quote calls people by their first name, with a title', () => {
	assert.equal(shortName('Dr. Siti Rahmawati'), 'Dr. Siti')
	assert.equal(shortName('Citra Ayu Lestari'), 'Citra')
	assert.equal(shortName('Suharto'), 'Suharto')
	assert.equal(shortName('Prof.'), 'Prof.')
})

test('[W48] who was erased is called a former member, never by what is left of a name', () => {
	const t = ((key: keyof typeof en) => en[key]) as Texts
	assert.equal(nameOf({ name: 'Citra Ayu Lestari' }, t), 'Citra Ayu Lestari')
	assert.equal(nameOf({ name: 'x', erased: true }, t), 'Former member')
})

test('[W48] a person’s colour never changes, and a class has many', () => {
	const ids = Array.from({ length: 40 }, (_, n) => `66f00000${n.toString(16).padStart(16, '0')}`)
	for (const id of ids) assert.equal(avatarColor(id), avatarColor(id))
	assert.ok(new Set(ids.map(avatarColor)).size > 6)
})
