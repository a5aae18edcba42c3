/**
 * Index keys: computed here once for both databases, compared as UTF-8 bytes everywhere.
 *
 * Promises that a record has the same keys in SQLite, in MongoDB and in the core's overlay, and
 * that order is `sort`, then `(seq, id)`. Never reads or writes anything.
 */
import assert from 'node:assert/strict'
import type { CollectionSpec, IndexSpec, KeyField, StoredRecord } from './collections.ts'
import type { EngineQuery, Keys, Position } from './engine.ts'

/** Between the parts of a key: no text may contain it. */
const SEPARATOR = '\u0001'

/** Letters that Unicode does not take apart, and what people type for them. */
const LETTERS: Record<string, string> = { ł: 'l', ø: 'o', đ: 'd', ð: 'd', þ: 'th', ß: 'ss', æ: 'ae', œ: 'oe', ħ: 'h', ı: 'i', ŋ: 'n' }

/** Case, width and accents do not matter: what people type when they search. */
function fold(value: string): string {
	const letters = value.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().normalize('NFC')
	return letters.replace(/[łøđðþßæœħıŋ]/g, (letter) => LETTERS[letter]!)
}

/** An address without case: accents stay, since they make another address. */
function foldAddress(value: string): string {
	return value.normalize('NFKC').toLowerCase()
}

/** The folded words of a text, each once. */
export function foldWords(value: string): string[] {
	return [...new Set(fold(value).match(/[\p{L}\p{N}]+/gu) ?? [])]
}

function fieldValues(record: Record<string, unknown>, field: KeyField): string[] {
	if (typeof field === 'string') {
		const value = record[field]
		return value === null || value === undefined ? [] : [String(value)]
	}
	if ('each' in field) return [...new Set(((record[field.each] as readonly unknown[] | null | undefined) ?? []).map(String))]
	if ('folded' in field) {
		const value = record[field.folded]
		return typeof value === 'string' ? [foldAddress(value)] : []
	}
	const value = record[field.words]
	return typeof value === 'string' ? foldWords(value) : []
}

/** True where one record may have several keys in the index. */
export function manyKeys(spec: IndexSpec): boolean {
	return spec.key.some((field) => typeof field !== 'string' && ('each' in field || 'words' in field))
}

/** A record's keys in every index of its collection. */
export function keysOf(spec: CollectionSpec, record: StoredRecord): Keys {
	const keys: Keys = {}
	for (const name in spec.indexes) {
		const index = spec.indexes[name]!
		const source = record as unknown as Record<string, unknown>
		let parts = fieldValues(source, index.key[0]!)
		for (let i = 1; i < index.key.length; i++) {
			const values = fieldValues(source, index.key[i]!)
			parts = parts.flatMap((part) => values.map((value) => part + SEPARATOR + value))
		}
		keys[name] = { keys: parts, sort: index.sort === undefined ? null : ((source[index.sort] as string | number | undefined) ?? '') }
	}
	return keys
}

/** What is looked for in an index, folded as its keys are. */
export function queryKey(spec: IndexSpec, values: readonly (string | number | boolean)[]): string {
	assert.equal(values.length, spec.key.length, 'A query names every key field of its index.')
	return values
		.map((value, i) => {
			const field = spec.key[i]!
			if (typeof field === 'string' || 'each' in field) return String(value)
			return 'folded' in field ? foldAddress(String(value)) : fold(String(value))
		})
		.join(SEPARATOR)
}

/** By UTF-8 bytes (code points), as both databases compare. */
export function compareText(a: string, b: string): number {
	return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function compareSort(a: string | number | null, b: string | number | null): number {
	if (typeof a === 'number') return typeof b === 'number' ? a - b : -1
	return typeof b === 'number' ? 1 : compareText(a ?? '', b ?? '')
}

/** The order of every list: `sort`, then `(seq, id)`. */
export function comparePositions(a: Position, b: Position): number {
	return compareSort(a.sort, b.sort) || a.seq - b.seq || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

/** Whether one of the keys is what the query looks for. */
export function matches(query: Pick<EngineQuery, 'key' | 'prefix'>, keys: readonly string[]): boolean {
	return keys.some((key) => (query.prefix ? key.startsWith(query.key) : key === query.key))
}
