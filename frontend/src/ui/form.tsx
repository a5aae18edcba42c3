/**
 * One form: values, what is wrong with them, and one submission at a time.
 *
 * Promises that a refused form keeps what was typed, says why beside the field or above the button,
 * and moves the focus there.
 */
import { Alert } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { type FormEvent, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import type { z } from 'zod'
import type { ErrorCode } from '../../../protocol/api.ts'
import { ApiError } from '../client.ts'
import type { Key } from '../locales/en.ts'
import { checkFields, type FieldProblem } from './fields.ts'
import { useTexts } from './language.ts'
import { errorSentence } from './problems.ts'

/** What a code means in one form: a sentence of its own, and the field beside which it is said. */
type Meaning<V> = Key | { beside: keyof V & string; text?: Key }

export function useForm<V extends Record<string, unknown>>(
	schema: z.ZodObject,
	initial: V,
	submit: (values: V) => Promise<unknown>,
	meanings: Partial<Record<ErrorCode, Meaning<V>>> = {},
) {
	const { t } = useTexts()
	const [values, setValues] = useState(initial)
	const [problems, setProblems] = useState<Partial<Record<string, FieldProblem>>>({})
	const [failure, setFailure] = useState<unknown>(null)
	const [busy, setBusy] = useState(false)
	const form = useRef<HTMLFormElement>(null)

	function show(next: Partial<Record<string, FieldProblem>>) {
		// A hidden field shows itself when it has a problem, and only then can it take the focus.
		flushSync(() => setProblems(next))
		focusOn(Object.keys(next)[0])
	}

	function focusOn(name: string | undefined) {
		const field = name && form.current?.elements.namedItem(name)
		if (field instanceof HTMLElement) field.focus()
	}

	async function onSubmit(event: FormEvent) {
		event.preventDefault()
		if (busy) return
		const found = checkFields(schema, values)
		if (Object.keys(found).length > 0) return show(found)
		setBusy(true)
		setFailure(null)
		setProblems({})
		try {
			await submit(values)
		} catch (error) {
			flushSync(() => {
				setBusy(false)
				setFailure(error)
			})
			focusOn(besideWhat(error))
		} finally {
			setBusy(false)
		}
	}

	function meaning(error: unknown): Meaning<V> | undefined {
		return error instanceof ApiError ? meanings[error.problem.code] : undefined
	}

	function besideWhat(error: unknown): string | undefined {
		const own = meaning(error)
		return typeof own === 'object' ? own.beside : undefined
	}

	/** Some codes mean something of their own in a form. */
	function sentence(error: unknown): string {
		const own = meaning(error)
		const text = typeof own === 'object' ? own.text : own
		return text ? t(text as 'problem.internal') : errorSentence(t, error)
	}

	function set<K extends keyof V>(name: K, value: V[K]) {
		setValues((now) => ({ ...now, [name]: value }))
		setProblems((now) => ({ ...now, [name]: undefined }))
		if (besideWhat(failure) === name) setFailure(null)
	}

	function problem(name: keyof V & string): string | undefined {
		const found = problems[name]
		if (found) return t(found.text, { limit: found.limit ?? 0 })
		return besideWhat(failure) === name ? sentence(failure) : undefined
	}

	return {
		values,
		set,
		busy,
		failure: failure === null || besideWhat(failure) ? null : sentence(failure),
		form: { ref: form, onSubmit, noValidate: true },
		/** The properties of a text field. */
		field(name: keyof V & string) {
			return {
				name,
				value: (values[name] ?? '') as string,
				onChange: (event: { currentTarget: { value: string } }) => set(name, event.currentTarget.value as V[typeof name]),
				error: problem(name),
			}
		},
		problem,
	}
}

/** Why the form was refused. */
export function Failure({ children }: { children: string | null }) {
	if (!children) return null
	return (
		<Alert role="alert" color="red" icon={<IconAlertTriangle size={18} stroke={1.75} aria-hidden="true" />}>
			{children}
		</Alert>
	)
}
