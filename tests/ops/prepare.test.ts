/**
 * What happens before the server starts: a small copy of the project, with our packages, is built
 * when and only when its sources changed.
 *
 * Installs nothing: `.ci/run` on a clean checkout does.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

const root = join(import.meta.dirname, '../..')

function project(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'english chat '))
	t.after(() => rmSync(path, { recursive: true, force: true }))
	for (const folder of ['ops', 'frontend', 'protocol']) mkdirSync(join(path, folder))
	for (const file of ['package.json', 'package-lock.json', 'ops/prepare.js']) copyFileSync(join(root, file), join(path, file))
	symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'))
	writeFileSync(join(path, 'frontend/index.html'), '<!doctype html><script type="module" src="./main.ts"></script>')
	writeFileSync(join(path, 'frontend/main.ts'), 'document.title = "one"\n')
	return path
}

function prepare(path: string): { code: number | null; said: string } {
	const { status, stdout, stderr } = spawnSync(process.execPath, [join(path, 'ops/prepare.js')], { encoding: 'utf8' })
	return { code: status, said: stdout + stderr }
}

const page = (path: string) => join(path, 'frontend/dist/index.html')

test('[O10] the web app is built once, and again only when its sources changed', (t) => {
	const path = project(t)
	assert.deepEqual(prepare(path), { code: 0, said: 'Building the web app.\n' })
	const first = readFileSync(page(path), 'utf8')
	const { ino } = statSync(page(path))

	writeFileSync(join(path, 'frontend/main.ts'), 'document.title = "one"\n')
	writeFileSync(join(path, 'frontend/main.test.ts'), 'a test is no source\n')
	assert.deepEqual(prepare(path), { code: 0, said: '' })
	assert.equal(statSync(page(path)).ino, ino)

	writeFileSync(join(path, 'frontend/main.ts'), 'document.title = "two"\n')
	assert.equal(prepare(path).code, 0)
	assert.notEqual(readFileSync(page(path), 'utf8'), first)
})

test('[O10] a build that fails says so and leaves the web app that there was', (t) => {
	const path = project(t)
	prepare(path)
	const before = readFileSync(page(path), 'utf8')
	writeFileSync(join(path, 'frontend/main.ts'), 'import "./missing.ts"\n')
	const { code, said } = prepare(path)
	assert.equal(code, 1)
	assert.match(said, /could not be built/)
	assert.equal(readFileSync(page(path), 'utf8'), before)
	assert.ok(!existsSync(join(path, 'frontend/dist.next')))
})
