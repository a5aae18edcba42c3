/**
 * Backups: which there are and how far they can be trusted; making one, proving one, and how far that is.
 * What is wrong stands on top, with the next step.
 */
import { Button } from '@mantine/core'
import { IconAlertTriangle, IconArchive, IconCheck } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { useClient } from '../ui/data.tsx'
import { Failure } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { tell } from '../ui/notices.ts'
import { Empty, Page } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { clockTime, dayName, listOf } from '../ui/times.ts'
import { BackupRow } from './BackupRow.tsx'
import classes from './backups.module.css'
import { sizeText } from './sizeText.ts'
import { type BackupList, useBackups } from './useBackups.ts'

export default function Backups() {
	const { t } = useTexts()
	const client = useClient()
	const { list, problem, look } = useBackups()
	const [refused, setRefused] = useState<string | null>(null)
	useToldEnd(list)

	async function start(work: () => Promise<unknown>) {
		try {
			await work()
			setRefused(null)
		} catch (error) {
			setRefused(errorSentence(t, error))
		}
		await look()
	}

	return (
		<Page title={t('backups.title')} intro={t('backups.intro')}>
			<Failure>{problem ?? refused}</Failure>
			{!list && !problem && <Skeleton />}
			{list && (
				<>
					<Alerts alerts={list.alerts} />
					<Standing list={list} onMake={() => void start(() => client.call('startBackup', {}))} />
					{list.backups.length > 0 && (
						<ul className={classes.list} aria-label={t('backups.title')}>
							{list.backups.map((backup) => (
								<BackupRow
									key={backup.name}
									backup={backup}
									busy={list.running !== null}
									onProve={() => void start(() => client.call('proveBackup', { name: backup.name }))}
								/>
							))}
						</ul>
					)}
					{list.readable && list.backups.length === 0 && list.alerts.length === 0 && !list.running && (
						<Empty icon={<IconArchive size={24} stroke={1.75} aria-hidden="true" />} title={t('backups.none')}>
							{t(list.nextAt ? 'backups.noneText' : 'backups.noneOff')}
						</Empty>
					)}
					<Old old={list.old} />
					<Foreign foreign={list.foreign} />
				</>
			)}
		</Page>
	)
}

/** Says that what ran has ended, unless it ended in an alert, which says so itself. */
function useToldEnd(list: BackupList | null) {
	const { t } = useTexts()
	const before = useRef<BackupList | null>(null)
	useEffect(() => {
		const ended = list && !list.running ? before.current?.running?.kind : undefined
		before.current = list
		if (!ended || list?.alerts.some(({ code }) => code === (ended === 'drill' ? 'drillFailed' : 'failed'))) return
		tell(t(ended === 'drill' ? 'backups.drillEnded' : 'backups.backupEnded'))
	}, [list, t])
}

/** The places of what is on its way, so that nothing jumps when it comes. */
function Skeleton() {
	const { t } = useTexts()
	return (
		<div className={classes.skeleton} role="status" aria-label={t('loading')}>
			<span />
			<span />
			<span />
		</div>
	)
}

function Alerts({ alerts }: Pick<BackupList, 'alerts'>) {
	const { t } = useTexts()
	const when = useWhen()
	return alerts.map(({ says, hint, at }) => (
		<div key={says} className={classes.alert} role="alert">
			<IconAlertTriangle size={20} stroke={1.75} aria-hidden="true" />
			<div>
				<p className={classes.says}>{says}</p>
				{hint && <p>{hint}</p>}
				<p className={classes.dim}>{t('backups.since', { time: when(at) })}</p>
			</div>
		</div>
	))
}

/** Thursday 26 November, 02:30 */
function useWhen() {
	const { language } = useTexts()
	return (at: string) => `${dayName(at, language)}, ${clockTime(at, language)}`
}

/** Up to when everything is kept, what runs, and what comes by itself. */
function Standing({ list, onMake }: { list: BackupList; onMake: () => void }) {
	const { t } = useTexts()
	const when = useWhen()
	const { backups, running, nextAt, drill } = list
	const proven = backups.find(({ provenAt }) => provenAt !== null)
	const verified = backups.find(({ verifiedAt }) => verifiedAt !== null)
	// Where the newest is not proven, nobody is told less than there is.
	const newest = verified && proven !== verified ? { backup: verified, text: 'backups.keptVerified' as const } : null
	const kept = newest ?? (proven && { backup: proven, text: 'backups.keptProven' as const })
	return (
		<section className={classes.standing} aria-label={t('backups.standing')}>
			<div className={classes.kept}>
				<p className={classes.answer}>{kept ? t(kept.text, { time: when(kept.backup.createdAt) }) : t('backups.keptNot')}</p>
				<p className={classes.dim}>
					{nextAt ? t(drill ? 'backups.nextProven' : 'backups.next', { time: when(nextAt) }) : t('backups.noSchedule')}
				</p>
			</div>
			<Button
				variant="filled"
				leftSection={<IconArchive size={18} stroke={1.75} aria-hidden="true" />}
				disabled={running !== null}
				onClick={onMake}
			>
				{t('backups.make')}
			</Button>
			{running && <Running running={running} />}
		</section>
	)
}

const steps = ['waiting', 'checking', 'reading', 'files', 'verifying', 'drilling', 'comparing', 'pruning'] as const

function Running({ running }: { running: NonNullable<BackupList['running']> }) {
	const { t, language } = useTexts()
	const { kind, doing, done, total } = running
	const step = steps.find((one) => one === doing) ?? (kind === 'drill' ? 'drilling' : 'reading')
	const share = total ? Math.min(1, done / total) : null
	const says = t(`backupStep.${step}`)
	const percent = share?.toLocaleString(language, { style: 'percent', maximumFractionDigits: 0 })
	return (
		<div className={classes.running}>
			<span role="status">{says}</span>
			<span className={classes.percent}>{percent}</span>
			<div
				className={classes.bar}
				role="progressbar"
				aria-label={says}
				aria-valuemin={0}
				aria-valuemax={100}
				{...(share === null ? {} : { 'aria-valuenow': Math.round(share * 100) })}
			>
				<span data-open={share === null || undefined} style={{ inlineSize: `${100 * (share ?? 1)}%` }} />
			</div>
		</div>
	)
}

function Old({ old }: Pick<BackupList, 'old'>) {
	const { t, language } = useTexts()
	const when = useWhen()
	if (old.length === 0) return null
	return (
		<section className={classes.section} aria-labelledby="old">
			<h2 id="old">{t('backups.old')}</h2>
			<p className={classes.dim}>{t('backups.oldText')}</p>
			<ul className={classes.list}>
				{old.map(({ name, at, sizeBytes, lacks }) => (
					<li key={name} className={classes.backup}>
						<div className={classes.what}>
							<p className={classes.time}>{at ? when(at) : <bdi>{name}</bdi>}</p>
							<p className={classes.dim}>{sizeText(sizeBytes, language)}</p>
						</div>
						<p className={classes.badges}>
							{lacks.length === 0 ? (
								<span className={classes.badge} data-state="good">
									<IconCheck size={15} stroke={2} aria-hidden="true" />
									{t('backups.oldWhole')}
								</span>
							) : (
								<span className={classes.badge} data-state="late">
									{t('backups.lacks', {
										what: listOf(
											lacks.map((lack) => t(`backupLack.${lack}`)),
											language,
										),
									})}
								</span>
							)}
						</p>
					</li>
				))}
			</ul>
		</section>
	)
}

const whys = {
	file: 'backups.isFile',
	link: 'backups.isLink',
	'no-manifest': 'backups.noManifest',
	'broken-manifest': 'backups.brokenManifest',
	'newer-format': 'backups.newerFormat',
} as const

function Foreign({ foreign }: Pick<BackupList, 'foreign'>) {
	const { t } = useTexts()
	if (foreign.length === 0) return null
	return (
		<section className={classes.section} aria-labelledby="foreign">
			<h2 id="foreign">{t('backups.foreign')}</h2>
			<ul className={classes.foreign}>
				{foreign.map(({ name, why }) => (
					<li key={name}>
						<bdi>{name}</bdi> <span className={classes.dim}>{t(whys[why])}</span>
					</li>
				))}
			</ul>
		</section>
	)
}
