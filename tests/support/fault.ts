/**
 * Builds the fault shim (fault.c, where its variables are listed) and says how a child process wears it.
 *
 * Needs a C compiler: `findCompiler` is null where there is none, and tests/run.ts says so and
 * decides. Never touches the process that calls it.
 */
import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const source = join(import.meta.dirname, 'fault.c')

export interface Fault {
	/** Milliseconds added to every fsync and fdatasync. */
	fsyncMs?: number
	op?: 'write' | 'fsync' | 'any'
	/** Part of the path of the files that count. */
	path?: string
	/** Number of the call that fails, from 1. */
	at?: number
	/** How many fail from there on; 0: all. */
	times?: number
	errno?: 'EIO' | 'ENOSPC'
	/** File that counts the calls: see `readFaults` and `armFault`. */
	control?: string
}

/** Path of the C compiler, or null. */
export async function findCompiler(): Promise<string | null> {
	for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
		for (const name of ['cc', 'gcc', 'clang']) {
			const path = join(folder, name)
			if (
				await access(path).then(
					() => true,
					() => false,
				)
			)
				return path
		}
	}
	return null
}

/** Path of the shim, compiled once for each version of its source. */
export async function buildFaultShim(): Promise<string> {
	const digest = createHash('sha256')
		.update(await readFile(source))
		.digest('hex')
		.slice(0, 16)
	const folder = join(tmpdir(), `english-chat-fault-${process.getuid?.() ?? 0}`)
	const built = join(folder, `${digest}.so`)
	if (
		await access(built).then(
			() => true,
			() => false,
		)
	)
		return built
	const compiler = await findCompiler()
	if (!compiler) throw new Error('The fault tests need a C compiler. Install gcc.')
	await mkdir(folder, { recursive: true, mode: 0o700 })
	const fresh = join(folder, `${randomUUID()}.so`)
	await promisify(execFile)(compiler, ['-shared', '-fPIC', '-O2', '-Wall', '-o', fresh, source, '-ldl'])
	await rename(fresh, built)
	return built
}

/** The environment in which a child process has this fault. */
export async function faultEnv(fault: Fault): Promise<Record<string, string>> {
	const env: Record<string, string> = { LD_PRELOAD: await buildFaultShim() }
	if (fault.fsyncMs !== undefined) env['FAULT_FSYNC_MS'] = String(fault.fsyncMs)
	if (fault.op) env['FAULT_OP'] = fault.op
	if (fault.path) env['FAULT_PATH'] = fault.path
	if (fault.at !== undefined) env['FAULT_AT'] = String(fault.at)
	if (fault.times !== undefined) env['FAULT_TIMES'] = String(fault.times)
	if (fault.errno) env['FAULT_ERRNO'] = fault.errno
	if (fault.control) env['FAULT_CONTROL'] = fault.control
	return env
}

/** How many calls matched so far and how many of them failed; survives the process. */
export async function readFaults(control: string): Promise<{ seen: number; failed: number; at: number }> {
	const data = await readFile(control)
	return { seen: Number(data.readBigUInt64LE(0)), failed: Number(data.readBigUInt64LE(8)), at: Number(data.readBigUInt64LE(16)) }
}

/** Makes the running process fail its call number `at` (0: none). Without `at`: the next one. Returns the number. */
export async function armFault(control: string, at?: number): Promise<number> {
	const number = at ?? (await readFaults(control)).seen + 1
	const file = await open(control, 'r+')
	try {
		const value = Buffer.alloc(8)
		value.writeBigUInt64LE(BigInt(number))
		await file.write(value, 0, 8, 16)
	} finally {
		await file.close()
	}
	return number
}

/** Forgets the counts of an earlier run. */
export async function clearFaults(control: string): Promise<void> {
	await rm(control, { force: true })
}
