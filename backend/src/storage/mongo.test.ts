/**
 * The MongoDB engine: the contract of every engine, and what is special to this one.
 *
 * Needs a MongoDB server. Every test has a database of its own.
 */
import { createMongoDatabase } from '../../../tests/support/mongo.ts'
import { storeContract } from './store.contract.ts'

storeContract('MongoDB', createMongoDatabase)
