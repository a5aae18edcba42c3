/**
 * The backups folder with everything that may lie in it, on a real disk.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
	appendFileSync,
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolder } from '../../../tests/support/server.ts'
import { makeTiny } from '../../../tests/support/tiny-backups.ts'
import { addMark, ageEntries, findBackup, freeName, listBackups, numberFor, sweepPartials } from './folder.ts'
import type { Mark } from './format.ts'
import { Trouble } from './trouble.ts'

const names = (entries: readonly { name: string }[]) => entries.map(({ name }) => name)
const at = '2025-02-01T00:00:00.000Z'
const mark = (kind: Mark['kind'], what?: string): Mark => ({ at, kind, ...(what && { what }) })

test('[B30] the newest is the one with the highest number, whatever clocks and names say', async (t) => {
	const folder = makeFolder(t)
	makeTiny(folder, { name: '20250303_000000', number: 9, createdAt: '2025-03-03T00:00:00.000Z' })
	makeTiny(folder, { name: '20240101_000000', number: 10, createdAt: '2024-01-01T00:00:00.000Z' })
	makeTiny(folder, { name: '20990101_000000', number: 2, createdAt: '2099-01-01T00:00:00.000Z' })
	makeTiny(folder, { name: '20250202_000000', number: 9, createdAt: '2025-02-02T00:00:00.000Z' })
	const listing = await listBackups(folder)
	assert.deepEqual(names(listing.backups), ['20240101_000000', '20250303_000000', '20250202_000000', '20990101_000000'])
	assert.equal(numberFor(listing), 11)
	assert.deepEqual(await listBackups(join(folder, 'nothing')), { backups: [], old: [], foreign: [] })
	writeFileSync(join(folder, 'no-folder'), '')
	await assert.rejects(listBackups(join(folder, 'no-folder')), (error: Trouble) => error.code === 'cannotRead')
})

test('[B31] what is no backup is told apart by why, and no link is followed', async (t) => {
	const folder = join(makeFolder(t), 'backups')
	const away = join(folder, '../away')
	mkdirSync(away)
	makeTiny(folder, { files: [1] })
	makeTiny(away, { name: '20200101_000000' })
	makeTiny(folder, {}, 'before the exam')
	makeTiny(folder, { format: 2, unheard: 'of' } as object, '20260101_000000')
	for (const name of ['broken', 'linked', 'folded', 'waiting', 'partly', 'by-hand']) mkdirSync(join(folder, name))
	writeFileSync(join(folder, 'broken/manifest.json'), readFileSync(join(folder, '20250121_143000/manifest.json'), 'utf8').slice(0, -1))
	symlinkSync(join(away, '20200101_000000/manifest.json'), join(folder, 'linked/manifest.json'))
	mkdirSync(join(folder, 'folded/manifest.json'))
	execFileSync('mkfifo', [join(folder, 'waiting/manifest.json')])
	mkdirSync(join(folder, 'partly/database'))
	writeFileSync(join(folder, 'by-hand/notes.txt'), 'Mine')
	writeFileSync(join(folder, 'backup.log'), 'A line')
	symlinkSync(join(away, '20200101_000000'), join(folder, 'away'))
	symlinkSync('20250121_143000', join(folder, 'latest'))
	symlinkSync(join(folder, 'gone'), join(folder, 'nowhere'))
	for (const name of ['.partial-x', '.trash-x', '.hidden', 'journal']) mkdirSync(join(folder, name))
	const { backups, old, foreign } = await listBackups(folder)
	// The copy says by its name that it is one.
	assert.deepEqual(names(backups).sort(), ['20250121_143000', 'before the exam'])
	assert.ok(backups.every(({ manifest }) => manifest.name === '20250121_143000'))
	assert.deepEqual(old, [])
	assert.deepEqual(
		foreign.map(({ name, why, mayNeedPool }) => [name, why, mayNeedPool]),
		[
			['20260101_000000', 'newer-format', true],
			['away', 'link', true],
			['backup.log', 'file', false],
			['broken', 'broken-manifest', true],
			['by-hand', 'no-manifest', false],
			['folded', 'broken-manifest', true],
			['latest', 'link', false],
			['linked', 'broken-manifest', true],
			['nowhere', 'link', true],
			['partly', 'no-manifest', true],
			['waiting', 'broken-manifest', true],
		],
	)
})

test('[B32] a mark takes away what a backup was, or gives it back, and the newest counts', async (t) => {
	const folder = makeFolder(t)
	const proven = '20250121_143000'
	const lossy = '20250121_143001'
	makeTiny(folder, { name: proven, number: 2, provenAt: at })
	makeTiny(folder, { name: lossy, verifiedAt: null, problems: [{ name: 'a.png', problem: 'missing' }] })
	const state = async (wanted: string) => {
		const { verifiedAt, provenAt, damaged } = (await listBackups(folder)).backups.find(({ name }) => name === wanted)!
		return [verifiedAt !== null, provenAt !== null, damaged]
	}
	assert.deepEqual(await state(proven), [true, true, null])
	await addMark(folder, proven, mark('damaged', 'a file is missing'))
	assert.deepEqual(await state(proven), [false, false, 'a file is missing'])
	await addMark(folder, proven, mark('verified'))
	assert.deepEqual(await state(proven), [true, false, null])
	await addMark(folder, proven, mark('proven'))
	assert.deepEqual(await state(proven), [true, true, null])
	await addMark(folder, proven, mark('refused', 'it could not be restored'))
	assert.deepEqual(await state(proven), [false, false, 'it could not be restored'])
	// That its bytes are what was written says nothing of whether they can be restored.
	await addMark(folder, proven, mark('verified'))
	assert.deepEqual(await state(proven), [false, false, 'it could not be restored'])
	await addMark(folder, proven, mark('proven'))
	assert.deepEqual(await state(proven), [true, true, null])
	assert.deepEqual(await state(lossy), [false, false, null])
	await addMark(folder, lossy, mark('proven'))
	assert.deepEqual(await state(lossy), [false, true, null])
})

test('[B33] half a mark that a crash left spoils no other', async (t) => {
	const folder = makeFolder(t)
	const name = '20250121_143000'
	makeTiny(folder)
	const file = join(folder, '.marks', `${name}.ndjson`)
	const damaged = async () => (await listBackups(folder)).backups[0]!.damaged
	await addMark(folder, name, mark('damaged', 'one'))
	const whole = readFileSync(file).length
	await addMark(folder, name, mark('verified'))
	for (let size = readFileSync(file).length - 2; size >= whole; size--) {
		truncateSync(file, size)
		assert.equal(await damaged(), 'one')
	}
	truncateSync(file, whole - 1)
	assert.equal(await damaged(), 'one')
	appendFileSync(file, '{"at":"2025-0')
	await addMark(folder, name, mark('verified'))
	assert.equal(await damaged(), null)
	assert.equal(readFileSync(file, 'utf8').split('\n').length, 3)
	await assert.rejects(addMark(folder, '../x', mark('verified')))
})

test('[B34] a backup is found by name, path, number and "latest"; anything else says what there is', async (t) => {
	const folder = join(makeFolder(t), 'backups')
	const found = async (argument: string) => (await findBackup(folder, argument)).name
	const refused = (argument: string, code: string, values: object = {}) =>
		assert.rejects(findBackup(folder, argument), (error: Trouble) => {
			assert.ok(error instanceof Trouble, String(error))
			assert.equal(error.code, code)
			for (const [key, value] of Object.entries(values)) assert.equal(error.values[key], value)
			return true
		})
	await refused('latest', 'noBackups', { folder })
	const [newest, middle, oldest, version1] = ['20250303_000000', '20250202_000000', '20250101_000000', '20241231_000000']
	makeTiny(folder, { name: newest, number: 3, verifiedAt: null })
	makeTiny(folder, { name: middle, number: 2 })
	makeTiny(folder, { name: oldest, number: 1 })
	mkdirSync(join(folder, version1))
	writeFileSync(join(folder, version1, 'manifest.txt'), 'English Chat Application - Backup Manifest\n')
	for (const argument of [
		oldest,
		`${oldest}/`,
		`${oldest}///`,
		` ${oldest} `,
		`backups/${oldest}`,
		`./backups/${oldest}/`,
		join(folder, oldest),
		'3',
	])
		assert.equal(await found(argument), oldest, argument)
	assert.equal(await found(version1), version1)
	assert.equal(await found('1'), newest)
	assert.equal(await found('latest'), middle)
	const there = [newest, middle, oldest, version1].join(', ')
	for (const argument of [
		'',
		' ',
		'.',
		'..',
		'/',
		'0',
		'4',
		'-1',
		'20250101',
		'../backups',
		`../${oldest}`,
		`/tmp/${oldest}`,
		`${folder}/..`,
		'files',
		'.marks',
	])
		await refused(argument, 'noSuchBackup', { name: argument, there })
	makeTiny(folder, { format: 2 } as object, '20260101_000000')
	await refused('20260101_000000', 'newerFormat')
	mkdirSync(join(folder, 'empty'))
	await refused('empty', 'noSuchBackup')
	writeFileSync(join(folder, 'empty/manifest.json'), '{}')
	await refused('empty', 'damaged')
	await addMark(folder, middle, mark('damaged', 'x'))
	assert.equal(await found('latest'), oldest)
	await addMark(folder, oldest, mark('damaged', 'x'))
	await refused('latest', 'noSuchBackup')
})

test('[B35] a new backup takes no name that there is or was', (t) => {
	const folder = makeFolder(t)
	const time = new Date(2025, 0, 21, 14, 30, 0)
	const free = () => freeName(folder, time)
	assert.equal(free(), '20250121_143000')
	for (const entry of ['20250121_143000', '.partial-20250121_143000_2', '.trash-20250121_143000_3']) mkdirSync(join(folder, entry))
	assert.equal(free(), '20250121_143000_4')
	// One that was removed by hand left its marks.
	mkdirSync(join(folder, '.marks'))
	writeFileSync(join(folder, '.marks/20250121_143000_4.ndjson'), '')
	symlinkSync('nowhere', join(folder, '20250121_143000_5'))
	assert.equal(free(), '20250121_143000_6')
})

test('[B36] the newest entry of the folder is the newest backup', async (t) => {
	const folder = makeFolder(t)
	await ageEntries(folder)
	const path = makeTiny(folder, { files: [1] })
	writeFileSync(join(folder, 'erasures.ndjson'), '')
	mkdirSync(join(folder, 'journal'))
	utimesSync(path, new Date('2025-01-21'), new Date('2025-01-21'))
	const first = () => execFileSync('ls', ['-t', folder], { encoding: 'utf8' }).split('\n')[0]
	assert.notEqual(first(), '20250121_143000')
	await ageEntries(folder)
	assert.equal(first(), '20250121_143000')
	await addMark(folder, '20250121_143000', mark('verified'))
	assert.equal(first(), '20250121_143000')
})

test('[B37] what an interrupted backup or removal left is swept, and nothing else', async (t) => {
	const folder = join(makeFolder(t), 'backups')
	await sweepPartials(folder)
	makeTiny(folder, { files: [1] })
	cpSync(folder, join(folder, '../kept'), { recursive: true })
	makeTiny(folder, {}, '.partial-20250122_000000')
	const path = makeTiny(folder, { name: '20250101_000000' })
	await addMark(folder, '20250101_000000', mark('damaged', 'x'))
	renameSync(path, join(folder, '.trash-20250101_000000'))
	const [part] = readdirSync(join(folder, 'files'))
	writeFileSync(join(folder, 'files', part!, '.partial-x'), 'Half')
	writeFileSync(join(folder, 'files', part!, 'strange.txt'), 'Kept')
	writeFileSync(join(folder, '.partial-file'), '')
	await sweepPartials(folder)
	const left = readdirSync(folder, { recursive: true }) as string[]
	const before = readdirSync(join(folder, '../kept'), { recursive: true }) as string[]
	assert.deepEqual(left.sort(), [...before, '.marks', join('files', part!, 'strange.txt')].sort())
	// A new one of this name knows nothing of the old one.
	assert.ok(!existsSync(join(folder, '.marks/20250101_000000.ndjson')))
})
