/**
 * The form of a discussion without its screen: drafts, changes, tags; and the pasted list of people.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Person } from '../../../protocol/model.ts'
import type { Client } from '../client.ts'
import { changesOf, draftKey, type FormValues, readDraft, withTags, writeDraft } from './formDraft.ts'
import { findListed, listedIn, whoIs } from './pasted.ts'

const empty: FormValues = { title: '', prompt: '', groups: ['a'], category: null, tags: [], collaborators: [] }

test('[W83] a draft of a form holds what was changed and nothing else', () => {
	assert.equal(writeDraft(changesOf(empty, { ...empty })), '')
	assert.equal(writeDraft(changesOf({ ...empty, groups: ['a', 'b'] }, { ...empty, groups: ['b', 'a'] })), '')
	const now = { ...empty, title: 'Should ph', tags: ['b', 'a'] }
	const draft = readDraft(writeDraft(changesOf(empty, now)))
	assert.deepEqual(draft, { title: 'Should ph', tags: ['b', 'a'] })
	// What a colleague changed meanwhile stays hers.
	const later = { ...empty, prompt: 'A new prompt' }
	assert.deepEqual(changesOf(later, { ...later, ...draft }), { title: 'Should ph', tags: ['b', 'a'] })
	assert.notEqual(draftKey(null), draftKey('a'.repeat(24)))
})

test('[W83] a draft that can’t be read is no draft', () => {
	for (const text of [undefined, '', 'half {"title":', '{"title":5}', '{"groups":"a"}', 'null']) assert.equal(readDraft(text), null, text)
	assert.deepEqual(readDraft('{"category":null,"unknown":1}'), { category: null })
})

test('[W83] tags are taken one by one or many at once, each once, without their #', () => {
	assert.deepEqual(withTags([], ' #grammar,  week  3 ; Grammar\n,'), ['grammar', 'week 3'])
	assert.deepEqual(withTags(['Week 3'], 'week 3'), ['Week 3'])
	assert.deepEqual(withTags(['a'], '  '), ['a'])
	assert.deepEqual(withTags([], 'مفردات'), ['مفردات'])
})

const person = (id: string, name: string, number: string | null): Person => ({
	id,
	seq: 1,
	rev: 1,
	name,
	role: 'student',
	avatar: null,
	number,
})
const school = [
	person('1', 'Budi Santoso', '23110'),
	person('2', 'Budi Santoso', '23111'),
	person('3', 'Citra Ayu', '231'),
	person('4', 'Łukasz Żółć', 'AB-7'),
]

test('[W82] a pasted list names people by number, or by a name that only one has', () => {
	assert.deepEqual(listedIn('23110\r\n23111\t231; 231,\n AB-7 '), ['23110', '23111', '231', 'AB-7'])
	assert.deepEqual(listedIn('Budi Santoso'), ['Budi Santoso'])
	assert.equal(whoIs('231', school)?.id, '3')
	assert.equal(whoIs('ab-7', school)?.id, '4')
	assert.equal(whoIs('citra ayu', school)?.id, '3')
	assert.equal(whoIs('Budi Santoso', school), null)
	assert.equal(whoIs('Citra', school), null)
})

test('[W82] a list is looked up a few at a time, and what nobody fits is said in the order of the list', async () => {
	let [running, most] = [0, 0]
	const client = {
		async call(_name: string, { query }: { query: string }) {
			most = Math.max(most, ++running)
			await new Promise((resolve) => setTimeout(resolve, 1))
			running--
			return { users: school.filter(({ name, number }) => `${name} ${number}`.toLowerCase().includes(query.toLowerCase())), next: null }
		},
	} as unknown as Client
	const { people, missing } = await findListed(client, ['999', '23110', 'nobody', 'AB-7', '23110', '5', '6', 'Citra Ayu'])
	assert.deepEqual(new Set(people.map(({ id }) => id)), new Set(['1', '4', '3']))
	assert.deepEqual(missing, ['999', 'nobody', '5', '6'])
	assert.ok(most > 1 && most <= 4, String(most))
})
