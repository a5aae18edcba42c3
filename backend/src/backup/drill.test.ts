/**
 * Drills beside the embedded engine.
 */
import { drillContract } from './drill.contract.ts'

drillContract('sqlite')
