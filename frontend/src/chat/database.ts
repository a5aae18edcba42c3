/**
 * What is kept on this device, in IndexedDB: one database per user with her drafts, outbox
 * and files, and a small one for the device itself.
 *
 * Promises that what was put is on the disk (strict durability), or, in a browser that keeps
 * nothing (private mode), says so by `durable: false` and holds it in memory.
 */
import { Dexie, type DexieOptions, type EntityTable, type Table } from 'dexie'
import type { CommandName, commands, Problem, Receipt } from '../../../protocol/api.ts'
import type { Person } from '../../../protocol/model.ts'
import type { Draft } from '../client.ts'

/** What a command says, as the server will read it. */
export type Said = { [N in CommandName]: { command: N; input: ReturnType<(typeof commands)[N]['parse']> } }[CommandName]

/** How far a command has come. */
interface Progress {
	/** The discussion or message that it makes or changes. */
	target: string
	/** `stored`: on the server's disk, held until released. */
	state: 'waiting' | 'refused' | 'stored'
	/** The journal in which it was stored, or for which it was made ('' where not known yet). */
	lineage: string
	/** Nothing later than this entry stored it there. */
	seq: number | null
	/** The `rev` of the message in the answer: a record with it shows what the command did. */
	rev: number | null
	/** When this device first knew it stored. */
	storedAt: number | null
	receipt: Receipt | null
	problem: Problem | null
	/** Whether its message was seen removed (true) or put back (false) after it was stored. */
	seenRemoved: boolean | null
	/** Removes a message whose sending is no longer offered: there may be nothing to remove. */
	optional: boolean
	/** The server may have heard it: it can't be cancelled any more. */
	tried: boolean
}

/** A command in the outbox; `number` is the order in which they were given. */
export type Row = Said & Progress & { number: number }
export type NewRow = Said & Progress

/** A file that was picked, without its bytes. */
export interface FileRow {
	/** The upload's id. */
	id: string
	discussion: string
	/** The message that it goes with; '' while it is staged. */
	message: string
	name: string
	type: string
	sizeBytes: number
	width: number | null
	height: number | null
	/** Those picked earlier come first. */
	order: number
	/** The journal in which the server has it; '' where it has not. */
	sentIn: string
	/** Whether its bytes are still here. */
	held: boolean
}

export interface Lease {
	name: 'send'
	tab: string
	until: number
}

export type UserDatabase = Dexie & {
	durable: boolean
	drafts: Table<Draft & { discussion: string }, string>
	outbox: Table<Row, number, NewRow>
	files: Table<FileRow, string>
	/** Apart, so that no list of files reads them. */
	bytes: Table<{ id: string; bytes: Blob | ArrayBuffer }, string>
	lease: EntityTable<Lease, 'name'>
	/** `lineage`: the journal last seen. */
	meta: EntityTable<{ key: 'lineage'; value: string }, 'key'>
}

export type DeviceDatabase = Dexie & {
	durable: boolean
	/** Who has a database on this device. */
	users: EntityTable<{ id: string; email: string }, 'id'>
	meta: Table<{ key: 'me'; value: Person } | { key: 'clockOffsetMs'; value: number }, string>
}

/** A database that can't be opened in this time (another tab holds an older version) counts as absent. */
const openMs = 10_000

/** Each version adds to the one before; what is there stays. */
const userSchemas = [
	{
		drafts: 'discussion',
		outbox: '++number, state, target, [lineage+seq]',
		lease: 'name',
		meta: 'key',
	},
	{ files: 'id, discussion, message', bytes: 'id' },
]
const userDatabaseName = (user: string) => `english-chat-${user}`

export const openUserDatabase = (user: string) => open<UserDatabase>(userDatabaseName(user), userSchemas)
/** Her commands that the server has not stored: those that wait, and those it refused. */
export const unsentIn = ({ outbox }: UserDatabase) => outbox.where('state').anyOf('waiting', 'refused')
export const openDeviceDatabase = () => open<DeviceDatabase>('english-chat', [{ users: 'id', meta: 'key' }])

/** Deletes all that a user has on this device. */
export async function deleteUserDatabase(user: string): Promise<void> {
	await Dexie.delete(userDatabaseName(user))
}

async function open<T extends Dexie & { durable: boolean }>(name: string, schemas: Record<string, string>[]): Promise<T> {
	const attempt = async (options: DexieOptions, durable: boolean) => {
		// Every read sees what is committed: no cache in between. Once deleted it stays closed.
		const database = new Dexie(name, { chromeTransactionDurability: 'strict', cache: 'disabled', autoOpen: false, ...options }) as T
		for (const [at, schema] of schemas.entries()) database.version(at + 1).stores(schema)
		database.on('versionchange', () => {
			database.close()
			return false
		})
		database.durable = durable
		let timer: ReturnType<typeof setTimeout> | undefined
		const late = new Promise<never>((_, reject) => {
			timer = setTimeout(() => reject(new Error(`${name} could not be opened in time`)), openMs)
		})
		try {
			await Promise.race([database.open(), late])
			return database
		} catch (error) {
			database.close()
			throw error
		} finally {
			clearTimeout(timer)
		}
	}
	try {
		return await attempt({}, true)
	} catch (error) {
		console.warn('This browser keeps nothing on the device:', error)
		const { IDBFactory, IDBKeyRange } = await import('fake-indexeddb')
		return attempt({ indexedDB: new IDBFactory(), IDBKeyRange }, false)
	}
}
