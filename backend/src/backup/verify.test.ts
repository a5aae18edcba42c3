/**
 * Reading a backup back: whatever byte of it is another, it is found, named and marked.
 */
import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { makeSchool, snapshot } from '../../../tests/support/backups.ts'
import { createBackup } from './create.ts'
import { checkDump } from './dump.ts'
import { type Backup, findBackup, listBackups } from './folder.ts'
import { ENV_COPY, MANIFEST, type Part, poolPath } from './format.ts'
import { silent } from './progress.ts'
import { verifyBackup } from './verify.ts'

const signal = new AbortController().signal

/** Each byte in turn is another one, as `look` sees it; then all is as it was. */
async function flipEach(path: string, look: (at: number) => Promise<void>, step = 1): Promise<void> {
	const bytes = readFileSync(path)
	for (let at = 0; at < bytes.length; at += step) {
		writeFileSync(path, bytes.with(at, bytes[at]! ^ (1 << (at % 8))))
		await look(at)
	}
	writeFileSync(path, bytes)
}

/** Some bits of a gzip file, such as when it was packed and those after the last block, say nothing of what is in it. */
function unpacks(path: string, text: string): boolean {
	try {
		return gunzipSync(readFileSync(path)).toString() === text
	} catch {
		return false
	}
}

test('[B9] whatever byte of the database in a backup is another, or is lost, it is found', async (t) => {
	const { config } = await makeSchool(t, { messages: 3, files: 1 })
	const { path, manifest } = (await createBackup({ config, reason: 'manual', drill: false })).backup
	const folder = join(path, 'database', manifest.database)
	const check = (part: Part) => checkDump(folder, [part], () => true, silent, signal)
	const files: string[] = []
	for (const part of manifest.collections) {
		const metadata = part.file.replace(/bson\.gz$/, 'metadata.json.gz')
		assert.deepEqual(await check(part), [])
		for (const file of [part.file, metadata]) {
			files.push(file)
			const place = join(folder, file)
			const whole = readFileSync(place)
			const text = gunzipSync(whole).toString()
			// Of what has ranges the bytes themselves are hashed.
			const isHashed = file === part.file && part.ranges.length > 0
			await flipEach(place, async (at) => {
				const [found] = await check(part)
				assert.ok(found ? found.startsWith(`${file}: `) : !isHashed && unpacks(place, text), `${file}, byte ${at}: ${found}`)
			})
			for (const bytes of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.from([0])]), Buffer.alloc(0)]) {
				writeFileSync(place, bytes)
				assert.match((await check(part)).join(), /^\S+gz: /, file)
			}
			rmSync(place)
			assert.deepEqual(await check(part), [`${file}: it is missing`])
			writeFileSync(place, whole)
		}
		assert.deepEqual(await check(part), [])
	}
	assert.deepEqual(readdirSync(folder).sort(), files.sort(), 'every file was looked at')
})

test('[B9] whatever is another in a file of the pool, the settings or a hash of the manifest is found, and the backup is marked', async (t) => {
	const { config } = await makeSchool(t, { messages: 3, files: 2 })
	const { backups } = config.folders
	const { name, path, manifest } = (await createBackup({ config, reason: 'manual', drill: false })).backup
	const before = snapshot(join(backups, name))
	const now = async () => (await findBackup(backups, name)) as Backup
	const verify = async () => (await verifyBackup({ config, backup: await now() })).findings
	const [file] = manifest.files
	const places = { [file!.name]: join(backups, poolPath(file!)), [ENV_COPY]: join(path, ENV_COPY) }
	for (const [called, place] of Object.entries(places)) {
		await flipEach(place, async (at) => assert.match((await verify()).join(), new RegExp(`^${called}: `), `byte ${at}`), 7)
		const { verifiedAt, damaged } = await now()
		assert.equal(verifiedAt, null)
		assert.match(damaged!, new RegExp(called))
		appendFileSync(place, 'x')
		assert.equal((await verify()).length, 1)
		writeFileSync(place, readFileSync(place).subarray(0, -1))
		renameSync(place, `${place}.away`)
		assert.deepEqual(await verify(), [`${called}: it is missing`])
		renameSync(`${place}.away`, place)
		assert.deepEqual(await verify(), [])
		assert.ok((await now()).verifiedAt, 'what is whole again is verified again')
	}

	const text = readFileSync(join(path, MANIFEST), 'utf8')
	const hashes = [...text.matchAll(/"(hash|sha256|records|sizeBytes|offset|bsonBytes)": "?([0-9a-f]+)/g)]
	assert.ok(hashes.length > 50)
	for (const { 0: all, index } of hashes) {
		const at = index + all.length - 1
		const changed = text[at] === '1' ? '2' : '1'
		writeFileSync(join(path, MANIFEST), text.slice(0, at) + changed + text.slice(at + 1))
		const { backups: found } = await listBackups(backups)
		const line = text.slice(0, at).split('\n').length
		// A number that is none any more makes it no manifest of ours: that is told, too.
		if (found.length > 0) assert.notDeepEqual(await verify(), [], `line ${line}: ${all}`)
	}
	writeFileSync(join(path, MANIFEST), text)
	assert.deepEqual(await verify(), [])
	assert.deepEqual(snapshot(join(backups, name)), before, 'a look changes nothing')
})
