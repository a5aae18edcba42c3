/**
 * Browsers of a small class on a real server process, behind a proxy that can be cut.
 *
 * The server can be killed as a power cut does, started again, and its database replaced by an
 * older copy, while the browsers stay open.
 */

import type { TestContext } from 'node:test'
import type { StoredRecord } from '../../backend/src/storage/collections.ts'
import { type Network, uploadByFetch } from '../../frontend/src/api.ts'
import { openClass, type Somebody } from './class.ts'
import { openProxy, type ProxyServer } from './proxy.ts'
import { until } from './scripted.ts'
import { type ChildServer, makeFolder, openStoreOf, type Server, startChild } from './server.ts'

/** Everything that a database held. */
export interface Copy {
	seq: number
	records: { collection: string; record: StoredRecord }[]
}

export interface Road extends Awaited<ReturnType<typeof openClass>> {
	proxy: ProxyServer
	kill(): Promise<void>
	start(): Promise<void>
	/** A copy of the database as it is now; stops the server and starts it again. */
	copy(): Promise<Copy>
	/** Puts this copy in the database's place and leaves the server stopped. */
	replace(copy: Copy): Promise<void>
}

/** How somebody's browser reaches the server: with her cookie. */
export function networkOf(somebody: Somebody): Network {
	return {
		fetch: (path, init) => somebody.fetch(path, init),
		upload: uploadByFetch((path, init) => somebody.fetch(path, init)),
		openSocket: (path) => {
			const options = { headers: { cookie: `session=${somebody.cookie}` } }
			return new WebSocket(somebody.origin.replace('http', 'ws') + path, options as never)
		},
	}
}

/** Starts the server, and a class in it, all of whose calls go through the proxy. */
export async function openRoad(t: TestContext): Promise<Road> {
	const dir = makeFolder(t)
	const proxy = await openProxy()
	t.after(proxy.close)
	let server: ChildServer

	async function start() {
		server = await startChild(t, dir)
		proxy.lead(server.port)
	}
	async function kill() {
		proxy.lead(null)
		server.process.kill('SIGKILL')
		await server.exited
	}
	const open = () => openStoreOf(dir)

	await start()
	await until('the link is printed', () => server.setUpToken)
	const school = await openClass({ origin: `http://${proxy.host}`, setUpToken: server!.setUpToken, store: { head: { seq: 0 } } } as Server)
	return {
		...school,
		...{ proxy, start, kill },
		async copy() {
			await kill()
			const store = await open()
			const { seq, records } = await store.exportAt()
			const copy = { seq, records: await Array.fromAsync(records) }
			await store.close()
			await start()
			return copy
		},
		async replace({ seq, records }) {
			await kill()
			const store = await open()
			await store.replaceAll({
				seq,
				records: (async function* () {
					yield* records
				})(),
			})
		},
	}
}
