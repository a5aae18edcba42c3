/**
 * Our server as it is, on a folder that the bench prepared, without rate limits: 500 people in
 * one process send more than people do. Its database is where BENCH_MONGODB_URI says, else in the
 * folder. Tells its parent the port once it serves.
 */
import { join } from 'node:path'
import { pino } from 'pino'
import { openApp } from '../backend/src/app.ts'
import { defaults } from '../backend/src/config.ts'
import type { RateLimits } from '../backend/src/rates.ts'
import { openFolder } from './school.ts'

const folder = process.argv[2]!
const folders = { data: join(folder, 'data'), uploads: join(folder, 'uploads'), backups: join(folder, 'backups') }
const free = { burst: 1e9, perMinute: 1e9 }
const rates = Object.fromEntries(Object.keys(defaults.rates).map((name) => [name, free])) as unknown as RateLimits

const webDir = process.env.WEB_DIR ?? defaults.webDir
const app = await openApp({ ...defaults, webDir, port: 0, host: '127.0.0.1', folders, rates, logLevel: 'error' }, pino({ level: 'error' }))
const port = await app.listen()
await app.serve(await openFolder(folder, process.env.BENCH_MONGODB_URI))
process.on('SIGTERM', () => void app.close().then(() => process.exit(0)))
process.send?.({ port })
