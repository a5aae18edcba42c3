/**
 * Backups of what is in MongoDB that are killed with -9. Needs a MongoDB server.
 */
import { killedInBackup } from './backup.contract.ts'

killedInBackup('mongodb', { rounds: 3 })
