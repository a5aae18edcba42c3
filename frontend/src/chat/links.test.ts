/**
 * Which links a text has, and that none of them can lie about where it goes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { partsOf } from './links.ts'

const links = (text: string) => partsOf(text).filter((part) => part.kind === 'link')
const hrefs = (text: string) => links(text).map(({ href }) => href)

test('[W90] http, https and mail addresses become links, and nothing else does', () => {
	assert.deepEqual(hrefs('See https://example.org/a?b=1#c, and http://school.test:3000/x.'), [
		'https://example.org/a?b=1#c',
		'http://school.test:3000/x',
	])
	assert.deepEqual(hrefs('write to siti@example.org or open example.org'), ['mailto:siti@example.org', 'https://example.org/'])
	for (const text of [
		'javascript:alert(1)',
		'data:text/html,<b>x',
		'file:///etc/passwd',
		'vbscript:x',
		'ftp://example.org/x',
		'blob:https://a.b/c',
	])
		assert.deepEqual(
			hrefs(text).filter((href) => !/^(https?|mailto):/.test(href)),
			[],
			text,
		)
	assert.deepEqual(hrefs('3.14 and 09.15, e.g. this.'), [])
})

test('[W90] a link that looks like another place says its real host', () => {
	const [first] = links('https://google.com@evil.example/login')
	assert.equal(first?.host, 'evil.example')
	// Cyrillic letters that look like Latin ones.
	assert.match(links('https://аррӏе.com/')[0]?.host ?? '', /^xn--/)
	assert.equal(links('https://example.org/path')[0]?.host, null)
	// A right-to-left override and a zero-width space are not shown.
	const [turned] = links('https://evil.example/\u202egro.loohcs//:sptth')
	assert.ok(turned && !/[\u202a-\u202e\u200b]/.test(turned.text + decodeURIComponent(turned.href)))
})

test('[W90] no text is lost or changed by looking for links in it', () => {
	const pieces = fc.constantFrom(
		'https://a.example/x',
		'www.example.org',
		'a@b.example',
		' ',
		'\n',
		'javascript:',
		'://',
		'é',
		'👍🏽',
		'عمر',
		'(',
		').',
		':',
	)
	fc.assert(
		fc.property(fc.array(fc.oneof(pieces, fc.string({ unit: 'grapheme', maxLength: 8 })), { maxLength: 12 }), (array) => {
			const text = array.join('')
			const parts = partsOf(text)
			const hidden = /\u034f|[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu
			assert.equal(parts.map((part) => part.text.replace(hidden, '')).join(''), text.replace(hidden, ''))
			for (const part of parts) if (part.kind === 'link') assert.match(part.href, /^(https?:\/\/|mailto:)/)
		}),
	)
})
