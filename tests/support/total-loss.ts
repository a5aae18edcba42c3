/**
 * The rehearsal of a total loss: a school is used, backed up and copied away, its machine is lost, and another one takes
 * its place from the copy alone.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Manifest } from '../../backend/src/backup/format.ts'
import type { Message, Person } from '../../protocol/model.ts'
import { Client, View } from './client.ts'
import { foldersOf, makeClone, shellOf, startClone } from './installation.ts'
import { runLine } from './operator.ts'
import { makeFolder } from './server.ts'

export interface Loss {
	/** How `backups/` goes to the folder `$USB` and comes back on the new machine: on one such machine each. */
	ways: { copy: string; back: string }[]
	/** What the settings say, beside a comment. */
	settings?: string
	/** Takes away what is not in the installation's folder. */
	lose?(): Promise<unknown>
}

/** Everything is lost but the copy of the backups; fails where anything is not as it was. */
export async function loseEverything(t: TestContext, { ways, settings = '', lose }: Loss): Promise<void> {
	const usb = join(makeFolder(t), 'the usb disk')
	mkdirSync(usb)
	const shell = async (path: string, line: string) => {
		const { code, out, err } = await runLine(t, line, { cwd: path, env: { ...shellOf(path), USB: usb } })
		assert.equal(code, 0, `${line}:\n${out}${err}`)
		return out
	}

	const path = makeClone(t)
	writeFileSync(join(path, '.env.production.local'), `# Of our school.\n${settings}`, { mode: 0o600 })
	const before = await startClone(t, path)
	await shell(path, `"${process.execPath}" ops/sample.ts --link "${await before.setUpLink()}" --scale 0.02`)
	const accounts = readFileSync(join(path, 'sample-accounts.tsv'), 'utf8')
	const seen = await lookAround(before.origin, accounts)
	assert.ok(seen.messages.size > 50 && seen.files.size > 0)
	assert.match(await shell(path, './backup.sh'), / verified and proven: /)
	await before.stop()
	const manifest = manifestOf(path)
	for (const { copy } of ways) await shell(path, copy)
	rmSync(path, { recursive: true })

	for (const { back } of ways) {
		await lose?.()
		const fresh = makeClone(t)
		await shell(fresh, back)
		assert.ok(!existsSync(foldersOf(fresh).data))
		await shell(fresh, './restore.sh latest --yes --as replacement')
		assert.equal(readFileSync(join(fresh, '.env.production.local'), 'utf8'), `# Of our school.\n${settings}`)
		// Nobody has signed in yet, so that all of it has to be the same.
		await shell(fresh, './backup.sh')
		const again = manifestOf(fresh)
		assert.notEqual(again.name, manifest.name)
		assert.notEqual(again.lineage, manifest.lineage)
		assert.deepEqual(contentOf(again), contentOf(manifest))
		const after = await startClone(t, fresh)
		assert.deepEqual(await lookAround(after.origin, accounts), seen)
		assert.ok(!after.said().includes('/setup#'), 'there is an admin')
		await after.stop()
	}
}

/** All that a backup says of what it holds. */
function contentOf({ collections, files, installation, engine }: Manifest) {
	return { installation, engine, files, collections: collections.map(({ name, records, hash }) => ({ name, records, hash })) }
}

/** Of the newest one. */
function manifestOf(path: string): Manifest {
	const { backups } = foldersOf(path)
	const all = readdirSync(backups)
		.filter((name) => /^\d/.test(name))
		.map((name) => Manifest.parse(JSON.parse(readFileSync(join(backups, name, 'manifest.json'), 'utf8'))))
	return all.sort((a, b) => b.number - a.number)[0]!
}

/** What people of the sample see, signed in with their passwords: every record, and the digest of every file. */
async function lookAround(origin: string, accounts: string) {
	const seen = { users: new Map<string, Person>(), messages: new Map<string, Message>(), files: new Map<string, string>() }
	const password = /password (\S+)/.exec(accounts)![1]!
	for (const [, email] of accounts.matchAll(/^(?:admin|lecturer)\t.*\t(\S+@\S+)\t/gm)) {
		const client = new Client(origin)
		await client.call('signIn', { email: email!, password })
		const view = new View(client)
		await view.fetchAll()
		for (const [id, user] of view.records.users) seen.users.set(id, user as unknown as Person)
		for (const message of view.records.messages.values() as unknown as Iterable<Message>) {
			seen.messages.set(message.id, message)
			for (const { id } of message.attachments) {
				const answer = await client.fetch(`/api/files/${id}`)
				assert.equal(answer.status, 200)
				seen.files.set(
					id,
					createHash('sha256')
						.update(Buffer.from(await answer.arrayBuffer()))
						.digest('hex'),
				)
			}
		}
	}
	return seen
}
