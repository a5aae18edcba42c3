/**
 * Checks what was typed against the protocol's own schemas, and names what is wrong as a text's key.
 *
 * Pure. Knows no field: the schema does.
 */
import type { z } from 'zod'

/** What is wrong with one field, as a text; `limit` fills the gap in it. */
export interface FieldProblem {
	text: 'wrong.required' | 'wrong.short' | 'wrong.long' | 'wrong.many' | 'wrong.email' | 'wrong.characters'
	limit?: number
}

/** The first problem of each field; empty when all is well. */
export function checkFields(schema: z.ZodObject, values: Record<string, unknown>): Record<string, FieldProblem> {
	const problems: Record<string, FieldProblem> = {}
	const parsed = schema.safeParse(values)
	for (const issue of parsed.error?.issues ?? []) {
		const field = String(issue.path[0])
		if (field in problems) continue
		const value = values[field]
		if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0))
			problems[field] = { text: 'wrong.required' }
		else if (typeof value === 'string' && value.trim() === '') problems[field] = { text: 'wrong.required' }
		else if (issue.code === 'too_small') problems[field] = { text: 'wrong.short', limit: Number(issue.minimum) }
		else if (issue.code === 'too_big')
			problems[field] = {
				text: Array.isArray(value) && issue.path.length === 1 ? 'wrong.many' : 'wrong.long',
				limit: Number(issue.maximum),
			}
		else if (issue.code === 'invalid_format') problems[field] = { text: 'wrong.email' }
		else problems[field] = { text: 'wrong.characters' }
	}
	return problems
}
