/**
 * What MongoDB's own mongodump wrote of a database of ours, in each of its forms.
 *
 * Needs MongoDB's tools. Needs a MongoDB server.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { makeSchool, memberId, messageId, userId, writeMessages } from '../../../tests/support/backups.ts'
import { lookInto } from '../../../tests/support/mongo.ts'
import { findMongoTools } from '../../../tests/support/mongo-tools.ts'
import { makeFolder } from '../../../tests/support/server.ts'
import { collections } from '../storage/collections.ts'
import { INSTALLATION } from '../storage/open.ts'
import { openMongodump } from './mongodump.ts'

const forms = {
	folder: (out: string) => [`--out=${out}`],
	'folder, packed': (out: string) => ['--gzip', `--out=${out}`],
	archive: (out: string) => [`--archive=${out}`],
	'archive, packed': (out: string) => ['--gzip', `--archive=${out}`],
}

function mongodump(t: TestContext, uri: string, form: keyof typeof forms): string {
	const out = join(makeFolder(t), 'dump')
	execFileSync(join(findMongoTools()!, 'mongodump'), [`--uri=${uri}`, ...forms[form](out)], { stdio: 'pipe' })
	return out
}

test('[B45] what mongodump wrote is read in each of its forms: exactly the records, in the order of exports', async (t) => {
	const school = await makeSchool(t, { engine: 'mongodb', messages: 300 })
	const uri = school.config.mongodb!.uri
	const expected = await school.open(async (store) => {
		await writeMessages(store, 0, 40, 'Said again')
		await store.write(userId(0), (tx) => tx.remove('memberships', memberId(2)))
		const { seq, records } = await store.exportAt()
		const all = await Array.fromAsync(records)
		return {
			seq,
			installation: (await store.get('system', INSTALLATION))!.value,
			records: all.filter(({ collection }) => !collections[collection as keyof typeof collections].volatile),
		}
	})
	assert.ok(expected.records.some(({ record }) => record.id === messageId(299)))
	const read = async (path: string) => {
		const dump = await openMongodump(path, { folder: makeFolder(t) })
		const records = await Array.fromAsync(dump.records())
		assert.deepEqual(records, expected.records, path)
		for (const { name, records } of dump.collections)
			assert.equal(records, expected.records.filter(({ collection }) => collection === name).length)
		const { seq, installation, schema, others, database } = dump
		assert.deepEqual({ seq, installation }, { seq: expected.seq, installation: expected.installation })
		assert.deepEqual([schema, others, database], [2, [], new URL(uri).pathname.slice(1)])
	}
	for (const form of Object.keys(forms) as (keyof typeof forms)[]) {
		const out = mongodump(t, uri, form)
		await read(out)
		if (form.startsWith('folder')) await read(join(out, readdirSync(out)[0]!))
	}
})

test('[B46] collections with odd and very long names are told by their names, whatever their files are called', async (t) => {
	const school = await makeSchool(t, { engine: 'mongodb', messages: 1, files: 0 })
	const uri = school.config.mongodb!.uri
	const names = ['a b', 'café', 'x/y', '50%', "it's (*)", 'a+b', 'ü'.repeat(60), 'n'.repeat(200)]
	await lookInto(uri, async (db) => {
		for (const name of names) await db.collection(name).insertOne({ name })
	})
	for (const form of ['folder', 'folder, packed', 'archive'] as const) {
		const dump = await openMongodump(mongodump(t, uri, form), { folder: makeFolder(t) })
		assert.deepEqual(dump.others, names.toSorted(), form)
		assert.equal(dump.collections.find(({ name }) => name === 'messages')!.records, 1)
		await dump.close()
	}
})
