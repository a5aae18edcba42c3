/**
 * Small files that are replaced as a whole: the old text or the new one, after any crash.
 *
 * Promises to return only when the new text is on the disk under its name.
 */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Writes beside the file, syncs, renames over it, syncs the folder. `beforeRename` is the last chance to die. */
export function writeDurably(path: string, text: string, beforeRename?: () => void): void {
	const file = openSync(`${path}.next`, 'w', 0o644)
	try {
		writeSync(file, text)
		fsyncSync(file)
	} finally {
		closeSync(file)
	}
	beforeRename?.()
	renameSync(`${path}.next`, path)
	syncPath(dirname(path))
}

/** Makes a file's bytes, or a folder's names, durable. */
export function syncPath(path: string): void {
	const handle = openSync(path, 'r')
	try {
		fsyncSync(handle)
	} finally {
		closeSync(handle)
	}
}
