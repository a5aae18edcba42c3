/**
 * Calls to the server, typed from the table in protocol/api.ts.
 *
 * Promises one of three ends: the server's answer, its refusal (`ApiError` with the problem),
 * or `Unreachable` when nobody knows. Whatever is not the server's own word (a proxy's page,
 * a captive portal) counts as unreachable. Never calls again by itself.
 */
import { type ApiName, api, type Endpoint, type Input, type Output, Problem } from '../../protocol/api.ts'
import { ApiError, Unreachable } from './client.ts'

/** How the browser reaches its server; tests give another address and carry the cookie themselves. */
export interface Network {
	fetch: (path: string, init: RequestInit) => Promise<Response>
	openSocket: (path: string) => WebSocket
}

/** One call by its name in the table. Throws `ApiError` or `Unreachable`. */
export type Call = <N extends ApiName>(name: N, input: Input<N>) => Promise<Output<N>>

/** The page's own server. */
export const sameOrigin: Network = {
	fetch: (path, init) => fetch(path, init),
	openSocket: (path) => new WebSocket(new URL(path, location.href.replace(/^http/, 'ws'))),
}

/** The API over this network; a call without an answer ends after `timeoutMs`. */
export function createCall(network: Network, timeoutMs = 20_000): Call {
	return async (name, input) => {
		const { path, init } = request(api[name], input)
		let answer: unknown
		let status = 0
		try {
			const response = await network.fetch(path, {
				...init,
				credentials: 'same-origin',
				redirect: 'error',
				signal: AbortSignal.timeout(timeoutMs),
			})
			status = response.status
			answer = await response.json()
		} catch (cause) {
			throw new Unreachable(`${name}: no answer`, { cause })
		}
		if (status >= 200 && status < 300) return answer as never
		const problem = Problem.safeParse(answer)
		if (!problem.success) throw new Unreachable(`${name}: ${status} without a problem document`)
		throw new ApiError(problem.data)
	}
}

/** What the path names goes into the path, the rest into the query or the body. */
function request(endpoint: Endpoint, input: Record<string, unknown>): { path: string; init: RequestInit } {
	const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined))
	const path = endpoint.path.replace(/:(\w+)/g, (_, field: string) => {
		const value = String(rest.get(field))
		rest.delete(field)
		return encodeURIComponent(value)
	})
	const { method } = endpoint
	if (method === 'GET' || method === 'DELETE') {
		const query = new URLSearchParams([...rest].map(([field, value]) => [field, String(value)])).toString()
		return { path: query ? `${path}?${query}` : path, init: { method } }
	}
	return {
		path,
		init: { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(Object.fromEntries(rest)) },
	}
}
