/**
 * Categories: what discussions are sorted under, for the whole school.
 *
 * Promises that no two have the same name, whatever its case and width. Never removes one: an
 * archived category stays with its discussions.
 */
import { mayManageCategory, publicCategory, refuseChanged } from '../access.ts'
import { fail, notFound } from '../errors.ts'
import { bodyHash, refuseFutureId, sameOrTaken } from '../ids.ts'
import { type Handlers, type Parts, placeOf, standing } from '../parts.ts'
import { tooOften } from '../rates.ts'
import { UniqueTaken } from '../storage/store.ts'

const categoriesListed = 1_000

/** A name that is taken has an error of its own. */
async function unlessTaken<T>(answer: Promise<T>): Promise<T> {
	try {
		return await answer
	} catch (error) {
		if (!(error instanceof UniqueTaken) || error.index !== 'name') throw error
		return fail('name_taken', 'There is a category with this name already.', { hint: 'Choose another name, or use that one.' })
	}
}

/** The handlers of categories. */
export function openCategories({ store, rates }: Parts): Pick<Handlers, 'listCategories' | 'createCategory' | 'editCategory'> {
	return {
		async listCategories() {
			const place = standing(store)
			const [active, archived] = await Promise.all(
				(['active', 'archived'] as const).map((status) =>
					store.find('categories', 'status', [status], { limit: categoriesListed, order: 'descending' }),
				),
			)
			return { categories: [...active!, ...archived!].map(publicCategory), ...place }
		},
		async createCategory({ id, name }, { reader: { user }, reader }) {
			const body = bodyHash(name)
			const before = standing(store).cursor
			const wait = rates.commands.take(user.id)
			const step = store.write(user.id, async (tx) => {
				const known = await tx.get('categories', id)
				if (known) return { category: publicCategory(sameOrTaken(known, known.createdBy, user.id, body)), cursor: before }
				if (wait > 0) tooOften(wait)
				refuseFutureId(id)
				await refuseChanged(tx, reader)
				const category = await tx.put('categories', { id, name, createdBy: user.id, status: 'active', bodyHash: body })
				return { category: publicCategory(category), cursor: placeOf(tx) }
			})
			return unlessTaken(step)
		},
		async editCategory({ id, name, status }, { reader: { user }, reader }) {
			const wait = rates.commands.take(user.id)
			if (wait > 0) tooOften(wait)
			const before = standing(store).cursor
			const step = store.write(user.id, async (tx) => {
				await refuseChanged(tx, reader)
				const category = await tx.get('categories', id)
				if (!category) notFound('category')
				if (!mayManageCategory(reader, category)) fail('forbidden', 'Only who made this category or an admin can change it.')
				const next = { ...category, name: name ?? category.name, status: status ?? category.status }
				if (next.name === category.name && next.status === category.status) return { category: publicCategory(category), cursor: before }
				return { category: publicCategory(await tx.put('categories', next)), cursor: placeOf(tx) }
			})
			return unlessTaken(step)
		},
	}
}
