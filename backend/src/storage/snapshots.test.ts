/**
 * Whole databases on the embedded engine.
 */
import { snapshotsContract } from './snapshots.contract.ts'

snapshotsContract('SQLite', () => ({}))
