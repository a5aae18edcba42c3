/**
 * What is said of a new password while it is typed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strengthOf } from './strength.ts'

const own = ['Budi Santoso', '2311001', 'budi.santoso@school.test']
const all = (...passwords: string[]) => passwords.map((password) => strengthOf(password, own))

test('[W71] a new password is called easy to guess when others would try it first', () => {
	assert.equal(strengthOf('', own), null)
	assert.deepEqual(all('seven77', 'ab'), ['short', 'short'])
	assert.deepEqual(all('santoso1', 'Budi2311001', 'budi.santoso'), ['own', 'own', 'own'])
	assert.deepEqual(all('password', 'Password1', 'qwerty123', '12345678', 'aaaaaaaa', 'abcdefgh', 'bismillah1'), Array(7).fill('guessed'))
	assert.deepEqual(all('kucing hujan', 'mendung42'), ['fair', 'fair'])
	assert.deepEqual(all('a calm sentence', 'Kopi-pahit 7', 'tiga ekor kucing'), ['good', 'good', 'good'])
	assert.equal(strengthOf('santoso1', []), 'fair')
})
