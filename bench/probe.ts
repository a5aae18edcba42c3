/**
 * Stands inside a measured server (`node --import`) and tells the bench what only the inside
 * knows: event-loop delay and memory. Does nothing until it is asked.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

const resolutionMs = 1
const delays = monitorEventLoopDelay({ resolution: resolutionMs })

export interface Probe {
	/** Beyond the timer's own millisecond. */
	loopP99Ms: number
	memoryBytes: number
}

function answer(question: unknown): void {
	if (question === 'begin') {
		delays.enable()
		delays.reset()
	} else if (question === 'report') {
		globalThis.gc?.()
		globalThis.gc?.()
		const probe: Probe = { loopP99Ms: Math.max(0, delays.percentile(99) / 1e6 - resolutionMs), memoryBytes: process.memoryUsage.rss() }
		process.send?.({ probe })
	}
}

process.on('message', answer)
process.channel?.unref()
