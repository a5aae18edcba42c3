/**
 * The live connection: one WebSocket that is opened again whenever it is lost.
 *
 * Promises that frames are handled one after another, that a silent connection is noticed,
 * and that after a loss it tries quickly at first and at once when the device comes back.
 * Never sends anything that is stored.
 */
import { closeCodes, type Frame, type Upward } from '../../protocol/live.ts'
import type { Network } from './api.ts'

export interface Live {
	say(frame: Upward): void
	/** Connects anew from where `prepare` says. */
	reconnect(): void
	close(): void
}

export interface LiveOptions {
	network: Network
	/** Before each connection: the cursor to go on from. Throwing means try again later. `failed`: the last try was not let in. */
	prepare(failed: boolean): Promise<string>
	/** What it throws ends the connection, which is then tried again. */
	onFrame(frame: Frame): void | Promise<void>
	onLost(): void
	/** The server ended the session: there will be no other try. */
	onEnded(): void
	/** A connection on which nothing came for so long is dead. */
	silenceMs?: number
}

const firstRetryMs = 250
const lastRetryMs = 8_000
/** Too many tabs: another one may be closed by then. */
const refusedRetryMs = 60_000

/** Connects at once. */
export function openLive(options: LiveOptions): Live {
	const { network, silenceMs = 45_000 } = options
	let socket: WebSocket | null = null
	let closed = false
	let failed = false
	let tries = 0
	let lastHeardAt = 0
	/** Changes with every attempt: what belongs to an earlier one is ignored. */
	let attempt = 0
	let retry: ReturnType<typeof setTimeout> | undefined

	const watch = setInterval(() => {
		if (socket && Date.now() - lastHeardAt > silenceMs) lose()
	}, silenceMs / 9)

	async function connect() {
		clearTimeout(retry)
		const mine = ++attempt
		let cursor: string
		try {
			cursor = await options.prepare(failed)
		} catch {
			if (mine === attempt) lose()
			return
		}
		if (mine !== attempt || closed) return
		failed = true
		lastHeardAt = Date.now()
		const opened = network.openSocket(`/api/live?after=${cursor}`)
		socket = opened
		let handled: Promise<void> = Promise.resolve()
		opened.onmessage = (event) => {
			if (mine !== attempt) return
			lastHeardAt = Date.now()
			failed = false
			tries = 0
			const frame = JSON.parse(event.data as string) as Frame
			handled = handled.then(() => (mine === attempt ? options.onFrame(frame) : undefined))
			handled.catch(() => {
				if (mine === attempt) lose()
			})
		}
		opened.onclose = ({ code }) => {
			if (mine !== attempt) return
			if (code === closeCodes.ended) {
				close()
				options.onEnded()
			} else lose(code === closeCodes.refused ? refusedRetryMs : undefined)
		}
	}

	/** Gives the connection up and tries again, later each time. */
	function lose(delayMs = Math.min(lastRetryMs, firstRetryMs * 2 ** tries++) * (0.5 + Math.random())) {
		if (closed) return
		hangUp()
		options.onLost()
		retry = setTimeout(connect, delayMs)
	}

	function hangUp() {
		clearTimeout(retry)
		attempt++
		socket?.close()
		socket = null
	}

	function reconnect() {
		if (closed) return
		hangUp()
		options.onLost()
		tries = 0
		void connect()
	}

	/** The device is back, or somebody looks at the page again: an open connection is left alone. */
	function wake() {
		if (closed || socket) return
		tries = 0
		void connect()
	}
	const seen = () => document.visibilityState === 'visible' && wake()
	const page = typeof window === 'undefined' ? null : window
	page?.addEventListener('online', wake)
	// A hint only: the server may be on this same machine, so it is tried again all the same.
	page?.addEventListener('offline', reconnect)
	page?.document.addEventListener('visibilitychange', seen)

	function close() {
		closed = true
		clearInterval(watch)
		page?.removeEventListener('online', wake)
		page?.removeEventListener('offline', reconnect)
		page?.document.removeEventListener('visibilitychange', seen)
		hangUp()
	}

	void connect()
	return {
		say: (frame) => {
			if (socket?.readyState === 1) socket.send(JSON.stringify(frame))
		},
		reconnect,
		close,
	}
}
