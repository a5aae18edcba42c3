/**
 * The list of backups as the server has it now: asked for again and again, often while something is being made.
 */
import { useCallback, useEffect, useState } from 'react'
import type { Output } from '../../../protocol/api.ts'
import { useClient } from '../ui/data.tsx'
import { useTexts } from '../ui/language.ts'
import { errorSentence } from '../ui/problems.ts'

export type BackupList = Output<'listBackups'>

const lookMs = { busy: 2_000, idle: 30_000 }

export function useBackups(): { list: BackupList | null; problem: string | null; look: () => Promise<void> } {
	const { t, language } = useTexts()
	const client = useClient()
	const [list, setList] = useState<BackupList | null>(null)
	const [problem, setProblem] = useState<string | null>(null)
	const look = useCallback(async () => {
		try {
			setList(await client.call('listBackups', { language }))
			setProblem(null)
		} catch (error) {
			setProblem(errorSentence(t, error))
		}
	}, [client, language, t])
	const busy = list?.running != null
	useEffect(() => {
		void look()
		const timer = setInterval(() => void look(), busy ? lookMs.busy : lookMs.idle)
		return () => clearInterval(timer)
	}, [look, busy])
	return { list, problem, look }
}
