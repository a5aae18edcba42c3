/**
 * Drops the databases of a bench that was interrupted: their addresses come as JSON on its input.
 *
 * Twice: what its processes had asked of the server before they were killed may be done a little later.
 */
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { MongoClient } from 'mongodb'

const addresses = JSON.parse(await text(process.stdin)) as string[]
for (const pauseMs of [500, 0]) {
	for (const address of addresses) {
		const client = new MongoClient(address, { serverSelectionTimeoutMS: 3_000 })
		await client.db().dropDatabase()
		await client.close()
	}
	await delay(pauseMs)
}
