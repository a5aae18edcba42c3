/**
 * The bytes of files over HTTP: requests whose body is a file, and answers that are one.
 *
 * Promises that the body of an upload is left to its handler, that nobody is told to go on before
 * the handler wants it, and that who is silent, or goes on after a refusal, is cut off.
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Bytes } from './parts.ts'

const silentMs = 60_000
/** How long a refused file may keep coming, so that the browser hears why. */
const refusedMs = 10_000

/** Registers the routes whose body is a file, and watches over all others' bodies. */
export async function openUploadRoutes(app: FastifyInstance, register: (scope: FastifyInstance) => void): Promise<void> {
	app.server.on('checkContinue', (request, response) => {
		// The handler of an upload says it itself, once it wants the bytes.
		if (!request.url?.startsWith('/api/uploads/')) response.writeContinue()
		app.server.emit('request', request, response)
	})
	app.addHook('onRequest', (request, _reply, done) => {
		const { raw, method } = request
		if (method === 'GET' || method === 'HEAD') return done()
		// A small body that does not come is no reason to keep a connection.
		if (request.routeOptions.bodyLimit !== uploadLimit) {
			const cut = setTimeout(() => raw.socket.destroy(), silentMs)
			raw.once('end', () => clearTimeout(cut)).once('close', () => clearTimeout(cut))
		}
		done()
	})
	await app.register(async (scope) => {
		scope.removeAllContentTypeParsers()
		scope.addContentTypeParser('application/octet-stream', (_request, _body, done) => done(null))
		scope.addHook('onResponse', (request, _reply, done) => {
			const { raw } = request
			if (!raw.complete && !raw.destroyed) {
				const cut = setTimeout(() => raw.socket.destroy(), refusedMs)
				raw.once('end', () => clearTimeout(cut)).once('close', () => clearTimeout(cut))
				raw.resume()
			}
			done()
		})
		scope.addHook('onRoute', (route) => {
			route.bodyLimit = uploadLimit
		})
		register(scope)
	})
}

/** Marks the routes of files; the handler knows how long each may be. */
const uploadLimit = Number.MAX_SAFE_INTEGER

/** Sends the bytes of a file, or why there are none to send. */
export function sendBytes(reply: FastifyReply, { status, headers, stream }: Bytes): void {
	reply.code(status).headers(headers)
	if (reply.request.method === 'HEAD' && stream && !Buffer.isBuffer(stream)) stream.destroy()
	reply.send(stream ?? undefined)
}
