/**
 * The small pieces that several screens are made of: pictures of people, a page with its title, an
 * empty place that says what to do, and waiting that shows only when it takes long.
 */
import { ActionIcon, Loader, useMantineColorScheme } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconChevronLeft } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Link, useLocation, useNavigationType } from 'react-router'
import type { Person } from '../../../protocol/model.ts'
import { useTexts } from './language.ts'
import { avatarColor, initials, nameOf } from './names.ts'
import classes from './pieces.module.css'

/** One pane. The same width as in the style sheets. */
export function usePhone(): boolean {
	return useMediaQuery('(max-width: 720px)', false, { getInitialValueInEffect: false })
}

/** A finger instead of a mouse: Enter makes a new line, and tools show on a tap. */
export function useTouch(): boolean {
	return useMediaQuery('(pointer: coarse)', false, { getInitialValueInEffect: false })
}

/**
 * Her picture over her initials, which show while it comes and where it fails. Her name always stands beside it, so nobody
 * is read twice.
 */
export function Avatar({ person, size = 36 }: { person: Pick<Person, 'id' | 'name'> & Partial<Person>; size?: number }) {
	const { t } = useTexts()
	const picture = person.erased ? null : person.avatar
	return (
		<span
			aria-hidden="true"
			className={classes.avatar}
			data-erased={person.erased}
			style={{ background: avatarColor(person.id), width: size, height: size, fontSize: Math.max(10, Math.round(size * 0.36)) }}
		>
			{initials(nameOf(person, t))}
			{picture && <AvatarPicture key={picture} upload={picture} />}
		</span>
	)
}

function AvatarPicture({ upload }: { upload: string }) {
	const [state, setState] = useState<'loading' | 'shown' | 'failed'>('loading')
	if (state === 'failed') return null
	return (
		<img
			src={`/api/files/${upload}/small`}
			alt=""
			className={classes.picture}
			data-shown={state === 'shown' || undefined}
			draggable={false}
			decoding="async"
			onLoad={() => setState('shown')}
			onError={() => setState('failed')}
		/>
	)
}

/** An address that breaks before its “@”, where it has to break. */
export function Email({ address }: { address: string }) {
	const at = address.lastIndexOf('@')
	return (
		<>
			{address.slice(0, at)}
			<wbr />
			{address.slice(at)}
		</>
	)
}

export function RoleBadge({ role }: { role: Person['role'] }) {
	const { t } = useTexts()
	if (role === 'student') return null
	return <span className={classes.badge}>{t(`role.${role}`)}</span>
}

/** Shows its child only when it has been waiting for 300 ms: a flash of a spinner helps nobody. */
export function Late({ children }: { children?: ReactNode }) {
	const { t } = useTexts()
	const [late, setLate] = useState(false)
	useEffect(() => {
		const timer = setTimeout(() => setLate(true), 300)
		return () => clearTimeout(timer)
	}, [])
	if (!late) return null
	return (
		<div className={classes.late} role="status">
			{children ?? <Loader size="sm" color="var(--ink-3)" type="dots" aria-hidden="true" />}
			<span className={children ? undefined : classes.hidden}>{t('loading')}</span>
		</div>
	)
}

/** Nothing here, and what to do about it. */
export function Empty({ icon, title, children, action }: { icon?: ReactNode; title: string; children?: ReactNode; action?: ReactNode }) {
	return (
		<div className={classes.empty}>
			{icon && <div className={classes.emptyIcon}>{icon}</div>}
			<p className={classes.emptyTitle}>{title}</p>
			{children && <p className={classes.emptyText}>{children}</p>}
			{action}
		</div>
	)
}

/** Names the document, and takes the focus when the reader came here by a link, so that it is read out. */
export function PageTitle({ children, focus = true, className }: { children: string; focus?: boolean; className?: string | undefined }) {
	const heading = useRef<HTMLHeadingElement>(null)
	const arrived = useNavigationType() !== 'POP'
	const { key } = useLocation()
	useEffect(() => {
		document.title = `${children} · English Chat`
	}, [children])
	// biome-ignore lint/correctness/useExhaustiveDependencies: once for every place that was gone to
	useEffect(() => {
		if (arrived && focus) heading.current?.focus({ preventScroll: true })
	}, [key])
	return (
		<h1 ref={heading} tabIndex={-1} className={className ?? classes.title} dir="auto">
			{children}
		</h1>
	)
}

/** The bar over a page: back (on a phone), title, what can be done. */
export function Bar({ back = '/', children, actions }: { back?: string; children: ReactNode; actions?: ReactNode }) {
	const { t } = useTexts()
	const phone = usePhone()
	return (
		<header className={classes.bar}>
			{phone && (
				<ActionIcon component={Link} to={back} size={44} aria-label={t('back')} className={classes.back}>
					<IconChevronLeft size={22} stroke={1.75} />
				</ActionIcon>
			)}
			<div className={classes.barText}>{children}</div>
			{actions}
		</header>
	)
}

/** A page of one column that scrolls. */
export function Page({ title, intro, actions, back, children }: PageProps) {
	return (
		<>
			<Bar {...(back ? { back } : {})} actions={actions}>
				<PageTitle>{title}</PageTitle>
			</Bar>
			<div className={classes.scroll}>
				<div className={classes.column}>
					{intro && <p className={classes.intro}>{intro}</p>}
					{children}
				</div>
			</div>
		</>
	)
}

interface PageProps {
	title: string
	intro?: string
	actions?: ReactNode
	back?: string
	children: ReactNode
}

/** The colour scheme, and its setter. */
export function useScheme() {
	const { colorScheme, setColorScheme } = useMantineColorScheme()
	return { scheme: colorScheme, setScheme: setColorScheme }
}
