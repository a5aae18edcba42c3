/**
 * manifest.txt, as people read it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Manifest, Problem } from './format.ts'
import { localTime, peopleManifest, sizeText } from './people-manifest.ts'

const part = (name: string, records: number) => ({ name, file: `${name}.bson.gz`, records, hash: '', sizeBytes: 0, ranges: [] })
const file = (name: string) => ({ name, sha256: '', sizeBytes: 1_000 })

function manifest(more: Partial<Manifest> = {}): Manifest {
	const [installation, lineage] = ['a'.repeat(24), 'b'.repeat(24)]
	return {
		...{ format: 1, name: '20261126_023001', number: 4, createdAt: '2026-11-26T02:30:01.000Z', reason: 'schedule', app: '2.0.0' },
		...{ engine: 'sqlite', database: 'online-discussion', installation, lineage, seq: 12_345, schema: 1 },
		collections: [part('users', 66), part('groups', 4), part('discussions', 1), part('messages', 5_012)],
		...{ files: [file('a.png'), file('b.png')], problems: [], env: { sha256: '', sizeBytes: 90 } },
		...{ verifiedAt: '2026-11-26T02:30:10.000Z', provenAt: '2026-11-26T02:30:14.000Z' },
		...{ sizes: { databaseBytes: 3_140_000, filesBytes: 145_200_000, addedBytes: 990 }, durationMs: 14_000 },
		...more,
	}
}

test('[O60] manifest.txt says when, why, what, how much, verified, proven and how to restore, in a line each', () => {
	const made = localTime(new Date('2026-11-26T02:30:01.000Z'), true)
	assert.match(made, /^2026-11-2[567] \d\d:\d\d:01 [+-]\d\d:\d\d$/)
	const text = peopleManifest(manifest())
	for (const line of [
		'English Chat backup 20261126_023001',
		`Made:      ${made}, by version 2.0.0`,
		'Why:       the schedule',
		'Database:  embedded, online-discussion, up to entry 12,345',
		'Holds:     5,012 messages, 66 people, 4 groups, 1 discussion, 2 files',
		'Size:      148 MB (database 3.1 MB, files 145 MB)',
		'Added:     990 B to the disk; the rest was there',
		'Restore:   ./restore.sh 20261126_023001',
	])
		assert.ok(text.split('\n').includes(line), `${line}\n\n${text}`)
	assert.match(text, /^Verified: {2}2026-.*read back$/m)
	assert.match(text, /^Proven: {4}2026-.*scratch place$/m)
	assert.match(text, /\n\n$/, 'an empty line parts it from the next one')
})

test('[O60] manifest.txt has at most 20 lines, and says what is lost and what is not verified', () => {
	const problems = Array.from({ length: 200 }, (_, n): Problem => ({ name: n ? `c${n}.png` : 'a.png', problem: 'missing' }))
	const text = peopleManifest(manifest({ problems, verifiedAt: null, provenAt: null, env: null, engine: 'mongodb' }))
	assert.ok(text.split('\n').length <= 21, text)
	assert.match(text, /^Verified: {2}NO$/m)
	assert.match(text, /^Proven: {4}not yet$/m)
	assert.match(text, /^Problems: {2}200 uploaded files were not whole: a\.png \(missing\), c1\.png .*, and 197 more$/m)
	assert.match(text, /^Lost: +199 files$/m)
	assert.match(peopleManifest(manifest({ problems: [{ name: 'a.png', problem: 'damaged' }] })), /^Lost: +nothing/m)
})

test('[O60] sizes are written for people', () => {
	const sizes = [0, 999, 1_000, 9_960, 10_400, 3_140_000, 999_999_999, 1_500_000_000].map((bytes) => sizeText(bytes))
	assert.deepEqual(sizes, ['0 B', '999 B', '1 kB', '10 kB', '10 kB', '3.1 MB', '1,000 MB', '1.5 GB'])
	assert.equal(sizeText(1_500_000, 'id'), '1,5 MB')
})
