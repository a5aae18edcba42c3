/**
 * What the sample plans and draws. Knows no server: the server's process reads no SVG, and pictures are drawn as that.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { schoolOf } from '../../ops/sample/people.ts'
import { drawPicture, type PictureKind } from '../../ops/sample/pictures.ts'
import { planDiscussions } from '../../ops/sample/plan.ts'

test('[O44] the same seed plans and draws the same, another one another class', async () => {
	const school = schoolOf(60)
	assert.equal(new Set([...school.students, ...school.lecturers].map(({ handle }) => handle)).size, 63)
	const until = new Date('2025-06-01T08:00:00.000Z')
	const plan = (seed: string) => planDiscussions(schoolOf(60), seed, 5_000, until)
	const [once, again, other] = [plan('a'), plan('a'), plan('b')]
	assert.deepEqual(once, again)
	assert.notDeepEqual(once, other)
	for (const { acts, topic } of once) {
		const sent = new Set<string>()
		for (const act of acts) {
			if (act.do !== 'send') assert.ok(sent.has(act.id), 'what is edited or removed is there')
			else {
				assert.ok(act.replyTo === null || sent.has(act.replyTo), 'what is replied to is there')
				assert.ok(!sent.has(act.id) && act.writtenAt < until.toISOString())
				assert.ok(act.text !== '' || act.files.length > 0)
				assert.doesNotMatch(act.text, /\{name\}|undefined| {2,}\S/)
				if (act.by.role === 'student')
					assert.ok(act.group !== null && act.by.groups.includes(act.group) && topic.groups.includes(act.group))
				sent.add(act.id)
			}
		}
	}
	for (const kind of ['landscape', 'chart', 'note', 'short', 'long', 'veiled'] satisfies PictureKind[]) {
		const [one, same, another] = await Promise.all([drawPicture(kind, 'x', 0.2), drawPicture(kind, 'x', 0.2), drawPicture(kind, 'y', 0.2)])
		assert.deepEqual(one, same)
		assert.notDeepEqual(one.bytes, another.bytes)
		const { width, height, format } = await sharp(one.bytes).metadata()
		assert.deepEqual([width, height, `image/${format}`], [one.width, one.height, one.type])
	}
})
