/**
 * Every text of the interface, in English: short, warm, exact.
 *
 * The keys here are the keys of every language. Plurals end in `_one` and `_other`.
 */
import { account } from './en/account.ts'
import { admin } from './en/admin.ts'
import { backups } from './en/backups.ts'
import { chat } from './en/chat.ts'
import { classroom } from './en/classroom.ts'
import { ui } from './en/ui.ts'

export const en = { ...ui, ...account, ...admin, ...backups, ...classroom, ...chat } as const

export type Key = keyof typeof en
/** A language has every key but the singular forms that it does not have. */
export type Locale = Record<Exclude<Key, `${string}_one`>, string>
