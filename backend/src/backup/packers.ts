/**
 * Threads that pack ranges of records, as many as there are processors.
 *
 * Promises answers to every request, or the error of a thread that died; never more in memory than twice the threads.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Packed, type PackRequest, pack } from './pack.ts'

/** To start a thread takes longer than to pack so many records. */
const FEW = 100

interface Thread {
	worker: Worker
	answer: PromiseWithResolvers<Packed> | null
}

export interface Packers {
	/** How many requests are worth being under way at once. */
	readonly width: number
	pack(request: PackRequest): Promise<Packed>
	close(): Promise<void>
}

/** Starts the threads; they end with `close`. */
export function openPackers(width = Math.min(4, availableParallelism())): Packers {
	const waiting: { request: PackRequest; answer: PromiseWithResolvers<Packed> }[] = []
	const threads: Thread[] = []
	let broken: Error | null = null

	function start(): Thread {
		const thread: Thread = { worker: new Worker(new URL('./pack.ts', import.meta.url)), answer: null }
		thread.worker.on('message', (packed: Packed) => {
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
			thread.worker.postMessage(next.request)
		}
	}

	return {
		width: 2 * width,
		async pack(request) {
			if (request.lines.length <= FEW) return pack(request)
			if (broken) throw broken
			const answer = Promise.withResolvers<Packed>()
			waiting.push({ request, answer })
			// Not before there is work: a backup in which nothing changed needs none.
			if (threads.length < width) threads.push(start())
			give()
			return answer.promise
		},
		async close() {
			await Promise.all(threads.map(({ worker }) => worker.terminate()))
		},
	}
}
