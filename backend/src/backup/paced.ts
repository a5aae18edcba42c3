/**
 * Files written at a pace that leaves the disk to those who write messages.
 *
 * Promises that a closed file is on the disk, and that never more than a few MiB wait to be written: a whole copy at
 * once would hold every other fsync up for seconds.
 */
import { type FileHandle, open } from 'node:fs/promises'

/** So much is written between two syncs. */
const SYNC_BYTES = 8 * 1024 * 1024

/** A file that is written from its beginning to its end. */
export class PacedFile {
	readonly #file: FileHandle
	#unsynced = 0
	sizeBytes = 0

	private constructor(file: FileHandle) {
		this.#file = file
	}

	/** Makes the file, which must not exist. */
	static async create(path: string, mode = 0o644): Promise<PacedFile> {
		return new PacedFile(await open(path, 'wx', mode))
	}

	/** Where it fails, the file is closed. */
	async write(bytes: Uint8Array): Promise<void> {
		try {
			// What was written may be less than what was asked for.
			for (let at = 0; at < bytes.length; ) at += (await this.#file.write(bytes, at)).bytesWritten
			this.sizeBytes += bytes.length
			this.#unsynced += bytes.length
			if (this.#unsynced < SYNC_BYTES) return
			this.#unsynced = 0
			await this.#file.datasync()
		} catch (error) {
			await this.abandon()
			throw error
		}
	}

	/** Makes all of it durable. Where that fails, the file is closed all the same. */
	async finish(): Promise<void> {
		try {
			await this.#file.sync()
		} catch (error) {
			await this.abandon()
			throw error
		}
		await this.#file.close()
	}

	/** For what is given up; a finished file may be closed again. */
	async abandon(): Promise<void> {
		await this.#file.close().catch(() => {})
	}
}
