/**
 * The way to a MongoDB server: its address, the connection, and what its errors mean.
 *
 * Promises that an address, an error or a sentence made here carries no password, and that every
 * failure to connect says what is wrong and what to do next. Never decides what is stored.
 */
import {
	MongoAPIError,
	MongoClient,
	MongoError,
	MongoNetworkError,
	MongoParseError,
	MongoServerError,
	MongoServerSelectionError,
} from 'mongodb'
import { StorageUnavailable } from './engine.ts'
import { DUPLICATE } from './mongo-documents.ts'

/** Where a database is. */
export interface MongoAddress {
	/** With credentials: for the driver only. */
	uri: string
	database: string
	/** Hosts and database, for people. */
	place: string
	/** The host was replaced, since this process runs in a container: only that one server is asked. */
	direct: boolean
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(?=:\d+$|$)/i
const HOST = /^([^\s,:[\]@]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i
const SYSTEM = ['admin', 'local', 'config']
const OURS = /^(w|journal|j|wtimeout(MS)?|timeoutMS|retryWrites|retryReads|readPreference|readConcernLevel)=/i
/** From inside a container this is the machine that it runs on. */
const HOST_OF_CONTAINER = 'host.docker.internal'
/** The name that version 1.x and its guide use. */
const DEFAULT_DATABASE = 'online-discussion'

/** Reads a `mongodb://` address. In a container a loopback host means the machine around it. Throws `StorageUnavailable`. */
export function parseAddress(uri: string, inContainer: boolean): MongoAddress {
	const parts = /^(mongodb(?:\+srv)?:\/\/)(?:([^@/]*)@)?([^/?@]+)(?:\/([^?]*))?(\?.*)?$/.exec(uri.trim())
	if (!parts) throw badAddress()
	const [, scheme, credentials, hosts, path, query = ''] = parts as unknown as [string, string, string?, string?, string?, string?]
	const given = hosts!.split(',')
	const own = given.map((host) => (inContainer ? host.replace(LOOPBACK, HOST_OF_CONTAINER) : host))
	const direct = inContainer && own.length === 1 && own[0] !== given[0]
	let database: string
	try {
		database = decodeURIComponent(path ?? '') || DEFAULT_DATABASE
	} catch {
		throw badAddress()
	}
	if (/[/\\. "$*<>:|?\0]/.test(database) || Buffer.byteLength(database) > 63) throw badAddress()
	if (!given.every((host) => HOST.test(host))) throw badAddress()
	if (SYSTEM.includes(database)) {
		throw new StorageUnavailable(`The database ${database} is MongoDB's own.`, {
			hint: 'Name another one in MONGODB_URI, for example mongodb://localhost:27017/online-discussion. A user who was made in admin needs ?authSource=admin at the end.',
		})
	}
	const login = credentials === undefined ? '' : `${credentials}@`
	return {
		uri: `${scheme}${login}${own.join(',')}/${path ?? ''}${optionsOf(query)}`,
		database,
		place: `${own.join(',')}/${database}`,
		direct,
	}
}

/** The options without those that are ours to decide: a write is acknowledged when it is durable. */
function optionsOf(query: string): string {
	const kept = query
		.slice(1)
		.split('&')
		.filter((option) => option !== '' && !OURS.test(option))
	return kept.length > 0 ? `?${kept.join('&')}` : ''
}

function badAddress(): StorageUnavailable {
	return new StorageUnavailable('MONGODB_URI is not an address of a MongoDB database.', {
		hint: 'It looks like mongodb://localhost:27017/online-discussion, or mongodb://user:password@host/database; special characters of a password are written as %40 (@), %3A (:), %2F (/).',
	})
}

/** How long one command may take before its connection is given up; its outcome is then not known. */
export interface Patience {
	commandMs: number
}

/** Connects and says hello. Throws `StorageUnavailable`. */
export async function connect(address: MongoAddress, { commandMs }: Patience): Promise<MongoClient> {
	let client: MongoClient
	try {
		client = new MongoClient(address.uri, {
			appName: 'english-chat',
			writeConcern: { w: 'majority', journal: true },
			readPreference: 'primary',
			// What is tried again, and when, is decided by the engine.
			retryWrites: false,
			retryReads: false,
			serverSelectionTimeoutMS: Math.min(3_000, commandMs),
			connectTimeoutMS: Math.min(5_000, commandMs),
			socketTimeoutMS: commandMs,
			heartbeatFrequencyMS: Math.max(500, Math.min(2_000, commandMs)),
			serverMonitoringMode: 'poll',
			maxPoolSize: 16,
			...(address.direct ? { directConnection: true } : {}),
		})
	} catch {
		// The driver's own words may quote the address.
		throw badAddress()
	}
	try {
		await client.connect()
		await client.db(address.database).command({ ping: 1 })
		return client
	} catch (error) {
		await client.close()
		const meant = explain(error, address)
		if (meant instanceof StorageUnavailable) throw meant
		const { code, message } = error as NodeJS.ErrnoException
		throw new StorageUnavailable(`MongoDB at ${address.place} can not be reached (${code ?? message}).`, {
			hint: LOOK_AT_OPTIONS,
			cause: error,
		})
	}
}

const LOOK_AT_OPTIONS = 'Check the host in MONGODB_URI, and what stands after its question mark (replicaSet, tls).'

const CODES = { unauthorized: 13, wrongPassword: 18, noSpace: 14_031 }

/** The driver lets the socket's own error through where a large command waits for its buffer to drain. */
const BROKEN = ['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN']
const isBroken = (error: unknown): error is NodeJS.ErrnoException =>
	error instanceof Error && BROKEN.includes((error as NodeJS.ErrnoException).code ?? '')

/** What an error of the driver means for the operator. */
export function explain(error: unknown, { place, direct }: Pick<MongoAddress, 'place' | 'direct'>): unknown {
	if (!(error instanceof MongoError || isBroken(error)) || error instanceof MongoParseError) return error
	const code = error instanceof MongoServerError ? error.code : null
	if (code === CODES.wrongPassword) {
		return new StorageUnavailable(`MongoDB at ${place} does not take this user and password.`, {
			hint: 'Check both in MONGODB_URI. A user who was made in another database needs ?authSource=admin at the end.',
			cause: error,
		})
	}
	if (code === CODES.unauthorized) {
		return new StorageUnavailable(`MongoDB at ${place} does not let this user read and write the database.`, {
			hint: `In mongosh, as an administrator: db.grantRolesToUser('<user>', [{ role: 'readWrite', db: '${place.split('/').at(-1)}' }]). Without a user in MONGODB_URI, add one: mongodb://user:password@…`,
			cause: error,
		})
	}
	const servers = error instanceof MongoServerSelectionError ? [...(error.reason?.servers.values() ?? [])] : []
	const reason = servers.find((server) => server.error)?.error ?? error
	const broken = reason instanceof MongoNetworkError || isBroken(reason)
	const why = /E[A-Z]{4,}/.exec(reason.message)?.[0] ?? (broken ? 'the connection breaks' : null)
	if (!why) return new StorageUnavailable(`MongoDB at ${place} does not answer as expected.`, { hint: LOOK_AT_OPTIONS, cause: error })
	const inContainer = direct
		? ' In a container, mongod must listen on the bridge address too: bindIp: 127.0.0.1,172.17.0.1 in mongod.conf.'
		: ''
	return new StorageUnavailable(`MongoDB at ${place} can not be reached (${why}).`, {
		hint: `Check that it runs (sudo systemctl status mongod) and that MONGODB_URI names its host and port.${inContainer}`,
		cause: error,
	})
}

/**
 * What a failed command means. `away`: it may or may not have been done, and can be tried again; `duplicate`: a document with
 * this id is there; `full` and `refused`: it was not done; `defect`: trying again is of no use.
 */
export type Meaning = 'away' | 'duplicate' | 'full' | 'refused' | 'defect'

export function meaningOf(error: unknown): Meaning {
	if (isBroken(error)) return 'away'
	if (!(error instanceof MongoError) || error instanceof MongoAPIError) return 'defect'
	if (!(error instanceof MongoServerError)) return 'away'
	if (error.code === DUPLICATE) return 'duplicate'
	if (error.code === CODES.noSpace || /no space left|out of disk space|disk full|over your space quota/i.test(error.message)) return 'full'
	if (error.code === CODES.unauthorized || error.code === CODES.wrongPassword) return 'refused'
	return 'away'
}
