/**
 * What the lecturers of a discussion can do with it as a whole: edit, close, archive, who started it also
 * remove, and each of these back again. Nothing is asked before; everything can be undone.
 */
import { ActionIcon, Menu } from '@mantine/core'
import { IconArchive, IconArchiveOff, IconArrowBackUp, IconDots, IconLock, IconLockOpen, IconPencil, IconTrash } from '@tabler/icons-react'
import { Link } from 'react-router'
import type { Input } from '../../../protocol/api.ts'
import type { Discussion } from '../../../protocol/model.ts'
import type { Client } from '../client.ts'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { errorSentence } from '../ui/problems.ts'

/** Whether this person leads the discussion: who started it, and who collaborates. */
export function leads(me: { id: string; role: string }, { createdBy, collaborators }: Discussion): boolean {
	return me.role === 'lecturer' && (createdBy === me.id || collaborators.includes(me.id))
}

/** Nothing for those who don't lead it. */
export function DiscussionTools({ discussion }: { discussion: Discussion }) {
	const { t } = useTexts()
	const { me } = useSnapshot()
	const change = useDiscussionChanges(useClient())
	if (!leads(me, discussion)) return null
	const { status, removed } = discussion
	const creator = discussion.createdBy === me.id
	return (
		<Menu position="bottom-end" width={240} withinPortal={false}>
			<Menu.Target>
				<ActionIcon size={36} aria-label={t('tools.label')} title={t('tools.label')}>
					<IconDots size={20} stroke={1.75} aria-hidden="true" />
				</ActionIcon>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Item component={Link} to={`/d/${discussion.id}/edit`} leftSection={<IconPencil size={18} stroke={1.75} aria-hidden="true" />}>
					{t('discussion.edit')}
				</Menu.Item>
				{status === 'open' && (
					<Menu.Item leftSection={<IconLock size={18} stroke={1.75} aria-hidden="true" />} onClick={() => change.close(discussion)}>
						{t('tools.close')}
					</Menu.Item>
				)}
				{status === 'closed' && (
					<Menu.Item leftSection={<IconLockOpen size={18} stroke={1.75} aria-hidden="true" />} onClick={() => change.reopen(discussion)}>
						{t('tools.reopen')}
					</Menu.Item>
				)}
				{status === 'archived' ? (
					<Menu.Item leftSection={<IconArchiveOff size={18} stroke={1.75} aria-hidden="true" />} onClick={() => change.reopen(discussion)}>
						{t('tools.unarchive')}
					</Menu.Item>
				) : (
					<Menu.Item leftSection={<IconArchive size={18} stroke={1.75} aria-hidden="true" />} onClick={() => change.archive(discussion)}>
						{t('tools.archive')}
					</Menu.Item>
				)}
				{creator && <Menu.Divider />}
				{creator && removed && (
					<Menu.Item
						leftSection={<IconArrowBackUp size={18} stroke={1.75} aria-hidden="true" />}
						onClick={() => change.putBack(discussion)}
					>
						{t('tools.putBack')}
					</Menu.Item>
				)}
				{creator && !removed && (
					<Menu.Item
						c="var(--red)"
						leftSection={<IconTrash size={18} stroke={1.75} aria-hidden="true" />}
						onClick={() => change.remove(discussion)}
					>
						{t('tools.remove')}
					</Menu.Item>
				)}
			</Menu.Dropdown>
		</Menu>
	)
}

/** Each of them changes the discussion, says so, and can be undone. */
export function useDiscussionChanges(client: Client) {
	const { t } = useTexts()
	async function change({ id }: Discussion, to: Omit<Input<'editDiscussion'>, 'id'>, back: typeof to, said: string) {
		try {
			await client.call('editDiscussion', { id, ...to })
			tell(said, () => client.call('editDiscussion', { id, ...back }))
		} catch (error) {
			tellProblem(errorSentence(t, error))
		}
	}
	const setStatus = (status: Discussion['status'], said: string) => (discussion: Discussion) =>
		change(discussion, { status }, { status: discussion.status }, said)
	return {
		close: setStatus('closed', t('tools.nowClosed')),
		reopen: setStatus('open', t('tools.nowOpen')),
		archive: setStatus('archived', t('tools.nowArchived')),
		remove: (discussion: Discussion) => change(discussion, { removed: true }, { removed: false }, t('tools.nowRemoved')),
		putBack: (discussion: Discussion) => change(discussion, { removed: false }, { removed: true }, t('tools.nowBack')),
	}
}
