/**
 * The pool of uploaded files: what is copied into it, what is told, and what is healed.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
	appendFileSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { makeFolder } from '../../../tests/support/server.ts'
import { poolPath } from './format.ts'
import { checkPool, fillPool, type PoolResult, type WantedFile } from './pool.ts'
import { silent } from './progress.ts'
import { Trouble } from './trouble.ts'

const signal = new AbortController().signal
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** An uploads folder with these files, and a way to fill a pool from it. */
function makePlace(t: TestContext, count: number) {
	const dir = makeFolder(t)
	const [uploads, backups] = [join(dir, 'uploads'), join(dir, 'backups')]
	mkdirSync(uploads)
	mkdirSync(backups)
	const add = (bytes: Buffer, ending = 'txt', kind = 'file') => {
		const file = { name: `${kind}-${sha256(bytes)}.${ending}`, sha256: sha256(bytes) }
		writeFileSync(join(uploads, file.name), bytes)
		return file
	}
	const wanted = Array.from({ length: count }, (_, n) => add(Buffer.alloc(300_000 + n, `${n}`)))
	return {
		...{ uploads, backups, wanted, add },
		live: (file: WantedFile) => join(uploads, file.name),
		kept: (file: WantedFile) => join(backups, poolPath(file)),
		fill: (files = wanted, room = async (_: number) => {}) => fillPool({ uploads, backups, wanted: files, room }, silent, signal),
		/** Files in the pool, by their paths in it. */
		pool: () =>
			readdirSync(join(backups, 'files'), { recursive: true, withFileTypes: true })
				.filter((entry) => !entry.isDirectory())
				.map((entry) => join(entry.parentPath, entry.name)),
	}
}

const flip = (path: string) => {
	const bytes = readFileSync(path)
	bytes[1_000]! ^= 1
	writeFileSync(path, bytes)
}

test('[B1] the pool has a copy of its own of every file, once for the same bytes', async (t) => {
	const { backups, wanted, add, live, kept, fill, pool } = makePlace(t, 30)
	const bytes = readFileSync(live(wanted[0]!))
	// The same bytes as somebody's picture, and, from another program, under another ending.
	const more = [add(bytes, 'txt', 'avatar'), add(bytes, 'text'), add(Buffer.from('x'), 'no ending at all')]
	const all = [wanted[0]!, ...more, ...wanted, ...wanted]
	const first = await fill(all)
	assert.deepEqual([first.files.length, first.problems, first.lost], [33, [], []])
	assert.equal(
		first.addedBytes,
		first.added.reduce((sum, file) => sum + lstatSync(live(file)).size, 0),
	)
	assert.deepEqual(
		first.files.map(({ name }) => name),
		[...new Set(all.map(({ name }) => name))].sort(),
	)
	assert.equal(pool().length, 32)
	for (const file of first.files) {
		const [here, there] = [lstatSync(live(file)), lstatSync(kept(file))]
		assert.ok(there.isFile() && there.ino !== here.ino && there.nlink === 1)
		assert.ok(readFileSync(kept(file)).equals(readFileSync(live(file))))
		assert.equal(file.sizeBytes, here.size)
	}
	appendFileSync(live(wanted[1]!), 'changed')
	rmSync(live(wanted[2]!))
	for (const file of wanted.slice(0, 3)) assert.equal(sha256(readFileSync(kept(file))), file.sha256)

	const inode = lstatSync(kept(wanted[5]!)).ino
	const again = await fill(wanted.slice(3))
	assert.deepEqual([again.files.length, again.added, again.addedBytes], [27, [], 0])
	assert.equal(lstatSync(kept(wanted[5]!)).ino, inode)
	assert.deepEqual(await checkPool(backups, again.files, silent, signal), [])
})

/** What can become of a live file. */
const harms: Record<string, { harm: (path: string) => void; problem: 'missing' | 'damaged' }> = {
	removed: { harm: rmSync, problem: 'missing' },
	cut: { harm: (path) => truncateSync(path, 70_000), problem: 'damaged' },
	emptied: { harm: (path) => truncateSync(path, 0), problem: 'damaged' },
	longer: { harm: (path) => appendFileSync(path, 'more'), problem: 'damaged' },
	flipped: { harm: flip, problem: 'damaged' },
	'a folder': {
		harm(path) {
			rmSync(path)
			mkdirSync(path)
		},
		problem: 'missing',
	},
	'a link elsewhere': {
		harm(path) {
			// Even to the right bytes: what it leads to may be anything tomorrow.
			const elsewhere = join(dirname(path), '../elsewhere')
			writeFileSync(elsewhere, readFileSync(path))
			rmSync(path)
			symlinkSync(elsewhere, path)
		},
		problem: 'missing',
	},
	'a link to nothing': {
		harm(path) {
			rmSync(path)
			symlinkSync('/nowhere/at/all', path)
		},
		problem: 'missing',
	},
}

test('[B8] a live file that is missing or damaged is told by name, and lost only where the pool has it not', async (t) => {
	for (const [name, { harm, problem }] of Object.entries(harms)) {
		const { wanted, live, kept, fill, pool } = makePlace(t, 3)
		const [file] = wanted as [WantedFile]
		harm(live(file))
		const told: PoolResult = await fill()
		assert.deepEqual(told.problems, [{ name: file.name, problem }], name)
		assert.deepEqual(told.lost, [file.name], name)
		assert.equal(told.files.length, 2)
		assert.equal(pool().length, 2, `nothing half is left: ${name}`)

		const other = makePlace(t, 3)
		await other.fill()
		harm(other.live(file))
		const known = await other.fill()
		assert.deepEqual([known.lost, known.files.length, known.added], [[], 3, []], name)
		assert.equal(sha256(readFileSync(other.kept(file))), file.sha256)
		// What has the right size is not read again by every backup: that is `verify`'s.
		assert.deepEqual(known.problems, name === 'flipped' ? [] : [{ name: file.name, problem }], name)
		assert.ok(!pool().includes(kept(file)))
	}
})

test('[B8] a damaged file in the pool is healed from a whole live one, and stays where both are damaged', async (t) => {
	const { wanted, live, kept, fill, backups } = makePlace(t, 4)
	await fill()
	const [cut, linked, both, gone] = wanted as [WantedFile, WantedFile, WantedFile, WantedFile]
	truncateSync(kept(cut), 100)
	const elsewhere = join(backups, 'elsewhere')
	writeFileSync(elsewhere, readFileSync(kept(linked)))
	rmSync(kept(linked))
	symlinkSync(elsewhere, kept(linked))
	truncateSync(kept(both), 200)
	truncateSync(live(both), 300)
	rmSync(kept(gone))
	const healed = await fill()
	assert.deepEqual(healed.added.map(({ name }) => name).sort(), [cut, linked, gone].map(({ name }) => name).sort())
	assert.deepEqual([healed.problems, healed.lost], [[{ name: both.name, problem: 'damaged' }], [both.name]])
	assert.equal(lstatSync(kept(both)).size, 200)
	for (const file of [cut, linked, gone]) {
		assert.ok(lstatSync(kept(file)).isFile())
		assert.equal(sha256(readFileSync(kept(file))), file.sha256)
	}
	assert.equal(sha256(readFileSync(elsewhere)), linked.sha256, 'nothing is written through a link')
})

test('[B4] what stands in the way of the pool ends the work at once, and nothing half is left', async (t) => {
	const { wanted, fill, backups, pool } = makePlace(t, 60)
	const [file] = wanted as [WantedFile]
	mkdirSync(join(backups, poolPath(file)), { recursive: true })
	await assert.rejects(fill(), /EISDIR|ENOTEMPTY|EEXIST/)
	assert.ok(pool().length < 40, `${pool().length} were copied after it was known to be in vain`)
	assert.deepEqual(
		pool().filter((path) => path.includes('.partial-')),
		[],
	)
})

test('[B8] what can not be read is no missing file: it is told as what it is', async (t) => {
	const { uploads, wanted, fill } = makePlace(t, 2)
	rmSync(uploads, { recursive: true })
	writeFileSync(uploads, 'not a folder')
	await assert.rejects(
		fill(wanted),
		(error: Error) => error instanceof Trouble && error.code === 'cannotRead' && error.message.includes(uploads),
	)
})

test('[B4] room is asked for before the first copy, for what is not there yet', async (t) => {
	const { wanted, add, fill, backups } = makePlace(t, 3)
	const none = new Trouble('noRoom', { folder: backups })
	const asked: number[] = []
	const room = async (bytes: number) => {
		asked.push(bytes)
		throw none
	}
	await assert.rejects(fill(wanted, room), none)
	assert.ok(!existsSync(join(backups, 'files')))
	await fill()
	await assert.rejects(fill([...wanted, add(Buffer.alloc(777))], room), none)
	assert.deepEqual(asked, [900_003, 777])
})
