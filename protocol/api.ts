/**
 * The HTTP API as a table: name, method, path, input, output, who may call, error codes.
 *
 * The server registers its routes from it and the browser calls from it. `input` is one flat
 * object: what the path names travels in the path, the rest in the query (GET, DELETE) or the
 * JSON body. Every 2xx of a command means: durable on the server's disk.
 */
import type { z } from 'zod'
import { accounts } from './accounts.ts'
import { backups } from './backups.ts'
import { chat } from './chat.ts'
import { classroom } from './classroom.ts'
import type { Endpoint } from './endpoint.ts'

export { type CommandName, commands, Receipt, type Returned } from './chat.ts'
export { commonErrors, type Endpoint, type ErrorCode, errorCodes, Problem, type Who } from './endpoint.ts'

export const api = { ...accounts, ...classroom, ...chat, ...backups } satisfies Record<string, Endpoint>

export type Api = typeof api
export type ApiName = keyof Api
/** What a caller writes (before defaults), and what comes back. */
export type Input<N extends ApiName> = z.input<Api[N]['input']>
export type ParsedInput<N extends ApiName> = z.output<Api[N]['input']>
export type Output<N extends ApiName> = z.output<Api[N]['output']>
