/**
 * Restores into the embedded engine.
 */
import { restoreContract } from './restore.contract.ts'

restoreContract('sqlite')
