/**
 * A person in a list: picture, name, number and role.
 */
import type { Person } from '../../../protocol/model.ts'
import { Avatar, RoleBadge } from '../ui/pieces.tsx'
import classes from './classroom.module.css'

export function PersonLine({ person }: { person: Person }) {
	return (
		<>
			<Avatar person={person} size={32} />
			<span className={classes.person}>
				<bdi className={classes.name}>{person.name}</bdi>
				{person.number && <span className={classes.dim}>{person.number}</span>}
			</span>
			<RoleBadge role={person.role} />
		</>
	)
}
