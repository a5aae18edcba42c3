/**
 * The map of what is inside: which screen stands at which address, and for whom.
 *
 * The only part that knows every feature's screens. Whoever is not approved waits at every address.
 */
import '@mantine/core/styles/Popover.layer.css'
import '@mantine/core/styles/Menu.layer.css'
import '@mantine/core/styles/ModalBase.layer.css'
import '@mantine/core/styles/Modal.layer.css'
import '@mantine/core/styles/InlineInput.layer.css'
import '@mantine/core/styles/Checkbox.layer.css'
import { lazy, type ReactNode, Suspense } from 'react'
import { Navigate, Route, Routes, useLocation } from 'react-router'
import { Waiting } from './account/Waiting.tsx'
import { WaitingList } from './admin/WaitingList.tsx'
import { DiscussionScreen } from './chat/Discussion.tsx'
import { DiscussionList } from './classroom/DiscussionList.tsx'
import { NothingOpen } from './classroom/NothingOpen.tsx'
import type { Client } from './client.ts'
import { Unbroken } from './ui/Broken.tsx'
import { ClientContext, useSnapshot } from './ui/data.tsx'
import { Late, usePhone } from './ui/pieces.tsx'
import { NotFound, Shell } from './ui/Shell.tsx'

const Account = lazy(() => import('./account/Account.tsx'))
const Categories = lazy(() => import('./classroom/Categories.tsx'))
const DiscussionForm = lazy(() => import('./classroom/DiscussionForm.tsx'))
const Group = lazy(() => import('./classroom/Group.tsx'))
const Groups = lazy(() => import('./classroom/Groups.tsx'))
const AllDiscussions = lazy(() => import('./admin/Discussions.tsx'))
const Backups = lazy(() => import('./admin/Backups.tsx'))
const People = lazy(() => import('./admin/People.tsx'))

export default function Inside({ client }: { client: Client }) {
	return (
		<ClientContext value={client}>
			<Rooms />
		</ClientContext>
	)
}

function Rooms() {
	const { me } = useSnapshot()
	const phone = usePhone()
	if (me.status !== 'approved') return <Waiting />
	const admin = me.role === 'admin'
	const lecturer = me.role === 'lecturer'
	const start = admin ? <Navigate to="/people" replace /> : <NothingOpen />
	return (
		<Shell list={admin ? <WaitingList /> : <DiscussionList />}>
			<Unbroken>
				<Suspense fallback={<Late />}>
					<Routes>
						<Route path="/" element={phone ? null : start} />
						<Route path="/d/:id" element={<DiscussionScreen />} />
						{admin && <Route path="/backups" element={<Backups />} />}
						{admin && <Route path="/discussions" element={<AllDiscussions />} />}
						{lecturer && <Route path="/d/:id/edit" element={<DiscussionForm />} />}
						{lecturer && <Route path="/new" element={<DiscussionForm />} />}
						{admin && <Route path="/people/:id?" element={<People />} />}
						<Route path="/groups" element={<Groups />} />
						{(lecturer || admin) && <Route path="/categories" element={<Categories />} />}
						{(lecturer || admin) && <Route path="/groups/:id" element={<Group />} />}
						<Route path="/account" element={<Account />} />
						<Route path="/sign-in" element={<CameBack />} />
						<Route path="/register" element={<Navigate to="/" replace />} />
						<Route path="/forgotten" element={<Navigate to="/" replace />} />
						<Route path="/setup" element={<Navigate to="/" replace />} />
						<Route path="*" element={<NotFound />} />
					</Routes>
				</Suspense>
			</Unbroken>
		</Shell>
	)
}

/** Signed in: on to where she wanted to go. */
function CameBack(): ReactNode {
	const { state } = useLocation()
	return <Navigate to={typeof state?.from === 'string' ? state.from : '/'} replace />
}
