/**
 * Backups of version 1.x in each of their states, and archives that want to do harm.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { BSON, ObjectId } from 'bson'
import { type Header, pack } from 'tar-stream'
import { makeFolder } from '../../../tests/support/server.ts'
import { listBackups, type OldBackup } from './folder.ts'
import { verifyVersion1 } from './version-1.ts'

type Entry = Partial<Header> & Pick<Header, 'name'> & { content?: Uint8Array | string }

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
	const tar = pack()
	for (const { content = '', ...header } of entries) tar.entry(header, Buffer.from(content))
	tar.finalize()
	return buffer(tar)
}

const bsonOf = (documents: object[]) => Buffer.concat(documents.map((document) => BSON.serialize(document)))
const users = bsonOf([1, 2, 3].map((n) => ({ _id: new ObjectId(), name: `Sari ${n}`, role: 'mahasiswa', createdAt: new Date() })))
const databaseEntries: Entry[] = [
	{ name: 'mongodb/', type: 'directory' },
	{ name: 'mongodb/thynk/', type: 'directory' },
	{ name: 'mongodb/thynk/users.metadata.json', content: '{"indexes":[]}' },
	{ name: 'mongodb/thynk/users.bson', content: users },
	{ name: 'mongodb/thynk/messages.bson', content: '' },
]
const uploadEntries: Entry[] = [
	{ name: 'backend/uploads/', type: 'directory' },
	{ name: 'backend/uploads/.gitkeep', content: '' },
	{ name: 'backend/uploads/file-1761000000000-1.png', content: 'a'.repeat(5_000) },
	{ name: 'backend/uploads/avatar-1761000000000-2.JPG', content: 'b'.repeat(70_000) },
]

interface Parts {
	name?: string
	database?: readonly Entry[] | Buffer | null
	uploads?: readonly Entry[] | Buffer | null
	env?: boolean
	manifest?: boolean
}

/** A folder as version 1.x's backup left it. */
async function makeOld(folder: string, parts: Parts = {}): Promise<string> {
	const { name = '20250121_143000', database = databaseEntries, uploads = uploadEntries, env = true, manifest = true } = parts
	const path = join(folder, name)
	mkdirSync(path, { recursive: true })
	for (const [kind, content] of [
		['mongodb', database],
		['uploads', uploads],
	] as const) {
		if (content)
			writeFileSync(join(path, `${kind}-${name}.tar.gz`), Buffer.isBuffer(content) ? content : gzipSync(await tarOf(content as Entry[])))
	}
	if (env) writeFileSync(join(path, 'env.production.local.backup'), 'JWT_SECRET=x\n')
	if (!manifest) return path
	const head = `English Chat Application - Backup Manifest\nBackup Date: Sun Nov 22 18:58:50 UTC 2026\nDatabase: thynk\nTimestamp: ${name}\n\nContents:\n`
	writeFileSync(join(path, 'manifest.txt'), head)
	const listed = execFileSync('ls', ['-lh', path], { encoding: 'utf8' }).split('\n').slice(1, -1)
	const lines = listed.map((line) => line.split(/\s+/)).map((columns) => `  - ${columns[8]} (${columns[4]})\n`)
	writeFileSync(join(path, 'manifest.txt'), head + lines.join(''))
	return path
}

async function only(folder: string): Promise<OldBackup> {
	const { backups, old, foreign } = await listBackups(folder)
	assert.deepEqual([backups.length, old.length, foreign.length], [0, 1, 0])
	return old[0]!
}

test('[B40] a backup of version 1 is listed in each of its states, with what it lacks', async (t) => {
	const folder = makeFolder(t)
	const states: Record<string, [Parts, string, string[]]> = {
		'20250101_000001': [{}, 'complete', []],
		'20250101_000002': [{ env: false }, 'complete', ['env']],
		'20250101_000003': [{ database: null }, 'no-database', ['database']],
		'20250101_000004': [{ database: null, uploads: null, env: false }, 'no-database', ['database', 'files', 'env']],
		'20250101_000005': [{ uploads: null }, 'no-uploads', ['files']],
		'20250101_000006': [{ manifest: false }, 'incomplete', ['manifest']],
		'20250101_000007': [{ manifest: false, uploads: null, env: false }, 'incomplete', ['files', 'env', 'manifest']],
		'20250101_000008': [{ manifest: false, database: null, uploads: null }, 'incomplete', ['database', 'files', 'manifest']],
	}
	for (const [name, [parts]] of Object.entries(states)) await makeOld(folder, { name, ...parts })
	// Killed between the dump and its packing, and one that was renamed.
	mkdirSync(join(folder, '20250101_000009/mongodb'), { recursive: true })
	renameSync(await makeOld(folder, { name: '20250101_000010' }), join(folder, 'before the exam'))
	mkdirSync(join(folder, '20250101_000011'))
	const { backups, old, foreign } = await listBackups(folder)
	assert.deepEqual(backups, [])
	assert.deepEqual(
		foreign.map(({ name, why }) => [name, why]),
		[['20250101_000011', 'no-manifest']],
	)
	assert.deepEqual(Object.fromEntries(old.map(({ name, state, lacks }) => [name, [state, lacks]])), {
		...Object.fromEntries(Object.entries(states).map(([name, [, state, lacks]]) => [name, [state, lacks]])),
		'20250101_000009': ['incomplete', ['database', 'files', 'env', 'manifest']],
		'before the exam': ['complete', []],
	})
	const one = old.find(({ name }) => name === '20250101_000001')!
	assert.deepEqual(one.at, new Date(2025, 0, 1, 0, 0, 1))
	const sizes = readdirSync(one.path).map((file) => statSync(join(one.path, file)).size)
	assert.equal(
		one.sizeBytes,
		sizes.reduce((sum, size) => sum + size),
	)
	assert.equal(old.find(({ name }) => name === 'before the exam')!.at, null)
})

test('[B41] a backup of version 1 is read as a whole: its records and files are counted', async (t) => {
	const folder = makeFolder(t)
	await makeOld(folder)
	const { findings, collections, uploads } = await verifyVersion1(await only(folder))
	assert.deepEqual(findings, [])
	assert.deepEqual(collections, [
		{ name: 'users', records: 3 },
		{ name: 'messages', records: 0 },
	])
	assert.deepEqual(uploads, { files: 2, sizeBytes: 75_000 })
	// Packed by the real tar, with long names, and from where it stands.
	const from = makeFolder(t)
	mkdirSync(join(from, 'backend/uploads'), { recursive: true })
	writeFileSync(join(from, 'backend/uploads', `file-1-2.${'x'.repeat(150)}`), 'Notes')
	execFileSync('tar', ['-czf', join(folder, '20250121_143000/uploads-20250121_143000.tar.gz'), 'backend/uploads'], { cwd: from })
	const again = await verifyVersion1(await only(folder))
	assert.deepEqual(again.uploads, { files: 1, sizeBytes: 5 })
	assert.match(again.findings.join(), /^uploads-20250121_143000\.tar\.gz: it has not the size that manifest\.txt says \(\S+\)$/)
})

test('[B42] an old archive that is cut, broken or empty is found, wherever it is cut', async (t) => {
	const folder = makeFolder(t)
	const expect = async (parts: Parts, said: RegExp | null) => {
		rmSync(folder, { recursive: true, force: true })
		await makeOld(folder, parts)
		const { findings } = await verifyVersion1(await only(folder))
		if (said) assert.match(findings.join('\n'), said)
		else assert.notDeepEqual(findings, [])
	}
	const packed = gzipSync(await tarOf(databaseEntries))
	for (let size = 0; size < packed.length; size += 13)
		await expect({ database: packed.subarray(0, size) }, /^mongodb-\S+: (\S+ )?it (is cut|can't be unpacked)/)
	const tar = await tarOf(databaseEntries)
	for (let size = 0; size < tar.length - 511; size += 256) await expect({ database: gzipSync(tar.subarray(0, size)) }, null)
	const bson = (content: Uint8Array) => [{ name: 'mongodb/thynk/users.bson', content }]
	await expect({ database: bson(users.subarray(0, -1)) }, /"mongodb\/thynk\/users\.bson": its last document is cut/)
	await expect({ database: bson(Buffer.from(users).fill(0x7f, 4, 5)) }, /a document can not be read/)
	await expect({ database: bson(Buffer.alloc(0)) }, /it holds no people/)
	await expect({ database: [databaseEntries[0]!] }, /it holds no people/)
	await expect({ database: [{ name: 'mongodb/other/users.bson', content: users }] }, /says it is the database "thynk", but it is not/)
	await expect({ uploads: gzipSync('') }, /uploads-\S+: it is cut/)
	await expect({ uploads: Buffer.from('no archive') }, /uploads-\S+: it can't be unpacked/)
	await expect({ uploads: gzipSync('no tar, '.repeat(200)) }, /uploads-\S+: /)
})

test('[B42] what manifest.txt of version 1 says is compared with what is there', async (t) => {
	const folder = makeFolder(t)
	const path = await makeOld(folder)
	rmSync(join(path, 'env.production.local.backup'))
	truncateSync(join(path, 'uploads-20250121_143000.tar.gz'), 100)
	writeFileSync(join(path, 'more.txt'), '')
	const { findings } = await verifyVersion1(await only(folder))
	assert.equal(findings.length, 4, findings.join('\n'))
	assert.match(findings[0]!, /^uploads-20250121_143000\.tar\.gz: it is cut$/)
	assert.match(findings.join('\n'), /names "env\.production\.local\.backup", which is missing/)
	assert.match(findings.join('\n'), /uploads-20250121_143000\.tar\.gz: it has not the size/)
	assert.match(findings.join('\n'), /does not name "more\.txt"/)
})

test('[B43] a member of an old archive that could do harm is refused by its name, and nothing is written', async (t) => {
	const dir = makeFolder(t)
	const folder = join(dir, 'backups')
	const into = (name: string) => `backend/uploads/${name}`
	const content = 'Harm'
	const zeros = Buffer.alloc(512)
	/** A header alone that claims any size. */
	const huge = async (name: string, octal: string) => {
		const header = (await tarOf([{ name, content: '' }])).subarray(0, 512)
		header.write(octal, 124, 12, 'latin1')
		header.fill(' ', 148, 156)
		header.write(
			`${header
				.reduce((sum, byte) => sum + byte, 0)
				.toString(8)
				.padStart(6, '0')}\0 `,
			148,
			'latin1',
		)
		return gzipSync(Buffer.concat([header, zeros, zeros, zeros]))
	}
	const cases: [readonly Entry[] | Buffer, RegExp][] = [
		[[{ name: '/etc/cron.d/harm', content }], /"\/etc\/cron\.d\/harm" was refused: it leads out/],
		[[{ name: into('../../harm'), content }], /"backend\/uploads\/\.\.\/\.\.\/harm" was refused: it leads out/],
		[[{ name: '..', content }], /"\.\." was refused/],
		[[{ name: './../harm', content }], /was refused: it leads out/],
		[[{ name: into('..'), type: 'directory' }], /was refused: it leads out/],
		[[{ name: into('a\nb'), content }], /"backend\/uploads\/a\\nb" was refused: its name/],
		[[{ name: into('a\u001b[2Jb'), content }], /u001b\[2Jb" was refused: its name/],
		[[{ name: into('a\\..\\b'), content }], /was refused: its name/],
		[[{ name: into('x'), pax: { path: '/etc/harm' }, content }], /"\/etc\/harm" was refused/],
		[[{ name: into('link'), type: 'symlink', linkname: '/etc' }], /"backend\/uploads\/link" was refused: it is no file \(symlink\)/],
		[[{ name: into('link'), type: 'link', linkname: '/etc/passwd' }], /was refused: it is no file \(link\)/],
		[[{ name: into('disk'), type: 'block-device', devmajor: 8, devminor: 0 }], /was refused: it is no file \(block-device\)/],
		[[{ name: into('tty'), type: 'character-device', devmajor: 5, devminor: 0 }], /was refused: it is no file \(character-device\)/],
		[[{ name: into('pipe'), type: 'fifo' }], /was refused: it is no file \(fifo\)/],
		[
			[
				{ name: into('same'), content },
				{ name: `./${into('same')}`, content },
			],
			/was refused: it is there twice/,
		],
		[[{ name: 'frontend/index.html', content }], /"frontend\/index\.html" does not belong there/],
		[[{ name: into('folder/deep'), content }], /does not belong there/],
		[
			await huge(into('huge.png'), '77777777777\0'),
			/"backend\/uploads\/huge\.png" was refused: it would be too large \(8589934591 bytes\)/,
		],
		[await huge(into('huge.png'), '\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff'), /too large/],
		[await huge(into('less.png'), `${'\xff'.repeat(11)}\0`), /uploads-\S+: /],
	]
	for (const [uploads, said] of cases) {
		const path = await makeOld(folder, { uploads, manifest: false })
		const before = readdirSync(dir, { recursive: true }).sort()
		const { findings, collections } = await verifyVersion1(await only(folder))
		assert.equal(findings.length, 1)
		assert.match(findings[0]!, said)
		assert.ok(![...findings[0]!].some((character) => character < ' '))
		// The other archive was read all the same.
		assert.equal(collections.length, 2)
		assert.deepEqual(readdirSync(dir, { recursive: true }).sort(), before)
		rmSync(path, { recursive: true })
	}
	await makeOld(folder, { database: [{ name: '../thynk/users.bson', content: users }], uploads: null, manifest: false })
	assert.match((await verifyVersion1(await only(folder))).findings.join(), /"\.\.\/thynk\/users\.bson" was refused/)
	// An archive that is a link is none.
	const archive = join(folder, '20250121_143000/mongodb-20250121_143000.tar.gz')
	const bytes = readFileSync(archive)
	rmSync(archive)
	writeFileSync(join(dir, 'elsewhere'), bytes)
	symlinkSync(join(dir, 'elsewhere'), archive)
	assert.deepEqual((await only(folder)).lacks, ['database', 'files', 'manifest'])
})
