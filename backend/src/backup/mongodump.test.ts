/**
 * Dumps that were made by hand in mongodump's formats: what is read of them, damage, and what is not ours.
 */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { BSON, Long, ObjectId } from 'bson'
import { makeFolder } from '../../../tests/support/server.ts'
import { collections } from '../storage/collections.ts'
import { INSTALLATION } from '../storage/open.ts'
import { openMongodump } from './mongodump.ts'
import { Crc64 } from './mongodump-archive.ts'
import { Trouble, type TroubleCode } from './trouble.ts'

/** By collection the documents of a database. */
type Documents = Record<string, object[]>

const lineage = 'c'.repeat(24)
const idOf = (n: number) => n.toString(16).padStart(24, '0')
const at = new Date('2025-01-21T14:30:00.000Z')
const member = (n: number, seq: number, rev = seq) => ({
	...{ _id: new ObjectId(idOf(n)), createdAt: at, group: new ObjectId(idOf(1)), rev, seq, updatedAt: at, user: new ObjectId(idOf(n)) },
	_k: { pair: `${n}` },
})
const gone = (n: number, rev: number) => ({ _id: new ObjectId(idOf(n)), rev, gone: true })
const expected = [member(9, 3), member(4, 5, 9), member(6, 5), member(2, 7)].map(
	({ _id, _k, createdAt, updatedAt, group, user, ...entry }) => ({
		...{ createdAt: createdAt.toISOString(), group: group.toHexString(), id: _id.toHexString(), ...entry },
		...{ updatedAt: updatedAt.toISOString(), user: user.toHexString() },
	}),
)

/** A whole database of ours: some memberships out of order, one of them removed. */
function database(changed: Documents = {}): Documents {
	const empty = Object.fromEntries(Object.keys(collections).map((name) => [name, []]))
	const system = {
		_id: new ObjectId(INSTALLATION),
		createdAt: at,
		name: 'installation',
		rev: 1,
		seq: 1,
		updatedAt: at,
		value: 'a'.repeat(24),
	}
	return {
		...empty,
		system: [system],
		memberships: [member(2, 7), gone(3, 12), member(6, 5), member(9, 3), member(4, 5, 9)],
		meta: [{ _id: 'store', format: 1, lineage, indexes: Object.fromEntries(Object.keys(collections).map((name) => [name, ''])) }],
		[`journal_${lineage}`]: [
			{ _id: 0, kind: 'begin', schema: 1 },
			{ _id: 2, kind: 'group', schema: 2 },
			{ _id: 1, kind: 'term', schema: 1 },
		],
		[`journal_${'d'.repeat(24)}`]: [{ _id: 9, kind: 'close', schema: 1 }],
		...changed,
	}
}

const bsonOf = (documents: object[]) => Buffer.concat(documents.map((document) => BSON.serialize(document)))

function writeFolder(folder: string, documents: Documents, packed = false): string {
	mkdirSync(folder, { recursive: true })
	for (const [name, all] of Object.entries(documents)) {
		if (packed) writeFileSync(join(folder, `${name}.bson.gz`), gzipSync(bsonOf(all)))
		else writeFileSync(join(folder, `${name}.bson`), bsonOf(all))
	}
	return folder
}

const END = Buffer.alloc(4, 0xff)

/** Each collection in two parts, in turns with the others. */
function archiveOf(databases: Record<string, Documents>): Buffer {
	const all = Object.entries(databases).flatMap(([db, documents]) =>
		Object.entries(documents).map(([collection, some]) => ({ db, collection, some })),
	)
	const header = { concurrent_collections: 4, version: '0.1', server_version: '7.0.16', tool_version: '100.11.0' }
	const prelude = all.map(({ db, collection }) => BSON.serialize({ db, collection, metadata: '{}', size: 0, type: 'collection' }))
	const part = (db: string, collection: string, some: object[]) => [
		BSON.serialize({ db, collection, EOF: false, CRC: Long.ZERO }),
		bsonOf(some),
		END,
	]
	const end = ({ db, collection, some }: (typeof all)[number]) => {
		const sum = new Crc64()
		sum.add(bsonOf(some))
		return [BSON.serialize({ db, collection, EOF: true, CRC: Long.fromBigInt(sum.value) }), END]
	}
	const first = all.flatMap(({ db, collection, some }) => part(db, collection, some.slice(0, 2)))
	const second = all.flatMap((one) => [...part(one.db, one.collection, one.some.slice(2)), ...end(one)])
	return Buffer.concat([Buffer.from('6de29981', 'hex'), BSON.serialize(header), ...prelude, END, ...first, ...second])
}

async function read(t: TestContext, path: string) {
	const dump = await openMongodump(path, { folder: makeFolder(t) })
	const records = await Array.fromAsync(dump.records())
	const memberships = records.filter(({ collection }) => collection === 'memberships').map(({ record }) => record)
	return { ...dump, records, memberships }
}

function refused(t: TestContext, path: string, code: TroubleCode, said = /./): Promise<void> {
	return assert.rejects(openMongodump(path, { folder: makeFolder(t) }), (error: unknown) => {
		assert.ok(error instanceof Trouble, String((error as Error).stack))
		assert.equal(error.code, code, error.message)
		assert.match(error.message, said)
		return true
	})
}

test('[B47] of a dump come records alone, each once: no bookkeeping, nothing that was removed', async (t) => {
	const dir = makeFolder(t)
	const plain = writeFolder(join(dir, 'plain/school'), database())
	writeFolder(join(dir, 'packed/school'), database(), true)
	writeFolder(join(dir, 'plain/shop'), { users: [{ _id: 1 }], orders: [] })
	writeFileSync(join(dir, 'plain/oplog.bson'), 'No documents')
	writeFileSync(join(plain, '$admin.system.users.bson'), 'No documents')
	writeFileSync(join(plain, 'prelude.json'), '{}')
	writeFileSync(join(dir, 'archive'), archiveOf({ shop: { users: [{ _id: 1 }] }, school: database() }))
	writeFileSync(join(dir, 'archive.gz'), gzipSync(archiveOf({ school: database() })))
	symlinkSync(join(dir, 'plain'), join(dir, 'link'))
	for (const name of ['plain', 'plain/school', 'plain/school/', 'packed', 'archive', 'archive.gz', 'link']) {
		const dump = await read(t, join(dir, name))
		assert.deepEqual(dump.memberships, expected, name)
		assert.equal(dump.records.length, expected.length + 1)
		assert.deepEqual([dump.seq, dump.schema, dump.installation, dump.database], [12, 2, 'a'.repeat(24), 'school'])
	}
	writeFolder(plain, database({ memberships: [member(2, 7), member(2, 7, 8)] }))
	await assert.rejects(read(t, plain), (error: Trouble) => error.code === 'damagedDump' && /twice/.test(error.message))
})

test('[B48] whatever byte of an archive is lost or changed, either it is refused or the records are the same', async (t) => {
	const dir = makeFolder(t)
	const small = database({ meta: [], [`journal_${lineage}`]: [] })
	for (const packed of [false, true]) {
		const whole = packed ? gzipSync(archiveOf({ school: small })) : archiveOf({ school: small })
		const outcome = async (bytes: Buffer, what: string) => {
			const path = join(dir, 'archive')
			writeFileSync(path, bytes)
			try {
				assert.deepEqual((await read(t, path)).memberships, expected, what)
				return 'same'
			} catch (error) {
				assert.ok(error instanceof Trouble, `${what}: ${(error as Error).stack}`)
				return error.code
			}
		}
		assert.equal(await outcome(whole, 'whole'), 'same')
		for (let size = 0; size < whole.length; size += packed ? 17 : 61)
			assert.notEqual(await outcome(whole.subarray(0, size), `${size} bytes`), 'same')
		const seen = new Set<string>()
		for (let place = 0; place < whole.length; place += packed ? 5 : 19) {
			const changed = Buffer.from(whole)
			changed[place]! ^= 1 << (place % 8)
			seen.add(await outcome(changed, `byte ${place} changed`))
		}
		assert.ok(seen.has('damagedDump'), [...seen].join())
	}
})

test('[B49] a folder with a cut, missing or strange file is refused, and the file is named', async (t) => {
	const folder = join(makeFolder(t), 'school')
	const fresh = (changed: Documents = {}, packed = false) => {
		rmSync(folder, { recursive: true, force: true })
		return writeFolder(folder, database(changed), packed)
	}
	const put = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes)
	const users = bsonOf([member(1, 2)])
	for (const [name, bytes, said] of [
		['users.bson', users.subarray(0, -1), /users\.bson: its last document is cut/],
		['users.bson', users.subarray(0, 3), /users\.bson: its last document is cut/],
		['users.bson', Buffer.from('ffffffff00', 'hex'), /users\.bson: a document has a size that can not be/],
		['users.bson', Buffer.concat([users.subarray(0, -1), Buffer.from('x')]), /users\.bson: a document does not end/],
		['users.bson', Buffer.from(users).fill(0x7f, 4, 5), /a document can not be read/],
		['users.bson', bsonOf([{ _id: 1 }]), /users holds a document that is no record/],
		['users.bson', bsonOf([{ ...member(1, 2), rev: 'x' }]), /users holds a document that is no record/],
	] as const) {
		fresh()
		put(name, bytes)
		await refused(t, folder, 'damagedDump', said)
	}
	for (const cut of [0, 5, 20]) {
		fresh({}, true)
		put('memberships.bson.gz', gzipSync(bsonOf(database().memberships!)).subarray(0, cut))
		await refused(t, folder, 'damagedDump', /memberships\.bson\.gz: it is cut/)
	}
	fresh({}, true)
	put('users.bson.gz', Buffer.from('no gzip file'))
	await refused(t, folder, 'damagedDump', /users\.bson\.gz: it can't be unpacked/)
	fresh()
	put('users.bson.gz', gzipSync(users))
	await refused(t, folder, 'damagedDump', /users is in .* twice/)
	fresh()
	rmSync(join(folder, 'messages.bson'))
	await refused(t, folder, 'damagedDump', /messages is missing/)
	// A link is no file of mongodump's.
	renameSync(join(folder, 'users.bson'), join(folder, '../elsewhere'))
	symlinkSync(join(folder, '../elsewhere'), join(folder, 'users.bson'))
	await refused(t, folder, 'damagedDump', /users, messages is missing/)
	fresh()
	const long = `${'%C3%BC'.repeat(40).slice(0, 208)}%24${hash('sha1', 'another', 'base64url')}`
	put(`${long}.bson`, users)
	await refused(t, folder, 'damagedDump', /it is not said which collection/)
	put(`${long}.metadata.json`, Buffer.from(JSON.stringify({ collectionName: 'another' })))
	assert.deepEqual((await read(t, folder)).others, ['another'])
	fresh({ [`journal_${lineage}`]: [{ _id: 3, kind: 'close', schema: 2 }] })
	await refused(t, folder, 'damagedDump', /a restore was under way/)
})

test("[B50] what is no dump, another program's, version 1's, or not one database is refused with the next step", async (t) => {
	const dir = makeFolder(t)
	const version1 = { users: [{ _id: new ObjectId() }], groups: [], discussions: [], messages: [], categories: [] }
	await refused(t, join(dir, 'nothing'), 'noDump')
	await refused(t, dir, 'noDump')
	writeFileSync(join(dir, 'notes.txt'), 'Mine')
	await refused(t, join(dir, 'notes.txt'), 'noDump')
	writeFileSync(join(dir, 'notes.gz'), gzipSync('Mine'))
	await refused(t, join(dir, 'notes.gz'), 'noDump')
	const cases: [string, Record<string, Documents>, TroubleCode, RegExp][] = [
		['shop', { shop: { users: [], orders: [] }, admin: {} }, 'foreignDump', /only shop/],
		['old', { thynk: version1 }, 'version1Dump', /database thynk in/],
		['two', { b: database(), a: database(), thynk: version1 }, 'severalInDump', /: a, b\./],
	]
	for (const [name, databases, code, said] of cases) {
		for (const [db, documents] of Object.entries(databases)) writeFolder(join(dir, name, db), documents)
		await refused(t, join(dir, name), code, said)
		writeFileSync(join(dir, `${name}.archive`), archiveOf(databases))
		await refused(t, join(dir, `${name}.archive`), code, said)
	}
	assert.deepEqual((await read(t, join(dir, 'two/a'))).memberships, expected)
	const newer = { [`journal_${lineage}`]: [{ _id: 3, kind: 'group', schema: 99 }] }
	await refused(t, writeFolder(join(dir, 'newer/school'), database(newer)), 'newerDump')
	const spools = makeFolder(t)
	await assert.rejects(openMongodump(join(dir, 'old'), { folder: spools }))
	assert.deepEqual(readdirSync(spools), [])
})
