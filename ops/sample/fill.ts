/**
 * Makes the sample through the public API, as people would: they register, are let in, join groups, talk.
 *
 * Promises that doing it again changes nothing that is there, and goes on where it was interrupted: every id, and every text,
 * comes from the seed and from the moment in which the admin was made.
 */
import type { Person } from '../../protocol/model.ts'
import { type Caller, Refused } from './caller.ts'
import { openChance } from './chance.ts'
import { writeHandout } from './handout.ts'
import { domain, type SamplePerson, type SampleSchool, schoolOf, teaches } from './people.ts'
import { drawPicture } from './pictures.ts'
import { planDiscussions, type SampleDiscussion, type SampleFile } from './plan.ts'
import { categories, groups, topics } from './topics.ts'

export interface Filling {
	/** A browser of its own for each person. */
	open(): Caller
	/** Signed in. */
	admin: { caller: Caller; me: Person }
	password: string
	seed: string
	students: number
	messages: number
	/** Of 1: how large pictures are. */
	pictureScale: number
	/** Told after each step: what is being made, how many of how many. */
	tell(what: string, done: number, total: number): void
}

/** What is there at the end. */
export interface Filled {
	school: SampleSchool
	messages: number
	replies: number
	edits: number
	removals: number
	pictures: number
	files: number
}

/** How many people are at work at the same time. */
const together = 8
/** Acts before the newest message that was found, done again to be sure. */
const overlap = 40

/** The address of somebody of the sample. */
export const emailOf = ({ handle }: SamplePerson) => `${handle}@${domain}`

/** Fills the school. Throws `Refused`, `Unreachable` or the reason of its signal. */
export async function fillSchool(filling: Filling): Promise<Filled> {
	const { admin, seed, tell } = filling
	const chance = openChance(`${seed}/school`)
	const until = new Date(admin.me.createdAt!)
	const seconds = until.getTime() / 1000
	const school = schoolOf(filling.students)
	const discussions = planDiscussions(school, seed, filling.messages, until)

	const known = new Map<SamplePerson, { caller: Caller; me: Person }>([[school.admin, admin]])
	const callerOf = (person: SamplePerson) => known.get(person)!.caller
	const idOf = (person: SamplePerson) => known.get(person)!.me.id
	const lecturer = (i: number) => school.lecturers[i]!

	async function register(people: readonly SamplePerson[]): Promise<void> {
		await eachOf(people, async (person) => {
			const caller = filling.open()
			const { name, number, role } = person
			const chosen = [...new Set(person.groups.map((group) => teaches[group]!))].map((i) => idOf(lecturer(i)))
			const lecturers = role === 'student' ? chosen : []
			const input = { role: role as 'student' | 'lecturer', name, number, email: emailOf(person), password: filling.password, lecturers }
			known.set(person, { caller, me: (await caller.call('register', input)).me })
			tell('people', known.size, school.students.length + school.lecturers.length + school.waiting.length + 1)
		})
	}
	async function letIn(people: readonly SamplePerson[]): Promise<void> {
		const ids = people.filter((person) => known.get(person)!.me.status !== 'approved').map(idOf)
		if (ids.length > 0) await admin.caller.call('decide', { ids, status: 'approved' })
	}

	await register(school.lecturers)
	await letIn(school.lecturers)
	await register(school.students)
	await letIn(school.students)
	await register(school.waiting)

	const faces = chance.fork('faces')
	const pictured = [...school.lecturers, ...school.students].filter(({ role }) => role === 'lecturer' || faces.happens(0.45))
	await eachOf(pictured, async (person, i) => {
		if (!known.get(person)!.me.avatar) {
			const { bytes } = await drawPicture(person.face, `${seed} ${person.handle}`, filling.pictureScale)
			const upload = chance.fork(`face of ${person.handle}`).id(seconds)
			await callerOf(person).call('sendFile', { id: upload, name: 'me.jpg', purpose: 'avatar' }, bytes)
			await callerOf(person).call('editMe', { avatar: upload })
		}
		tell('pictures of people', i + 1, pictured.length)
	})

	const groupIds = groups.map((_, i) => chance.fork(`group ${i}`).id(seconds - 3600))
	for (const [i, group] of groups.entries()) {
		const id = groupIds[i]!
		const owner = lecturer(teaches[i]!)
		await callerOf(owner).call('createGroup', { id, ...group })
		// Who starts a discussion for a group of a colleague's is a member of it.
		const guests = topics.filter((topic) => topic.groups.includes(i)).map(({ lecturers }) => lecturer(lecturers[0]!))
		const members = [...new Set([...school.students.filter((student) => student.groups.includes(i)), ...guests])].filter(
			(person) => person !== owner,
		)
		await callerOf(owner).call('addMembers', { id, users: members.map(idOf) })
		tell('groups', i + 1, groups.length)
	}

	const categoryIds = categories.map((_, i) => chance.fork(`category ${i}`).id(seconds - 3600))
	for (const [i, { name, by }] of categories.entries()) {
		await callerOf(lecturer(by)).call('createCategory', { id: categoryIds[i]!, name })
	}
	for (const { id, topic } of discussions) {
		const [starter, ...collaborators] = topic.lecturers.map(lecturer)
		await callerOf(starter!).call('startDiscussion', {
			id,
			title: topic.title,
			prompt: topic.prompt,
			groups: topic.groups.map((group) => groupIds[group]!),
			category: categoryIds[topic.category]!,
			tags: [...topic.tags],
			collaborators: collaborators.map(idOf),
		})
	}

	const acts = discussions.reduce((sum, discussion) => sum + discussion.acts.length, 0)
	let done = 0
	const count = (more = 1) => {
		done += more
		tell('messages', done, acts)
	}
	await eachOf(discussions, (discussion) => talk(discussion, { callerOf, groupIds, lecturer, count, pictureScale: filling.pictureScale }))

	const sent = discussions.flatMap((discussion) => discussion.acts.filter((act) => act.do === 'send'))
	const uploads = sent.flatMap(({ files }) => files)
	const times = (kind: string) => discussions.reduce((sum, { acts }) => sum + acts.filter((act) => act.do === kind).length, 0)
	return {
		school,
		messages: sent.length,
		replies: sent.filter(({ replyTo }) => replyTo !== null).length,
		edits: times('edit'),
		removals: times('remove'),
		pictures: uploads.filter(({ kind }) => kind !== 'text').length,
		files: uploads.filter(({ kind }) => kind === 'text').length,
	}
}

interface Talking {
	callerOf(person: SamplePerson): Caller
	groupIds: readonly string[]
	lecturer(i: number): SamplePerson
	count(more?: number): void
	pictureScale: number
}

/** Says everything in one discussion, in order, from where it was left. */
async function talk(discussion: SampleDiscussion, { callerOf, groupIds, lecturer, count, pictureScale }: Talking): Promise<void> {
	const { id, topic, acts, readers } = discussion
	const starter = callerOf(lecturer(topic.lecturers[0]!))
	const { messages } = await starter.call('listMessages', { id, limit: 100 })
	const there = new Map(messages.map((message) => [message.id, message.seq]))
	const last = acts.findLastIndex((act) => act.do === 'send' && there.has(act.id))
	const first = Math.max(0, last - overlap)
	count(first)
	for (const act of acts.slice(first)) {
		const caller = callerOf(act.by)
		if (act.do === 'send') {
			for (const file of act.files) await caller.call('sendFile', { id: file.id, name: file.name }, await bytesOf(file, pictureScale))
			const { message } = await caller.call('sendMessage', {
				id: act.id,
				discussion: id,
				group: act.group === null ? null : groupIds[act.group]!,
				text: act.text,
				uploads: act.files.map((file) => file.id),
				replyTo: act.replyTo,
				writtenAt: act.writtenAt,
			})
			there.set(act.id, message.seq)
		} else if (act.do === 'edit') await caller.call('editMessage', { id: act.id, edit: act.edit, text: act.text })
		else await caller.call('setRemoved', { id: act.id, removed: true })
		count()
	}
	const sent = acts.filter((act) => act.do === 'send')
	await eachOf(readers, async ({ person, upTo }) => {
		const message = sent[upTo]!.id
		const seq = there.get(message) ?? (await starter.call('getMessage', { id: message })).message.seq
		await callerOf(person).call('setRead', { id, upTo: seq })
	})
	if (topic.closed) await starter.call('editDiscussion', { id, status: 'closed' })
}

async function bytesOf(file: SampleFile, scale: number): Promise<Buffer> {
	if (file.kind === 'text') return writeHandout(file.name, file.text)
	return (await drawPicture(file.kind, file.seed, scale)).bytes
}

/** Works on all of a list, some at the same time; the first failure is thrown when none is under way any more. */
async function eachOf<T>(list: readonly T[], work: (item: T, i: number) => Promise<void>): Promise<void> {
	let next = 0
	let failed: unknown
	const worker = async () => {
		while (next < list.length && failed === undefined) {
			const i = next++
			await work(list[i]!, i).catch((error: unknown) => {
				failed ??= error
			})
		}
	}
	await Promise.all(Array.from({ length: together }, worker))
	if (failed !== undefined) throw failed
}

/** Whether it is only that the school is closed for this caller. */
export const isRefused = (error: unknown, code: Refused['problem']['code']) => error instanceof Refused && error.problem.code === code
