/**
 * The admin's page of backups: which there are, making and proving one, and taking one along as a file.
 *
 * Promises that the settings never leave by it, and that nobody takes one along without the password again.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Pack, pack as packTar } from 'tar-stream'
import type { BackupCard } from '../../../protocol/backups.ts'
import { sayAlert } from '../backup/alerts.ts'
import { type Backup, type Listing, listBackups } from '../backup/folder.ts'
import { MANIFEST, type Manifest, PEOPLE, poolPath } from '../backup/format.ts'
import type { Keeper } from '../backup/keeper.ts'
import { peopleManifest } from '../backup/people-manifest.ts'
import { Trouble } from '../backup/trouble.ts'
import { fail, notFound } from '../errors.ts'
import type { Handlers, Parts, SignedCall } from '../parts.ts'
import { tooOften } from '../rates.ts'

const ticketMs = 60_000

type Job = Parameters<Keeper['start']>[0]

/** The handlers of backups. `verify` throws where this is not the caller's password. */
export function openBackups(
	{ config, rates, log }: Parts,
	keeper: Keeper,
	verify: (call: SignedCall, password: string) => Promise<void>,
): Pick<Handlers, 'listBackups' | 'startBackup' | 'proveBackup' | 'allowDownload' | 'downloadBackup'> {
	const folder = config.folders.backups
	const tickets = new Map<string, { user: string; name: string; until: number }>()

	async function find(name: string): Promise<Backup> {
		const { backups } = await listBackups(folder)
		return backups.find((backup) => backup.name === name) ?? notFound('backup')
	}

	async function start(job: Job, { reader }: SignedCall): Promise<{ started: true }> {
		const wait = rates.commands.take(reader.user.id)
		if (wait > 0) tooOften(wait)
		try {
			await keeper.start(job)
			return { started: true }
		} catch (error) {
			if (!(error instanceof Trouble) || error.code !== 'busy') throw error
			fail('backup_busy', 'A backup or a proof is being made already.', { hint: 'Wait until it has ended.' })
		}
	}

	return {
		async listBackups({ language }) {
			let trouble: Trouble | null = null
			const { backups, old, foreign } = await listBackups(folder).catch((error): Listing => {
				if (!(error instanceof Trouble)) throw error
				trouble = error
				return { backups: [], old: [], foreign: [] }
			})
			const { running, nextAt } = keeper
			const step = running?.step
			const alerts = keeper.alerts.map((alert) => ({ code: alert.code as string, at: alert.at, ...said(sayAlert(alert, language)) }))
			if (trouble !== null) {
				const { code, say } = trouble as Trouble
				if (!keeper.alerts.some((alert) => alert.trouble === code))
					alerts.unshift({ code, at: new Date().toISOString(), ...said(say.call(trouble, language)) })
			}
			return {
				readable: trouble === null,
				backups: backups.map(cardOf),
				old: old.map(({ name, at, sizeBytes, lacks }) => ({ name, at: at?.toISOString() ?? null, sizeBytes, lacks })),
				foreign: foreign.map(({ name, why }) => ({ name, why })),
				running: running && { kind: running.kind, doing: step?.doing ?? null, done: step?.done ?? 0, total: step?.total ?? null },
				alerts,
				nextAt,
				drill: config.backup.drill,
			}
		},
		startBackup: (_, call) => start({ kind: 'backup', reason: 'manual' }, call),
		async proveBackup({ name }, call) {
			await find(name)
			return start({ kind: 'drill', name }, call)
		},
		async allowDownload({ name, password }, call) {
			await find(name)
			await verify(call, password)
			const now = Date.now()
			for (const [ticket, { until }] of tickets) if (until < now) tickets.delete(ticket)
			const ticket = randomBytes(24).toString('base64url')
			tickets.set(ticket, { user: call.reader.user.id, name, until: now + ticketMs })
			return { ticket }
		},
		async downloadBackup({ name, ticket }, { reader }) {
			const given = tickets.get(ticket)
			tickets.delete(ticket)
			if (!given || given.user !== reader.user.id || given.name !== name || given.until < Date.now()) notFound('backup')
			const backup = await find(name)
			const headers = {
				'content-type': 'application/x-tar',
				'content-disposition': `attachment; filename="english-chat-${backup.manifest.name}.tar"`,
				'cache-control': 'no-store',
			}
			const onError = (error: unknown) => log.warn({ err: error, backup: name }, 'a backup was not downloaded as a whole')
			return { status: 200, headers, stream: archive(folder, backup, onError) }
		},
	}
}

const said = ({ says, hint = null }: { says: string; hint?: string | null }) => ({ says, hint })

function cardOf({ name, manifest, verifiedAt, provenAt, damaged }: Backup): BackupCard {
	const { createdAt, reason, collections, files, problems, sizes } = manifest
	const records = (collection: string) => collections.find((part) => part.name === collection)?.records ?? 0
	const kept = new Set(files.map((file) => file.name))
	return {
		...{ name, createdAt, reason, verifiedAt, provenAt, damaged: damaged !== null },
		...{ people: records('users'), discussions: records('discussions'), messages: records('messages'), files: files.length },
		sizeBytes: sizes.databaseBytes + sizes.filesBytes,
		lost: problems.filter((problem) => !kept.has(problem.name)).length,
	}
}

/**
 * A backup as one tar, made while it is read, at the pace of whoever reads; where she goes away it stops. Its manifest
 * comes last, as when it was made: what was cut is none.
 */
function archive(folder: string, { path, manifest, verifiedAt, provenAt }: Backup, onError: (error: unknown) => void): Readable {
	const tar = packTar()
	const { name, database } = manifest
	// Without the settings it holds none; what happened to it since it was made goes with it.
	const taken: Manifest = { ...manifest, env: null, verifiedAt, provenAt }
	async function add(): Promise<void> {
		for (const file of new Set(manifest.files.map(poolPath))) await addFile(tar, join(folder, file), file)
		for (const { file } of manifest.collections) {
			for (const one of [file, file.replace(/bson\.gz$/, 'metadata.json.gz')]) {
				const place = `database/${database}/${one}`
				await addFile(tar, join(path, place), `${name}/${place}`)
			}
		}
		tar.entry({ name: `${name}/${PEOPLE}` }, peopleManifest(taken))
		tar.entry({ name: `${name}/${MANIFEST}` }, `${JSON.stringify(taken, null, '\t')}\n`)
		tar.finalize()
	}
	const out = new PassThrough()
	void pipeline(tar, out).catch(() => {})
	add().catch((error: Error) => {
		if (!out.destroyed) onError(error)
		tar.destroy(error)
	})
	return out
}

async function addFile(tar: Pack, path: string, name: string): Promise<void> {
	const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
	try {
		const { size, mtime } = await file.stat()
		await pipeline(file.createReadStream({ autoClose: false }), tar.entry({ name, size, mtime }))
	} finally {
		await file.close()
	}
}
