/**
 * A link with which somebody who can't sign in sets a new password: made here, copied, handed over by a person.
 *
 * Where the browser has no clipboard (plain http) the link stands selected, ready to be copied by hand.
 */
import { Button, TextInput } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import type { Person } from '../../../protocol/model.ts'
import { useClient } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { tellProblem } from '../ui/notices.ts'
import { errorSentence } from '../ui/problems.ts'
import { clockTime, date } from '../ui/times.ts'
import classes from './panel.module.css'

export function HelpWithSignIn({ person }: { person: Person }) {
	const { t, language } = useTexts()
	const client = useClient()
	const [link, setLink] = useState<{ url: string; expiresAt: string } | null>(null)
	const [busy, setBusy] = useState(false)
	const [copied, setCopied] = useState<'no' | 'yes' | 'byHand'>('no')
	const field = useRef<HTMLInputElement>(null)

	async function create() {
		setBusy(true)
		try {
			const { token, expiresAt } = await client.call('createHelpLink', { id: person.id })
			setLink({ url: `${location.origin}/help#${token}`, expiresAt })
			setCopied('no')
		} catch (error) {
			tellProblem(errorSentence(t, error))
		} finally {
			setBusy(false)
		}
	}

	useEffect(() => {
		if (link) field.current?.select()
	}, [link])

	async function copy() {
		if (!link) return
		field.current?.select()
		try {
			await navigator.clipboard.writeText(link.url)
			setCopied('yes')
		} catch {
			// The old way works on plain http too, in most browsers.
			setCopied(document.execCommand('copy') ? 'yes' : 'byHand')
		}
	}

	return (
		<section className={classes.section} aria-labelledby="help">
			<h4 id="help">{t('help.forTitle')}</h4>
			<p className={classes.dim}>{t('help.forWhat', { name: nameOf(person, t) })}</p>
			{link && (
				<>
					<div className={classes.link}>
						<TextInput
							ref={field}
							readOnly
							dir="ltr"
							aria-label={t('help.link')}
							value={link.url}
							className={classes.grow as string}
							onFocus={(event) => event.currentTarget.select()}
						/>
						<Button
							variant="filled"
							onClick={copy}
							leftSection={
								copied === 'yes' ? (
									<IconCheck size={16} stroke={2} aria-hidden="true" />
								) : (
									<IconCopy size={16} stroke={1.75} aria-hidden="true" />
								)
							}
						>
							{copied === 'yes' ? t('help.copied') : t('help.copy')}
						</Button>
					</div>
					<p className={classes.dim} role="status">
						{copied === 'byHand' && `${t('help.byHand')} `}
						{t('help.valid', { until: `${date(link.expiresAt, language)}, ${clockTime(link.expiresAt, language)}` })}
					</p>
				</>
			)}
			<Button onClick={create} loading={busy}>
				{link ? t('help.createAgain') : t('help.create')}
			</Button>
		</section>
	)
}
