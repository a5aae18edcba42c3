/**
 * Arbitraries from zod schemas: valid input for fuzzing, and input that is broken in one place.
 *
 * Knows the kinds of schema that protocol/ uses; another kind is an error, so that nothing goes
 * untested in silence.
 */
import fc, { type Arbitrary } from 'fast-check'
import { z } from 'zod'

/** Hands out values that mean something to the server (ids of real records) for a field of this name. */
export type Known = (field: string) => readonly unknown[]

const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const emails = fc.tuple(hex(8), fc.constantFrom('school.example', 'EXAMPLE.org')).map(([name, host]) => `${name}@${host}`)

type Checked = { _zod: { def: { checks?: { _zod: { def: Record<string, unknown> } }[] } } }
const checksOf = (schema: z.ZodType) => ((schema as unknown as Checked)._zod.def.checks ?? []).map((check) => check._zod.def)

function strings(schema: z.ZodString): Arbitrary<string> {
	const { format, pattern } = schema._zod.def as { format?: string; pattern?: RegExp }
	if (format === 'datetime')
		return fc.date({ noInvalidDate: true, min: new Date('1990-01-01'), max: new Date('2100-01-01') }).map((date) => date.toISOString())
	if (format === 'email') return emails
	const regex = (checksOf(schema).find(({ format }) => format === 'regex')?.pattern as RegExp | undefined) ?? pattern
	if (regex?.source === '^[0-9a-f]{24}$') return hex(24).map((id) => `5${id.slice(1)}`)
	if (regex?.source === '^[\\w-]{43}$') return hex(43)
	if (regex) return fc.stringMatching(regex)
	const bound = (name: string) => checksOf(schema).find(({ check }) => check === name) as { minimum?: number; maximum?: number } | undefined
	const [min, max] = [bound('min_length')?.minimum ?? 0, bound('max_length')?.maximum ?? 100]
	const units = fc.oneof(
		fc.string({ unit: 'grapheme', maxLength: 60 }),
		fc.string({ unit: 'binary', maxLength: 40 }),
		fc.constantFrom('<b>&amp;', "'; --", '../..', '%00', '__proto__', '\u202e\u200b'),
	)
	return units.map((text) => text.padEnd(min, 'x').slice(0, max))
}

/** Input that the schema probably accepts. */
export function valid(schema: z.ZodType, known: Known = () => [], field = ''): Arbitrary<unknown> {
	const choices = known(field)
	const plain = inner(schema, known, field)
	return choices.length > 0 ? fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...choices) }, { weight: 1, arbitrary: plain }) : plain
}

function inner(schema: z.ZodType, known: Known, field: string): Arbitrary<unknown> {
	if (schema instanceof z.ZodObject) {
		const fields = Object.entries(schema.shape) as [string, z.ZodType][]
		const optional = fields.filter(([, one]) => one instanceof z.ZodOptional || one instanceof z.ZodDefault).map(([name]) => name)
		const required = fields.map(([name]) => name).filter((name) => !optional.includes(name))
		return fc.record(Object.fromEntries(fields.map(([name, one]) => [name, valid(one, known, name)])), {
			requiredKeys: required,
			noNullPrototype: true,
		})
	}
	if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return valid(schema.unwrap() as z.ZodType, known, field)
	if (schema instanceof z.ZodNullable) return fc.option(valid(schema.unwrap() as z.ZodType, known, field))
	if (schema instanceof z.ZodCodec) return fc.constantFrom('true', 'false')
	if (schema instanceof z.ZodPipe) return fc.oneof(emails, valid(schema.in as z.ZodType, known, field))
	if (schema instanceof z.ZodArray) return fc.array(valid(schema.element as z.ZodType, known, field), { minLength: 1, maxLength: 4 })
	if (schema instanceof z.ZodDiscriminatedUnion) return fc.oneof(...schema.options.map((option) => valid(option as z.ZodType, known)))
	if (schema instanceof z.ZodEnum) return fc.constantFrom(...schema.options)
	if (schema instanceof z.ZodLiteral) return fc.constantFrom(...schema.values)
	if (schema instanceof z.ZodBoolean) return fc.boolean()
	if (schema instanceof z.ZodNumber) return fc.integer({ min: 1, max: 100 })
	if (schema instanceof z.ZodISODateTime || schema instanceof z.ZodEmail || schema instanceof z.ZodString)
		return strings(schema as z.ZodString)
	throw new Error(`No arbitrary for a ${schema.constructor.name} (${field}).`)
}

const nonsense = fc.oneof(
	fc.constantFrom(
		null,
		'',
		' ',
		'\u0000',
		'\ud800',
		-1,
		1e308,
		0.5,
		true,
		[],
		{},
		'9'.repeat(24),
		'f'.repeat(24),
		{ $gt: '' },
		{ toString: 1 },
	),
	fc.string({ unit: 'binary', maxLength: 30 }),
	fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }).map((unit) => unit.repeat(12_000)),
	fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 3 }),
	fc.jsonValue({ maxDepth: 3 }),
)

/** Input of this schema that is broken in one place (or, seldom, still right). */
export function broken(schema: z.ZodObject, known: Known = () => []): Arbitrary<unknown> {
	const fields = Object.keys(schema.shape)
	const names = fc.constantFrom(...fields, 'unknown', 'constructor')
	const change = fc.tuple(valid(schema, known), names, fc.option(nonsense)).map(([input, name, value]) => {
		const copy: Record<string, unknown> = { ...(input as object) }
		if (value === null) delete copy[name]
		else copy[name] = value
		return copy
	})
	return fc.oneof({ weight: 5, arbitrary: change }, { weight: 1, arbitrary: nonsense })
}
