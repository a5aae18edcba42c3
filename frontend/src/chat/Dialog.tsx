/**
 * A dialog over the page, and dialogs over it: Escape closes the uppermost, those below it
 * can't be reached meanwhile, and each gives the focus back to where it was.
 */
import { Modal, type ModalProps } from '@mantine/core'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { useTexts } from '../ui/language.ts'

let stack: readonly symbol[] = []
const listeners = new Set<() => void>()

function change(next: readonly symbol[]): void {
	stack = next
	for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
	listeners.add(listener)
	return () => listeners.delete(listener)
}

/** `label`: its name, where it has no title. */
export function Dialog({ label, ...props }: Omit<ModalProps, 'opened'> & { label?: string }) {
	const { t } = useTexts()
	const [me] = useState(() => Symbol('dialog'))
	const [from] = useState(() => document.activeElement)
	const uppermost = useSyncExternalStore(subscribe, () => stack.at(-1) === me)
	useEffect(() => {
		change([...stack, me])
		return () => {
			change(stack.filter((other) => other !== me))
			// After the trap has let go.
			requestAnimationFrame(() => from instanceof HTMLElement && from.isConnected && from.focus({ preventScroll: true }))
		}
	}, [me, from])
	return (
		<Modal
			opened
			closeOnEscape={uppermost}
			closeButtonProps={{ 'aria-label': t('notices.close') }}
			attributes={{ root: { inert: !uppermost }, content: label ? { 'aria-label': label } : {} }}
			{...props}
		/>
	)
}
