/**
 * A server and its MongoDB are lost, and another one takes its place from a copy of `backups/` alone.
 *
 * Needs a MongoDB server.
 */
import { test } from 'node:test'
import { lookInto, testAddress } from '../support/mongo.ts'
import { loseEverything } from '../support/total-loss.ts'

test('[O64] all is lost, the database in MongoDB too: the settings that were backed up say where it belongs', async (t) => {
	const uri = testAddress()
	const drop = () => lookInto(uri, (db) => db.dropDatabase())
	t.after(drop)
	await loseEverything(t, {
		ways: [{ copy: 'cp -r backups "$USB"', back: 'cp -r "$USB/backups" .' }],
		settings: `MONGODB_URI=${uri}\nTAKEOVER_AFTER_MS=1000\n`,
		lose: drop,
	})
})
