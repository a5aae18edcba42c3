/**
 * The road between browsers and a server, which a test can cut: a TCP proxy.
 *
 * It can be down, lead to another port, or lose the answer to a request that did arrive.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface ProxyServer {
	/** `127.0.0.1:<port>`, the same for as long as the proxy lives. */
	readonly host: string
	/** Where it leads; null: nowhere, and what is open breaks. */
	lead(port: number | null): void
	/** The next request whose first line begins so reaches the server, but its answer is lost. Resolves when it was. */
	loseAnswerTo(start: string): Promise<void>
	close(): Promise<void>
}

/** Opens a proxy that leads nowhere yet. */
export async function openProxy(): Promise<ProxyServer> {
	let target: number | null = null
	const open = new Set<Socket>()
	let losing: { start: string; lost: () => void } | null = null

	const server = createServer((browser) => {
		if (target === null) return browser.destroy()
		const backend = connect(target, '127.0.0.1')
		let doomed: (() => void) | null = null
		for (const [socket, other] of [
			[browser, backend],
			[backend, browser],
		] as const) {
			open.add(socket)
			socket.on('error', () => {})
			socket.on('close', () => {
				open.delete(socket)
				other.destroy()
			})
		}
		browser.on('data', (data) => {
			if (losing && data.toString('latin1').startsWith(losing.start)) {
				doomed = losing.lost
				losing = null
			}
			backend.write(data)
		})
		backend.on('data', (data) => {
			if (!doomed) return browser.write(data)
			browser.destroy()
			doomed()
		})
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	return {
		host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
		lead(port) {
			target = port
			for (const socket of open) socket.destroy()
		},
		loseAnswerTo: (start) =>
			new Promise((lost) => {
				losing = { start, lost }
			}),
		async close() {
			for (const socket of open) socket.destroy()
			server.close()
			await once(server, 'close')
		},
	}
}
