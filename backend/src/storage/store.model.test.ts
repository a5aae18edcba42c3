/**
 * The embedded engine against a map in memory.
 */
import { createTestDatabase } from '../../../tests/support/sqlite.ts'
import { storeModel } from './store.model.ts'

storeModel('SQLite', createTestDatabase, 25)
