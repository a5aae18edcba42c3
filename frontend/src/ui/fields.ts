/**
 * Checks what was typed against the protocol's own schemas, and names what is wrong as a text's key.
 *
 * Pure. Knows no field: the schema does.
 */
import type { z } from 'zod'

export type FieldProblem = 'wrong.required' | 'wrong.short' | 'wrong.long' | 'wrong.email' | 'wrong.characters'

/** The first problem of each field; empty when all is well. */
export function checkFields(schema: z.ZodObject, values: Record<string, unknown>): Record<string, FieldProblem> {
	const problems: Record<string, FieldProblem> = {}
	const parsed = schema.safeParse(values)
	for (const issue of parsed.error?.issues ?? []) {
		const field = String(issue.path[0])
		if (field in problems) continue
		const value = values[field]
		if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0))
			problems[field] = 'wrong.required'
		else if (typeof value === 'string' && value.trim() === '') problems[field] = 'wrong.required'
		else if (issue.code === 'too_small') problems[field] = 'wrong.short'
		else if (issue.code === 'too_big') problems[field] = 'wrong.long'
		else if (issue.code === 'invalid_format') problems[field] = 'wrong.email'
		else problems[field] = 'wrong.characters'
	}
	return problems
}
