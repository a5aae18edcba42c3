/**
 * The emoji picker: a button, and behind it what is loaded only when somebody opens it.
 *
 * Its names and drawings come from this server and the device's own fonts; those used most stand first
 * and are remembered in this browser.
 */
import { ActionIcon, Popover } from '@mantine/core'
import { IconMoodSmile } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { useTexts } from '../ui/language.ts'
import { Late, useScheme } from '../ui/pieces.tsx'
import classes from './emoji.module.css'

/** Emoji that every device of the last years can draw. */
const version = 14

export function EmojiButton({ onPick }: { onPick: (emoji: string) => void }) {
	const { t } = useTexts()
	const [open, setOpen] = useState(false)
	return (
		<Popover opened={open} onChange={setOpen} position="top-start" trapFocus returnFocus={false} withinPortal shadow="md" radius="md">
			<Popover.Target>
				<ActionIcon size={36} aria-label={t('emoji.open')} title={t('emoji.open')} aria-expanded={open} onClick={() => setOpen(!open)}>
					<IconMoodSmile size={20} stroke={1.75} />
				</ActionIcon>
			</Popover.Target>
			<Popover.Dropdown className={classes.dropdown as string}>
				{open && (
					<Picker
						onPick={(emoji) => {
							setOpen(false)
							onPick(emoji)
						}}
					/>
				)}
			</Popover.Dropdown>
		</Popover>
	)
}

function Picker({ onPick }: { onPick: (emoji: string) => void }) {
	const { t, language } = useTexts()
	const { scheme } = useScheme()
	const place = useRef<HTMLDivElement>(null)
	const pick = useRef(onPick)
	pick.current = onPick
	const [state, setState] = useState<'loading' | 'ready' | 'failed'>('loading')
	useEffect(() => {
		let gone = false
		async function build() {
			const [{ default: Element }, { default: data }, { default: words }] = await Promise.all([
				import('emoji-picker-element/picker.js'),
				import('emoji-picker-element-data/en/emojibase/data.json?url'),
				language === 'id' ? import('emoji-picker-element/i18n/id.js') : import('emoji-picker-element/i18n/en.js'),
			])
			if (gone || !place.current) return
			const picker = new Element({ dataSource: data, locale: 'en', i18n: words, emojiVersion: version })
			picker.addEventListener('emoji-click', ({ detail }) => detail.unicode && pick.current(detail.unicode))
			place.current.replaceChildren(picker)
			setState('ready')
			requestAnimationFrame(() => picker.shadowRoot?.querySelector<HTMLElement>('input[type=search]')?.focus())
		}
		build().catch(() => !gone && setState('failed'))
		return () => {
			gone = true
		}
	}, [language])
	return (
		<div className={classes.picker} data-scheme={scheme}>
			<div ref={place} className={classes.place} />
			{state === 'loading' && <Late />}
			{state === 'failed' && <p className={classes.failed}>{t('emoji.failed')}</p>}
		</div>
	)
}
