/**
 * Calls the public HTTP API as one person, patiently: what is too often is asked again when it may be, and a server that is
 * away for a moment is waited for. Sending again is safe, since every command has its id.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiName, api, type Endpoint, type Input, type Output, type Problem } from '../../protocol/api.ts'

/** The server said no, and would again. */
export class Refused extends Error {
	override name = 'Refused'
	readonly problem: Problem
	constructor(name: string, problem: Problem) {
		super(`${name}: ${problem.detail}`)
		this.problem = problem
	}
}

/** Nothing answers at the address. */
export class Unreachable extends Error {
	override name = 'Unreachable'
}

export interface Caller {
	call<N extends ApiName>(name: N, input: Input<N>, bytes?: Uint8Array): Promise<Output<N>>
}

export interface CallerOptions {
	/** The server's address. */
	url: string
	/** How long it may be away. */
	patienceMs: number
	/** Stops waiting and asking. */
	signal: AbortSignal
	/** Told how long it waits because it asked too often. */
	onWait?(seconds: number): void
}

const passing: readonly Problem['code'][] = ['standby', 'storage_unavailable', 'outcome_unknown', 'internal']

/** Opens somebody's browser, so to speak: its session is that of its last `signIn`, `setUp` or `register`. */
export function openCaller({ url, patienceMs, signal, onWait }: CallerOptions): Caller {
	let cookie: string | null = null

	async function ask(request: Request): Promise<{ response: Response; body: unknown } | null> {
		try {
			const response = await fetch(request, { signal })
			return { response, body: await response.json() }
		} catch (error) {
			signal.throwIfAborted()
			if (error instanceof SyntaxError) throw new Unreachable(`What answers at ${url} is not English Chat.`)
			return null
		}
	}

	return {
		async call<N extends ApiName>(name: N, input: Input<N>, bytes?: Uint8Array): Promise<Output<N>> {
			const begun = Date.now()
			for (;;) {
				const answer = await ask(requestOf(url, name, input, bytes, cookie))
				if (answer?.response.ok) {
					const set = answer.response.headers.getSetCookie().find((one) => one.startsWith('session='))
					if (set) cookie = set.split(';', 1)[0]!
					return answer.body as Output<N>
				}
				const problem = answer ? (answer.body as Problem) : null
				if (problem?.code === 'rate_limited') {
					const seconds = problem.retryAfterSeconds ?? 1
					onWait?.(seconds)
					await sleep(seconds * 1000, undefined, { signal })
					continue
				}
				if (problem && !passing.includes(problem.code)) throw new Refused(name, problem)
				if (Date.now() - begun >= patienceMs) {
					throw problem ? new Refused(name, problem) : new Unreachable(`No server answers at ${url}.`)
				}
				await sleep(500, undefined, { signal })
			}
		},
	}
}

function requestOf(base: string, name: ApiName, input: object, bytes: Uint8Array | undefined, cookie: string | null): Request {
	const { method, path, body } = api[name] as Endpoint
	const rest: Record<string, unknown> = { ...input }
	const filled = path.replaceAll(/:(\w+)/g, (_, field: string) => {
		const value = encodeURIComponent(String(rest[field]))
		delete rest[field]
		return value
	})
	const headers = new Headers(cookie === null ? {} : { cookie })
	headers.set('user-agent', 'English Chat sample')
	const inUrl = method === 'GET' || method === 'DELETE' || body === 'upload'
	const said = Object.entries(rest).flatMap(([field, value]) => (value === undefined ? [] : [[field, String(value)] as [string, string]]))
	const query = inUrl && said.length > 0 ? `?${new URLSearchParams(said)}` : ''
	if (bytes) headers.set('content-type', 'application/octet-stream')
	else if (!inUrl) headers.set('content-type', 'application/json')
	const sent = bytes ?? (inUrl ? null : JSON.stringify(rest))
	return new Request(base + filled + query, { method, headers, ...(sent !== null && { body: sent as BodyInit }) })
}
