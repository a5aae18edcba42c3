/**
 * The embedded engine: the contract of every engine, and what is special to this one.
 *
 * Every test has a folder of its own.
 */
import { createTestDatabase } from '../../../tests/support/sqlite.ts'
import { storeContract } from './store.contract.ts'

storeContract('SQLite', createTestDatabase)
