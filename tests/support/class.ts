/**
 * A small school for tests: an admin, a lecturer, students, groups and discussions, all made
 * through the API as people make them.
 */
import type { Discussion, Group, Message, Person, Role } from '../../protocol/model.ts'
import { Client, newId } from './client.ts'
import type { Server } from './server.ts'

export const password = 'a long password'

/** A client that knows who it is. */
export class Somebody extends Client {
	me!: Person

	async register(name: string, role: Exclude<Role, 'admin'>): Promise<this> {
		const email = `${name
			.normalize('NFKD')
			.replace(/[^a-z0-9 ]/gi, '')
			.toLowerCase()
			.replaceAll(' ', '.')}@school.example`
		this.me = (await this.call('register', { role, name, email, number: name.length.toString(), password })).me
		return this
	}

	async signIn(email: string): Promise<this> {
		this.me = (await this.call('signIn', { email, password })).me
		return this
	}

	/** Another browser of the same person. */
	async again(): Promise<Somebody> {
		return new Somebody(this.origin).signIn(this.me.email!)
	}

	async send(
		discussion: Pick<Discussion, 'id'>,
		text: string,
		more: { group?: string | null; replyTo?: string; id?: string; uploads?: string[] } = {},
	): Promise<Message> {
		const input = { id: newId(), discussion: discussion.id, text, writtenAt: new Date().toISOString(), ...more }
		return (await this.call('sendMessage', input)).message
	}

	/** Sends a file of hers, to stand in a message or to be her picture; gives its id. */
	async upload(name = 'notes.txt', bytes?: Uint8Array, purpose: 'message' | 'avatar' = 'message'): Promise<string> {
		return (await this.call('sendFile', { id: newId(), name, purpose }, bytes)).upload.id
	}

	/** A lecturer becomes an admin, and signs in again. */
	async promote(admin: Somebody): Promise<this> {
		await admin.call('setRole', { id: this.me.id, role: 'admin' })
		return this.signIn(this.me.email!)
	}

	/** An admin says why she reads a discussion. */
	async inspect({ id }: Pick<Discussion, 'id'>): Promise<void> {
		await this.call('inspect', { id: newId(), discussion: id, reason: 'A parent asked' })
	}

	async createGroup(name: string): Promise<Group> {
		return (await this.call('createGroup', { id: newId(), name })).group
	}

	async startDiscussion(title: string, groups: readonly Group[]): Promise<Discussion> {
		const input = { id: newId(), title, prompt: `About ${title}.`, groups: groups.map(({ id }) => id) }
		return (await this.call('startDiscussion', input)).discussion
	}
}

export interface School {
	admin: Somebody
	/** Registers somebody and lets her in; `groups`: by their maker, who puts her there. */
	enter(name: string, role: Exclude<Role, 'admin'>, groups?: readonly Group[], by?: Somebody): Promise<Somebody>
	join(group: Group, somebody: Somebody, by: Somebody): Promise<void>
	leave(group: Group, somebody: Somebody, by: Somebody): Promise<void>
	/** The last entry of the journal. */
	readonly seq: number
}

/** Makes the first admin. */
export async function openSchool(server: Server): Promise<School> {
	const admin = new Somebody(server.origin)
	admin.me = (await admin.call('setUp', { token: server.setUpToken!, name: 'Ada Admin', email: 'ada@school.example', password })).me
	const school: School = {
		admin,
		async enter(name, role, groups = [], by = admin) {
			const somebody = await new Somebody(server.origin).register(name, role)
			somebody.me = (await admin.call('setStatus', { id: somebody.me.id, status: 'approved' })).user
			for (const group of groups) await school.join(group, somebody, by)
			return somebody
		},
		async join(group, { me }, by) {
			await by.call('addMember', { id: group.id, user: me.id })
		},
		async leave(group, { me }, by) {
			await by.call('removeMember', { id: group.id, user: me.id })
		},
		get seq() {
			return server.store.head.seq
		},
	}
	return school
}

/** A lecturer with two groups, a student in each, and a discussion for the first. */
export async function openClass(server: Server) {
	const school = await openSchool(server)
	const lecturer = await school.enter('Lena Lecturer', 'lecturer')
	const [blue, red] = [await lecturer.createGroup('Blue'), await lecturer.createGroup('Red')]
	const student = await school.enter('Sari Student', 'student', [blue], lecturer)
	const other = await school.enter('Otto Other', 'student', [red], lecturer)
	const discussion = await lecturer.startDiscussion('Weekend', [blue])
	return { ...school, school, lecturer, blue, red, student, other, discussion }
}
