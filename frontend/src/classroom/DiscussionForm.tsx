/**
 * Start a discussion, or change one: title, opening prompt, groups, category, tags, who leads it too.
 *
 * Promises that what was typed is kept on this device until it is sent or discarded.
 */
import { Button, Checkbox, Textarea, TextInput } from '@mantine/core'
import { IconMailQuestion, IconUsers } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { api } from '../../../protocol/api.ts'
import { type Discussion, limits } from '../../../protocol/model.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { tell } from '../ui/notices.ts'
import { Empty, Late, Page } from '../ui/pieces.tsx'
import { CategoryField } from './CategoryField.tsx'
import { CollaboratorsField } from './CollaboratorsField.tsx'
import { leads } from './DiscussionTools.tsx'
import classes from './form.module.css'
import { changesOf, draftKey, type FormValues, readDraft, valuesOf, writeDraft } from './formDraft.ts'
import { byName } from './overview.ts'
import { TagsField } from './TagsField.tsx'

const schema = api.startDiscussion.input.omit({ id: true })

export default function DiscussionForm() {
	const { id } = useParams()
	return <Prepared key={id ?? 'new'} id={id ?? null} />
}

/** Waits for what has to be known first: the draft, the discussion as it is, which groups are mine. */
function Prepared({ id }: { id: string | null }) {
	const { t } = useTexts()
	const client = useClient()
	const { me, groups, discussions, discussionsState } = useSnapshot()
	const known = discussions.find(({ discussion }) => discussion.id === id)?.discussion
	const [draft, setDraft] = useState<Partial<FormValues> | null | undefined>(undefined)
	const [mine, setMine] = useState<ReadonlySet<string> | null>(null)

	useEffect(() => {
		let gone = false
		client.draft(draftKey(id)).then(
			(found) => !gone && setDraft(readDraft(found?.text)),
			() => !gone && setDraft(null),
		)
		// Colleagues’ groups come with their discussions. Without an answer all that are known are offered; the server decides.
		client.call('listGroups', {}).then(
			(answer) => !gone && setMine(new Set(answer.groups.map((group) => group.id))),
			() => {},
		)
		if (id) client.call('getDiscussion', { id }).catch(() => {})
		return () => {
			gone = true
		}
	}, [client, id])

	const title = id ? t('discussion.edit') : t('discussion.start')
	const offered = groups.filter((group) => !mine || mine.has(group.id) || group.createdBy === me.id)
	if (id && !(known && leads(me, known))) {
		const waiting = discussionsState === 'loading'
		return (
			<Page title={title}>
				{waiting ? (
					<Late />
				) : (
					<Empty icon={<IconMailQuestion size={24} stroke={1.75} aria-hidden="true" />} title={t('discussion.notHere')}>
						{t('discussion.notHereText')}
					</Empty>
				)}
			</Page>
		)
	}
	if (!id && !offered.some(({ status }) => status === 'active') && discussionsState === 'ready')
		return (
			<Page title={title}>
				<Empty
					icon={<IconUsers size={24} stroke={1.75} aria-hidden="true" />}
					title={t('form.groupFirst')}
					action={
						<Button component={Link} to="/groups" variant="filled">
							{t('nothing.makeGroup')}
						</Button>
					}
				>
					{t('form.groupFirstText')}
				</Empty>
			</Page>
		)
	return (
		<Page title={title} {...(id ? { back: `/d/${id}` } : { intro: t('form.intro') })}>
			{draft === undefined || (!id && discussionsState === 'loading') ? (
				<Late />
			) : (
				<Drafted known={known} draft={draft} offered={offered.map((group) => group.id)} />
			)}
		</Page>
	)
}

/** The form over its draft; discarding the draft begins again with what is there. */
function Drafted({ known, draft, offered }: { known: Discussion | undefined; draft: Partial<FormValues> | null; offered: string[] }) {
	const { t } = useTexts()
	const client = useClient()
	const { groups } = useSnapshot()
	const [base, setBase] = useState(() => baseOf())
	const [restored, setRestored] = useState(draft)
	const [round, setRound] = useState(0)

	function baseOf(): FormValues {
		if (known) return valuesOf(known)
		const active = groups.filter(({ id, status }) => status === 'active' && offered.includes(id))
		const only = active.length === 1 && active[0] ? [active[0].id] : []
		return { title: '', prompt: '', groups: only, category: null, tags: [], collaborators: [] }
	}

	async function discard() {
		await client.saveDraft(draftKey(known?.id ?? null), { text: '', replyTo: null, editing: null })
		setBase(baseOf())
		setRestored(null)
		setRound(round + 1)
	}

	return (
		<>
			{restored && (
				<div className={classes.restored} role="status">
					<span>{t('form.restored')}</span>
					<Button size="compact-md" onClick={discard}>
						{t('form.discard')}
					</Button>
				</div>
			)}
			<Fields key={round} known={known} base={base} initial={{ ...base, ...restored }} offered={offered} />
		</>
	)
}

interface FieldsProps {
	known: Discussion | undefined
	/** What stood there before. */
	base: FormValues
	initial: FormValues
	/** Ids of groups that may be chosen. */
	offered: string[]
}

function Fields({ known, base, initial, offered }: FieldsProps) {
	const { t, language } = useTexts()
	const client = useClient()
	const go = useNavigate()
	const { me, groups } = useSnapshot()
	const key = draftKey(known?.id ?? null)
	const form = useForm(schema, initial, async (values) => {
		const changes = changesOf(base, values)
		let id = known?.id
		if (!id) id = await client.startDiscussion(values)
		else if (Object.keys(changes).length > 0) {
			const back = Object.fromEntries(Object.keys(changes).map((field) => [field, base[field]]))
			await client.call('editDiscussion', { id, ...changes })
			tell(t('form.changed'), () => client.call('editDiscussion', { id: id as string, ...back }))
		}
		await client.saveDraft(key, { text: '', replyTo: null, editing: null })
		await go(`/d/${id}`)
	})
	const { values } = form

	// biome-ignore lint/correctness/useExhaustiveDependencies: whenever something was typed or chosen
	useEffect(() => {
		if (values !== initial)
			client.saveDraft(key, { text: writeDraft(changesOf(base, values)), replyTo: null, editing: null }).catch(() => {})
	}, [values])

	const chosen = values.groups
	const shown = byName(
		groups.filter(({ id, status }) => base.groups.includes(id) || (status === 'active' && offered.includes(id))),
		language,
	)
	const groupsProblem = form.problem('groups')
	return (
		<form {...form.form} className={classes.form}>
			<Failure>{form.failure}</Failure>
			<TextInput
				{...form.field('title')}
				label={t('form.title')}
				placeholder={t('form.titleExample')}
				dir="auto"
				autoFocus={!known}
				autoComplete="off"
			/>
			<Textarea
				{...form.field('prompt')}
				label={t('form.prompt')}
				description={t('form.promptHint')}
				dir="auto"
				autosize
				minRows={5}
				maxRows={16}
				classNames={{ input: classes.prompt as string }}
			/>
			<fieldset className={classes.groups} aria-describedby={groupsProblem ? 'groups-problem' : undefined}>
				<legend>{t('form.groups')}</legend>
				{shown.map((group) => (
					<Checkbox
						key={group.id}
						name="groups"
						color="var(--green)"
						iconColor="var(--on-green)"
						checked={chosen.includes(group.id)}
						onChange={(event) =>
							form.set('groups', event.currentTarget.checked ? [...chosen, group.id] : chosen.filter((one) => one !== group.id))
						}
						label={
							<>
								<bdi>{group.name}</bdi>
								{group.status === 'archived' && <span className={classes.dim}> {t('group.archivedMark')}</span>}
							</>
						}
						classNames={{ body: classes.group as string }}
					/>
				))}
				{groupsProblem && (
					<p id="groups-problem" className={classes.problem}>
						{chosen.length > limits.groupsPerDiscussion ? groupsProblem : t('form.groupsNeeded')}
					</p>
				)}
			</fieldset>
			<CategoryField value={values.category} onChange={(category) => form.set('category', category)} />
			<TagsField value={values.tags} onChange={(tags) => form.set('tags', tags)} problem={form.problem('tags')} />
			<CollaboratorsField
				value={values.collaborators}
				onChange={known && known.createdBy !== me.id ? null : (people) => form.set('collaborators', people)}
				creator={known?.createdBy ?? me.id}
			/>
			<div className={classes.actions}>
				<Button type="submit" variant="filled" loading={form.busy}>
					{known ? t('save') : t('form.do')}
				</Button>
				<Button component={Link} to={known ? `/d/${known.id}` : '/'}>
					{t('form.later')}
				</Button>
			</div>
		</form>
	)
}
