/**
 * What an operator sees in MongoDB's own shell is what the app shows: she counts and looks as the guide says.
 *
 * Needs a MongoDB server. Needs mongosh.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, dirname } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Output } from '../../protocol/api.ts'
import type { Message } from '../../protocol/model.ts'
import { openClass, type Somebody } from '../support/class.ts'
import { newId } from '../support/client.ts'
import { lookInto, testAddress } from '../support/mongo.ts'
import { findMongosh } from '../support/mongo-server.ts'
import { makeFolder, startServer } from '../support/server.ts'

/** What the shell prints when all this is typed into it, or given to it with options. */
async function mongosh(t: TestContext, uri: string, typed: string, options: string[] = []): Promise<string> {
	// It keeps a history at home, and the one from npm runs on the Node of the PATH.
	const env = { ...process.env, HOME: makeFolder(t), PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` }
	const child = spawn(findMongosh()!, [uri, '--quiet', '--norc', ...options], { env, stdio: ['pipe', 'pipe', 'inherit'] })
	let said = ''
	child.stdout.on('data', (data: Buffer) => (said += data))
	child.stdin.end(typed)
	assert.equal((await once(child, 'close'))[0], 0, said)
	return said
}

/** A document in a form that names the type of every value. */
type Typed = Record<string, unknown>

async function everyPage(reader: Somebody, discussion: string): Promise<Message[]> {
	const all: Message[] = []
	for (let before: string | null = null; ; ) {
		const page: Output<'listMessages'> = await reader.call('listMessages', { id: discussion, limit: 5, ...(before !== null && { before }) })
		all.push(...page.messages)
		before = page.older
		if (before === null) return all
	}
}

test('[O20] collections and their counts in mongosh are what the app shows', async (t) => {
	const uri = testAddress()
	const server = await startServer(t, { mongodb: { uri } })
	t.after(() => lookInto(uri, (db) => db.dropDatabase()))
	const { admin, lecturer, student, other, blue, red, discussion, school } = await openClass(server)
	const second = await lecturer.startDiscussion('Holidays', [blue, red])
	await school.enter('Rina Rejected', 'student')
	for (let n = 0; n < 12; n++) await (n % 2 ? student : lecturer).send(discussion, `Message ${n}`)
	await other.send(second, 'Hello')
	const edited = await student.send(second, 'Helo')
	await student.call('editMessage', { id: edited.id, edit: newId(), text: 'Hello there' })
	const removed = await student.send(second, 'Oops')
	await student.call('setRemoved', { id: removed.id, removed: true })

	const { users } = await admin.call('listUsers', { limit: 100 })
	const { discussions, totals } = await lecturer.call('listDiscussions', { limit: 100 })
	const pages = await Promise.all(discussions.map(({ id }) => everyPage(lecturer, id)))
	const total = Object.values(totals).reduce((sum, { messages }) => sum + messages, 0)
	assert.deepEqual([users.length, discussions.length, total, pages.flat().length], [5, 2, 15, 15])

	const counts = ['users', 'discussions', 'messages'].map((name) => `db.${name}.countDocuments()`)
	const said = await mongosh(t, uri, ['show collections', ...counts, ''].join('\n'))
	const lines = said.split('\n').map((line) => line.replace(/^(\S+> )+/, ''))
	for (const name of ['users', 'groups', 'memberships', 'discussions', 'messages']) assert.ok(lines.includes(name), said)
	assert.deepEqual(
		lines.filter((line) => /^\d+$/.test(line)),
		[users.length, discussions.length, total].map(String),
		said,
	)

	const find = `db.messages.find({ _id: ObjectId('${removed.id}') }).toArray()[0]`
	const stored = JSON.parse(await mongosh(t, uri, '', ['--json=canonical', '--eval', find])) as Typed
	const shown = pages.flat().find(({ id }) => id === removed.id)!
	const idIs = (value: string | null) => (value === null ? null : { $oid: value })
	const timeIs = (value: string) => ({ $date: { $numberLong: String(Date.parse(value)) } })
	const { _id, author, discussion: where, group, createdAt, writtenAt } = stored
	assert.deepEqual(
		{ _id, author, where, group, createdAt, writtenAt, removed: stored.removed },
		{
			_id: idIs(shown.id),
			author: idIs(shown.author),
			where: idIs(shown.discussion),
			group: idIs(shown.group),
			createdAt: timeIs(shown.createdAt),
			writtenAt: timeIs(shown.writtenAt),
			removed: { at: timeIs(shown.removed!.at), by: idIs(student.me.id) },
		},
	)
	assert.deepEqual(server.trouble, [])
})

test('[O20] every id is an ObjectId and every time a Date, in every document', async (t) => {
	const uri = testAddress()
	const server = await startServer(t, { mongodb: { uri } })
	t.after(() => lookInto(uri, (db) => db.dropDatabase()))
	const { admin, student, discussion, lecturer } = await openClass(server)
	const { id } = await student.send(discussion, 'One')
	await student.call('editMessage', { id, edit: newId(), text: 'Two' })
	await lecturer.call('setRemoved', { id, removed: true })
	const upload = await lecturer.upload()
	const { seq } = await lecturer.send(discussion, 'Three', { replyTo: id, uploads: [upload] })
	await student.call('setRead', { id: discussion.id, upTo: seq })
	const { category } = await lecturer.call('createCategory', { id: newId(), name: 'Stories' })
	await lecturer.call('editDiscussion', { id: discussion.id, category: category.id, removed: true })
	await admin.inspect(discussion)
	await admin.call('createHelpLink', { id: student.me.id })
	// As an operator asks: where is an id or a time that is only a text?
	const question = `
		const texts = (value, path) =>
			typeof value === 'string' ? (/^([0-9a-f]{24}|\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z)$/.test(value) ? [path] : [])
			: value === null || typeof value !== 'object' || value._bsontype || value instanceof Date ? []
			: Object.entries(value).flatMap(([name, inner]) => texts(inner, path + '.' + name))
		const names = ['users', 'groups', 'memberships', 'discussions', 'messages', 'edits', 'sessions', 'credentials',
			'categories', 'uploads', 'reads', 'inspections', 'helpLinks']
		const found = names.flatMap((name) => db[name].find().toArray().map(({ _k, ...document }) => ({ name, document })))
		EJSON.stringify({
			documents: found.length,
			texts: found.flatMap(({ name, document }) => texts(document, name)),
			ids: found.every(({ document }) => document._id._bsontype === 'ObjectId'),
			times: found.every(({ document }) => document.createdAt instanceof Date && document.updatedAt instanceof Date),
		})`
	const answer = JSON.parse(await mongosh(t, uri, '', ['--eval', question])) as Typed
	assert.ok((answer.documents as number) > 20, JSON.stringify(answer))
	assert.deepEqual({ ...answer, documents: 0 }, { documents: 0, texts: [], ids: true, times: true })
})
