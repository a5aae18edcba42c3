/**
 * The database part of a backup alone: ranges, and which are taken from the dump before.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { idOf, sha256 } from '../../../tests/support/backups.ts'
import { messageDraft } from '../../../tests/support/records.ts'
import { makeFolder } from '../../../tests/support/server.ts'
import type { StoredRecord } from '../storage/collections.ts'
import { pagesOf } from '../storage/pages.ts'
import { checkDump, compareWithDump, type Previous, type Readable, readDump, writeDump } from './dump.ts'
import type { Part } from './format.ts'
import { silent } from './progress.ts'

const signal = new AbortController().signal
const at = '2025-01-21T14:30:00.000Z'

/** The text of a message: `n` is its birth. */
function line(n: number, text = 'Hello'): string {
	const said = { id: idOf(5, n), discussion: idOf(4, 0), author: idOf(1, 1), group: idOf(2, 0), text: `${text} ${n}`, writtenAt: at }
	const record = { ...messageDraft(said), seq: n, rev: n, createdAt: at, updatedAt: at }
	return JSON.stringify(Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))))
}

/** A database with these messages. */
const readingOf = (lines: readonly string[]): Readable => ({
	pages: (ends) =>
		pagesOf(
			(async function* () {
				for (const json of lines) yield { collection: 'messages', record: JSON.parse(json) as StoredRecord }
			})(),
			ends,
		),
})

async function dump(t: TestContext, lines: readonly string[], previous: Previous | null = null) {
	const folder = join(makeFolder(t), 'dump')
	mkdirSync(folder)
	const { parts } = await writeDump(readingOf(lines), { folder, previous, watch: {}, progress: silent, signal })
	assert.deepEqual(await checkDump(folder, parts, () => true, silent, signal), [])
	assert.deepEqual(await compareWithDump(readingOf(lines), parts, silent, signal), [])
	const read = await Array.fromAsync(readDump({ name: 'it', folder, parts }))
	assert.deepEqual(
		read.map(({ record, json }) => (JSON.stringify(record) === json ? json : assert.fail('The JSON is the record.'))),
		lines,
	)
	return { folder, parts, messages: parts.find(({ name }) => name === 'messages')! }
}

/** Packs every range of a dump anew and differently, so that it can be told where a member came from. */
function repack(folder: string, part: Part): void {
	const bytes = readFileSync(join(folder, part.file))
	const members: Buffer[] = []
	let end = 0
	for (const range of part.ranges) {
		const member = gzipSync(gunzipSync(bytes.subarray(range.offset, range.offset + range.sizeBytes)), { level: 9 })
		Object.assign(range, { offset: end, sizeBytes: member.length, sha256: sha256(member) })
		end += member.length
		members.push(member)
	}
	part.sizeBytes = end
	writeFileSync(join(folder, part.file), Buffer.concat(members))
}

test('[B2] ranges that did not change are the members of the dump before, byte by byte, and only those', async (t) => {
	const lines = Array.from({ length: 6_500 }, (_, n) => line(n + 1))
	const first = await dump(t, lines)
	assert.deepEqual(
		first.messages.ranges.map(({ first, last }) => [first, last]),
		[
			[1, 2_000],
			[2_001, 4_000],
			[4_001, 6_000],
			[6_001, 6_500],
		],
	)
	repack(first.folder, first.messages)
	const previous = { folder: first.folder, parts: first.parts }
	const old = first.messages.ranges.map(({ sha256 }) => sha256)
	/** Which ranges of the first dump are in another one. */
	const taken = ({ messages }: { messages: Part }) => messages.ranges.map(({ sha256 }) => old.indexOf(sha256))

	assert.deepEqual(taken(await dump(t, lines, previous)), [0, 1, 2, 3])
	// One is changed, some are new: the last range grows, and is cut only where it is full.
	const more = [...lines.with(2_500, line(2_501, 'Changed')), ...Array.from({ length: 2_500 }, (_, n) => line(6_501 + n))]
	const second = await dump(t, more, previous)
	assert.deepEqual(taken(second), [0, -1, 2, -1, -1])
	assert.deepEqual(
		second.messages.ranges.map(({ last }) => last),
		[2_000, 4_000, 6_000, 8_000, 9_000],
	)

	// What rotted there is not taken, and hinders nothing.
	const file = join(first.folder, first.messages.file)
	const bytes = readFileSync(file)
	const { offset } = first.messages.ranges[1]!
	writeFileSync(file, bytes.with(offset + 100, bytes[offset + 100]! ^ 1))
	assert.deepEqual(taken(await dump(t, lines, previous)), [0, -1, 2, 3])
	writeFileSync(file, bytes.subarray(0, offset + 100))
	assert.deepEqual(taken(await dump(t, lines, previous)), [0, -1, -1, -1])
})
