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
	/** POSTs the bytes of a file; rejects where there is no answer. */
	upload: (path: string, bytes: Blob, options: UploadOptions) => Promise<{ status: number; text: string }>
}

export interface UploadOptions {
	signal: AbortSignal
	/** So many bytes are on their way, where that can be known. */
	onProgress: (sentBytes: number) => void
}

/** One call by its name in the table. Throws `ApiError` or `Unreachable`. */
export type Call = <N extends ApiName>(name: N, input: Input<N>) => Promise<Output<N>>

/** Sends a file, told from which id and name it has. Throws as a call does; with `signal` it is stopped. */
export type Upload = (input: Input<'sendFile'>, bytes: Blob, options?: Partial<UploadOptions>) => Promise<Output<'sendFile'>>

const bytesType = { 'content-type': 'application/octet-stream' }

/** Uploads where nothing tells how far they have come. */
export function uploadByFetch(fetchFrom: Network['fetch']): Network['upload'] {
	return async (path, body, { signal }) => {
		const response = await fetchFrom(path, {
			...{ method: 'POST', body, headers: bytesType, signal },
			...{ credentials: 'same-origin', redirect: 'error' },
		})
		return { status: response.status, text: await response.text() }
	}
}

const uploadByRequest: Network['upload'] = (path, bytes, { signal, onProgress }) =>
	new Promise((resolve, reject) => {
		const request = new XMLHttpRequest()
		const fail = () => reject(new Error('no answer'))
		request.open('POST', path)
		request.setRequestHeader('content-type', bytesType['content-type'])
		request.upload.onprogress = ({ loaded }) => onProgress(loaded)
		request.onload = () => resolve({ status: request.status, text: request.responseText })
		Object.assign(request, { onerror: fail, onabort: fail, ontimeout: fail })
		signal.addEventListener('abort', () => request.abort(), { once: true })
		if (signal.aborted) fail()
		else request.send(bytes)
	})

/** The page's own server. */
export const sameOrigin: Network = {
	fetch: (path, init) => fetch(path, init),
	openSocket: (path) => new WebSocket(new URL(path, location.href.replace(/^http/, 'ws'))),
	upload: (...file) => (typeof XMLHttpRequest === 'undefined' ? uploadByFetch(sameOrigin.fetch) : uploadByRequest)(...file),
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
				// It is often said when the page is being left.
				keepalive: name === 'setRead',
				credentials: 'same-origin',
				redirect: 'error',
				signal: AbortSignal.timeout(timeoutMs),
			})
			status = response.status
			answer = await response.json()
		} catch (cause) {
			throw new Unreachable(`${name}: no answer`, { cause })
		}
		return outcome(name, status, answer) as never
	}
}

/** Sending of files over this network; one that gets no further for `stallMs` ends. */
export function createUpload(network: Network, stallMs = 60_000): Upload {
	return async (input, bytes, { signal, onProgress } = {}) => {
		const { path } = request(api.sendFile, input)
		const stalled = new AbortController()
		let timer = setTimeout(() => stalled.abort(), stallMs)
		let answer: unknown
		let status = 0
		try {
			const sent = await network.upload(path, bytes, {
				signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
				onProgress(sentBytes) {
					clearTimeout(timer)
					timer = setTimeout(() => stalled.abort(), stallMs)
					onProgress?.(sentBytes)
				},
			})
			status = sent.status
			answer = JSON.parse(sent.text)
		} catch (cause) {
			throw new Unreachable('sendFile: no answer', { cause })
		} finally {
			clearTimeout(timer)
		}
		return outcome('sendFile', status, answer) as Output<'sendFile'>
	}
}

/** What was answered, or what the server refused. */
function outcome(name: ApiName, status: number, answer: unknown): unknown {
	if (status >= 200 && status < 300) return answer
	const problem = Problem.safeParse(answer)
	if (!problem.success) throw new Unreachable(`${name}: ${status} without a problem document`)
	throw new ApiError(problem.data)
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
	if (method === 'GET' || method === 'DELETE' || endpoint.body === 'upload') {
		const query = new URLSearchParams([...rest].map(([field, value]) => [field, String(value)])).toString()
		return { path: query ? `${path}?${query}` : path, init: { method } }
	}
	return {
		path,
		init: { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(Object.fromEntries(rest)) },
	}
}
