/**
 * Compiles the few lines of C that the tests and the bench need: the fault shim and the load generator.
 *
 * Promises to compile each version of a source once. Where there is no compiler, `findCompiler` is
 * null, and who runs the tests decides.
 */
import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** Path of the C compiler, or null. */
export function findCompiler(): string | null {
	const folders = (process.env.PATH ?? '').split(delimiter)
	const paths = folders.flatMap((folder) => ['cc', 'gcc', 'clang'].map((name) => join(folder, name)))
	return paths.find((path) => existsSync(path)) ?? null
}

/** Path of what the compiler makes of this source with these options. */
export async function compile(source: string, options: string[]): Promise<string> {
	const digest = createHash('sha256')
		.update(await readFile(source))
		.update(options.join(' '))
		.digest('hex')
		.slice(0, 16)
	const folder = join(tmpdir(), `english-chat-built-${process.getuid?.() ?? 0}`)
	const built = join(folder, `${basename(source, '.c')}-${digest}`)
	if (existsSync(built)) return built
	const compiler = findCompiler()
	if (!compiler) throw new Error(`${basename(source)} needs a C compiler: install gcc.`)
	await mkdir(folder, { recursive: true, mode: 0o700 })
	const fresh = join(folder, randomUUID())
	await promisify(execFile)(compiler, ['-Wall', '-Wextra', '-o', fresh, source, ...options])
	await rename(fresh, built)
	return built
}
