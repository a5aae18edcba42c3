/**
 * Whom the lists of people show: approvals, members, devices.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Membership, Person, Status } from '../../../protocol/model.ts'
import { deviceName } from '../account/devices.ts'
import { membersOf } from '../classroom/members.ts'
import { listPeople, select } from './people.ts'

function person(seq: number, name: string, status?: Status, role: Person['role'] = 'student'): Person {
	return {
		id: `p${seq}`,
		seq,
		rev: seq,
		name,
		role,
		avatar: null,
		number: `2311${seq}`,
		...(status ? { status, email: `p${seq}@school.test` } : {}),
	}
}
const people = [
	person(3, 'Łukasz Żółć', 'pending'),
	person(1, 'Budi Santoso', 'approved'),
	person(2, 'Citra Ayu', 'pending'),
	person(4, 'Known only by name'),
]
const names = (status: Status | null, query = '') => listPeople(people, { status, role: null, query }).map(({ name }) => name)

test('[W53] the admin’s list has those of one status, longest waiting first', () => {
	assert.deepEqual(names('pending'), ['Citra Ayu', 'Łukasz Żółć'])
	assert.deepEqual(names(null), ['Budi Santoso', 'Citra Ayu', 'Łukasz Żółć'])
	assert.deepEqual(names('rejected'), [])
})

test('[W53] people are found by the beginning of any word, with and without accents', () => {
	assert.deepEqual(names(null, 'zol lu'), ['Łukasz Żółć'])
	assert.deepEqual(names(null, 'ŁUK'), ['Łukasz Żółć'])
	assert.deepEqual(names(null, 'p1@'), ['Budi Santoso'])
	assert.deepEqual(names(null, 'anto'), [])
})

test('[W75] the list has no gaps: beyond the last page that was fetched nobody shows, by whatever way she is known', () => {
	const seen = (last: number, end: boolean, ...ids: string[]) =>
		listPeople(people, { status: null, role: null, query: '' }, { ids: new Set(ids), last, end }).map(({ id }) => id)
	assert.deepEqual(seen(1, false, 'p1'), ['p1'])
	assert.deepEqual(seen(2, false, 'p1', 'p2'), ['p1', 'p2'])
	assert.deepEqual(seen(2, true, 'p1', 'p2'), ['p1', 'p2', 'p3'])
	// Whom the server found is shown, though this browser would not have found her.
	const found = listPeople(people, { status: null, role: null, query: 'budi' }, { ids: new Set(['p2']), last: 2, end: true })
	assert.deepEqual(
		found.map(({ id }) => id),
		['p1', 'p2'],
	)
	assert.deepEqual(listPeople(people, { status: null, role: 'lecturer', query: '' }), [])
})

test('[W76] a click selects one, with Shift all from the one clicked before', () => {
	const shown = ['a', 'b', 'c', 'd', 'e']
	const after = (selected: string[], id: string, anchor: string | null, range: boolean) => [
		...select(new Set(selected), shown, id, anchor, range),
	]
	assert.deepEqual(after([], 'b', null, false), ['b'])
	assert.deepEqual(after(['b'], 'b', 'b', false), [])
	assert.deepEqual(after(['b'], 'd', 'b', true), ['b', 'c', 'd'])
	assert.deepEqual(after(['d'], 'b', 'd', true), ['d', 'b', 'c'])
	assert.deepEqual(after(['a', 'b', 'c'], 'b', 'c', true), ['a'])
	// The one clicked before is not shown any more.
	assert.deepEqual(after(['x'], 'c', 'x', true), ['x', 'c'])
	assert.deepEqual(after([], 'c', null, true), ['c'])
})

test('[W53] a group’s people stand once, lecturers first, by name', () => {
	const known = new Map([person(1, 'Zainal'), person(2, 'Ayu'), person(3, 'Siti', undefined, 'lecturer')].map((one) => [one.id, one]))
	const membership = (group: string, user: string) => ({ id: `${group}${user}`, group, user }) as Membership
	const memberships = [
		membership('g', 'p1'),
		membership('g', 'p2'),
		membership('h', 'p2'),
		membership('g', 'p3'),
		membership('g', 'p3'),
		membership('g', 'p9'),
	]
	assert.deepEqual(
		membersOf('g', memberships, known, 'en').map(({ name }) => name),
		['Siti', 'Ayu', 'Zainal'],
	)
})

test('[W53] a device is called as people call it', () => {
	assert.equal(deviceName('Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'), 'Firefox, Windows')
	assert.equal(
		deviceName('Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36'),
		'Chrome, Android',
	)
	assert.equal(
		deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 (KHTML) Version/18.0 Mobile/15E148 Safari/604.1'),
		'Safari, iPhone',
	)
	assert.equal(deviceName('node'), null)
})
