/**
 * The categories that discussions are sorted under: made, renamed in place, archived and taken back here.
 */
import { ActionIcon, Button, TextInput } from '@mantine/core'
import { IconArchive, IconArchiveOff, IconPencil, IconTags } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { api } from '../../../protocol/api.ts'
import type { Category } from '../../../protocol/model.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { Empty, Late, Page } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import classes from './classroom.module.css'
import { byName } from './overview.ts'

const taken = { name_taken: 'categories.taken' } as const

export default function Categories() {
	const { t, language } = useTexts()
	const client = useClient()
	const { categories } = useSnapshot()
	const [loaded, setLoaded] = useState(false)
	useEffect(() => {
		let gone = false
		const done = () => !gone && setLoaded(true)
		client.call('listCategories', {}).then(done, done)
		return () => {
			gone = true
		}
	}, [client])
	const sorted = byName(categories, language)
	const active = sorted.filter(({ status }) => status === 'active')
	const archived = sorted.filter(({ status }) => status === 'archived')
	return (
		<Page title={t('categories.title')} intro={t('categories.intro')}>
			<NewCategory />
			{categories.length === 0 && !loaded && <Late />}
			{categories.length === 0 && loaded && (
				<Empty icon={<IconTags size={24} stroke={1.75} aria-hidden="true" />} title={t('categories.none')}>
					{t('categories.noneText')}
				</Empty>
			)}
			{active.length > 0 && <CategoryCards categories={active} label={t('categories.title')} />}
			{archived.length > 0 && (
				<details className={classes.archive} open={active.length === 0}>
					<summary>
						{t('categories.archived')} <span className={classes.dim}>{archived.length}</span>
					</summary>
					<p className={classes.dim}>{t('categories.archivedText')}</p>
					<CategoryCards categories={archived} label={t('categories.archived')} />
				</details>
			)}
		</Page>
	)
}

function NewCategory() {
	const { t } = useTexts()
	const client = useClient()
	const empty = { name: '' }
	const form = useForm(
		api.createCategory.input.omit({ id: true }),
		empty,
		async (values) => {
			const { category } = await client.call('createCategory', { id: client.newId(), ...values })
			form.set('name', '')
			tell(t('categories.made', { name: category.name }), () => client.call('editCategory', { id: category.id, status: 'archived' }))
		},
		taken,
	)
	return (
		<form {...form.form} className={classes.add}>
			<Failure>{form.failure}</Failure>
			<div className={classes.addRow}>
				<TextInput
					{...form.field('name')}
					label={t('categories.new')}
					placeholder={t('categories.example')}
					dir="auto"
					className={classes.grow as string}
					autoComplete="off"
				/>
				<Button type="submit" variant="filled" loading={form.busy}>
					{t('categories.create')}
				</Button>
			</div>
		</form>
	)
}

function CategoryCards({ categories, label }: { categories: Category[]; label: string }) {
	const [renaming, setRenaming] = useState<string | null>(null)
	return (
		<ul className={classes.cards} aria-label={label}>
			{categories.map((category) => (
				<li key={category.id}>
					{renaming === category.id ? (
						<Rename category={category} onDone={() => setRenaming(null)} />
					) : (
						<CategoryLine category={category} onRename={() => setRenaming(category.id)} />
					)}
				</li>
			))}
		</ul>
	)
}

function CategoryLine({ category, onRename }: { category: Category; onRename: () => void }) {
	const { t } = useTexts()
	const client = useClient()
	const { me, discussions } = useSnapshot()
	const { id, name, status } = category
	const mine = me.role === 'admin' || category.createdBy === me.id
	const used = discussions.filter(({ discussion }) => discussion.category === id && !discussion.removed).length
	const open = status === 'active'

	async function archive() {
		const next = open ? 'archived' : 'active'
		try {
			await client.call('editCategory', { id, status: next })
			tell(t(open ? 'categories.nowArchived' : 'categories.nowActive', { name }), () => client.call('editCategory', { id, status }))
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}

	const archiveLabel = t(open ? 'categories.archiveLabel' : 'categories.unarchiveLabel', { name })
	return (
		<div className={classes.line}>
			<span className={classes.person}>
				<bdi className={classes.name}>{name}</bdi>
				{me.role === 'lecturer' && <span className={classes.dim}>{t('categories.used', { count: used })}</span>}
			</span>
			{mine && (
				<>
					<ActionIcon size={36} aria-label={t('categories.renameLabel', { name })} title={t('categories.rename')} onClick={onRename}>
						<IconPencil size={18} stroke={1.75} aria-hidden="true" />
					</ActionIcon>
					<ActionIcon size={36} aria-label={archiveLabel} title={t(open ? 'categories.archive' : 'categories.unarchive')} onClick={archive}>
						{open ? (
							<IconArchive size={18} stroke={1.75} aria-hidden="true" />
						) : (
							<IconArchiveOff size={18} stroke={1.75} aria-hidden="true" />
						)}
					</ActionIcon>
				</>
			)}
		</div>
	)
}

function Rename({ category, onDone }: { category: Category; onDone: () => void }) {
	const { t } = useTexts()
	const client = useClient()
	const { id, name } = category
	const form = useForm(
		api.createCategory.input.pick({ name: true }),
		{ name },
		async (values) => {
			if (values.name !== name) {
				const { category: now } = await client.call('editCategory', { id, ...values })
				tell(t('categories.renamed', { name: now.name }), () => client.call('editCategory', { id, name }))
			}
			onDone()
		},
		taken,
	)
	return (
		<form {...form.form} className={classes.rename} onKeyDown={(event) => event.key === 'Escape' && onDone()}>
			<Failure>{form.failure}</Failure>
			<div className={classes.addRow}>
				<TextInput
					{...form.field('name')}
					aria-label={t('categories.name')}
					dir="auto"
					className={classes.grow as string}
					autoComplete="off"
					autoFocus
				/>
				<Button type="submit" variant="filled" loading={form.busy}>
					{t('save')}
				</Button>
				<Button onClick={onDone}>{t('cancel')}</Button>
			</div>
		</form>
	)
}
