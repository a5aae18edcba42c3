/**
 * Records as whole pages of text, so that whoever packs, hashes or compares them need not look at each.
 *
 * Promises that the records born in one entry are on one page, and that a page ends where it was asked to.
 */
import type { StoredRecord } from './collections.ts'
import type { Ends, Page } from './engine.ts'

/** Where no end is given a page has so many, and what else was born with its last one: of the longest messages some megabytes. */
export const PAGE_RECORDS = 100

/** The canonical JSON of each record of a page. */
export function linesOf({ text }: Pick<Page, 'text'>): string[] {
	return Buffer.from(text.buffer, text.byteOffset, text.length).toString().split('\n')
}

const encoder = new TextEncoder()

/** Pages of records that come in export order. */
export async function* pagesOf(
	records: AsyncIterable<{ collection: string; record: StoredRecord }>,
	ends: Ends = {},
): AsyncGenerator<Page> {
	let [collection, first, last] = ['', 0, 0]
	let left: number[] = []
	let lines: string[] = []
	const page = (): Page => ({ collection, first, last, records: lines.length, text: encoder.encode(lines.join('\n')) })
	const endsBefore = (seq: number) => {
		while (left.length > 0 && left[0]! < first) left.shift()
		return left.length > 0 ? seq > left[0]! : lines.length >= PAGE_RECORDS && seq !== last
	}
	for await (const { collection: name, record } of records) {
		const { seq } = record
		if (lines.length > 0 && (name !== collection || endsBefore(seq))) {
			yield page()
			lines = []
		}
		if (name !== collection) left = [...(ends[name] ?? [])]
		if (lines.length === 0) [collection, first] = [name, seq]
		lines.push(JSON.stringify(record))
		last = seq
	}
	if (lines.length > 0) yield page()
}
