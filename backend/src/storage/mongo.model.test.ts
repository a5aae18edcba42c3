/**
 * The MongoDB engine against a map in memory: fewer runs, since each makes a database.
 *
 * Needs a MongoDB server.
 */
import { createMongoDatabase } from '../../../tests/support/mongo.ts'
import { storeModel } from './store.model.ts'

storeModel('MongoDB', createMongoDatabase, 25)
