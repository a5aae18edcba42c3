/**
 * Every text of the interface, in Indonesian. A missing key is a type error; Indonesian has no singular forms.
 */
import type { Locale } from './en.ts'
import { account } from './id/account.ts'
import { admin } from './id/admin.ts'
import { backups } from './id/backups.ts'
import { chat } from './id/chat.ts'
import { classroom } from './id/classroom.ts'
import { ui } from './id/ui.ts'

export const id: Locale = { ...ui, ...account, ...admin, ...backups, ...classroom, ...chat }
