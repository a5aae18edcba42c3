/**
 * Every endpoint of protocol/api.ts, fuzzed from its own schema with valid and invalid input. A
 * new endpoint joins by standing in the table.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { z } from 'zod'
import { publicDiscussion, publicEdit, publicGroup, publicMembership, publicMessage, publicUser } from '../../backend/src/access.ts'
import { defaultRates } from '../../backend/src/rates.ts'
import { type ApiName, api, commonErrors, type Endpoint, Problem } from '../../protocol/api.ts'
import { Discussion, Edit, Group, Membership, Message, Person } from '../../protocol/model.ts'
import { broken, valid } from '../support/arbitrary.ts'
import { openClass, password, type Somebody } from '../support/class.ts'
import { newId } from '../support/client.ts'
import { type Server, startServer } from '../support/server.ts'

/** Each collection's schema, and what of a record it describes. */
const shapes: Record<string, { schema: z.ZodType; shown(record: never): object }> = {
	users: { schema: Person, shown: publicUser },
	groups: { schema: Group, shown: publicGroup },
	memberships: { schema: Membership, shown: publicMembership },
	discussions: { schema: Discussion, shown: publicDiscussion },
	messages: { schema: Message, shown: (record) => publicMessage(record, true) },
	edits: { schema: Edit, shown: publicEdit },
}

async function assertWhole(server: Server): Promise<void> {
	const { records } = await server.store.exportAt()
	let checked = 0
	for await (const { collection, record } of records) {
		const shape = shapes[collection]
		if (!shape) continue
		const parsed = shape.schema.safeParse(shape.shown(record as never))
		assert.ok(parsed.success, `${collection} ${record.id}: ${parsed.error?.message}`)
		checked++
	}
	assert.ok(checked > 10)
}

/** Sends a call whose input may be anything, and checks that the answer is one that the table allows. */
async function assertAnswered(client: Somebody, name: ApiName, input: unknown): Promise<boolean> {
	const endpoint = api[name] as Endpoint
	const flat = typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as Record<string, unknown>) : null
	const inUrl = endpoint.method === 'GET' || endpoint.method === 'DELETE'
	const used = new Set<string>()
	const path = endpoint.path.replaceAll(/:(\w+)/g, (_, field: string) => {
		used.add(field)
		const value = flat?.[field]
		return (
			encodeURIComponent((typeof value === 'string' ? value : (JSON.stringify(value ?? null) ?? '')).slice(0, 100).toWellFormed()) || 'x'
		)
	})
	const rest = flat ? Object.fromEntries(Object.entries(flat).filter(([field]) => !used.has(field))) : input
	const query = new URLSearchParams()
	if (inUrl && flat)
		for (const [field, value] of Object.entries(rest as object))
			query.append(field, (typeof value === 'string' ? value : String(JSON.stringify(value))).slice(0, 200))
	const response = await client.fetch(inUrl && query.size > 0 ? `${path}?${query}` : path, {
		method: endpoint.method,
		...(!inUrl && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(rest) ?? '' }),
	})
	const text = await response.text()
	const told = `${name} ${JSON.stringify(input)?.slice(0, 300)} was answered ${response.status} ${text.slice(0, 300)}`
	if (response.status === 200) {
		assert.ok(endpoint.output.safeParse(JSON.parse(text)).success, told)
		return true
	}
	const problem = Problem.safeParse(JSON.parse(text))
	assert.ok(problem.success, told)
	const { code } = problem.data
	assert.ok(code !== 'internal', told)
	assert.ok(endpoint.errors.includes(code) || commonErrors.includes(code) || (path.includes('%') && code === 'not_found'), told)
	return false
}

const runs = Number(process.env.FUZZ_RUNS ?? 40)

test('[A14] whatever is sent to any endpoint, there is no 500, no crash, and no record that breaks its schema', async (t) => {
	const free = { burst: 1e9, perMinute: 1e9 }
	const rates = { ...defaultRates, commands: free, returns: free, failures: free, failuresHere: free, registrations: free }
	const server = await startServer(t, { rates })
	const { lecturer, student, other, admin, discussion, blue, red, school } = await openClass(server)
	const message = await student.send(discussion, 'Hello')
	await student.call('editMessage', { id: message.id, edit: newId(), text: 'Hello again' })
	const messages = [message.id, (await lecturer.send(discussion, 'All', { group: null })).id]
	const pupil = await school.enter('Pupil', 'student', [red], lecturer)
	const ids = {
		discussion: [discussion.id],
		group: [blue.id, red.id],
		groups: [[blue.id], [red.id, blue.id]],
		user: [student.me.id, pupil.me.id],
		replyTo: messages,
		password: [password],
		before: [`99.${newId()}`],
		after: [`1.${newId()}`],
	}
	const known = (name: ApiName) => (field: string) => {
		if (field in ids) return ids[field as keyof typeof ids]
		if (field === 'email') return [student.me.email, 'new@school.example']
		if (field !== 'id') return []
		if (/Discussion|listMessages/.test(name) && name !== 'startDiscussion') return [discussion.id]
		if (/Message|Removed|Edits/.test(name) && name !== 'sendMessage') return messages
		if (/Member|renameGroup/.test(name)) return [blue.id, red.id]
		if (name === 'setStatus') return [pupil.me.id]
		return name === 'offerAgain' ? messages : []
	}
	const callers = [admin, lecturer, student, other]
	/** Ends its caller's session: a copy of her calls. */
	const copyOf = (client: Somebody): Somebody => Object.assign(Object.create(Object.getPrototypeOf(client) as object) as Somebody, client)
	/** Puts back what fuzzing an endpoint before took away, so that the next one gets in. */
	const mend = async () => {
		await lecturer.call('editDiscussion', { id: discussion.id, status: 'open', groups: [blue.id] })
		await school.join(blue, student, lecturer)
		for (const id of messages) await lecturer.call('setRemoved', { id, removed: false })
	}
	const done = new Map<ApiName, number>()
	for (const name of Object.keys(api) as ApiName[]) {
		if (name === 'signOut') continue
		await mend()
		const { input } = api[name] as Endpoint
		const allowed = callers.filter(({ me }) => typeof api[name].who === 'string' || (api[name].who as readonly string[]).includes(me.role))
		const property = (arbitrary: fc.Arbitrary<unknown>) =>
			fc.asyncProperty(arbitrary, fc.constantFrom(...allowed), async (value, client) => {
				if (await assertAnswered(copyOf(client), name, value)) done.set(name, (done.get(name) ?? 0) + 1)
			})
		await fc.assert(property(valid(input, known(name))), { numRuns: runs })
		await fc.assert(property(broken(input, known(name))), { numRuns: runs })
	}
	await assertWhole(server)
	assert.deepEqual(server.trouble, [])
	// Fuzzing that never gets in tests nothing.
	const never = (Object.keys(api) as ApiName[]).filter((name) => !done.has(name) && !['signOut', 'setUp', 'endSession'].includes(name))
	assert.deepEqual(never, [])
})
