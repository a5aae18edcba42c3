/**
 * One picture over everything: whose it is and when, large first and in full when it is looked at closely;
 * zoom by wheel, fingers, double click and keys; the others of the discussion by the arrow keys.
 *
 * Holds the focus and gives it back. Escape leaves.
 */
import { ActionIcon } from '@mantine/core'
import { IconChevronLeft, IconChevronRight, IconDownload, IconX, IconZoomIn, IconZoomOut } from '@tabler/icons-react'
import { type KeyboardEvent, type MouseEvent, type PointerEvent, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { Message, Upload } from '../../../protocol/model.ts'
import { useClient, useMe, usePeople } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { exactTime } from '../ui/times.ts'
import { Dialog } from './Dialog.tsx'
import type { Size } from './fileFacts.ts'
import classes from './viewer.module.css'
import { closer, fit, fitted, keyStep, largest, type Point, pan, type Zoom, zoomAt } from './zoom.ts'

export interface Picture {
	upload: Upload
	message: Pick<Message, 'author' | 'createdAt'>
}

interface Props {
	pictures: readonly Picture[]
	/** Which upload. */
	at: string
	onGo: (upload: string) => void
	onClose: () => void
}

/** A swipe as long as this goes on to the next picture. */
const swipePx = 60

export function Viewer({ pictures, at, onGo, onClose }: Props) {
	const { t, language } = useTexts()
	const client = useClient()
	const me = useMe()
	const people = usePeople()
	const found = pictures.findIndex(({ upload }) => upload.id === at)
	const [last, setLast] = useState(0)
	if (found >= 0 && found !== last) setLast(found)
	const place = found >= 0 ? found : Math.min(last, pictures.length - 1)
	const picture = pictures[place]
	const [stage, setStage] = useState<HTMLDivElement | null>(null)
	const frame = useSize(stage)
	const [zoom, setZoom] = useState(fitted)
	const id = picture?.upload.id
	// biome-ignore lint/correctness/useExhaustiveDependencies: another picture begins as a whole
	useEffect(() => setZoom(fitted), [id])
	useEffect(() => {
		if (!picture) onClose()
	}, [picture, onClose])

	const natural = picture?.upload.width && picture.upload.height ? (picture.upload as Size) : { width: 1600, height: 1200 }
	const size = frame ? fit(natural, frame) : natural
	const change = useCallback(
		(to: (zoom: Zoom, frame: Size, size: Size) => Zoom) => {
			if (frame) setZoom((now) => to(now, frame, fit(natural, frame)))
		},
		[frame, natural],
	)
	const by = (factor: number, point: Point = { x: 0, y: 0 }) => change((now, frame, size) => zoomAt(now, factor, point, frame, size))
	const go = (step: number) => {
		const next = pictures[place + step]
		if (next) onGo(next.upload.id)
	}
	const gestures = useGestures(stage, zoom, change, go)

	function onKeyDown(event: KeyboardEvent) {
		if (event.ctrlKey || event.metaKey || event.altKey) return
		const step = 60
		if (event.key === '+' || event.key === '=') by(keyStep)
		else if (event.key === '-' || event.key === '_') by(1 / keyStep)
		else if (event.key === '0') setZoom(fitted)
		else if (event.key.startsWith('Arrow') && zoom.scale > 1 && event.shiftKey) {
			const x = event.key === 'ArrowLeft' ? step : event.key === 'ArrowRight' ? -step : 0
			const y = event.key === 'ArrowUp' ? step : event.key === 'ArrowDown' ? -step : 0
			change((now, frame, size) => pan(now, { x, y }, frame, size))
		} else if (event.key === 'ArrowLeft') go(-1)
		else if (event.key === 'ArrowRight') go(1)
		else return
		event.preventDefault()
	}

	if (!picture) return null
	const { upload, message } = picture
	const writer = people.get(message.author)
	const name = message.author === me.id ? t('you') : writer ? nameOf(writer, t) : t('message.unknownWriter')
	const local = client.localUrl(upload.id)
	const said = t('viewer.place', { at: place + 1, count: pictures.length })
	return (
		<Dialog
			onClose={onClose}
			fullScreen
			padding={0}
			withCloseButton={false}
			label={t('file.photo', { name: upload.name })}
			transitionProps={{ duration: 120, transition: 'fade' }}
			classNames={{ content: classes.content as string, body: classes.body as string }}
			onKeyDown={onKeyDown}
		>
			<header className={classes.head}>
				<div className={classes.what}>
					<p className={classes.who}>
						<bdi>{name}</bdi>
						<time dateTime={message.createdAt}>{exactTime(message.createdAt, language)}</time>
					</p>
					<p className={classes.name}>
						<bdi>{upload.name}</bdi>
						<span aria-live="polite">{said}</span>
					</p>
				</div>
				<span className={classes.zooms}>
					<Control label={t('viewer.out')} disabled={zoom.scale <= 1} onClick={() => by(1 / keyStep)}>
						<IconZoomOut size={20} stroke={1.75} />
					</Control>
					<Control label={t('viewer.in')} disabled={zoom.scale >= largest} onClick={() => by(keyStep)}>
						<IconZoomIn size={20} stroke={1.75} />
					</Control>
				</span>
				<ActionIcon
					component="a"
					size={40}
					href={local ?? `/api/files/${upload.id}?download=true`}
					download={upload.name}
					aria-label={t('viewer.download')}
					title={t('viewer.download')}
				>
					<IconDownload size={20} stroke={1.75} />
				</ActionIcon>
				<Control label={t('viewer.close')} onClick={onClose} first>
					<IconX size={22} stroke={1.75} />
				</Control>
			</header>
			{/* biome-ignore lint/a11y/noStaticElementInteractions: every gesture has its key and its button */}
			<div
				ref={setStage}
				className={classes.stage}
				data-close={zoom.scale > 1 || undefined}
				onDoubleClick={(event: MouseEvent) => (zoom.scale > 1 ? setZoom(fitted) : by(closer, fromMiddle(stage, event)))}
				{...gestures}
			>
				<Layers
					key={upload.id}
					upload={upload}
					local={local}
					close={zoom.scale > 1}
					style={{
						width: size.width,
						height: size.height,
						transform: `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})`,
					}}
				/>
				{place > 0 && (
					<ActionIcon size={48} className={classes.before as string} aria-label={t('viewer.before')} onClick={() => go(-1)}>
						<IconChevronLeft size={28} stroke={1.75} />
					</ActionIcon>
				)}
				{place < pictures.length - 1 && (
					<ActionIcon size={48} className={classes.after as string} aria-label={t('viewer.after')} onClick={() => go(1)}>
						<IconChevronRight size={28} stroke={1.75} />
					</ActionIcon>
				)}
			</div>
		</Dialog>
	)
}

interface ControlProps {
	label: string
	disabled?: boolean
	first?: boolean
	onClick: () => void
	children: React.ReactNode
}

function Control({ label, disabled = false, first = false, onClick, children }: ControlProps) {
	return (
		<ActionIcon size={40} aria-label={label} title={label} aria-disabled={disabled} data-autofocus={first || undefined} onClick={onClick}>
			{children}
		</ActionIcon>
	)
}

/** The small picture is there already; the large one is laid over it when it has come, and the whole one when it is looked at closely. */
function Layers({ upload, local, close, style }: { upload: Upload; local: string | null; close: boolean; style: React.CSSProperties }) {
	const { t } = useTexts()
	const [failed, setFailed] = useState(false)
	const [wasClose, setWasClose] = useState(close)
	if (close && !wasClose) setWasClose(true)
	const alt = t('file.photo', { name: upload.name })
	const of = (size: string) => `/api/files/${upload.id}${size}`
	if (failed) return <p className={classes.failed}>{t('file.notShown')}</p>
	return (
		<div className={classes.layers} style={style}>
			{local ? (
				<img src={local} alt={alt} draggable={false} onError={() => setFailed(true)} />
			) : (
				<>
					<img src={of('/small')} alt="" draggable={false} />
					<img src={of('/large')} alt={alt} draggable={false} onError={() => setFailed(true)} />
					{wasClose && <img src={of('')} alt="" draggable={false} data-whole="true" />}
				</>
			)}
		</div>
	)
}

function useSize(element: HTMLElement | null): Size | null {
	const [size, setSize] = useState<Size | null>(null)
	useLayoutEffect(() => {
		if (!element) return
		const see = () => setSize({ width: element.clientWidth, height: element.clientHeight })
		see()
		const observer = new ResizeObserver(see)
		observer.observe(element)
		return () => observer.disconnect()
	}, [element])
	return size
}

function fromMiddle(stage: HTMLElement | null, { clientX, clientY }: { clientX: number; clientY: number }): Point {
	const box = stage?.getBoundingClientRect()
	return box ? { x: clientX - box.left - box.width / 2, y: clientY - box.top - box.height / 2 } : { x: 0, y: 0 }
}

type Change = (to: (zoom: Zoom, frame: Size, size: Size) => Zoom) => void

/** Wheel, one finger (moves, or swipes where all is in sight) and two (pinch). */
function useGestures(stage: HTMLDivElement | null, zoom: Zoom, change: Change, go: (step: number) => void) {
	const fingers = useRef(new Map<number, Point>())
	const swiped = useRef({ x: 0, y: 0 })
	useEffect(() => {
		const element = stage
		if (!element) return
		// By hand, since React's wheel listeners can't keep the page from zooming.
		function wheel(event: WheelEvent) {
			event.preventDefault()
			const point = fromMiddle(element, event)
			const factor = Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0022))
			change((now, frame, size) => zoomAt(now, factor, point, frame, size))
		}
		element.addEventListener('wheel', wheel, { passive: false })
		return () => element.removeEventListener('wheel', wheel)
	}, [stage, change])
	const spread = () => {
		const [one, two] = [...fingers.current.values()]
		return one && two ? { far: Math.hypot(one.x - two.x, one.y - two.y), middle: { x: (one.x + two.x) / 2, y: (one.y + two.y) / 2 } } : null
	}
	const end = (event: PointerEvent) => {
		if (!fingers.current.delete(event.pointerId)) return
		const { x, y } = swiped.current
		if (fingers.current.size === 0 && zoom.scale === 1 && Math.abs(x) > swipePx && Math.abs(x) > 2 * Math.abs(y)) go(x < 0 ? 1 : -1)
	}
	return {
		onPointerDown(event: PointerEvent) {
			if (event.button !== 0 || (event.target as Element).closest('button, a')) return
			event.currentTarget.setPointerCapture(event.pointerId)
			fingers.current.set(event.pointerId, fromMiddle(stage, event))
			swiped.current = { x: 0, y: 0 }
		},
		onPointerMove(event: PointerEvent) {
			const from = fingers.current.get(event.pointerId)
			if (!from) return
			const to = fromMiddle(stage, event)
			const before = spread()
			fingers.current.set(event.pointerId, to)
			const now = spread()
			if (before && now) {
				change((zoom, frame, size) => {
					const moved = pan(zoom, { x: now.middle.x - before.middle.x, y: now.middle.y - before.middle.y }, frame, size)
					return zoomAt(moved, now.far / Math.max(1, before.far), now.middle, frame, size)
				})
				return
			}
			const by = { x: to.x - from.x, y: to.y - from.y }
			swiped.current = { x: swiped.current.x + by.x, y: swiped.current.y + by.y }
			change((zoom, frame, size) => pan(zoom, by, frame, size))
		},
		onPointerUp: end,
		onPointerCancel: end,
	}
}
