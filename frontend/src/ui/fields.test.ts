/**
 * What is said about a field that can't be sent.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { api } from '../../../protocol/api.ts'
import { checkFields } from './fields.ts'
import { preferredLanguage } from './language.ts'

const schema = api.register.input
const good = { role: 'student', name: 'Budi', email: 'budi@school.test', number: null, password: 'a calm sentence' }

test('[W52] every field that can’t be sent says why, by the protocol’s own schema', () => {
	assert.deepEqual(checkFields(schema, good), {})
	assert.deepEqual(checkFields(schema, { ...good, name: '  ', email: 'budi', password: 'short' }), {
		name: 'wrong.required',
		email: 'wrong.email',
		password: 'wrong.short',
	})
	assert.deepEqual(checkFields(schema, { ...good, name: 'n'.repeat(121) }), { name: 'wrong.long' })
	assert.deepEqual(checkFields(schema, { ...good, name: 'Budi \ud800' }), { name: 'wrong.characters' })
	assert.deepEqual(checkFields(schema, { ...good, email: '' }), { email: 'wrong.required' })
	assert.deepEqual(checkFields(api.startDiscussion.input.omit({ id: true }), { title: 'One', prompt: '', groups: [] }), {
		groups: 'wrong.required',
	})
})

test('[W44] the language is the one chosen here, else the browser’s first that we speak, else English', () => {
	assert.equal(preferredLanguage(null, ['de-DE', 'id-ID', 'en']), 'id')
	assert.equal(preferredLanguage(null, ['in']), 'id')
	assert.equal(preferredLanguage('en', ['id']), 'en')
	assert.equal(preferredLanguage('xx', ['fr']), 'en')
	assert.equal(preferredLanguage(null, []), 'en')
})
