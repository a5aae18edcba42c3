/**
 * Files that are dragged over a discussion and dropped on it.
 *
 * Promises that a file which misses never opens in place of the page.
 */
import { type DragEvent, useEffect, useRef, useState } from 'react'

const hasFiles = (event: { dataTransfer: DataTransfer | null }) => event.dataTransfer?.types.includes('Files') ?? false

/** `take` null: nothing can be taken now. */
export function useDropping(take: ((files: readonly File[]) => void) | null) {
	const [over, setOver] = useState(false)
	/** Elements that were entered and not left: one enters a child before it leaves its parent. */
	const depth = useRef(0)
	useEffect(() => {
		const miss = (event: globalThis.DragEvent) => {
			if (hasFiles(event) && !event.defaultPrevented) event.preventDefault()
		}
		const end = () => {
			depth.current = 0
			setOver(false)
		}
		addEventListener('dragover', miss)
		addEventListener('drop', miss)
		addEventListener('drop', end)
		addEventListener('dragend', end)
		return () => {
			removeEventListener('dragover', miss)
			removeEventListener('drop', miss)
			removeEventListener('drop', end)
			removeEventListener('dragend', end)
		}
	}, [])
	const events = {
		onDragEnter(event: DragEvent) {
			if (!take || !hasFiles(event)) return
			event.preventDefault()
			depth.current++
			setOver(true)
		},
		onDragOver(event: DragEvent) {
			if (!take || !hasFiles(event)) return
			event.preventDefault()
			event.dataTransfer.dropEffect = 'copy'
		},
		onDragLeave(event: DragEvent) {
			if (!hasFiles(event)) return
			depth.current = Math.max(0, depth.current - 1)
			if (depth.current === 0) setOver(false)
		},
		onDrop(event: DragEvent) {
			if (!take || !hasFiles(event)) return
			event.preventDefault()
			take([...event.dataTransfer.files])
		},
	}
	return { over: over && take !== null, events }
}
