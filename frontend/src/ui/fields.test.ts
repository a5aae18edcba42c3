/**
 * What is said about a field that can't be sent.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { api } from '../../../protocol/api.ts'
import { checkFields } from './fields.ts'
import { preferredLanguage } from './language.ts'

const schema = api.register.input
const good = { role: 'student', name: 'Budi', email: 'budi@school.test', number: '2311001', lecturers: [], password: 'a calm sentence' }

test('[W52] every field that can’t be sent says why, by the protocol’s own schema', () => {
	assert.deepEqual(checkFields(schema, good), {})
	assert.deepEqual(checkFields(schema, { ...good, name: '  ', email: 'budi', number: '', password: 'short' }), {
		name: { text: 'wrong.required' },
		email: { text: 'wrong.email' },
		number: { text: 'wrong.required' },
		password: { text: 'wrong.short', limit: 8 },
	})
	assert.deepEqual(checkFields(schema, { ...good, name: 'n'.repeat(121) }), { name: { text: 'wrong.long', limit: 120 } })
	assert.deepEqual(checkFields(schema, { ...good, name: 'Budi \ud800' }), { name: { text: 'wrong.characters' } })
	assert.deepEqual(checkFields(schema, { ...good, email: '' }), { email: { text: 'wrong.required' } })
	const many = Array.from({ length: 21 }, (_, n) => n.toString(16).padStart(24, '0'))
	assert.deepEqual(checkFields(schema, { ...good, lecturers: many }), { lecturers: { text: 'wrong.many', limit: 20 } })
	const discussion = checkFields(api.startDiscussion.input.omit({ id: true }), { title: 'One', prompt: '', groups: [] })
	assert.deepEqual(discussion.groups, { text: 'wrong.required' })
})

test('[W44] the language is the one chosen here, else the browser’s first that we speak, else English', () => {
	assert.equal(preferredLanguage(null, ['de-DE', 'id-ID', 'en']), 'id')
	assert.equal(preferredLanguage(null, ['in']), 'id')
	assert.equal(preferredLanguage('en', ['id']), 'en')
	assert.equal(preferredLanguage('xx', ['fr']), 'en')
	assert.equal(preferredLanguage(null, []), 'en')
})
