/**
 * Crops a picture to the round that others see, in the browser: by finger, mouse or arrow keys, with a zoom.
 *
 * Promises a picture of 512 by 512 pixels that carries nothing else of the file: no place, no camera.
 */
import 'react-easy-crop/react-easy-crop.css'
import { Button, Modal } from '@mantine/core'
import { useEffect, useState } from 'react'
import Cropper, { type Area } from 'react-easy-crop'
import { Failure } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { Late, usePhone } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import classes from './crop.module.css'

const side = 512
const zooms = { min: 1, max: 4 }

export default function Crop({ file, onClose, onDone }: { file: File; onClose: () => void; onDone: (picture: Blob) => Promise<void> }) {
	const { t } = useTexts()
	const phone = usePhone()
	const picture = usePicture(file)
	const [crop, setCrop] = useState({ x: 0, y: 0 })
	const [zoom, setZoom] = useState<number>(zooms.min)
	const [area, setArea] = useState<{ shown: Area; pixels: Area } | null>(null)
	const [busy, setBusy] = useState(false)
	const [failure, setFailure] = useState<string | null>(null)

	async function save() {
		if (!area || picture.state !== 'ready') return
		setBusy(true)
		setFailure(null)
		try {
			await onDone(await cut(picture.image, area.pixels))
		} catch (error) {
			setFailure(errorSentence(t, error))
			setBusy(false)
		}
	}

	return (
		<Modal
			opened
			onClose={onClose}
			title={t('picture.crop')}
			size={520}
			fullScreen={phone}
			closeButtonProps={{ 'aria-label': t('notices.close') }}
		>
			{picture.state === 'failed' ? (
				<>
					<Failure>{t('problem.picture_refused')}</Failure>
					<div className={classes.answers}>
						<Button onClick={onClose}>{t('cancel')}</Button>
					</div>
				</>
			) : (
				<>
					<div className={classes.stage}>
						{picture.state === 'loading' && <Late />}
						{picture.state === 'ready' && (
							<Cropper
								image={picture.url}
								crop={crop}
								zoom={zoom}
								minZoom={zooms.min}
								maxZoom={zooms.max}
								aspect={1}
								cropShape="round"
								showGrid={false}
								objectFit="cover"
								keyboardStep={4}
								disableAutomaticStylesInjection
								onCropChange={setCrop}
								onZoomChange={setZoom}
								onCropAreaChange={(shown, pixels) => setArea({ shown, pixels })}
								cropperProps={{ 'aria-label': t('picture.move'), role: 'group' }}
								mediaProps={{ alt: '' }}
								style={{ cropAreaStyle: { color: 'var(--veil)', borderColor: 'var(--on-marker)' } }}
							/>
						)}
					</div>
					<p className={classes.hint}>{t('picture.hint')}</p>
					<div className={classes.tools}>
						<label className={classes.zoom}>
							<span>{t('picture.zoom')}</span>
							<input
								type="range"
								min={zooms.min}
								max={zooms.max}
								step={0.05}
								value={zoom}
								onChange={(event) => setZoom(Number(event.currentTarget.value))}
							/>
						</label>
						<div className={classes.previews} aria-hidden="true">
							{[64, 36].map((size) => (
								<Preview key={size} size={size} area={area?.shown ?? null} url={picture.state === 'ready' ? picture.url : null} />
							))}
						</div>
					</div>
					<Failure>{failure}</Failure>
					<div className={classes.answers}>
						<Button onClick={onClose}>{t('cancel')}</Button>
						<Button variant="filled" onClick={save} loading={busy} disabled={!area}>
							{t('picture.use')}
						</Button>
					</div>
				</>
			)}
		</Modal>
	)
}

/** As others will see it. */
function Preview({ size, area, url }: { size: number; area: Area | null; url: string | null }) {
	return (
		<span className={classes.preview} style={{ width: size, height: size }}>
			{url && area && (
				<img
					src={url}
					alt=""
					style={{
						width: `${10_000 / area.width}%`,
						height: `${10_000 / area.height}%`,
						transform: `translate(${-area.x}%, ${-area.y}%)`,
					}}
				/>
			)}
		</span>
	)
}

type Picture = { state: 'loading' } | { state: 'failed' } | { state: 'ready'; image: HTMLImageElement; url: string }

/** Reads the file; upright, as the camera meant it. */
function usePicture(file: File): Picture {
	const [picture, setPicture] = useState<Picture>({ state: 'loading' })
	useEffect(() => {
		let gone = false
		const url = URL.createObjectURL(file)
		const image = new Image()
		image.src = url
		image.decode().then(
			() => !gone && setPicture({ state: 'ready', image, url }),
			() => !gone && setPicture({ state: 'failed' }),
		)
		return () => {
			gone = true
			URL.revokeObjectURL(url)
		}
	}, [file])
	return picture
}

/** WebP where the browser can write it, else JPEG. */
async function cut(image: HTMLImageElement, area: Area): Promise<Blob> {
	const canvas = document.createElement('canvas')
	canvas.width = side
	canvas.height = side
	const context = canvas.getContext('2d')
	if (!context) throw new Error('This browser gave no canvas.')
	// What is transparent lies on white: JPEG knows no other ground.
	context.fillStyle = 'white'
	context.fillRect(0, 0, side, side)
	context.imageSmoothingQuality = 'high'
	context.drawImage(image, area.x, area.y, area.width, area.height, 0, 0, side, side)
	const write = (type: string) => new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.88))
	const webp = await write('image/webp')
	const blob = webp?.type === 'image/webp' ? webp : await write('image/jpeg')
	if (!blob) throw new Error('This browser could not write the picture.')
	return blob
}
