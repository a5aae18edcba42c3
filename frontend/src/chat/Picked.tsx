/**
 * Above the text: the files that were picked, each with its name, size and the way out; what was left out
 * and why; and the offer to make pictures smaller.
 */
import { ActionIcon, Checkbox, Loader } from '@mantine/core'
import { IconAlertTriangle, IconFile, IconX } from '@tabler/icons-react'
import { limits } from '../../../protocol/model.ts'
import type { StagedFile } from '../client.ts'
import { type Texts, useTexts } from '../ui/language.ts'
import { endingOf, sizeText } from './fileFacts.ts'
import classes from './picked.module.css'
import type { Files, LeftOut } from './useFiles.ts'

export function Picked({ files }: { files: Files }) {
	const { t, language } = useTexts()
	const { staged, picking, leftOut, offer } = files
	if (staged.length + picking.length + leftOut.length === 0) return null
	return (
		<div className={classes.picked}>
			{leftOut.length > 0 && (
				<div role="alert">
					<ul className={classes.leftOut}>
						{leftOut.map((one) => (
							<li key={`${one.why}${'name' in one ? one.name : one.count}`}>
								<IconAlertTriangle size={16} stroke={1.75} aria-hidden="true" />
								<span>{whyLeftOut(one, t, language)}</span>
							</li>
						))}
					</ul>
				</div>
			)}
			{staged.length + picking.length > 0 && (
				<ul className={classes.files} aria-label={t('attach.picked')}>
					{staged.map((file) => (
						<Staged key={file.id} file={file} onRemove={() => files.remove(file.id)} />
					))}
					{picking.map(({ key, name }) => (
						<li key={key} className={classes.file} aria-busy="true">
							<span className={classes.preview}>
								<Loader size={18} color="var(--ink-3)" aria-hidden="true" />
							</span>
							<span className={classes.text}>
								<bdi className={classes.name}>{name}</bdi>
								<span className={classes.size}>{t('attach.working')}</span>
							</span>
						</li>
					))}
				</ul>
			)}
			{offer &&
				(offer.must ? (
					<p className={classes.offer}>{t('attach.mustShrink', { count: offer.count })}</p>
				) : (
					<Checkbox
						className={classes.offer as string}
						checked={offer.smaller}
						onChange={(event) => files.choose(event.currentTarget.checked)}
						label={t(offer.smaller ? 'attach.smaller' : 'attach.makeSmaller', {
							from: sizeText(offer.nowBytes, language),
							to: sizeText(offer.thenBytes, language),
						})}
					/>
				))}
		</div>
	)
}

function Staged({ file, onRemove }: { file: StagedFile; onRemove: () => void }) {
	const { t, language } = useTexts()
	return (
		<li className={classes.file}>
			<span className={classes.preview}>
				{file.width !== null ? (
					<img src={file.url} alt="" draggable={false} decoding="async" />
				) : (
					endingOf(file.name) || <IconFile size={20} stroke={1.75} aria-hidden="true" />
				)}
			</span>
			<span className={classes.text}>
				<bdi className={classes.name}>{file.name}</bdi>
				<span className={classes.size}>{sizeText(file.sizeBytes, language)}</span>
			</span>
			<ActionIcon size={28} aria-label={t('attach.remove', { name: file.name })} title={t('attach.removeThis')} onClick={onRemove}>
				<IconX size={16} stroke={1.75} />
			</ActionIcon>
		</li>
	)
}

function whyLeftOut(one: LeftOut, t: Texts, language: 'en' | 'id'): string {
	if (one.why === 'many') return t('attach.many', { count: one.count, limit: limits.attachments })
	if (one.why === 'large')
		return t('attach.large', {
			name: one.name,
			size: sizeText(one.sizeBytes, language),
			limit: sizeText(limits.uploadBytes, language),
		})
	return t(one.why === 'empty' ? 'attach.empty' : 'attach.unreadable', { name: one.name })
}
