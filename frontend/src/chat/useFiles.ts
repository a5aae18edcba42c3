/**
 * The files picked for the next message: looked at, made smaller where that was agreed to, and saved on
 * this device before anything is sent.
 *
 * Promises that what can't be sent is said before it is tried, and that picking keeps its order.
 */
import { useCallback, useEffect, useRef, useState } from 'react'
import { limits } from '../../../protocol/model.ts'
import type { StagedFile } from '../client.ts'
import { useClient } from '../ui/data.tsx'
import { smallerBytes, smallerOffer, storableName } from './fileFacts.ts'
import { measure, shrink } from './picture.ts'

/** What was picked and is being looked at. */
export interface Picking {
	key: number
	name: string
	smaller: boolean
}

/** Why a file was left out. */
export type LeftOut =
	| { why: 'large'; name: string; sizeBytes: number }
	| { why: 'many'; count: number }
	| { why: 'empty' | 'unreadable'; name: string }

/** A picture that can be sent smaller, as long as this page has it as it was. */
interface Choice {
	file: File
	width: number
	height: number
	must: boolean
	smaller: boolean
}

const rememberedAs = 'smallerPictures'

function remembered(): boolean | null {
	try {
		const stored = localStorage.getItem(rememberedAs)
		return stored === null ? null : stored === 'yes'
	} catch {
		return null
	}
}

function remember(smaller: boolean): void {
	try {
		localStorage.setItem(rememberedAs, smaller ? 'yes' : 'no')
	} catch {
		// Then it is chosen anew next time.
	}
}

/** See above. `offer`: what the pictures that can be made smaller take now and then; null where there are none. */
export function useFiles(discussion: string) {
	const client = useClient()
	const [staged, setStaged] = useState<readonly StagedFile[]>([])
	const [picking, setPicking] = useState<readonly Picking[]>([])
	const [leftOut, setLeftOut] = useState<readonly LeftOut[]>([])
	const [choices, setChoices] = useState<ReadonlyMap<string, Choice>>(new Map())
	/** Files of the next message: those saved, and those about to be. */
	const count = useRef(0)
	const coming = useRef(0)
	/** Those being taken away: there is room for others at once. */
	const leaving = useRef(new Set<string>())
	const keys = useRef(0)
	const work = useRef<Promise<unknown>>(Promise.resolve())

	/** What is saved, as it is on this device. */
	const refresh = useCallback(async () => {
		const files = (await client.staged(discussion)).filter(({ id }) => !leaving.current.has(id))
		count.current = files.length + coming.current
		setStaged(files)
	}, [client, discussion])
	useEffect(() => {
		refresh().catch(() => {})
	}, [refresh])

	const stage = useCallback(
		async (file: File, choice: Choice | null, size: { width: number; height: number } | null) => {
			const smaller = choice?.smaller ? await shrink(file, choice) : null
			if (!smaller && file.size > limits.uploadBytes) return null
			const name = storableName(smaller?.name ?? file.name)
			const saved = await client.stage(discussion, {
				bytes: smaller?.bytes ?? file,
				name,
				width: smaller?.width ?? size?.width ?? null,
				height: smaller?.height ?? size?.height ?? null,
			})
			if (choice) setChoices((was) => new Map(was).set(saved.id, { ...choice, smaller: smaller !== null }))
			return saved
		},
		[client, discussion],
	)

	const take = useCallback(
		async (file: File): Promise<LeftOut | null> => {
			if (file.size === 0) return { why: 'empty', name: file.name }
			const size = file.type.startsWith('image/') ? await measure(file) : null
			const offered = size && smallerOffer({ ...size, sizeBytes: file.size, type: file.type })
			const choice = offered && { file, ...size, must: offered.must, smaller: offered.must || (remembered() ?? offered.usual) }
			if (!choice && file.size > limits.uploadBytes) return { why: 'large', name: file.name, sizeBytes: file.size }
			try {
				return (await stage(file, choice, size)) ? null : { why: 'large', name: file.name, sizeBytes: file.size }
			} catch (error) {
				// A folder that was dropped, or a file that is gone.
				console.error(error)
				return { why: 'unreadable', name: file.name }
			}
		},
		[stage],
	)

	/** Takes files as they were picked, pasted or dropped. */
	const add = useCallback(
		(files: readonly File[]) => {
			const free = Math.max(0, limits.attachments - count.current)
			const taken = files.slice(0, free)
			count.current += taken.length
			coming.current += taken.length
			const shown = taken.map((file) => ({ key: keys.current++, name: file.name, smaller: false }))
			setPicking((was) => [...was, ...shown])
			setLeftOut(files.length > free ? [{ why: 'many', count: files.length - free }] : [])
			work.current = work.current.then(async () => {
				for (const [at, file] of taken.entries()) {
					const problem = await take(file)
					coming.current--
					await refresh().catch(() => {})
					setPicking((was) => was.filter(({ key }) => key !== shown[at]?.key))
					if (problem) setLeftOut((was) => [...was, problem])
				}
			})
		},
		[refresh, take],
	)

	const remove = useCallback(
		async (id: string) => {
			if (leaving.current.has(id)) return
			leaving.current.add(id)
			count.current--
			setStaged((was) => was.filter((file) => file.id !== id))
			setLeftOut([])
			try {
				await client.unstage(discussion, id)
			} finally {
				leaving.current.delete(id)
				await refresh()
			}
		},
		[client, discussion, refresh],
	)

	/** The choice for all of them, kept on this device. */
	const choose = useCallback(
		(smaller: boolean) => {
			remember(smaller)
			const wanted = staged.filter(({ id }) => choices.has(id))
			const shown = wanted.map(({ name }) => ({ key: keys.current++, name, smaller }))
			setPicking((was) => [...was, ...shown])
			work.current = work.current.then(async () => {
				for (const [at, { id }] of wanted.entries()) {
					const choice = choices.get(id)
					if (choice && choice.smaller !== smaller && !(choice.must && !smaller)) {
						// The new form is safe before the old one goes.
						const saved = await stage(choice.file, { ...choice, smaller }, choice).catch(() => null)
						if (saved) await client.unstage(discussion, id)
					}
					await refresh().catch(() => {})
					setPicking((was) => was.filter(({ key }) => key !== shown[at]?.key))
				}
			})
		},
		[client, discussion, staged, choices, stage, refresh],
	)

	const offered = staged.flatMap((file) => {
		const choice = choices.get(file.id)
		return choice ? [{ file, choice }] : []
	})
	const sum = (of: (one: (typeof offered)[number]) => number) => offered.reduce((all, one) => all + of(one), 0)
	return {
		staged,
		picking,
		leftOut,
		offer:
			offered.length === 0
				? null
				: {
						smaller: offered.every(({ choice }) => choice.smaller),
						must: offered.every(({ choice }) => choice.must),
						count: offered.length,
						nowBytes: sum(({ choice }) => choice.file.size),
						thenBytes: sum(({ file, choice }) =>
							choice.smaller ? file.sizeBytes : smallerBytes({ ...choice, sizeBytes: choice.file.size }),
						),
					},
		add,
		remove,
		choose,
		refresh,
		forget: () => setLeftOut([]),
	}
}

export type Files = ReturnType<typeof useFiles>
