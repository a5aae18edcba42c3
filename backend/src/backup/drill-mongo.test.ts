/**
 * Drills beside MongoDB. Needs a MongoDB server.
 */
import { drillContract } from './drill.contract.ts'

drillContract('mongodb')
