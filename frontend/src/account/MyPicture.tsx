/**
 * My picture: chosen from files or the camera, cropped round, taken away; each of it can be undone.
 */
import { Menu, UnstyledButton } from '@mantine/core'
import { IconCamera, IconPhoto, IconTrash } from '@tabler/icons-react'
import { lazy, Suspense, useRef, useState } from 'react'
import { useClient, useSnapshot } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { tell, tellProblem } from '../ui/notices.ts'
import { Avatar, Late, useTouch } from '../ui/pieces.tsx'
import { errorSentence } from '../ui/problems.ts'
import classes from './account.module.css'

const Crop = lazy(() => import('./Crop.tsx'))

export function MyPicture() {
	const { t } = useTexts()
	const client = useClient()
	const { me } = useSnapshot()
	const touch = useTouch()
	const files = useRef<HTMLInputElement>(null)
	const camera = useRef<HTMLInputElement>(null)
	const [picked, setPicked] = useState<File | null>(null)

	async function change(picture: Blob | null) {
		const before = me.avatar
		const back = () => client.call('editMe', { avatar: before })
		await client.setAvatar(picture)
		tell(picture ? t('picture.changed') : t('picture.removed'), back)
	}

	function pick(input: HTMLInputElement) {
		setPicked(input.files?.[0] ?? null)
		// The same file may be picked again.
		input.value = ''
	}

	return (
		<>
			<Menu position="bottom-start" withinPortal={false}>
				<Menu.Target>
					<UnstyledButton className={classes.picture} aria-label={t('picture.change')}>
						<Avatar person={me} size={72} />
						<span className={classes.camera} aria-hidden="true">
							<IconCamera size={16} stroke={1.75} />
						</span>
					</UnstyledButton>
				</Menu.Target>
				<Menu.Dropdown>
					<Menu.Item leftSection={<IconPhoto size={18} stroke={1.75} aria-hidden="true" />} onClick={() => files.current?.click()}>
						{t('picture.choose')}
					</Menu.Item>
					{touch && (
						<Menu.Item leftSection={<IconCamera size={18} stroke={1.75} aria-hidden="true" />} onClick={() => camera.current?.click()}>
							{t('picture.take')}
						</Menu.Item>
					)}
					{me.avatar && (
						<Menu.Item
							color="red"
							leftSection={<IconTrash size={18} stroke={1.75} aria-hidden="true" />}
							onClick={() => change(null).catch((error) => tellProblem(errorSentence(t, error)))}
						>
							{t('picture.remove')}
						</Menu.Item>
					)}
				</Menu.Dropdown>
			</Menu>
			<input ref={files} type="file" hidden accept="image/jpeg,image/png,image/webp" onChange={(event) => pick(event.currentTarget)} />
			<input
				ref={camera}
				type="file"
				hidden
				accept="image/jpeg,image/png,image/webp"
				capture="user"
				onChange={(event) => pick(event.currentTarget)}
			/>
			{picked && (
				<Suspense fallback={<Late />}>
					<Crop
						file={picked}
						onClose={() => setPicked(null)}
						onDone={async (picture) => {
							await change(picture)
							setPicked(null)
						}}
					/>
				</Suspense>
			)}
		</>
	)
}
