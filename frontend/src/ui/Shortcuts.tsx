/**
 * The sheet of keyboard shortcuts: opened by `?` outside of fields, and from the menu of Me.
 */
import { Modal } from '@mantine/core'
import { useEffect, useSyncExternalStore } from 'react'
import { useSnapshot } from './data.tsx'
import { useTexts } from './language.ts'
import classes from './shortcuts.module.css'
import { adminShortcuts, shortcuts } from './shortcuts.ts'

let opened = false
const listeners = new Set<() => void>()

/** Opens or closes the sheet, from anywhere. */
export function showShortcuts(show: boolean): void {
	opened = show
	for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
	listeners.add(listener)
	return () => listeners.delete(listener)
}

/** Whether a key that was pressed here is meant for a field, or for a dialog that lies over the page. */
function isTaken(event: KeyboardEvent): boolean {
	if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true
	const at = event.target instanceof Element ? event.target : null
	if (at?.closest('input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable=true]')) return true
	return document.querySelector('[role=dialog]') !== null
}

export function Shortcuts() {
	const { t } = useTexts()
	const { me } = useSnapshot()
	const shown = useSyncExternalStore(subscribe, () => opened)
	useEffect(() => {
		function press(event: KeyboardEvent) {
			if (event.key !== '?' || isTaken(event)) return
			event.preventDefault()
			showShortcuts(true)
		}
		addEventListener('keydown', press)
		return () => {
			removeEventListener('keydown', press)
			showShortcuts(false)
		}
	}, [])
	const sections = me.role === 'admin' ? [...shortcuts.slice(0, 1), adminShortcuts] : shortcuts
	return (
		<Modal
			opened={shown}
			onClose={() => showShortcuts(false)}
			title={t('keys.title')}
			size={520}
			closeButtonProps={{ 'aria-label': t('notices.close') }}
		>
			{sections.map(({ title, list }) => (
				<section key={title} className={classes.section}>
					<h3>{t(title as 'keys.title')}</h3>
					<dl>
						{list.map(({ keys, what }) => (
							<div key={what} className={classes.shortcut}>
								<dt>{t(what as 'keys.title')}</dt>
								<dd>
									{keys.map((together, at) => (
										<span key={together.join()} className={classes.together}>
											{at > 0 && <span className={classes.or}>{t('keys.or')}</span>}
											{together.map((cap) => (
												<kbd key={cap}>{cap.startsWith('keys.') ? t(cap as 'keys.space') : cap}</kbd>
											))}
										</span>
									))}
								</dd>
							</div>
						))}
					</dl>
				</section>
			))}
		</Modal>
	)
}
