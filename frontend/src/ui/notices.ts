/**
 * Short notices at the edge of the screen: what was done, with the way back; what failed, until read.
 *
 * Promises that a notice with a way back stays long enough to be used and does not go while it is
 * pointed at or holds the focus. Never asks "are you sure?".
 */
export interface Notice {
	id: number
	text: string
	bad: boolean
	undo: (() => Promise<unknown>) | null
}

const stayMs = 10_000

let notices: readonly Notice[] = []
let nextId = 1
const listeners = new Set<() => void>()
const timers = new Map<number, ReturnType<typeof setTimeout>>()

function set(next: readonly Notice[]): void {
	notices = next
	for (const listener of listeners) listener()
}

export const noticeStore = {
	subscribe(listener: () => void): () => void {
		listeners.add(listener)
		return () => listeners.delete(listener)
	},
	snapshot: () => notices,
}

/** Says what was done. The newest three are shown. */
export function tell(text: string, undo: Notice['undo'] = null): void {
	show({ id: nextId++, text, bad: false, undo })
}

/** Says what failed; it stays until it is closed. */
export function tellProblem(text: string): void {
	show({ id: nextId++, text, bad: true, undo: null })
}

function show(notice: Notice): void {
	set([...notices.filter((other) => other.text !== notice.text), notice].slice(-3))
	if (!notice.bad) release(notice.id)
}

export function dismiss(id: number): void {
	clearTimeout(timers.get(id))
	timers.delete(id)
	set(notices.filter((notice) => notice.id !== id))
}

/** Pointed at: it waits. */
export function hold(id: number): void {
	clearTimeout(timers.get(id))
	timers.delete(id)
}

/** Not pointed at any more: it goes after a while. */
export function release(id: number): void {
	hold(id)
	timers.set(
		id,
		setTimeout(() => dismiss(id), stayMs),
	)
}
