/**
 * A school with one of everybody, for the tests of who may do and see what.
 *
 * `student` and `classmate` learn in blue, `outsider` in red. The lecturer's discussion is for blue; `collaborator`
 * leads it with her, `colleague` teaches elsewhere. `inspector` is an admin who said why she reads it.
 */
import type { Group, Message } from '../../protocol/model.ts'
import { openClass, Somebody } from './class.ts'
import { newId } from './client.ts'
import type { Server } from './server.ts'

export const people = [
	'stranger',
	'pending',
	'rejected',
	'deactivated',
	'student',
	'classmate',
	'outsider',
	'lecturer',
	'collaborator',
	'colleague',
	'admin',
	'inspector',
] as const
export type Who = (typeof people)[number]

/** The smallest picture. */
export const dot = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADklEQVQImWPoAAMGCAUALK4GYSSeFPoAAAAASUVORK5CYII=',
	'base64',
)

/** Opens the school. */
export async function openEverybody(server: Server) {
	const room = await openClass(server)
	const { school, admin, lecturer, blue, student, other: outsider, discussion } = room
	const classmate = await school.enter('Cleo Classmate', 'student', [blue], lecturer)
	const collaborator = await school.enter('Cora Collaborator', 'lecturer')
	const colleague = await school.enter('Carl Colleague', 'lecturer')
	await lecturer.call('editDiscussion', { id: discussion.id, collaborators: [collaborator.me.id] })
	const inspector = await (await school.enter('Ines Inspector', 'lecturer')).promote(admin)
	await inspector.inspect(discussion)
	const stranger = new Somebody(server.origin)
	const [pending, rejected, deactivated] = await Promise.all(
		['Pia', 'Rolf', 'Dora'].map((name) => new Somebody(server.origin).register(name, 'student')),
	)
	await admin.call('setStatus', { id: rejected!.me.id, status: 'rejected', reason: 'Not of this school' })
	await admin.call('setStatus', { id: deactivated!.me.id, status: 'deactivated' })
	const everybody: Record<Who, Somebody> = {
		...{ stranger, pending: pending!, rejected: rejected!, deactivated: deactivated!, student, classmate, outsider },
		...{ lecturer, collaborator, colleague, admin, inspector },
	}
	return { ...room, collaborator, colleague, inspector, everybody }
}
export type Everybody = Awaited<ReturnType<typeof openEverybody>>

/** A discussion of two groups with one message for each kind of reader, each with a file. */
export async function fill({ lecturer, collaborator, inspector, student, other, blue, red }: Everybody) {
	const groups: readonly Group[] = [blue, red]
	const started = await lecturer.startDiscussion('Both', groups)
	const collaborators = [collaborator.me.id]
	const { discussion } = await lecturer.call('editDiscussion', { id: started.id, collaborators })
	await inspector.inspect(discussion)
	const messages: Record<string, Message> = {}
	const say = async (name: string, who: Somebody, text: string, group?: string | null) => {
		const uploads = [await who.upload(`${name}.txt`)]
		messages[name] = await who.send(discussion, text, { uploads, ...(group !== undefined && { group }) })
	}
	await say('all', lecturer, 'for all', null)
	await say('blue', lecturer, 'for blue', blue.id)
	await say('red', collaborator, 'for red', red.id)
	await say('student', student, 'by the student')
	await say('outsider', other, 'by the outsider')
	await say('gone', student, 'removed by the student')
	await student.call('setRemoved', { id: messages.gone!.id, removed: true })
	await say('struck', student, 'removed by the lecturer')
	await lecturer.call('setRemoved', { id: messages.struck!.id, removed: true })
	return { discussion, messages }
}

/** The same browser, so that what a call does to its cookie stays with the copy. */
export function copyOf(somebody: Somebody): Somebody {
	const copy = new Somebody(somebody.origin)
	copy.cookie = somebody.cookie
	copy.me = somebody.me
	return copy
}

/** Somebody new who is approved. */
export async function newcomer({ school }: Everybody, role: 'student' | 'lecturer' = 'student'): Promise<string> {
	return (await school.enter(`New ${newId()}`, role)).me.id
}
