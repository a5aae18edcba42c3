/**
 * A room of 300 that listens while some write, and 10,000 who only listen: our durable server
 * against bare ws and socket.io, which store nothing.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { publicMessage } from '../backend/src/access.ts'
import type { MessageRecord } from '../backend/src/storage/collections.ts'
import { messageDraft } from './documents.ts'
import { type Connection, generator, hold, idPlace, type LoadResult, load, markPlace } from './load.ts'
import { described, type Line, type Part, ratio, rounds } from './measure.ts'
import { type Running, start } from './processes.ts'
import { type Member, newFolder, openSchool, postMessage, type School } from './school.ts'

type Peer = 'relay' | 'batch' | 'socketio'

/** The same message as ours in the peers' rooms: they get it whole from its sender. */
function peerMessage(peer: Peer, school: School): string {
	const now = new Date().toISOString()
	const draft = messageDraft(school.room.discussion, school.students[0]!.id, school.room.group, idPlace)
	const record = { ...draft, seq: 100_000, rev: 100_000, createdAt: now, updatedAt: now } as MessageRecord
	const text = JSON.stringify(publicMessage({ ...record, text: `${markPlace}${record.text.slice(markPlace.length)}` }, true))
	return peer === 'socketio' ? `42["m",${text}]` : text
}

const peerSocket = (peer: Peer): Connection =>
	peer === 'socketio' ? { kind: 'websocket', path: '/socket.io/?EIO=4&transport=websocket', hello: '40' } : { kind: 'websocket', path: '/' }

async function listening(server: Running, member: Member, count: number, others: readonly Member[] = []): Promise<Connection[]> {
	const answer = await fetch(`http://127.0.0.1:${server.port}/api/me`, { headers: { cookie: member.cookie } })
	const { cursor } = (await answer.json()) as { cursor: string }
	const members = [member, ...others]
	const path = `/api/live?after=${cursor}`
	return Array.from({ length: count }, (_, i) => ({ kind: 'websocket', path, cookie: members[i % members.length]!.cookie }))
}

type Room = (senders: number, options?: { rate: number; runMs: number }) => Promise<LoadResult>

async function openRoom(peer: Peer | null, school: School): Promise<{ room: Room; close(): Promise<void> }> {
	const { members, discussion, group } = school.room
	if (peer) {
		const server = await start('peers.ts', [peer])
		const message = peerMessage(peer, school)
		const room: Room = (senders, options) => {
			const connections = members.map((_, i) => ({ ...peerSocket(peer), ...(i < senders ? { message } : {}) }))
			return load(server.port, connections, options)
		}
		return { room, close: server.close }
	}
	const server = await start('server.ts', [school.folder])
	const room: Room = async (senders, options) => {
		const listeners = await listening(server, members[0]!, members.length, members.slice(1))
		const writers = members.slice(0, senders).map((member) => ({ kind: 'http' as const, message: postMessage(member, discussion, group) }))
		return load(server.port, [...listeners, ...writers], options)
	}
	return { room, close: server.close }
}

const few = 'room of 300, 4 in flight: deliveries of bare ws that relays each'
const many = 'room of 300, 64 in flight: deliveries of bare ws that batches in 5 ms'
const io = 'room of 300, 64 in flight: deliveries of socket.io'
const latency = 'room of 300, 100 messages/s: send-to-receive p99 of bare ws'

/** Durable deliveries per second, and how long one takes. */
export const rooms: Part = {
	names: [few, many, io, latency],
	async run(report) {
		const school = await openSchool(await newFolder())
		const ours = await openRoom(null, school)
		const relay = await openRoom('relay', school)
		const batch = await openRoom('batch', school)
		const socketio = await openRoom('socketio', school)
		const perSecond =
			({ room }: { room: Room }, senders: number) =>
			async () => {
				const { deliveries, seconds } = await room(senders)
				return deliveries / seconds
			}
		const p99 =
			({ room }: { room: Room }) =>
			async () =>
				(await room(20, { rate: 100, runMs: 5_000 })).receiveP99
		const figures = await rounds({
			ours4: perSecond(ours, 4),
			relay4: perSecond(relay, 4),
			ours64: perSecond(ours, 64),
			batch64: perSecond(batch, 64),
			socketio64: perSecond(socketio, 64),
			oursP99: p99(ours),
			relayP99: p99(relay),
		})
		for (const { close } of [ours, relay, batch, socketio]) await close()
		type Name = keyof typeof figures
		const line = (name: string, goal: Line['goal'], of: Name, to: Name, unit: string) =>
			report({ name, goal, ratio: ratio(figures, of, to), detail: `${described(figures, { ours: of, peer: to }, unit)}; ${generator}` })
		line(few, { atLeast: 4 }, 'ours4', 'relay4', '/s')
		line(many, { atLeast: 1 }, 'ours64', 'batch64', '/s')
		line(io, { atLeast: 20 }, 'ours64', 'socketio64', '/s')
		line(latency, { atMost: 1.5 }, 'oursP99', 'relayP99', ' ms')
	},
}

const idleCount = 10_000
const settleMs = 2_000
const ofWs = '10,000 idle signed-in sockets: memory of bare ws'
const ofIo = '10,000 idle signed-in sockets: memory of socket.io'

/** Bytes of the process for each of 10,000 sockets that say nothing. */
async function bytesEach(server: Running, connections: Connection[]): Promise<number> {
	await delay(settleMs)
	const before = (await server.report()).memoryBytes
	const held = await hold(server.port, connections)
	await delay(settleMs)
	const after = (await server.report()).memoryBytes
	await held.close()
	await server.close()
	return (after - before) / connections.length
}

/** What a socket costs that nobody speaks on. */
export const idle: Part = {
	names: [ofWs, ofIo],
	async run(report) {
		const school = await openSchool(await newFolder())
		const ofPeer = (peer: Peer) => async () =>
			bytesEach(
				await start('peers.ts', [peer]),
				Array.from({ length: idleCount }, () => peerSocket(peer)),
			)
		const figures = await rounds(
			{
				ours: async () => {
					const server = await start('server.ts', [school.folder])
					return bytesEach(server, await listening(server, school.students[0]!, idleCount, school.students.slice(1)))
				},
				ws: ofPeer('relay'),
				socketio: ofPeer('socketio'),
			},
			1,
		)
		const detail = `${described(figures, { ours: 'ours', 'bare ws': 'ws', 'socket.io': 'socketio' }, ' bytes')}; ${generator}`
		report({ name: ofWs, goal: { atMost: 1.4 }, ratio: ratio(figures, 'ours', 'ws'), detail })
		report({ name: ofIo, goal: { atMost: 0.5 }, ratio: ratio(figures, 'ours', 'socketio'), detail })
	},
}
