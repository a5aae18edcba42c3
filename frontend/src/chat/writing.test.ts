/**
 * The composer's text through replies, edits and back; its keys; its words.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countWords, isLong, unreadCount } from './words.ts'
import { cancel, edit, end, keyMeans, nothing, putBack, reply, resume } from './writing.ts'

const typed = { ...nothing, text: 'I agree', replyTo: 'm1' }

test('[W46] an edit sets aside what was typed, and gives it back when it ends or is left', () => {
	const editing = edit(typed, 'm2', 'old text')
	assert.deepEqual(editing, { text: 'old text', replyTo: null, editing: 'm2', aside: { text: 'I agree', replyTo: 'm1' } })
	assert.deepEqual(end(editing), typed)
	assert.deepEqual(cancel(editing), typed)
	assert.deepEqual(end(edit(editing, 'm3', 'other')), typed)
	assert.deepEqual(end(edit(nothing, 'm2', 'old')), nothing)
	assert.deepEqual(reply(editing, 'm4'), { ...typed, replyTo: 'm4' })
})

test('[W46] an edit that was saved on this device goes on with what was set aside', () => {
	const editing = edit(typed, 'm2', 'old text')
	const draft = { text: editing.text, replyTo: editing.replyTo, editing: editing.editing }
	assert.deepEqual(resume(draft, { text: 'I agree', replyTo: 'm1', editing: null }), editing)
	assert.deepEqual(resume(null, null), nothing)
})

test('[W46] leaving a reply keeps its text, and text that comes back loses none', () => {
	assert.deepEqual(cancel(typed), { ...typed, replyTo: null })
	assert.equal(putBack(typed, 'taken back').text, 'taken back\nI agree')
	assert.equal(putBack(nothing, 'taken back').text, 'taken back')
	const editing = edit(nothing, 'm2', 'old text')
	assert.equal(end(putBack(editing, 'taken back')).text, 'taken back')
})

const plain = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, isComposing: false }

test('[W46] Enter sends with a keyboard, makes a line on a phone; with Ctrl or Cmd it always sends', () => {
	assert.equal(keyMeans({ ...plain, key: 'Enter' }, typed, false), 'send')
	assert.equal(keyMeans({ ...plain, key: 'Enter', shiftKey: true }, typed, false), null)
	assert.equal(keyMeans({ ...plain, key: 'Enter' }, typed, true), null)
	assert.equal(keyMeans({ ...plain, key: 'Enter', ctrlKey: true }, typed, true), 'send')
	assert.equal(keyMeans({ ...plain, key: 'Enter', metaKey: true }, typed, true), 'send')
	assert.equal(keyMeans({ ...plain, key: 'Enter', isComposing: true }, typed, false), null)
})

test('[W46] Escape leaves a reply or an edit; ArrowUp in an empty composer edits my last', () => {
	assert.equal(keyMeans({ ...plain, key: 'Escape' }, typed, false), 'cancel')
	assert.equal(keyMeans({ ...plain, key: 'Escape' }, nothing, false), 'leave')
	assert.equal(keyMeans({ ...plain, key: 'ArrowUp' }, nothing, false), 'editLast')
	assert.equal(keyMeans({ ...plain, key: 'ArrowUp' }, typed, false), null)
})

test('[W46] words are counted as a lecturer counts them', () => {
	assert.equal(countWords(''), 0)
	assert.equal(countWords('I agree with Łukasz that a dictionary helps, but'), 9)
	assert.equal(countWords('It’s a well-known trick… 🙂 in 2026!'), 6)
	assert.equal(countWords("I don't"), 2)
	assert.equal(countWords('rumah-rumah'), 1)
	assert.equal(countWords('one - two'), 2)
})

test('[W95] what is not counted on says so', () => {
	assert.deepEqual(unreadCount(4, { at: '09:12' }), { count: 4, at: '09:12', replace: { count: '4', at: '09:12' } })
	assert.equal(unreadCount(999).replace.count, '999+')
})

test('[W101] a text is long by its lines, those that a line of the page can’t hold counted in', () => {
	assert.equal(isLong('A short one.'), false)
	assert.equal(isLong('word '.repeat(300)), false)
	assert.equal(isLong('word '.repeat(340)), true)
	assert.equal(isLong('\n'.repeat(25)), true)
	assert.equal(isLong('line\n'.repeat(20)), false)
})
