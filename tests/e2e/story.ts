/**
 * A school with something to show: people with faces, a class that talks, sends pictures, quotes, corrects and removes, and
 * somebody who waits at the door. Told through the API, and the same in every telling.
 */
import sharp from 'sharp'
import { writeHandout } from '../../ops/sample/handout.ts'
import { drawPicture, type PictureKind } from '../../ops/sample/pictures.ts'
import type { Discussion, Group } from '../../protocol/model.ts'
import { upload } from './fixtures.ts'
import { newId, type School, type Someone } from './school.ts'

export type Story = Awaited<ReturnType<typeof tellStory>>

const handout = 'Homework for Monday\n\nRead chapter 3, and write down five words that you did not know.'

/** Where everything happens; answers with what scenes are taken of. */
export async function tellStory(school: School) {
	const people = await tellPeople(school)
	const { siti, hendra, budi, citra, lukasz, omar } = people
	const classmates = await Promise.all(
		[
			'Ayu Puspitasari',
			'Bagus Nugroho',
			'Dimas Aditya',
			'Fitri Handayani',
			'Galih Saputra',
			'Indah Permata',
			'Maya Kusuma',
			'Nur Aini',
		].map((name) => school.join('student', name)),
	)
	const a = await school.group('English A', siti, hendra, budi, citra, lukasz, omar, ...classmates)
	const b = await school.group('English B', siti, lukasz)
	await school.group('Reading circle, Thursday', siti, ...classmates.slice(0, 3))
	const old = await school.group('English A, last year', siti)
	await school.admin.call('editGroup', { id: a.id, description: 'First year, Monday and Thursday at 8:00. We speak more than we write.' })
	await school.admin.call('editGroup', { id: old.id, status: 'archived' })
	const mine = (
		await siti.call('createGroup', {
			id: newId(),
			name: 'Academic Writing 2',
			description: 'One text a week, and a friendly reader for each.',
		})
	).group

	const category = async (name: string) => (await siti.call('createCategory', { id: newId(), name })).category.id
	const speaking = await category('Speaking & opinion')
	const reading = await category('Reading circle')
	const retired = await category('Holiday tasks')
	await siti.call('editCategory', { id: retired, status: 'archived' })

	const start = async (title: string, prompt: string, groups: Group[], more: object = {}) =>
		(await siti.call('startDiscussion', { id: newId(), title, prompt, groups: groups.map(({ id }) => id), ...more })).discussion
	const closed = await start('Introduce yourself', 'Say hello: who you are, where you are from, one thing you can cook.', [a])
	await school.say(budi, closed, 'I am Budi from Solo. I can cook rice. Only rice.')
	await siti.call('editDiscussion', { id: closed.id, status: 'closed' })
	const chapter = 'Chapter 3: what did the letter say, and why was it never sent?'
	const empty = await start(chapter, 'Answer before you read the others.', [a, b], { category: reading })
	const place = await start('A place you would show a visitor', 'Describe it so well that we want to go.', [a], { category: speaking })
	await school.say(budi, place, 'The market in Pasar Gede opens at four in the morning, and at five the best food is gone.')
	const long = await start('Words we did not know', 'One word a day, with a sentence of your own.', [a], { category: reading })
	for (let n = 1; n <= 120; n++)
		await school.say(
			[citra, lukasz, budi][n % 3] as Someone,
			long,
			`Word ${n}: “nevertheless”. It rained; nevertheless we walked, and it was a long way to the river and back.`,
		)
	const everything = await tellOfFiles(
		school,
		people,
		await start('Our weekend in pictures', 'Show us, then tell us.', [a], { category: speaking }),
	)
	const phones = await start(
		'Should phones stay in the bag?',
		'Some schools lock students’ phones away during lessons. Is that fair? Give one reason, one example from your own life, and answer at least one classmate.',
		[a, b],
		{ category: speaking, tags: ['debate', 'linking words', 'phones'], collaborators: [hendra.me.id] },
	)
	const bent = await tellOfPhones(school, people, phones, a)
	await school.admin.call('inspect', { id: newId(), discussion: phones.id, reason: 'A parent asked whether phones are allowed in class.' })
	await omar.call('setRead', { id: phones.id, upTo: await newest(omar, phones.id) })
	for (const { id } of [closed, place, long, everything])
		for (const who of [budi, siti]) await who.call('setRead', { id, upTo: await newest(who, id) })
	return { ...people, a, mine, closed, empty, place, long, everything, phones, bent }
}

async function newest(who: Someone, id: string): Promise<number> {
	return (await who.call('listMessages', { id })).messages.at(-1)?.seq ?? 0
}

/** Somebody of every kind: with and without a picture, waiting, refused, gone. */
async function tellPeople(school: School) {
	const siti = await school.join('lecturer', 'Dr. Siti Rahmawati')
	const hendra = await school.join('lecturer', 'Hendra Gunawan')
	const fresh = await school.join('lecturer', 'Maria Magdalena Tan')
	const budi = await school.join('student', 'Budi Santoso')
	const citra = await school.join('student', 'Citra Ayu Lestari')
	const lukasz = await school.join('student', 'Łukasz Żółć')
	const omar = await school.join('student', 'عمر الفاروق')
	const newcomer = await school.join('student', 'Putri Wulandari')
	for (const [who, face] of [
		[siti, 'veiled'],
		[citra, 'long'],
		[budi, 'short'],
	] as const) {
		const avatar = await upload(school, who, 'me.jpg', (await drawPicture(face, who.me.name)).bytes, 'avatar')
		await who.call('editMe', { avatar })
	}
	for (const who of [budi, citra, newcomer]) await who.call('editMe', { lecturers: [siti.me.id] })
	const waiting = await school.register('student', 'Rizky Pratama')
	await waiting.call('editMe', { lecturers: [siti.me.id, hendra.me.id] })
	await school.register('student', 'Ni Luh Ayu Kartika Sari Dewi Maharani')
	await school.register('lecturer', 'James O’Connor')
	await school.register('student', 'Yusuf Maulana')
	const refused = await school.register('student', 'Somebody Else')
	const reason = 'We have no student of this name. Please register with your full name.'
	await school.admin.call('setStatus', { id: refused.me.id, status: 'rejected', reason })
	const gone = await school.join('student', 'Joko Susilo')
	await school.admin.call('setStatus', { id: gone.me.id, status: 'deactivated' })
	const { token: helpToken } = await school.admin.call('createHelpLink', { id: newcomer.me.id })
	return { siti, hendra, fresh, budi, citra, lukasz, omar, newcomer, waiting, refused, gone, helpToken }
}

type People = Awaited<ReturnType<typeof tellPeople>>

async function send(school: School, who: Someone, kind: PictureKind, name: string, scale = 1): Promise<string> {
	return upload(school, who, name, (await drawPicture(kind, name, scale)).bytes)
}

/** The discussion of the README: a quote, a picture, a correction, a lecturer, and four new messages. Answers with the id of Omar's. */
async function tellOfPhones(school: School, { siti, budi, citra, lukasz, omar }: People, phones: Discussion, a: Group): Promise<string> {
	const first = await school.say(
		citra,
		phones,
		'I think phones should stay in the bag. Last week I have counted: I looked at mine 31 times in one lesson, and I do not remember why.',
	)
	await school.say(citra, phones, 'My grandmother says we listen with our eyes. When the eyes are on the phone, the ears are closed 🙂')
	const gone = await school.say(budi, phones, 'Oops, wrong discussion.')
	await budi.call('setRemoved', { id: gone, removed: true })
	const sheet = await upload(school, siti, 'Linking words.pdf', writeHandout('Linking words.pdf', handout))
	await school.say(siti, phones, 'Here are words that you can use.', { group: null, uploads: [sheet] })
	await school.say(lukasz, phones, '31 times! But a dictionary is also in my phone. If you lock it, you lock my English.', {
		group: a.id,
		replyTo: first,
	})
	const { bytes } = await drawPicture('landscape', 'The hills behind our school.jpg')
	const hills = await sharp(bytes).resize(1280, 560).jpeg({ quality: 80 }).toBuffer()
	const picture = await upload(school, budi, 'The hills behind our school.jpg', hills)
	const text = 'This is the way to my school. On the bus everybody is looking down.'
	const mine = await school.say(budi, phones, text, { uploads: [picture] })
	await budi.call('editMessage', { id: mine, edit: newId(), text: `${text} And yes, I am looking down too.` })
	await budi.call('setRead', { id: phones.id, upTo: await newest(budi, phones.id) })
	const thanks = 'Thank you, Budi. “Looking down” is a lovely phrase to build on. Who can find a synonym?'
	const asked = await school.say(siti, phones, thanks, { group: null })
	const bent = await school.say(omar, phones, '“Bent over our screens”, I read it in a newspaper yesterday.', { replyTo: asked })
	await school.say(citra, phones, '“Glued to our phones” is what my father says every dinner.')
	await school.say(citra, phones, 'And then his phone rings.')
	return bent
}

/** One with every kind of file, a long text, a link, and more pictures than stand beside it. */
async function tellOfFiles(school: School, { siti, budi, citra, lukasz }: People, discussion: Discussion): Promise<Discussion> {
	const name = 'Homework for Monday, with a name that is too long for a line of a small screen.pdf'
	const files = [await upload(school, siti, name, writeHandout(name, handout))]
	for (const other of ['Words.txt', 'Timetable.csv', 'Notes.txt'])
		files.push(await upload(school, siti, other, writeHandout(other, handout)))
	const kinds = ['note', 'chart', 'landscape'] as const
	const pictures = async (who: Someone, count: number) =>
		Promise.all(Array.from({ length: count }, (_, n) => send(school, who, kinds[n % 3]!, `${who.me.name} ${n + 1}.jpg`, 0.5)))
	const lines = Array.from({ length: 30 }, (_, n) => `${n + 1}. It was raining so hard that we could not see the other side of the street.`)
	await school.say(lukasz, discussion, lines.join('\n'))
	await school.say(siti, discussion, 'For Monday.', { uploads: files })
	await school.say(lukasz, discussion, 'The museum of stamps is here: https://museum.example/stamps?lang=en', {
		uploads: await pictures(lukasz, 1),
	})
	await school.say(budi, discussion, 'How you pronounce “nevertheless”:', {
		uploads: [await upload(school, budi, 'Nevertheless.wav', hum())],
	})
	await school.say(budi, discussion, '', { uploads: await pictures(budi, 2) })
	await school.say(citra, discussion, 'We planned to go to the beach, and we ended up in the hills.', { uploads: await pictures(citra, 5) })
	return discussion
}

/** Half a second of a calm tone, as WAV. */
function hum(): Buffer<ArrayBuffer> {
	const rate = 8000
	const bytes = Buffer.alloc(44 + rate / 2, 128)
	bytes.write('RIFF', 0)
	bytes.writeUInt32LE(bytes.length - 8, 4)
	bytes.write('WAVEfmt ', 8)
	bytes.writeUInt32LE(16, 16)
	for (const [at, value] of [
		[20, 1],
		[22, 1],
		[32, 1],
		[34, 8],
	] as const)
		bytes.writeUInt16LE(value, at)
	bytes.writeUInt32LE(rate, 24)
	bytes.writeUInt32LE(rate, 28)
	bytes.write('data', 36)
	bytes.writeUInt32LE(bytes.length - 44, 40)
	for (let n = 0; n < rate / 2; n++) bytes[44 + n] = 128 + Math.round(60 * Math.sin((2 * Math.PI * 440 * n) / rate))
	return bytes
}
