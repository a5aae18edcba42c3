/**
 * How a backup is laid out in its folder, and what its manifest.json says.
 *
 * Promises that a manifest which was read is whole and of a format known here, and that every name in it stays
 * inside of its folder. Reads and writes nothing. `docs/BACKUPS.md` describes the same for people.
 */
import { z } from 'zod'

/** Of the folder and its manifest; a newer one is not touched. */
export const FORMAT = 1

/** Files of a backup, beside `database/`. */
export const MANIFEST = 'manifest.json'
export const PEOPLE = 'manifest.txt'
export const ENV_COPY = 'env.production.local.backup'
/** Names in the backups folder that belong to no backup. */
export const POOL = 'files'
export const MARKS = '.marks'
export const ERASURES = 'erasures.ndjson'
/** A backup on its way: nothing with this beginning counts. */
export const PARTIAL = '.partial-'

export const reasons = ['manual', 'schedule', 'update', 'restore', 'migration'] as const
export type Reason = (typeof reasons)[number]

const Hash = z.string().regex(/^[0-9a-f]{64}$/)
const Id = z.string().regex(/^[0-9a-f]{24}$/)
const Count = z.int().nonnegative()
const Time = z.iso.datetime()
/** The name of a file in one folder. */
const FileName = z.string().regex(/^(?!\.)[^/\\\0]{1,255}$/)

/** Records of one collection that lie together in its file as one gzip member: those born in the entries `first` to `last`. */
const Range = z.object({
	first: Count,
	last: Count,
	records: Count,
	/** Where its member begins in the file, and how long it is. */
	offset: Count,
	sizeBytes: Count,
	/** Of the member as it lies in the file. */
	sha256: Hash,
	/** Of the records' canonical JSON, a line each: says whether a record changed, whatever engine it is in. */
	hash: Hash,
	bsonBytes: Count,
})
export type Range = z.infer<typeof Range>

const Part = z.object({
	name: z.string(),
	/** Beside `<name>.metadata.json.gz`, in `database/<database>/`. */
	file: FileName,
	records: Count,
	/** SHA-256 of the hashes of its ranges, one after another as text. */
	hash: Hash,
	sizeBytes: Count,
	ranges: z.array(Range),
})
export type Part = z.infer<typeof Part>

/** An uploaded file: in the uploads folder `name`, in the pool `poolPath`. */
const KeptFile = z.object({ name: FileName, sha256: Hash, sizeBytes: Count })
export type KeptFile = z.infer<typeof KeptFile>

const Problem = z.object({ name: FileName, problem: z.enum(['missing', 'damaged']) })
/** A live file that could not be kept. */
export type Problem = z.infer<typeof Problem>

export const Manifest = z.object({
	format: z.literal(FORMAT),
	/** Of its folder. */
	name: z.string().regex(/^\d{8}_\d{6}(_\d+)?$/),
	/** One more than the highest beside it when it was made: the order of backups, whatever clocks say. */
	number: z.int().positive(),
	createdAt: Time,
	reason: z.enum(reasons),
	/** Version of the app that made it. */
	app: z.string(),
	engine: z.enum(['sqlite', 'mongodb']),
	/** The folder in `database/`: the name of the database. */
	database: z.string().regex(/^[^/\\. "$\0]{1,63}$/),
	installation: Id,
	lineage: Id,
	/** Everything up to this entry is in it, and nothing after it. */
	seq: Count,
	schema: Count,
	/** In the order of exports. What a restore does not carry over (sessions, help links) is not in it. */
	collections: z.array(Part),
	files: z.array(KeptFile),
	problems: z.array(Problem),
	env: z.object({ sha256: Hash, sizeBytes: Count }).nullable(),
	/** When all of it had been read back and found right; null where `problems` says why not. */
	verifiedAt: Time.nullable(),
	/** When a drill had restored all of it. Later proofs stand in the marks. */
	provenAt: Time.nullable(),
	/** `databaseBytes`: as it lies there; `filesBytes`: of all its files; `addedBytes`: what this backup added to the disk. */
	sizes: z.object({ databaseBytes: Count, filesBytes: Count, addedBytes: Count }),
	durationMs: Count,
})
export type Manifest = z.infer<typeof Manifest>

/** What happened to a backup later, a line each in `.marks/<name>.ndjson`; the newest of a kind counts. */
export const Mark = z.object({
	at: Time,
	/** `verified`, `proven`: done anew; `damaged`: `what` says what was found; `refused`: a drill failed, `what` says why. */
	kind: z.enum(['verified', 'proven', 'damaged', 'refused']),
	what: z.string().optional(),
})
export type Mark = z.infer<typeof Mark>

/** Where the pool keeps a file, relative to the backups folder. */
export function poolPath({ name, sha256 }: Pick<KeptFile, 'name' | 'sha256'>): string {
	const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0].toLowerCase() ?? ''
	return `${POOL}/${sha256.slice(0, 2)}/${sha256}${extension}`
}

/** The name of a backup's folder: local time. */
export function nameAt(time: Date): string {
	const two = (value: number) => String(value).padStart(2, '0')
	const date = `${time.getFullYear()}${two(time.getMonth() + 1)}${two(time.getDate())}`
	return `${date}_${two(time.getHours())}${two(time.getMinutes())}${two(time.getSeconds())}`
}

/**
 * The name of a collection's file in a dump, without its ending, as mongodump escapes it (mongo-tools, prepare.go and
 * filepath.go): Go's `url.QueryEscape`; longer than 238 characters it is cut and ends with a digest of the name.
 */
export function escapeCollection(name: string, sha1: (text: string) => string): string {
	const escaped = encodeURIComponent(name)
		.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
		.replace(/%20/g, '+')
	return escaped.length <= 238 ? escaped : `${escaped.slice(0, 208)}%24${sha1(name)}`
}
