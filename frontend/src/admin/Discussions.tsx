/**
 * Every discussion of the school by its title, and the way in for an admin who says why.
 *
 * Shows nothing of what is written. That an admin looked is on record, and says so before she does.
 */
import { Button, Modal, Textarea, TextInput } from '@mantine/core'
import { IconEye, IconMessages, IconSearch } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import { api, type Output } from '../../../protocol/api.ts'
import type { Person } from '../../../protocol/model.ts'
import { useClient } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { Empty, Late, Page } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import { date } from '../ui/times.ts'
import classes from './discussions.module.css'

type Topic = Output<'listAllDiscussions'>['titles'][number]

export default function Discussions() {
	const { t } = useTexts()
	const [query, setQuery] = useState('')
	const list = useTopics(query.trim())
	return (
		<Page title={t('inspect.title')} intro={t('inspect.intro')}>
			<TextInput
				aria-label={t('inspect.search')}
				placeholder={t('inspect.search')}
				type="search"
				value={query}
				onChange={(event) => setQuery(event.currentTarget.value)}
				leftSection={<IconSearch size={18} stroke={1.75} />}
				maxLength={100}
				autoComplete="off"
			/>
			<Failure>{list.problem}</Failure>
			{!list.topics && !list.problem && <Late />}
			{list.topics?.length === 0 && (
				<Empty icon={<IconMessages size={24} stroke={1.75} />} title={query ? t('inspect.noMatch') : t('inspect.none')}>
					{query ? t('inspect.noMatchText') : t('inspect.noneText')}
				</Empty>
			)}
			{list.topics && list.topics.length > 0 && (
				<ul className={classes.list}>
					{list.topics.map((topic) => (
						<TopicRow key={topic.id} topic={topic} lecturer={list.people.get(topic.createdBy)} />
					))}
				</ul>
			)}
			{list.more && (
				<Button fullWidth mt="md" onClick={list.more}>
					{t('people.more')}
				</Button>
			)}
		</Page>
	)
}

/** Pages of titles for a query; what comes late for an earlier one is not used. */
function useTopics(query: string) {
	const { t } = useTexts()
	const client = useClient()
	const [pages, setPages] = useState<Output<'listAllDiscussions'>[] | null>(null)
	const [problem, setProblem] = useState<string | null>(null)
	const [places, setPlaces] = useState<(string | undefined)[]>([undefined])

	// biome-ignore lint/correctness/useExhaustiveDependencies: another query begins anew
	useEffect(() => setPlaces([undefined]), [query])
	useEffect(() => {
		let gone = false
		const fetch = () =>
			Promise.all(places.map((after) => client.call('listAllDiscussions', { ...(query && { query }), ...(after && { after }) }))).then(
				(found) => {
					if (gone) return
					setPages(found)
					setProblem(null)
				},
				(error) => !gone && setProblem(errorSentence(t, error)),
			)
		const timer = setTimeout(fetch, query ? 150 : 0)
		return () => {
			gone = true
			clearTimeout(timer)
		}
	}, [client, query, places, t])

	const next = pages?.at(-1)?.next
	return {
		topics: pages?.flatMap(({ titles }) => titles) ?? null,
		people: new Map<string, Person>(pages?.flatMap(({ users }) => users.map((user) => [user.id, user] as const))),
		problem,
		more: next ? () => setPlaces([...places, next]) : null,
	}
}

function TopicRow({ topic, lecturer }: { topic: Topic; lecturer: Person | undefined }) {
	const { t, language } = useTexts()
	const [asking, setAsking] = useState(false)
	return (
		<li className={classes.topic}>
			<div className={classes.what}>
				<bdi className={classes.title}>{topic.title}</bdi>
				<div className={classes.dim}>
					<bdi>{lecturer?.name}</bdi>
					{` · ${t('inspect.since', { date: date(topic.createdAt, language) })}`}
					{topic.removed ? ` · ${t('inspect.removed')}` : topic.status !== 'open' && ` · ${t(`inspect.${topic.status}`)}`}
				</div>
			</div>
			<Button
				leftSection={<IconEye size={18} stroke={1.75} />}
				aria-label={t('inspect.readLabel', { title: topic.title })}
				onClick={() => setAsking(true)}
			>
				{t('inspect.read')}
			</Button>
			<Modal
				opened={asking}
				onClose={() => setAsking(false)}
				title={t('inspect.whyTitle')}
				closeButtonProps={{ 'aria-label': t('notices.close') }}
			>
				<Why topic={topic} />
			</Modal>
		</li>
	)
}

function Why({ topic }: { topic: Topic }) {
	const { t } = useTexts()
	const client = useClient()
	const go = useNavigate()
	const form = useForm(api.inspect.input.pick({ reason: true }), { reason: '' }, async ({ reason }) => {
		await client.call('inspect', { id: client.newId(), discussion: topic.id, reason })
		await go(`/d/${topic.id}`)
	})
	return (
		<form {...form.form} className={classes.form}>
			<p>{t('inspect.whyText')}</p>
			<Failure>{form.failure}</Failure>
			<Textarea {...form.field('reason')} data-autofocus label={t('people.reason')} dir="auto" autosize minRows={2} maxRows={8} />
			<Button type="submit" variant="filled" loading={form.busy}>
				{t('inspect.do')}
			</Button>
		</form>
	)
}
