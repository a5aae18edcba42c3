/**
 * Zooming and moving a picture.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fit, fitted, largest, pan, zoomAt } from './zoom.ts'

const frame = { width: 1000, height: 600 }
const picture = { width: 800, height: 600 }

test('[W94] the point under the fingers stays where it is while there is picture around it', () => {
	const at = { x: 100, y: -50 }
	const zoomed = zoomAt(fitted, 3, at, frame, picture)
	assert.equal(zoomed.scale, 3)
	// The point of the picture that was there is there still.
	assert.deepEqual({ x: zoomed.x + at.x * 3, y: zoomed.y + at.y * 3 }, at)
	assert.deepEqual(zoomAt(zoomed, 0.01, at, frame, picture), { scale: 1, x: 0, y: 0 })
})

test('[W94] however it is zoomed and moved, the picture stays in its frame', () => {
	const step = fc.record({
		factor: fc.double({ min: 0.2, max: 5, noNaN: true }),
		x: fc.integer({ min: -900, max: 900 }),
		y: fc.integer({ min: -900, max: 900 }),
	})
	fc.assert(
		fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
			let zoom = fitted
			for (const { factor, x, y } of steps) {
				zoom = pan(zoomAt(zoom, factor, { x: x / 2, y: y / 2 }, frame, picture), { x, y }, frame, picture)
				assert.ok(zoom.scale >= 1 && zoom.scale <= largest)
				assert.ok(Math.abs(zoom.x) <= Math.max(0, (picture.width * zoom.scale - frame.width) / 2) + 1e-6)
				assert.ok(Math.abs(zoom.y) <= Math.max(0, (picture.height * zoom.scale - frame.height) / 2) + 1e-6)
			}
		}),
	)
})

test('[W94] a picture fits into its frame and is never blown up', () => {
	assert.deepEqual(fit({ width: 4000, height: 3000 }, frame), { width: 800, height: 600 })
	assert.deepEqual(fit({ width: 40, height: 30 }, frame), { width: 40, height: 30 })
})
