/**
 * Tabs of one browser telling each other that something they share has changed.
 *
 * A notice says only "look again": what changed is in IndexedDB. Where there is no
 * BroadcastChannel, looking again every two seconds takes its place.
 */

export interface Notices {
	/** Tells the other tabs, not this one. */
	tell(): void
	close(): void
}

/** `look` runs when another tab has told. */
export function openNotices(name: string, look: () => void): Notices {
	if (typeof BroadcastChannel === 'undefined') {
		const timer = setInterval(look, 2_000)
		return { tell: () => {}, close: () => clearInterval(timer) }
	}
	const channel = new BroadcastChannel(name)
	channel.onmessage = look
	let closed = false
	return {
		tell() {
			if (!closed) channel.postMessage(null)
		},
		close() {
			closed = true
			channel.close()
		},
	}
}
