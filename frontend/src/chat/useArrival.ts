/**
 * Goes to a row of a discussion's list, and sees that it gets there.
 *
 * Promises that the row is in sight in the end, however slow the device: the list itself gives up where rows take
 * longer than 150 ms to be measured. Whoever scrolls, points or types meanwhile goes where she wants.
 */
import { type RefObject, useCallback, useEffect, useRef } from 'react'
import type { ScrollToIndexAlign, VListHandle } from 'virtua'
import type { Row } from './rows.ts'

/** A row that was in sight for so many frames stays there. */
const framesInSight = 2
const framesPerTry = 20
const tries = 6
/** What the list keeps free above a row at its top, in pixels. */
const abovePx = 16
const inputs = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const

/** `frame`: the element around the list; its rows bear their key as `data-row`. */
export function useArrival(
	list: RefObject<VListHandle | null>,
	frame: RefObject<HTMLElement | null>,
	present: RefObject<{ rows: readonly Row[] }>,
): (key: string, align: ScrollToIndexAlign) => void {
	const request = useRef(0)
	useEffect(() => {
		const element = frame.current
		const stop = () => cancelAnimationFrame(request.current)
		for (const input of inputs) element?.addEventListener(input, stop, { capture: true, passive: true })
		return () => {
			stop()
			for (const input of inputs) element?.removeEventListener(input, stop, { capture: true })
		}
	}, [frame])
	return useCallback(
		(key, align) => {
			const go = () => {
				const at = present.current.rows.findIndex((row) => row.key === key)
				if (at >= 0) list.current?.scrollToIndex(at, { align, offset: align === 'start' ? -abovePx : 0 })
			}
			let [frames, inSight] = [0, 0]
			const look = () => {
				const row = frame.current?.querySelector(`[data-row="${CSS.escape(key)}"]`)
				inSight = row && frame.current && isInSight(row, frame.current) ? inSight + 1 : 0
				if (inSight === framesInSight || ++frames === tries * framesPerTry) return
				if (inSight === 0 && frames % framesPerTry === 0) go()
				request.current = requestAnimationFrame(look)
			}
			cancelAnimationFrame(request.current)
			go()
			request.current = requestAnimationFrame(look)
		},
		[list, frame, present],
	)
}

/** What is not measured yet is laid out, and not visible. */
function isInSight(row: Element, frame: Element): boolean {
	const [inner, outer] = [row.getBoundingClientRect(), frame.getBoundingClientRect()]
	return inner.top < outer.bottom && inner.bottom > outer.top && getComputedStyle(row).visibility === 'visible'
}
