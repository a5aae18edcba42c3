/**
 * The road between a server and its MongoDB, which a test can break: a TCP proxy that knows a command by words in it.
 *
 * It delays, cuts, loses the answer to what was done, and keeps a command back until long after its sender gave it up.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface MongoProxy {
	/** The address of a database by this road. */
	address(database: string): string
	/** The next message with all these words reaches the database, but its answer is lost, and the connection breaks. Resolves then. */
	loseAnswerTo(...words: string[]): Promise<void>
	/** The next message with all these words is kept back, and its connection breaks. Resolves with the way to send it on after all. */
	keepBack(...words: string[]): Promise<() => Promise<void>>
	/** From now on everything takes so much longer, each way. */
	delay(ms: number): void
	/** Breaks every connection; while it is `down` there is no new one. */
	cut(): void
	down: boolean
	close(): Promise<void>
}

type Trap = { words: string[]; caught(message: Buffer, database: Socket): void; lose: boolean }

/** Opens a road to the MongoDB server at this address. */
export async function openMongoProxy(server: string): Promise<MongoProxy> {
	const target = new URL(server)
	const sockets = new Set<Socket>()
	let traps: Trap[] = []
	let delayMs = 0
	let down = false
	const later = (work: () => void) => (delayMs > 0 ? void setTimeout(work, delayMs) : work())
	const toDatabase = () => connect(Number(target.port || 27_017), target.hostname)

	const proxy = createServer((driver) => {
		if (down) return driver.destroy()
		const database = toDatabase()
		let deaf = false
		for (const [socket, other] of [
			[driver, database],
			[database, driver],
		] as const) {
			sockets.add(socket)
			socket.on('error', () => {})
			socket.on('close', () => {
				sockets.delete(socket)
				other.destroy()
			})
		}
		driver.on('data', (message) => {
			const trap = traps.find(({ words }) => words.every((word) => message.includes(word)))
			if (!trap) return later(() => database.write(message))
			traps = traps.filter((other) => other !== trap)
			deaf = true
			if (trap.lose) {
				database.once('data', () => {
					driver.destroy()
					trap.caught(message, database)
				})
				database.write(message)
			} else {
				driver.destroy()
				trap.caught(message, database)
			}
		})
		database.on('data', (message) => {
			if (!deaf) later(() => driver.write(message))
		})
	})
	proxy.listen(0, '127.0.0.1')
	await once(proxy, 'listening')
	const cut = () => {
		for (const socket of sockets) socket.destroy()
	}
	return {
		address(database) {
			const url = new URL(server)
			url.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
			url.pathname = `/${database}`
			url.searchParams.set('directConnection', 'true')
			return url.href
		},
		loseAnswerTo: (...words) =>
			new Promise((resolve) => {
				traps.push({ words, lose: true, caught: () => resolve() })
			}),
		keepBack: (...words) =>
			new Promise((resolve) => {
				const caught = (message: Buffer) =>
					resolve(async () => {
						const database = toDatabase()
						database.write(message)
						await once(database, 'data')
						database.destroy()
					})
				traps.push({ words, lose: false, caught })
			}),
		delay(ms) {
			delayMs = ms
		},
		cut,
		get down() {
			return down
		},
		set down(now) {
			down = now
			if (now) cut()
		},
		async close() {
			cut()
			proxy.close()
			await once(proxy, 'close')
		},
	}
}
