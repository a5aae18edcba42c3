/**
 * Builds the fault shim (fault.c, where its variables are listed) and says how a child process wears it.
 *
 * A test file that imports this says `Needs a C compiler.` in its head. Never touches the process
 * that calls it.
 */
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { compile } from './compiler.ts'

export interface Fault {
	/** Milliseconds added to every fsync and fdatasync. */
	fsyncMs?: number
	/** `any`: write, fsync and rename. */
	op?: 'write' | 'fsync' | 'rename' | 'read' | 'any'
	/** Part of the path of the files that count; of a rename, of the old or the new one. */
	path?: string
	/** Number of the call that fails, from 1. */
	at?: number
	/** How many fail from there on; 0: all. */
	times?: number
	errno?: 'EIO' | 'ENOSPC'
	/** File that counts the calls: see `readFaults` and `armFault`. */
	control?: string
}

/** Path of the shim, compiled once for each version of its source. */
export function buildFaultShim(): Promise<string> {
	return compile(join(import.meta.dirname, 'fault.c'), ['-shared', '-fPIC', '-O2', '-ldl'])
}

/** The environment in which a child process has this fault. */
export async function faultEnv(fault: Fault): Promise<Record<string, string>> {
	const env: Record<string, string> = { LD_PRELOAD: await buildFaultShim() }
	if (fault.fsyncMs !== undefined) env.FAULT_FSYNC_MS = String(fault.fsyncMs)
	if (fault.op) env.FAULT_OP = fault.op
	if (fault.path) env.FAULT_PATH = fault.path
	if (fault.at !== undefined) env.FAULT_AT = String(fault.at)
	if (fault.times !== undefined) env.FAULT_TIMES = String(fault.times)
	if (fault.errno) env.FAULT_ERRNO = fault.errno
	if (fault.control) env.FAULT_CONTROL = fault.control
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
