/**
 * Restores into MongoDB, and from either engine into the other. Needs a MongoDB server.
 */
import { restoreContract } from './restore.contract.ts'

restoreContract('mongodb')
