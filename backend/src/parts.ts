/**
 * What features are given, and the shape of what they give: one handler for each endpoint.
 *
 * Promises nothing of its own: plain data and types between app.ts, http.ts and the features.
 */
import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { Api, ApiName, Output, ParsedInput } from '../../protocol/api.ts'
import { formatCursor } from '../../protocol/model.ts'
import type { Reader, Readers } from './access.ts'
import type { Config } from './config.ts'
import type { Rates } from './rates.ts'
import type { SessionRecord } from './storage/collections.ts'
import type { Store, Tx } from './storage/store.ts'

/** What every feature works with. */
export interface Parts {
	store: Store
	readers: Readers
	rates: Rates
	config: Config
	log: Logger
}

/** What a request says beside its input. */
export interface Call {
	/** The caller's address, as far as it can be believed. */
	address: string
	/** What the browser calls itself. */
	device: string
	ifNoneMatch: string | undefined
	/** The token of the session's cookie, if any. */
	token: string | null
	/** Sets the session's cookie, or (null) takes it away. */
	setToken(token: string | null): void
	/** Of endpoints whose body or answer is a file. */
	headers: IncomingHttpHeaders
	/** The bytes of a file that is sent; whoever sends waits for this call before the first of them. */
	receive(): Readable
}

/** A call by somebody signed in. */
export interface SignedCall extends Call {
	reader: Reader
	session: SessionRecord
}

/** An answer that is JSON already; `json` null: the caller has it (its `etag` is the one she named). */
export interface Ready {
	json: string | null
	etag?: string
}

/** An answer that is the bytes of a file. */
export interface Bytes {
	status: number
	headers: Readonly<Record<string, string>>
	/** Null: there are none to send. */
	stream: Readable | Buffer | null
}

type CallOf<N extends ApiName> = Api[N]['who'] extends 'anyone' ? Call : SignedCall
export type Handler<N extends ApiName> = (input: ParsedInput<N>, call: CallOf<N>) => Promise<Output<N> | Ready | Bytes>
/** A handler for every endpoint: a missing one is a type error. */
export type Handlers = { [N in ApiName]: Handler<N> }

const keptOf = new WeakMap<Store, string>()

/** From now on pages and stream say that all up to this cursor is in a backup. */
export function noteKept(store: Store, cursor: string): void {
	keptOf.set(store, cursor)
}

/** How far backups reach. */
export function reachOf(store: Store): { kept: string | null; released: string | null } {
	const kept = keptOf.get(store) ?? null
	return { kept, released: kept }
}

/** Where the store stands, and how far backups reach: read it before the query whose page carries it. */
export function standing(store: Store) {
	const { lineage, seq } = store.head
	return { cursor: formatCursor(lineage, seq), ...reachOf(store) }
}

/** The place of a step's entry. */
export function placeOf(tx: Pick<Tx, 'lineage' | 'seq'>): string {
	return formatCursor(tx.lineage, tx.seq)
}

/** The digest of a secret, to be kept instead of it. */
export function digest(secret: string): string {
	return hash('sha256', secret, 'base64url')
}
