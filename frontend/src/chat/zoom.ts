/**
 * Zooming and moving a picture within its frame. Pure.
 *
 * Promises that the point under the fingers stays under them, and that the picture never leaves its frame.
 */
import type { Size } from './fileFacts.ts'

/** `scale` 1: the picture fits into its frame. `x`, `y`: how far its middle is from the frame's. */
export interface Zoom {
	scale: number
	x: number
	y: number
}
export interface Point {
	x: number
	y: number
}

export const fitted: Zoom = { scale: 1, x: 0, y: 0 }
export const largest = 8
/** What a double click and the keys do. */
export const closer = 2.5
export const keyStep = 1.4

/** Zooms by a factor around a point, measured from the frame's middle. `picture`: its size in the frame at scale 1. */
export function zoomAt(zoom: Zoom, factor: number, at: Point, frame: Size, picture: Size): Zoom {
	const scale = Math.min(largest, Math.max(1, zoom.scale * factor))
	const by = scale / zoom.scale
	return within({ scale, x: at.x - (at.x - zoom.x) * by, y: at.y - (at.y - zoom.y) * by }, frame, picture)
}

/** Moves, as far as there is something to be seen. */
export function pan(zoom: Zoom, by: Point, frame: Size, picture: Size): Zoom {
	return within({ ...zoom, x: zoom.x + by.x, y: zoom.y + by.y }, frame, picture)
}

function within({ scale, x, y }: Zoom, frame: Size, picture: Size): Zoom {
	const wide = Math.max(0, (picture.width * scale - frame.width) / 2)
	const high = Math.max(0, (picture.height * scale - frame.height) / 2)
	return { scale, x: Math.min(wide, Math.max(-wide, x)), y: Math.min(high, Math.max(-high, y)) }
}

/** The size of a picture in its frame at scale 1: never larger than it is. */
export function fit(picture: Size, frame: Size): Size {
	const scale = Math.min(1, frame.width / picture.width, frame.height / picture.height)
	return { width: picture.width * scale, height: picture.height * scale }
}
