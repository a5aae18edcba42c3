/**
 * The files of a message: pictures in a calm grid whose place is known before they are there, sound with
 * its player, other files as cards; and how far those are that this device still has to send.
 */
import { Button } from '@mantine/core'
import { IconFile, IconFileText, IconMusic, IconPhotoOff, IconX } from '@tabler/icons-react'
import { type CSSProperties, useState } from 'react'
import type { Message, Upload } from '../../../protocol/model.ts'
import type { TimelineItem, Transfer } from '../client.ts'
import { useClient } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { errorSentence } from '../ui/problems.ts'
import classes from './attachments.module.css'
import { endingOf, placeOf, sizeText } from './fileFacts.ts'

interface Props {
	message: Message
	transfers: readonly Transfer[]
	onView: (upload: string) => void
}

export function Attachments({ message, transfers, onView }: Props) {
	const pictures = message.attachments.filter(({ kind }) => kind === 'image')
	const others = message.attachments.filter(({ kind }) => kind !== 'image')
	const onWay = (upload: Upload) => transfers.find(({ id }) => id === upload.id)
	return (
		<div className={classes.attachments}>
			{pictures.length > 0 && (
				<div className={classes.pictures} data-count={Math.min(pictures.length, 4)}>
					{pictures.map((upload) => (
						<Picture key={upload.id} upload={upload} alone={pictures.length === 1} transfer={onWay(upload)} onView={onView} />
					))}
				</div>
			)}
			{others.map((upload) => (
				<Card key={upload.id} upload={upload} transfer={onWay(upload)} />
			))}
		</div>
	)
}

interface PictureProps {
	upload: Upload
	alone?: boolean
	transfer?: Transfer | undefined
	onView: (upload: string) => void
}

/** A small picture that opens the large one. */
export function Picture({ upload, alone = false, transfer, onView }: PictureProps) {
	const { t } = useTexts()
	const client = useClient()
	const [failed, setFailed] = useState<string | null>(null)
	const url = client.localUrl(upload.id) ?? `/api/files/${upload.id}/small`
	const place = alone ? placeOf(upload) : null
	const style = place ? ({ width: place.width, aspectRatio: `${place.width} / ${place.height}` } as CSSProperties) : undefined
	if (failed === url) {
		return (
			<button type="button" className={classes.picture} style={style} onClick={() => setFailed(null)}>
				<span className={classes.broken}>
					<IconPhotoOff size={20} stroke={1.75} aria-hidden="true" />
					{t('file.notShown')}
				</span>
			</button>
		)
	}
	return (
		<button type="button" className={classes.picture} style={style} onClick={() => onView(upload.id)}>
			<img
				src={url}
				alt={t('file.photo', { name: upload.name })}
				loading="lazy"
				decoding="async"
				draggable={false}
				onError={() => setFailed(url)}
			/>
			{transfer && transfer.state !== 'sent' && <Bar transfer={transfer} />}
		</button>
	)
}

/** A file that is no picture: its name, what it is, and the way to it. */
export function Card({ upload, transfer }: { upload: Upload; transfer?: Transfer | undefined }) {
	const { t, language } = useTexts()
	const client = useClient()
	const local = client.localUrl(upload.id)
	const address = local ?? `/api/files/${upload.id}`
	const kind = [endingOf(upload.name), sizeText(upload.sizeBytes, language)].filter(Boolean).join(' · ')
	const Icon =
		upload.kind === 'audio' ? IconMusic : upload.type.startsWith('text/') || upload.type === 'application/pdf' ? IconFileText : IconFile
	return (
		<div className={classes.card} data-sound={upload.kind === 'audio' || undefined}>
			<a
				className={classes.file}
				href={local ?? `${address}?download=true`}
				download={upload.name}
				aria-label={t('file.download', { name: upload.name, kind })}
			>
				<span className={classes.fileIcon}>
					<Icon size={20} stroke={1.75} aria-hidden="true" />
				</span>
				<span className={classes.fileText}>
					<bdi className={classes.fileName}>{upload.name}</bdi>
					<span className={classes.fileKind}>{kind}</span>
				</span>
			</a>
			{/* biome-ignore lint/a11y/useMediaCaption: what somebody recorded has no captions */}
			{upload.kind === 'audio' && <audio controls preload="none" src={address} className={classes.sound} aria-label={upload.name} />}
			{transfer && transfer.state !== 'sent' && <Bar transfer={transfer} />}
		</div>
	)
}

/** How far a file is; drawn only, since the sentence below says it. */
function Bar({ transfer }: { transfer: Transfer }) {
	const part = transfer.sizeBytes > 0 ? Math.min(1, transfer.sentBytes / transfer.sizeBytes) : 0
	return (
		<span className={classes.bar} aria-hidden="true">
			<span style={{ scale: `${part} 1` }} />
		</span>
	)
}

/** What a message of mine waits for, and the way to stop it. */
export function OnTheWay({ item, onTakenBack }: { item: TimelineItem; onTakenBack: (text: string) => void }) {
	const { t, language } = useTexts()
	const client = useClient()
	const { transfers } = item
	const left = transfers.filter(({ state }) => state !== 'sent')
	if (left.length === 0) return null
	const sending = left.some(({ state }) => state === 'sending')
	const failed = left.some(({ state }) => state === 'failed')
	const sum = (of: (transfer: Transfer) => number) => transfers.reduce((all, transfer) => all + of(transfer), 0)
	const sent = sum(({ state, sentBytes, sizeBytes }) => (state === 'sent' ? sizeBytes : sentBytes))
	const said = failed ? 'file.again' : sending ? 'file.sending' : 'file.waiting'

	async function stop() {
		try {
			const text = await client.cancel(item.id)
			if (text === null) tell(t('file.tooLate'))
			else onTakenBack(text)
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}
	return (
		<p className={classes.way}>
			<span>
				{t(said, {
					sent: sizeText(sent, language),
					size: sizeText(
						sum(({ sizeBytes }) => sizeBytes),
						language,
					),
				})}
			</span>
			{failed && item.command !== null && (
				<Button size="compact-md" onClick={() => item.command !== null && client.retry(item.command)}>
					{t('refused.again')}
				</Button>
			)}
			<Button size="compact-md" leftSection={<IconX size={16} stroke={1.75} aria-hidden="true" />} onClick={stop}>
				{t('file.stop')}
			</Button>
		</p>
	)
}
