/**
 * Records as BSON documents, for dumps that MongoDB's tools read.
 *
 * Promises that a record comes back as it was given, its fields in their canonical order.
 */
import { BSON } from 'mongodb'
import { collections, type StoredRecord } from './collections.ts'
import { recordIn } from './mongo-bson.ts'
import { bareDocumentOf } from './mongo-documents.ts'

/** The document of a record, from its canonical JSON: ids are ObjectIds in it, times Dates. */
export function toBson(collection: string, json: string): Uint8Array {
	return BSON.serialize(bareDocumentOf(collections[collection as keyof typeof collections], json))
}

/** The record of a document, which is no tombstone. `JSON.stringify` of it is its canonical JSON. */
export function fromBson(bytes: Buffer): StoredRecord {
	return recordIn(bytes)
}
