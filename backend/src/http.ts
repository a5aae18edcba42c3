/**
 * The HTTP side: every route of protocol/api.ts, the web app's files, and who is at the door.
 *
 * Promises that a handler gets only input its schema accepted, from a caller whom access.ts let
 * in, from our own origin; and that every answer is JSON of the table or a problem document.
 * Answers `standby` until it serves. Knows no feature.
 */
import { isUtf8 } from 'node:buffer'
import { existsSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { type ApiName, api, type Endpoint } from '../../protocol/api.ts'
import { limits } from '../../protocol/model.ts'
import { type Reader, refuseCaller } from './access.ts'
import type { Config } from './config.ts'
import { docsPage, openApi } from './docs.ts'
import { expected, Failure, fail, problemOf } from './errors.ts'
import { openUploadRoutes, sendBytes } from './http-files.ts'
import type { Bytes, Call, Handlers, Ready, SignedCall } from './parts.ts'
import type { SessionRecord } from './storage/collections.ts'

/** What the server does once it holds the store. */
export interface Serving {
	handlers: Handlers
	authenticate(token: string): Promise<{ reader: Reader; session: SessionRecord } | null>
	/** Why writing does not work any more; null while it does. */
	stopped(): string | null
	/** Whether what this server knows may be old: then it answers nothing. */
	doubtful(): boolean
}

export interface Http {
	app: FastifyInstance
	/** Begins to answer; null: back to standby. */
	serve(serving: Serving | null): void
	/** What /readyz says while nothing is served. */
	waiting: string
	/** Takes no more requests; resolves when those that were begun are answered, or took too long. */
	close(): Promise<void>
}

/** How long the last answers may take when the server stops. */
const answersMs = 8_000

const jsonType = 'application/json; charset=utf-8'
const apiHeaders = {
	'x-content-type-options': 'nosniff',
	'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
	'cache-control': 'no-store',
}
const pageHeaders = {
	'x-content-type-options': 'nosniff',
	// Styles: Mantine writes style elements. Scripts: only files of ours.
	'content-security-policy':
		"default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	'referrer-policy': 'same-origin',
	'cache-control': 'no-cache',
}

/** The session's cookie in a request; also for the live stream's upgrade. */
export function tokenIn(request: Pick<IncomingMessage, 'headers'>): string | null {
	return /(?:^|; ?)session=([\w-]{43})(?:;|$)/.exec(request.headers.cookie ?? '')?.[1] ?? null
}

/** Whether a request may come from another site's page: browsers say so in these headers. */
export function isForeign(headers: IncomingMessage['headers'], host: string | undefined): boolean {
	const site = headers['sec-fetch-site']
	if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
	const { origin } = headers
	return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)
}

/** Opens the routes; nothing listens yet. */
export async function openHttp(config: Config, log: Logger): Promise<Http> {
	const app = fastify({
		logger: false,
		bodyLimit: limits.bodyBytes,
		trustProxy: config.trustProxy.length > 0 ? config.trustProxy : false,
		// A large file on a slow line takes its time; what is silent is cut off much earlier.
		requestTimeout: 30 * 60_000,
		forceCloseConnections: 'idle',
		routerOptions: { maxParamLength: 200 },
		return503OnClosing: false,
		// What the router itself refuses.
		frameworkErrors: (error, _request, reply) => sendFailure(reply, error),
	})
	let serving: Serving | null = null
	const http: Http = {
		app,
		waiting: 'The server is starting.',
		serve: (now) => {
			serving = now
		},
		async close() {
			// A connection that was busy at first is idle once it got its answer.
			const idle = setInterval(() => app.server.closeIdleConnections(), 20)
			const all = setTimeout(() => app.server.closeAllConnections(), answersMs)
			await app.close()
			clearInterval(idle)
			clearTimeout(all)
		},
	}

	app.removeAllContentTypeParsers()
	app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
		if (!isUtf8(body)) return done(new Failure('invalid_input', 'The request is not valid UTF-8.'))
		try {
			// Keys such as __proto__ stay plain keys here, and every schema refuses keys that it does not name.
			done(null, JSON.parse(body.toString()))
		} catch {
			done(new Failure('invalid_input', 'The request must carry a JSON object.'))
		}
	})
	app.setErrorHandler((error, _request, reply) => sendFailure(reply, error))

	function sendFailure(reply: FastifyReply, error: unknown): void {
		let failure = expected(error) ?? refusedByFastify(error)
		if (!failure) {
			log.error({ err: error, route: reply.request.routeOptions.url }, 'a request failed unexpectedly')
			failure = new Failure('internal', 'Something went wrong in the server; it has been noted.', { hint: 'Please try again.' })
		}
		const problem = problemOf(failure)
		reply.code(problem.status).headers(apiHeaders).header('content-type', 'application/problem+json; charset=utf-8')
		if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds))
		reply.send(JSON.stringify(problem))
	}

	async function answer(name: ApiName, endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply): Promise<void> {
		try {
			if (!serving) throw new Failure('standby', http.waiting, { retryAfterSeconds: 1 })
			if (serving.doubtful()) throw doubt()
			if (endpoint.method !== 'GET' && isForeign(request.headers, request.host)) {
				fail('origin_refused', 'This request came from another web page.')
			}
			const call = callOf(request, reply)
			const { who } = endpoint
			if (who !== 'anyone') {
				const signed = call.token === null ? null : await serving.authenticate(call.token)
				if (!signed) fail('not_signed_in', 'Please sign in.')
				// Somebody deactivated may still sign out.
				if (name !== 'signOut') refuseCaller(who, signed.reader.user)
				Object.assign(call, signed)
			}
			const handler = serving.handlers[name] as (input: unknown, call: Call) => Promise<object | Ready | Bytes>
			const result = await handler(inputOf(endpoint, request), call as SignedCall)
			// The process may have been paused since it looked.
			if (serving?.doubtful()) throw doubt()
			reply.headers(apiHeaders)
			if (endpoint.body === 'file') sendBytes(reply, result as Bytes)
			else if (!('json' in result)) reply.header('content-type', jsonType).send(JSON.stringify(result))
			else sendReady(reply, result)
		} catch (error) {
			sendFailure(reply, serving?.doubtful() ? doubt() : error)
		}
	}

	function routes(scope: FastifyInstance, wanted: (endpoint: Endpoint) => boolean): void {
		for (const [name, endpoint] of Object.entries(api) as [ApiName, Endpoint][]) {
			if (!wanted(endpoint)) continue
			scope.route({
				method: endpoint.method,
				url: endpoint.path,
				handler: (request, reply) => {
					void answer(name, endpoint, request, reply)
				},
			})
		}
	}
	routes(app, ({ body }) => body !== 'upload')
	await openUploadRoutes(app, (scope) => routes(scope, ({ body }) => body === 'upload'))

	app.get('/healthz', (_request, reply) => {
		reply.headers(apiHeaders).send({ healthy: true })
	})
	app.get('/readyz', (_request, reply) => {
		const reason = !serving ? http.waiting : serving.doubtful() ? doubt().message : serving.stopped()
		reply
			.code(reason === null ? 200 : 503)
			.headers(apiHeaders)
			.send(reason === null ? { ready: true } : { ready: false, reason })
	})
	app.get('/api/docs.json', (_request, reply) => {
		reply.headers(apiHeaders).header('content-type', jsonType).send(openApi())
	})
	app.get('/api/docs', (_request, reply) => {
		reply.headers(pageHeaders).header('content-type', 'text/html; charset=utf-8').send(docsPage())
	})

	await serveWebApp(app, config.webDir)
	return http
}

const doubt = () => new Failure('standby', 'The database has not answered this server for a while.', { retryAfterSeconds: 1 })

function callOf(request: FastifyRequest, reply: FastifyReply): Call {
	return {
		address: request.ip,
		device: (request.headers['user-agent'] ?? 'unknown').slice(0, 200),
		ifNoneMatch: request.headers['if-none-match'],
		headers: request.headers,
		receive() {
			if (request.headers.expect !== undefined) reply.raw.writeContinue()
			return request.raw
		},
		token: tokenIn(request),
		setToken(token) {
			const secure = request.protocol === 'https' ? '; Secure' : ''
			const age = token === null ? 0 : 400 * 24 * 60 * 60
			reply.header('set-cookie', `session=${token ?? ''}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${age}${secure}`)
		},
	}
}

function inputOf(endpoint: Endpoint, request: FastifyRequest): unknown {
	const inUrl = endpoint.method === 'GET' || endpoint.method === 'DELETE' || endpoint.body === 'upload'
	const body = inUrl ? request.query : request.body
	if (!inUrl && (typeof body !== 'object' || body === null || Array.isArray(body))) {
		fail('invalid_input', 'The request must carry a JSON object.')
	}
	const parsed = endpoint.input.safeParse({ ...(body as object), ...(request.params as object) })
	if (parsed.success) return parsed.data
	const fields: Record<string, string> = {}
	for (const { path, message } of parsed.error.issues.slice(0, 20)) fields[path.join('.') || 'input'] ??= message
	const first = Object.entries(fields)[0]!
	fail('invalid_input', `Something in this is not right: ${first[0]} (${first[1]}).`, { fields })
}

function sendReady(reply: FastifyReply, { json, etag }: Ready): void {
	// Kept by the browser, and asked for again each time.
	if (etag !== undefined) reply.header('etag', etag).header('cache-control', 'private, no-cache')
	if (json === null) reply.code(304).send()
	else reply.header('content-type', jsonType).send(json)
}

/** Fastify's own refusals, which happen before a handler runs. */
function refusedByFastify(error: unknown): Failure | null {
	const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string }
	if (statusCode === 413) return new Failure('too_large', 'This is too large.')
	if (statusCode === 415)
		return new Failure(
			'unsupported_media',
			'The request must be JSON (content-type: application/json), or a file (application/octet-stream).',
		)
	if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
		return new Failure('invalid_input', `The request can't be read: ${message ?? code}`)
	}
	return null
}

const patterns = Object.values(api).map(({ path }) => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`))

/** The built web app: files whose names have their hash for good, the page itself always asked for. */
async function serveWebApp(app: FastifyInstance, dir: string): Promise<void> {
	const built = existsSync(join(dir, 'index.html'))
	if (built) {
		await app.register(fastifyStatic, {
			root: dir,
			index: false,
			cacheControl: false,
			// The build writes .br and .gz beside each file.
			preCompressed: true,
			setHeaders(reply, path) {
				for (const [name, value] of Object.entries(pageHeaders)) reply.header(name, value)
				if (path.startsWith(join(dir, 'assets'))) reply.header('cache-control', 'public, max-age=31536000, immutable')
			},
		})
		app.get('/', (_request, reply) => reply.sendFile('index.html'))
	}
	app.setNotFoundHandler((request, reply) => {
		const path = request.url.split('?', 1)[0]!
		if (path === '/api' || path.startsWith('/api/')) {
			const known = patterns.some((pattern) => pattern.test(path))
			const failure = known
				? new Failure('method_not_allowed', `${request.method} is not possible here.`)
				: new Failure('not_found', 'There is no such address.', { hint: 'See /api/docs.' })
			const problem = problemOf(failure)
			reply.code(problem.status).headers(apiHeaders).header('content-type', 'application/problem+json; charset=utf-8')
			return reply.send(JSON.stringify(problem))
		}
		reply.headers(pageHeaders)
		if (request.method !== 'GET' && request.method !== 'HEAD') return reply.code(405).type('text/plain').send('Only pages are here.\n')
		// A file that is missing is missing; every other address is a place inside the app.
		if (/\.\w+$/.test(path)) return reply.code(404).type('text/plain').send('There is no such file.\n')
		if (built) return reply.sendFile('index.html')
		return reply.code(503).type('text/html; charset=utf-8').send(notBuilt)
	})
}

const notBuilt =
	'<!doctype html><meta charset="utf-8"><title>English Chat</title><h1>The web app has not been built yet</h1><p>Stop the server and run <code>npm start</code>, which builds it.'
