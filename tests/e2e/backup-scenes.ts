/**
 * The scenes of the admin's page of backups: what lies in the folder, what can be done with one, and what may be wrong.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { sayAlert } from '../../backend/src/backup/alerts.ts'
import type { Output } from '../../protocol/api.ts'
import type { Place, Scene } from './scenes.ts'
import type { School } from './school.ts'

/** Something that the operator has: a proven backup, an older one that broke, one of version 1, and a folder of her own. */
export async function fillBackups(school: School): Promise<void> {
	await school.operate('backup')
	await school.operate('backup')
	const [older] = (await readdir(school.backups)).filter((name) => /^\d{8}_\d{6}/.test(name)).sort()
	const dump = join(school.backups, older!, 'database')
	const users = (await readdir(dump, { recursive: true })).find((path) => path.endsWith('users.bson.gz'))
	await rm(join(dump, users!))
	await school.operate('verify', older!).catch(() => {})
	await mkdir(join(school.backups, '20231105_020000'))
	await writeFile(join(school.backups, '20231105_020000/mongodb-20231105_020000.tar.gz'), 'x')
	await writeFile(join(school.backups, '20231105_020000/manifest.txt'), 'x')
	await mkdir(join(school.backups, 'copied by hand'))
}

type BackupList = Output<'listBackups'>

/** Shows what the server says, changed like this: as it is at a moment that no picture can wait for. */
async function changed(page: Page, change: (list: BackupList) => Partial<BackupList>): Promise<void> {
	await page.route('**/api/backups?*', async (route) => {
		const response = await route.fetch()
		const list = (await response.json()) as BackupList
		await route.fulfill({ response, json: { ...list, ...change(list) } })
	})
	await page.reload()
	await page.getByRole('region').locator('p').first().waitFor()
}

export function backupScenes({ admin }: School): Scene[] {
	const scene = (name: string, act: NonNullable<Scene['act']>, more: Partial<Scene> = {}): Scene => ({
		name,
		who: admin,
		path: '/backups',
		act,
		...more,
	})
	const how = (_: Page, { button }: Place) => button('backups.howLabel').first().click()
	const ask = (_: Page, { button }: Place) => button('backups.takeLabel').first().click()
	return [
		scene('backups', (_, { button }) => button('backups.takeLabel').first().waitFor()),
		scene('backups-rest', (page) => page.getByText('copied by hand').scrollIntoViewIfNeeded()),
		scene('backups-restore', how),
		scene('backups-download', ask),
		scene(
			'backups-password',
			async (page, at) => {
				await ask(page, at)
				await at.dialog.locator('[name=password]').fill('something else')
				await at.dialog.locator('[type=submit]').click()
				await at.dialog.getByText(at.says('backups.wrongPassword')).waitFor()
			},
			{ complains: true },
		),
		scene('backups-running', (page) => changed(page, () => ({ running: { kind: 'backup', doing: 'verifying', done: 37, total: 100 } }))),
		scene('backups-alarm', (page, { language }) =>
			changed(page, ({ backups }) => {
				const { says, hint = null } = sayAlert({ code: 'vanished', values: { count: 7 }, trouble: null }, language)
				return { backups: [], alerts: [{ code: 'vanished', at: backups[0]!.createdAt, says, hint }] }
			}),
		),
		scene('backups-none', (page) =>
			changed(page, ({ backups }) => ({ backups: [], old: [], foreign: [], drill: true, nextAt: backups[0]!.createdAt })),
		),
	]
}
