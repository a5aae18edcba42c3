/**
 * Backups of a few bytes, for tests of the folder in which they lie.
 *
 * Promises a valid manifest and files in the pool that are what they are named after; the dump itself is no dump.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FORMAT, type KeptFile, type Manifest, poolPath } from '../../backend/src/backup/format.ts'

export const installation = 'a'.repeat(24)
export const otherInstallation = 'b'.repeat(24)
const time = '2025-01-21T14:30:00.000Z'

/** The n-th file: every backup that has it means the same bytes. */
export function tinyFile(n: number): KeptFile & { bytes: string } {
	const bytes = `File ${n}`
	const sha256 = createHash('sha256').update(bytes).digest('hex')
	return { name: `file-${sha256}.txt`, sha256, sizeBytes: bytes.length, bytes }
}

/** What is said of one, and the numbers of its files. */
export type Tiny = Partial<Omit<Manifest, 'files'>> & { files?: readonly number[] }

/** Makes one in `folder`, verified unless it is said otherwise. Gives its path. */
export function makeTiny(folder: string, { files = [], ...said }: Tiny = {}, as?: string): string {
	const kept = files.map(tinyFile)
	const manifest: Manifest = {
		...{ format: FORMAT, name: '20250121_143000', number: 1, createdAt: time, reason: 'schedule', app: '2.0.0', engine: 'sqlite' },
		...{
			database: 'online-discussion',
			installation,
			lineage: 'c'.repeat(24),
			seq: 7,
			schema: 1,
			collections: [],
			problems: [],
			env: null,
		},
		...{ verifiedAt: time, provenAt: null, sizes: { databaseBytes: 1, filesBytes: 1, addedBytes: 1 }, durationMs: 1 },
		...said,
		files: kept.map(({ bytes, ...file }) => file),
	}
	const path = join(folder, as ?? manifest.name)
	mkdirSync(join(path, 'database/online-discussion'), { recursive: true })
	writeFileSync(join(path, 'database/online-discussion/users.bson.gz'), 'users')
	writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest))
	for (const file of kept) {
		const place = join(folder, poolPath(file))
		mkdirSync(dirname(place), { recursive: true })
		writeFileSync(place, file.bytes)
	}
	return path
}
