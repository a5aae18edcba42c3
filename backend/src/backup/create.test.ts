/**
 * Backups of the embedded engine.
 */
import { createContract, createOnce } from './create.contract.ts'

createContract('sqlite')
createOnce()
