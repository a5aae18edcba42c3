/**
 * The API's description, made from the table protocol/api.ts: as OpenAPI 3.1 and as a page.
 *
 * Promises nothing that the table does not say. Made once, when first asked for.
 */
import { z } from 'zod'
import { api, commonErrors, type Endpoint, type ErrorCode, errorCodes, Problem } from '../../protocol/api.ts'

const entries = Object.entries(api) as [string, Endpoint][]
const schemaOf = (schema: z.ZodType, io: 'input' | 'output') => z.toJSONSchema(schema, { io, unrepresentable: 'any' })

function operation(name: string, { method, path, who, input, output, errors, body: carries }: Endpoint) {
	const { properties = {}, required = [] } = schemaOf(input, 'input')
	const inPath = [...path.matchAll(/:(\w+)/g)].map(([, field]) => field!)
	const inAddress = method === 'GET' || method === 'DELETE' || carries === 'upload'
	const inQuery = inAddress ? Object.keys(properties).filter((field) => !inPath.includes(field)) : []
	const inBody = Object.keys(properties).filter((field) => !inPath.includes(field) && !inQuery.includes(field))
	const parameter = (place: string) => (field: string) => ({
		name: field,
		in: place,
		required: place === 'path' || required.includes(field),
		schema: properties[field],
	})
	const statuses = new Map<number, ErrorCode[]>()
	for (const code of [...errors, ...commonErrors]) {
		const status = errorCodes[code]
		statuses.set(status, [...(statuses.get(status) ?? []), code])
	}
	const problems = [...statuses].map(([status, codes]) => [
		status,
		{ description: codes.join(', '), content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
	])
	const body = {
		type: 'object',
		properties: Object.fromEntries(inBody.map((field) => [field, properties[field]])),
		required: required.filter((field) => inBody.includes(field)),
		additionalProperties: false,
	}
	return {
		operationId: name,
		description: `For ${typeof who === 'string' ? who : who.join(', ')}.`,
		security: who === 'anyone' ? [] : [{ session: [] }],
		parameters: [...inPath.map(parameter('path')), ...inQuery.map(parameter('query'))],
		...(carries === 'upload' && { requestBody: { required: true, content: { 'application/octet-stream': {} } } }),
		...(inBody.length > 0 && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
		responses: {
			200:
				carries === 'file'
					? { description: 'The bytes of the file.', content: { '*/*': {} } }
					: { description: 'Done.', content: { 'application/json': { schema: schemaOf(output, 'output') } } },
			...Object.fromEntries(problems),
		},
	}
}

let description: string | null = null

/** The OpenAPI document as JSON. */
export function openApi(): string {
	if (description !== null) return description
	const paths: Record<string, Record<string, unknown>> = {}
	for (const [name, endpoint] of entries) {
		const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}')
		paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(name, endpoint) }
	}
	description = JSON.stringify({
		openapi: '3.1.0',
		info: { title: 'English Chat', version: '2', description: 'Every 2xx of a command means: durable on the server’s disk.' },
		paths,
		components: {
			schemas: { Problem: schemaOf(Problem, 'output') },
			securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'session' } },
		},
	})
	return description
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** The same to be read by people, without a script. */
export function docsPage(): string {
	const rows = entries.map(([name, { method, path, who, input, errors }]) => {
		const { properties = {}, required = [] } = schemaOf(input, 'input')
		const fields = Object.keys(properties).map((field) => (required.includes(field) ? field : `${field}?`))
		const cells = [
			`<b>${name}</b>`,
			`<code>${method} ${escaped(path)}</code>`,
			typeof who === 'string' ? who : who.join(', '),
			fields.join(', '),
			errors.map((code) => `<a href="#${code}">${code}</a>`).join(', '),
		]
		return `<tr id="${name}">${cells.map((cell) => `<td>${cell}`).join('')}`
	})
	const codes = Object.entries(errorCodes).map(([code, status]) => `<tr id="${code}"><td><code>${code}</code><td>${status}`)
	return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>English Chat: the API</title>
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:70rem;padding:0 1rem;color-scheme:light dark}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884}:target{background:#fd06}</style>
<h1>The API</h1>
<p>The same as <a href="/api/docs.json">OpenAPI</a>. A 2xx answer to a command means: durable on the server’s disk.
What the path does not carry goes into the query (GET, DELETE) or a JSON body. The live stream is a WebSocket at <code>/api/live?after=&lt;cursor&gt;</code>.
<table><tr><th>name<th>request<th>for<th>fields<th>own errors${rows.join('\n')}</table>
<h2>Errors</h2><p>Every error is a problem document (RFC 9457) with one of these codes.
<table><tr><th>code<th>status${codes.join('\n')}</table></html>`
}
