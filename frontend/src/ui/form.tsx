/**
 * One form: values, what is wrong with them, and one submission at a time.
 *
 * Promises that a refused form keeps what was typed, says why beside the field or above the button,
 * and moves the focus there.
 */
import { Alert } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { type FormEvent, useRef, useState } from 'react'
import type { z } from 'zod'
import type { ErrorCode } from '../../../protocol/api.ts'
import { ApiError } from '../client.ts'
import type { Key } from '../locales/en.ts'
import { checkFields, type FieldProblem } from './fields.ts'
import { useTexts } from './language.ts'
import { errorSentence } from './problems.ts'

export function useForm<V extends Record<string, unknown>>(
	schema: z.ZodObject,
	initial: V,
	submit: (values: V) => Promise<unknown>,
	sentences: Partial<Record<ErrorCode, Key>> = {},
) {
	const { t } = useTexts()
	const [values, setValues] = useState(initial)
	const [problems, setProblems] = useState<Partial<Record<string, FieldProblem>>>({})
	const [failure, setFailure] = useState<unknown>(null)
	const [busy, setBusy] = useState(false)
	const form = useRef<HTMLFormElement>(null)

	function show(next: Partial<Record<string, FieldProblem>>) {
		setProblems(next)
		const first = Object.keys(next)[0]
		const field = first && form.current?.elements.namedItem(first)
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
			setFailure(error)
		} finally {
			setBusy(false)
		}
	}

	/** Some codes mean something of their own in a form. */
	function sentence(error: unknown): string {
		const own = error instanceof ApiError ? sentences[error.problem.code] : undefined
		return own ? t(own as 'problem.internal') : errorSentence(t, error)
	}

	function set<K extends keyof V>(name: K, value: V[K]) {
		setValues((now) => ({ ...now, [name]: value }))
		setProblems((now) => ({ ...now, [name]: undefined }))
	}

	return {
		values,
		set,
		busy,
		failure: failure === null ? null : sentence(failure),
		form: { ref: form, onSubmit, noValidate: true },
		/** The properties of a text field. */
		field(name: keyof V & string) {
			const problem = problems[name]
			return {
				name,
				value: (values[name] ?? '') as string,
				onChange: (event: { currentTarget: { value: string } }) => set(name, event.currentTarget.value as V[typeof name]),
				error: problem ? t(problem) : undefined,
			}
		},
		problem(name: keyof V & string): string | undefined {
			const problem = problems[name]
			return problem && t(problem)
		},
	}
}

/** Why the form was refused. */
export function Failure({ children }: { children: string | null }) {
	if (!children) return null
	return (
		<Alert role="alert" color="red" icon={<IconAlertTriangle size={18} stroke={1.75} />}>
			{children}
		</Alert>
	)
}
