/**
 * The sweep: files that no record names go to a trash folder, late and never soon after a restore.
 *
 * Promises that a file which a record names, or which came lately, stays where it is; and that
 * nothing is ever deleted: what went by mistake is brought back by moving it.
 */
import { mkdir, opendir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { systemId } from '../ids.ts'
import type { Store } from '../storage/store.ts'
import type { Folder } from './folder.ts'

/** Where swept files go, inside of the uploads folder. */
export const trashName = '.trash'

const named = /^(avatar|image|audio|file)-[\w.-]{1,120}$/

/** Moves what nobody needs. Gives the names. `afterMs`: how old a file must be; `quietMs`: how old the lineage. */
export async function sweep(
	store: Store,
	folder: Folder,
	{ afterMs, quietMs, log }: { afterMs: number; quietMs: number; log: Logger },
): Promise<string[]> {
	const swept: string[] = []
	if (Date.now() - (await lineageBegan(store)) < quietMs) return swept
	const isOld = async (path: string) => {
		// Which of the two tells when it came here: a copy may keep the older one.
		const { mtimeMs, ctimeMs } = await stat(path)
		return Date.now() - Math.max(mtimeMs, ctimeMs) >= afterMs
	}
	const isNamed = async (name: string) => (await store.find('uploads', 'file', [name], { limit: 1 })).length > 0
	for await (const entry of await opendir(folder.path)) {
		const { name } = entry
		const path = join(folder.path, name)
		if (!entry.isFile() || !named.test(name) || !(await isOld(path).catch(() => false)) || (await isNamed(name))) continue
		// Somebody may be sending the same bytes just now.
		await folder.hold(name, async () => {
			if (!(await isOld(path)) || (await isNamed(name))) return
			await mkdir(join(folder.path, trashName), { recursive: true })
			await rename(path, join(folder.path, trashName, name))
			swept.push(name)
		})
	}
	if (swept.length > 0) log.info({ files: swept.length }, `files that no record names were moved to ${trashName}`)
	return swept
}

/** When this lineage was first seen here: a restore begins another one. */
async function lineageBegan(store: Store): Promise<number> {
	const id = systemId('filesLineage')
	const { lineage } = store.head
	const isOurs = (value: string | undefined) => value?.startsWith(`${lineage} `)
	const known = await store.get('system', id)
	const { value } = isOurs(known?.value)
		? known!
		: await store.write(null, async (tx) => {
				const now = await tx.get('system', id)
				return isOurs(now?.value) ? now! : tx.put('system', { id, name: 'filesLineage', value: `${lineage} ${tx.at}` })
			})
	return Date.parse(value.slice(lineage.length + 1))
}
