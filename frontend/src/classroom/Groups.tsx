/**
 * The groups: a lecturer's and admin's to make and open, a student's to see.
 */
import { Button, TextInput } from '@mantine/core'
import { IconChevronRight, IconUsers } from '@tabler/icons-react'
import { Link, useNavigate } from 'react-router'
import { api } from '../../../protocol/api.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { Failure, useForm } from '../ui/form.tsx'
import { useTexts } from '../ui/language.ts'
import { Empty, Page } from '../ui/pieces.tsx'
import classes from './classroom.module.css'

export default function Groups() {
	const { t, language } = useTexts()
	const { me, groups } = useSnapshot()
	const student = me.role === 'student'
	const order = new Intl.Collator(language, { numeric: true })
	const sorted = groups.toSorted((a, b) => order.compare(a.name, b.name) || a.seq - b.seq)
	return (
		<Page title={student ? t('groups.mine') : t('groups.title')} intro={student ? t('groups.introStudent') : t('groups.intro')}>
			{!student && <NewGroup />}
			{groups.length === 0 ? (
				<Empty icon={<IconUsers size={24} stroke={1.75} />} title={student ? t('groups.noneStudent') : t('groups.none')}>
					{student ? t('groups.noneStudentText') : t('groups.noneText')}
				</Empty>
			) : (
				<ul className={classes.cards}>
					{sorted.map((group) => (
						<li key={group.id} className={classes.card}>
							{student ? (
								<span className={classes.line}>
									<bdi className={classes.name}>{group.name}</bdi>
								</span>
							) : (
								<Link to={`/groups/${group.id}`} className={classes.line}>
									<bdi className={classes.name}>{group.name}</bdi>
									<IconChevronRight size={18} stroke={1.75} aria-hidden="true" />
								</Link>
							)}
						</li>
					))}
				</ul>
			)}
		</Page>
	)
}

function NewGroup() {
	const { t } = useTexts()
	const client = useClient()
	const go = useNavigate()
	const form = useForm(api.createGroup.input.omit({ id: true }), { name: '' }, async (values) => {
		const { group } = await client.call('createGroup', { id: client.newId(), ...values })
		await go(`/groups/${group.id}`)
	})
	return (
		<form {...form.form} className={classes.add}>
			<Failure>{form.failure}</Failure>
			<div className={classes.addRow}>
				<TextInput
					{...form.field('name')}
					label={t('groups.new')}
					placeholder={t('groups.example')}
					dir="auto"
					className={classes.grow as string}
					autoComplete="off"
				/>
				<Button type="submit" variant="filled" loading={form.busy}>
					{t('groups.create')}
				</Button>
			</div>
		</form>
	)
}
