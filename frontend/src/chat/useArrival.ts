/**
 * Goes to a row of a discussion's list, and sees that it gets there.
 *
 * Promises that the row is in sight when all around it has its height, however slow the device: the list itself gives
 * up where rows take longer than 150 ms to be measured. Whoever scrolls, points or types goes where she wants.
 */
import { type RefObject, useCallback, useEffect, useRef } from 'react'
import type { ScrollToIndexAlign, VListHandle } from 'virtua'
import type { Row } from './rows.ts'

/** A row that was in sight for so many frames, while nothing changed its height, is where it stays. */
const framesAtRest = 15
const framesPerTry = 10
/** It is given up after so many frames: four seconds. */
const mostFrames = 240
/** What the list keeps free above a row at its top, in pixels. */
const abovePx = 16
const inputs = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const

/**
 * `frame`: the element around the list; its rows bear their key as `data-row`. `isGoing` is true until the row has
 * arrived; then `onArrived` is called.
 */
export function useArrival(
	list: RefObject<VListHandle | null>,
	frame: RefObject<HTMLElement | null>,
	present: RefObject<{ rows: readonly Row[] }>,
	onArrived: () => void,
): { arrive(key: string, align: ScrollToIndexAlign): void; isGoing: RefObject<boolean> } {
	const request = useRef(0)
	const isGoing = useRef(false)
	const arrived = useRef(onArrived)
	arrived.current = onArrived
	const stop = useCallback(() => {
		cancelAnimationFrame(request.current)
		isGoing.current = false
	}, [])
	useEffect(() => {
		const element = frame.current
		for (const input of inputs) element?.addEventListener(input, stop, { capture: true, passive: true })
		return () => {
			stop()
			for (const input of inputs) element?.removeEventListener(input, stop, { capture: true })
		}
	}, [frame, stop])
	const arrive = useCallback(
		(key: string, align: ScrollToIndexAlign) => {
			const go = () => {
				const at = present.current.rows.findIndex((row) => row.key === key)
				if (at >= 0) list.current?.scrollToIndex(at, { align, offset: align === 'start' ? -abovePx : 0 })
			}
			let [frames, atRest, height] = [0, 0, 0]
			const look = () => {
				const row = frame.current?.querySelector(`[data-row="${CSS.escape(key)}"]`)
				const before = height
				height = list.current?.scrollSize ?? 0
				const isThere = frame.current && row && isInSight(row, frame.current) && areMeasured(frame.current)
				atRest = isThere && height === before ? atRest + 1 : 0
				if (atRest === framesAtRest || ++frames === mostFrames) {
					stop()
					arrived.current()
					return
				}
				if (!isThere && frames % framesPerTry === 0) go()
				request.current = requestAnimationFrame(look)
			}
			stop()
			isGoing.current = true
			go()
			request.current = requestAnimationFrame(look)
		},
		[list, frame, present, stop],
	)
	return { arrive, isGoing }
}

function isInSight(row: Element, frame: Element): boolean {
	const [inner, outer] = [row.getBoundingClientRect(), frame.getBoundingClientRect()]
	return inner.top < outer.bottom && inner.bottom > outer.top
}

/** What is not measured yet is laid out, and not visible. */
function areMeasured(frame: Element): boolean {
	return [...frame.querySelectorAll('[data-row]')].every((row) => getComputedStyle(row).visibility === 'visible')
}
