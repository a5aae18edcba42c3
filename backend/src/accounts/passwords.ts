/**
 * Passwords: hashed with Argon2id, kept as PHC strings, a few at a time.
 *
 * Promises that an unknown account costs the caller the same time as a wrong password, and that
 * a whole class signing in at once waits in a line instead of stopping the server. Never keeps
 * or logs a password.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Config } from '../config.ts'
import { fail } from '../errors.ts'

export interface Passwords {
	/** The PHC string to keep. */
	hash(password: string): Promise<string>
	/** Compares with a PHC string (null: there is no such account). `stale`: hash it anew with today's cost. */
	verify(password: string, phc: string | null): Promise<{ right: boolean; stale: boolean }>
}

const derive = promisify(argon2)
const hashesAtOnce = 2
const hashesWaiting = 400
const hashBytes = 32

/** Opens the line in which passwords are hashed. */
export function openPasswords({ memoryKiB, passes }: Config['password']): Passwords {
	const line: (() => void)[] = []
	let running = 0

	async function inLine(password: string, cost: { memory: number; passes: number; parallelism: number }, nonce: Buffer): Promise<Buffer> {
		if (running >= hashesAtOnce) {
			if (line.length >= hashesWaiting) {
				fail('rate_limited', 'Very many people are signing in right now.', { hint: 'Please try again in a moment.', retryAfterSeconds: 5 })
			}
			await new Promise<void>((resolve) => line.push(resolve))
		} else running++
		try {
			return await derive('argon2id', { ...cost, message: password, nonce, tagLength: hashBytes })
		} finally {
			// The place goes to the next in line.
			const next = line.shift()
			if (next) next()
			else running--
		}
	}

	const today = { memory: memoryKiB, passes, parallelism: 1 }
	const nobody = { cost: today, salt: randomBytes(16), hash: Buffer.alloc(hashBytes) }
	return {
		async hash(password) {
			const salt = randomBytes(16)
			return formatPhc(today, salt, await inLine(password, today, salt))
		},
		async verify(password, phc) {
			const { cost, salt, hash } = phc === null ? nobody : parsePhc(phc)
			const right = timingSafeEqual(await inLine(password, cost, salt), hash) && phc !== null
			return { right, stale: cost.memory !== memoryKiB || cost.passes !== passes }
		},
	}
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

function formatPhc(cost: { memory: number; passes: number; parallelism: number }, salt: Buffer, hash: Buffer): string {
	return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${unpadded(salt)}$${unpadded(hash)}`
}

function parsePhc(phc: string) {
	const match = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d)\$([\w+/]+)\$([\w+/]+)$/.exec(phc)
	if (!match) throw new Error('A stored password is not an Argon2id string.')
	const [, memory, passes, parallelism, salt, hash] = match
	return {
		cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
		salt: Buffer.from(salt!, 'base64'),
		hash: Buffer.from(hash!, 'base64'),
	}
}
