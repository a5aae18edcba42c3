/**
 * The overview of discussions: sections, their order, finding by words, what is folded, whose are a group's.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Category, Discussion, Group, Person } from '../../../protocol/model.ts'
import { withChoice } from './folded.ts'
import { leadersIn } from './members.ts'
import { byName, fits, sectionsOf, type Topic, unreadText, wordsOf } from './overview.ts'

const at = '2026-11-23T02:00:00.000Z'
const base = (id: string) => ({ id, seq: 1, rev: 1, createdAt: at, updatedAt: at })
const category = (id: string, name: string, seq = 1): Category => ({ ...base(id), seq, name, createdBy: 'siti', status: 'active' })

function topic(title: string, more: Partial<Discussion> = {}, unread = 0): Topic {
	const discussion: Discussion = {
		...base(title),
		title,
		prompt: '',
		createdBy: 'siti',
		groups: ['a'],
		category: null,
		tags: [],
		collaborators: [],
		scopeRev: 1,
		status: 'open',
		removed: null,
		...more,
	}
	return { discussion, last: null, totals: null, unread }
}

const all = { language: 'en', query: '', group: null } as const
const shape = (sections: ReturnType<typeof sectionsOf>) =>
	sections.map(({ kind, name, topics }) => [name || kind, ...topics.map(({ discussion }) => discussion.title)])

test('[W80] categories stand in the order of their names, then what has none, then closed, archived and removed discussions', () => {
	const categories = [category('w', 'Writing'), category('r2', 'Reading 2'), category('r10', 'Reading 10'), category('empty', 'Empty')]
	const topics = [
		topic('new', { category: 'w' }),
		topic('none'),
		topic('ten', { category: 'r10' }),
		topic('old', { category: 'w' }),
		topic('closed', { category: 'w', status: 'closed' }),
		topic('gone', { category: 'w', removed: { at, by: 'siti' } }),
		topic('gone and closed', { status: 'closed', removed: { at, by: 'siti' } }),
		topic('shelf', { status: 'archived' }),
		topic('two', { category: 'r2' }),
		topic('of a category that is not known', { category: 'x' }),
	]
	assert.deepEqual(shape(sectionsOf(topics, categories, all)), [
		['Reading 2', 'two'],
		['Reading 10', 'ten'],
		['Writing', 'new', 'old'],
		['uncategorized', 'none', 'of a category that is not known'],
		['closed', 'closed'],
		['archived', 'shelf'],
		['removed', 'gone', 'gone and closed'],
	])
})

test('[W80] discussions are found by beginnings of words of title, tags and category, whatever their case and accents', () => {
	const topics = [
		topic('Żółć and other words', { tags: ['vocabulary', 'week 3'] }),
		topic('Phones', { category: 'r' }, 3),
		topic('Phones, closed', { status: 'closed' }),
	]
	const found = (query: string) => sectionsOf(topics, [category('r', 'Reading circle')], { ...all, query }).flatMap(({ topics }) => topics)
	const titles = (query: string) => found(query).map(({ discussion }) => discussion.title)
	assert.deepEqual(titles('ŻOŁ week'), ['Żółć and other words'])
	assert.deepEqual(titles('żoł month'), [])
	assert.deepEqual(titles('voca 3'), ['Żółć and other words'])
	assert.deepEqual(titles('circ phone'), ['Phones'])
	assert.deepEqual(titles('phone'), ['Phones', 'Phones, closed'])
	assert.deepEqual(titles('hone'), [])
	assert.deepEqual(titles('  '), ['Phones', 'Żółć and other words', 'Phones, closed'])
	assert.ok(fits(wordsOf('ELEVE'), ['Les élèves']))
	assert.ok(fits(wordsOf('عمر'), ['عمر الفاروق']))
})

test('[W80] a group may be looked at alone, and a section counts what is new in it', () => {
	const topics = [topic('a', { groups: ['a'] }, 60), topic('b', { groups: ['b'] }, 1), topic('both', { groups: ['a', 'b'] }, 50)]
	assert.deepEqual(shape(sectionsOf(topics, [], { ...all, group: 'b' })), [['uncategorized', 'b', 'both']])
	assert.equal(sectionsOf(topics, [], all)[0]?.unread, 111)
	assert.deepEqual([0, 1, 99, 100, 999].map(unreadText), ['0', '1', '99', '99+', '99+'])
})

test('[W80] names are sorted as people sort them, the older first of two that are the same', () => {
	const sorted = byName(
		[category('3', 'Émile', 3), category('2', 'zebra', 2), category('1', 'English 10', 1), category('0', 'English 9', 9)],
		'en',
	)
	assert.deepEqual(
		sorted.map(({ name }) => name),
		['Émile', 'English 9', 'English 10', 'zebra'],
	)
	assert.deepEqual(
		byName([category('b', 'Same', 2), category('a', 'Same', 1)], 'id').map(({ id }) => id),
		['a', 'b'],
	)
})

test('[W81] what is folded is remembered, the newest choices and no more than 200', () => {
	let choices: Readonly<Record<string, boolean>> = {}
	for (let n = 0; n < 300; n++) choices = withChoice(choices, `section ${n}`, true)
	choices = withChoice(choices, 'section 150', false)
	assert.equal(Object.keys(choices).length, 200)
	assert.equal(choices['section 150'], false)
	assert.equal(choices['section 299'], true)
	assert.equal(choices['section 99'], undefined)
	assert.equal(Object.keys(choices).at(-1), 'section 150')
})

test('[W53] a student’s lecturers of a group are those of its discussions and who made it, each once', () => {
	const person = (id: string, role: Person['role'] = 'lecturer'): Person => ({ id, seq: 1, rev: 1, name: id, role, avatar: null })
	const people = new Map(['siti', 'ana', 'zoe', 'other'].map((id) => [id, person(id)] as const))
	people.set('dewi', person('dewi', 'admin'))
	const group: Group = { ...base('a'), name: 'A', description: '', createdBy: 'dewi', status: 'active' }
	const topics = [
		topic('one', { collaborators: ['zoe'] }),
		topic('two', { createdBy: 'ana', collaborators: ['siti'] }),
		topic('three', { createdBy: 'other', groups: ['b'] }),
	]
	assert.deepEqual(
		leadersIn(group, topics, people, 'en').map(({ id }) => id),
		['ana', 'siti', 'zoe'],
	)
})
