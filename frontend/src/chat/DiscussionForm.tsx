/**
 * Start a discussion, or change one: title, opening prompt, the groups it is for.
 */
import { Button, Checkbox, Textarea, TextInput } from '@mantine/core'
import { IconUsers } from '@tabler/icons-react'
import { Link, useNavigate, useParams } from 'react-router'
import { api } from '../../../protocol/api.ts'
import type { Discussion } from '../../../protocol/model.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { Empty, Page } from '../ui/pieces.tsx'
import classes from './form.module.css'

const schema = api.startDiscussion.input.omit({ id: true })

export default function DiscussionForm() {
	const { t } = useTexts()
	const { id } = useParams()
	const { groups, discussions } = useSnapshot()
	const known = discussions.find(({ discussion }) => discussion.id === id)?.discussion
	const title = id ? t('discussion.edit') : t('discussion.start')
	if (groups.length === 0)
		return (
			<Page title={title}>
				<Empty
					icon={<IconUsers size={24} stroke={1.75} />}
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
			<Fields key={known?.id ?? 'new'} known={id ? known : undefined} />
		</Page>
	)
}

function Fields({ known }: { known: Discussion | undefined }) {
	const { t } = useTexts()
	const client = useClient()
	const go = useNavigate()
	const { groups } = useSnapshot()
	const initial = {
		title: known?.title ?? '',
		prompt: known?.prompt ?? '',
		groups: known?.groups ?? (groups.length === 1 && groups[0] ? [groups[0].id] : []),
	}
	const form = useForm(schema, initial, async (values) => {
		if (known) await client.call('editDiscussion', { id: known.id, ...values })
		const id = known?.id ?? (await client.startDiscussion(values))
		await go(`/d/${id}`)
	})
	const chosen = form.values.groups
	const groupsProblem = form.problem('groups')
	return (
		<form {...form.form} className={classes.form}>
			<Failure>{form.failure}</Failure>
			<TextInput {...form.field('title')} label={t('form.title')} placeholder={t('form.titleExample')} dir="auto" autoFocus />
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
				{groups.map((group) => (
					<Checkbox
						key={group.id}
						name="groups"
						color="var(--green)"
						iconColor="var(--on-green)"
						checked={chosen.includes(group.id)}
						onChange={(event) =>
							form.set('groups', event.currentTarget.checked ? [...chosen, group.id] : chosen.filter((one) => one !== group.id))
						}
						label={<bdi>{group.name}</bdi>}
						classNames={{ body: classes.group as string }}
					/>
				))}
				{groupsProblem && (
					<p id="groups-problem" className={classes.problem}>
						{t('form.groupsNeeded')}
					</p>
				)}
			</fieldset>
			<div className={classes.actions}>
				<Button type="submit" variant="filled" loading={form.busy}>
					{known ? t('save') : t('form.do')}
				</Button>
				<Button component={Link} to={known ? `/d/${known.id}` : '/'}>
					{t('cancel')}
				</Button>
			</div>
		</form>
	)
}
