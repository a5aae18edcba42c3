/**
 * Everything that will be said in the sample, in its order: the same for the same seed, time and size.
 *
 * Promises that every act comes after those that it needs (a reply after what it replies to, an edit after its message),
 * and that ids and texts of an act never depend on which acts were done before.
 */
import { type Chance, openChance } from './chance.ts'
import type { SamplePerson, SampleSchool } from './people.ts'
import * as talk from './talk.ts'
import { type SentKind, type Topic, topics } from './topics.ts'

/** A file that is drawn or written when it is sent. */
export type SampleFile =
	| { id: string; name: string; kind: SentKind; seed: string }
	| { id: string; name: string; kind: 'text'; seed: string; text: string }

export type Act =
	| {
			do: 'send'
			id: string
			by: SamplePerson
			group: number | null
			text: string
			replyTo: string | null
			writtenAt: string
			files: SampleFile[]
	  }
	| { do: 'edit'; id: string; edit: string; by: SamplePerson; text: string }
	| { do: 'remove'; id: string; by: SamplePerson }

export interface SampleDiscussion {
	id: string
	topic: Topic
	acts: Act[]
	/** Those who take part, and at which of the `send` acts each has stopped reading. */
	readers: { person: SamplePerson; upTo: number }[]
}

interface Said {
	id: string
	by: SamplePerson
	group: number | null
	text: string
	question: string | null
}

const dayMs = 24 * 3600_000
const weeks = 8
const dash = /^–$/
const imageTypes = { landscape: 'jpg', chart: 'png', note: 'jpg' } as const

/** Plans the discussions. `until`: when the term so far ended, which ids and times lie before. */
export function planDiscussions(school: SampleSchool, seed: string, messages: number, until: Date): SampleDiscussion[] {
	const share = Math.floor(messages / topics.length)
	return topics.map((topic, i) => {
		const chance = openChance(`${seed}/discussion ${i}`)
		const count = i === 0 ? messages - share * (topics.length - 1) : share
		const start = until.getTime() - (weeks - i * 0.6) * 7 * dayMs
		return planDiscussion(school, topic, chance, count, start, until.getTime() - (i % 3) * 3600_000 - 60_000)
	})
}

function planDiscussion(
	school: SampleSchool,
	topic: Topic,
	chance: Chance,
	count: number,
	startMs: number,
	endMs: number,
): SampleDiscussion {
	const lecturers = topic.lecturers.map((i) => school.lecturers[i]!)
	const students = school.students.filter(({ groups }) => groups.some((group) => topic.groups.includes(group)))
	const acts: Act[] = []
	const said: Said[] = []
	const used = new Set<string>()
	const times = timesOf(chance, count, startMs, endMs)
	/** Some talk a lot. */
	const talkers = students.flatMap((student) => Array.from({ length: chance.pick([1, 1, 2, 2, 3, 5]) }, () => student))
	const later: { after: number; act(): void }[] = []

	const groupsOf = ({ role, groups }: SamplePerson) => (role === 'student' ? groups.filter((group) => topic.groups.includes(group)) : [])
	/** Whom it can be said to, so that both see it: the group of the one who is answered. */
	const student = (group: number | null) => {
		const able = group === null ? talkers : talkers.filter((one) => one.groups.includes(group))
		return chance.pick(able.length > 0 ? able : talkers)
	}
	const seen = (text: string) => used.has(text) || !used.add(text)

	/** One that is new here, where there is one among a few tries. */
	function fresh(make: () => string): string {
		let text = make()
		for (let tries = 0; tries < 12 && seen(text); tries++) text = make()
		return text
	}

	function send(
		by: SamplePerson,
		text: string,
		more: { to?: Said; group?: number | null; files?: SampleFile[]; question?: string } = {},
	): Said {
		const at = Date.parse(times[said.length]!)
		const own = groupsOf(by)
		const wanted = more.to?.group ?? null
		const group = by.role === 'student' ? (wanted !== null && own.includes(wanted) ? wanted : own[0]!) : (more.group ?? wanted)
		const message: Said = { id: chance.id(at / 1000), by, group, text, question: more.question ?? null }
		const act = {
			do: 'send',
			id: message.id,
			by,
			group,
			text,
			replyTo: more.to?.id ?? null,
			writtenAt: new Date(at).toISOString(),
		} as const
		acts.push({ ...act, files: more.files ?? [] })
		said.push(message)
		return message
	}

	/** Something that was said lately, by somebody else, and that `by` can see. */
	function recent(by: SamplePerson, wanted: (one: Said) => boolean = () => true): Said | undefined {
		const visible = (one: Said) => one.group === null || by.role !== 'student' || by.groups.includes(one.group)
		const able = said.slice(-14).filter((one) => one.by !== by && visible(one) && wanted(one))
		return able.length > 0 ? chance.pick(able) : undefined
	}

	const named = (text: string, to: Said | undefined) => text.replaceAll('{name}', to?.by.called ?? 'everybody')
	const join = (...parts: string[]) => parts.filter((part) => part !== '' && !dash.test(part)).join(' ')
	const opinion = () => join(chance.pick(talk.openers), chance.pick(topic.opinions))
	const support = () => (chance.happens(0.5) ? chance.pick(topic.reasons) : chance.pick(topic.stories))
	const statement = () => {
		const [reason, story] = [chance.pick(topic.reasons), chance.pick(topic.stories)]
		const shape = chance.next()
		if (shape < 0.25) return join(opinion(), reason)
		if (shape < 0.5) return join(opinion(), story)
		if (shape < 0.85) return join(opinion(), chance.pick(talk.bridges), reason, story)
		return join(chance.pick(topic.opinions), reason)
	}
	const essay = () => {
		const paragraph = () => join(chance.pick(topic.opinions), chance.pick(topic.reasons), chance.pick(topic.stories))
		return `${join('Here is my longer text.', paragraph())}\n\n${join('On the other hand, there is another side.', paragraph())}\n\n${join('To sum up:', chance.pick(topic.opinions), chance.pick(topic.reasons))}`
	}
	const file = (kind: SentKind, i: number): SampleFile => {
		const id = chance.id(Date.parse(times[said.length]!) / 1000)
		const name = {
			landscape: `IMG_${chance.between(1000, 9999)}`,
			chart: `chart of the week ${i + 1}`,
			note: `catatan ${i + 1}`,
		}[kind]
		return { id, name: `${name}.${imageTypes[kind]}`, kind, seed: id }
	}

	const turns: readonly [weight: number, turn: () => void][] = [
		[28, () => void send(student(null), fresh(statement))],
		[1, () => void send(student(null), fresh(essay))],
		[
			6,
			() => {
				const question = chance.pick(topic.questions)
				const by = student(null)
				const to = recent(by)
				send(
					by,
					fresh(() => named(join(chance.happens(0.4) && to ? '{name}:' : '', question.split(' | ')[0]!), to)),
					{ ...(to && { to }), question },
				)
			},
		],
		[
			11,
			() => {
				const asked = said.slice(-14).findLast(({ question }) => question !== null)
				const by = asked ? student(asked.group) : student(null)
				if (!asked || asked.by === by) return void send(by, fresh(statement))
				const [, ...answers] = asked.question!.split(' | ')
				send(
					by,
					fresh(() => join(chance.pick(answers), chance.happens(0.4) ? support() : '')),
					{ to: asked },
				)
			},
		],
		[
			12,
			() => {
				const by = student(null)
				const to = recent(by)
				send(
					by,
					fresh(() => named(join(chance.pick(talk.agreements), chance.happens(0.7) ? support() : ''), to)),
					to && { to },
				)
			},
		],
		[
			9,
			() => {
				const by = student(null)
				const to = recent(by)
				send(
					by,
					fresh(() => named(join(chance.pick(talk.doubts), support()), to)),
					to && { to },
				)
			},
		],
		[
			6,
			() => {
				const [wrong, right, why] = chance.pick(talk.mistakes)
				const rest = join(chance.pick(topic.opinions), chance.pick(talk.afterMistakes))
				const message = send(student(null), `${wrong} ${rest}`)
				const helper = chance.happens(0.7) ? chance.pick(lecturers) : student(message.group)
				later.push({
					after: said.length + chance.between(1, 4),
					act() {
						if (helper === message.by) return
						const text = named(`${chance.pick(talk.corrections)} ${why}`, message)
						const correction = send(helper, text, { to: message })
						acts.push({ do: 'edit', id: message.id, edit: chance.id(endMs / 1000), by: message.by, text: `${right} ${rest}` })
						if (chance.happens(0.6)) {
							later.push({
								after: said.length + 1,
								act: () => void send(message.by, named(chance.pick(talk.thanks), correction), { to: correction }),
							})
						}
					},
				})
			},
		],
		[
			7,
			() => {
				const by = chance.pick(lecturers)
				const to = recent(by, (one) => one.by.role === 'student' && one.text.length > 40)
				if (to)
					send(
						by,
						fresh(() => named(chance.pick(talk.feedback), to)),
						{ to },
					)
				else
					send(
						by,
						fresh(() => chance.pick(talk.announcements)),
						{ group: null },
					)
			},
		],
		[
			1,
			() =>
				void send(
					chance.pick(lecturers),
					fresh(() => chance.pick(talk.announcements)),
					{ group: null },
				),
		],
		[
			9,
			() =>
				void send(
					student(null),
					fresh(() => join(chance.pick(topic.pendapat), chance.happens(0.35) ? chance.pick(topic.pendapat) : '')),
				),
		],
		[
			8,
			() => {
				const by = student(null)
				const to = recent(by)
				send(
					by,
					fresh(() => named(join(chance.pick(talk.jawaban), chance.happens(0.3) ? chance.pick(topic.pendapat) : ''), to)),
					to && { to },
				)
			},
		],
		[
			6,
			() => {
				const by = student(null)
				const to = recent(by)
				send(by, chance.pick(talk.reactions), to && { to })
			},
		],
		[
			1,
			() => {
				const [called, texts] = chance.pick(Object.entries(talk.otherwise))
				const by = students.find((one) => one.called === called)
				if (by) send(by, chance.pick(texts))
				else send(student(null), fresh(statement))
			},
		],
		[
			0.5,
			() => {
				const by = student(null)
				const { id } = send(by, chance.pick(talk.slips))
				const remover = chance.happens(0.8) ? by : chance.pick(lecturers)
				later.push({ after: said.length + 1, act: () => void acts.push({ do: 'remove', id, by: remover }) })
			},
		],
		[
			0.5,
			() => {
				const { name, said: caption, text } = chance.pick(talk.files)
				if (seen(caption)) return void send(student(null), fresh(statement))
				const id = chance.id(Date.parse(times[said.length]!) / 1000)
				send(chance.happens(0.4) ? chance.pick(lecturers) : student(null), caption, { files: [{ id, name, kind: 'text', seed: id, text }] })
			},
		],
		[
			topic.pictured,
			() => {
				const many = chance.happens(0.12) ? chance.between(2, 4) : 1
				const pictures = Array.from({ length: many }, (_, i) => file(chance.pick(topic.pictures), i))
				const by = chance.happens(0.06) ? chance.pick(lecturers) : student(null)
				send(by, chance.happens(0.1) ? '' : join(chance.pick(topic.captions), chance.happens(0.5) ? chance.pick(topic.opinions) : ''), {
					files: pictures,
				})
			},
		],
	]
	const total = turns.reduce((sum, [weight]) => sum + weight, 0)
	const turn = () => {
		let place = chance.next() * total
		for (const [weight, act] of turns) {
			place -= weight
			if (place < 0) return act()
		}
	}

	// The one who started it says hello first.
	send(lecturers[0]!, named('Welcome, everybody! Please read the prompt first, then write. I am curious. ✏️', undefined), { group: null })
	while (said.length < count) {
		const due = later.findIndex(({ after }) => after <= said.length)
		if (due >= 0) later.splice(due, 1)[0]!.act()
		else turn()
	}
	const readers = [...students, ...lecturers].map((person) => ({
		person,
		upTo: chance.happens(0.55) ? count - 1 : Math.max(0, count - 1 - chance.between(1, Math.max(1, Math.floor(count * 0.3)))),
	}))
	return { id: chance.id(startMs / 1000), topic, acts, readers }
}

/** Times between both, rising, in the hours in which people write. */
function timesOf(chance: Chance, count: number, startMs: number, endMs: number): string[] {
	const own = chance.fork('times')
	return Array.from({ length: count }, () => {
		const day = startMs + own.next() * (endMs - startMs)
		const hour = own.pick([1, 2, 3, 5, 6, 8, 9, 11, 12, 12, 13, 13, 14, 14, 15])
		return Math.min(endMs, day - (day % dayMs) + (hour + own.next()) * 3600_000)
	})
		.sort((a, b) => a - b)
		.map((at) => new Date(at).toISOString())
}
