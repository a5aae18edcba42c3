/**
 * Metadata is cut out whatever way the bytes come, and broken pictures are refused whatever is broken.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { animation, difference, photo, secrets } from '../../../tests/support/pictures.ts'
import { Feed, Malformed } from './feed.ts'
import { formatOf, strip } from './strip.ts'

/** What is left of a picture that comes in pieces of this size, with something after its end. */
async function stripped(bytes: Buffer, size: number, after = '') {
	const out: Buffer[] = []
	async function* chunks() {
		for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
		if (after) yield Buffer.from(after)
	}
	const described = await strip(new Feed(chunks(), { keep: (kept) => void out.push(Buffer.from(kept)) }), formatOf(bytes)!)
	return { ...described, bytes: Buffer.concat(out) }
}

test('[F4] metadata is cut out of pictures however their bytes come, and the picture stays as it is', async () => {
	for (const format of ['jpeg', 'png', 'webp'] as const) {
		for (const orientation of [1, 6]) {
			const sent = await photo(format, orientation)
			assert.ok(sent.includes(secrets[0]!))
			const whole = await stripped(sent, sent.length)
			assert.equal(whole.orientation, orientation)
			assert.deepEqual([whole.width, whole.height], [96, 64])
			assert.equal(await difference(whole.bytes, sent), 0)
			for (const secret of secrets) assert.ok(!whole.bytes.includes(secret))
			for (const size of [1, 7, 100]) assert.deepEqual(await stripped(sent, size, 'secret-trailer'), whole)
			assert.deepEqual((await stripped(whole.bytes, 50)).bytes, whole.bytes)
		}
	}
})

test('[F4] comments and foreign programs’ blocks are cut out of moving pictures, their frames stay', async () => {
	const plain = await animation('gif')
	const table = 13 + (plain[10]! & 0x80 ? 3 * 2 ** ((plain[10]! & 7) + 1) : 0)
	const comment = Buffer.from('\x21\xfe\x0esecret comment\x00', 'latin1')
	const program = Buffer.from('\x21\xff\x0bXMP DataXMP\x0cSecret Place\x00', 'latin1')
	const sent = Buffer.concat([plain.subarray(0, table), comment, program, plain.subarray(table)])
	for (const size of [1, 13, sent.length]) assert.deepEqual((await stripped(sent, size, 'secret-trailer')).bytes, plain)
	const moving = await animation('webp')
	assert.deepEqual((await stripped(moving, 9, 'secret-trailer')).bytes, moving)
})

test('[F7] a picture that is cut or broken anywhere is refused, or shows no more than was allowed', async () => {
	const pictures = [await photo('jpeg'), await photo('png'), await photo('webp'), await animation('gif'), await animation('webp')]
	await fc.assert(
		fc.asyncProperty(fc.constantFrom(...pictures), fc.nat(), fc.nat(255), fc.boolean(), async (picture, where, value, cut) => {
			const at = 16 + (where % (picture.length - 16))
			const broken = cut ? picture.subarray(0, at) : Buffer.from(picture)
			if (!cut) broken[at] = value
			const left = await stripped(broken, 64).catch((error: unknown) => {
				if (!(error instanceof Malformed)) throw error
				return null
			})
			assert.ok(!left || left.bytes.length <= broken.length + 1)
			// Only a moving picture may end after any of its frames.
			if (cut && picture !== pictures[3]) assert.equal(left, null)
		}),
		{ numRuns: 400 },
	)
})
