/**
 * Exports a whole store, record by record, as a backup does, and tells its parent how many there were of each
 * collection, how long it took and how much memory the process had at most.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../backend/src/storage/open.ts'

export interface Exported {
	counts: Record<string, number>
	seconds: number
	peakMiB: number
}

process.send?.({ port: 0 })
const folder = process.argv[2]!
const store = await openStore({
	folder: join(folder, 'data'),
	backups: join(folder, 'backups'),
	mongodb: { uri: process.env.BENCH_MONGODB_URI! },
})
const began = performance.now()
const { records } = await store.exportAt()
const counts: Exported['counts'] = {}
for await (const { collection } of records) counts[collection] = (counts[collection] ?? 0) + 1
const seconds = (performance.now() - began) / 1000
// Of this program alone: what getrusage says is at least what the parent had when it forked.
const peakKiB = Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1])
await store.close()
const exported: Exported = { counts, seconds, peakMiB: peakKiB / 1024 }
process.send?.(exported)
