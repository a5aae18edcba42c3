/**
 * Restores from a backup into MongoDB that are killed. Needs a MongoDB server.
 */
import { killedInRestore } from './restore-backup.contract.ts'

killedInRestore('mongodb', { 'replace:renamed': true, 'replace:finished': true })
