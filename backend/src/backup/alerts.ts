/**
 * What is wrong with backups: told by mail and webhook, once when it begins and once when it is over.
 *
 * Promises that a mail server which hangs or refuses holds nobody up, that what was not told is tried again, and that
 * nothing leaves a machine that only rehearses. Decides nothing about what is wrong: that is keeper.ts.
 */
import { createTransport } from 'nodemailer'
import { z } from 'zod'
import type { Config } from '../config.ts'
import { isRehearsal } from './restore-state.ts'
import { type Language, type Sentence, Trouble, type TroubleCode, type Values } from './trouble.ts'

export const alertCodes = ['failed', 'drillFailed', 'late', 'vanished', 'notVerified', 'damaged', 'notTold'] as const
export type AlertCode = (typeof alertCodes)[number]

export const Alert = z.object({
	code: z.enum(alertCodes),
	/** Since when. */
	at: z.iso.datetime(),
	values: z.record(z.string(), z.union([z.string(), z.number()])),
	/** Why, where it is something that was expected to happen. */
	trouble: z.string().nullable(),
	/** By which ways people were told. */
	told: z.array(z.enum(['mail', 'webhook'])),
})
export type Alert = z.infer<typeof Alert>

const settingOf = (way: unknown) => (way === 'mail' ? 'SMTP_URL' : 'ALERT_WEBHOOK_URL')

const sentences: Record<Language, Record<AlertCode, (values: Values) => Sentence>> = {
	en: {
		failed: ({ why }) => ({ says: `A backup failed: ${why}`, hint: 'Make one by hand to see whether it works again: ./backup.sh' }),
		drillFailed: ({ name, why }) => ({ says: `The backup ${name} could not be proven: ${why}`, hint: 'Make another one: ./backup.sh' }),
		late: ({ hours }) => ({
			says: `There has been no verified backup for ${hours} hours.`,
			hint: 'Make one now: ./backup.sh. See that the server runs at the time of its schedule.',
		}),
		vanished: ({ count }) => ({
			says: `Backups that were there are gone (${count}).`,
			hint: 'Find out who removed them, bring them back from your copy, and make a new one now: ./backup.sh',
		}),
		notVerified: ({ count }) => ({
			says: `The newest backup does not count: ${count} uploaded files are missing or damaged, and in no backup.`,
			hint: 'npm run ops -- show names them. Bring them back from your copy, then make another one: ./backup.sh',
		}),
		damaged: ({ name }) => ({ says: `The backup ${name} is damaged.`, hint: 'Make a new one now: ./backup.sh. Look at the disk.' }),
		notTold: ({ way, why }) => ({
			says: `What is wrong with backups could not be told by ${way}: ${why}`,
			hint: `It is tried again every ten minutes. See that ${settingOf(way)} is right.`,
		}),
	},
	id: {
		failed: ({ why }) => ({
			says: `Pencadangan gagal: ${why}`,
			hint: 'Coba buat sendiri untuk melihat apakah sudah bisa lagi: ./backup.sh',
		}),
		drillFailed: ({ name, why }) => ({ says: `Cadangan ${name} tidak dapat diuji: ${why}`, hint: 'Buat yang baru: ./backup.sh' }),
		late: ({ hours }) => ({
			says: `Sudah ${hours} jam tidak ada cadangan yang terverifikasi.`,
			hint: 'Buat sekarang: ./backup.sh. Pastikan server berjalan pada waktu jadwalnya.',
		}),
		vanished: ({ count }) => ({
			says: `Cadangan yang tadinya ada sudah hilang (${count}).`,
			hint: 'Cari tahu siapa yang menghapusnya, kembalikan dari salinan Anda, dan buat yang baru sekarang: ./backup.sh',
		}),
		notVerified: ({ count }) => ({
			says: `Cadangan terbaru tidak dihitung: ${count} berkas unggahan hilang atau rusak, dan tidak ada di cadangan mana pun.`,
			hint: 'npm run ops -- show menyebutkannya. Kembalikan dari salinan Anda, lalu buat lagi: ./backup.sh',
		}),
		damaged: ({ name }) => ({ says: `Cadangan ${name} rusak.`, hint: 'Buat yang baru sekarang: ./backup.sh. Periksa cakramnya.' }),
		notTold: ({ way, why }) => ({
			says: `Masalah cadangan tidak dapat diberitahukan lewat ${way === 'mail' ? 'surel' : way}: ${why}`,
			hint: `Dicoba lagi setiap sepuluh menit. Pastikan ${settingOf(way)} benar.`,
		}),
	},
}

/** What people are told of an alert. */
export function sayAlert({ code, values, trouble }: Pick<Alert, 'code' | 'values' | 'trouble'>, language: Language): Sentence {
	if (trouble === null) return sentences[language][code](values)
	const { says, hint } = new Trouble(trouble as TroubleCode, values).say(language)
	const said = sentences[language][code]({ ...values, why: says })
	return hint ? { ...said, hint } : said
}

/** An alert, or the news that there is none any more. */
type Message = { subject: string; text: string; json: object }

function messageOf(alert: Alert): Message {
	const [en, id] = (['en', 'id'] as const).map((language) => sayAlert(alert, language)) as [Sentence, Sentence]
	const text = [en, id].map(({ says, hint }) => (hint ? `${says}\n${hint}` : says)).join('\n\n')
	return { subject: `English Chat: ${en.says}`, text, json: { alert: alert.code, at: alert.at, message: en.says, hint: en.hint ?? null } }
}

function allClear(): Message {
	const text = 'Backups work again: the newest one is verified.\n\nPencadangan berjalan lagi: cadangan terbaru sudah terverifikasi.'
	return {
		subject: 'English Chat: backups work again',
		text,
		json: { alert: null, at: new Date().toISOString(), message: text.split('\n')[0], hint: null },
	}
}

const PATIENCE_MS = 15_000

export type Way = 'mail' | 'webhook'

export interface Messenger {
	/** The ways that are set and may be used now. */
	ways(): Way[]
	/** Tells of an alert, or (null) that all is well again. Throws where it could not be delivered. */
	tell(way: Way, alert: Alert | null): Promise<void>
}

export function openMessenger(config: Pick<Config, 'alerts' | 'folders'>): Messenger {
	const { mail, webhook } = config.alerts
	async function sendMail({ subject, text }: Message): Promise<void> {
		const { to, from, server } = mail!
		const timeouts = { connectionTimeout: PATIENCE_MS, greetingTimeout: PATIENCE_MS, socketTimeout: PATIENCE_MS, dnsTimeout: PATIENCE_MS }
		const transport = createTransport({ url: server, ...timeouts })
		try {
			await transport.sendMail({ to, from, subject, text, disableFileAccess: true, disableUrlAccess: true })
		} finally {
			transport.close()
		}
	}
	async function post({ json }: Message): Promise<void> {
		const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }
		const answer = await fetch(webhook!, { ...init, redirect: 'error', signal: AbortSignal.timeout(PATIENCE_MS) })
		await answer.body?.cancel()
		if (!answer.ok) throw new Error(`The webhook answered ${answer.status}.`)
	}
	return {
		ways: () => (isRehearsal(config) ? [] : [...(mail ? (['mail'] as const) : []), ...(webhook ? (['webhook'] as const) : [])]),
		async tell(way, alert) {
			const message = alert ? messageOf(alert) : allClear()
			await (way === 'mail' ? sendMail(message) : post(message))
		},
	}
}
