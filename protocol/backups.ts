/**
 * The rows of the API about backups: for admins only.
 */
import { z } from 'zod'
import { endpoint, nothing } from './endpoint.ts'

const Count = z.int().nonnegative()
/** Of a folder, also of one that somebody copied by hand. */
const BackupName = z.string().min(1).max(150)
const admins = ['admin'] as const

/** A backup, as its page shows it. */
export const BackupCard = z.object({
	name: z.string(),
	createdAt: z.iso.datetime(),
	reason: z.enum(['manual', 'schedule', 'update', 'restore', 'migration']),
	people: Count,
	discussions: Count,
	messages: Count,
	files: Count,
	sizeBytes: Count,
	verifiedAt: z.iso.datetime().nullable(),
	provenAt: z.iso.datetime().nullable(),
	/** Something in it is not as it was written. */
	damaged: z.boolean(),
	/** Uploaded files that were missing or damaged when it was made, and are in no backup. */
	lost: Count,
})
export type BackupCard = z.infer<typeof BackupCard>

/** A backup that version 1 made. */
export const OldBackupCard = z.object({
	name: z.string(),
	at: z.iso.datetime().nullable(),
	sizeBytes: Count,
	/** `manifest`: it was interrupted, so any file of it may be cut. */
	lacks: z.array(z.enum(['database', 'files', 'env', 'manifest'])),
})
export type OldBackupCard = z.infer<typeof OldBackupCard>

export const backups = {
	/** Newest first, with what runs now and what is wrong; sentences in this language. */
	listBackups: endpoint({
		method: 'GET',
		path: '/api/backups',
		who: admins,
		input: z.strictObject({ language: z.enum(['en', 'id']).default('en') }),
		output: z.object({
			/** False: the folder can't be read at the moment; `alerts` say why. */
			readable: z.boolean(),
			backups: z.array(BackupCard),
			old: z.array(OldBackupCard),
			/** What lies beside them and is none. */
			foreign: z.array(z.object({ name: z.string(), why: z.enum(['file', 'no-manifest', 'link', 'broken-manifest', 'newer-format']) })),
			running: z
				.object({ kind: z.enum(['backup', 'drill']), doing: z.string().nullable(), done: Count, total: Count.nullable() })
				.nullable(),
			alerts: z.array(z.object({ code: z.string(), at: z.iso.datetime(), says: z.string(), hint: z.string().nullable() })),
			/** When the schedule makes the next one. */
			nextAt: z.iso.datetime().nullable(),
			/** Each is proven when it is made. */
			drill: z.boolean(),
		}),
	}),
	/** Begins one; how far it is stands in the list. */
	startBackup: endpoint({
		method: 'POST',
		path: '/api/backups',
		who: admins,
		input: nothing,
		output: z.object({ started: z.literal(true) }),
		errors: ['backup_busy'],
	}),
	/** Begins to restore one into a scratch place, to prove that it can be. */
	proveBackup: endpoint({
		method: 'POST',
		path: '/api/backups/:name/proofs',
		who: admins,
		input: z.strictObject({ name: BackupName }),
		output: z.object({ started: z.literal(true) }),
		errors: ['backup_busy', 'not_found'],
	}),
	/** The password once more gives a ticket for one download within a minute. */
	allowDownload: endpoint({
		method: 'POST',
		path: '/api/backups/:name/tickets',
		who: admins,
		input: z.strictObject({ name: BackupName, password: z.string().max(1_000) }),
		output: z.object({ ticket: z.string() }),
		errors: ['wrong_credentials', 'not_found'],
	}),
	/** All of it as one tar, without the settings: unpacked in `backups/` it can be restored. */
	downloadBackup: endpoint({
		method: 'GET',
		path: '/api/backups/:name/archive',
		who: admins,
		body: 'file',
		input: z.strictObject({ name: BackupName, ticket: z.string().max(100) }),
		output: z.unknown(),
		errors: ['not_found'],
	}),
}
