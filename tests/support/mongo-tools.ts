/**
 * Where MongoDB's own tools are, for tests that compare with them: mongodump, mongorestore and bsondump.
 *
 * TEST_MONGODB_TOOLS names their folder where they are not on the PATH. Runs nothing.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const TOOLS = ['mongodump', 'mongorestore', 'bsondump']
const hasAll = (folder: string) => TOOLS.every((tool) => existsSync(join(folder, tool)))

/** The folder that has them all; null where there is none. */
export function findMongoTools(): string | null {
	const named = process.env.TEST_MONGODB_TOOLS
	assert(!named || hasAll(named), `TEST_MONGODB_TOOLS is ${named}, but ${TOOLS.join(', ')} are not all there.`)
	return named || ((process.env.PATH ?? '').split(delimiter).find(hasAll) ?? null)
}
