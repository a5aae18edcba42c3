/**
 * One backup: what it holds, how far it can be trusted, proving it, taking it along, and how the operator restores it.
 */
import { Button, Modal, PasswordInput } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconChecks, IconCopy, IconDownload, IconShieldCheck } from '@tabler/icons-react'
import { useState } from 'react'
import { api } from '../../../protocol/api.ts'
import type { BackupCard } from '../../../protocol/backups.ts'
import { copyText } from '../chat/clipboard.ts'
import { useClient } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { clockTime, dayName, exactTime } from '../ui/times.ts'
import classes from './backups.module.css'
import { sizeText } from './sizeText.ts'

export function BackupRow({ backup, busy, onProve }: { backup: BackupCard; busy: boolean; onProve: () => void }) {
	const { t, language } = useTexts()
	const [asking, setAsking] = useState(false)
	const [telling, setTelling] = useState(false)
	const { name, createdAt, reason, people, discussions, messages, files, sizeBytes, damaged, lost } = backup
	const time = `${dayName(createdAt, language)}, ${clockTime(createdAt, language)}`
	const facts = [
		t(`backupReason.${reason}`),
		t('backups.people', { count: people }),
		t('backups.discussions', { count: discussions }),
		t('backups.messages', { count: messages }),
		t('backups.files', { count: files }),
		sizeText(sizeBytes, language),
	]
	return (
		<li className={classes.backup}>
			<div className={classes.what}>
				<p className={classes.time}>
					<time dateTime={createdAt} title={exactTime(createdAt, language)}>
						{time}
					</time>
				</p>
				<p className={classes.dim}>
					{facts.map((fact, at) => (
						<span key={fact}>
							<span className={classes.fact}>
								{fact}
								{at < facts.length - 1 && ' ·'}
							</span>{' '}
						</span>
					))}
				</p>
				{lost > 0 && <p className={classes.warning}>{t('backups.lost', { count: lost })}</p>}
			</div>
			<Badges backup={backup} />
			<div className={classes.tools}>
				<Button size="compact-md" disabled={busy} aria-label={t('backups.proveLabel', { time })} onClick={onProve}>
					{t('backups.prove')}
				</Button>
				{!damaged && (
					<Button
						size="compact-md"
						leftSection={<IconDownload size={16} stroke={1.75} aria-hidden="true" />}
						aria-label={t('backups.takeLabel', { time })}
						onClick={() => setAsking(true)}
					>
						{t('backups.take')}
					</Button>
				)}
				{!damaged && (
					<Button
						size="compact-md"
						variant="subtle"
						aria-expanded={telling}
						aria-label={t('backups.howLabel', { time })}
						onClick={() => setTelling(!telling)}
					>
						{t('backups.how')}
					</Button>
				)}
			</div>
			{telling && !damaged && <HowToRestore name={name} />}
			<Modal
				opened={asking}
				onClose={() => setAsking(false)}
				title={t('backups.takeTitle')}
				closeButtonProps={{ 'aria-label': t('notices.close') }}
			>
				<Download name={name} onDone={() => setAsking(false)} />
			</Modal>
		</li>
	)
}

function Badges({ backup: { verifiedAt, provenAt, damaged } }: { backup: BackupCard }) {
	const { t, language } = useTexts()
	if (damaged)
		return (
			<p className={classes.badges}>
				<span className={classes.badge} data-state="bad">
					<IconAlertTriangle size={15} stroke={2} aria-hidden="true" />
					{t('backups.damaged')}
				</span>
			</p>
		)
	return (
		<p className={classes.badges}>
			<span
				className={classes.badge}
				data-state={verifiedAt ? 'good' : 'bad'}
				title={verifiedAt ? exactTime(verifiedAt, language) : undefined}
			>
				{verifiedAt ? (
					<IconChecks size={15} stroke={2} aria-hidden="true" />
				) : (
					<IconAlertTriangle size={15} stroke={2} aria-hidden="true" />
				)}
				{t(verifiedAt ? 'backups.verified' : 'backups.notVerified')}
			</span>
			<span className={classes.badge} data-state={provenAt ? 'good' : 'open'} title={provenAt ? exactTime(provenAt, language) : undefined}>
				{provenAt && <IconShieldCheck size={15} stroke={2} aria-hidden="true" />}
				{t(provenAt ? 'backups.proven' : 'backups.notProven')}
			</span>
		</p>
	)
}

function HowToRestore({ name }: { name: string }) {
	const { t } = useTexts()
	return (
		<div className={classes.how}>
			<p>{t('backups.howLook')}</p>
			<Command>{`./restore.sh ${name} --dry-run`}</Command>
			<p>{t('backups.howDo')}</p>
			<Command>{`./restore.sh ${name}`}</Command>
			<p className={classes.dim}>{t('backups.howBack')}</p>
		</div>
	)
}

function Command({ children }: { children: string }) {
	const { t } = useTexts()
	const [copied, setCopied] = useState(false)
	async function copy() {
		const done = await copyText(children)
		setCopied(done)
		if (done) tell(t('backups.copied'))
		else tellProblem(t('backups.copyByHand'))
	}
	return (
		<div className={classes.command}>
			<code>{children}</code>
			<Button
				size="compact-md"
				leftSection={
					copied ? <IconCheck size={16} stroke={1.75} aria-hidden="true" /> : <IconCopy size={16} stroke={1.75} aria-hidden="true" />
				}
				onClick={() => void copy()}
				aria-label={t('backups.copyLabel', { command: children })}
			>
				{t('backups.copy')}
			</Button>
		</div>
	)
}

/** The password again; then the browser takes the file itself, however large it is. */
function Download({ name, onDone }: { name: string; onDone: () => void }) {
	const { t } = useTexts()
	const client = useClient()
	const form = useForm(
		api.allowDownload.input.pick({ password: true }),
		{ password: '' },
		async ({ password }) => {
			const { ticket } = await client.call('allowDownload', { name, password })
			const link = document.createElement('a')
			link.href = `/api/backups/${encodeURIComponent(name)}/archive?ticket=${ticket}`
			link.download = ''
			link.click()
			tell(t('backups.taking'))
			onDone()
		},
		{ wrong_credentials: { beside: 'password', text: 'backups.wrongPassword' } },
	)
	return (
		<form {...form.form} className={classes.form}>
			<p>{t('backups.takeText')}</p>
			<Failure>{form.failure}</Failure>
			<PasswordInput {...form.field('password')} data-autofocus label={t('backups.password')} autoComplete="current-password" />
			<Button type="submit" variant="filled" loading={form.busy}>
				{t('backups.take')}
			</Button>
		</form>
	)
}
