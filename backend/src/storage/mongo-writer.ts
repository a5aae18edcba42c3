/**
 * The one process that writes a MongoDB database: takes slots, keeps its heartbeat, notices that it was taken over.
 *
 * Promises that a slot is taken once it says so, and that it never believes a lost answer: it inserts the same again
 * until it knows. A process that was paused looks before it goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Db, ObjectId } from 'mongodb'
import type { Document } from './bson.ts'
import { Fenced, OutcomeUnknown, type Remote, StorageFull } from './engine.ts'
import { explain, type Meaning, type MongoAddress, meaningOf } from './mongo-connection.ts'
import { putInPlace, type Specs } from './mongo-documents.ts'
import { documentsOf, entriesOf, journalOf, lastSlot, type Meta, metaOf, type Slot } from './mongo-journal.ts'

/** How long things may take, in milliseconds. */
export interface MongoTimes {
	/** One command; then its connection is given up. */
	commandMs: number
	/** How long a read is tried while the server is away. */
	readMs: number
	/** A writer that was silent for so long may be taken over, and answers nothing until it has checked. */
	silenceMs: number
}

/** After so many slots `meta` is told what is applied. */
const NOTE_EVERY = 64
const BEATS_IN_SILENCE = 5
/** A restore waits until a writer that was followed was silent for so many times the silence: 60 seconds. */
const SILENCES = 4
/** Before documents are put in place, a look at `meta` is owed after this part of the silence. */
const LOOK_AFTER = 2 / 3
const PAUSE = { firstMs: 50, longestMs: 1_000 }

/** Does the work again, after longer and longer pauses, for as long as `again` says so of its failure. */
export async function persist<T>(work: () => Promise<T>, again: (meaning: Meaning) => boolean): Promise<T> {
	for (let pauseMs = PAUSE.firstMs; ; pauseMs = Math.min(2 * pauseMs, PAUSE.longestMs)) {
		try {
			return await work()
		} catch (error) {
			if (!again(meaningOf(error))) throw error
		}
		await sleep(pauseMs)
	}
}

/** Which database, and how it is used. */
export interface MongoPlace {
	address: MongoAddress
	specs: Specs
	times: MongoTimes
	/** The data folder: it has room for a copy of the database. */
	folder: string
}

export interface Writing extends MongoPlace {
	db: Db
	meta: Meta
	/** The slot by which it became the writer. */
	taken: Slot
	/** The writer before went silent: it may be paused, with documents in its hands. */
	followsSilence: boolean
}

export class MongoWriter implements Remote {
	readonly takenOver: Promise<Fenced>
	readonly term: number
	/** Every slot up to here is applied. */
	applied: number
	readonly #db: Db
	readonly #address: MongoAddress
	readonly #specs: Specs
	readonly #times: MongoTimes
	readonly #lineage: string
	readonly #heartbeat: NodeJS.Timeout
	readonly #lost = Promise.withResolvers<Fenced>()
	/** The slot that was taken last, and what `meta` knows to be applied. */
	#slot: number
	#noted: number
	/** When the question was sent whose answer last said that this is the writer; and that of the last heartbeat. */
	#sureAt = performance.now()
	#beatAt = performance.now()
	/** Resolves when everything that was taken is applied. */
	#applying: Promise<void> = Promise.resolve()
	/** From then on nobody who wrote before can still have a document under way. */
	readonly #aloneAt: number
	#closed = false

	constructor({ db, address, specs, times, meta, taken, followsSilence }: Writing) {
		this.#db = db
		this.#address = address
		this.#specs = specs
		this.#times = times
		this.#lineage = meta.lineage
		this.term = taken.term
		this.#slot = taken._id
		this.applied = this.#noted = meta.applied
		this.takenOver = this.#lost.promise
		this.#aloneAt = performance.now() + (followsSilence ? SILENCES * times.silenceMs : 0)
		this.#heartbeat = setInterval(() => void this.#beat(), times.silenceMs / BEATS_IN_SILENCE).unref()
	}

	get doubtful(): boolean {
		return performance.now() - this.#beatAt > this.#times.silenceMs
	}

	get #journal() {
		return journalOf(this.#db, this.#lineage)
	}

	/** The writer's own `meta`: finds nothing once it was taken over. */
	get #mine() {
		return { _id: 'store' as const, lineage: this.#lineage, term: this.term }
	}

	/**
	 * Takes the next slot, for as long as it needs to know that it is there for good; `calm` is false when the server was away
	 * in between. Throws `Fenced`, `StorageFull` or `StorageUnavailable` (it is not there), or `OutcomeUnknown`.
	 */
	async take(slot: Omit<Slot, '_id' | 'term' | 'nonce'>): Promise<{ slot: Slot; calm: boolean }> {
		const own: Slot = { ...slot, _id: this.#slot + 1, term: this.term, nonce: new ObjectId() }
		let calm = true
		const insert = async () => {
			const asked = performance.now()
			await this.#journal.insertOne(own)
			this.#sureAt = asked
		}
		try {
			await persist(insert, (meaning) => {
				if (this.#closed || meaning === 'duplicate' || meaning === 'defect') return false
				if (calm && meaning !== 'away') return false
				// It may have been done: only inserting the same again tells.
				calm = false
				return true
			})
		} catch (error) {
			const meaning = meaningOf(error)
			if (meaning === 'duplicate') await this.#decide(own, calm)
			else if (calm && meaning === 'full') throw new StorageFull('The database server has no room left.', { cause: error })
			else if (calm && meaning === 'refused') throw explain(error, this.#address)
			else throw new OutcomeUnknown((error as Error).message, { cause: error })
		}
		this.#slot = own._id
		return { slot: own, calm }
	}

	/** The slot is taken: returns when by this very insert, earlier; else throws. */
	async #decide({ _id, nonce }: Slot, calm: boolean): Promise<void> {
		const there = await this.#untilDone(() => this.#journal.findOne({ _id }, { projection: { body: 0 } }))
		if (!calm && there?.nonce && nonce!.equals(there.nonce)) return
		if (there?.term === this.term) throw new OutcomeUnknown('An earlier group of this process is in its place.')
		throw this.#lose()
	}

	/** Puts a slot's documents in place, slot after slot: by `put` where nothing happened meanwhile, else from the journal. */
	apply(taken: { slot: Slot; calm: boolean }, put: () => Promise<void>): Promise<void> {
		this.#applying = this.#applying.then(() => this.#apply(taken, put))
		return this.#applying
	}

	async #apply({ slot, calm }: { slot: Slot; calm: boolean }, put: () => Promise<void>): Promise<void> {
		let direct = calm
		await this.#untilDone(async () => {
			if (performance.now() - this.#sureAt > this.#times.silenceMs * LOOK_AFTER) await this.look()
			if (direct) {
				direct = false
				await put()
				this.applied = Math.max(this.applied, slot._id)
			} else await this.redo()
		})
		if (this.applied - this.#noted >= NOTE_EVERY) void this.note().catch(() => {})
	}

	/** Applies again all slots from the noted place on: after a death, or when the server was away. */
	async redo(): Promise<void> {
		let at = this.#noted
		// More may be taken meanwhile: their turn comes.
		const upTo = this.#slot
		for await (const slot of this.#journal.find({ _id: { $gt: at, $lte: upTo } }).sort({ _id: 1 })) {
			if (slot._id !== ++at) break
			for (const [name, documents] of documentsOf(this.#specs, entriesOf(this.#lineage, slot))) {
				await putInPlace(this.#db.collection<Document>(name), [], [...documents.values()])
			}
		}
		if (at !== upTo) throw new OutcomeUnknown('The database lost entries that it had stored: it must be restored from a backup.')
		this.applied = Math.max(this.applied, at)
	}

	/** What is committed must be done, however long the server is away. */
	async #untilDone<T>(work: () => Promise<T>): Promise<T> {
		try {
			return await persist(work, (meaning) => !this.#closed && meaning !== 'defect')
		} catch (error) {
			if (error instanceof Fenced || error instanceof OutcomeUnknown) throw error
			throw new OutcomeUnknown((error as Error).message, { cause: error })
		}
	}

	/** Tells `meta` what is applied, and `more`. Throws `Fenced` where another process has taken over. */
	async note(more?: Partial<Meta>): Promise<void> {
		const { applied } = this
		const changes = { $max: { applied }, $inc: { beat: 1 }, ...(more && { $set: more }) }
		const { matchedCount } = await metaOf(this.#db).updateOne(this.#mine, changes)
		if (matchedCount === 0) throw this.#lose()
		this.#noted = Math.max(this.#noted, applied)
	}

	async #beat(): Promise<void> {
		const asked = performance.now()
		try {
			await this.note()
			this.#sureAt = Math.max(this.#sureAt, asked)
			this.#beatAt = asked
		} catch {
			// The clock says that it could not be confirmed.
		}
	}

	/** Makes sure that this process is still the writer, and gives its `meta`. Throws `Fenced`. */
	async look(): Promise<Meta> {
		const asked = performance.now()
		const mine = await metaOf(this.#db).findOne(this.#mine)
		if (!mine || (await lastSlot(this.#db, this.#lineage)).term !== this.term) throw this.#lose()
		this.#sureAt = asked
		return mine
	}

	/** Waits until no batch of a writer before this one can arrive any more: then collections may change their names. */
	async alone(): Promise<void> {
		await sleep(Math.max(0, this.#aloneAt - performance.now()))
	}

	#lose(): Fenced {
		const fenced = new Fenced('Another process has taken over the database.')
		this.#lost.resolve(fenced)
		return fenced
	}

	/** Says goodbye, so that the next one need not wait. */
	async close(): Promise<void> {
		this.#closed = true
		clearInterval(this.#heartbeat)
		const goodbye = { $set: { writer: null }, $max: { applied: this.applied } }
		await metaOf(this.#db)
			.updateOne(this.#mine, goodbye)
			.catch(() => {})
	}
}
