/**
 * Beside the discussion: who is in the room, its pictures and files, what it is about, what the ticks mean.
 *
 * Fetches what it shows when it is opened and when something of it changed; without a network it shows
 * what is known here.
 */
import { Button } from '@mantine/core'
import { IconCalendar, IconCheck, IconChecks, IconClock } from '@tabler/icons-react'
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Message, Person, Upload } from '../../../protocol/model.ts'
import type { Client, Timeline } from '../client.ts'
import { useClient, useMe, usePeople, useSnapshot, useTimelinePart } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { nameOf } from '../ui/names.ts'
import { Avatar, Late, RoleBadge } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { date } from '../ui/times.ts'
import { Card, Picture as SmallPicture } from './Attachments.tsx'
import classes from './about.module.css'
import { Dialog } from './Dialog.tsx'
import { Inspections } from './Inspections.tsx'
import { writersOf } from './rows.ts'
import type { Picture } from './Viewer.tsx'
import { Words } from './Words.tsx'

/** So many of each are shown beside the discussion; the rest is a step away. */
const shown = { people: 8, pictures: 6, files: 3 }

interface Props {
	id: string
	onView: (upload: string, pictures: readonly Picture[]) => void
	/** Where the date is not in the bar. */
	onDate: (() => void) | null
}

export const About = memo(function About({ id, onView, onDate }: Props) {
	const { t } = useTexts()
	const discussion = useTimelinePart(id, theDiscussion)
	const older = useTimelinePart(id, (timeline) => timeline.older)
	if (!discussion) return null
	return (
		<div className={classes.about}>
			{onDate && (
				<Button leftSection={<IconCalendar size={18} stroke={1.75} aria-hidden="true" />} onClick={onDate}>
					{t('date.go')}
				</Button>
			)}
			<Room id={id} />
			<PicturesAndFiles id={id} onView={onView} />
			{older && discussion.prompt && (
				<section>
					<h2>{t('about.prompt')}</h2>
					<p className={classes.prompt} dir="auto">
						<Words text={discussion.prompt} />
					</p>
				</section>
			)}
			<What id={id} />
			<Inspections id={id} />
			<section>
				<h2>{t('ticks.title')}</h2>
				<ul className={classes.ticks}>
					<li>
						<IconClock size={15} stroke={1.75} aria-hidden="true" />
						{t('ticks.device')}
					</li>
					<li>
						<IconCheck size={15} stroke={1.75} aria-hidden="true" />
						{t('ticks.stored')}
					</li>
					<li>
						<IconChecks size={15} stroke={1.75} aria-hidden="true" className={classes.kept} />
						{t('ticks.kept')}
					</li>
				</ul>
			</section>
		</div>
	)
})

const theDiscussion = (timeline: Timeline) => timeline.discussion
const theGroups = (timeline: Timeline) => timeline.groups
const whoIsHere = (timeline: Timeline) => timeline.here
const whoWrites = (timeline: Timeline) => timeline.typing

/** Pages of a list, fetched as they are asked for, and anew when `version` changes. */
function usePages<T>(
	fetch: (client: Client, after: string | null) => Promise<{ list: T[]; next: string | null; total?: number }>,
	version: string,
) {
	const client = useClient()
	const { t } = useTexts()
	const [pages, setPages] = useState<{ list: T[]; next: string | null; total: number } | null>(null)
	const [problem, setProblem] = useState<string | null>(null)
	const asked = useRef(fetch)
	asked.current = fetch
	// biome-ignore lint/correctness/useExhaustiveDependencies: anew with every version
	useEffect(() => {
		let gone = false
		asked.current(client, null).then(
			({ list, next, total }) => !gone && setPages({ list, next, total: total ?? list.length }),
			(error) => !gone && setProblem(errorSentence(t, error)),
		)
		return () => {
			gone = true
		}
	}, [client, version, t])
	const more = useCallback(async () => {
		if (pages?.next == null) return
		try {
			const { list, next } = await asked.current(client, pages.next)
			setPages((was) => was && { ...was, list: [...was.list, ...list], next })
			setProblem(null)
		} catch (error) {
			setProblem(errorSentence(t, error))
		}
	}, [client, pages, t])
	return { pages, problem, more }
}

function useParticipants(id: string) {
	const discussion = useTimelinePart(id, theDiscussion)
	const version = [discussion?.scopeRev, ...(discussion?.groups ?? []), ...(discussion?.collaborators ?? [])].join()
	return usePages(async (client, after) => {
		const { users, next, total } = await client.call('listParticipants', { id, ...(after ? { after } : {}) })
		return { list: users, next, total }
	}, version)
}

/** Who looks at it now, and who else is in it. */
function Room({ id }: { id: string }) {
	const { t } = useTexts()
	const people = usePeople()
	const me = useMe()
	const client = useClient()
	const here = useTimelinePart(id, whoIsHere)
	const hereMore = useTimelinePart(id, (timeline) => timeline.hereMore)
	const typing = useTimelinePart(id, whoWrites)
	const [all, setAll] = useState(false)
	const { pages } = useParticipants(id)
	const present = new Set(here.map((person) => person.id))
	const others = (pages?.list ?? writersOf(client.timeline(id).items, people)).filter(
		(person) => !present.has(person.id) && person.id !== me.id,
	)
	const list = [...here, ...others].slice(0, shown.people)
	const more = Math.max((pages?.total ?? 0) - 1, here.length + hereMore, list.length) - list.length
	return (
		<section>
			<h2>{t('about.room')}</h2>
			<ul>
				{list.map((person) => (
					<PersonLine key={person.id} person={person} here={present.has(person.id)} writing={typing.some((one) => one.id === person.id)} />
				))}
			</ul>
			{list.length === 0 && <p className={classes.quiet}>{t('about.alone')}</p>}
			{more > 0 && (
				<button type="button" className={classes.more} onClick={() => setAll(true)}>
					{t('about.more', { count: more })}
				</button>
			)}
			{all && <AllPeople id={id} onClose={() => setAll(false)} />}
		</section>
	)
}

function PersonLine({ person, here, writing = false }: { person: Person; here: boolean; writing?: boolean }) {
	const { t } = useTexts()
	const me = useMe()
	return (
		<li className={classes.person}>
			<Avatar person={person} size={28} />
			<span className={classes.name}>
				<bdi>{person.id === me.id ? t('you') : nameOf(person, t)}</bdi>
				{writing && <span className={classes.typing}>{t('about.writing')}</span>}
			</span>
			<RoleBadge role={person.role} />
			{here && <span className={classes.dot} role="img" aria-label={t('about.here')} title={t('about.here')} />}
		</li>
	)
}

function AllPeople({ id, onClose }: { id: string; onClose: () => void }) {
	const { t } = useTexts()
	const here = useTimelinePart(id, whoIsHere)
	const { pages, problem, more } = useParticipants(id)
	const present = new Set(here.map((person) => person.id))
	return (
		<Dialog onClose={onClose} title={pages ? t('about.people', { count: pages.total }) : t('about.room')}>
			<div className={classes.about}>
				{pages ? (
					<ul>
						{pages.list.map((person) => (
							<PersonLine key={person.id} person={person} here={present.has(person.id)} />
						))}
					</ul>
				) : (
					!problem && <Late />
				)}
				{problem && <p role="alert">{problem}</p>}
				{pages?.next && <Button onClick={more}>{t('about.next')}</Button>}
			</div>
		</Dialog>
	)
}

/** The newest picture or file that is loaded: when it is another one, the list is fetched anew. */
function useFilesVersion(id: string): string {
	const [version] = useState(() => {
		let of: Timeline['items'] | null = null
		let known = ''
		return ({ items }: Timeline) => {
			if (items === of) return known
			of = items
			const withFiles = items.filter(({ message }) => message.attachments.length > 0 && message.rev > 0)
			known = `${withFiles.at(-1)?.id} ${withFiles.filter(({ message }) => message.removed).length}`
			return known
		}
	})
	return useTimelinePart(id, version)
}

function useFileMessages(id: string) {
	return usePages<Message>(async (client, before) => {
		const { messages, older } = await client.call('listFiles', { id, ...(before ? { before } : {}) })
		return { list: messages, next: older }
	}, useFilesVersion(id))
}

function sorted(messages: readonly Message[]): { pictures: Picture[]; files: Upload[] } {
	const all = messages.filter(({ removed }) => !removed).flatMap((message) => message.attachments.map((upload) => ({ upload, message })))
	return {
		pictures: all.filter(({ upload }) => upload.kind === 'image'),
		files: all.filter(({ upload }) => upload.kind !== 'image').map(({ upload }) => upload),
	}
}

function PicturesAndFiles({ id, onView }: Pick<Props, 'id' | 'onView'>) {
	const { t } = useTexts()
	const { pages } = useFileMessages(id)
	const [all, setAll] = useState(false)
	const { pictures, files } = useMemo(() => sorted(pages?.list ?? []), [pages])
	if (pictures.length + files.length === 0) return null
	const more = pages?.next != null || pictures.length > shown.pictures || files.length > shown.files
	return (
		<section>
			<h2>{t('about.files')}</h2>
			<Grid pictures={pictures.slice(0, shown.pictures)} all={pictures} onView={onView} />
			{files.slice(0, shown.files).map((upload) => (
				<div key={upload.id} className={classes.file}>
					<Card upload={upload} />
				</div>
			))}
			{more && (
				<button type="button" className={classes.more} onClick={() => setAll(true)}>
					{t('about.allFiles')}
				</button>
			)}
			{all && <AllFiles id={id} onView={onView} onClose={() => setAll(false)} />}
		</section>
	)
}

function Grid({ pictures, all, onView }: { pictures: readonly Picture[]; all: readonly Picture[]; onView: Props['onView'] }) {
	// The viewer's order is the discussion's: the oldest first.
	const open = (upload: string) => onView(upload, all.toReversed())
	return (
		<div className={classes.grid}>
			{pictures.map(({ upload }) => (
				<SmallPicture key={upload.id} upload={upload} onView={open} />
			))}
		</div>
	)
}

function AllFiles({ id, onView, onClose }: Pick<Props, 'id' | 'onView'> & { onClose: () => void }) {
	const { t } = useTexts()
	const { pages, problem, more } = useFileMessages(id)
	const { pictures, files } = useMemo(() => sorted(pages?.list ?? []), [pages])
	return (
		<Dialog onClose={onClose} title={t('about.files')} size={640}>
			<div className={classes.about}>
				{!pages && !problem && <Late />}
				{pictures.length > 0 && <Grid pictures={pictures} all={pictures} onView={onView} />}
				{files.map((upload) => (
					<Card key={upload.id} upload={upload} />
				))}
				{problem && <p role="alert">{problem}</p>}
				{pages?.next && <Button onClick={more}>{t('about.earlier')}</Button>}
			</div>
		</Dialog>
	)
}

/** Category, tags, groups, who leads it, since when. */
function What({ id }: { id: string }) {
	const { t, language } = useTexts()
	const { people, categories } = useSnapshot()
	const discussion = useTimelinePart(id, theDiscussion)
	const groups = useTimelinePart(id, theGroups)
	if (!discussion) return null
	const category = categories.find((one) => one.id === discussion.category)
	const lecturers = [discussion.createdBy, ...discussion.collaborators].flatMap((one) => people.get(one) ?? [])
	return (
		<section>
			<h2>{t('about.what')}</h2>
			<dl className={classes.facts}>
				{category && <Fact label={t('about.category')} list={[category.name]} />}
				<Fact label={t('about.groups', { count: groups.length })} list={groups.map(({ name }) => name)} />
				{lecturers.length > 0 && (
					<Fact label={t('about.lecturers', { count: lecturers.length })} list={lecturers.map((person) => nameOf(person, t))} />
				)}
				{discussion.tags.length > 0 && <Fact label={t('about.tags')} list={discussion.tags} />}
				<Fact label={t('about.started')} list={[date(discussion.createdAt, language)]} />
			</dl>
		</section>
	)
}

function Fact({ label, list }: { label: string; list: string[] }) {
	return (
		<div>
			<dt>{label}</dt>
			<dd>
				{list.map((one, at) => (
					<span key={one}>
						{at > 0 && ', '}
						<bdi>{one}</bdi>
					</span>
				))}
			</dd>
		</div>
	)
}
