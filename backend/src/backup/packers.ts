/**
 * Threads that pack ranges of records and unpack them, as many as there are processors.
 *
 * Promises answers to every request, or the error of a thread that died; never more in memory than twice the threads.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Packed, type PackRequest, pack, type Unpacked, type UnpackRequest, unpack } from './pack.ts'

/** To start a thread takes longer than so much text. */
const FEW_BYTES = 64 * 1024

/** A range and what becomes of it take a fraction of this; without a limit a thread's heap grows with what it has forgotten. */
const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 }

type Answer = PromiseWithResolvers<Packed | Unpacked>

interface Thread {
	worker: Worker
	answer: Answer | null
}

export interface Packers {
	/** How many requests are worth being under way at once. */
	readonly width: number
	/** The bytes of the text are gone afterwards. */
	pack(request: Omit<PackRequest, 'op'>): Promise<Packed>
	/** The bytes of the member are gone afterwards. */
	unpack(request: Omit<UnpackRequest, 'op'>): Promise<Unpacked>
	close(): Promise<void>
}

/** Starts the threads; they end with `close`. */
export function openPackers(width = Math.min(4, availableParallelism())): Packers {
	const waiting: { request: PackRequest | UnpackRequest; answer: Answer }[] = []
	const threads: Thread[] = []
	let broken: Error | null = null

	function start(): Thread {
		const thread: Thread = { worker: new Worker(new URL('./pack.ts', import.meta.url), { resourceLimits: LIMITS }), answer: null }
		thread.worker.on('message', (packed: Packed | Unpacked) => {
			const { answer } = thread
			thread.answer = null
			answer!.resolve(packed)
			give()
		})
		thread.worker.on('error', (error: Error) => {
			broken = error
			for (const { answer } of waiting.splice(0)) answer.reject(error)
			thread.answer?.reject(error)
		})
		return thread
	}

	function give(): void {
		for (const thread of threads) {
			const next = thread.answer ? undefined : waiting.shift()
			if (!next) continue
			thread.answer = next.answer
			const { request } = next
			thread.worker.postMessage(request, [request.op === 'unpack' ? request.member.buffer : request.text.buffer])
		}
	}

	function ask(request: PackRequest | UnpackRequest): Promise<Packed | Unpacked> {
		if (broken) throw broken
		const answer: Answer = Promise.withResolvers()
		waiting.push({ request, answer })
		// Not before there is work.
		if (threads.length < width) threads.push(start())
		give()
		return answer.promise
	}

	return {
		width: 2 * width,
		async pack(asked) {
			const request: PackRequest = { op: 'pack', ...asked }
			return asked.text.length <= FEW_BYTES ? pack(request) : ((await ask(request)) as Packed)
		},
		async unpack(asked) {
			const request: UnpackRequest = { op: 'unpack', ...asked }
			return asked.range.bsonBytes <= FEW_BYTES ? unpack(request) : ((await ask(request)) as Unpacked)
		},
		async close() {
			await Promise.all(threads.map(({ worker }) => worker.terminate()))
		},
	}
}
