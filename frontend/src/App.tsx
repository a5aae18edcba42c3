/**
 * The door of the web app: waits for the session, and shows what strangers see or what is inside.
 *
 * The inside is loaded when somebody is about to come in, so that the door opens fast on a slow
 * network. The address that somebody wanted waits until she signed in.
 */
import { lazy, Suspense, useState } from 'react'
import { Navigate, Route, Routes, useLocation } from 'react-router'
import { SignIn } from './account/SignIn.tsx'
import { Unreachable } from './account/Unreachable.tsx'
import type { Client } from './client.ts'
import { Unbroken } from './ui/Broken.tsx'
import { useSession } from './ui/data.tsx'
import { Notices } from './ui/Notices.tsx'
import { Late } from './ui/pieces.tsx'

const loadInside = () => import('./Inside.tsx')
const Inside = lazy(loadInside)
const Register = lazy(() => import('./account/Register.tsx'))
const SetUp = lazy(() => import('./account/SetUp.tsx'))
const Forgotten = lazy(() => import('./account/Forgotten.tsx'))
const HelpLink = lazy(() => import('./account/HelpLink.tsx'))

export function App() {
	const session = useSession()
	const helped = useLocation().pathname === '/help'
	const [last, setLast] = useState<Client | null>(null)
	if (session.client && session.client !== last) setLast(session.client)
	const ended = last?.snapshot().connection === 'ended' ? (last.snapshot().me.email ?? '') : null
	return (
		<Unbroken>
			<Suspense fallback={<Late />}>
				{session.state === 'loading' ? (
					<Late />
				) : session.state === 'unreachable' ? (
					<Unreachable />
				) : helped ? (
					<HelpLink />
				) : session.shut ? (
					<Inside key="shut" client={session.shut} />
				) : session.client ? (
					<Inside key={session.client.snapshot().me.id} client={session.client} />
				) : (
					<Outside setUp={session.setUp} ended={ended} />
				)}
				<Notices />
			</Suspense>
		</Unbroken>
	)
}

/** Nobody is signed in. `ended`: whose session the server ended while this page was open. */
function Outside({ setUp, ended }: { setUp: boolean; ended: string | null }) {
	const from = useLocation()
	return (
		<div onKeyDownCapture={() => void loadInside()}>
			<Routes>
				<Route path="/setup" element={<SetUp />} />
				<Route path="/register" element={<Register />} />
				<Route path="/sign-in" element={<SignIn ended={ended} />} />
				<Route path="/forgotten" element={<Forgotten />} />
				<Route path="*" element={<Navigate to={setUp ? '/sign-in' : '/setup'} replace state={{ from: from.pathname }} />} />
			</Routes>
		</div>
	)
}
