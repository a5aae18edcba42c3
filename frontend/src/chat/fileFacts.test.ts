/**
 * Names and sizes of files, the place of a picture, and when it is offered to make one smaller.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits, text } from '../../../protocol/model.ts'
import { endingOf, placeOf, renamed, sizeText, smallerBytes, smallerOffer, smallerSize, storableName } from './fileFacts.ts'

const photo = { width: 4000, height: 3000, sizeBytes: 3_000_000, type: 'image/jpeg' }

test('[W91] sizes are said in the reader’s language', () => {
	assert.equal(sizeText(999, 'en'), '999 bytes')
	assert.equal(sizeText(640 * 1024, 'en'), '640 kB')
	assert.equal(sizeText(1024 * 1024 - 1, 'en'), '1 MB')
	assert.equal(sizeText(9.12 * 1024 * 1024, 'en'), '9.1 MB')
	assert.equal(sizeText(9.12 * 1024 * 1024, 'id'), '9,1 MB')
	assert.equal(sizeText(limits.uploadBytes, 'en'), '25 MB')
})

test('[W91] whatever a file is called, its name can be stored and keeps its ending', () => {
	const schema = text(limits.fileName)
	fc.assert(
		fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ unit: 'grapheme', maxLength: 300 })), (name) => {
			assert.ok(schema.safeParse(storableName(name)).success)
		}),
	)
	assert.match(storableName(`${'x'.repeat(400)}.jpeg`), /^x+….jpeg$/)
	assert.equal(storableName('../../etc/passwd\n'), '../../etc/passwd')
	assert.equal(renamed('IMG_1.JPG', 'image/jpeg'), 'IMG_1.JPG')
	assert.equal(renamed('shot.final.png', 'image/webp'), 'shot.final.webp')
	assert.equal(endingOf('Homework.docx'), 'DOCX')
	assert.equal(endingOf('README'), '')
})

test('[W92] making a picture smaller is offered for large ones, chosen for very large ones, and needed for what can’t be sent', () => {
	assert.equal(smallerOffer(photo), null)
	assert.deepEqual(smallerOffer({ ...photo, sizeBytes: 6 * 1024 * 1024 }), { must: false, usual: false })
	assert.deepEqual(smallerOffer({ ...photo, width: 4100 }), { must: false, usual: false })
	assert.deepEqual(smallerOffer({ ...photo, width: 7300, height: 5480 }), { must: false, usual: true })
	assert.deepEqual(smallerOffer({ ...photo, width: 12_000, height: 9000 }), { must: true, usual: true })
	assert.deepEqual(smallerOffer({ ...photo, sizeBytes: limits.uploadBytes + 1 }), { must: true, usual: true })
	assert.equal(smallerOffer({ ...photo, sizeBytes: 9_000_000, type: 'image/gif' }), null)
	assert.deepEqual(smallerSize({ width: 7300, height: 5480 }), { width: 2560, height: 1922 })
	assert.deepEqual(smallerSize({ width: 100, height: 50 }), { width: 100, height: 50 })
	assert.ok(smallerBytes({ ...photo, width: 7300, height: 5480, sizeBytes: 9_100_000 }) < 2_000_000)
})

test('[W93] a picture has its place before it is there, in its own shape where that is sensible', () => {
	assert.deepEqual(placeOf({ width: 4000, height: 3000 }), { width: 360, height: 270 })
	assert.deepEqual(placeOf({ width: 3000, height: 4000 }), { width: 225, height: 300 })
	assert.deepEqual(placeOf({ width: 16, height: 16 }), { width: 88, height: 88 })
	assert.deepEqual(placeOf({ width: 9000, height: 90 }), { width: 360, height: 88 })
	assert.deepEqual(placeOf({ width: null, height: null }), { width: 360, height: 270 })
})
