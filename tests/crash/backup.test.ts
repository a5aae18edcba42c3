/**
 * Backups that are killed with -9, at every step and at any time, with the embedded engine.
 */
import { killedInBackup } from './backup.contract.ts'

killedInBackup('sqlite', { rounds: 6 })
