/**
 * A term in the classroom for the browser tests, and where the overview of its discussions stands on a page.
 */
import type { Page } from '@playwright/test'
import { newId, type School } from './school.ts'

export const sizes = [
	['desktop', false],
	['phone', true],
] as const

/** A class with two groups, two categories and three discussions that Siti leads. */
export async function openTerm(school: School) {
	const siti = await school.join('lecturer', 'Dr. Siti Rahmawati')
	const budi = await school.join('student', 'Budi Santoso')
	const citra = await school.join('student', 'Citra Ayu Lestari')
	const a = (await siti.call('createGroup', { id: newId(), name: 'English A', description: 'Monday, room 204' })).group
	const b = (await siti.call('createGroup', { id: newId(), name: 'English B' })).group
	await siti.call('addMembers', { id: a.id, users: [budi.me.id, citra.me.id] })
	await siti.call('addMembers', { id: b.id, users: [citra.me.id] })
	const category = async (name: string) =>
		(await siti.call('createCategory', { id: newId(), name: `${name} ${newId().slice(-6)}` })).category
	const speaking = await category('Speaking')
	const reading = await category('Reading')
	const start = async (title: string, more: { category?: string; tags?: string[]; groups?: string[] } = {}) =>
		(await siti.call('startDiscussion', { id: newId(), title, prompt: 'Give one reason.', groups: [a.id], ...more })).discussion
	const words = await start('Words we did not know', { category: reading.id, tags: ['vocabulary'] })
	const phones = await start('Should phones stay in the bag?', { category: speaking.id })
	const loose = await start('Only for English B', { groups: [b.id] })
	return { siti, budi, citra, a, b, speaking, reading, words, phones, loose }
}

export const topics = (page: Page) => page.getByRole('navigation', { name: 'Discussions' }).getByRole('link')
export const topic = (page: Page, title: string) => topics(page).filter({ hasText: title })
export const headings = (page: Page) => page.getByRole('navigation', { name: 'Discussions' }).getByRole('heading', { level: 2 })

/** To another address of the same school. */
export const visit = (page: Page, path: string) => page.goto(new URL(path, page.url()).href)
