/**
 * Backups of what is in MongoDB. Needs a MongoDB server.
 */
import { createContract } from './create.contract.ts'

createContract('mongodb')
